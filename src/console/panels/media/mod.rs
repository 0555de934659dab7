//! Sound in figures.

pub mod data;
pub mod playback;
mod sound;
mod ui;

pub use sound::voices;
pub use ui::media_ui;
