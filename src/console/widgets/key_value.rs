//! Names and values in two columns; a click copies the value.

use std::ops::Range;

use eframe::egui::{Align2, Pos2, Rect, Role, Sense, Stroke, Ui, Vec2, WidgetInfo};

use super::{Marks, elided, fit};
use crate::console::{
    action::Action,
    theme::{self, Icon, Space, Tokens, Tone},
};

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyValue {
    pub key: String,
    pub value: String,
    pub tone: Tone,
    /// The value is what is on the wire.
    pub wire: bool,
    /// Where it stands in the message's text.
    pub span: Option<Range<usize>>,
}

impl KeyValue {
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), tone: Tone::Plain, wire: false, span: None }
    }

    pub fn wire(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { wire: true, ..Self::new(key, value) }
    }

    pub fn at(self, span: Option<Range<usize>>) -> Self {
        Self { span, ..self }
    }

    pub fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// Rows of 26, the names `key_width` wide.
pub fn key_values(ui: &mut Ui, rows: &[KeyValue], key_width: f32, actions: &mut Vec<Action>) {
    key_values_marked(ui, rows, key_width, &mut Marks::default(), actions);
}

/// The same; hovering a row marks where it stands, and the other way round.
pub fn key_values_marked(ui: &mut Ui, rows: &[KeyValue], key_width: f32, marks: &mut Marks, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    for (index, row) in rows.iter().enumerate() {
        let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), Space::ROW), Sense::hover());
        if !ui.is_rect_visible(rect) {
            continue;
        }
        let response = ui.interact(rect, ui.scope_id().with(("value", index, &row.key)), Sense::CLICK);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{} {}", row.key, row.value)));
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.wash(tokens.line, 0.7)));
        let hovered = response.hovered();
        if let Some(span) = row.span.as_ref().filter(|_| hovered) {
            marks.over_row(span);
        }
        if row.span.as_ref().is_some_and(|span| marks.is_marked(span)) {
            ui.painter().rect_filled(rect, 0.0, tokens.selected);
        } else if hovered {
            ui.painter().rect_filled(rect, 0.0, tokens.raised);
        }
        if hovered {
            Icon::Copy.paint(ui.painter(), Pos2::new(rect.right() - 12.0, rect.center().y), 12.0, tokens.text_soft);
        }
        let left = Rect::from_min_max(rect.min, Pos2::new(rect.left() + key_width - 8.0, rect.bottom()));
        elided(ui.painter(), left, Align2::LEFT_CENTER, &row.key, theme::text(12.0), tokens.text_faint);
        let right = Rect::from_min_max(Pos2::new(rect.left() + key_width, rect.top()), Pos2::new(rect.right() - 26.0, rect.bottom()));
        let font = if row.wire { theme::mono(12.0) } else { theme::text(12.5) };
        let galley = fit(ui.painter(), &row.value, font, tokens.tone(row.tone), right.width());
        let cut = galley.elided;
        ui.painter().galley(Pos2::new(right.left(), right.center().y - galley.size().y / 2.0), galley, tokens.text);
        let response = if cut { response.on_hover_text(&row.value) } else { response };
        if response.clicked() {
            actions.push(Action::Copy(row.value.clone()));
        }
    }
}
