//! The place *Calls*: the table, the chosen call below it, and its chosen message at the right.

use eframe::egui::{CentralPanel, Frame, Panel, Ui};

use super::{
    action::Action,
    app::{App, FRAME},
    panels::{call_header, calls, context, findings, ladder, ladder::data::What, media, message, payload, timeline},
    state::CallTab,
    theme::{Space, Tokens},
    widgets,
};
use crate::model::CallRecord;

impl App {
    /// The chosen call's record.
    pub(super) fn call(&self) -> Option<&CallRecord> {
        self.book.find(self.state.call?)
    }

    pub(super) fn calls_place_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let tokens = Tokens::of(ui);
        let fill = Frame::new().fill(tokens.background);
        let panel = Frame::new().fill(tokens.panel);
        let half = ui.available_height();
        if self.call().is_none() {
            CentralPanel::no_frame().frame(panel).show(ui, |ui| self.table_ui(ui, actions));
            return;
        }
        let table = Panel::top("calls").resizable(true).default_size((half * 0.27).max(150.0)).size_range(90.0..=half * 0.7);
        table.frame(panel).show(ui, |ui| self.table_ui(ui, actions));
        let Some(call) = self.call() else { return };
        let mut header = call_header::data::call_header(call, self.book.both_sides(call.id));
        header.from_file = self.files.opened().is_some();
        header.exported = self.calls_to_export().len();
        let bar = Panel::top("call header").exact_size(48.0).resizable(false).frame(fill);
        bar.show(ui, |ui| call_header::call_header_ui(ui, &header, actions));
        let views = self.chosen.views.all();
        let width = ui.available_width();
        let right = Panel::right("message").resizable(true).default_size(width * 0.435).size_range(340.0..=width - 420.0).frame(panel);
        let shown = self.shown_message();
        let index = views.iter().position(|view| Some(view.number) == shown);
        let data = index.and_then(|index| Some(message::data::message(Some(call), views.get(index)?, Some(index))));
        right.show(ui, |ui| {
            let compare = self.comparing.view(&self.state.compare);
            message::message_ui(ui, data.as_ref(), self.state.message_tab, &compare, None, actions);
        });
        CentralPanel::no_frame().frame(panel).show(ui, |ui| self.call_ui(ui, call, actions));
        self.state.reveal_message = false;
    }

    fn table_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let older = calls::Older { there: self.past.has_older(), reading: self.past.is_reading() };
        let table = calls::CallsTable { book: &self.book, columns: &self.remembered.calls, older, now: self.now, zone: &self.options.zone };
        let reading = calls::calls_ui(ui, &mut self.state, &table, actions);
        self.state.reading = reading;
        self.state.reveal_call = false;
    }

    fn call_ui(&self, ui: &mut Ui, call: &CallRecord, actions: &mut Vec<Action>) {
        ui.spacing_mut().item_spacing.y = 0.0;
        let tally = findings::data::tally(call);
        let tabs = CallTab::ALL.map(|tab| widgets::Tab {
            action: Action::ShowTab(tab),
            chosen: tab == self.state.tab,
            count: tally.filter(|_| tab == CallTab::Findings),
        });
        widgets::tabs(ui, tabs, actions);
        ui.spacing_mut().item_spacing.y = Space::S;
        let player = self.player_of(call.id);
        if player.as_ref().is_some_and(|player| player.runs) {
            ui.request_repaint_after(FRAME);
        }
        ui.push_id((self.state.tab, call.id), |ui| match self.state.tab {
            CallTab::Ladder => {
                let view = &self.state.ladder;
                let player = player.as_ref();
                let shown = ladder::Shown { view, chosen: self.shown_message(), reveal: self.state.reveal_message, player };
                ladder::ladder_ui(ui, &self.chosen.ladder, shown, actions);
            }
            CallTab::Context => context::context_ui(ui, &context::data::context(call), actions),
            CallTab::Payload => {
                let last = call.returns.iter().rev().find_map(|r| r.payload.as_deref());
                let returned = call.test_report.as_ref().and_then(|r| r.returned.as_ref());
                payload::payload_ui(ui, last.or(returned).map(payload::data::payload).as_ref(), actions);
            }
            CallTab::Media => media::media_ui(ui, &media::data::media(call, self.chosen.sound.as_deref()), player.as_ref(), actions),
            CallTab::Timeline => timeline::timeline_ui(ui, &timeline::data::timeline(call, &self.options.zone), actions),
            CallTab::Findings => findings::findings_ui(ui, &findings::data::findings(call), actions),
        });
    }

    /// Numbers of the chosen call's messages, in the order of the ladder.
    pub(super) fn message_numbers(&self) -> Vec<u64> {
        let ladder = &self.chosen.ladder;
        let rows = ladder.layout.rows.iter().filter_map(|place| ladder.rows.get(place.row));
        rows.filter_map(|row| if let What::Arrow(arrow) = &row.what { arrow.message } else { None }).collect()
    }

    pub(super) fn ladder_text(&self) -> String {
        self.chosen.ladder.to_text()
    }

    /// The message that is shown: the chosen one, else the one that says most.
    pub(super) fn shown_message(&self) -> Option<u64> {
        self.state.message.or_else(|| message::data::telling(self.call()?, self.chosen.views.all()))
    }
}
