//! Ending a session (RFC 3261 §15), and what may follow its BYE (RFC 5057).

use std::time::Instant;

use super::{
    IncomingRequest, SessionEnd, SessionId, UaEvent, UserAgent, VerbError,
    request::Draft,
    session::{Exchange, NextBye, Referral, ReferralState, Session, SessionTimer, State},
    user_agent::User,
};
use crate::sip::message::{HeaderName, Method};

impl UserAgent {
    /// Ends the session by what its state needs: CANCEL, BYE, or a refusal. `reason` is the value of a Reason header (RFC 3326).
    pub fn hang_up(&mut self, now: Instant, id: SessionId, headers: &[(String, String)], reason: Option<&str>) -> Result<(), VerbError> {
        let session = self.session_mut(id)?;
        match &session.state {
            State::Calling(_) => self.cancel(now, id, headers, reason),
            State::Ringing(_) => {
                let mut headers = headers.to_vec();
                headers.extend(reason.map(|reason| ("Reason".to_owned(), reason.to_owned())));
                self.reject(now, id, 480, "", &headers)
            }
            State::Answered { .. } => {
                // §15: the callee sends no BYE before the ACK, or before it has given up on it.
                session.next_bye = Some(Box::new(NextBye { headers: headers.to_vec(), reason: reason.map(str::to_owned) }));
                Ok(())
            }
            State::Acking { invite, cseq } => {
                let (invite, cseq) = (*invite, *cseq);
                self.acknowledge(id, invite, cseq, None)?;
                self.send_bye(now, id, headers, reason, SessionEnd::LocalBye)
            }
            State::Confirmed => self.send_bye(now, id, headers, reason, SessionEnd::LocalBye),
            State::Leaving { .. } | State::Lingering { .. } => Ok(()),
        }
    }

    /// Hangs up for a reason of the protocol's.
    pub(super) fn leave(&mut self, now: Instant, id: SessionId, why: SessionEnd) {
        let reason = match &why {
            SessionEnd::NoAck => Some("SIP;cause=408;text=\"No ACK\""),
            SessionEnd::SessionExpired => Some("SIP;cause=408;text=\"Session timer expired\""),
            SessionEnd::Cancelled => Some("SIP;cause=487;text=\"Cancelled\""),
            SessionEnd::RemoteBye
            | SessionEnd::LocalBye
            | SessionEnd::Rejected { .. }
            | SessionEnd::TransportFailed
            | SessionEnd::Timeout => None,
        };
        if self.send_bye(now, id, &[], reason, why.clone()).is_err() {
            self.finish(now, id, why);
        }
    }

    /// Hangs up as the application wished while the ACK was still out.
    pub(super) fn leave_with(&mut self, now: Instant, id: SessionId, headers: &[(String, String)], reason: Option<&str>) {
        if let Err(error) = self.send_bye(now, id, headers, reason, SessionEnd::LocalBye) {
            self.note(Some(id), "bye-not-written", error.to_string());
            self.leave(now, id, SessionEnd::LocalBye);
        }
    }

    fn send_bye(
        &mut self,
        now: Instant,
        id: SessionId,
        headers: &[(String, String)],
        reason: Option<&str>,
        why: SessionEnd,
    ) -> Result<(), VerbError> {
        let reason = reason.map(|reason| (HeaderName::Reason, reason));
        let draft = Draft { headers: reason.as_slice(), others: headers, ..Draft::new(Method::BYE) };
        self.send_within(now, id, &draft, |_| User::Bye(id))?;
        self.answer_pending(now, id);
        self.stop_timers(id);
        if let Some(session) = self.sessions.get_mut(id) {
            session.state = State::Leaving { why };
            session.next_offer = None;
        }
        Ok(())
    }

    /// Our BYE has its final response, or will have none.
    pub(super) fn bye_done(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let State::Leaving { why } = &session.state else { return };
        let why = why.clone();
        if !session.awaits_notify() {
            return self.finish(now, id, why);
        }
        // RFC 5057 §4.1: the BYE ends the INVITE's usage of the dialog, not the subscription's. Its last NOTIFY still gets its 200,
        // but the application is done.
        session.state = State::Lingering { why: why.clone(), silent: true };
        self.events.push_back(UaEvent::Ended { id, why });
        self.arm(now, id, SessionTimer::Linger, self.config.timers.patience());
    }

    pub(super) fn receive_bye(&mut self, now: Instant, id: SessionId, incoming: IncomingRequest) {
        // §15.1.2: always answered, also where ours is out already.
        self.answer_now(now, &incoming, 200, |builder| builder);
        let Some(session) = self.sessions.get(id) else { return };
        match &session.state {
            State::Leaving { .. } | State::Lingering { .. } => return,
            State::Ringing(ringing) => {
                // §15.1.2: pending requests are answered with 487.
                let response = self.begin_response(&ringing.request, 487, "", Some(&session.dialog.local_tag)).build();
                let invite = ringing.invite;
                if let Ok(response) = response {
                    self.layer.respond(now, invite, &response);
                }
            }
            State::Calling(_) | State::Acking { .. } | State::Answered { .. } | State::Confirmed => {}
        }
        self.answer_pending(now, id);
        self.stop_timers(id);
        self.events.push_back(UaEvent::Bye { id, request: Box::new(incoming.request) });
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.referrals.is_empty() {
            return self.finish(now, id, SessionEnd::RemoteBye);
        }
        session.state = State::Lingering { why: SessionEnd::RemoteBye, silent: false };
        self.arm(now, id, SessionTimer::Linger, self.config.timers.patience());
    }

    /// A REFER is through; perhaps it was the last thing that a session waited for.
    pub(super) fn referral_over(&mut self, now: Instant, id: SessionId) {
        if self.sessions.get(id).is_some_and(|session| session.referrals.is_empty()) {
            self.linger_over(now, id);
        }
    }

    pub(super) fn linger_over(&mut self, now: Instant, id: SessionId) {
        match self.sessions.get(id).map(|session| &session.state) {
            Some(State::Lingering { silent: true, .. }) => {
                self.answer_pending(now, id);
                self.sessions.remove(id);
            }
            Some(State::Lingering { why, silent: false }) => {
                let why = why.clone();
                self.finish(now, id, why);
            }
            _ => {}
        }
    }

    /// §15.1.2: what the peer has asked, and the application will not answer any more, is answered with 487.
    pub(super) fn answer_pending(&mut self, now: Instant, id: SessionId) {
        self.drop_their_offer(now, id, 487);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let is_asked = |referral: &mut Referral| matches!(referral.state, ReferralState::Asked { .. });
        let asked: Vec<_> = session.referrals.extract_if(.., is_asked).collect();
        for referral in asked {
            if let ReferralState::Asked { transaction, request } = referral.state {
                self.answer_open(now, transaction, &request, 487, |builder| builder);
            }
        }
    }

    /// Ends an exchange that the peer began and that will get no answer.
    pub(super) fn drop_their_offer(&mut self, now: Instant, id: SessionId, code: u16) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let Exchange::Theirs { transaction, request, .. } = std::mem::replace(&mut session.exchange, Exchange::Idle) {
            self.answer_open(now, transaction, &request, code, |builder| builder);
        }
    }
}

impl Session {
    /// Whether a REFER of ours was accepted and its subscription still runs.
    fn awaits_notify(&self) -> bool {
        self.referrals.iter().any(|referral| matches!(referral.state, ReferralState::Sent { answered: true, .. }))
    }
}
