//! Session timers (RFC 4028): agreed on with each INVITE and UPDATE, refreshed by one side, enforced by the other.

use std::time::{Duration, Instant};

use super::{
    SessionEnd, SessionId, UserAgent,
    session::{Exchange, SessionTimer, State},
};
use crate::sip::message::{HeaderName, Params, Request, Response, ResponseBuilder};

/// How long a session lives without a refresh, and whose job that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub secs: u32,
    pub we_refresh: bool,
}

impl Interval {
    /// The Session-Expires of a request of ours: the refresher stays who it is (§7.4).
    pub fn as_caller(self) -> String {
        format!("{};refresher={}", self.secs, if self.we_refresh { "uac" } else { "uas" })
    }
}

impl UserAgent {
    /// §9: the least that we accept, where a request asks for less and its sender can be told so.
    pub(super) fn interval_too_small(&self, request: &Request) -> Option<u32> {
        let least = self.config.min_session_expires.max(LEAST_SECS);
        let asked = request.number(HeaderName::SessionExpires)?;
        (asked < least && request.has_token(HeaderName::Supported, "timer")).then_some(least)
    }

    /// §9: the interval that a 2xx of ours agrees to, and the headers that say so. A peer that asks for none gets none.
    pub(super) fn agree_on_interval(&self, request: &Request, builder: ResponseBuilder) -> (Option<Interval>, ResponseBuilder) {
        let Some(asked) = request.number(HeaderName::SessionExpires) else { return (None, builder) };
        let peer_can = request.has_token(HeaderName::Supported, "timer") || request.has_token(HeaderName::Require, "timer");
        let secs = asked.max(LEAST_SECS);
        // A peer without timers leaves the work to us; one with them that did not choose does it itself.
        let we_refresh = !peer_can || refresher(request).is_some_and(|refresher| refresher.eq_ignore_ascii_case("uas"));
        let value = format!("{secs};refresher={}", if we_refresh { "uas" } else { "uac" });
        let builder = if we_refresh { builder } else { builder.header(HeaderName::Require, "timer") };
        (Some(Interval { secs, we_refresh }), builder.header(HeaderName::SessionExpires, value))
    }

    /// §7.2: what the peer's 2xx says, or does not say, counts.
    pub(super) fn start_interval_as_caller(&mut self, now: Instant, id: SessionId, response: &Response) {
        let interval = response.number(HeaderName::SessionExpires).map(|secs| Interval {
            secs: secs.max(LEAST_SECS),
            we_refresh: !refresher(response).is_some_and(|refresher| refresher.eq_ignore_ascii_case("uas")),
        });
        if let Some(session) = self.sessions.get_mut(id) {
            session.interval = interval;
        }
        self.run_interval(now, id);
    }

    /// §10: who refreshes does so at half time; who does not hangs up a little before the end.
    pub(super) fn run_interval(&mut self, now: Instant, id: SessionId) {
        let Some(interval) = self.sessions.get(id).map(|session| session.interval) else { return };
        self.disarm(id, SessionTimer::Refresh);
        self.disarm(id, SessionTimer::Expire);
        let Some(Interval { secs, we_refresh }) = interval else { return };
        let whole = Duration::from_secs(secs.into());
        if we_refresh {
            self.arm(now, id, SessionTimer::Refresh, whole / 2);
        }
        self.arm(now, id, SessionTimer::Expire, whole - (whole / 3).min(Duration::from_secs(32)));
    }

    pub(super) fn refresh_session(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        match (&session.state, &session.exchange) {
            (State::Confirmed, Exchange::Idle) => {}
            // A re-INVITE under way refreshes, too; if it fails there is time for another try.
            (State::Confirmed | State::Answered { .. } | State::Acking { .. }, _) => {
                return self.arm(now, id, SessionTimer::Refresh, BUSY_PAUSE);
            }
            _ => return,
        }
        match &session.local_sdp {
            Some(sdp) if !session.peer_allows_update => {
                let sdp = sdp.clone();
                self.send_reinvite(now, id, sdp, true);
            }
            Some(_) | None => self.send_update(now, id),
        }
    }

    pub(super) fn session_expired(&mut self, now: Instant, id: SessionId) {
        let state = self.sessions.get(id).map(|session| &session.state);
        if let Some(State::Confirmed | State::Acking { .. } | State::Answered { .. }) = state {
            self.leave(now, id, SessionEnd::SessionExpired);
        }
    }
}

fn refresher(message: &crate::sip::message::Fields) -> Option<String> {
    let text = message.text(HeaderName::SessionExpires)?;
    Params::new(text.split_once(';')?.1).find("refresher").map(str::to_owned)
}

/// §4: no interval is shorter.
const LEAST_SECS: u32 = 90;

/// How soon a refresh is tried again that another exchange stood in the way of.
const BUSY_PAUSE: Duration = Duration::from_secs(5);
