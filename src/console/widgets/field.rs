//! Form fields with their name above them, and a row of choices of which one holds.

use eframe::egui::{FontId, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind, TextEdit, Ui, Vec2, WidgetInfo};

use super::fit;
use crate::console::theme::{self, Radius, Space, Tokens};

/// What a field is called and looks like.
#[derive(Default)]
pub struct FieldLook<'a> {
    /// The header it becomes, beside the name.
    pub header: &'a str,
    pub hint: &'a str,
    pub password: bool,
}

/// A text field as wide as `width`, with its name above it.
pub fn labelled_field(ui: &mut Ui, name: &str, look: FieldLook<'_>, text: &mut String, width: f32) -> Response {
    let tokens = Tokens::of(ui);
    ui.vertical(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = Space::XS;
        ui.spacing_mut().interact_size.y = 14.0;
        let label = ui
            .horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 5.0;
                let label = ui.label(RichText::new(name).size(11.5).color(tokens.text_faint));
                if !look.header.is_empty() {
                    ui.label(RichText::new(look.header).font(theme::mono(11.5)).color(tokens.text_soft));
                }
                label
            })
            .inner;
        let edit = TextEdit::singleline(text)
            .font(theme::mono(12.0))
            .password(look.password)
            .hint_text(RichText::new(look.hint).font(theme::mono(12.0)).color(tokens.text_faint))
            .margin(eframe::egui::Margin::symmetric(9, 7))
            .desired_width(width);
        ui.spacing_mut().interact_size.y = 28.0;
        ui.add(edit).labelled_by(label.id)
    })
    .inner
}

/// A row of choices of which one holds. Returns the one that was pressed.
pub fn segmented<T: Copy + PartialEq>(ui: &mut Ui, name: &str, chosen: T, choices: &[(T, &str)]) -> Option<T> {
    let tokens = Tokens::of(ui);
    let font = |chosen| FontId::new(12.0, if chosen { theme::family(theme::SEMIBOLD) } else { eframe::egui::FontFamily::Proportional });
    let widths: Vec<f32> =
        choices.iter().map(|(_, label)| fit(ui.painter(), label, font(true), tokens.text, 240.0).size().x + 24.0).collect();
    let (bar, group) = ui.allocate_exact_size(Vec2::new(widths.iter().sum(), 28.0), Sense::hover());
    group.widget_info(|| WidgetInfo::labeled(Role::RadioGroup, true, name));
    ui.painter().rect(bar, Radius::CONTROL, tokens.background, Stroke::new(1.0, tokens.line), StrokeKind::Inside);
    let mut pressed = None;
    let mut x = bar.left();
    for ((value, label), width) in choices.iter().zip(widths) {
        let rect = Rect::from_min_size(eframe::egui::Pos2::new(x, bar.top()), Vec2::new(width, bar.height()));
        x += width;
        let is_chosen = *value == chosen;
        let response = ui.interact(rect, group.id.with(label), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_chosen, label));
        let inner = rect.shrink(1.0);
        if is_chosen {
            ui.painter().rect_filled(inner, Radius::CONTROL, tokens.control);
        } else if response.hovered() {
            ui.painter().rect_filled(inner, Radius::CONTROL, tokens.raised);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(inner, Radius::CONTROL, Stroke::new(1.0, tokens.accent), StrokeKind::Inside);
        }
        let colour = if is_chosen { tokens.text } else { tokens.text_soft };
        let centre = eframe::egui::Align2::CENTER_CENTER;
        super::elided(ui.painter(), rect.shrink2(Vec2::new(4.0, 0.0)), centre, label, font(is_chosen), colour);
        if response.clicked() {
            pressed = Some(*value);
        }
    }
    pressed
}
