//! What one can do with the list of messages, and what is chosen of it.

use crate::{
    console::{action::Face, theme::Icon},
    model::CallId,
};

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub filter: String,
    /// The field shall have the keyboard.
    pub focus: bool,
    /// The chosen message's number.
    pub chosen: Option<u64>,
    /// The newest is in sight as it comes; else the list stays still.
    pub follow: bool,
    /// The list shall move so that the chosen row is seen.
    pub reveal: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { filter: String::new(), focus: false, chosen: None, follow: true, reveal: false }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Choose(u64),
    Follow(bool),
    /// List what came while the list was being read.
    ShowNew,
    /// Put these words into the filter.
    Narrow(String),
    /// To this place, with these words as the filter.
    ShowAll(String),
    /// To the message in its call's ladder.
    ShowCall(CallId, u64),
}

impl Act {
    pub fn face(&self) -> Face {
        match self {
            Self::Choose(_) => Face::new("Select message", "Show this message"),
            Self::Follow(true) => Face::new("Follow", "Keep the newest message in sight").icon(Icon::Follow),
            Self::Follow(false) => Face::new("Hold", "Keep the list still").icon(Icon::Pause),
            Self::ShowNew => Face::new("Show new messages", "List what came while you were reading").icon(Icon::Down),
            Self::Narrow(text) if text.is_empty() => Face::new("Clear filter", "List every message").icon(Icon::Close),
            Self::Narrow(_) => Face::new("Filter", "List what matches"),
            Self::ShowAll(_) => Face::new("List messages", "All messages that hold these words"),
            Self::ShowCall(..) => Face::new("Show in ladder", "To this message in the ladder of its call").icon(Icon::OpenCall),
        }
    }

    /// What it changes of the list itself; a way to another place is the window's.
    pub fn apply(&self, state: &mut State) {
        match self {
            Self::Choose(number) => {
                state.chosen = Some(*number);
                state.follow = false;
            }
            Self::Follow(follow) => state.follow = *follow,
            Self::ShowNew => state.follow = true,
            Self::Narrow(filter) | Self::ShowAll(filter) => state.filter.clone_from(filter),
            Self::ShowCall(..) => {}
        }
    }
}
