//! The status machine of one call transfer (contract §4), and our decisions about its life.
//!
//! ```text
//!            create                                        kept, and the return is a BYE
//!              │                                           returned · call ended · interrupted
//!              ▼      claimed by a call                    ┌────────────────────────┐
//!           ACTIVE ─────────────────────► ONGOING ─────────┘                        ▼
//!              │                           │   ▲                                COMPLETED
//!              │ expires_at                └───┘
//!              ▼                           kept: the output context is there from now on
//!           EXPIRED
//! ```
//!
//! Decisions of ours, where the contract is silent:
//!
//! - **\[D\] Visible from the commit.** GET shows `outputContext` as soon as it is durable, be the return still running.
//! - **\[D\] COMPLETED with it where the return is a BYE**, since the customer fetches it upon that BYE; else when the call
//!   has gone back, or has ended.
//! - **\[D\] The last word counts.** An agent that gets its call back and ends again replaces what it handed over.
//! - **\[D\] The customer hangs up before any return began**: COMPLETED with `completedAt` and without `outputContext`,
//!   even where the agent had just ended.
//! - **\[D\] ONGOING when the bridge starts**: COMPLETED, interrupted by the bridge; an output context that was kept stays.
//! - **\[D\] Expiry is a moment**: a claim at or after `expires_at` finds the transfer EXPIRED, swept or not.

use crate::model::{
    CallId, CallTransfer, ClaimRefusal, Claimed, NewCallTransfer, OutputContext, SipReturn, Timestamp, TransferStatus, TransferTarget,
};

/// One call transfer with its status.
#[derive(Debug, Clone)]
pub struct TransferLife {
    asked: NewCallTransfer,
    number: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Active,
    Ongoing { call: CallId, since: Timestamp, output: Option<OutputContext> },
    Completed { call: CallId, since: Timestamp, at: Timestamp, output: Option<OutputContext>, interrupted: bool },
    Expired,
}

/// What happens to a call transfer.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A call asks for it.
    Claimed { call: CallId },
    /// What the agent of its call hands back; `completes` where the return is a BYE.
    Kept { call: CallId, output: OutputContext, completes: bool },
    /// The call went back.
    Returned,
    /// The call is over; `return_began`: it did not end before a return was tried.
    CallEnded { return_began: bool },
    /// The bridge starts, and knows nothing of the call.
    Interrupted,
    /// Time goes on.
    Waited,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The transfer is another than before; keep it.
    Changed,
    /// Nothing to keep: it came too early, too late, or for another call.
    Absorbed,
    Refused(ClaimRefusal),
}

impl TransferLife {
    /// ACTIVE until `expires_at`.
    pub fn new(asked: NewCallTransfer, number: Option<String>, created_at: Timestamp, expires_at: Timestamp) -> Self {
        Self { asked, number, created_at, expires_at, state: State::Active }
    }

    /// As it was kept. One that is ONGOING or COMPLETED and names no call can't have been kept: `None`.
    pub fn restore(kept: CallTransfer) -> Option<Self> {
        let (call, since) = (kept.call, kept.call_received_at);
        let state = match kept.status {
            TransferStatus::Active => State::Active,
            TransferStatus::Expired => State::Expired,
            TransferStatus::Ongoing => State::Ongoing { call: call?, since: since?, output: kept.output_context },
            TransferStatus::Completed => State::Completed {
                call: call?,
                since: since?,
                at: kept.completed_at?,
                output: kept.output_context,
                interrupted: kept.interrupted,
            },
        };
        let asked = NewCallTransfer {
            id: kept.id,
            external_conversation_id: kept.external_conversation_id,
            target: kept.target,
            input_context: kept.input_context,
        };
        Some(Self { asked, number: kept.number, created_at: kept.created_at, expires_at: kept.expires_at, state })
    }

    /// The one place where its status changes.
    pub fn handle(&mut self, now: Timestamp, what: Happening) -> Step {
        let due = now >= self.expires_at;
        let state = std::mem::replace(&mut self.state, State::Expired);
        let (next, step) = match (state, what) {
            (State::Active, Happening::Claimed { call }) if !due => (State::Ongoing { call, since: now, output: None }, Step::Changed),
            (State::Active, Happening::Waited | Happening::Claimed { .. }) if due => (State::Expired, Step::Changed),

            (State::Ongoing { call, since, .. }, Happening::Kept { call: of, output, completes }) if of == call => {
                let output = Some(output);
                let next = if completes {
                    State::Completed { call, since, at: now, output, interrupted: false }
                } else {
                    State::Ongoing { call, since, output }
                };
                (next, Step::Changed)
            }
            (State::Ongoing { call, since, output }, Happening::Returned) => {
                (State::Completed { call, since, at: now, output, interrupted: false }, Step::Changed)
            }
            (State::Ongoing { call, since, output }, Happening::CallEnded { return_began }) => {
                let output = output.filter(|_| return_began);
                (State::Completed { call, since, at: now, output, interrupted: false }, Step::Changed)
            }
            (State::Ongoing { call, since, output }, Happening::Interrupted) => {
                (State::Completed { call, since, at: now, output, interrupted: true }, Step::Changed)
            }

            (state, Happening::Claimed { .. }) => {
                let refusal = refusal(state.status());
                (state, Step::Refused(refusal))
            }
            // Another call's word, or one after the end: no other edge, ever.
            (
                state,
                Happening::Kept { .. } | Happening::Returned | Happening::CallEnded { .. } | Happening::Interrupted | Happening::Waited,
            ) => (state, Step::Absorbed),
        };
        self.state = next;
        step
    }

    /// The claim was not kept: as if it had not been asked. For a claim that nobody was told of yet.
    pub fn revoke_claim(&mut self) {
        if matches!(self.state, State::Ongoing { output: None, .. }) {
            self.state = State::Active;
        }
    }

    pub fn id(&self) -> &str {
        &self.asked.id
    }

    pub fn status(&self) -> TransferStatus {
        self.state.status()
    }

    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Its number with its country, whether it still holds it or not.
    pub fn number(&self) -> Option<&str> {
        self.number.as_deref()
    }

    /// The call that has it, while it is ONGOING.
    pub fn call(&self) -> Option<CallId> {
        match self.state {
            State::Ongoing { call, .. } => Some(call),
            _ => None,
        }
    }

    /// What the call that claimed it needs.
    pub fn claimed(&self) -> Claimed {
        Claimed {
            id: self.asked.id.clone(),
            external_conversation_id: self.asked.external_conversation_id.clone(),
            kind: self.asked.target.kind(),
            input_context: self.asked.input_context.clone().unwrap_or_default(),
            returns: match &self.asked.target {
                TransferTarget::Sip(returns) => returns.clone(),
                TransferTarget::PhoneNumber { .. } => SipReturn::default(),
            },
        }
    }

    /// The resource as it stands.
    pub fn resource(&self) -> CallTransfer {
        let (call, call_received_at, completed_at, output_context, interrupted) = match &self.state {
            State::Active | State::Expired => (None, None, None, None, false),
            State::Ongoing { call, since, output } => (Some(*call), Some(*since), None, output.clone(), false),
            State::Completed { call, since, at, output, interrupted } => {
                (Some(*call), Some(*since), Some(*at), output.clone(), *interrupted)
            }
        };
        CallTransfer {
            id: self.asked.id.clone(),
            external_conversation_id: self.asked.external_conversation_id.clone(),
            status: self.state.status(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            call_received_at,
            completed_at,
            target: self.asked.target.clone(),
            number: self.number.clone(),
            input_context: self.asked.input_context.clone(),
            output_context,
            call,
            interrupted,
        }
    }
}

/// Why a call gets no transfer of this status (contract §2).
pub fn refusal(status: TransferStatus) -> ClaimRefusal {
    match status {
        // Nobody asks for a refusal while it is free to take; and a claim of it is due only when it has expired.
        TransferStatus::Active | TransferStatus::Expired => ClaimRefusal::Expired,
        TransferStatus::Ongoing => ClaimRefusal::Ongoing,
        TransferStatus::Completed => ClaimRefusal::Completed,
    }
}

impl State {
    fn status(&self) -> TransferStatus {
        match self {
            Self::Active => TransferStatus::Active,
            Self::Ongoing { .. } => TransferStatus::Ongoing,
            Self::Completed { .. } => TransferStatus::Completed,
            Self::Expired => TransferStatus::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Outcome, Variables};

    const CALL: CallId = CallId(7);
    const OTHER: CallId = CallId(8);

    fn at(secs: u64) -> Timestamp {
        Timestamp(secs * 1_000_000)
    }

    /// Made at 0 s, expires at 60 s.
    fn active() -> TransferLife {
        let target = TransferTarget::PhoneNumber { country: "US".to_owned() };
        let asked = NewCallTransfer { id: "a".to_owned(), external_conversation_id: "c".to_owned(), target, input_context: None };
        TransferLife::new(asked, Some("+19995550100".to_owned()), at(0), at(60))
    }

    fn ongoing() -> TransferLife {
        let mut life = active();
        assert_eq!(life.handle(at(1), Happening::Claimed { call: CALL }), Step::Changed);
        life
    }

    fn output(task: &str) -> OutputContext {
        OutputContext {
            transfer_type: Outcome::Agent,
            current_task_name: Some(task.to_owned()),
            reference_variables: Variables::new(),
            transfer_variables: Variables::new(),
        }
    }

    fn kept(task: &str, completes: bool) -> Happening {
        Happening::Kept { call: CALL, output: output(task), completes }
    }

    #[test]
    fn a_claim_in_the_last_microsecond_counts_and_one_at_expiry_does_not() {
        let mut life = active();
        assert_eq!(life.handle(Timestamp(at(60).0 - 1), Happening::Claimed { call: CALL }), Step::Changed);
        assert_eq!(life.call(), Some(CALL));

        let mut life = active();
        assert_eq!(life.handle(at(60), Happening::Claimed { call: CALL }), Step::Changed, "it expires by being asked for");
        assert_eq!(life.status(), TransferStatus::Expired);
        assert_eq!(life.handle(at(2), Happening::Claimed { call: CALL }), Step::Refused(ClaimRefusal::Expired), "and stays so");
    }

    #[test]
    fn waiting_expires_what_is_active_and_due_and_nothing_else() {
        let mut life = active();
        assert_eq!(life.handle(at(59), Happening::Waited), Step::Absorbed);
        assert_eq!(life.handle(at(60), Happening::Waited), Step::Changed);
        assert_eq!(life.status(), TransferStatus::Expired);
        let mut life = ongoing();
        assert_eq!(life.handle(at(99), Happening::Waited), Step::Absorbed);
        assert_eq!(life.status(), TransferStatus::Ongoing);
    }

    #[test]
    fn a_second_call_finds_it_ongoing() {
        assert_eq!(ongoing().handle(at(2), Happening::Claimed { call: OTHER }), Step::Refused(ClaimRefusal::Ongoing));
    }

    #[test]
    fn a_bye_return_completes_with_the_output_and_others_when_the_call_is_back() {
        let mut life = ongoing();
        life.handle(at(5), kept("t", true));
        let done = life.resource();
        assert_eq!((done.status, done.completed_at, done.output_context), (TransferStatus::Completed, Some(at(5)), Some(output("t"))));

        let mut life = ongoing();
        life.handle(at(5), kept("t", false));
        assert_eq!((life.status(), life.resource().output_context), (TransferStatus::Ongoing, Some(output("t"))), "visible at once");
        life.handle(at(6), kept("again", false));
        assert_eq!(life.handle(at(7), Happening::Returned), Step::Changed);
        let done = life.resource();
        assert_eq!((done.status, done.completed_at, done.output_context), (TransferStatus::Completed, Some(at(7)), Some(output("again"))));
        assert_eq!(life.handle(at(9), Happening::CallEnded { return_began: true }), Step::Absorbed);
        assert_eq!(life.handle(at(9), Happening::Claimed { call: OTHER }), Step::Refused(ClaimRefusal::Completed));
    }

    #[test]
    fn a_customer_that_hangs_up_before_any_return_gets_no_output() {
        let mut life = ongoing();
        life.handle(at(5), kept("t", false));
        life.handle(at(6), Happening::CallEnded { return_began: false });
        let done = life.resource();
        assert_eq!((done.status, done.completed_at, done.output_context), (TransferStatus::Completed, Some(at(6)), None));

        let mut life = ongoing();
        life.handle(at(5), kept("t", false));
        life.handle(at(6), Happening::CallEnded { return_began: true });
        assert_eq!(life.resource().output_context, Some(output("t")), "a return that failed is a return");
    }

    #[test]
    fn a_start_of_the_bridge_interrupts_what_is_ongoing() {
        let mut life = ongoing();
        life.handle(at(5), kept("t", false));
        assert_eq!(life.handle(at(70), Happening::Interrupted), Step::Changed);
        let done = life.resource();
        assert!(done.interrupted && done.output_context.is_some());
        assert_eq!((done.status, done.completed_at), (TransferStatus::Completed, Some(at(70))));
        assert_eq!(active().handle(at(5), Happening::Interrupted), Step::Absorbed, "what waits for its call goes on waiting");
    }

    #[test]
    fn another_calls_word_changes_nothing() {
        let mut life = ongoing();
        assert_eq!(life.handle(at(5), Happening::Kept { call: OTHER, output: output("t"), completes: true }), Step::Absorbed);
        assert_eq!(active().handle(at(5), kept("t", true)), Step::Absorbed);
        assert_eq!(active().handle(at(5), Happening::Returned), Step::Absorbed);
    }

    #[test]
    fn what_was_kept_comes_back_as_it_was() {
        let mut ended = ongoing();
        ended.handle(at(5), kept("t", true));
        let mut expired = active();
        expired.handle(at(60), Happening::Waited);
        for life in [active(), ongoing(), ended, expired] {
            let resource = life.resource();
            assert_eq!(TransferLife::restore(resource.clone()).map(|life| life.resource()), Some(resource));
        }
        let torn = CallTransfer { call: None, ..ongoing().resource() };
        assert!(TransferLife::restore(torn).is_none());
    }
}
