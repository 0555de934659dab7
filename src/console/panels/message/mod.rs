//! The chosen message.

pub mod data;
mod raw;
mod ui;
mod wire;

pub use ui::message_ui;
