//! One transfer, from its admission to its return, as one state machine: what happens goes in, acts come out.
//!
//! ```text
//!                    ┌───────────┐ for a call transfer
//!                    │ Claiming  ├──────────────► refused: 404, 410, 486, 503
//!                    └─────┬─────┘
//!                    ┌─────▼─────┐
//!           admitted │ Arriving  │
//!                    └─┬───────┬─┘
//!            sip agent │       │ script     operator: see `operator`
//!                ┌─────▼────┐   │
//!                │ Inviting │   │            busy, absent, slow: answered too,
//!                └─────┬────┘   │            and then returned as AGENT
//!        agent answers │        │
//!                    ┌─▼────────▼┐
//!                    │ Answering │  200 is out
//!                    └─────┬─────┘
//!                      ACK │                                    ┌───────────┐
//!                ┌─────────▼─────────────┐◄─── agent answers ───┤ Recalling │
//!                │ WithScript, WithAgent │◄───────────────┐     └─────▲─────┘
//!                └─────────┬─────────────┘                └───────────┤ fallback `agent`
//!            agent's end   │                                          │
//!                    ┌─────▼─────┐                                    │
//!                    │  Keeping  │ what the agent hands back is durable
//!                    └─────┬─────┘ before anything of the return leaves
//!          ┌───────────────┼──────────────────┐                       │
//!     BYE  │         REFER │           INVITE │                       │
//!     ┌────▼───┐     ┌─────▼─────┐      ┌─────▼───┐  refused, ≥ 300   │
//!     │ Byeing │◄────┤ Referring ├──────┤ Calling ├───────────────────┘
//!     └────┬───┘ `bye`─────┬─────┘      └─────┬───┘
//!          │   customer's  │ NOTIFY 2xx       │ 2xx
//!          │   BYE first   │                  │
//!          │   ┌────────┐  │             ┌────▼────┐
//!          │   │Awaiting│◄─┤             │ Bridged │
//!          │   └────┬───┘  │             └────┬────┘
//!          └────────┴──────┴──────┬───────────┘
//!                            ┌────▼────┐
//!                            │ Leaving │  until every leg and stream is gone
//!                            └─────────┘
//! ```
//!
//! The customer hanging up leads to `Leaving` from everywhere. What only the wire can know (sessions, SDP,
//! streams) is not here: the switch carries the acts out.

mod agent_part;
mod claiming;
mod operator;
mod returning;
mod words;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::{
    AgentKind, CallEvent, CallState, ClaimRefusal, Claimed, Context, Ended, Finding, Party, ReturnMethod, ReturnVerdict, SetVariables,
    TransferKind,
    settings::{self, Settings},
};

pub use self::words::{Act, Happening};

use self::returning::{RINGING, Told, not_durable, taken_back, told};
use super::{
    handback::{AgentPart, Plan, ReturnOrder, Terms},
    script_run::ScriptRun,
};

/// See the module.
#[derive(Debug)]
pub struct Transfer {
    settings: Arc<Settings>,
    peer: usize,
    context: Arc<Context>,
    /// The call transfer that this is the call for: it goes back by its words.
    claimed: Option<Box<Claimed>>,
    state: State,
    agent: AgentSide,
    /// What the agent said last: a fallback sends it again.
    order: Option<ReturnOrder>,
    returns_tried: u8,
    /// What the operator wants handed back.
    set: Option<SetVariables>,
}

#[derive(Debug)]
enum State {
    Claiming {
        until: Instant,
    },
    Arriving,
    Inviting {
        until: Instant,
    },
    Answering {
        then: Option<ReturnOrder>,
    },
    WithScript(ScriptRun),
    WithAgent,
    /// For the operator to answer; `answered` where the customer's leg is up already.
    Waiting {
        until: Instant,
        answered: bool,
    },
    WithOperator {
        held: bool,
    },
    Recalling {
        until: Instant,
    },
    /// The return is planned, and waits until what it hands back is durable.
    Keeping {
        plan: Box<(Plan, Option<Finding>)>,
        until: Instant,
    },
    Byeing {
        why: Ended,
    },
    Referring {
        stage: Stage,
        until: Option<Instant>,
    },
    /// The customer has hung up after taking the REFER; only the verdict is missing.
    Awaiting {
        until: Instant,
    },
    Calling {
        until: Instant,
    },
    Bridged,
    Leaving {
        state: CallState,
        why: Ended,
    },
}

/// How far a REFER is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Sent,
    Accepted,
    /// A NOTIFY said that the target rings: that may take longer than the wait for a first word.
    Ringing,
    /// The target is our own return point, which has the call: the customer's BYE or a NOTIFY is all that is missing.
    Taken,
}

/// Where the agent's leg is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AgentSide {
    /// A script, or nobody.
    None,
    There,
    /// It sent REFER and waits to hear how that went.
    Waits,
}

type Acts = Vec<Act>;

impl Transfer {
    /// Admitted, and waiting for an RTP port.
    pub fn new(settings: Arc<Settings>, peer: usize, context: Arc<Context>) -> Self {
        Self {
            settings,
            peer,
            context,
            claimed: None,
            state: State::Arriving,
            agent: AgentSide::None,
            order: None,
            returns_tried: 0,
            set: None,
        }
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Those that the call was admitted with.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub fn peer(&self) -> Option<&settings::Peer> {
        self.settings.peers.get(self.peer)
    }

    /// Where the call goes back by default, and with what; `None`: its peer is gone.
    pub fn terms(&self) -> Option<Terms<'_>> {
        let payload_in_return = self.settings.api.as_ref().is_some_and(|api| api.payload_in_return);
        Some(Terms { peer: &self.peer()?.returns, transfer: self.claimed.as_deref(), payload_in_return })
    }

    /// Whether the call may go back as the operator wants.
    ///
    /// # Errors
    /// The sentence that says why it can't.
    pub fn check_order(&self, order: &ReturnOrder) -> Result<(), String> {
        if !self.agent_can_end() {
            return Err("The agent's part of this call is over already".to_owned());
        }
        match (&self.claimed, order.method) {
            (Some(claimed), Some(method)) if claimed.kind == TransferKind::PhoneNumber && method != ReturnMethod::Bye => {
                Err(format!("This is the call of a PHONE_NUMBER call transfer, which goes back by BYE only, not by {}", method.name()))
            }
            _ => Ok(()),
        }
    }

    /// Where a REFER sent the customer, while its verdict is out.
    pub fn refer_target(&self) -> Option<&str> {
        match self.state {
            State::Referring { .. } | State::Awaiting { .. } => self.order.as_ref()?.uri.as_deref().or(self.terms()?.uri()),
            _ => None,
        }
    }

    /// The script that runs now.
    pub fn script(&self) -> Option<&ScriptRun> {
        if let State::WithScript(run) = &self.state { Some(run) } else { None }
    }

    /// Whether everything was told to end; with how the call ends.
    pub fn leaving(&self) -> Option<(CallState, &Ended)> {
        if let State::Leaving { state, why } = &self.state { Some((*state, why)) } else { None }
    }

    /// Whether the operator may end the agent's part now.
    pub fn agent_can_end(&self) -> bool {
        matches!(
            self.state,
            State::Inviting { .. }
                | State::Answering { then: None }
                | State::WithScript(_)
                | State::WithAgent
                | State::Waiting { .. }
                | State::WithOperator { .. }
                | State::Recalling { .. }
        )
    }

    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Claiming { until }
            | State::Inviting { until }
            | State::Waiting { until, .. }
            | State::Recalling { until }
            | State::Keeping { until, .. }
            | State::Awaiting { until }
            | State::Calling { until } => Some(*until),
            State::WithScript(run) => run.deadline(),
            State::Referring { until, .. } => *until,
            State::Arriving
            | State::Answering { .. }
            | State::WithAgent
            | State::WithOperator { .. }
            | State::Byeing { .. }
            | State::Bridged
            | State::Leaving { .. } => None,
        }
    }

    /// The machine: the next state, then the acts.
    pub fn handle(&mut self, now: Instant, what: Happening, acts: &mut Acts) {
        use Happening as H;
        use State as S;
        // What the agent's leg does is kept apart from where the transfer stands.
        match &what {
            H::AgentAnswered => self.agent = AgentSide::There,
            H::AgentDone { waits, .. } => self.agent = if *waits { AgentSide::Waits } else { AgentSide::None },
            H::AgentFailed(_) | H::AgentLeft => self.agent = AgentSide::None,
            _ => {}
        }
        // Taken out while the next one is made; nothing looks at it meanwhile.
        let state = std::mem::replace(&mut self.state, S::Arriving);
        self.state = match (state, what) {
            // Whatever else is going on: people who hang up, hang up.
            (S::Leaving { state, why }, _) => S::Leaving { state, why },
            (S::Byeing { why }, H::CustomerLeft(_)) => {
                acts.push(Act::Tell(CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded }));
                self.leave(CallState::Returned, why, acts)
            }
            (S::Byeing { why }, _) => S::Byeing { why },
            (S::Referring { stage: Stage::Taken, .. }, H::CustomerLeft(_)) => self.refer_succeeded(acts),
            (S::Referring { stage: Stage::Accepted | Stage::Ringing, until }, H::CustomerLeft(_)) => {
                // RFC 5057 §4: the subscription outlives the call, and its NOTIFY may still come.
                self.release_agent(acts);
                S::Awaiting { until: until.unwrap_or(now) }
            }
            (S::Awaiting { until }, H::CustomerLeft(_)) => S::Awaiting { until },
            // The customer's BYE after a good return is how it should be.
            (S::Bridged, H::CustomerLeft(why)) => self.leave(CallState::Returned, why, acts),
            (S::Bridged, H::OperatorHangsUp) => {
                self.leave(CallState::Returned, Ended::new("The operator hung up", Party::Operator, None), acts)
            }
            (S::Referring { .. } | S::Calling { .. }, H::CustomerLeft(why)) => {
                acts.push(Act::Tell(CallEvent::ReturnFailed { why: why.clone() }));
                self.leave(CallState::Ended, why, acts)
            }
            (_, H::CustomerLeft(why)) => {
                let state = if matches!(why.by, Party::Network | Party::Bridge) { CallState::Failed } else { CallState::Ended };
                self.leave(state, why, acts)
            }
            (S::Referring { .. } | S::Calling { .. } | S::Awaiting { .. }, H::OperatorHangsUp) => {
                let why = Ended::new("The operator hung up", Party::Operator, None);
                acts.push(Act::Tell(CallEvent::ReturnFailed { why: why.clone() }));
                self.leave(CallState::Ended, why, acts)
            }
            (_, H::OperatorHangsUp) => self.leave(CallState::Ended, Ended::new("The operator hung up", Party::Operator, None), acts),

            (S::Claiming { .. }, H::Claimed(claimed)) => self.claimed(claimed, acts),
            (S::Claiming { .. }, H::ClaimRefused(why)) => self.claim_refused(why, acts),
            (S::Claiming { .. }, H::Timeout) => self.claim_refused(ClaimRefusal::Unavailable, acts),

            (S::Arriving, H::PortReady) => match &self.settings.agent {
                settings::Agent::Script(script) => {
                    acts.push(Act::Tell(CallEvent::AgentInvited { kind: AgentKind::Script, target: script.name.clone() }));
                    acts.push(Act::AnswerCustomer);
                    S::Answering { then: None }
                }
                settings::Agent::Sip { ring_timeout_secs, .. } => {
                    acts.push(Act::InviteAgent);
                    S::Inviting { until: now + Duration::from_secs(*ring_timeout_secs) }
                }
                settings::Agent::Operator { .. } => self.ring_operator(now, false, acts),
            },
            (state @ (S::Waiting { .. } | S::WithOperator { .. }), what) => self.with_operator(now, state, what, acts),
            (S::Inviting { until }, H::AgentRings { code, early }) => {
                acts.push(Act::RingCustomer { code, early });
                S::Inviting { until }
            }
            (S::Inviting { .. }, H::AgentAnswered) => {
                acts.push(Act::BridgeAgent);
                acts.push(Act::AnswerCustomer);
                S::Answering { then: None }
            }
            (S::Inviting { .. }, H::AgentFailed(why)) => {
                acts.push(Act::AnswerCustomer);
                S::Answering { then: Some(self.agent_is_done(AgentPart::unable(why.by).into(), acts)) }
            }
            (S::Inviting { .. }, H::Timeout) => {
                acts.push(Act::HangUpAgent);
                acts.push(Act::AnswerCustomer);
                S::Answering { then: Some(self.agent_is_done(AgentPart::unable(Party::Agent).into(), acts)) }
            }
            (S::Inviting { .. }, H::OperatorReturns(order)) => {
                acts.push(Act::HangUpAgent);
                acts.push(Act::AnswerCustomer);
                S::Answering { then: Some(self.agent_is_done(order, acts)) }
            }

            (S::Answering { then: None }, H::CustomerReady) => self.begin_with_agent(now, acts),
            (S::Answering { then: Some(order) }, H::CustomerReady) => self.begin_return(now, order, acts),
            (S::Answering { then: None }, H::AgentDone { part, .. }) => {
                // RFC 3261 §15: no BYE, and nothing else of ours, before the ACK.
                S::Answering { then: Some(self.agent_is_done(part.into(), acts)) }
            }
            (S::Answering { then: None }, H::OperatorDeclines(_)) => {
                S::Answering { then: Some(self.agent_is_done(AgentPart::unable(Party::Operator).into(), acts)) }
            }
            (S::Answering { then: None }, H::AgentFailed(why)) => {
                S::Answering { then: Some(self.agent_is_done(AgentPart::unable(why.by).into(), acts)) }
            }
            (S::Answering { then: None }, H::OperatorReturns(order)) => S::Answering { then: Some(self.agent_is_done(order, acts)) },

            (S::WithScript(run), H::Digit(digit)) => self.script_goes_on(now, run, |run| run.on_digit(digit), acts),
            (S::WithScript(run), H::Silence(secs)) => self.script_goes_on(now, run, |run| run.on_silence(secs), acts),
            (S::WithScript(run), H::Timeout) => self.script_goes_on(now, run, |run| run.on_time(now), acts),
            (S::WithScript(_), H::OperatorReturns(order)) => {
                acts.push(Act::StopScript);
                let order = self.agent_is_done(order, acts);
                self.begin_return(now, order, acts)
            }

            (S::WithAgent, H::AgentDone { part, .. }) => {
                let order = self.agent_is_done(part.into(), acts);
                self.begin_return(now, order, acts)
            }
            (S::WithAgent | S::Recalling { .. }, H::AgentFailed(why)) => {
                let order = self.agent_is_done(AgentPart::unable(why.by).into(), acts);
                self.begin_return(now, order, acts)
            }
            (S::WithAgent, H::OperatorReturns(order)) => {
                let order = self.agent_is_done(order, acts);
                self.begin_return(now, order, acts)
            }
            (S::Recalling { .. }, H::AgentAnswered) => {
                acts.push(Act::BridgeAgent);
                S::WithAgent
            }
            (S::Recalling { .. }, H::Timeout) => {
                acts.push(Act::HangUpAgent);
                let order = self.agent_is_done(AgentPart::unable(Party::Agent).into(), acts);
                self.begin_return(now, order, acts)
            }
            (S::Recalling { .. }, H::OperatorReturns(order)) => {
                acts.push(Act::HangUpAgent);
                let order = self.agent_is_done(order, acts);
                self.begin_return(now, order, acts)
            }

            (S::Keeping { plan, .. }, H::Kept { stored: true }) => self.start_return(now, *plan, None, acts),
            (S::Keeping { plan, .. }, H::Kept { stored: false } | H::Timeout) => {
                acts.push(Act::Tell(CallEvent::FindingRaised { finding: not_durable() }));
                self.start_return(now, *plan, None, acts)
            }

            (S::Referring { stage: Stage::Sent, .. }, H::ReferAnswered { code: 200..=299, .. }) => {
                // Contract §3: this is no success yet, whatever the code.
                S::Referring { stage: Stage::Accepted, until: Some(now + self.notify_timeout()) }
            }
            (S::Referring { stage, until }, H::ReferAnswered { code: 200..=299, .. }) => S::Referring { stage, until },
            (S::Referring { stage: Stage::Sent, .. }, H::ReferAnswered { code, reason }) => {
                let why = Ended::new(format!("REFER was refused: {code} {reason}"), Party::Customer, Some(code));
                self.return_failed(now, ReturnMethod::Refer, why, acts)
            }
            (S::Referring { until, .. }, H::TakenBack) => {
                acts.push(Act::Tell(taken_back()));
                S::Referring { stage: Stage::Taken, until: until.or(Some(now + self.notify_timeout())) }
            }
            (S::Referring { stage, until }, H::Notified { said, terminated }) => match told(said, terminated, acts) {
                Told::Succeeded => self.refer_succeeded(acts),
                Told::Failed(why) => self.return_failed(now, ReturnMethod::Refer, why, acts),
                Told::Unknown(_) | Told::Ringing if stage == Stage::Taken => S::Referring { stage, until },
                Told::Unknown(why) => self.refer_unknown(why, acts),
                Told::Ringing => S::Referring { stage: Stage::Ringing, until: Some(now + RINGING.max(self.notify_timeout())) },
                // RFC 3515 §2.4.4: NOTIFY may overtake the 202, and says as much.
                Told::Nothing if !matches!(stage, Stage::Ringing | Stage::Taken) => {
                    S::Referring { stage: Stage::Accepted, until: Some(now + self.notify_timeout()) }
                }
                Told::Nothing => S::Referring { stage, until },
            },
            (S::Referring { stage: Stage::Taken, .. }, H::Timeout) => {
                self.refer_unknown("Our own return point took the call, but neither NOTIFY nor the customer's BYE came", acts)
            }
            (S::Referring { .. }, H::Timeout) => {
                let why = format!("REFER was accepted, but no NOTIFY came in {} s", self.notify_timeout().as_secs());
                self.refer_unknown(&why, acts)
            }

            // Contract §3: a BYE plus the return INVITE where the console itself is the return endpoint.
            (S::Awaiting { .. }, H::TakenBack) => {
                acts.push(Act::Tell(taken_back()));
                self.refer_succeeded(acts)
            }
            (S::Awaiting { until }, H::Notified { said, terminated }) => match told(said, terminated, acts) {
                Told::Nothing | Told::Ringing => S::Awaiting { until },
                Told::Succeeded => self.refer_succeeded(acts),
                Told::Unknown(why) => self.refer_unknown(why, acts),
                Told::Failed(why) => {
                    // Nobody is left to fall back for.
                    acts.push(Act::Tell(CallEvent::ReturnFailed { why: why.clone() }));
                    self.leave(CallState::Failed, why, acts)
                }
            },
            (S::Awaiting { .. }, H::Timeout) => self.refer_unknown("The customer hung up, and no NOTIFY said how the REFER went", acts),

            (S::Calling { until }, H::ReturnRings { code, reason }) => {
                acts.push(Act::Tell(CallEvent::ReturnProgressed { code, reason, by_notify: false }));
                S::Calling { until }
            }
            (S::Calling { .. }, H::ReturnAnswered { code, reason }) => {
                acts.push(Act::Tell(CallEvent::ReturnProgressed { code, reason, by_notify: false }));
                acts.push(Act::BridgeReturn);
                acts.push(Act::Tell(CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded }));
                self.tell_agent(200, "OK", acts);
                self.release_agent(acts);
                S::Bridged
            }
            (S::Calling { .. }, H::ReturnLeft(why)) => self.return_failed(now, ReturnMethod::Invite, why, acts),
            (S::Calling { .. }, H::Timeout) => {
                acts.push(Act::HangUpReturn);
                let why = Ended::new("The return endpoint did not answer", Party::ReturnEndpoint, Some(408));
                self.return_failed(now, ReturnMethod::Invite, why, acts)
            }
            (S::Bridged, H::ReturnLeft(why)) => self.leave(CallState::Returned, why, acts),

            // An agent that hangs up, or is lost, while its call goes back has nothing more to say; media events of
            // a script that has ended, answers to a leg that was given up, and deadlines of a state just left are late.
            (state, _late) => state,
        };
    }
}

#[cfg(test)]
mod tests;
