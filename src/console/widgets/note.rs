//! A finding or a piece of advice: a bar of its colour at the left, a title, sentences.

use eframe::egui::{CornerRadius, Frame, Margin, Pos2, Rect, RichText, Ui};

use crate::console::theme::{self, Tokens, Tone};

pub fn note(ui: &mut Ui, tone: Tone, title: &str, sentences: &[&str]) {
    let tokens = Tokens::of(ui);
    let colour = tokens.tone(tone);
    let shown =
        Frame::new().fill(tokens.wash(colour, 0.09)).inner_margin(Margin { left: 14, right: 12, top: 8, bottom: 9 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.label(RichText::new(title).family(theme::family(theme::SEMIBOLD)).size(12.5).color(tokens.text));
            for sentence in sentences {
                ui.label(RichText::new(*sentence).size(12.5).color(tokens.text_soft));
            }
        });
    let rect = shown.response.rect;
    let bar = Rect::from_min_max(rect.min, Pos2::new(rect.left() + 3.0, rect.bottom()));
    ui.painter().rect_filled(bar, CornerRadius::ZERO, colour);
}
