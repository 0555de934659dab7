//! The live table of calls.

pub mod data;
mod ui;

pub use ui::calls_ui;
