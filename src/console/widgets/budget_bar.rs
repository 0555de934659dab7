//! The 1,024 characters of a payload as a bar, a segment a variable.

use eframe::egui::{CornerRadius, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use crate::console::theme::{Tokens, Tone};

/// One stretch of the bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub name: String,
    pub cost: usize,
    pub tone: Tone,
    /// Every second segment of a kind is painted a shade darker, so that neighbours differ.
    pub shaded: bool,
}

/// Paints `segments` against `limit`; hovering one names it.
pub fn budget_bar(ui: &mut Ui, name: &str, segments: &[Segment], limit: usize) {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 14.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, name));
    ui.painter().rect(rect, CornerRadius::same(3), tokens.background, Stroke::new(1.0, tokens.line), StrokeKind::Inside);
    let pointer = response.hover_pos();
    let mut hovered = None;
    let mut x = rect.left();
    for segment in segments {
        let width = rect.width() * segment.cost as f32 / limit.max(1) as f32;
        let piece = Rect::from_min_size(Pos2::new(x, rect.top()), Vec2::new(width, rect.height())).intersect(rect);
        x += width;
        let colour = tokens.tone(segment.tone);
        let fill = match segment.tone {
            Tone::Faint => tokens.wash(colour, 0.55),
            _ if segment.shaded => tokens.wash(colour, 0.72),
            _ => tokens.wash(colour, 0.92),
        };
        ui.painter().rect_filled(piece, CornerRadius::ZERO, fill);
        ui.painter().vline(piece.right(), piece.y_range(), Stroke::new(1.0, tokens.panel));
        if pointer.is_some_and(|p| piece.contains(p)) {
            hovered = Some(format!("{} · {} characters", segment.name, segment.cost));
        }
    }
    if let Some(text) = hovered {
        response.on_hover_text_at_pointer(text);
    }
}
