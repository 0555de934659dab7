//! What people and scripts can ask of the engine. A refused command answers why; it never just vanishes.

use serde::{Deserialize, Serialize};

use super::{CallId, ListenSide, Outcome, ReturnMethod, TestCall, Variables};

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// End the agent's part now.
    Return {
        call: CallId,
        request: ReturnRequest,
    },
    HangUp {
        call: CallId,
    },
    /// Keys pressed on the caller's phone, in a test call that is up: `0-9 * # A-D`.
    SendDigits {
        call: CallId,
        digits: String,
    },
    /// The operator, being the agent, takes the call that waits. Another that it talks in goes on hold.
    Answer {
        call: CallId,
    },
    /// The operator does not take it: what follows an agent's absence follows at once.
    Decline {
        call: CallId,
    },
    /// Puts the other side on hold, or takes it back.
    Hold {
        call: CallId,
        on: bool,
    },
    /// What the operator hands back, as it stands: in place of what was set before.
    SetVariables {
        call: CallId,
        variables: SetVariables,
    },
    /// The operator's wrap-up of the call is over.
    Done {
        call: CallId,
    },
    /// Has a call's voices heard at this machine; `None`: no longer.
    Listen {
        call: CallId,
        side: Option<ListenSide>,
    },
    /// Begins or ends the recording of a call; what is recorded twice goes into one file.
    Record {
        call: CallId,
        on: bool,
    },
    /// The operator's window closes: nobody is there to answer any more.
    OperatorLeaves,
    PlaceTestCall {
        call: Box<TestCall>,
    },
    /// No new calls from now on; running ones go on.
    Drain,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReturnRequest {
    pub outcome: Outcome,
    #[serde(default)]
    pub transfer_variables: Variables,
    #[serde(default)]
    pub reference_variables: Variables,
    #[serde(default)]
    pub method: Option<ReturnMethod>,
    #[serde(default)]
    pub uri: Option<String>,
}

impl Command {
    /// The call that it is about, where that is one that exists.
    pub fn call(&self) -> Option<CallId> {
        match self {
            Self::Return { call, .. }
            | Self::HangUp { call }
            | Self::SendDigits { call, .. }
            | Self::Answer { call }
            | Self::Decline { call }
            | Self::Hold { call, .. }
            | Self::SetVariables { call, .. }
            | Self::Done { call }
            | Self::Listen { call, .. }
            | Self::Record { call, .. } => Some(*call),
            Self::OperatorLeaves | Self::PlaceTestCall { .. } | Self::Drain => None,
        }
    }
}

/// Variables in the order in which they go on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetVariables {
    #[serde(default)]
    pub transfer_variables: Variables,
    #[serde(default)]
    pub reference_variables: Variables,
}

/// The answer to a command: the call that it concerns, or one sentence that says why not.
pub type CommandOutcome = Result<CallId, String>;
