//! What is wrong or risky in the chosen call.

pub mod data;
mod ui;

pub use ui::{cards_ui, findings_ui};
