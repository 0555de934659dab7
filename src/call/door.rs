//! New requests: admitted, challenged, refused or ignored (contract §1), and an admitted INVITE becomes a call.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use crate::{
    contract::context,
    findings,
    media::MediaCommand,
    model::{self, CallEvent, CallId, CallState, Ended, Finding, LegId, LegOpened, LegRole, Party, Severity},
    party::Output,
    sip::{
        dialog::IncomingRequest,
        digest::server::Answer,
        message::{HeaderName, Method, Request},
    },
};

use super::{
    Switch,
    admission::{Knock, Verdict},
    leg::{Leg, Sound},
    switch::{Call, mix},
    throttle::Treatment,
    transfer::{Happening, Transfer},
};

impl Switch {
    pub(super) fn handle_request(&mut self, now: Instant, incoming: IncomingRequest) {
        let source = incoming.flow.remote.ip();
        if *incoming.request.method() == Method::OPTIONS && self.settings.sip.options_for_anyone {
            if self.throttle.unadmitted(now, source) == Treatment::Answer
                && let Some(incoming) = self.ua.screen(now, incoming)
            {
                self.respond(now, incoming, 200, "");
            }
            return;
        }
        let credentials: Vec<_> = incoming.request.auth(HeaderName::Authorization).filter(|value| value.is_digest()).collect();
        let answers: Vec<_> = credentials.iter().filter_map(|value| Answer::read(value.params())).collect();
        let knock =
            Knock { method: incoming.request.method().as_str(), request_uri: incoming.request.uri_text(), source, answers: &answers };
        match self.admission.judge(now, knock) {
            Verdict::Admitted { peer, by } => {
                self.throttle.admitted(source);
                let incoming = match self.ua.screen_or_refused(now, incoming) {
                    Ok(incoming) => incoming,
                    Err(refused) => {
                        let (incoming, code) = *refused;
                        // The refusal of a call is something to be seen; the message itself says what was wrong.
                        if *incoming.request.method() == Method::INVITE && code != 482 {
                            self.record_refusal(&incoming, code, why_refused(code), Treatment::Answer, None);
                        }
                        return;
                    }
                };
                match *incoming.request.method() {
                    Method::INVITE => self.open_call(now, incoming, peer, by),
                    // The user agent's screen lets only OPTIONS through beside INVITE.
                    _ => self.respond(now, incoming, 200, ""),
                }
            }
            Verdict::Challenged { www_authenticate, wrong } => {
                let treatment = match &wrong {
                    Some(_) => self.throttle.failed(now, source),
                    None => self.throttle.unadmitted(now, source),
                };
                if let Some(why) = wrong {
                    self.record_refusal(&incoming, 401, &why, treatment, None);
                }
                if treatment == Treatment::Answer {
                    self.challenge(now, incoming, www_authenticate);
                }
            }
            Verdict::Forbidden { why } => {
                let treatment = self.throttle.failed(now, source);
                let finding = findings::refused_source(source, self.admission.peers());
                self.record_refusal(&incoming, 403, &why, treatment, Some(finding));
                if treatment == Treatment::Answer {
                    let _ = self.ua.respond_stateless(now, incoming, 403, "", &[]);
                }
            }
        }
    }

    /// A challenge is at most half as long again as what it answers: nobody is to use us to flood another.
    fn challenge(&mut self, now: Instant, incoming: IncomingRequest, values: Vec<String>) {
        let all: usize = values.iter().map(|v| v.len() + 22).sum();
        let room = incoming.request.raw().len();
        let few = if all > room { 1 } else { values.len() };
        let headers: Vec<_> = values.into_iter().take(few).map(|value| ("WWW-Authenticate".to_owned(), value)).collect();
        let _ = self.ua.respond_stateless(now, incoming, 401, "", &headers);
    }

    fn respond(&mut self, now: Instant, incoming: IncomingRequest, code: u16, reason: &str) {
        // That it can't be written is its sender's loss, who asks again.
        let _ = self.ua.respond(now, incoming, code, reason, &[]);
    }

    fn open_call(&mut self, now: Instant, incoming: IncomingRequest, peer: usize, by: model::Admission) {
        let overload = if self.draining {
            Some("The bridge is going down and takes no new calls")
        } else if self.calls.len() >= self.settings.limits.calls {
            Some("As many calls as the settings allow are running")
        } else if !self.rate.take(now) {
            Some("More new calls a second than the settings allow")
        } else {
            None
        };
        if let Some(why) = overload {
            self.record_refusal(&incoming, 503, why, Treatment::Answer, None);
            return self.respond(now, incoming, 503, "");
        }
        let (invite, flow) = (incoming.request.clone(), incoming.flow);
        let Ok(session) = self.ua.accept_invite(now, incoming) else { return };
        let id = self.new_call_id();
        self.arrived(id, &invite, flow.remote);
        let name = self.admission.peers().get(peer).map_or(String::new(), |peer| peer.name.clone());
        self.tell(id, CallEvent::CallAdmitted { peer: name, by });
        let (context, findings) = context::read(invite.others_with_prefix("X-"));
        let context = Arc::new(context);
        self.tell(id, CallEvent::ContextRead { context: context.clone() });
        for finding in findings {
            self.tell(id, CallEvent::FindingRaised { finding });
        }
        let mut customer = Leg::new(LegId(0), LegRole::Customer);
        customer.session = Some(session);
        self.sessions.insert(session, (id, LegId(0)));
        match self.claim_of(&invite, &context) {
            Some(key) => {
                let transfer = Transfer::claiming(now, self.settings.clone(), peer, context);
                self.calls.insert(id, Call::new(transfer, invite, flow.remote, customer));
                self.claim(id, key);
            }
            None => {
                let transfer = Transfer::new(self.settings.clone(), peer, context);
                self.calls.insert(id, Call::new(transfer, invite, flow.remote, customer));
                self.take_port(now, id);
            }
        }
    }

    /// The call is taken: it gets a port as soon as there is one.
    pub(super) fn take_port(&mut self, now: Instant, id: CallId) {
        self.link_attempts(id);
        self.waiting.push_back(id);
        self.begin_waiting(now, false);
        self.want_ports();
    }

    /// Ports have come: calls that waited for one go on; with no port in sight they are refused.
    pub(super) fn handle_ports(&mut self, now: Instant, ports: Vec<u16>) {
        let exhausted = ports.is_empty() && self.ports.free() == 0;
        self.ports.add(ports);
        self.begin_waiting(now, exhausted);
    }

    fn begin_waiting(&mut self, now: Instant, exhausted: bool) {
        while let Some(id) = self.waiting.front().copied() {
            if self.calls.get(&id).is_none_or(|call| call.transfer.leaving().is_some()) {
                self.waiting.pop_front();
                continue;
            }
            if self.open_sound(id, LegId(0)) {
                self.waiting.pop_front();
                self.happens(id, Happening::PortReady);
                continue;
            }
            if !exhausted {
                break;
            }
            self.waiting.pop_front();
            self.tell(id, CallEvent::FindingRaised { finding: no_ports() });
            if let Some(session) = self.calls.get(&id).and_then(|call| call.legs.first()?.session) {
                let _ = self.ua.reject(now, session, 503, "", &[("Retry-After".to_owned(), "5".to_owned())]);
            }
        }
    }

    /// Takes a port for the leg's sound; `false` where none is free.
    pub(super) fn open_sound(&mut self, id: CallId, number: LegId) -> bool {
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)) else { return false };
        if leg.sound.is_some() {
            return true;
        }
        let Some(port) = self.ports.take() else { return false };
        self.next_stream = self.next_stream.wrapping_add(1);
        let stream = crate::media::StreamId(self.next_stream);
        leg.sound = Some(Sound::new(stream, port, mix(self.seed ^ 0x5d_0000_0000 ^ u64::from(self.next_stream))));
        self.streams.insert(stream, (id, number));
        self.outputs.push_back(Output::Media(MediaCommand::Open { stream, port }));
        self.outputs.push_back(Output::StreamOf { call: id, stream });
        true
    }

    fn arrived(&mut self, id: CallId, invite: &Request, source: SocketAddr) {
        let [from, to] = [HeaderName::From, HeaderName::To].map(|name| invite.uri_of(name).unwrap_or_default());
        let what = CallEvent::CallArrived { from: from.clone(), to, request_uri: invite.uri_text().to_owned(), source, test_call: false };
        self.tell(id, what);
        self.tell(
            id,
            CallEvent::LegOpened(LegOpened {
                leg: LegId(0),
                role: LegRole::Customer,
                sip_call_id: invite.call_id().unwrap_or_default().to_owned(),
                remote: source,
                uri: from,
                incoming: true,
            }),
        );
    }

    /// A refused INVITE is a call, too: people look for it. Repetitions, and what gets no answer, are not.
    fn record_refusal(&mut self, incoming: &IncomingRequest, code: u16, why: &str, treatment: Treatment, finding: Option<Finding>) {
        let invite = &incoming.request;
        if *invite.method() != Method::INVITE || treatment == Treatment::Ignore {
            return;
        }
        let call_id = invite.call_id().unwrap_or_default();
        if self.refused.iter().any(|known| known == call_id) {
            return;
        }
        if self.refused.len() >= MOST_REFUSED {
            self.refused.pop_front();
        }
        self.refused.push_back(call_id.to_owned());
        let id = self.new_call_id();
        self.arrived(id, invite, incoming.flow.remote);
        if let Some(finding) = finding {
            self.tell(id, CallEvent::FindingRaised { finding });
        }
        if treatment == Treatment::Silence {
            self.tell(id, CallEvent::FindingRaised { finding: silenced(incoming.flow.remote.ip()) });
        }
        self.tell(id, CallEvent::CallEnded { state: CallState::Refused, why: Ended::new(why, Party::Bridge, Some(code)) });
    }
}

/// What a code says that the user agent refuses an INVITE with (RFC 3261 §8.2).
fn why_refused(code: u16) -> &'static str {
    match code {
        415 => "The INVITE's body is of a type or encoding that is not taken: application/sdp is",
        420 => "The INVITE requires an extension that is not spoken here (its Require header)",
        422 => "The INVITE asks for a session timer that is too short",
        483 => "The INVITE has come through too many servers (Max-Forwards is 0)",
        _ => "The INVITE can't be taken",
    }
}

fn silenced(source: IpAddr) -> Finding {
    Finding::new(
        "source-silenced",
        Severity::Warning,
        Party::Customer,
        format!("{source} goes on after many refusals"),
        "Its messages are dropped unread for a minute, so that guessing costs it more than us",
        "Correct the address list or the credentials on the side that is wrong",
    )
}

fn no_ports() -> Finding {
    Finding::new(
        "no-rtp-port",
        Severity::Error,
        Party::Operator,
        "All RTP ports of the range are in use",
        "Each leg of a call needs an even port and the one above it; without one the call is refused with 503",
        "Widen media.ports, or lower limits.calls to half the number of port pairs",
    )
}

/// Refused Call-IDs that are remembered.
const MOST_REFUSED: usize = 64;
