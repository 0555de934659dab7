//! Paints the ladder, or says why there is none.

use eframe::egui::{Rect, Ui, UiBuilder, Vec2};

use super::data::Ladder;
use crate::console::{action::Action, widgets};

pub fn ladder_ui(ui: &mut Ui, ladder: &Ladder, chosen: Option<u64>, reveal: bool, actions: &mut Vec<Action>) {
    if ladder.rows.is_empty() {
        let sentence = "Messages of finished calls go first when the memory for them is full";
        widgets::empty_state(ui, "No messages are kept of this call", sentence, None, actions);
        return;
    }
    let corner = Rect::from_min_size(ui.max_rect().left_top() + Vec2::new(8.0, 8.0), Vec2::splat(22.0));
    widgets::ladder(ui, ladder, chosen, reveal, actions);
    ui.scope_builder(UiBuilder::new().max_rect(corner), |ui| {
        widgets::icon_button(ui, Action::Copy(ladder.to_text()), "Copy ladder", actions);
    });
}
