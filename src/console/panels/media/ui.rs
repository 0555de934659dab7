//! Paints the figures.

use eframe::egui::{RichText, ScrollArea, Ui};

use super::data::{COLUMNS, MediaData};
use crate::console::{
    action::Action,
    theme::{Space, Tokens},
    widgets::{empty_state, small_table},
};

pub fn media_ui(ui: &mut Ui, data: &MediaData, actions: &mut Vec<Action>) {
    if data.rows.is_empty() {
        empty_state(ui, "No sound yet", "Figures appear with the first packets after the answer", None, actions);
        return;
    }
    ScrollArea::vertical().id_salt("media").auto_shrink([false, false]).show(ui, |ui| {
        super::super::padded(ui, |ui| {
            small_table(ui, "media rows", &COLUMNS, &data.rows);
            ui.add_space(Space::S);
            let soft = Tokens::of(ui).text_soft;
            for remark in &data.remarks {
                ui.label(RichText::new(remark).size(12.5).color(soft));
            }
        });
    });
}
