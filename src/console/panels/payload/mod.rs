//! What goes back, within its 1,024 characters.

pub mod data;
mod ui;

pub use ui::{payload_body_ui, payload_ui};
