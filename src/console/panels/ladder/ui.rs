//! Paints the ladder with its few tools, or says why there is none.

use eframe::egui::{Rect, Ui, UiBuilder, Vec2};

use super::{Act, data::Ladder, layout::View};
use crate::console::{action::Action, panels::media::playback::Player, widgets};

/// What is chosen of a ladder, and what is played along with it.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    pub view: &'a View,
    pub chosen: Option<u64>,
    pub reveal: bool,
    pub player: Option<&'a Player>,
}

pub fn ladder_ui(ui: &mut Ui, ladder: &Ladder, shown: Shown<'_>, actions: &mut Vec<Action>) {
    let Shown { view, chosen, reveal, player } = shown;
    if ladder.rows.is_empty() {
        let sentence = "Messages of finished calls go first when the memory for them is full";
        widgets::empty_state(ui, "No messages are kept of this call", sentence, None, actions);
        return;
    }
    let corner = ui.max_rect().left_top() + Vec2::new(6.0, 3.0);
    let whole = ui.available_rect_before_wrap();
    widgets::ladder(ui, ladder, chosen, reveal, player, actions);
    let tools = [
        (Action::CopyLadder, "Copy ladder"),
        (Action::Ladder(Act::ToScale(!view.to_scale)), if view.to_scale { "In order" } else { "To scale" }),
        (Action::Ladder(Act::ZoomOut), "Zoom out"),
        (Action::Ladder(Act::ZoomIn), "Zoom in"),
    ];
    for (index, (action, name)) in tools.into_iter().enumerate() {
        let at = corner + Vec2::new((index % 2) as f32 * 23.0, (index / 2) as f32 * 22.0);
        ui.scope_builder(UiBuilder::new().max_rect(Rect::from_min_size(at, Vec2::splat(22.0))), |ui| {
            widgets::icon_button(ui, action, name, actions);
        });
    }
    if ui.rect_contains_pointer(whole) {
        let zoom = ui.input(eframe::egui::InputState::zoom_delta);
        if (zoom - 1.0).abs() > f32::EPSILON {
            actions.push(Action::Ladder(Act::ZoomBy(zoom)));
        }
    }
}
