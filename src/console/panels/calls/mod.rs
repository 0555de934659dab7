//! The live table of calls.

pub mod data;
mod ui;

pub use ui::{Older, calls_ui};
