//! Being called (RFC 3261 §13.3): 18x, 2xx and refusals of the peer's INVITE.

use std::{collections::VecDeque, time::Instant};

use bytes::Bytes;

use super::{
    IncomingRequest, SessionEnd, SessionId, UserAgent, VerbError,
    body::sdp_of,
    request::{ALLOW, SDP, SUPPORTED},
    session::{Reliable, Ringing, Session, SessionTimer, State, Waiting},
    state::Dialog,
    user_agent::User,
};
use crate::sip::{
    message::{HeaderName, ResponseBuilder, StatusCode},
    timers::STILL_RINGING,
    transport::Transmit,
};

impl UserAgent {
    /// Makes a session of an INVITE that came in. A 100 goes out by itself when nothing else does within 200 ms.
    pub fn accept_invite(&mut self, now: Instant, incoming: IncomingRequest) -> Result<SessionId, VerbError> {
        if self.sessions.len() >= self.config.limits.sessions {
            return Err(VerbError::Overload);
        }
        let id = self.sessions.next_id();
        let request = &incoming.request;
        let dialog = Dialog::of_callee(request, self.ids.tag(self.sessions.next_slot()));
        let user = request.uri().ok().and_then(|uri| uri.user().map(str::to_owned)).unwrap_or_default();
        let contact = self.local.contact(&incoming.flow, &user);
        let peer_allows_update = request.has_token(HeaderName::Allow, "UPDATE");
        let invite = self.open(now, &incoming, User::Incoming(id));
        // RFC 3262 §3: the first RSeq is random, and below 2^31.
        let last_rseq = (self.ids.random() as u32) >> 8;
        let ringing = Ringing {
            invite,
            requires_reliable: request.has_token(HeaderName::Require, "100rel"),
            request: incoming.request,
            last_rseq,
            unacknowledged: None,
            waiting: VecDeque::new(),
            last: None,
            offered: false,
        };
        let mut session = Session::new(dialog, incoming.flow, contact, State::Ringing(Box::new(ringing)));
        session.peer_allows_update = peer_allows_update;
        self.sessions.insert(session);
        self.aim(id, incoming.flow);
        Ok(id)
    }

    /// Sends a provisional response (101–199); reliably where the peer requires it, each after the PRACK of the one before (RFC 3262).
    pub fn ring(
        &mut self,
        now: Instant,
        id: SessionId,
        code: u16,
        sdp: Option<Bytes>,
        headers: &[(String, String)],
    ) -> Result<(), VerbError> {
        let State::Ringing(ringing) = &mut self.session_mut(id)?.state else { return Err(VerbError::State("the call does not ring")) };
        if !(101..200).contains(&code) {
            return Err(VerbError::State("not a provisional response"));
        }
        if ringing.unacknowledged.is_some() {
            if ringing.waiting.len() >= MOST_WAITING {
                return Err(VerbError::Overload);
            }
            ringing.waiting.push_back(Waiting { code, sdp, headers: headers.to_vec() });
            return Ok(());
        }
        self.send_provisional(now, id, code, sdp, headers)
    }

    /// Answers the INVITE with 200, which is repeated until its ACK.
    pub fn answer(&mut self, now: Instant, id: SessionId, sdp: Option<Bytes>, headers: &[(String, String)]) -> Result<(), VerbError> {
        let State::Ringing(ringing) = &mut self.session_mut(id)?.state else { return Err(VerbError::State("the call does not ring")) };
        ringing.waiting.clear();
        if ringing.unacknowledged.as_ref().is_some_and(|reliable| reliable.has_sdp) {
            // RFC 3262 §3: no 2xx before the PRACK of a response that carried SDP.
            ringing.waiting.push_back(Waiting { code: 200, sdp, headers: headers.to_vec() });
            return Ok(());
        }
        self.send_2xx(now, id, sdp, headers)
    }

    /// Refuses the INVITE (300–699). `Ended` follows.
    pub fn reject(&mut self, now: Instant, id: SessionId, code: u16, reason: &str, headers: &[(String, String)]) -> Result<(), VerbError> {
        let session = self.sessions.get(id).ok_or(VerbError::NoSession)?;
        let State::Ringing(ringing) = &session.state else { return Err(VerbError::State("the call does not ring")) };
        if !(300..700).contains(&code) {
            return Err(VerbError::State("not a refusal"));
        }
        let builder = self.begin_response(&ringing.request, code, reason, Some(&session.dialog.local_tag));
        let response = builder.others(headers.iter().map(|(name, value)| (name, value))).build()?;
        let invite = ringing.invite;
        self.layer.respond(now, invite, &response);
        let reason = if reason.is_empty() { StatusCode(code).default_reason() } else { reason };
        self.finish(now, id, SessionEnd::Rejected { code, reason: reason.to_owned() });
        Ok(())
    }

    /// Sends the next response that waited for a PRACK.
    pub(super) fn send_waiting(&mut self, now: Instant, id: SessionId) {
        let Some(State::Ringing(ringing)) = self.sessions.get_mut(id).map(|session| &mut session.state) else { return };
        let Some(Waiting { code, sdp, headers }) = ringing.waiting.pop_front() else { return };
        let sent = if code < 200 { self.send_provisional(now, id, code, sdp, &headers) } else { self.send_2xx(now, id, sdp, &headers) };
        if let Err(error) = sent {
            self.note(Some(id), "response-not-written", error.to_string());
        }
    }

    fn send_provisional(
        &mut self,
        now: Instant,
        id: SessionId,
        code: u16,
        sdp: Option<Bytes>,
        headers: &[(String, String)],
    ) -> Result<(), VerbError> {
        let session = self.sessions.get(id).ok_or(VerbError::NoSession)?;
        let State::Ringing(ringing) = &session.state else { return Err(VerbError::State("the call does not ring")) };
        let mut builder = self.dialog_response(session, ringing, code);
        let rseq = ringing.last_rseq + 1;
        if ringing.requires_reliable {
            builder = builder.header(HeaderName::Require, "100rel").number(HeaderName::RSeq, rseq);
        }
        let has_sdp = sdp.is_some();
        let response = finish_response(builder, headers, sdp.clone())?;
        let reliable = ringing.requires_reliable;
        let invite = ringing.invite;
        self.layer.respond(now, invite, &response);
        let flow = self.layer.flow(invite);
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        if has_sdp {
            session.local_sdp = sdp;
        }
        if let (State::Ringing(ringing), false) = (&mut session.state, reliable) {
            ringing.last = Some(response);
            self.arm(now, id, SessionTimer::StillRinging, STILL_RINGING);
            return Ok(());
        }
        let interval = self.config.timers.t1;
        if let (State::Ringing(ringing), true, Some(flow)) = (&mut session.state, reliable, flow) {
            let offers = has_sdp && !ringing.offered && sdp_of(&ringing.request).is_none();
            ringing.last_rseq = rseq;
            ringing.offered |= offers;
            let transmit = Transmit { flow, bytes: response.raw().clone(), retransmission: true };
            ringing.unacknowledged = Some(Reliable { rseq, transmit, interval, has_sdp, offers });
            self.arm(now, id, SessionTimer::RepeatReliable, interval);
            self.arm(now, id, SessionTimer::NoPrack, self.config.timers.patience());
        }
        Ok(())
    }

    /// §13.3.1.1: proxies give an INVITE three minutes without a word, so that a call that rings long says so each minute.
    pub(super) fn still_ringing(&mut self, now: Instant, id: SessionId) {
        let Some(State::Ringing(ringing)) = self.sessions.get(id).map(|session| &session.state) else { return };
        let Some(response) = &ringing.last else { return };
        self.layer.respond(now, ringing.invite, response);
        self.arm(now, id, SessionTimer::StillRinging, STILL_RINGING);
    }

    fn send_2xx(&mut self, now: Instant, id: SessionId, sdp: Option<Bytes>, headers: &[(String, String)]) -> Result<(), VerbError> {
        let session = self.sessions.get(id).ok_or(VerbError::NoSession)?;
        let State::Ringing(ringing) = &session.state else { return Err(VerbError::State("the call does not ring")) };
        let (interval, builder) = self.agree_on_interval(&ringing.request, self.dialog_response(session, ringing, 200));
        let response = finish_response(builder, headers, sdp.clone())?;
        let offered = sdp.is_some() && !ringing.offered && sdp_of(&ringing.request).is_none();
        let (invite, cseq) = (ringing.invite, session.dialog.remote_cseq.unwrap_or_default());
        let cseq = ringing.request.cseq().map_or(cseq, |cseq| cseq.0);
        let overtaken = ringing.unacknowledged.as_ref().map(|reliable| (reliable.rseq, cseq));
        let flow = self.layer.flow(invite).unwrap_or(session.flow);
        self.layer.respond(now, invite, &response);
        let transmit = Transmit { flow, bytes: response.raw().clone(), retransmission: true };
        let session = self.session_mut(id)?;
        session.local_sdp = sdp.or_else(|| session.local_sdp.take());
        session.interval = interval;
        session.overtaken = overtaken;
        self.stop_timers(id);
        self.await_ack(now, id, |interval| State::Answered { transmit, interval, cseq, offered });
        self.run_interval(now, id);
        Ok(())
    }

    /// §13.3.1.4: our 2xx is repeated, on any transport, until the ACK comes.
    fn await_ack(&mut self, now: Instant, id: SessionId, state: impl FnOnce(std::time::Duration) -> State) {
        let interval = self.config.timers.t1;
        if let Some(session) = self.sessions.get_mut(id) {
            session.state = state(interval);
        }
        self.arm(now, id, SessionTimer::Repeat2xx, interval);
        self.arm(now, id, SessionTimer::NoAck, self.config.timers.patience());
    }

    /// A response that makes, or will make, the dialog.
    fn dialog_response(&self, session: &Session, ringing: &Ringing, code: u16) -> ResponseBuilder {
        self.begin_response(&ringing.request, code, "", Some(&session.dialog.local_tag))
            .header(HeaderName::Contact, &session.contact)
            .header(HeaderName::Allow, ALLOW)
            .header(HeaderName::Supported, SUPPORTED)
    }
}

pub(super) fn finish_response(
    builder: ResponseBuilder,
    headers: &[(String, String)],
    sdp: Option<Bytes>,
) -> Result<crate::sip::message::Response, VerbError> {
    let builder = builder.others(headers.iter().map(|(name, value)| (name, value)));
    Ok(match sdp {
        Some(sdp) => builder.body(SDP, sdp).build()?,
        None => builder.build()?,
    })
}

/// Provisional responses that wait for a PRACK.
const MOST_WAITING: usize = 8;
