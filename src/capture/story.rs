//! What happened in a call, told from its messages in the events of a live call.

use std::{net::SocketAddr, sync::Arc};

use super::parties::Part;
use crate::{
    contract::{context, payload},
    media::Direction,
    model::{
        AgentKind, CallEvent, CallRecord, CallState, Context, Ended, LegId, LegOpened, LegRole, Party, ReturnMethod, ReturnVerdict,
        Timestamp,
    },
    sip::{
        dialog::sdp_of,
        message::{Fields, HeaderName, Message, Method, Request, Response},
        sdp::SessionDescription,
    },
};

/// Tells a call message by message.
pub struct Story {
    pub record: CallRecord,
    legs: Vec<Told>,
    /// How the customer's leg ended.
    ended: Option<(CallState, Ended)>,
    last: Timestamp,
}

/// What was told of a leg.
struct Told {
    part: Part,
    call_id: String,
    opened: bool,
    answered: bool,
    held: bool,
    over: bool,
    /// A REFER in it was sent by the near side and waits for its verdict.
    referring: bool,
}

/// One message with its place.
pub struct Said<'a> {
    pub at: Timestamp,
    pub leg: usize,
    pub by_near: bool,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub message: &'a Message,
}

impl Story {
    /// `legs`: the part of each, the customer's first, and its Call-ID.
    pub fn new(record: CallRecord, legs: impl Iterator<Item = (Part, String)>) -> Self {
        let told = |(part, call_id)| Told { part, call_id, opened: false, answered: false, held: false, over: false, referring: false };
        let last = record.started_at;
        Self { record, legs: legs.map(told).collect(), ended: None, last }
    }

    pub fn tell(&mut self, said: &Said<'_>) {
        self.last = said.at;
        if self.legs.get(said.leg).is_some_and(|leg| !leg.opened) {
            self.open(said);
        }
        match said.message {
            Message::Request(request) => self.request(said, request),
            Message::Response(response) => self.response(said, response),
        }
    }

    /// The call's record, its end told where it was seen.
    pub fn finish(mut self) -> CallRecord {
        let waits = self.legs.iter().any(|leg| leg.referring);
        if let (true, Some((state, _))) = (waits && self.ended.is_some(), &mut self.ended) {
            let why = "No NOTIFY told how the REFER ended";
            *state = CallState::Ended;
            self.record.apply(self.last, &CallEvent::ReturnSettled { verdict: ReturnVerdict::Unknown { why: why.to_owned() } });
        }
        // The customer's leg first, also where another one began before it.
        self.record.legs.sort_by_key(|leg| leg.opened.leg);
        if let Some((state, why)) = self.ended.take() {
            self.record.apply(self.last, &CallEvent::CallEnded { state, why });
        }
        self.record
    }

    /// Whether the capture shows how the call ended.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    fn apply(&mut self, at: Timestamp, event: &CallEvent) {
        self.record.apply(at, event);
    }

    fn open(&mut self, said: &Said<'_>) {
        let Some(leg) = self.legs.get_mut(said.leg) else { return };
        leg.opened = true;
        let (part, sip_call_id) = (leg.part, leg.call_id.clone());
        let fields = said.message.fields();
        let text = |name| fields.text(name).map(std::borrow::Cow::into_owned).unwrap_or_default();
        let target = if let Message::Request(request) = said.message { request.uri_text().to_owned() } else { String::new() };
        if said.leg == 0 {
            let source = if part.outgoing { said.local } else { said.remote };
            let arrived = CallEvent::CallArrived {
                from: without_tag(&text(HeaderName::From)),
                to: without_tag(&text(HeaderName::To)),
                request_uri: target.clone(),
                source,
                test_call: false,
            };
            self.apply(said.at, &arrived);
        }
        let uri =
            if part.outgoing { fields.to() } else { fields.from() }.map(|address| address.uri.as_str().to_owned()).unwrap_or_default();
        let opened =
            LegOpened { leg: LegId(said.leg as u16), role: part.role, sip_call_id, remote: said.remote, uri, incoming: !part.outgoing };
        self.apply(said.at, &CallEvent::LegOpened(opened));
        let usual = match part.role {
            LegRole::Customer => Party::Customer,
            LegRole::Agent => Party::Agent,
            LegRole::Return => Party::ReturnEndpoint,
        };
        if let Some(leg) = self.record.legs.last_mut().filter(|_| (part.near, part.far) != (Party::Bridge, usual)) {
            leg.ends = Some((part.near, part.far));
        }
        if part.role == LegRole::Agent && part.near == Party::Bridge {
            self.apply(said.at, &CallEvent::AgentInvited { kind: AgentKind::Sip, target });
        }
    }

    fn request(&mut self, said: &Said<'_>, request: &Request) {
        let Some(leg) = self.legs.get_mut(said.leg) else { return };
        let (role, near) = (leg.part.role, leg.part.near);
        match *request.method() {
            Method::INVITE if request.to_tag().is_none() => {
                // A new attempt, with credentials perhaps.
                leg.over = false;
                if said.leg == 0 {
                    self.ended = None;
                    self.read_context(said.at, request);
                } else if role == LegRole::Return && near == Party::Bridge && !leg.answered {
                    self.return_invite(said.at, request);
                }
            }
            Method::INVITE | Method::UPDATE => self.hold(said, request),
            Method::REFER if role == LegRole::Customer && near == Party::Bridge && said.by_near => self.refer(said, request),
            Method::BYE | Method::REFER if role == LegRole::Agent && !said.by_near => self.agent_ended(said.at, request),
            Method::NOTIFY if !said.by_near => self.notify(said, request),
            _ => {}
        }
        if *request.method() == Method::BYE {
            self.bye(said);
        }
    }

    fn read_context(&mut self, at: Timestamp, request: &Request) {
        let context = context::read(headers(request).iter().map(|(name, value)| (name.as_str(), value.as_str()))).0;
        // Sent again with credentials, it says the same again.
        if context != Context::default() && *self.record.context != context {
            self.record.apply(at, &CallEvent::ContextRead { context: Arc::new(context) });
        }
    }

    fn agent_ended(&mut self, at: Timestamp, request: &Request) {
        let headers = headers(request);
        if self.record.outcome.is_some() || !headers.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("x-ga-")) {
            return;
        }
        let end = payload::from_agent_headers(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.apply(
            at,
            &CallEvent::AgentEnded {
                outcome: end.outcome,
                current_task: end.current_task,
                transfer: end.transfer,
                reference: end.reference,
                by: Party::Agent,
            },
        );
    }

    fn refer(&mut self, said: &Said<'_>, request: &Request) {
        let decoded = payload::decode(&request.text(HeaderName::ReferTo).unwrap_or_default());
        self.outcome(said.at, &decoded);
        let payload = (!decoded.payload.items.is_empty()).then_some(decoded.payload.into());
        self.apply(said.at, &CallEvent::ReturnStarted { method: ReturnMethod::Refer, uri: decoded.return_uri, payload });
        if let Some(leg) = self.legs.get_mut(said.leg) {
            leg.referring = true;
        }
    }

    fn return_invite(&mut self, at: Timestamp, request: &Request) {
        // Sent again with credentials.
        if self.record.returns.last().is_some_and(|last| last.method == ReturnMethod::Invite && last.verdict.is_none()) {
            return;
        }
        let headers = headers(request);
        let end = payload::from_agent_headers(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let conversation = request.other(payload::CONVERSATION_ID);
        let what = payload::Return {
            return_uri: request.uri_text(),
            ext_conversation_id: conversation.as_deref(),
            outcome: end.outcome,
            transfer: &end.transfer,
            reference: &end.reference,
        };
        let payload = payload::encode(&what).ok().map(Into::into);
        if self.record.outcome.is_none() {
            let (transfer, reference) = (end.transfer.clone(), end.reference.clone());
            self.record
                .apply(at, &CallEvent::AgentEnded { outcome: end.outcome, current_task: None, transfer, reference, by: Party::Agent });
        }
        self.record.apply(at, &CallEvent::ReturnStarted { method: ReturnMethod::Invite, uri: request.uri_text().to_owned(), payload });
    }

    /// What goes back tells what the agent handed over, as far as it fitted.
    fn outcome(&mut self, at: Timestamp, decoded: &payload::Decoded) {
        if let (Some(outcome), None) = (decoded.outcome, self.record.outcome) {
            let (transfer, reference) = (decoded.transfer.clone(), decoded.reference.clone());
            self.apply(at, &CallEvent::AgentEnded { outcome, current_task: None, transfer, reference, by: Party::Agent });
        }
    }

    fn notify(&mut self, said: &Said<'_>, request: &Request) {
        let Some(leg) = self.legs.get_mut(said.leg).filter(|leg| leg.referring) else { return };
        let body = String::from_utf8_lossy(request.body());
        let status = body.lines().next().and_then(|line| line.strip_prefix("SIP/2.0 "));
        let terminated = request
            .text(HeaderName::SubscriptionState)
            .is_some_and(|state| state.trim_start().to_ascii_lowercase().starts_with("terminated"));
        let Some((code, reason)) =
            status.and_then(|status| Some((status.get(..3)?.parse::<u16>().ok()?, status.get(3..)?.trim().to_owned())))
        else {
            if terminated {
                leg.referring = false;
                let why = "The REFER's subscription ended without saying how it went".to_owned();
                self.apply(said.at, &CallEvent::ReturnSettled { verdict: ReturnVerdict::Unknown { why } });
            }
            return;
        };
        let is_news = self.record.returns.last().is_some_and(|last| last.last_code != Some(code));
        if !is_news {
            return;
        }
        if code >= 200 {
            leg.referring = false;
        }
        self.apply(said.at, &CallEvent::ReturnProgressed { code, reason: reason.clone(), by_notify: true });
        self.verdict(said.at, code, &format!("The return target said {code} {reason}"));
    }

    fn response(&mut self, said: &Said<'_>, response: &Response) {
        let Ok((_, method)) = response.cseq() else { return };
        let Some(leg) = self.legs.get_mut(said.leg) else { return };
        let (code, reason) = (response.code(), response.reason().trim().to_owned());
        let (role, near) = (leg.part.role, leg.part.near);
        match method {
            Method::INVITE => self.invite_answered(said, response),
            Method::REFER if said.by_near == (role != LegRole::Customer) && code >= 300 && leg.referring && !matches!(code, 401 | 407) => {
                leg.referring = false;
                self.verdict(said.at, code, &format!("The REFER was refused: {code} {reason}"));
            }
            _ => {}
        }
        if method == Method::INVITE && role == LegRole::Return && code > 100 && !matches!(code, 401 | 407) && near == Party::Bridge {
            self.apply(said.at, &CallEvent::ReturnProgressed { code, reason: reason.clone(), by_notify: false });
            self.verdict(said.at, code, &format!("The return endpoint said {code} {reason}"));
        }
    }

    /// What a final status means for the return under way.
    fn verdict(&mut self, at: Timestamp, code: u16, words: &str) {
        if self.record.returns.last().is_none_or(|last| last.verdict.is_some()) {
            return;
        }
        match code {
            200..300 => self.apply(at, &CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded }),
            300.. => self.apply(at, &CallEvent::ReturnFailed { why: Ended::new(words, Party::ReturnEndpoint, Some(code)) }),
            _ => {}
        }
    }

    fn invite_answered(&mut self, said: &Said<'_>, response: &Response) {
        let Some(leg) = self.legs.get_mut(said.leg) else { return };
        let id = LegId(said.leg as u16);
        let (code, role) = (response.code(), leg.part.role);
        match code {
            101..200 if role == LegRole::Agent => {
                let early_media = sdp_of(response).is_some();
                self.apply(said.at, &CallEvent::AgentRinging { leg: Some(id), code, early_media });
            }
            200..300 if !leg.answered => {
                leg.answered = true;
                match role {
                    LegRole::Customer if said.leg == 0 => {
                        let codec =
                            sdp(response).and_then(|sdp| sdp.media.first()?.rtp_formats().next()).map(|format| format.encoding.to_string());
                        self.apply(said.at, &CallEvent::CallAnswered { codec: codec.unwrap_or_default() });
                    }
                    LegRole::Agent => self.apply(said.at, &CallEvent::AgentAnswered { leg: Some(id) }),
                    _ => {}
                }
            }
            300.. if !leg.answered && !leg.over => {
                leg.over = true;
                let (side, text) = (if said.by_near { leg.part.near } else { leg.part.far }, response.reason().trim().to_owned());
                let why = match code {
                    487 => {
                        Ended::new("Cancelled before it was answered", if said.by_near { leg.part.far } else { leg.part.near }, Some(code))
                    }
                    _ => Ended::new(format!("{code} {text}"), side, Some(code)),
                };
                if said.leg == 0 {
                    self.ended = Some((if code == 487 { CallState::Ended } else { CallState::Refused }, why.clone()));
                }
                // A challenge is no end: the INVITE comes again.
                if !matches!(code, 401 | 407) {
                    self.apply(said.at, &CallEvent::LegEnded { leg: id, why });
                }
            }
            _ => {}
        }
    }

    /// A re-INVITE or UPDATE that puts on hold, or takes off it (RFC 3264 §8.4).
    fn hold(&mut self, said: &Said<'_>, request: &Request) {
        let Some(session) = sdp(request) else { return };
        let Some(section) = session.media.first() else { return };
        let zero = session.remote(section).is_some_and(|address| address.ip().is_unspecified());
        let held = zero || matches!(session.direction(section), Direction::SendOnly | Direction::Inactive);
        let Some(leg) = self.legs.get_mut(said.leg).filter(|leg| leg.held != held) else { return };
        leg.held = held;
        let id = LegId(said.leg as u16);
        self.apply(said.at, &if held { CallEvent::LegHeld { leg: id } } else { CallEvent::LegResumed { leg: id } });
    }

    fn bye(&mut self, said: &Said<'_>) {
        let Some(leg) = self.legs.get_mut(said.leg).filter(|leg| !leg.over) else { return };
        leg.over = true;
        let by = if said.by_near { leg.part.near } else { leg.part.far };
        let why = Ended::new(format!("{} hung up", titled(by)), by, None);
        if said.leg == 0 {
            let last = self.record.returns.last();
            let settled = last.and_then(|last| last.verdict.as_ref());
            let state = match settled {
                Some(ReturnVerdict::Succeeded) => CallState::Returned,
                _ => CallState::Ended,
            };
            // The bridge hangs up after the agent has handed over: the return by BYE (contract §3).
            if by == Party::Bridge
                && self.record.outcome.is_some()
                && last.is_none_or(|last| matches!(last.verdict, Some(ReturnVerdict::Failed { .. })))
            {
                self.apply(said.at, &CallEvent::ReturnStarted { method: ReturnMethod::Bye, uri: String::new(), payload: None });
                self.apply(said.at, &CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded });
                self.ended = Some((CallState::Returned, Ended::new("Returned by BYE", Party::Bridge, None)));
            } else {
                let why = match (state, last) {
                    (CallState::Returned, Some(last)) => Ended::new(format!("Returned by {}", last.method.name()), by, None),
                    _ => why.clone(),
                };
                self.ended = Some((state, why));
            }
        }
        self.apply(said.at, &CallEvent::LegEnded { leg: LegId(said.leg as u16), why });
    }
}

fn sdp(fields: &Fields) -> Option<SessionDescription> {
    sdp_of(fields).and_then(|body| SessionDescription::parse(&body).ok())
}

/// Headers that SIP itself does not name: the contract's are among them.
fn headers(request: &Request) -> Vec<(String, String)> {
    let others = request.iter().filter(|(_, name, _)| *name == HeaderName::Other);
    others.map(|(name, _, value)| (name.to_owned(), value.into_owned())).collect()
}

/// The address alone: the tag is the dialog's.
fn without_tag(address: &str) -> String {
    address.split_once(";tag=").map_or(address, |(address, _)| address).to_owned()
}

fn titled(party: Party) -> String {
    let name = party.name();
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
