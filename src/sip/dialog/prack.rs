//! Reliable provisional responses and their PRACK, both ways (RFC 3262).

use std::time::Instant;

use bytes::Bytes;

use super::{
    IncomingRequest, OfferBy, SessionEnd, SessionId, UaEvent, UserAgent,
    body::sdp_of,
    request::{Draft, SDP},
    session::{Exchange, SessionTimer, State},
    user_agent::User,
};
use crate::sip::message::{HeaderName, Method, StatusCode};

impl UserAgent {
    /// §4: acknowledges a reliable provisional response to our INVITE; with the answer, where it made the offer.
    pub(super) fn send_prack(&mut self, now: Instant, id: SessionId, rseq: u32, answer: Option<Bytes>) {
        let Some(session) = self.sessions.get(id) else { return };
        let State::Calling(calling) = &session.state else { return };
        let rack = format!("{rseq} {} INVITE", calling.cseq);
        let draft = Draft { headers: &[(HeaderName::RAck, &rack)], body: answer.map(|sdp| (SDP, sdp)), ..Draft::new(Method::PRACK) };
        if let Err(error) = self.send_within(now, id, &draft, |_| User::Nobody) {
            self.note(Some(id), "prack-not-written", error.to_string());
        }
    }

    /// §3: a PRACK ends the repetition of the response that it names, and nothing else.
    pub(super) fn receive_prack(&mut self, now: Instant, id: SessionId, incoming: IncomingRequest) {
        let named = incoming.request.text(HeaderName::RAck).and_then(|rack| {
            let mut words = rack.split_ascii_whitespace();
            Some((words.next()?.parse::<u32>().ok()?, words.next()?.parse::<u32>().ok()?, words.next()? == "INVITE"))
        });
        let Some(session) = self.sessions.get_mut(id) else { return };
        let State::Ringing(ringing) = &mut session.state else {
            // §3: a response may be overtaken by the 2xx; its PRACK is good all the same.
            let late = session.overtaken.take_if(|(rseq, cseq)| named == Some((*rseq, *cseq, true)));
            let code = if late.is_some() { 200 } else { 481 };
            return self.answer_now(now, &incoming, code, |builder| builder);
        };
        let invite_cseq = ringing.request.cseq().map(|cseq| cseq.0).unwrap_or_default();
        let matches = |rseq: u32| named == Some((rseq, invite_cseq, true));
        let Some(reliable) = ringing.unacknowledged.take_if(|reliable| matches(reliable.rseq)) else {
            return self.answer_now(now, &incoming, 481, |builder| builder);
        };
        self.disarm(id, SessionTimer::RepeatReliable);
        self.disarm(id, SessionTimer::NoPrack);
        match sdp_of(&incoming.request) {
            Some(sdp) if !reliable.offers => {
                // §5: an offer of the caller's; the 200 waits for our answer.
                let transaction = self.open(now, &incoming, User::Answered);
                if let Some(session) = self.sessions.get_mut(id) {
                    session.exchange = Exchange::Theirs { transaction, request: Box::new(incoming.request), by: OfferBy::Prack };
                }
                self.events.push_back(UaEvent::Offer { id, sdp, by: OfferBy::Prack });
            }
            answer => {
                self.answer_now(now, &incoming, 200, |builder| builder);
                if let Some(sdp) = answer {
                    self.events.push_back(UaEvent::OfferAnswered { id, sdp });
                }
            }
        }
        self.send_waiting(now, id);
    }

    pub(super) fn repeat_reliable(&mut self, now: Instant, id: SessionId) {
        let Some(State::Ringing(ringing)) = self.sessions.get_mut(id).map(|session| &mut session.state) else { return };
        let Some(reliable) = &mut ringing.unacknowledged else { return };
        // §3: doubled each time, without a bound below 64·T1.
        reliable.interval *= 2;
        let (transmit, interval) = (reliable.transmit.clone(), reliable.interval);
        self.layer.send(transmit);
        self.arm(now, id, SessionTimer::RepeatReliable, interval);
    }

    /// §3: no PRACK in 64·T1. The INVITE is refused with a 5xx.
    pub(super) fn prack_missing(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let State::Ringing(ringing) = &session.state else { return };
        let invite = ringing.invite;
        if let Ok(response) = self.begin_response(&ringing.request, 504, "", Some(&session.dialog.local_tag)).build() {
            self.layer.respond(now, invite, &response);
        }
        self.finish(now, id, SessionEnd::Rejected { code: 504, reason: StatusCode(504).default_reason().to_owned() });
    }
}
