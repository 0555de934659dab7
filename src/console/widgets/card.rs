//! A card, its heading, and the small captions above values.

use eframe::egui::{Frame, InnerResponse, Margin, RichText, Stroke, Ui};

use crate::console::theme::{self, Radius, Tokens};

/// A bordered area on the background.
pub fn card<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let tokens = Tokens::of(ui);
    Frame::new()
        .fill(tokens.panel)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(Radius::CARD)
        .inner_margin(Margin::symmetric(14, 14))
        .show(ui, contents)
}

/// A heading within a card.
pub fn heading(ui: &mut Ui, text: &str) {
    let colour = Tokens::of(ui).text;
    ui.label(RichText::new(text).family(theme::family(theme::SEMIBOLD)).size(13.5).color(colour));
}

/// A quiet word above a value.
pub fn caption(ui: &mut Ui, text: &str) -> eframe::egui::Response {
    let colour = Tokens::of(ui).text_faint;
    ui.label(RichText::new(text).size(11.5).color(colour))
}

/// The frame of what opens over everything else.
pub fn dialog(ui: &Ui) -> Frame {
    Frame::popup(ui.style()).fill(Tokens::of(ui).raised).corner_radius(Radius::CARD).inner_margin(Margin::same(18))
}
