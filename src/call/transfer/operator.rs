//! A transfer whose agent is the operator: the call waits, is answered or missed, talks, is held, and is handed back.
//!
//! ```text
//!             ┌─────────┐ declined, too late   ┌────────────────────────────┐
//!   rings ───►│ Waiting ├─────────────────────►│ answered, returned as AGENT│
//!             └────┬────┘                      └────────────────────────────┘
//!          answers │                                        ▲
//!       ┌──────────▼───────────┐   ends, or leaves          │
//!       │ WithOperator{held}   ├────────────────────────────┴──► Keeping, and so on
//!       └──────────────────────┘
//! ```

use std::time::{Duration, Instant};

use super::{Act, Acts, Happening, State, Transfer};
use crate::{
    call::handback::{AgentPart, ReturnOrder},
    model::{AgentKind, CallEvent, GoesBack, Missed, Party, SetVariables, settings},
};

impl Transfer {
    /// Whether the operator may take the call now.
    pub fn waits_for_operator(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// Whether the operator talks, or has the customer on hold.
    pub fn is_with_operator(&self) -> bool {
        matches!(self.state, State::WithOperator { .. })
    }

    /// Whether what the operator wants handed back may still change.
    pub fn variables_can_change(&self) -> bool {
        self.has_operator() && self.agent_can_end()
    }

    pub fn has_operator(&self) -> bool {
        matches!(self.settings().agent, settings::Agent::Operator { .. })
    }

    /// The operator's part begins. `answered`: the customer was answered before, and a return has failed since.
    pub(super) fn ring_operator(&mut self, now: Instant, answered: bool, acts: &mut Acts) -> State {
        let settings::Agent::Operator { ring_timeout_secs, ringing_tone } = self.settings.agent else {
            return State::Arriving;
        };
        acts.push(Act::Tell(CallEvent::AgentInvited { kind: AgentKind::Operator, target: OPERATOR.to_owned() }));
        let goes_back = self.terms().map_or_else(GoesBack::default, |terms| terms.goes_back());
        acts.push(Act::Tell(CallEvent::OperatorRings { rings_for_secs: ring_timeout_secs, goes_back }));
        acts.push(Act::RingOperator { answered, tone: answered || ringing_tone });
        State::Waiting { until: now + Duration::from_secs(ring_timeout_secs), answered }
    }

    /// What happens while the call waits for the operator, or is with it.
    pub(super) fn with_operator(&mut self, now: Instant, state: State, what: Happening, acts: &mut Acts) -> State {
        use Happening as H;
        use State as S;
        match (state, what) {
            (S::Waiting { answered, .. }, H::OperatorAnswers) => {
                acts.push(Act::Tell(CallEvent::AgentAnswered { leg: None }));
                if !answered {
                    acts.push(Act::AnswerCustomer);
                }
                acts.push(Act::OperatorOn);
                if answered { S::WithOperator { held: false } } else { S::Answering { then: None } }
            }
            (S::Waiting { answered, .. }, H::Timeout) => self.operator_missed(now, answered, Missed::Timeout, acts),
            (S::Waiting { answered, .. }, H::OperatorDeclines(why)) => self.operator_missed(now, answered, why, acts),
            (S::Waiting { answered, .. }, H::OperatorReturns(order)) => self.end_waiting(now, answered, order, acts),

            (S::WithOperator { held }, H::OperatorHolds(on)) if held != on => {
                acts.push(Act::HoldCustomer { on });
                acts.push(Act::Tell(CallEvent::OperatorHeld { on }));
                S::WithOperator { held: on }
            }
            (S::WithOperator { .. }, H::OperatorReturns(order)) => {
                let order = self.agent_is_done(order, acts);
                self.begin_return(now, order, acts)
            }
            (S::WithOperator { .. }, H::OperatorDeclines(_)) => {
                let order = self.agent_is_done(AgentPart::unable(Party::Operator).into(), acts);
                self.begin_return(now, order, acts)
            }
            // Digits and silence mean nothing to a person; the rest is late, as everywhere.
            (state, _) => state,
        }
    }

    /// What the operator wants handed back from now on, whoever ends its part.
    pub fn set_variables(&mut self, set: SetVariables) {
        self.set = Some(set);
    }

    /// An end that says no variables hands back those that were set, and one that says some sets them.
    pub(super) fn with_set_variables(&mut self, mut order: ReturnOrder) -> ReturnOrder {
        if !self.has_operator() {
            return order;
        }
        let part = &mut order.part;
        match &self.set {
            Some(set) if part.transfer.is_empty() && part.reference.is_empty() => {
                part.transfer.clone_from(&set.transfer_variables);
                part.reference.clone_from(&set.reference_variables);
            }
            _ => {
                self.set = Some(SetVariables { transfer_variables: part.transfer.clone(), reference_variables: part.reference.clone() });
            }
        }
        order
    }

    fn operator_missed(&mut self, now: Instant, answered: bool, why: Missed, acts: &mut Acts) -> State {
        acts.push(Act::Tell(CallEvent::OperatorMissed { why }));
        self.end_waiting(now, answered, AgentPart::unable(Party::Operator).into(), acts)
    }

    fn end_waiting(&mut self, now: Instant, answered: bool, order: ReturnOrder, acts: &mut Acts) -> State {
        if answered {
            let order = self.agent_is_done(order, acts);
            return self.begin_return(now, order, acts);
        }
        acts.push(Act::AnswerCustomer);
        State::Answering { then: Some(self.agent_is_done(order, acts)) }
    }
}

/// What a record calls the agent.
const OPERATOR: &str = "operator";
