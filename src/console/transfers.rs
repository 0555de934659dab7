//! The place of call transfers within the window: what it reads of the backend, and what it asks of it.

use std::sync::Arc;

use eframe::egui::{CentralPanel, Context, Frame, Ui};

use super::{
    action::Action,
    app::{App, TICK},
    panels::transfers,
    state::{Notice, Place},
    theme::Tokens,
};
use crate::model::CallTransfer;

impl App {
    pub(super) fn transfers_place_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let background = Tokens::of(ui).background;
        let chosen = self.chosen_transfer();
        let place = transfers::TransfersPlace {
            view: self.transfers.as_deref(),
            answer: self.judged.as_ref().map(|(_, answer)| answer),
            has_call: chosen.as_ref().and_then(|t| t.call).is_some_and(|id| self.book.find(id).is_some()),
            chosen: chosen.as_deref(),
            now: self.now,
            zone: &self.options.zone,
        };
        let panel = CentralPanel::no_frame().frame(Frame::new().fill(background));
        panel.show(ui, |ui| transfers::transfers_ui(ui, &mut self.state, &place, actions));
    }

    fn chosen_transfer(&self) -> Option<Arc<CallTransfer>> {
        let chosen = self.state.transfer.as_deref()?;
        self.transfers.as_ref()?.transfers.iter().find(|transfer| transfer.id == chosen).cloned()
    }

    /// The list anew, what creates came to, and how the form would be answered now.
    pub(super) fn drain_transfers(&mut self, ctx: &Context) {
        let transfers = self.backend.transfers();
        let is_new = transfers.as_ref().map(Arc::as_ptr) != self.transfers.as_ref().map(Arc::as_ptr);
        self.transfers = transfers;
        for (_, answer) in self.backend.take_created() {
            self.state.creating = false;
            if answer.status == 200 {
                self.state.transfer = Some(answer.message);
                self.state.transfer_form.next_id();
                self.state.notice = None;
            } else {
                self.state.notice = Some(Notice { text: format!("{}: {}", answer.line, answer.message), wrong: true });
            }
        }
        if self.state.place != Place::Transfers || self.transfers.is_none() {
            return;
        }
        // Countdowns go on by themselves.
        ctx.request_repaint_after(TICK);
        let body = self.state.transfer_form.body();
        if is_new || self.judged.as_ref().is_none_or(|(judged, _)| *judged != body) {
            let answer = self.backend.judge_transfer(&body);
            self.judged = Some((body, answer));
        }
    }

    pub(super) fn create_transfer(&mut self) {
        self.state.creating = true;
        self.backend.create_transfer(&self.state.transfer_form.body());
    }
}
