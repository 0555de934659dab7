//! A transfer on its way back: one attempt, its verdict, and the fallback after a failure (contract §3).

use std::time::{Duration, Instant};

use super::{Act, Acts, AgentSide, Stage, State, Transfer, claiming::DESK_PATIENCE};
use crate::{
    call::handback::{MAX_RETURNS, Plan, ReturnOrder, fallback},
    model::{
        CallEvent, CallState, Ended, Finding, Keep, OutputContext, Party, ReturnMethod, ReturnMethodOrAgent, ReturnVerdict, Severity,
        settings,
    },
};

impl Transfer {
    /// The agent is done: what it hands back is kept first, since the output context is durable before the first return
    /// message leaves (contract §3).
    pub(super) fn begin_return(&mut self, now: Instant, order: ReturnOrder, acts: &mut Acts) -> State {
        let method = match self.terms() {
            Some(terms) if self.returns_tried < MAX_RETURNS => terms.method(&order),
            _ => ReturnMethod::Bye,
        };
        let part = &order.part;
        let output = OutputContext {
            transfer_type: part.outcome,
            current_task_name: part.current_task.clone().or_else(|| self.context.task_name.clone()),
            reference_variables: part.reference.clone(),
            transfer_variables: part.transfer.clone(),
        };
        self.order = Some(order);
        let Some(plan) = self.plan(method) else { return self.peer_is_gone(acts) };
        let completes = plan.0 == Plan::Bye;
        acts.push(Act::Keep(Box::new(Keep { call_transfer: self.claimed.as_ref().map(|claimed| claimed.id.clone()), output, completes })));
        State::Keeping { plan: Box::new(plan), until: now + DESK_PATIENCE }
    }

    pub(super) fn try_return(&mut self, now: Instant, method: ReturnMethod, after: Option<&Ended>, acts: &mut Acts) -> State {
        match self.plan(method) {
            Some(plan) => self.start_return(now, plan, after, acts),
            None => self.peer_is_gone(acts),
        }
    }

    fn plan(&self, method: ReturnMethod) -> Option<(Plan, Option<Finding>)> {
        Some(Plan::make(self.order.as_ref()?, &self.terms()?, method, self.context.ext_conversation_id.as_deref()))
    }

    fn peer_is_gone(&mut self, acts: &mut Acts) -> State {
        self.leave(CallState::Failed, Ended::new("The peer's settings are gone", Party::Operator, None), acts)
    }

    pub(super) fn start_return(
        &mut self,
        now: Instant,
        (plan, finding): (Plan, Option<Finding>),
        after: Option<&Ended>,
        acts: &mut Acts,
    ) -> State {
        acts.extend(finding.map(|finding| Act::Tell(CallEvent::FindingRaised { finding })));
        self.returns_tried += 1;
        acts.push(Act::Tell(CallEvent::ReturnStarted {
            method: plan.method(),
            uri: plan.uri().to_owned(),
            payload: plan.payload().cloned(),
        }));
        match plan {
            Plan::Bye => {
                self.tell_agent(200, "OK", acts);
                self.release_agent(acts);
                acts.push(Act::HangUpCustomer);
                let reason = after.map_or("Returned by BYE".to_owned(), |why| format!("Returned by BYE. {}", why.reason));
                State::Byeing { why: Ended::new(reason, Party::Bridge, after.and_then(|why| why.code)) }
            }
            Plan::Refer { refer_to, .. } => {
                acts.push(Act::SendRefer { refer_to });
                State::Referring { stage: Stage::Sent, until: None }
            }
            Plan::Invite { uri, headers, .. } => {
                acts.push(Act::InviteReturn { uri, headers });
                State::Calling { until: now + RINGING }
            }
        }
    }

    pub(super) fn return_failed(&mut self, now: Instant, method: ReturnMethod, why: Ended, acts: &mut Acts) -> State {
        acts.push(Act::Tell(CallEvent::ReturnFailed { why: why.clone() }));
        let to = self.peer().map_or(ReturnMethodOrAgent::Bye, |peer| fallback(&peer.returns, method, self.returns_tried));
        acts.push(Act::Tell(CallEvent::FallbackTaken { to }));
        match to {
            ReturnMethodOrAgent::Bye => self.try_return(now, ReturnMethod::Bye, Some(&why), acts),
            ReturnMethodOrAgent::Invite => self.try_return(now, ReturnMethod::Invite, Some(&why), acts),
            ReturnMethodOrAgent::Agent => {
                self.tell_agent(why.code.unwrap_or(503), "Return failed", acts);
                match (&self.settings.agent, self.agent) {
                    (settings::Agent::Script(_), _) => self.begin_with_agent(now, acts),
                    (settings::Agent::Operator { .. }, _) => self.ring_operator(now, true, acts),
                    (settings::Agent::Sip { .. }, AgentSide::There | AgentSide::Waits) => {
                        acts.push(Act::BridgeAgent);
                        State::WithAgent
                    }
                    (settings::Agent::Sip { ring_timeout_secs, .. }, AgentSide::None) => {
                        acts.push(Act::InviteAgent);
                        State::Recalling { until: now + Duration::from_secs(*ring_timeout_secs) }
                    }
                }
            }
        }
    }

    pub(super) fn refer_succeeded(&mut self, acts: &mut Acts) -> State {
        acts.push(Act::Tell(CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded }));
        self.leave(CallState::Returned, Ended::new("Returned by REFER", Party::Bridge, None), acts)
    }

    /// Neither success nor failure: nobody said. The context is stored, and the customer's side has the call (contract §3).
    pub(super) fn refer_unknown(&mut self, why: &str, acts: &mut Acts) -> State {
        acts.push(Act::Tell(CallEvent::ReturnSettled { verdict: ReturnVerdict::Unknown { why: why.to_owned() } }));
        self.leave(CallState::Ended, Ended::new(why, Party::Customer, None), acts)
    }

    pub(super) fn leave(&mut self, state: CallState, why: Ended, acts: &mut Acts) -> State {
        match state {
            CallState::Returned => self.tell_agent(200, "OK", acts),
            _ => self.tell_agent(why.code.filter(|c| *c >= 300).unwrap_or(487), "Request Terminated", acts),
        }
        self.agent = AgentSide::None;
        if self.has_operator() {
            acts.push(Act::OperatorOff);
        }
        acts.extend([Act::HangUpAgent, Act::HangUpReturn, Act::HangUpCustomer]);
        State::Leaving { state, why }
    }

    pub(super) fn tell_agent(&mut self, code: u16, reason: &str, acts: &mut Acts) {
        if self.agent == AgentSide::Waits {
            acts.push(Act::TellAgent { code, reason: reason.to_owned() });
            self.agent = AgentSide::There;
        }
    }

    /// An agent that waits for a verdict stays until it has heard it.
    pub(super) fn release_agent(&mut self, acts: &mut Acts) {
        if self.agent == AgentSide::There {
            acts.push(Act::HangUpAgent);
            self.agent = AgentSide::None;
        }
    }

    pub(super) fn notify_timeout(&self) -> Duration {
        Duration::from_secs(self.peer().map_or(30, |peer| peer.returns.notify_timeout_secs))
    }
}

/// What a NOTIFY says of a REFER.
pub(super) enum Told {
    Nothing,
    /// 180 and the like: the target is being called.
    Ringing,
    Succeeded,
    Failed(Ended),
    Unknown(&'static str),
}

pub(super) fn told(said: Option<(u16, String)>, terminated: bool, acts: &mut Acts) -> Told {
    let Some((code, reason)) = said else {
        return if terminated { Told::Unknown("The REFER's subscription ended without saying how it went") } else { Told::Nothing };
    };
    acts.push(Act::Tell(CallEvent::ReturnProgressed { code, reason: reason.clone(), by_notify: true }));
    match code {
        200..=299 => Told::Succeeded,
        300.. => Told::Failed(Ended::new(format!("The return target said {code} {reason}"), Party::ReturnEndpoint, Some(code))),
        _ if terminated => Told::Unknown("The REFER's subscription ended before a final answer"),
        101.. => Told::Ringing,
        _ => Told::Nothing,
    }
}

/// Our return point has answered, and its answer was acknowledged.
pub(super) fn taken_back() -> CallEvent {
    CallEvent::ReturnProgressed { code: 200, reason: "OK, at our own return point".to_owned(), by_notify: false }
}

pub(super) fn not_durable() -> Finding {
    Finding::new(
        "output-not-durable",
        Severity::Error,
        Party::Operator,
        "What the agent hands back is not on disk",
        "The output context is to be durable before the first return message leaves (contract §3); the call goes back without, since \
         its customer waits. It is written as soon as the disk takes it, and lost if the program ends before",
        "Look at the store: whether its disk is full or slow (the log says more)",
    )
}

/// A decision of the contract: How long a return target may ring.
pub(super) const RINGING: Duration = Duration::from_secs(120);
