//! What people and scripts can ask of the engine. A refused command answers why; it never just vanishes.

use serde::{Deserialize, Serialize};

use super::{CallId, Outcome, ReturnMethod, TestCall, Variables};

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

/// The answer to a command: the call that it concerns, or one sentence that says why not.
pub type CommandOutcome = Result<CallId, String>;
