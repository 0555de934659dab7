//! The place of all messages within the window: what it reads of the log, and the chosen message below the list.

use std::sync::Arc;

use eframe::egui::{CentralPanel, Context, Frame, Panel, Ui};

use super::{
    action::{Action, Far},
    app::{App, TICK},
    apply::{beside_index, far_index},
    log::{Log, LogRow, LogView},
    panels::{
        calls::Book,
        message::{data as message, message_ui},
        messages::{Act, MessagesPlace, data, messages_ui},
    },
    state::{CallTab, Pane, Place},
    theme::Tokens,
    wire_text::MessageView,
};
use crate::model::{CallId, CallRecord};

/// What the place shows of the log.
pub(super) struct Messages {
    pub log: Log,
    /// As it was when the list began to stay still, else as it is.
    view: Arc<LogView>,
    unlisted: usize,
    chosen: Option<(Arc<LogRow>, MessageView)>,
    /// What was known when the log was looked at last.
    looked: (u64, u64, u64),
    /// The opened file that the log is of, by its address; 0: the engine's.
    of: usize,
}

impl Messages {
    pub fn new(log: Log) -> Self {
        Self { log, view: Arc::default(), unlisted: 0, chosen: None, looked: (0, 0, 0), of: 0 }
    }
}

impl Messages {
    /// Rows of the list, and whether they are all that the filter lets through.
    pub fn listed(&self) -> (usize, bool) {
        let current = self.view.generation == self.log.generation();
        (if current { self.view.len } else { 0 }, current && self.view.done)
    }

    /// The chosen message, with its call.
    pub fn inspected(&self) -> Option<(&MessageView, Option<CallId>)> {
        self.chosen.as_ref().map(|(row, view)| (view, row.call))
    }
}

impl App {
    /// A file that was opened or closed has other messages: the log begins anew.
    pub(super) fn renew_log(&mut self) {
        let of = self.files.opened().map_or(0, |opened| Arc::as_ptr(&opened) as usize);
        if self.messages.of != of {
            self.messages = Messages { of, ..Messages::new(self.messages.log.renewed()) };
            self.state.messages.chosen = None;
            self.state.compare.pinned = None;
        }
    }

    pub(super) fn drain_messages(&mut self, ctx: &Context) {
        if self.state.place != Place::Messages {
            return;
        }
        ctx.request_repaint_after(TICK);
        let counters = &self.snapshot.counters;
        let now = (self.snapshot.seq, counters.messages_in + counters.messages_out, self.now.0 / 500_000);
        if self.messages.looked != now {
            self.messages.looked = now;
            self.messages.log.look(&self.snapshot.listeners);
        }
        let Messages { log, view, unlisted, chosen, .. } = &mut self.messages;
        log.narrow(&self.state.messages.filter);
        let latest = log.view();
        // A view of the filter before stays until the first of the new one are there.
        let is_current = latest.generation == log.generation() && (latest.done || latest.len > 0);
        let holds = !self.state.messages.follow && view.generation == latest.generation && view.done;
        if is_current && !holds {
            *view = latest.clone();
        }
        *unlisted = if holds { data::new_behind(view, &latest) } else { 0 };
        let wanted = self.state.messages.chosen;
        if chosen.as_ref().map(|(row, _)| row.number()) != wanted {
            let row = wanted.and_then(|number| view.get(view.position(number).ok()?)).cloned();
            *chosen = row.map(|row| (row.clone(), MessageView::new(&row.message)));
        }
    }

    pub(super) fn messages_place_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let panel = Frame::new().fill(Tokens::of(ui).panel);
        let height = ui.available_height();
        if let Some((row, view)) = &self.messages.chosen {
            let call = call_of(&self.book, row);
            let data = message::message(call, view, None);
            let below = Panel::bottom("message below").resizable(true).default_size(height * 0.48).size_range(160.0..=height * 0.75);
            let jump = call.map(|call| Action::Messages(Act::ShowCall(call.id, row.number())));
            below.frame(panel).show(ui, |ui| {
                let compare = self.comparing.view(&self.state.compare);
                message_ui(ui, Some(&data), self.state.message_tab, &compare, jump, actions);
            });
        }
        let book = &self.book;
        let find = |row: &LogRow| call_of(book, row);
        let place = MessagesPlace { view: &self.messages.view, unlisted: self.messages.unlisted, zone: &self.options.zone, call: &find };
        CentralPanel::no_frame().frame(panel).show(ui, |ui| messages_ui(ui, &mut self.state.messages, &place, actions));
    }

    pub(super) fn apply_messages(&mut self, act: &Act) {
        act.apply(&mut self.state.messages);
        if let Act::ShowAll(_) = act {
            self.state.place = Place::Messages;
        }
        if let Act::ShowCall(call, number) = act {
            self.state.place = Place::Calls;
            self.state.call = Some(*call);
            self.state.tab = CallTab::Ladder;
            self.state.message = Some(*number);
            self.state.pane = Pane::Ladder;
            self.state.reveal_call = true;
            self.state.reveal_message = true;
        }
    }

    /// The arrow keys in the list.
    pub(super) fn step_messages(&mut self, down: bool) {
        let view = &self.messages.view;
        let at = self.state.messages.chosen.and_then(|number| view.position(number).ok());
        let at = at.or_else(|| view.len.checked_sub(1).filter(|_| self.state.messages.follow && !down));
        self.choose_message(beside_index(view.len, at, down));
    }

    pub(super) fn step_messages_far(&mut self, far: Far) {
        let view = &self.messages.view;
        let at = self.state.messages.chosen.and_then(|number| view.position(number).ok());
        self.choose_message(far_index(view.len, at, far));
    }

    fn choose_message(&mut self, index: Option<usize>) {
        let Some(row) = index.and_then(|index| self.messages.view.get(index)) else { return };
        self.state.messages.chosen = Some(row.number());
        self.state.messages.follow = false;
        self.state.messages.reveal = true;
    }

    /// Enter: into the ladder.
    pub(super) fn open_message(&mut self) {
        let Some((row, _)) = &self.messages.chosen else { return };
        if let Some(call) = call_of(&self.book, row).map(|call| call.id) {
            self.apply_messages(&Act::ShowCall(call, row.number()));
        }
    }
}

/// A message may have been read before its call claimed it: then its Call-ID tells.
fn call_of<'a>(book: &'a Book, row: &LogRow) -> Option<&'a CallRecord> {
    let claimed = row.call.and_then(|id| book.find(id));
    claimed.or_else(|| book.find(book.of_sip_call_id(&row.call_id)?))
}
