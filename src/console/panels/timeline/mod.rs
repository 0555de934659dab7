//! What happened, in words.

pub mod data;
mod ui;

pub use ui::timeline_ui;
