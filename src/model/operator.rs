//! The operator as a call's agent: where that stands, and how long waiting, talking and wrapping up took.

use serde::{Deserialize, Serialize};

use super::{ReturnMethod, Timestamp};

/// Times are of all rounds together: after a failed return a call may come back to the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorPart {
    pub phase: OperatorPhase,
    /// Since when.
    pub since: Timestamp,
    /// Milliseconds that the call waited for an answer.
    pub waited_ms: u64,
    /// Milliseconds from the answer to the end of the talk, hold included.
    pub talked_ms: u64,
    pub held_ms: u64,
    /// Milliseconds from the end of the talk until the operator was done with the call.
    pub wrapped_up_ms: u64,
    /// Since when the customer is on hold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub held_since: Option<Timestamp>,
    /// How long it waits for an answer.
    #[serde(default)]
    pub rings_for_secs: u64,
    #[serde(default)]
    pub goes_back: GoesBack,
}

/// How a call will go back, unless something else is asked for with its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoesBack {
    pub method: ReturnMethod,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uri: Option<String>,
    /// Whether the payload rides with it, and is not only fetched through the API.
    pub with_payload: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorPhase {
    Waiting,
    /// It was not answered.
    Missed,
    Talking,
    /// The talk is over, and the operator not done with the call.
    WrapUp,
    Done,
}

/// Why a call was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    Timeout,
    Declined,
    /// The operator's window was closed.
    Left,
}

/// Whom a listener hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenSide {
    Customer,
    /// Whoever talks to the customer: the agent, then the return endpoint.
    Agent,
    /// The customer at the left, the other side at the right.
    Both,
}

impl OperatorPart {
    /// A call begins to wait.
    pub fn waiting(at: Timestamp) -> Self {
        Self {
            phase: OperatorPhase::Waiting,
            since: at,
            waited_ms: 0,
            talked_ms: 0,
            held_ms: 0,
            wrapped_up_ms: 0,
            held_since: None,
            rings_for_secs: 0,
            goes_back: GoesBack::default(),
        }
    }

    /// The next phase begins, and what the one before took is counted.
    pub fn enter(&mut self, at: Timestamp, phase: OperatorPhase) {
        self.hold(at, false);
        let took = at.micros_since(self.since) / 1_000;
        match self.phase {
            OperatorPhase::Waiting => self.waited_ms += took,
            OperatorPhase::Talking => self.talked_ms += took,
            OperatorPhase::WrapUp => self.wrapped_up_ms += took,
            OperatorPhase::Missed | OperatorPhase::Done => {}
        }
        (self.phase, self.since) = (phase, at);
    }

    pub fn hold(&mut self, at: Timestamp, on: bool) {
        match (self.held_since, on) {
            (None, true) => self.held_since = Some(at),
            (Some(since), false) => {
                self.held_ms += at.micros_since(since) / 1_000;
                self.held_since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    /// Nobody can answer or talk any more: the agent's part is over, or the call is.
    pub fn part_ends(&mut self, at: Timestamp) {
        match self.phase {
            OperatorPhase::Waiting => self.enter(at, OperatorPhase::Missed),
            OperatorPhase::Talking => self.enter(at, OperatorPhase::WrapUp),
            OperatorPhase::Missed | OperatorPhase::WrapUp | OperatorPhase::Done => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Timestamp {
        Timestamp(n * 1_000_000)
    }

    #[test]
    fn each_phase_is_counted_and_rounds_add_up() {
        let mut part = OperatorPart::waiting(secs(10));
        part.enter(secs(14), OperatorPhase::Talking);
        part.hold(secs(20), true);
        part.hold(secs(21), true);
        part.hold(secs(23), false);
        part.hold(secs(24), true);
        part.part_ends(secs(30));
        assert_eq!((part.phase, part.since, part.held_since), (OperatorPhase::WrapUp, secs(30), None));
        part.part_ends(secs(31));
        part.enter(secs(32), OperatorPhase::Waiting);
        part.enter(secs(33), OperatorPhase::Talking);
        part.part_ends(secs(40));
        part.enter(secs(45), OperatorPhase::Done);
        assert_eq!((part.waited_ms, part.talked_ms, part.held_ms, part.wrapped_up_ms), (5_000, 23_000, 9_000, 7_000));
    }

    #[test]
    fn a_call_that_ends_unanswered_was_missed() {
        let mut part = OperatorPart::waiting(secs(1));
        part.part_ends(secs(4));
        assert_eq!((part.phase, part.waited_ms, part.talked_ms), (OperatorPhase::Missed, 3_000, 0));
    }
}
