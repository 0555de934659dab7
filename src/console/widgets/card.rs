//! A card, its heading, and the small captions above values.

use eframe::egui::{Frame, InnerResponse, Margin, Rect, RichText, Stroke, Ui, UiBuilder, Vec2};

use crate::console::theme::{self, Radius, Tokens};

/// A bordered area on the background.
pub fn card<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let tokens = Tokens::of(ui);
    Frame::new()
        .fill(tokens.panel)
        .stroke(Stroke::new(LINE, tokens.line))
        .corner_radius(Radius::CARD)
        .inner_margin(Margin::same(MARGIN as i8))
        .show(ui, contents)
}

/// A card that fills `rect`, whatever is in it.
pub fn card_in(ui: &mut Ui, rect: Rect, contents: impl FnOnce(&mut Ui)) {
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        card(ui, |ui| {
            let inner = rect.size() - Vec2::splat(2.0 * (MARGIN + LINE));
            ui.set_min_size(inner);
            ui.set_max_size(inner);
            contents(ui);
        });
    });
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

/// Around what is in a card, and its line.
const MARGIN: f32 = 14.0;
const LINE: f32 = 1.0;
