//! A word on a wash of its colour; and the bordered chips of the top bar.

use eframe::egui::{Align2, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use super::fit;
use crate::console::theme::{self, Radius, Tokens, Tone};

/// A pill in the flow of `ui`.
pub fn pill(ui: &mut Ui, text: &str, tone: Tone) -> Response {
    let width = ui.available_width();
    let galley = fit(ui.painter(), text, theme::text(11.5), Tokens::of(ui).tone(tone), width - 16.0);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(galley.size().x + 16.0, 18.0), Sense::hover());
    paint(ui, rect, text, tone);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// A pill whose left middle is at `at`, no wider than `width`.
pub fn pill_at(ui: &Ui, at: Pos2, width: f32, text: &str, tone: Tone) {
    let galley = fit(ui.painter(), text, theme::text(11.5), Tokens::of(ui).tone(tone), width - 16.0);
    let size = Vec2::new(galley.size().x + 16.0, 18.0);
    paint(ui, Rect::from_min_size(at - Vec2::new(0.0, size.y / 2.0), size), text, tone);
}

fn paint(ui: &Ui, rect: Rect, text: &str, tone: Tone) {
    let tokens = Tokens::of(ui);
    let colour = tokens.tone(tone);
    let fill = match tone {
        Tone::Plain | Tone::Soft | Tone::Faint => tokens.control_hover,
        _ => tokens.wash(colour, 0.2),
    };
    ui.painter().rect_filled(rect, Radius::PILL, fill);
    let inner = rect.shrink2(Vec2::new(8.0, 0.0));
    super::elided(ui.painter(), inner.expand2(Vec2::new(1.0, 0.0)), Align2::CENTER_CENTER, text, theme::text(11.5), colour);
}

/// A bordered fact of the top bar, with a dot that tells its health; left out where there is no room for it.
pub fn chip(ui: &mut Ui, dot: Option<Tone>, text: &str, hover: &str) {
    let tokens = Tokens::of(ui);
    let galley = fit(ui.painter(), text, theme::text(12.0), tokens.text_soft, 320.0);
    let lead = lead(dot.is_some());
    let size = Vec2::new(chip_width(ui, dot.is_some(), text), 26.0);
    if size.x > ui.available_width() {
        return;
    }
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().rect(rect, Radius::CONTROL, tokens.raised, Stroke::new(1.0, tokens.line), StrokeKind::Inside);
    if let Some(tone) = dot {
        ui.painter().circle_filled(Pos2::new(rect.left() + 13.0, rect.center().y), 3.5, tokens.tone(tone));
    }
    let at = Pos2::new(rect.left() + lead, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, tokens.text_soft);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    if !hover.is_empty() {
        response.on_hover_text(hover);
    }
}

/// How wide a chip with this text is.
pub fn chip_width(ui: &Ui, dot: bool, text: &str) -> f32 {
    let galley = fit(ui.painter(), text, theme::text(12.0), Tokens::of(ui).text_soft, 320.0);
    lead(dot) + galley.size().x + 10.0
}

/// Before a chip's text.
fn lead(dot: bool) -> f32 {
    if dot { 24.0 } else { 10.0 }
}
