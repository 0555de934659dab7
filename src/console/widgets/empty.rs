//! What a panel says when there is nothing in it: what would be here, and what to do next.

use eframe::egui::{Align, Layout, RichText, Ui};

use super::{Look, action_button};
use crate::console::{
    action::Action,
    theme::{self, Space, Tokens},
};

/// A heading, one sentence, and where it helps the button that fills the place.
pub fn empty_state(ui: &mut Ui, title: &str, sentence: &str, next: Option<Action>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let height = if next.is_some() { 96.0 } else { 52.0 };
    ui.add_space(((ui.available_height() - height) * 0.4).max(Space::M));
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.label(RichText::new(title).family(theme::family(theme::SEMIBOLD)).size(14.0).color(tokens.text_soft));
        ui.label(RichText::new(sentence).size(12.5).color(tokens.text_faint));
        if let Some(action) = next {
            ui.add_space(Space::XS);
            action_button(ui, action, Look::Primary, None, actions);
        }
    });
}
