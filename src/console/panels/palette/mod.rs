//! The search over everything: calls, what stands in messages, places and actions, by a few letters.

pub mod data;
mod ui;

pub use ui::palette_ui;

/// What is typed, and which entry Enter takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    pub typed: String,
    pub chosen: usize,
}
