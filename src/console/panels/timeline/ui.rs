//! Paints the timeline.

use eframe::egui::Ui;

use super::data::COLUMNS;
use crate::console::{
    action::Action,
    widgets::{Table, TableRow, empty_state},
};

pub fn timeline_ui(ui: &mut Ui, rows: &[TableRow], actions: &mut Vec<Action>) {
    if rows.is_empty() {
        empty_state(ui, "Nothing happened yet", "Each step of the call is noted here with its time", None, actions);
        return;
    }
    let table = Table { id: "timeline", columns: &COLUMNS, reveal: None, active: false };
    table.show(ui, rows.len(), |index| {
        rows.get(index).cloned().unwrap_or_else(|| TableRow { cells: Vec::new(), name: String::new(), chosen: false })
    });
}
