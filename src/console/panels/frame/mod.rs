//! What stands around every place: rail, top bar, status line, notice.

pub mod data;
mod ui;

pub use ui::{notice_ui, rail_ui, status_ui, top_ui};
