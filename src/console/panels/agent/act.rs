//! What can be done in the place.

use crate::{
    console::{action::Face, theme::Icon},
    model::{CallId, Outcome},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Show this call, and do nothing to it.
    Show(CallId),
    Answer(CallId),
    Decline(CallId),
    Hold(CallId),
    Resume(CallId),
    /// Nothing is heard of the operator, or again.
    Mute(bool),
    /// Hand the call back with what is set.
    End(CallId, Outcome),
    Done(CallId),
}

impl Act {
    pub fn face(&self) -> Face {
        match self {
            Self::Show(_) => Face::new("Show", "Show this call here"),
            Self::Answer(_) => Face::new("Answer", "Take this call; another that you talk in goes on hold").icon(Icon::Call),
            Self::Decline(_) => Face::new("Decline", "It goes back as AGENT at once").icon(Icon::Close),
            Self::Hold(_) => Face::new("Hold", "The customer hears a soft tone, and neither hears the other").icon(Icon::Pause),
            Self::Resume(_) => Face::new("Resume", "Back to the customer; another that you talk in goes on hold").icon(Icon::TestCall),
            Self::Mute(true) => Face::new("Mute", "The customer hears nothing of you").icon(Icon::MicrophoneOff),
            Self::Mute(false) => Face::new("Unmute", "The customer hears you again").icon(Icon::Microphone),
            Self::End(_, Outcome::System) => Face::new("End as SYSTEM", "Hand the call back: its task is done").icon(Icon::Return),
            Self::End(_, Outcome::Agent) => Face::new("End as AGENT", "Hand the call back: a person should take over").icon(Icon::Return),
            Self::Done(_) => Face::new("Done", "The wrap-up is over; waiting calls ring again").icon(Icon::Done),
        }
    }
}
