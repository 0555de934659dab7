//! A call for a call transfer: it waits for the desk's word, then takes over what the transfer brings (contract §2, §4).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Act, Acts, AgentSide, State, Transfer};
use crate::{
    contract::context,
    model::{CallEvent, CallState, ClaimRefusal, Claimed, Context, Ended, Finding, Party, Severity, settings::Settings},
};

impl Transfer {
    /// Admitted, and waiting to hear whether the call transfer that it names is to be had.
    pub fn claiming(now: Instant, settings: Arc<Settings>, peer: usize, context: Arc<Context>) -> Self {
        Self { state: State::Claiming { until: now + DESK_PATIENCE }, ..Self::new(settings, peer, context) }
    }

    /// The call transfer is this call's: ONGOING, and its number free again.
    pub(super) fn claimed(&mut self, claimed: Box<Claimed>, acts: &mut Acts) -> State {
        acts.push(Act::Tell(CallEvent::CallTransferClaimed {
            id: claimed.id.clone(),
            kind: claimed.kind,
            conversation: claimed.external_conversation_id.clone(),
        }));
        let (context, findings) = context::merge(&claimed, Arc::unwrap_or_clone(std::mem::take(&mut self.context)));
        let context = Arc::new(context);
        acts.push(Act::Tell(CallEvent::ContextRead { context: context.clone() }));
        acts.extend(findings.into_iter().map(|finding| Act::Tell(CallEvent::FindingRaised { finding })));
        self.context = context;
        self.claimed = Some(claimed);
        acts.push(Act::TakePort);
        State::Arriving
    }

    pub(super) fn claim_refused(&mut self, refusal: ClaimRefusal, acts: &mut Acts) -> State {
        let (code, finding) = self.why_refused(refusal);
        acts.push(Act::Tell(CallEvent::FindingRaised { finding }));
        acts.push(Act::Refuse { code, why: refusal });
        self.agent = AgentSide::None;
        State::Leaving { state: CallState::Refused, why: Ended::new(refusal.to_string(), Party::Bridge, Some(code)) }
    }

    /// The contract's code (§2), and the finding that says whose side it is.
    fn why_refused(&self, refusal: ClaimRefusal) -> (u16, Finding) {
        let named = match &self.context.call_transfer_id {
            Some(id) => format!("{}: {id}", context::CALL_TRANSFER_ID),
            None => "The dialled number, which is one of the pool's".to_owned(),
        };
        let (code, rule, side, why, cure) = match refusal {
            ClaimRefusal::Unknown if self.settings.api.is_none() => (
                404,
                "call-transfer-without-api",
                Party::Operator,
                "Call transfers are made through the API, and the settings have none, so no id can be known (contract §2)",
                "Add [api] to the settings, or leave the header out of the INVITE",
            ),
            ClaimRefusal::Unknown => (
                404,
                "call-transfer-unknown",
                Party::Customer,
                "An INVITE that names a call transfer is the call for it; one that was never made is answered with 404 (contract §2)",
                "Create the call transfer first, and send its id, or dial its number, exactly as the API answered",
            ),
            ClaimRefusal::Expired => (
                410,
                "call-transfer-expired",
                Party::Customer,
                "The call came after the call transfer's time was over, and was answered with 410 (contract §2)",
                "Call as soon as the create is answered, or raise api.number_lease_secs or api.sip_transfer_expiry_secs",
            ),
            ClaimRefusal::Completed => (
                410,
                "call-transfer-completed",
                Party::Customer,
                "A call transfer is good for one call; this one has had it, so another gets 410 (contract §2)",
                "Create a new call transfer for each attempt, with the same externalConversationId",
            ),
            ClaimRefusal::Ongoing => (
                486,
                "call-transfer-ongoing",
                Party::Customer,
                "A call transfer is good for one call, which is running; another gets 486 (contract §2)",
                "Create a new call transfer for each attempt; if the SBC forks or retries the INVITE, stop it",
            ),
            ClaimRefusal::Unavailable => (
                503,
                "call-transfer-not-looked-up",
                Party::Operator,
                "What the call belongs to could not be asked or not be kept, so the call was refused with 503 rather than taken without its context",
                "Look at the store: whether its disk is full or slow (the log says more)",
            ),
        };
        let severity = if code == 503 { Severity::Error } else { Severity::Warning };
        (code, Finding::new(rule, severity, side, named, why, cure))
    }
}

/// How long a call waits for the desk's answer: a commit takes milliseconds, so that something is wrong by then.
pub(super) const DESK_PATIENCE: Duration = Duration::from_secs(5);
