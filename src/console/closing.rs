//! Closing the window: what would be lost is told first.

use eframe::egui::{self, Context, Ui};

use super::{app::App, text::count, theme::Space, widgets};
use crate::model::Snapshot;

impl App {
    /// Calls of the engine that are not over, whatever is on screen.
    pub(super) fn engine_live(&self, engine: &Snapshot) -> usize {
        if self.files.opened().is_none() {
            return self.book.live();
        }
        engine.calls.iter().filter(|c| !c.test_call && !c.state.is_final()).count()
    }

    /// Closing with calls running, or with settings that are not saved, asks.
    pub(super) fn close_ui(&mut self, ui: &Ui, ctx: &Context) {
        let live = self.engine_live(&self.files.switch.engine.snapshot());
        let unsaved = self.state.settings.is_changed();
        if ctx.input(|i| i.viewport().close_requested()) && (live > 0 || unsaved) && !self.closing {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.closing = true;
        }
        if !self.closing {
            return;
        }
        let modal = egui::Modal::new(egui::Id::unique("close")).frame(widgets::dialog(ui)).show(ctx, |ui| {
            ui.set_width(360.0);
            if live > 0 {
                widgets::heading(ui, &format!("{} still running", count(live, "call is", "calls are")));
                ui.label("Closing the window ends the engine, and the calls with it");
            }
            if unsaved {
                widgets::heading(ui, "Changed settings are not saved");
                ui.label("Closing the window loses the changes");
            }
            ui.add_space(Space::S);
            ui.horizontal(|ui| (ui.button("Close anyway").clicked(), ui.button("Keep running").clicked())).inner
        });
        let (close, keep) = modal.inner;
        if close {
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        } else if keep || modal.should_close() {
            self.closing = false;
            self.backend.restart_when_closed(false);
        }
    }
}
