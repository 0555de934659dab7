//! A button that opens a list of actions.

use eframe::egui::{
    Align, Button, Role, Ui, Vec2, WidgetInfo,
    containers::menu::MenuButton,
    text::{LayoutJob, TextFormat},
};

use crate::console::{
    action::Action,
    theme::{self, Icon, Radius, Tokens},
};

/// A button with `label` and an arrow down; `items` are painted below it when it is pressed.
pub fn menu(ui: &mut Ui, label: &str, items: impl FnOnce(&mut Ui)) {
    let tokens = Tokens::of(ui);
    let mut job = LayoutJob::default();
    let format = |font| TextFormat { valign: Align::Center, ..TextFormat::simple(font, tokens.text) };
    job.append(label, 0.0, format(theme::text(12.5)));
    job.append(&Icon::Down.glyph().to_string(), 5.0, format(theme::icon(12.0)));
    let button = Button::new(job).min_size(Vec2::new(0.0, 28.0)).corner_radius(Radius::CONTROL);
    let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
        ui.set_min_width(180.0);
        items(ui);
    });
    // The arrow is no part of the name.
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
}

/// One line of a menu. `label`: instead of the action's own.
pub fn menu_item(ui: &mut Ui, action: Action, label: Option<&str>, actions: &mut Vec<Action>) {
    let face = action.face();
    if ui.button(label.unwrap_or(face.label)).on_hover_text(face.tooltip).clicked() {
        actions.push(action);
        ui.close();
    }
}
