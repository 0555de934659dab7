//! REFER, both ways (RFC 3515, RFC 4488); what comes after it is `notify`'s.

use std::{collections::VecDeque, time::Instant};

use super::{
    IncomingRequest, ReferId, SessionId, UaEvent, UserAgent, VerbError,
    reinvite::code_of,
    request::Draft,
    session::{Referral, ReferralState, State},
    user_agent::User,
};
use crate::sip::{
    message::{HeaderName, Method, NameAddr, Response},
    transaction::{Failure, TransactionId},
};

impl UserAgent {
    /// Asks the peer to refer. `refer_to` is the whole header value.
    pub fn refer(&mut self, now: Instant, id: SessionId, refer_to: &str, headers: &[(String, String)]) -> Result<ReferId, VerbError> {
        let session = self.session_mut(id)?;
        if !session.is_confirmed() {
            return Err(VerbError::State("the session is not established"));
        }
        if session.referrals.len() >= MOST_REFERRALS {
            return Err(VerbError::Overload);
        }
        let draft = Draft { headers: &[(HeaderName::ReferTo, refer_to)], others: headers, ..Draft::new(Method::REFER) };
        let (_, cseq) = self.send_within(now, id, &draft, |cseq| User::Refer(id, cseq))?;
        let refer = ReferId { cseq, sent_by_us: true };
        self.session_mut(id)?.referrals.push(Referral { id: refer, state: ReferralState::Sent { event: cseq, answered: false } });
        Ok(refer)
    }

    /// Takes the peer's REFER (202). NOTIFYs are the application's to send, the first at once.
    pub fn accept_refer(&mut self, now: Instant, id: SessionId, refer: ReferId, code: u16) -> Result<(), VerbError> {
        let code = if (200..300).contains(&code) { code } else { 202 };
        let (transaction, request) = self.asked(id, refer)?;
        // RFC 4488 §4: who asks for no subscription gets none, and is told so.
        let silent =
            request.text(HeaderName::ReferSub).is_some_and(|value| value.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("false")));
        let contact = self.session_mut(id)?.contact.clone();
        self.answer_open(now, transaction, &request, code, |builder| {
            let builder = builder.header(HeaderName::Contact, contact);
            if silent { builder.header(HeaderName::ReferSub, "false") } else { builder }
        });
        let session = self.session_mut(id)?;
        if let Some(referral) = session.referrals.iter_mut().find(|referral| referral.id == refer) {
            referral.state = ReferralState::Notifying { busy: false, waiting: VecDeque::new(), silent };
        }
        Ok(())
    }

    pub fn refuse_refer(&mut self, now: Instant, id: SessionId, refer: ReferId, code: u16) -> Result<(), VerbError> {
        let code = if (300..700).contains(&code) { code } else { 603 };
        let (transaction, request) = self.asked(id, refer)?;
        self.answer_open(now, transaction, &request, code, |builder| builder);
        self.end_referral(now, id, refer);
        Ok(())
    }

    pub(super) fn receive_refer(&mut self, now: Instant, id: SessionId, incoming: IncomingRequest) {
        let Some(session) = self.sessions.get(id) else { return };
        let request = &incoming.request;
        let usable = request.count(HeaderName::ReferTo) == 1
            && request.text(HeaderName::ReferTo).is_some_and(|value| NameAddr::parse_refer_to(&value).is_ok());
        let refused = match &session.state {
            State::Leaving { .. } | State::Lingering { .. } => Some(481),
            State::Calling(_) | State::Acking { .. } | State::Ringing(_) => Some(500),
            // RFC 3515 §2.4.2, §2.2: exactly one Refer-To, and a Contact.
            State::Answered { .. } | State::Confirmed if !usable || !request.has(HeaderName::Contact) => Some(400),
            State::Answered { .. } | State::Confirmed if session.referrals.len() >= MOST_REFERRALS => Some(503),
            State::Answered { .. } | State::Confirmed => None,
        };
        if let Some(code) = refused {
            return self.answer_now(now, &incoming, code, |builder| builder);
        }
        let cseq = request.cseq().map(|cseq| cseq.0).unwrap_or_default();
        let refer = ReferId { cseq, sent_by_us: false };
        self.refresh_target(id, &incoming.request);
        let transaction = self.open(now, &incoming, User::Answered);
        let state = ReferralState::Asked { transaction, request: Box::new(incoming.request.clone()) };
        if let Some(session) = self.sessions.get_mut(id) {
            session.referrals.push(Referral { id: refer, state });
        }
        self.events.push_back(UaEvent::Refer { id, refer, request: Box::new(incoming.request) });
    }

    pub(super) fn receive_refer_response(
        &mut self,
        now: Instant,
        id: SessionId,
        refer: u32,
        transaction: TransactionId,
        response: &Response,
    ) {
        let code = response.code();
        if !response.status().is_final()
            || matches!(code, 401 | 407) && self.answer_challenge(now, id, transaction, response, User::Refer(id, refer))
        {
            return;
        }
        let refer = ReferId { cseq: refer, sent_by_us: true };
        let Some(session) = self.sessions.get_mut(id) else { return };
        // RFC 4488 §4: `false` in the 2xx means that no NOTIFY will come.
        let no_subscription =
            response.text(HeaderName::ReferSub).is_some_and(|value| value.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("false")));
        let silent = matches!(session.state, State::Lingering { silent: true, .. });
        if let Some(ReferralState::Sent { answered, .. }) = session.referral_mut(refer) {
            *answered = true;
        }
        if !silent {
            self.events.push_back(UaEvent::ReferResponse { id, refer, code, reason: response.reason().to_owned() });
        }
        if code >= 300 || no_subscription {
            self.end_referral(now, id, refer);
        } else if response.status().is_success() {
            self.refresh_target(id, response);
        }
    }

    pub(super) fn refer_failed(&mut self, now: Instant, id: SessionId, refer: u32, why: Failure) {
        let refer = ReferId { cseq: refer, sent_by_us: true };
        let Some(session) = self.sessions.get_mut(id) else { return };
        // A NOTIFY that came meanwhile shows that the REFER did arrive.
        if session.referral_mut(refer).is_none() {
            return;
        }
        let (code, reason) = code_of(why);
        self.events.push_back(UaEvent::ReferResponse { id, refer, code, reason });
        self.end_referral(now, id, refer);
    }

    /// Forgets a REFER; a session that lingered for it alone ends.
    pub(super) fn end_referral(&mut self, now: Instant, id: SessionId, refer: ReferId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.referrals.retain(|referral| referral.id != refer);
        }
        self.referral_over(now, id);
    }

    /// The REFER that the application has not answered yet.
    fn asked(&mut self, id: SessionId, refer: ReferId) -> Result<(TransactionId, Box<crate::sip::message::Request>), VerbError> {
        match self.session_mut(id)?.referral_mut(refer) {
            Some(ReferralState::Asked { transaction, request }) => Ok((*transaction, request.clone())),
            Some(_) | None => Err(VerbError::State("no such REFER waits for an answer")),
        }
    }
}

impl super::session::Session {
    pub(super) fn referral_mut(&mut self, refer: ReferId) -> Option<&mut ReferralState> {
        self.referrals.iter_mut().find(|referral| referral.id == refer).map(|referral| &mut referral.state)
    }
}

/// REFERs that may be under way in one session.
const MOST_REFERRALS: usize = 8;
