//! Two messages side by side: what differs, by header and not by line.

mod act;
pub mod data;
mod diff;
mod ui;
mod words;

pub use act::{Act, Pinned, State};
pub use ui::{CompareView, compare_ui};
