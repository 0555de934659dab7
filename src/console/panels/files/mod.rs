//! Files: the band of what is open, the dialog of *Open*, the export menu and the form of a case.

pub mod data;
mod ui;

pub use ui::{band_ui, case_ui, dialog_ui, drop_ui, export_menu, saved_ui};
