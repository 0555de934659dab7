//! What arrives (RFC 3261 §8.2, §12.2.2, §18.2): read, judged, and handed to its transaction, its dialog, or the application.

use std::{net::SocketAddr, time::Instant};

use super::{IncomingRequest, SessionId, UaEvent, UserAgent, VerbError, reply::RETRY_AFTER_SECS, request::ALLOW, user_agent::User};
use crate::sip::{
    ids::Ids,
    message::{Fault, HeaderName, Message, Method, ParseError, Request, Response, ViaError},
    transaction::{Heard, Matched, ServerKey},
    transport::{Flow, Received, Transmit, via::response_address},
};

impl UserAgent {
    /// A whole message arrived.
    pub fn handle_received(&mut self, now: Instant, received: Received) {
        let Received { flow, bytes } = received;
        match Message::parse_within(bytes, &self.config.limits.message) {
            Ok(Message::Request(mut request)) => {
                request.mark_received(flow.remote);
                request.note_via();
                self.receive_request(now, request, flow);
            }
            Ok(Message::Response(mut response)) => {
                response.note_via();
                self.receive_response(now, response, flow);
            }
            // Keep-alives (RFC 5626 §3.5.1).
            Err((ParseError::Empty, _)) => {}
            Err((error, bytes)) => {
                let reason = match error {
                    ParseError::Empty => "nothing but line ends",
                    ParseError::NotSip => "the first line is neither a request line nor a status line",
                    ParseError::StatusCode => "the status line has no code from 100 to 699",
                    ParseError::TooLarge => "the message is too large",
                };
                self.events.push_back(UaEvent::Malformed { flow, fault: Fault::Discard { reason }, answered: None, bytes });
            }
        }
        self.settle(now);
    }

    fn receive_request(&mut self, now: Instant, request: Request, flow: Flow) {
        if let Err(fault) = request.verdict() {
            return self.refuse_malformed(request, flow, fault);
        }
        // The verdict has seen a Via that can be read.
        let Ok(origin) = Origin::of(&request, flow, &self.ids) else { return };
        let incoming = IncomingRequest::new(request, flow, origin);
        if self.layer.handle_request(now, &incoming.request, &incoming.key) == Matched::Repeated {
            return;
        }
        let method = incoming.request.method();
        if *method == Method::CANCEL {
            return self.receive_cancel(now, &incoming);
        }
        if incoming.request.to_tag().is_some() {
            return match self.find_session(&incoming.request) {
                Some(id) => self.receive_within(now, id, incoming),
                None => self.refuse_unknown_dialog(&incoming),
            };
        }
        if *method == Method::ACK {
            // An ACK for a refusal that we sent without keeping anything.
            return;
        }
        if self.is_overloaded() {
            let _ = self.refuse_stateless(&incoming, 503, "", |builder| builder.header(HeaderName::RetryAfter, RETRY_AFTER_SECS));
            return self.note(None, "overload", format!("{method} from {} refused: too many transactions or sessions", flow.remote));
        }
        if !self.config.screens_itself {
            return self.events.push_back(UaEvent::Request(Box::new(incoming)));
        }
        if let Some(incoming) = self.screen(now, incoming) {
            self.events.push_back(UaEvent::Request(Box::new(incoming)));
        }
    }

    fn receive_within(&mut self, now: Instant, id: SessionId, incoming: IncomingRequest) {
        let ip = incoming.flow.remote.ip();
        let is_known = self.sessions.get(id).is_some_and(|session| session.known.contains(&ip));
        if !is_known && !self.trusted.as_ref().is_some_and(|trusted| trusted(id, ip)) {
            self.note(Some(id), "stranger-in-dialog", format!("{} from {ip}, which the dialog does not know", incoming.request.method()));
            return self.refuse_unknown_dialog(&incoming);
        }
        if *incoming.request.method() == Method::ACK {
            return self.receive_ack(now, id, &incoming.request);
        }
        // §12.2.2: a sequence number that went backwards.
        let cseq = incoming.request.cseq().map(|cseq| cseq.0).unwrap_or_default();
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.dialog.remote_cseq.is_some_and(|last| cseq < last) {
            return self.answer_now(now, &incoming, 500, |builder| builder);
        }
        session.dialog.remote_cseq = Some(cseq);
        if let Some(unsupported) = self.unsupported_extensions(&incoming.request) {
            return self.answer_now(now, &incoming, 420, |builder| builder.header(HeaderName::Unsupported, unsupported));
        }
        self.follow_connection(id, incoming.flow);
        match *incoming.request.method() {
            Method::INVITE => self.receive_reinvite(now, id, incoming),
            Method::UPDATE => self.receive_update(now, id, incoming),
            Method::BYE => self.receive_bye(now, id, incoming),
            Method::PRACK => self.receive_prack(now, id, incoming),
            Method::REFER => self.receive_refer(now, id, incoming),
            Method::NOTIFY => self.receive_notify(now, id, incoming),
            Method::INFO => self.receive_info(now, id, incoming),
            Method::OPTIONS => self.receive_options(now, &incoming),
            Method::SUBSCRIBE => self.answer_now(now, &incoming, 489, |builder| builder.header(HeaderName::AllowEvents, "refer")),
            Method::Known(_) => self.answer_now(now, &incoming, 405, |builder| builder.header(HeaderName::Allow, ALLOW)),
            Method::Other(_) => self.answer_now(now, &incoming, 501, |builder| builder.header(HeaderName::Allow, ALLOW)),
        }
    }

    fn receive_response(&mut self, now: Instant, response: Response, flow: Flow) {
        if let Err(fault) = response.verdict() {
            let bytes = response.raw().clone();
            return self.events.push_back(UaEvent::Malformed { flow, fault, answered: None, bytes });
        }
        let Ok(via) = response.top_via() else { return };
        // §18.1.2: the branch tells whether the request was ours; its marker nobody else has.
        let Some(heard) = via.branch().and_then(|branch| self.layer.handle_response(now, &response, branch, &self.ids)) else { return };
        self.hear(now, heard, response, flow);
    }

    fn hear(&mut self, now: Instant, heard: Heard<User>, response: Response, flow: Flow) {
        match heard.user {
            User::Invite(id) => self.receive_invite_response(now, id, heard.id, response, flow),
            User::Reinvite(id) => self.receive_reinvite_response(now, id, heard.id, &response),
            User::Update(id) => self.receive_update_response(now, id, heard.id, &response),
            User::Bye(id) if response.status().is_final() => {
                if !self.answer_challenge(now, id, heard.id, &response, heard.user) {
                    self.bye_done(now, id);
                }
            }
            User::Refer(id, refer) => self.receive_refer_response(now, id, refer, heard.id, &response),
            User::Notify(id, refer) if response.status().is_final() => self.receive_notify_response(now, id, refer, heard.id, &response),
            User::Ping(ping) if response.status().is_final() => self.events.push_back(UaEvent::Pong { ping, code: Some(response.code()) }),
            User::Bye(_) | User::Notify(..) | User::Ping(_) | User::Nobody | User::Incoming(_) | User::Answered => {}
        }
    }

    /// §12.2.2: the dialog whose tags and Call-ID these are.
    fn find_session(&self, request: &Request) -> Option<SessionId> {
        let tag = request.to_tag()?;
        let (id, session) = self.sessions.in_slot(Ids::slot_of_tag(&tag)?)?;
        let ours = *session.dialog.local_tag == *tag && request.call_id() == Some(&*session.dialog.call_id);
        (ours && session.is_peer(request.from_tag().as_deref())).then_some(id)
    }

    fn refuse_unknown_dialog(&mut self, incoming: &IncomingRequest) {
        let request = &incoming.request;
        if *request.method() != Method::ACK {
            let _ = self.refuse_stateless(incoming, 481, "", |builder| builder);
        }
        let call_id = request.call_id().unwrap_or_default().to_owned();
        self.events.push_back(UaEvent::DialogUnknown { flow: incoming.flow, method: request.method().clone(), call_id });
    }

    /// §16.3, §21.4.1: says what is wrong, where the request can be answered at all.
    fn refuse_malformed(&mut self, request: Request, flow: Flow, fault: Fault) {
        let bytes = request.raw().clone();
        let answered = fault.code().filter(|_| request.has(HeaderName::Via)).and_then(|code| {
            let sent = match Origin::of(&request, flow, &self.ids) {
                Ok(origin) => {
                    let incoming = IncomingRequest::new(request, flow, origin);
                    self.refuse_stateless(&incoming, code, fault.reason(), |builder| builder)
                }
                // A Via of another version, say (RFC 4475 §3.1.2.16): the packet's source is all that is left.
                Err(_) => {
                    let tag = self.ids.tag(0);
                    let response = self.begin_response(&request, code, fault.reason(), Some(&tag)).build();
                    response
                        .map(|response| self.layer.send(Transmit { flow, bytes: response.raw().clone(), retransmission: false }))
                        .map_err(VerbError::from)
                }
            };
            sent.ok().map(|()| code)
        });
        self.events.push_back(UaEvent::Malformed { flow, fault, answered, bytes });
    }

    fn is_overloaded(&self) -> bool {
        let limits = &self.config.limits;
        self.layer.waiting() >= limits.transactions || self.layer.lingering() >= limits.lingering || self.sessions.len() >= limits.sessions
    }

    /// RFC 5923: a peer that opened a new connection is answered, and asked, over that one.
    fn follow_connection(&mut self, id: SessionId, flow: Flow) {
        if let Some(session) = self.sessions.get_mut(id)
            && flow.connection.is_some()
            && session.flow.transport == flow.transport
            && session.flow.remote.ip() == flow.remote.ip()
        {
            session.flow = flow;
        }
    }
}

/// What a request's top Via tells: which transaction it is of, and where responses go.
struct Origin {
    key: ServerKey,
    reply_to: SocketAddr,
    elsewhere: u16,
}

impl Origin {
    fn of(request: &Request, flow: Flow, ids: &Ids) -> Result<Self, ViaError> {
        let top = request.top_via()?;
        // §18.2.2: over a stream the response goes back the way the request came.
        let direct = if flow.transport.is_reliable() { None } else { response_address(&top, flow.remote) };
        Ok(Self {
            key: ServerKey::of(request, &top, ids),
            reply_to: direct.unwrap_or(flow.remote),
            elsewhere: top.port().unwrap_or(flow.transport.default_port()),
        })
    }
}

impl IncomingRequest {
    fn new(request: Request, flow: Flow, Origin { key, reply_to, elsewhere }: Origin) -> Self {
        Self { request, flow, key, reply_to, elsewhere }
    }

    pub(super) fn reply(&self) -> Flow {
        Flow { remote: self.reply_to, ..self.flow }
    }
}
