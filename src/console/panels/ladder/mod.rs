//! The ladder of the chosen call.

mod act;
mod captured;
pub mod cursor;
pub mod data;
pub mod layout;
mod sound;
mod ui;

pub use act::Act;
pub use ui::{Shown, ladder_ui};
