//! Paints a device's row: its chooser, what holds now, and how loud it is.

use eframe::egui::Ui;

use super::{
    form::DeviceRow,
    paint::{label_ui, sentence_ui, told_ui},
};
use crate::console::{
    action::Action,
    theme::{Space, Tokens},
    widgets::{level_meter, menu, menu_item},
};

pub fn device_ui(ui: &mut Ui, row: &DeviceRow, actions: &mut Vec<Action>) {
    // Two menus may show the same words.
    ui.push_id(&row.key, |ui| row_ui(ui, row, actions));
}

fn row_ui(ui: &mut Ui, row: &DeviceRow, actions: &mut Vec<Action>) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = Space::XS + 1.0;
        label_ui(ui, &row.label, &row.told);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = Space::M;
            menu(ui, &row.chosen, |ui| {
                for (act, name) in &row.choices {
                    menu_item(ui, Action::Settings(act.clone()), Some(name), actions);
                }
            });
            if let Some((name, level, peak, leg)) = &row.meter {
                let width = ui.available_width().min(METER);
                level_meter(ui, name, *level, *peak, width, Tokens::of(ui).leg(*leg));
            }
        });
        if !row.note.0.is_empty() {
            sentence_ui(ui, row.note.1, &row.note.0);
        }
        told_ui(ui, &row.told);
    });
}

const METER: f32 = 180.0;
