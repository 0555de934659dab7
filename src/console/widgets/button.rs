//! A button is an action: its label, tooltip and shortcut come from there.

use eframe::egui::{Align2, Button, Response, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, text::LayoutJob, text::TextFormat};

use crate::console::{
    action::Action,
    theme::{self, Radius, Tokens},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Plain,
    /// The one thing to do here.
    Primary,
    /// It ends something.
    Danger,
    /// It ends something, and it is the one thing to do here.
    FilledDanger,
}

/// Pushes `action` when pressed. A disabled button says why.
pub fn action_button(ui: &mut Ui, action: Action, look: Look, disabled: Option<&str>, actions: &mut Vec<Action>) -> Response {
    let tokens = Tokens::of(ui);
    let face = action.face();
    let (fill, text, font) = match look {
        Look::Plain => (tokens.control, tokens.text, theme::text(12.5)),
        Look::Danger => (tokens.control, tokens.wrong, theme::text(12.5)),
        Look::Primary => (tokens.accent, tokens.on_fill, semibold()),
        Look::FilledDanger => (tokens.wrong, tokens.on_fill, semibold()),
    };
    let mut job = LayoutJob::default();
    if let Some(icon) = face.icon {
        let format = TextFormat { valign: eframe::egui::Align::Center, ..TextFormat::simple(theme::icon(13.0), text) };
        job.append(&icon.glyph().to_string(), 0.0, format);
    }
    let format = TextFormat { valign: eframe::egui::Align::Center, ..TextFormat::simple(font, text) };
    job.append(face.label, if face.icon.is_some() { 7.0 } else { 0.0 }, format);
    let mut button = Button::new(job).min_size(Vec2::new(0.0, 28.0)).corner_radius(Radius::CONTROL);
    if matches!(look, Look::Primary | Look::FilledDanger) {
        button = button.fill(fill).stroke(Stroke::NONE);
    }
    let response = ui.add_enabled(disabled.is_none(), button);
    // The icon is no part of the name.
    let enabled = disabled.is_none();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, face.label));
    if matches!(look, Look::Primary | Look::FilledDanger) && response.has_focus() {
        ui.painter().rect_stroke(response.rect.expand(2.0), Radius::CARD, Stroke::new(1.5, tokens.text), eframe::egui::StrokeKind::Outside);
    }
    let shortcut = face.shortcut.map(|s| format!(" ({})", ui.ctx().format_shortcut(&s))).unwrap_or_default();
    let response = match disabled {
        Some(why) => response.on_disabled_hover_text(why),
        None => response.on_hover_text(format!("{}{shortcut}", face.tooltip)),
    };
    if response.clicked() {
        actions.push(action);
    }
    response
}

/// A small square button with only its icon; the name is still told to screen readers.
pub fn icon_button(ui: &mut Ui, action: Action, name: &str, actions: &mut Vec<Action>) -> Response {
    let tokens = Tokens::of(ui);
    let face = action.face();
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(22.0), Sense::click());
    let lit = response.hovered() || response.has_focus();
    if lit {
        ui.painter().rect_filled(rect, Radius::CONTROL, tokens.control_hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, Radius::CONTROL, Stroke::new(1.0, tokens.accent), eframe::egui::StrokeKind::Inside);
    }
    let colour = if lit { tokens.text } else { tokens.text_faint };
    if let Some(icon) = face.icon {
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, icon.glyph(), theme::icon(13.0), colour);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let response = response.on_hover_text(face.tooltip);
    if response.clicked() {
        actions.push(action);
    }
    response
}

fn semibold() -> eframe::egui::FontId {
    eframe::egui::FontId::new(12.5, theme::family(theme::SEMIBOLD))
}
