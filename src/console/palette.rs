//! The search over everything within the window: what it found, looked for when what is typed or what there is changed.

use std::sync::Arc;

use eframe::egui::{Context, Ui};

use super::{
    action::Action,
    app::{App, TICK},
    log::Found,
    panels::palette::{
        State,
        data::{Entry, entries},
        palette_ui,
    },
    state::Place,
};

#[derive(Default)]
pub(super) struct Palette {
    entries: Vec<Entry>,
    of: Option<(String, u64, Arc<[Found]>)>,
    looked: u64,
}

impl App {
    pub(super) fn drain_palette(&mut self, ctx: &Context) {
        let Some(state) = &self.state.palette else {
            self.palette.of = None;
            return;
        };
        ctx.request_repaint_after(TICK);
        // While it is open, what comes is looked through too.
        let half = self.now.0 / 500_000 + 1;
        if self.palette.looked != half {
            self.palette.looked = half;
            self.messages.log.look(&self.snapshot.listeners);
        }
        let typed = state.typed.trim();
        // A letter alone stands in every message.
        let found = if typed.len() >= 2 { self.messages.log.find(typed) } else { Arc::default() };
        let is_same = |of: &(String, u64, Arc<[Found]>)| {
            of.0 == state.typed && of.1 == self.book.version() && (Arc::ptr_eq(&of.2, &found) || of.2.is_empty() && found.is_empty())
        };
        if !self.palette.of.as_ref().is_some_and(is_same) {
            self.palette.entries = entries(&state.typed, &self.state, &self.book, &found);
            self.palette.of = Some((state.typed.clone(), self.book.version(), found));
        }
    }

    pub(super) fn palette_place_ui(&mut self, ui: &Ui, actions: &mut Vec<Action>) {
        let Some(state) = &mut self.state.palette else { return };
        if !palette_ui(ui, state, &self.palette.entries, actions) {
            self.state.palette = None;
        }
    }

    pub(super) fn open_palette(&mut self) {
        self.state.palette = Some(State::default());
    }

    pub(super) fn filter_calls(&mut self, words: String) {
        self.state.place = Place::Calls;
        self.state.search = words;
    }
}
