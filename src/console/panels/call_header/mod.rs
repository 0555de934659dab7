//! The head of the chosen call: what it is, how it stands, what can be done.

pub mod data;
mod ui;

pub use ui::call_header_ui;
