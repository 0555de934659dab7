//! Sound in figures.

pub mod data;
mod ui;

pub use ui::media_ui;
