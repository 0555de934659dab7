//! What the rows are painted of: a field with what is said at it, a cell that becomes a field under the pointer, a switch.

use eframe::egui::{
    Align, Align2, CornerRadius, Frame, Id, Label, Layout, Margin, Pos2, Rect, Response, RichText, Role, Sense, Shape, Stroke, StrokeKind,
    TextEdit, Ui, Vec2, WidgetInfo,
};

use super::{
    act::{Act, Kind},
    form::{Field, Told},
};
use crate::console::{
    action::Action,
    theme::{self, Radius, Space, Tokens, Tone},
    widgets::elided,
};

/// A field with its name above it, as wide as `width`.
pub fn field_ui(ui: &mut Ui, field: &Field, width: f32, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.vertical(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = Space::XS;
        let label = label_ui(ui, &field.label, &field.told);
        let mut text = field.value.clone();
        let unit = if field.unit.is_empty() { 0.0 } else { 10.0 + 7.0 * field.unit.len() as f32 };
        let margin = Margin { left: 9, right: 9 + unit as i8, top: 7, bottom: 7 };
        let edit = TextEdit::singleline(&mut text)
            .id(id_of(&field.key))
            .font(theme::mono(12.0))
            .hint_text(RichText::new(&field.hint).font(theme::mono(12.0)).color(tokens.text_faint))
            .margin(margin)
            .desired_width(width);
        let response = ui.add(edit).labelled_by(label.id);
        if unit > 0.0 {
            let right = Rect::from_min_max(response.rect.min, response.rect.max - Vec2::new(9.0, 0.0));
            elided(ui.painter(), right, Align2::RIGHT_CENTER, field.unit, theme::text(12.0), tokens.text_faint);
        }
        outline(ui, &response, &field.told);
        if response.changed() {
            let kind = if field.is_number { Kind::Number } else { Kind::Text };
            actions.push(set(&field.key, kind, text));
        }
        told_ui(ui, &field.told);
    });
}

/// A value's name, whether it is changed, and when it takes force.
pub fn label_ui(ui: &mut Ui, label: &str, told: &Told) -> Response {
    let tokens = Tokens::of(ui);
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = 14.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let room = ui.available_width() - if told.at_restart { 84.0 } else { 0.0 } - if told.changed { 12.0 } else { 0.0 };
            let words = Label::new(RichText::new(label).size(11.5).color(tokens.text_faint)).truncate();
            // What does not fit is cut: a label never widens its field.
            let response = ui.scope(|ui| {
                ui.set_max_width(room);
                ui.add(words)
            });
            let response = response.inner;
            if told.changed {
                let (dot, _) = ui.allocate_exact_size(Vec2::new(6.0, 14.0), Sense::hover());
                ui.painter().circle_filled(dot.center(), 3.0, tokens.accent);
            }
            if told.at_restart {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let text =
                        RichText::new("after a restart").size(11.0).color(if told.changed { tokens.warn } else { tokens.text_faint });
                    ui.label(text).on_hover_text("In force after the next start: a socket or a file moves");
                });
            }
            response
        })
        .inner
    })
    .inner
}

/// What the validator says, below the value.
pub fn told_ui(ui: &mut Ui, told: &Told) {
    let tokens = Tokens::of(ui);
    for (said, colour) in [(&told.fault, tokens.wrong), (&told.warning, tokens.warn)] {
        if let Some(said) = said {
            ui.label(RichText::new(said).size(12.0).color(colour));
        }
    }
}

fn outline(ui: &Ui, response: &Response, told: &Told) {
    let tokens = Tokens::of(ui);
    let colour = match told {
        Told { fault: Some(_), .. } => tokens.wrong,
        Told { warning: Some(_), .. } => tokens.warn,
        _ => return,
    };
    ui.painter().rect_stroke(response.rect, Radius::CONTROL, Stroke::new(1.0, colour), StrokeKind::Inside);
}

/// A cell of a table that is edited in place: plain text, and a field under the pointer and the keyboard.
pub struct CellEdit<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub hint: &'a str,
    pub is_faulty: bool,
    /// It is not saved.
    pub is_changed: bool,
}

impl CellEdit<'_> {
    pub fn show(&self, ui: &mut Ui, text: &mut String, width: f32) -> Response {
        let tokens = Tokens::of(ui);
        let behind = ui.painter().add(Shape::Noop);
        let colour = if self.is_faulty { tokens.wrong } else { tokens.text };
        let edit = TextEdit::singleline(text)
            .id(id_of(self.id))
            .font(theme::mono(12.0))
            .text_color(colour)
            .hint_text(RichText::new(self.hint).font(theme::mono(12.0)).color(tokens.text_faint))
            .align(Align2::LEFT_CENTER)
            .frame(Frame::NONE.inner_margin(Margin::symmetric(8, 6)))
            .desired_width(width - 16.0);
        let response = ui.add_sized(Vec2::new(width, CELL), edit).accessible_name(self.name);
        let focused = response.has_focus();
        if focused || response.hovered() {
            let fill = if focused { tokens.background } else { tokens.raised };
            let line = if focused { tokens.accent } else { tokens.line };
            let shape =
                eframe::egui::epaint::RectShape::new(response.rect, Radius::CONTROL, fill, Stroke::new(1.0, line), StrokeKind::Inside);
            ui.painter().set(behind, shape);
        }
        if self.is_changed {
            let bar = Rect::from_center_size(Pos2::new(response.rect.left() + 1.0, response.rect.center().y), Vec2::new(2.0, 14.0));
            ui.painter().rect_filled(bar, 1.0, tokens.accent);
        }
        response
    }
}

/// The titles of a table's columns, over a line.
pub fn header_ui(ui: &mut Ui, columns: &[(&str, f32)]) {
    let tokens = Tokens::of(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 22.0), Sense::hover());
    let mut x = rect.left();
    for (title, width) in columns {
        let cell = Rect::from_min_size(Pos2::new(x + 8.0, rect.top()), Vec2::new(width - 8.0, rect.height()));
        elided(ui.painter(), cell, Align2::LEFT_CENTER, title, theme::text(11.5), tokens.text_faint);
        x += width;
    }
    line_under(ui, rect);
}

pub fn line_under(ui: &Ui, rect: Rect) {
    let tokens = Tokens::of(ui);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.wash(tokens.line, 0.8)));
}

/// On or off, with its words at the right.
pub fn switch_ui(ui: &mut Ui, on: bool, label: &str, note: &str, told: &Told) -> bool {
    let tokens = Tokens::of(ui);
    let height = if note.is_empty() { 22.0 } else { 36.0 };
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, on, label));
    let bar = Rect::from_min_size(Pos2::new(rect.left() + 1.0, rect.top() + 2.0), Vec2::new(32.0, 18.0));
    let fill = if on { tokens.accent } else { tokens.control };
    let line = if response.has_focus() || response.hovered() { tokens.text_soft } else { tokens.line };
    ui.painter().rect(bar, CornerRadius::same(9), fill, Stroke::new(1.0, line), StrokeKind::Inside);
    let centre = Pos2::new(if on { bar.right() - 9.0 } else { bar.left() + 9.0 }, bar.center().y);
    ui.painter().circle_filled(centre, 5.5, if on { tokens.on_fill } else { tokens.text_soft });
    let left = bar.right() + 10.0;
    let first = Rect::from_min_max(Pos2::new(left, bar.top()), Pos2::new(rect.right(), bar.bottom()));
    let text = if told.changed { format!("{label}  ●") } else { label.to_owned() };
    elided(ui.painter(), first, Align2::LEFT_CENTER, &text, theme::text(12.5), tokens.text);
    if told.at_restart {
        let colour = if told.changed { tokens.warn } else { tokens.text_faint };
        elided(ui.painter(), first, Align2::RIGHT_CENTER, "after a restart", theme::text(11.0), colour);
    }
    if !note.is_empty() {
        let second = Rect::from_min_max(Pos2::new(left, bar.bottom()), rect.max);
        elided(ui.painter(), second, Align2::LEFT_CENTER, note, theme::text(11.5), tokens.text_faint);
    }
    response.clicked()
}

/// A sentence; what is wrong has its colour.
pub fn sentence_ui(ui: &mut Ui, tone: Tone, text: &str) {
    let colour = Tokens::of(ui).tone(tone);
    ui.label(RichText::new(text).size(12.0).color(colour));
}

/// The same wherever the value is painted: rows come and go above a field in which somebody types.
pub fn id_of(key: &str) -> Id {
    Id::unique(("setting", key))
}

pub fn set(key: &str, kind: Kind, text: String) -> Action {
    Action::Settings(Act::Set { key: key.to_owned(), kind, text })
}

/// A row that is edited in place.
pub const CELL: f32 = 30.0;
/// Room for a button at the end of a row.
pub const BUTTON: f32 = 26.0;
