//! What one can do with the table of calls, and what is chosen of it.

use std::collections::BTreeSet;

use super::columns::Kind;
use crate::{
    console::{action::Face, theme::Icon},
    model::CallId,
};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Calls that are selected together, besides the chosen one.
    pub selected: BTreeSet<CallId>,
    /// The name of a column that is being typed.
    pub new_column: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// By the column of this number: up, down, the newest first.
    Sort(usize),
    Resize(usize, f32),
    /// Show this column, or take it away.
    Toggle(Kind),
    /// The columns that are there without being asked for.
    UsualColumns,
    /// Select this call besides others, or not any more.
    Select(CallId),
    /// Select all from the chosen call to this one.
    SelectTo(CallId),
    SelectNone,
}

impl Act {
    pub fn face(&self) -> Face {
        match self {
            Self::Sort(_) => Face::new("Sort", "By this column: up, down, the newest first"),
            Self::Resize(..) => Face::new("Column width", "Draw the edge of its title"),
            Self::Toggle(_) => Face::new("Column", "Show it, or take it away"),
            Self::UsualColumns => Face::new("Usual columns", "Those that are there at first"),
            Self::Select(_) => Face::new("Select", "Besides others; or Ctrl and a click"),
            Self::SelectTo(_) => Face::new("Select up to here", "Or Shift and a click"),
            Self::SelectNone => Face::new("Select none", "Keep only the chosen call").icon(Icon::Close),
        }
    }
}

impl State {
    /// `listed` is what is on screen, from the top; `chosen` the call that is shown below.
    pub fn apply(&mut self, act: &Act, listed: &[CallId], chosen: Option<CallId>) {
        match act {
            Act::Select(id) => {
                // The chosen call is the first of those that are selected.
                if self.selected.is_empty() {
                    self.selected.extend(chosen.filter(|chosen| chosen != id));
                }
                if !self.selected.remove(id) {
                    self.selected.insert(*id);
                }
            }
            Act::SelectTo(id) => {
                let place = |id: CallId| listed.iter().position(|listed| *listed == id);
                let (Some(to), from) = (place(*id), chosen.and_then(place)) else { return };
                let from = from.unwrap_or(to);
                self.selected.extend(listed.iter().take(from.max(to) + 1).skip(from.min(to)));
            }
            Act::SelectNone => self.selected.clear(),
            Act::Sort(_) | Act::Resize(..) | Act::Toggle(_) | Act::UsualColumns => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_selected_one_by_one_or_from_the_chosen_one_on() {
        let listed = [5, 4, 3, 2, 1].map(CallId);
        let mut state = State::default();
        state.apply(&Act::Select(CallId(2)), &listed, Some(CallId(4)));
        assert_eq!(state.selected, [CallId(2), CallId(4)].into());
        state.apply(&Act::Select(CallId(2)), &listed, Some(CallId(4)));
        assert_eq!(state.selected, [CallId(4)].into());
        state.apply(&Act::SelectTo(CallId(1)), &listed, Some(CallId(3)));
        assert_eq!(state.selected, [4, 3, 2, 1].map(CallId).into());
        state.apply(&Act::SelectTo(CallId(9)), &listed, None);
        state.apply(&Act::SelectNone, &listed, None);
        assert!(state.selected.is_empty());
    }
}
