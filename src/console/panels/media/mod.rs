//! Sound in figures.

pub mod data;
mod sound;
mod ui;

pub use sound::voices;
pub use ui::media_ui;
