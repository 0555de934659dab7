//! Changing a session by re-INVITE, both ways (RFC 3261 §14), and answering offers however they came.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{
    IncomingRequest, OfferBy, SessionEnd, SessionId, UaEvent, UserAgent, VerbError,
    answer::finish_response,
    body::{Refused, judge_body, sdp_of},
    request::{ALLOW, Draft, SDP, SUPPORTED},
    session::{Exchange, Session, SessionTimer, State},
    user_agent::User,
};
use crate::sip::{
    message::{HeaderName, Method, Response, ResponseBuilder, StatusCode},
    transaction::{Failure, TransactionId},
    transport::Transmit,
};

impl UserAgent {
    /// Offers anew in a re-INVITE; sent as soon as nothing else is under way. A newer offer takes the place of one that waits.
    pub fn offer(&mut self, now: Instant, id: SessionId, sdp: Bytes) -> Result<(), VerbError> {
        let session = self.session_mut(id)?;
        match session.state {
            State::Confirmed | State::Answered { .. } | State::Acking { .. } => {}
            State::Calling(_) | State::Ringing(_) => return Err(VerbError::State("the session is not established")),
            State::Leaving { .. } | State::Lingering { .. } => return Err(VerbError::State("the session is ending")),
        }
        session.next_offer = Some(sdp);
        self.exchange_over(now, id);
        Ok(())
    }

    /// Answers the peer's offer, or makes the offer that it wanted.
    pub fn answer_offer(&mut self, now: Instant, id: SessionId, sdp: Bytes) -> Result<(), VerbError> {
        let session = self.session_mut(id)?;
        match &mut session.state {
            State::Acking { invite, cseq } => {
                let (invite, cseq) = (*invite, *cseq);
                self.acknowledge(id, invite, cseq, Some(sdp.clone()))?;
                let session = self.session_mut(id)?;
                session.local_sdp = Some(sdp);
                session.state = State::Confirmed;
                self.exchange_over(now, id);
                return Ok(());
            }
            State::Calling(calling) => {
                let Some(rseq) = calling.prack_wanted.take() else { return Err(VerbError::State("there is no offer")) };
                // The offer is answered: what the 2xx carries is a copy of it.
                calling.late_offer = false;
                session.local_sdp = Some(sdp.clone());
                self.send_prack(now, id, rseq, Some(sdp));
                return Ok(());
            }
            State::Ringing(_) | State::Answered { .. } | State::Confirmed => {}
            State::Leaving { .. } | State::Lingering { .. } => return Err(VerbError::State("the session is ending")),
        }
        let session = self.sessions.get(id).ok_or(VerbError::NoSession)?;
        let Exchange::Theirs { transaction, request, by } = &session.exchange else { return Err(VerbError::State("there is no offer")) };
        let (transaction, by) = (*transaction, *by);
        let mut builder = self.begin_response(request, 200, "", None);
        let mut interval = session.interval;
        if by != OfferBy::Prack {
            builder = target_refresh(builder, session);
            (interval, builder) = self.agree_on_interval(request, builder);
        }
        let response = finish_response(builder, &[], Some(sdp.clone()))?;
        let cseq = request.cseq().map(|cseq| cseq.0).unwrap_or_default();
        let offered = sdp_of(request).is_none();
        let flow = self.layer.flow(transaction).unwrap_or(session.flow);
        self.layer.respond(now, transaction, &response);
        let session = self.session_mut(id)?;
        let transmit = Transmit { flow, bytes: response.raw().clone(), retransmission: true };
        let next = match by {
            OfferBy::Reinvite => Exchange::Unacknowledged { transmit, interval: Duration::ZERO, cseq, offered },
            OfferBy::Update | OfferBy::Prack => Exchange::Idle,
        };
        session.local_sdp = Some(sdp);
        session.interval = interval;
        if let Exchange::Theirs { request, .. } = std::mem::replace(&mut session.exchange, next)
            && by != OfferBy::Prack
        {
            self.refresh_target(id, &request);
            self.run_interval(now, id);
        }
        if by == OfferBy::Reinvite {
            self.await_reinvite_ack(now, id);
        } else {
            self.exchange_over(now, id);
        }
        Ok(())
    }

    /// Refuses the peer's offer (488, say); the session goes on as it was.
    pub fn refuse_offer(&mut self, now: Instant, id: SessionId, code: u16) -> Result<(), VerbError> {
        let session = self.session_mut(id)?;
        if matches!(session.state, State::Acking { .. }) {
            // §13.2.2.4: a 2xx must be acknowledged, whatever it offers.
            return self.hang_up(now, id, &[], Some("SIP;cause=488;text=\"Not Acceptable Here\""));
        }
        if !matches!(session.exchange, Exchange::Theirs { .. }) {
            return Err(VerbError::State("there is no offer"));
        }
        self.drop_their_offer(now, id, if (300..700).contains(&code) { code } else { 488 });
        self.exchange_over(now, id);
        Ok(())
    }

    pub(super) fn receive_reinvite(&mut self, now: Instant, id: SessionId, incoming: IncomingRequest) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let refused = match (&session.state, &session.exchange) {
            (State::Leaving { .. } | State::Lingering { .. }, _) => Some(481),
            // §14.2: an INVITE before the one before has its final response.
            (State::Ringing(_), _) | (_, Exchange::Theirs { .. }) => Some(500),
            (State::Calling(_) | State::Acking { .. } | State::Answered { offered: true, .. }, _) => Some(491),
            (_, Exchange::Ours { .. } | Exchange::Refreshing { .. } | Exchange::Unacknowledged { offered: true, .. }) => Some(491),
            (
                State::Answered { offered: false, .. } | State::Confirmed,
                Exchange::Idle | Exchange::Unacknowledged { offered: false, .. },
            ) => None,
        };
        if let Some(code) = refused {
            return self.refuse_exchange(now, &incoming, code);
        }
        if self.refuse_unfit(now, &incoming) {
            return;
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.exchange = Exchange::Idle;
        if matches!(session.state, State::Answered { .. }) {
            // RFC 5407 §3.1.4: only who has our 2xx sends this; its ACK is lost, or late.
            self.established(now, id, None);
        }
        self.disarm(id, SessionTimer::Repeat2xx);
        self.disarm(id, SessionTimer::NoAck);
        let transaction = self.open(now, &incoming, User::Incoming(id));
        let sdp = sdp_of(&incoming.request);
        let Some(session) = self.sessions.get_mut(id) else { return };
        if matches!(session.state, State::Leaving { .. }) {
            // The application wanted to hang up as soon as it was allowed to, and that was now.
            return self.answer_open(now, transaction, &incoming.request, 487, |builder| builder);
        }
        session.exchange = Exchange::Theirs { transaction, request: Box::new(incoming.request), by: OfferBy::Reinvite };
        self.events.push_back(match sdp {
            Some(sdp) => UaEvent::Offer { id, sdp, by: OfferBy::Reinvite },
            None => UaEvent::OfferWanted { id },
        });
    }

    /// Bodies that we cannot take, and session intervals that are too short, in requests that change a session.
    pub(super) fn refuse_unfit(&mut self, now: Instant, incoming: &IncomingRequest) -> bool {
        let (code, name, value) = match (judge_body(&incoming.request), self.interval_too_small(&incoming.request)) {
            (Err(Refused::Type), _) => (415, HeaderName::Accept, SDP.to_owned()),
            (Err(Refused::Encoding), _) => (415, HeaderName::AcceptEncoding, "identity".to_owned()),
            (Ok(()), Some(least)) => (422, HeaderName::MinSe, least.to_string()),
            (Ok(()), None) => return false,
        };
        self.answer_now(now, incoming, code, |builder| builder.header(name, value));
        true
    }

    /// Refuses an offer at the wrong moment; 500 says when to try again (§14.2).
    pub(super) fn refuse_exchange(&mut self, now: Instant, incoming: &IncomingRequest, code: u16) {
        let pause = self.ids.random() % 10;
        self.answer_now(now, incoming, code, |builder| match code {
            500 => builder.number(HeaderName::RetryAfter, pause as u32 + 1),
            _ => builder,
        });
    }

    /// An exchange has ended: what waited for it goes out.
    pub(super) fn exchange_over(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let free = matches!((&session.state, &session.exchange), (State::Confirmed, Exchange::Idle));
        if !free || session.timers[SessionTimer::Glare as usize] != 0 {
            return;
        }
        if let Some(sdp) = session.next_offer.take() {
            self.send_reinvite(now, id, sdp, false);
        }
    }

    /// The pause after 491 is over (§14.1).
    pub(super) fn offer_again(&mut self, now: Instant, id: SessionId) {
        self.exchange_over(now, id);
    }

    pub(super) fn send_reinvite(&mut self, now: Instant, id: SessionId, sdp: Bytes, refresh: bool) {
        let Some(session) = self.sessions.get(id) else { return };
        let expires = session.interval.map(|interval| interval.as_caller());
        let expires = expires.as_deref().map(|expires| (HeaderName::SessionExpires, expires));
        let draft = Draft { headers: expires.as_slice(), body: Some((SDP, sdp.clone())), ..Draft::new(Method::INVITE) };
        match self.send_within(now, id, &draft, |_| User::Reinvite(id)) {
            Ok((reinvite, cseq)) => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.exchange = Exchange::Ours { reinvite, cseq, sdp, refresh };
                }
            }
            Err(error) => self.note(Some(id), "reinvite-not-written", error.to_string()),
        }
    }

    pub(super) fn receive_reinvite_response(&mut self, now: Instant, id: SessionId, transaction: TransactionId, response: &Response) {
        let ours = match self.sessions.get_mut(id) {
            Some(session) => match &session.exchange {
                Exchange::Ours { reinvite, cseq, sdp, refresh } if *reinvite == transaction => Some((*cseq, sdp.clone(), *refresh)),
                _ => None,
            },
            None => None,
        };
        let Some((cseq, sdp, refresh)) = ours else {
            if response.status().is_success()
                && let Some(flow) = self.layer.flow(transaction)
            {
                self.acknowledge_gone(transaction, response, flow);
            }
            return;
        };
        match response.code() {
            100..=199 => return,
            200..=299 => {
                self.refresh_target(id, response);
                let _ = self.acknowledge(id, transaction, cseq, None);
                self.start_interval_as_caller(now, id, response);
                self.set_idle(id, Some(sdp));
                if let (Some(sdp), false) = (sdp_of(response), refresh) {
                    self.events.push_back(UaEvent::OfferAnswered { id, sdp });
                }
            }
            401 | 407 if self.answer_challenge(now, id, transaction, response, User::Reinvite(id)) => return,
            491 => {
                // §14.1: both at once. Who owns the Call-ID waits longer, so that the other goes first.
                self.set_idle(id, None);
                let Some(session) = self.sessions.get_mut(id) else { return };
                session.next_offer.get_or_insert(sdp);
                let pause = if session.is_caller { 2100 + self.ids.random() % 191 * 10 } else { self.ids.random() % 200 * 10 };
                return self.arm(now, id, SessionTimer::Glare, Duration::from_millis(pause));
            }
            // §14.1, §12.2.1.2: the peer knows no such dialog, or is gone.
            code @ (408 | 481) => {
                let why =
                    if code == 408 { SessionEnd::Timeout } else { SessionEnd::Rejected { code, reason: response.reason().to_owned() } };
                return self.leave(now, id, why);
            }
            code => {
                self.set_idle(id, None);
                if !refresh {
                    self.events.push_back(UaEvent::OfferRefused { id, code });
                }
            }
        }
        self.exchange_over(now, id);
    }

    pub(super) fn reinvite_failed(&mut self, now: Instant, id: SessionId, why: Failure) {
        if matches!(self.sessions.get(id).map(|session| &session.exchange), Some(Exchange::Ours { .. })) {
            self.leave(now, id, end_of(why));
        }
    }

    /// The peer may have moved (§12.2): from now on requests go to where its Contact says.
    pub(super) fn refresh_target(&mut self, id: SessionId, message: &crate::sip::message::Fields) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.dialog.refresh_target(message) {
            let established = session.flow;
            self.aim(id, established);
        }
    }

    fn set_idle(&mut self, id: SessionId, sdp: Option<Bytes>) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.exchange = Exchange::Idle;
            session.local_sdp = sdp.or_else(|| session.local_sdp.take());
        }
    }

    fn await_reinvite_ack(&mut self, now: Instant, id: SessionId) {
        let first = self.config.timers.t1;
        if let Some(Exchange::Unacknowledged { interval, .. }) = self.sessions.get_mut(id).map(|session| &mut session.exchange) {
            *interval = first;
        }
        self.arm(now, id, SessionTimer::Repeat2xx, first);
        self.arm(now, id, SessionTimer::NoAck, self.config.timers.patience());
    }
}

/// What a 2xx to a request that refreshes the target must say (§12.1.1, §20.5).
pub(super) fn target_refresh(builder: ResponseBuilder, session: &Session) -> ResponseBuilder {
    builder.header(HeaderName::Contact, &session.contact).header(HeaderName::Allow, ALLOW).header(HeaderName::Supported, SUPPORTED)
}

/// How a session ends whose peer does not answer.
pub(super) fn end_of(why: Failure) -> SessionEnd {
    match why {
        Failure::TimedOut => SessionEnd::Timeout,
        Failure::Transport => SessionEnd::TransportFailed,
    }
}

/// The phrase for a failure that no response told.
pub(super) fn code_of(why: Failure) -> (u16, String) {
    let code = match why {
        Failure::TimedOut => 408,
        Failure::Transport => 503,
    };
    (code, StatusCode(code).default_reason().to_owned())
}
