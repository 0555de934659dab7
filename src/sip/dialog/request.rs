//! Sending requests (RFC 3261 §8.1.1, §12.2.1.1, §18.1.1): inside a dialog, and once more with a change.

use std::{borrow::Cow, net::SocketAddr, time::Instant};

use bytes::Bytes;

use super::{
    SessionId, UaEvent, UserAgent, VerbError,
    route_set::{flow_to_one_of, flow_toward, is_to_look_up, literal},
    session::{NamedHop, Session, State},
    state::Dialog,
    user_agent::User,
};
use crate::sip::{
    message::{BuildError, HeaderName, Method, Request, RequestBuilder, Uri},
    transaction::TransactionId,
    transport::{Flow, Transmit, Transport, target::targets},
};

/// What a request inside a dialog adds to what the dialog knows.
pub(super) struct Draft<'a> {
    pub method: Method,
    pub headers: &'a [(HeaderName, &'a str)],
    pub others: &'a [(String, String)],
    pub body: Option<(&'a str, Bytes)>,
}

/// What is different when a request is sent once more.
#[derive(Default)]
pub(super) struct Changes<'a> {
    pub cseq: Option<u32>,
    /// Takes the place of headers of the same name.
    pub header: Option<(HeaderName, Cow<'a, str>)>,
    pub second: Option<(HeaderName, Cow<'a, str>)>,
}

impl<'a> Draft<'a> {
    pub fn new(method: Method) -> Self {
        Self { method, headers: &[], others: &[], body: None }
    }

    fn write(&self, builder: RequestBuilder, contact: &str) -> RequestBuilder {
        let mut builder = builder;
        // §12.2.1.1: requests that refresh the target, or make a subscription, say where we are.
        if matches!(self.method, Method::INVITE | Method::UPDATE | Method::REFER | Method::NOTIFY) {
            builder = builder.header(HeaderName::Contact, contact);
        }
        if matches!(self.method, Method::INVITE | Method::UPDATE) {
            builder = builder.header(HeaderName::Allow, ALLOW).header(HeaderName::Supported, SUPPORTED);
        }
        for (name, value) in self.headers {
            builder = builder.header(*name, value);
        }
        builder = builder.others(self.others.iter().map(|(name, value)| (name, value)));
        match &self.body {
            Some((content_type, body)) => builder.body(content_type, body.clone()),
            None => builder,
        }
    }
}

impl UserAgent {
    /// Sends a request inside the session's dialog and gives its transaction and CSeq.
    pub(super) fn send_within(
        &mut self,
        now: Instant,
        id: SessionId,
        draft: &Draft<'_>,
        user: impl FnOnce(u32) -> User,
    ) -> Result<(TransactionId, u32), VerbError> {
        let session = self.sessions.get_mut(id).ok_or(VerbError::NoSession)?;
        let cseq = session.dialog.local_cseq + 1;
        let (flow, branch) = (session.flow, self.layer.next_branch(&mut self.ids));
        let build = |via: &str| draft.write(session.dialog.begin(&draft.method, cseq, via), &session.contact).build();
        let mut sent = (build(&self.local.via(&flow, &branch))?, flow);
        if let Some(larger) = self.local.larger(now, &flow, sent.0.raw().len()) {
            sent = (build(&self.local.via(&larger, &branch))?, larger);
        }
        session.dialog.local_cseq = cseq;
        session.challenges = 0;
        Ok((self.layer.start_client(now, sent.0, branch, sent.1, user(cseq)), cseq))
    }

    /// Sends a request once more: to another hop, or with a change. It is a new transaction (§8.1.3.5, RFC 3263 §4.3).
    pub(super) fn send_again(
        &mut self,
        now: Instant,
        request: &Request,
        flow: Flow,
        changes: Changes<'_>,
        user: User,
    ) -> Result<TransactionId, VerbError> {
        let branch = self.layer.next_branch(&mut self.ids);
        let build = |via: &str| rewrite(request, via, &changes);
        let mut sent = (build(&self.local.via(&flow, &branch))?, flow);
        if let Some(larger) = self.local.larger(now, &flow, sent.0.raw().len()) {
            sent = (build(&self.local.via(&larger, &branch))?, larger);
        }
        Ok(self.layer.start_client(now, sent.0, branch, sent.1, user))
    }

    /// §18.1.1: a request that went by TCP only for its size goes by UDP where TCP does not get through.
    pub(super) fn fall_back_to_udp(&mut self, now: Instant, user: User, request: &Request, failed: Flow) -> bool {
        let (User::Invite(id) | User::Reinvite(id) | User::Update(id) | User::Bye(id) | User::Refer(id, _) | User::Notify(id, _)) = user
        else {
            return false;
        };
        let Some(session) = self.sessions.get(id) else { return false };
        let intended = match (&state_of(session), user) {
            (State::Calling(calling), User::Invite(_)) => calling.next_hops.get(calling.hop).map(|hop| hop.0),
            _ => Some(session.flow.transport),
        };
        if failed.transport != Transport::Tcp || intended != Some(Transport::Udp) {
            return false;
        }
        self.local.learn_without_tcp(now, failed.remote);
        let Some(flow) = self.local.flow_to(Transport::Udp, failed.remote) else { return false };
        let Ok(transaction) = self.send_again(now, request, flow, Changes::default(), user) else { return false };
        self.replace_transaction(id, user, transaction, None);
        true
    }

    /// Notes that a request of a session lives on in another transaction.
    pub(super) fn replace_transaction(&mut self, id: SessionId, user: User, transaction: TransactionId, new_cseq: Option<u32>) {
        use super::session::{Exchange, ReferralState};
        let Some(session) = self.sessions.get_mut(id) else { return };
        match (user, &mut session.state, &mut session.exchange) {
            (User::Invite(_), State::Calling(calling), _) => {
                calling.invite = transaction;
                calling.cseq = new_cseq.unwrap_or(calling.cseq);
            }
            (User::Reinvite(_), _, Exchange::Ours { reinvite, cseq, .. }) => {
                *reinvite = transaction;
                *cseq = new_cseq.unwrap_or(*cseq);
            }
            (User::Update(_), _, Exchange::Refreshing { update }) => *update = transaction,
            (User::Refer(_, refer), _, _) => {
                // RFC 3515 §2.4.6: NOTIFYs name the CSeq of the REFER that was accepted, not of the one that was challenged.
                let sent = session.referrals.iter_mut().find(|referral| referral.id.sent_by_us && referral.id.cseq == refer);
                if let (Some(ReferralState::Sent { event, .. }), Some(cseq)) = (sent.map(|referral| &mut referral.state), new_cseq) {
                    *event = cseq;
                }
            }
            _ => {}
        }
    }

    /// Sends the ACK of a 2xx to an INVITE of ours inside the dialog, and again for each repetition of it (§13.2.2.4).
    pub(super) fn acknowledge(&mut self, id: SessionId, invite: TransactionId, cseq: u32, sdp: Option<Bytes>) -> Result<(), VerbError> {
        let session = self.sessions.get(id).ok_or(VerbError::NoSession)?;
        let branch = self.ids.branch(NO_SLOT);
        let ack = ack_of_2xx(&session.dialog, cseq, &self.local.via(&session.flow, &branch), sdp)?;
        let transmit = Transmit { flow: session.flow, bytes: ack.raw().clone(), retransmission: false };
        let tag = session.dialog.remote_tag.as_deref().unwrap_or_default();
        self.layer.acknowledge(invite, tag, transmit);
        Ok(())
    }

    /// Finds where requests inside the dialog go, now that its target or its route set is new.
    pub(super) fn aim(&mut self, id: SessionId, established: Flow) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let next_hop = session.dialog.routes.next_hop(&session.dialog.target);
        let hops = next_hop.as_ref().map(targets);
        session.flow = hops.as_ref().map_or(established, |hops| flow_toward(&self.local, established, hops));
        let is_name = hops.is_some_and(|hops| is_to_look_up(established, &hops));
        match next_hop.as_ref().filter(|_| is_name) {
            None => session.named = None,
            Some(uri) => match &session.named {
                Some(named) if *named.uri == *uri.as_str() => session.flow = named.flow.unwrap_or(session.flow),
                _ => {
                    session.named = Some(Box::new(NamedHop { uri: uri.as_str().into(), flow: None }));
                    self.events.push_back(UaEvent::NextHop { id, uri: uri.as_str().to_owned() });
                }
            },
        }
        session.know(established.remote.ip());
        session.know(session.flow.remote.ip());
        // The peer itself may write, too, whatever stands between.
        let behind = if session.dialog.routes.is_empty() { None } else { Uri::parse(&session.dialog.target).ok() };
        for ip in [next_hop, behind].iter().flatten().filter_map(literal) {
            session.know(ip);
        }
    }
}

impl UserAgent {
    /// Where the name of [`UaEvent::NextHop`] leads, best first; nothing: it leads nowhere, and all stays as it is.
    pub fn aim_at(&mut self, id: SessionId, found: &[(Transport, SocketAddr)]) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(named) = &mut session.named else { return };
        let flow = flow_to_one_of(&self.local, session.flow, found);
        named.flow = Some(flow);
        session.flow = flow;
        session.know(flow.remote.ip());
    }
}

/// The ACK of a 2xx is a request of its own (§13.2.2.4).
pub(super) fn ack_of_2xx(dialog: &Dialog, cseq: u32, via: &str, sdp: Option<Bytes>) -> Result<Request, BuildError> {
    let builder = dialog.begin(&Method::ACK, cseq, via);
    match sdp {
        Some(sdp) => builder.body(SDP, sdp).build(),
        None => builder.build(),
    }
}

/// Copies a request with another Via, and what else has changed.
fn rewrite(request: &Request, via: &str, changes: &Changes<'_>) -> Result<Request, BuildError> {
    let mut builder = RequestBuilder::new(request.method(), request.uri_text()).header(HeaderName::Via, via);
    let new = || [&changes.header, &changes.second].into_iter().flatten();
    for (name, kind, value) in request.iter() {
        match (kind, changes.cseq) {
            (HeaderName::Via | HeaderName::ContentLength | HeaderName::ContentType, _) => {}
            (HeaderName::CSeq, Some(cseq)) => builder = builder.cseq(cseq),
            _ if new().any(|(changed, _)| *changed == kind) => {}
            _ => builder = builder.other(name, value),
        }
    }
    for (name, value) in new() {
        builder = builder.header(*name, value);
    }
    match request.text(HeaderName::ContentType) {
        Some(content_type) if !request.body().is_empty() => builder.body(&content_type, request.body_bytes()).build(),
        _ => builder.build(),
    }
}

fn state_of(session: &Session) -> &State {
    &session.state
}

/// For branches of requests that have no transaction: no response is awaited.
pub(super) const NO_SLOT: u32 = u32::MAX;

pub(super) const SDP: &str = "application/sdp";

/// The methods that we take.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, INFO, UPDATE, PRACK";

/// The extensions that we speak.
pub(super) const SUPPORTED: &str = "100rel, timer, norefersub";
