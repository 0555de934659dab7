//! Calling somebody (RFC 3261 §13.2): the INVITE, its hops, and what is answered.

use std::time::Instant;

use super::{
    NewInvite, SessionEnd, SessionId, UaEvent, UserAgent, VerbError,
    body::sdp_of,
    request::{ALLOW, Changes, SDP, SUPPORTED},
    session::{Calling, Cancel, Session, SessionTimer, State},
    state::Dialog,
    user_agent::User,
};
use crate::sip::{
    message::{HeaderName, Method, Request, Response, StatusCode, Uri},
    transaction::{Failure, TransactionId},
    transport::{Flow, Transport},
};

impl UserAgent {
    /// Calls somebody.
    pub fn invite(&mut self, now: Instant, invite: NewInvite) -> Result<SessionId, VerbError> {
        let limits = &self.config.limits;
        if self.sessions.len() >= limits.sessions || self.layer.waiting() >= limits.transactions {
            return Err(VerbError::Overload);
        }
        let flows = invite.next_hops.iter().map(|&(transport, remote)| self.local.flow_to(transport, remote));
        let (hop, flow) = flows.enumerate().find_map(|(hop, flow)| Some((hop, flow?))).ok_or(VerbError::NoRoute)?;
        let target: Box<str> = match Uri::parse(&invite.target) {
            Ok(uri) => uri.without_headers().as_str().into(),
            // What is no URI fails when the request is built, if it cannot be written.
            Err(_) => invite.target.as_str().into(),
        };
        let local_tag = self.ids.tag(self.sessions.next_slot());
        let call_id = invite.call_id.map_or_else(|| self.ids.call_id().as_str().into(), String::into_boxed_str);
        let dialog = Dialog {
            call_id,
            local: format!("{};tag={local_tag}", bracketed(&invite.from)).into(),
            remote: bracketed(invite.to.as_deref().unwrap_or(&target)).into(),
            local_tag,
            remote_tag: None,
            target,
            routes: Default::default(),
            local_cseq: 1,
            remote_cseq: None,
        };
        let contact = self.local.contact(&flow, &invite.contact_user);
        let branch = self.layer.next_branch(&mut self.ids);
        let build = |via: &str| {
            let mut builder = dialog
                .begin_within(&Method::INVITE, 1, via, invite.max_forwards)
                .header(HeaderName::Contact, &contact)
                .header(HeaderName::Allow, ALLOW)
                .header(HeaderName::Supported, SUPPORTED)
                .header(HeaderName::UserAgent, &self.config.product);
            if let Some(secs) = invite.session_expires {
                builder = builder.number(HeaderName::SessionExpires, secs);
            }
            builder = builder.others(invite.headers.iter().map(|(name, value)| (name, value)));
            match &invite.offer {
                Some(offer) => builder.body(SDP, offer.clone()).build(),
                None => builder.build(),
            }
        };
        let mut sent = (build(&self.local.via(&flow, &branch))?, flow);
        if let Some(larger) = self.local.larger(now, &flow, sent.0.raw().len()) {
            sent = (build(&self.local.via(&larger, &branch))?, larger);
        }
        let mut calling = Calling {
            invite: TransactionId::NONE,
            cseq: 1,
            cancel: Cancel::No,
            next_hops: invite.next_hops,
            hop,
            late_offer: invite.offer.is_none(),
            early: Vec::new(),
            prack_wanted: None,
            asked_again: false,
        };
        // The transaction must know the session, and the session the transaction.
        let id = self.sessions.next_id();
        calling.invite = self.layer.start_client(now, sent.0, branch, sent.1, User::Invite(id));
        let mut session = Session::new(dialog, flow, contact, State::Calling(Box::new(calling)));
        session.local_sdp = invite.offer;
        session.credentials = invite.credentials;
        self.sessions.insert(session);
        Ok(id)
    }

    pub(super) fn receive_invite_response(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        response: Response,
        flow: Flow,
    ) {
        let cancelled = match self.sessions.get(id).map(|session| &session.state) {
            Some(State::Calling(calling)) if calling.invite == transaction => calling.cancel != Cancel::No,
            // A repetition, while the application still thinks about the offer in it.
            _ if self.awaits_answer(id, transaction, &response) => return,
            // A second phone answered, or a cancelled INVITE did after all.
            _ if response.status().is_success() => return self.refuse_late_2xx(now, transaction, &response, flow),
            _ => return,
        };
        match response.code() {
            100..=199 => self.receive_provisional(now, id, transaction, &response, flow),
            200..=299 => self.receive_2xx(now, id, transaction, response, flow),
            _ if cancelled => self.finish(now, id, SessionEnd::Cancelled),
            401 | 407 if self.answer_challenge(now, id, transaction, &response, User::Invite(id)) => {}
            422 if self.ask_for_longer_interval(now, id, transaction, &response) => {}
            // RFC 3263 §4.3: 503 is about this hop, not about the callee.
            503 if self.try_next_hop(now, id, self.layer.request(transaction).cloned()) => {}
            code => {
                let reason = response.reason().to_owned();
                self.events.push_back(UaEvent::Rejected { id, code, reason: reason.clone(), response: Some(Box::new(response)) });
                self.finish(now, id, SessionEnd::Rejected { code, reason });
            }
        }
    }

    fn receive_provisional(&mut self, now: Instant, id: SessionId, transaction: TransactionId, response: &Response, flow: Flow) {
        if response.code() > 100 && response.to_tag().is_some() {
            self.learn_peer(id, transaction, response, flow);
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        let State::Calling(calling) = &mut session.state else { return };
        match calling.cancel {
            Cancel::Wanted => return self.send_cancel(now, id),
            Cancel::Sent => return,
            Cancel::No if response.code() == 100 => return,
            Cancel::No => {}
        }
        let tag = response.to_tag().unwrap_or_default();
        let rseq = response.number(HeaderName::RSeq).filter(|_| response.has_token(HeaderName::Require, "100rel"));
        let known = calling.early.iter_mut().find(|(known, _)| **known == *tag);
        if let (Some(rseq), Some((_, last))) = (rseq, known) {
            // RFC 3262 §4: a repetition, or one that came before its predecessor.
            if *last != 0 && rseq != last.wrapping_add(1) {
                return;
            }
            *last = rseq;
        }
        let sdp = sdp_of(response);
        match rseq {
            Some(rseq) if calling.late_offer && sdp.is_some() => calling.prack_wanted = Some(rseq),
            Some(rseq) => self.send_prack(now, id, rseq, None),
            None => {}
        }
        self.events.push_back(UaEvent::Progress { id, code: response.code(), reason: response.reason().to_owned(), sdp });
    }

    fn receive_2xx(&mut self, now: Instant, id: SessionId, transaction: TransactionId, response: Response, flow: Flow) {
        self.learn_peer(id, transaction, &response, flow);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let State::Calling(calling) = &session.state else { return };
        let (cseq, cancelled) = (calling.cseq, calling.cancel != Cancel::No);
        let sdp = sdp_of(&response);
        let offered = calling.late_offer && sdp.is_some();
        session.peer_allows_update = response.has_token(HeaderName::Allow, "UPDATE");
        session.challenges = 0;
        if cancelled {
            // §9.1: the CANCEL came too late. What has been answered is hung up.
            session.state = State::Confirmed;
            let _ = self.acknowledge(id, transaction, cseq, None);
            return self.leave(now, id, SessionEnd::Cancelled);
        }
        session.state = if offered { State::Acking { invite: transaction, cseq } } else { State::Confirmed };
        if !offered && let Err(error) = self.acknowledge(id, transaction, cseq, None) {
            self.note(Some(id), "ack-not-written", error.to_string());
        }
        self.start_interval_as_caller(now, id, &response);
        self.events.push_back(UaEvent::Answered { id, response: Box::new(response), sdp });
    }

    /// Timer B, or a broken transport.
    pub(super) fn invite_failed(&mut self, now: Instant, id: SessionId, request: &Request, why: Failure) {
        let Some(State::Calling(calling)) = self.sessions.get(id).map(|session| &session.state) else { return };
        if calling.cancel != Cancel::No {
            return self.finish(now, id, SessionEnd::Cancelled);
        }
        if self.try_next_hop(now, id, Some(request.clone())) {
            return;
        }
        // §8.1.3.1: as if 408, or 503, had come.
        let (code, end) = match why {
            Failure::TimedOut => (408, SessionEnd::Timeout),
            Failure::Transport => (503, SessionEnd::TransportFailed),
        };
        self.events.push_back(UaEvent::Rejected { id, code, reason: StatusCode(code).default_reason().to_owned(), response: None });
        self.finish(now, id, end);
    }

    /// RFC 3263 §4.3: the same request to the next hop on the list, as a new transaction.
    fn try_next_hop(&mut self, now: Instant, id: SessionId, request: Option<Request>) -> bool {
        let (Some(session), Some(request)) = (self.sessions.get_mut(id), request) else { return false };
        let State::Calling(calling) = &mut session.state else { return false };
        while let Some(&(transport, remote)) = calling.next_hops.get(calling.hop + 1) {
            calling.hop += 1;
            let Some(flow) = self.local.flow_to(transport, remote) else { continue };
            let user = session.contact.strip_prefix("<sip:").and_then(|rest| rest.split_once('@')).map_or("", |parts| parts.0);
            session.contact = self.local.contact(&flow, user).into();
            session.flow = flow;
            calling.early.clear();
            session.know(remote.ip());
            let contact = session.contact.clone();
            let changes = Changes { header: Some((HeaderName::Contact, contact.as_ref().into())), ..Changes::default() };
            let Ok(transaction) = self.send_again(now, &request, flow, changes, User::Invite(id)) else { return false };
            self.replace_transaction(id, User::Invite(id), transaction, None);
            return true;
        }
        false
    }

    /// RFC 4028 §7.4: 422 says how long the interval must be at least.
    fn ask_for_longer_interval(&mut self, now: Instant, id: SessionId, transaction: TransactionId, response: &Response) -> bool {
        let Some(least) = response.number(HeaderName::MinSe) else { return false };
        let Some(request) = self.layer.request(transaction).cloned() else { return false };
        let Some(session) = self.sessions.get_mut(id) else { return false };
        let State::Calling(calling) = &mut session.state else { return false };
        if std::mem::replace(&mut calling.asked_again, true) {
            return false;
        }
        session.dialog.local_cseq += 1;
        let cseq = session.dialog.local_cseq;
        let secs = request.number(HeaderName::SessionExpires).unwrap_or(0).max(least).to_string();
        let changes = Changes {
            cseq: Some(cseq),
            header: Some((HeaderName::SessionExpires, secs.into())),
            second: Some((HeaderName::MinSe, least.to_string().into())),
        };
        let flow = self.layer.flow(transaction).unwrap_or(session.flow);
        let Ok(again) = self.send_again(now, &request, flow, changes, User::Invite(id)) else { return false };
        self.replace_transaction(id, User::Invite(id), again, Some(cseq));
        true
    }

    fn awaits_answer(&self, id: SessionId, transaction: TransactionId, response: &Response) -> bool {
        self.sessions.get(id).is_some_and(|session| {
            matches!(session.state, State::Acking { invite, .. } if invite == transaction) && session.is_peer(response.to_tag().as_deref())
        })
    }

    /// Makes or renews the dialog of a response with a tag (§12.1.2).
    fn learn_peer(&mut self, id: SessionId, transaction: TransactionId, response: &Response, flow: Flow) {
        let sent = self.layer.flow(transaction);
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.dialog.learn(response);
        let mut established = Flow { local: sent.map_or(flow.local, |sent| sent.local), ..flow };
        if let State::Calling(calling) = &mut session.state {
            let tag = response.to_tag().unwrap_or_default();
            if !calling.early.iter().any(|(known, _)| **known == *tag) && calling.early.len() < MOST_FORKS {
                calling.early.push((tag.into(), 0));
            }
            // §18.1.1: an INVITE that took TCP for its size alone says nothing about the dialog.
            let intended = calling.next_hops.get(calling.hop);
            if let Some(&(Transport::Udp, remote)) = intended
                && established.transport != Transport::Udp
            {
                established = self.local.flow_to(Transport::Udp, remote).unwrap_or(established);
            }
        }
        self.aim(id, established);
    }

    pub(super) fn stop_timers(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.timers = [0; SessionTimer::COUNT];
        }
    }
}

/// A From or To value must be bracketed where its URI could be taken for having header parameters (§20).
fn bracketed(address: &str) -> String {
    if address.contains('<') { address.to_owned() } else { format!("<{address}>") }
}

/// Early dialogs that one INVITE may have.
const MOST_FORKS: usize = 16;
