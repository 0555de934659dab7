//! NOTIFY for the subscription that a REFER makes, both ways (RFC 3515 §2.4, RFC 6665).

use std::time::Instant;

use bytes::Bytes;

use super::{
    IncomingRequest, ReferId, SessionId, UaEvent, UserAgent, VerbError,
    body::body_of,
    request::Draft,
    session::{ReferralState, Session, State},
    user_agent::User,
};
use crate::sip::{
    message::{HeaderName, Method, Params, Request, Response},
    transaction::TransactionId,
};

impl UserAgent {
    /// Tells the peer how its REFER goes on: `SIP/2.0 100 Trying`. The last one is `terminated`.
    pub fn notify(&mut self, now: Instant, id: SessionId, refer: ReferId, sipfrag: &str, terminated: bool) -> Result<(), VerbError> {
        match self.session_mut(id)?.referral_mut(refer) {
            Some(ReferralState::Notifying { silent: true, .. }) => {
                // RFC 4488: there is no subscription.
                if terminated {
                    self.end_referral(now, id, refer);
                }
                Ok(())
            }
            Some(ReferralState::Notifying { busy: true, waiting, .. }) => {
                if waiting.len() >= MOST_WAITING {
                    return Err(VerbError::Overload);
                }
                waiting.push_back((sipfrag.to_owned(), terminated));
                Ok(())
            }
            Some(ReferralState::Notifying { busy, .. }) => {
                *busy = true;
                self.send_notify(now, id, refer, sipfrag, terminated)
            }
            Some(ReferralState::Sent { .. } | ReferralState::Asked { .. }) | None => Err(VerbError::State("no such REFER was accepted")),
        }
    }

    fn send_notify(&mut self, now: Instant, id: SessionId, refer: ReferId, sipfrag: &str, terminated: bool) -> Result<(), VerbError> {
        // RFC 3515 §2.4.6: the id is the CSeq of the REFER.
        let event = format!("refer;id={}", refer.cseq);
        let state = if terminated { "terminated;reason=noresource" } else { "active;expires=60" };
        let draft = Draft {
            headers: &[(HeaderName::Event, &event), (HeaderName::SubscriptionState, state)],
            body: Some(("message/sipfrag;version=2.0", Bytes::from(format!("{}\r\n", sipfrag.trim_end())))),
            ..Draft::new(Method::NOTIFY)
        };
        self.send_within(now, id, &draft, |_| User::Notify(id, refer.cseq)).map(|_| ())?;
        if terminated && let Some(ReferralState::Notifying { silent, waiting, .. }) = self.session_mut(id)?.referral_mut(refer) {
            // Nothing comes after the last one; `silent` now means that its response ends it.
            waiting.clear();
            *silent = true;
        }
        Ok(())
    }

    pub(super) fn receive_notify_response(
        &mut self,
        now: Instant,
        id: SessionId,
        refer: u32,
        transaction: TransactionId,
        response: &Response,
    ) {
        let code = response.code();
        if matches!(code, 401 | 407) && self.answer_challenge(now, id, transaction, response, User::Notify(id, refer)) {
            return;
        }
        // RFC 6665 §4.2.2: a refusal ends the subscription.
        if response.status().is_success() { self.notify_through(now, id, refer) } else { self.notify_failed(now, id, refer) }
    }

    fn notify_through(&mut self, now: Instant, id: SessionId, refer: u32) {
        let refer = ReferId { cseq: refer, sent_by_us: false };
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(ReferralState::Notifying { busy, waiting, silent }) = session.referral_mut(refer) else { return };
        if *silent {
            return self.end_referral(now, id, refer);
        }
        match waiting.pop_front() {
            Some((sipfrag, terminated)) => {
                if self.send_notify(now, id, refer, &sipfrag, terminated).is_err() {
                    self.end_referral(now, id, refer);
                }
            }
            None => *busy = false,
        }
    }

    pub(super) fn notify_failed(&mut self, now: Instant, id: SessionId, refer: u32) {
        let refer = ReferId { cseq: refer, sent_by_us: false };
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(ReferralState::Notifying { silent, .. }) = session.referral_mut(refer) else { return };
        if !*silent {
            self.events.push_back(UaEvent::SubscriptionEnded { id, refer });
        }
        self.end_referral(now, id, refer);
    }

    pub(super) fn receive_notify(&mut self, now: Instant, id: SessionId, incoming: IncomingRequest) {
        let request = &incoming.request;
        let event = request.text(HeaderName::Event).unwrap_or_default();
        let (package, params) = event.split_once(';').unwrap_or((&event, ""));
        if !package.trim().eq_ignore_ascii_case("refer") {
            return self.answer_now(now, &incoming, 489, |builder| builder.header(HeaderName::AllowEvents, "refer"));
        }
        let number = Params::new(params).find("id").and_then(|id| id.parse::<u32>().ok());
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(refer) = session.referral_of(number) else {
            return self.answer_now(now, &incoming, 481, |builder| builder);
        };
        let silent = matches!(session.state, State::Lingering { silent: true, .. });
        if let Some(ReferralState::Sent { answered, .. }) = session.referral_mut(refer) {
            // RFC 6665 §4.1.2.4: a NOTIFY may overtake the 202, and says as much.
            *answered = true;
        }
        self.answer_now(now, &incoming, 200, |builder| builder);
        self.refresh_target(id, request);
        let terminated = request
            .text(HeaderName::SubscriptionState)
            .is_some_and(|state| state.split(';').next().is_some_and(|state| state.trim().eq_ignore_ascii_case("terminated")));
        if !silent {
            let sipfrag = status_of_sipfrag(request);
            self.events.push_back(UaEvent::Notify { id, refer, sipfrag, terminated });
        }
        if terminated {
            self.end_referral(now, id, refer);
        }
    }
}

impl Session {
    /// The REFER of ours that a NOTIFY speaks of: by its id, or the oldest where it names none (RFC 3515 §2.4.6).
    fn referral_of(&self, number: Option<u32>) -> Option<ReferId> {
        let sent = |event: u32, refer: ReferId| number.is_none_or(|number| number == event || number == refer.cseq);
        self.referrals.iter().find_map(|referral| match referral.state {
            ReferralState::Sent { event, .. } if sent(event, referral.id) => Some(referral.id),
            ReferralState::Sent { .. } | ReferralState::Asked { .. } | ReferralState::Notifying { .. } => None,
        })
    }
}

/// The status line of a `message/sipfrag` body (RFC 3420), also where its line ends in a bare LF or its type is not given.
fn status_of_sipfrag(request: &Request) -> Option<(u16, String)> {
    let body =
        body_of(request, "message/sipfrag").or_else(|| if request.has(HeaderName::ContentType) { None } else { Some(request.body()) })?;
    let text = String::from_utf8_lossy(body);
    let line = text.trim_start().lines().next()?.trim();
    let rest = line.get(..8).filter(|version| version.eq_ignore_ascii_case("SIP/2.0 ")).and_then(|_| line.get(8..))?.trim_start();
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = (code.len() == 3).then(|| code.parse::<u16>().ok()).flatten().filter(|code| (100..700).contains(code))?;
    Some((code, reason.trim().to_owned()))
}

/// NOTIFYs that wait for the one before them.
const MOST_WAITING: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::RequestBuilder;

    #[test]
    fn sipfrags_are_read_with_any_line_end() {
        let status = |content_type: &str, body: &'static str| {
            status_of_sipfrag(&RequestBuilder::new(&Method::NOTIFY, "sip:a@b").body(content_type, body).build().unwrap())
        };
        let ok = Some((200, "OK".to_owned()));
        assert_eq!(status("message/sipfrag", "SIP/2.0 200 OK\r\n"), ok);
        assert_eq!(status("message/sipfrag;version=2.0", "SIP/2.0 200 OK\n"), ok);
        assert_eq!(status("Message/SipFrag", "SIP/2.0 200 OK"), ok);
        assert_eq!(status("message/sipfrag", "SIP/2.0 503\r\n"), Some((503, String::new())));
        assert_eq!(status("message/sipfrag", "INVITE sip:a SIP/2.0\r\n"), None);
        assert_eq!(status("message/sipfrag", "SIP/2.0 2000 OK"), None);
        assert_eq!(status("text/plain", "SIP/2.0 200 OK"), None);
    }
}
