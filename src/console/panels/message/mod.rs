//! The chosen message.

pub mod data;
mod ui;

pub use ui::message_ui;
