//! Paints the context.

use eframe::egui::{ScrollArea, Ui};

use super::data::ContextData;
use crate::console::{
    action::Action,
    theme::Space,
    widgets::{KeyValue, caption, key_values},
};

pub fn context_ui(ui: &mut Ui, data: &ContextData, actions: &mut Vec<Action>) {
    ScrollArea::vertical().id_salt("context").auto_shrink([false, false]).show(ui, |ui| {
        super::super::padded(ui, |ui| sections_ui(ui, data, actions));
    });
}

/// The same within another panel.
pub fn sections_ui(ui: &mut Ui, data: &ContextData, actions: &mut Vec<Action>) {
    section(ui, "Context", &data.context, "The INVITE brought no context headers", actions);
    section(ui, "Input variables (X-GA-iv-*)", &data.variables, "None were passed in", actions);
    section(ui, "Call", &data.call, "", actions);
}

fn section(ui: &mut Ui, title: &str, rows: &[KeyValue], empty: &str, actions: &mut Vec<Action>) {
    ui.push_id(title, |ui| {
        caption(ui, title);
        if rows.is_empty() {
            ui.label(empty);
        }
        ui.scope(|ui| key_values(ui, rows, 190.0, actions));
        ui.add_space(Space::M);
    });
}
