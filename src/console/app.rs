//! The window itself: drains what is new, lays the panels out, applies the actions.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use eframe::egui::{self, Context, Frame, Panel, Stroke, Ui};
use jiff::tz::TimeZone;

use super::{
    action::Action,
    backend::{ApiAnswer, Backend, CommandTicket, Facts, TransfersView, Waker},
    call_messages::{CallMessages, Source},
    compare::Comparing,
    files::{Files, Switch},
    log::Log,
    messages::Messages,
    palette::Palette,
    panels::{agent, calls, frame, ladder::layout::View, return_form, test_call},
    past::Past,
    remembered::{Keeper, Remembered},
    settings::Looks,
    state::{Notice, Place, State},
    theme::{self, Space, Tokens},
};
use crate::model::{CallId, Snapshot, Timestamp};

/// How the window starts.
#[derive(Debug, Clone)]
pub struct Options {
    pub title: String,
    /// `handback 0.1.0`
    pub version: String,
    pub zone: TimeZone,
    /// Where it is kept how the window was left; `None`: nowhere.
    pub remember_in: Option<PathBuf>,
    /// What is heavy is done on threads of its own; else at once, for tests.
    pub threads: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            title: "Handback".to_owned(),
            version: concat!("handback ", env!("CARGO_PKG_VERSION")).to_owned(),
            zone: TimeZone::system(),
            threads: true,
            remember_in: None,
        }
    }
}

/// The window could not be opened; most often there is no display.
#[derive(Debug, thiserror::Error)]
#[error("the window cannot be opened: {0}")]
pub struct ConsoleError(String);

/// Opens the window and stays until it is closed. To be called on the main thread.
pub fn run(backend: Arc<dyn Backend>, options: Options) -> Result<(), ConsoleError> {
    let viewport = egui::ViewportBuilder::default()
        .with_title(&options.title)
        .with_app_id("handback")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([1180.0, 680.0]);
    let native = eframe::NativeOptions {
        viewport,
        persist_window: options.remember_in.is_some(),
        persistence_path: options.remember_in.as_ref().map(|folder| folder.join("window.ron")),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native("handback", native, Box::new(move |cc| Ok(Box::new(App::new(&cc.egui_ctx, backend, options)))))
        .map_err(|error| ConsoleError(error.to_string()))
}

pub struct App {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) options: Options,
    /// The zone of this machine; [`Options::zone`] is the one that times are shown in.
    pub(super) local_zone: TimeZone,
    /// Kept for the next run by itself.
    pub(super) remembered: Remembered,
    keeper: Keeper,
    pub(super) facts: Facts,
    pub(super) settings_looks: Looks,
    /// The window is to be closed in this frame.
    pub(super) closes: bool,
    pub(super) state: State,
    /// What the engine holds, and past calls that were read before it.
    pub(super) snapshot: Arc<Snapshot>,
    /// The engine's alone.
    pub(super) live: Arc<Snapshot>,
    pub(super) past: Past,
    /// How much of the past is in `snapshot`.
    joined: u64,
    /// The window's clock, in seconds, when the snapshot came.
    snapshot_came: f64,
    /// Wall time on the snapshot's scale.
    pub(super) now: Timestamp,
    pub(super) book: calls::Book,
    pub(super) listing: calls::Listing,
    pub(super) chosen: CallMessages,
    pub(super) placed: CallMessages,
    pub(super) messages: Messages,
    pub(super) comparing: Comparing,
    pub(super) files: Files,
    pub(super) palette: Palette,
    asked: HashMap<CommandTicket, Asked>,
    /// Calls that waited for the operator when that was looked at last.
    pub(super) calls_waiting: usize,
    pub(super) operator_told: agent::voice::Told,
    /// The test call whose row shall be chosen as soon as it is listed.
    follow: Option<CallId>,
    pub(super) closing: bool,
    pub(super) phone: super::phone::Phone,
    pub(super) transfers: Option<Arc<TransfersView>>,
    /// The form's body, and how it would be answered.
    pub(super) judged: Option<(String, ApiAnswer)>,
}

/// What a ticket stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    TestCall,
    Other,
    /// Its refusal is no news.
    Quiet,
}

impl App {
    pub fn new(ctx: &Context, backend: Arc<dyn Backend>, options: Options) -> Self {
        theme::install(ctx);
        let (remembered, keeper) = Keeper::open(options.remember_in.as_deref());
        let waker = ctx.clone();
        let waker: Waker = Arc::new(move || waker.request_repaint_after(FRAME));
        backend.set_waker(waker.clone());
        let switch = Arc::new(Switch::new(backend));
        let files = Files::new(switch.clone(), waker.clone(), options.threads);
        let backend: Arc<dyn Backend> = switch;
        let log = Log::new(backend.clone(), waker, options.threads);
        let facts = backend.facts();
        let notice = keeper.note.clone().map(|text| Notice { text, wrong: false });
        let mut app = Self {
            backend,
            local_zone: options.zone.clone(),
            options,
            remembered,
            keeper,
            facts,
            settings_looks: Looks::default(),
            closes: false,
            state: State { notice, ..State::default() },
            snapshot: Arc::default(),
            live: Arc::default(),
            past: Past::default(),
            joined: 0,
            snapshot_came: 0.0,
            now: Timestamp::default(),
            book: calls::Book::default(),
            listing: calls::Listing::default(),
            chosen: CallMessages::default(),
            placed: CallMessages::default(),
            messages: Messages::new(log),
            comparing: Comparing::default(),
            files,
            palette: Palette::default(),
            asked: HashMap::new(),
            calls_waiting: 0,
            operator_told: agent::voice::Told::default(),
            follow: None,
            closing: false,
            phone: super::phone::Phone::default(),
            transfers: None,
            judged: None,
        };
        app.appear(ctx);
        app
    }

    pub(super) fn drain(&mut self, ctx: &Context) {
        let time = ctx.input(|i| i.time);
        self.state.dark = ctx.theme() == egui::Theme::Dark;
        self.keeper.keep(&self.remembered);
        self.drain_files(ctx);
        let snapshot = self.backend.snapshot();
        self.drain_past();
        let is_new = !Arc::ptr_eq(&snapshot, &self.live);
        if is_new || self.joined != self.past.came {
            if is_new {
                self.snapshot_came = time;
            }
            self.snapshot = self.past.joined(&snapshot);
            (self.live, self.joined) = (snapshot, self.past.came);
        }
        let since = Duration::from_secs_f64((time - self.snapshot_came).max(0.0));
        self.now = Timestamp(self.snapshot.at.0 + u64::try_from(since.as_micros()).unwrap_or_default());
        let opened = self.files.opened();
        if opened.is_some() {
            // In a file nothing goes on.
            self.now = self.snapshot.at;
        }
        for (ticket, outcome) in self.backend.take_outcomes() {
            let asked = self.asked.remove(&ticket);
            match outcome {
                Ok(call) if asked == Some(Asked::TestCall) => {
                    self.state.placing = false;
                    self.state.test_call = Some(call);
                    self.follow = Some(call);
                }
                Ok(_) => {}
                Err(_) if asked == Some(Asked::Quiet) => {}
                Err(why) => {
                    if asked == Some(Asked::TestCall) {
                        self.put_down_phone();
                    }
                    self.state.placing &= asked != Some(Asked::TestCall);
                    self.state.notice = Some(Notice { text: why, wrong: true });
                }
            }
        }
        self.drain_transfers(ctx);
        self.drain_settings(ctx);
        self.drain_agent(ctx);
        self.renew_log();
        self.drain_messages(ctx);
        self.keep_list_still_unless_asked();
        self.list(ctx);
        self.follow_test_call();
        self.state.call = self.state.call.filter(|id| self.book.find(*id).is_some());
        self.ask_past_kept();
        let counters = &self.snapshot.counters;
        let key = (self.snapshot.seq + self.past.came, counters.messages_in + counters.messages_out);
        let source = Source { backend: self.backend.as_ref(), past: &self.past, book: &self.book, key, now: self.now };
        let more = self.chosen.read(&source, self.state.call, &self.state.ladder);
        if self.placed.read(&source, self.state.test_call, &View::default()) || more {
            ctx.request_repaint_after(FRAME);
        }
        self.drain_compare();
        self.tend_phone();
        if self.phone_moves() {
            ctx.request_repaint_after(FRAME);
        }
        self.drain_palette(ctx);
        let live = opened.is_none() && self.book.any_live();
        if is_new || self.state.placing {
            ctx.request_repaint_after(FRAME * 2);
        } else if live {
            // Lengths tick; everything else wakes the window by itself.
            ctx.request_repaint_after(TICK);
        }
    }

    /// Who places a test call wants to see it: its row is chosen, unless another place is open.
    fn follow_test_call(&mut self) {
        let Some(placed) = self.follow.filter(|_| self.state.place == Place::Calls) else { return };
        let Some(own) = self.book.find(placed) else { return };
        let bridge = self.bridge_side(placed);
        // To another program's bridge there is only the caller's own record; to ours, its record may follow in a moment.
        self.follow = Some(placed).filter(|_| bridge.is_none() && !own.state.is_final());
        let call = bridge.unwrap_or(placed);
        if self.state.call == Some(call) {
            return;
        }
        if !self.state.listed.contains(&call) {
            self.state.listed.insert(0, call);
        }
        self.state.call = Some(call);
        self.state.message = None;
        self.state.reveal_call = true;
    }

    fn panels_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let tokens = Tokens::of(ui);
        let frame = |fill| Frame::new().fill(fill);
        let side = Panel::left("rail").exact_size(Space::RAIL).resizable(false).frame(frame(tokens.panel));
        side.show(ui, |ui| frame::rail_ui(ui, self.state.place, self.calls_waiting, self.state.dark, actions));
        let engine = self.files.switch.engine.snapshot();
        let now = if self.files.opened().is_some() { engine.at } else { self.now };
        let chips = frame::data::chips(&engine, &self.facts, self.engine_live(&engine), now);
        let top = Panel::top("top").exact_size(Space::TOP).resizable(false).frame(frame(tokens.panel));
        top.show(ui, |ui| frame::top_ui(ui, &mut self.state, &chips, actions));
        let parts = frame::data::status(&engine, self.backend.devices().as_deref());
        let bottom = Panel::bottom("status").exact_size(Space::STATUS).resizable(false).frame(frame(tokens.panel));
        bottom.show(ui, |ui| frame::status_ui(ui, &parts, &self.options.version));
        if let Some(notice) = &self.state.notice {
            let bar = Panel::top("notice").exact_size(34.0).resizable(false).show_separator_line(false).frame(frame(tokens.panel));
            bar.show(ui, |ui| frame::notice_ui(ui, notice, actions));
        }
        self.files_bands_ui(ui, actions);
        match self.state.place {
            Place::Calls => self.calls_place_ui(ui, actions),
            Place::TestCall => self.test_call_place_ui(ui, actions),
            Place::Agent => self.agent_place_ui(ui, actions),
            Place::Transfers => self.transfers_place_ui(ui, actions),
            Place::Settings => self.settings_place_ui(ui, actions),
            Place::Messages => self.messages_place_ui(ui, actions),
        }
    }

    pub(super) fn ask(&mut self, command: crate::model::Command, asked: Asked) {
        let ticket = self.backend.command(command);
        self.asked.insert(ticket, asked);
    }
}

impl App {
    /// One frame as the window would run it, for benchmarks without a window.
    pub fn frame(&mut self, ui: &mut Ui) {
        self.drain(ui.ctx());
        self.paint(ui);
    }

    /// Rows of the list that is open, and whether all that there is was looked through for it.
    pub fn listed(&self) -> (usize, bool) {
        match self.state.place {
            Place::Messages => self.messages.listed(),
            _ => (self.state.listed.len(), true),
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.drain(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.paint(ui);
    }
}

impl App {
    pub(super) fn paint(&mut self, ui: &mut Ui) {
        let mut actions = Vec::new();
        let ctx = ui.ctx().clone();
        self.keys(&ctx, &mut actions);
        ui.style_mut().visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, Tokens::of(ui).line);
        self.panels_ui(ui, &mut actions);
        if let Some(form) = &mut self.state.returning {
            return_form::return_form_ui(ui, form, &mut actions);
        }
        if let Some(name) = &mut self.state.test.naming {
            test_call::naming_ui(ui, name, &mut actions);
        }
        self.ringing_ui(ui, &mut actions);
        self.files_dialogs_ui(ui, &mut actions);
        self.palette_place_ui(ui, &mut actions);
        self.close_ui(ui, &ctx);
        for action in actions {
            self.apply(&ctx, action);
        }
    }
}

pub(super) const FRAME: Duration = Duration::from_millis(33);
pub(super) const TICK: Duration = Duration::from_millis(500);
