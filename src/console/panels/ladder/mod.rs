//! The ladder of the chosen call.

pub mod data;
mod ui;

pub use ui::ladder_ui;
