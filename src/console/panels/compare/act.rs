//! What one can do to compare messages, and what is chosen for it.

use std::sync::Arc;

use crate::console::{action::Face, theme::Icon, wire_text::MessageView};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The message that others are compared with.
    pub pinned: Option<Pinned>,
    /// Headers that are the same are listed too.
    pub all: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Pinned {
    pub view: Arc<MessageView>,
    /// `Customer → Bridge`
    pub route: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Keep the shown message for comparing.
    Pin,
    Unpin,
    /// Compare the shown message with this one of its call.
    With(u64),
    /// List what is the same, or leave it out.
    ShowAll(bool),
}

impl Act {
    pub fn face(&self) -> Face {
        match self {
            Self::Pin => Face::new("Pin this message", "Then choose another, here or in Messages").icon(Icon::Pin),
            Self::Unpin => Face::new("Unpin", "Compare with another message").icon(Icon::Close),
            Self::With(_) => Face::new("Compare", "Show what differs"),
            Self::ShowAll(true) => Face::new("Show all", "What is the same too"),
            Self::ShowAll(false) => Face::new("Only differences", "Leave out what is the same"),
        }
    }
}
