//! UPDATE (RFC 3311): the peer's offers without INVITE, and our refreshes of the session timer.

use std::time::{Duration, Instant};

use super::{
    IncomingRequest, OfferBy, SessionEnd, SessionId, UaEvent, UserAgent,
    body::sdp_of,
    reinvite::{end_of, target_refresh},
    request::Draft,
    session::{Exchange, SessionTimer, State},
    user_agent::User,
};
use crate::sip::{
    message::{HeaderName, Method, Response},
    transaction::{Failure, TransactionId},
};

impl UserAgent {
    pub(super) fn receive_update(&mut self, now: Instant, id: SessionId, incoming: IncomingRequest) {
        if self.refuse_unfit(now, &incoming) {
            return;
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        let sdp = sdp_of(&incoming.request);
        let refused = match (&session.state, &session.exchange) {
            (State::Leaving { .. } | State::Lingering { .. }, _) => Some(481),
            (_, _) if sdp.is_none() => None,
            // RFC 3311 §5.2: an offer of ours, or of theirs, has no answer yet.
            (_, Exchange::Theirs { .. }) | (State::Ringing(_), _) => Some(500),
            (_, Exchange::Ours { .. } | Exchange::Unacknowledged { offered: true, .. }) => Some(491),
            (State::Calling(_) | State::Acking { .. } | State::Answered { offered: true, .. }, _) => Some(491),
            (_, Exchange::Idle | Exchange::Refreshing { .. } | Exchange::Unacknowledged { offered: false, .. }) => None,
        };
        if let Some(code) = refused {
            return self.refuse_exchange(now, &incoming, code);
        }
        match sdp {
            Some(sdp) => {
                if matches!(session.state, State::Answered { .. }) {
                    self.established(now, id, None);
                }
                let transaction = self.open(now, &incoming, User::Answered);
                let Some(session) = self.sessions.get_mut(id) else { return };
                if matches!(session.state, State::Leaving { .. }) {
                    return self.answer_open(now, transaction, &incoming.request, 487, |builder| builder);
                }
                session.exchange = Exchange::Theirs { transaction, request: Box::new(incoming.request), by: OfferBy::Update };
                self.disarm(id, SessionTimer::Repeat2xx);
                self.disarm(id, SessionTimer::NoAck);
                self.events.push_back(UaEvent::Offer { id, sdp, by: OfferBy::Update });
            }
            None => {
                // A target refresh, or a refresh of the session timer.
                self.refresh_target(id, &incoming.request);
                let Some(session) = self.sessions.get(id) else { return };
                let builder = target_refresh(self.begin_response(&incoming.request, 200, "", None), session);
                let (interval, builder) = self.agree_on_interval(&incoming.request, builder);
                let transaction = self.open(now, &incoming, User::Answered);
                if let Ok(response) = builder.build() {
                    self.layer.respond(now, transaction, &response);
                }
                if let Some(session) = self.sessions.get_mut(id) {
                    session.interval = interval;
                }
                self.run_interval(now, id);
            }
        }
    }

    /// Refreshes the session timer without an offer (RFC 4028 §7.4).
    pub(super) fn send_update(&mut self, now: Instant, id: SessionId) {
        let Some(interval) = self.sessions.get(id).and_then(|session| session.interval) else { return };
        let expires = interval.as_caller();
        let draft = Draft { headers: &[(HeaderName::SessionExpires, &expires)], ..Draft::new(Method::UPDATE) };
        if let Ok((update, _)) = self.send_within(now, id, &draft, |_| User::Update(id))
            && let Some(session) = self.sessions.get_mut(id)
        {
            session.exchange = Exchange::Refreshing { update };
        }
    }

    pub(super) fn receive_update_response(&mut self, now: Instant, id: SessionId, transaction: TransactionId, response: &Response) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if !matches!(session.exchange, Exchange::Refreshing { update } if update == transaction) {
            return;
        }
        match response.code() {
            100..=199 => return,
            401 | 407 if self.answer_challenge(now, id, transaction, response, User::Update(id)) => return,
            code @ (408 | 481) => {
                let why =
                    if code == 408 { SessionEnd::Timeout } else { SessionEnd::Rejected { code, reason: response.reason().to_owned() } };
                return self.leave(now, id, why);
            }
            _ => {}
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.exchange = Exchange::Idle;
        match response.code() {
            200..=299 => {
                self.refresh_target(id, response);
                self.start_interval_as_caller(now, id, response);
            }
            422 => {
                // RFC 4028 §7.4: longer, then.
                if let (Some(least), Some(interval)) = (response.number(HeaderName::MinSe), &mut session.interval)
                    && least > interval.secs
                {
                    interval.secs = least;
                    self.arm(now, id, SessionTimer::Refresh, Duration::ZERO);
                }
            }
            405 | 501 => {
                session.peer_allows_update = false;
                self.arm(now, id, SessionTimer::Refresh, Duration::ZERO);
            }
            // Refused for the moment: once more before the session expires.
            _ => self.arm(now, id, SessionTimer::Refresh, RETRY_REFRESH),
        }
        self.exchange_over(now, id);
    }

    /// RFC 4028 §10: a refresher that gets no answer hangs up.
    pub(super) fn refresh_failed(&mut self, now: Instant, id: SessionId, why: Failure) {
        if matches!(self.sessions.get(id).map(|session| &session.exchange), Some(Exchange::Refreshing { .. })) {
            self.leave(now, id, end_of(why));
        }
    }
}

const RETRY_REFRESH: Duration = Duration::from_secs(5);
