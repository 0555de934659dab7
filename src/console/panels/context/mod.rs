//! What the customer passed in.

pub mod data;
mod ui;

pub use ui::{context_ui, sections_ui};
