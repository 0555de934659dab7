//! Carries out what a transfer wants: verbs of the user agent, media commands, events.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use smallvec::SmallVec;

use crate::{
    media::{MediaCommand, Playout},
    model::{AgentKind, CallEvent, CallId, Ended, Finding, LegId, LegOpened, LegRole, Party, Severity, settings},
    party::Output,
    sip::{
        dialog::{ClientCredentials, NewInvite},
        message::{Uri, unescape},
        transport::{
            Transport,
            target::{Targets, targets},
        },
    },
};

use super::{
    Switch, agent,
    leg::{Invitation, Leg, Stage},
    script_run::{ScriptRun, Sound},
    transfer::{Act, Happening},
};

impl Switch {
    pub(super) fn carry_out(&mut self, now: Instant, id: CallId, act: Act) {
        match act {
            Act::Tell(what) => self.tell(id, what),
            Act::TakePort => self.take_port(now, id),
            Act::Refuse { code, why } => self.refuse_claim(now, id, code, why),
            Act::Keep(kept) => self.outputs.push_back(Output::Keep { call: id, kept }),
            Act::InviteAgent => self.invite_agent(now, id),
            Act::InviteReturn { uri, headers } => self.invite_return(now, id, uri, headers),
            Act::RingCustomer { code, early } => self.ring_customer(now, id, code, early),
            Act::AnswerCustomer => self.answer_customer(now, id),
            Act::StartScript => self.start_script(id),
            Act::StopScript => {
                if let Some(stream) = self.customer_stream(id) {
                    self.media(MediaCommand::StopPlaying { stream });
                    self.media(MediaCommand::WatchSilence { stream, secs: None });
                    let settings = self.calls.get(&id).map(|call| call.transfer.settings());
                    if settings.is_some_and(|s| matches!(&s.agent, settings::Agent::Script(script) if ScriptRun::echoes(script))) {
                        self.media(MediaCommand::Disconnect { stream });
                    }
                }
            }
            Act::BridgeAgent => self.connect(id, LegRole::Agent),
            Act::BridgeReturn => {
                if let Some(stream) = self.customer_stream(id) {
                    self.media(MediaCommand::StopPlaying { stream });
                    // Contract §3: the bridge stays in the call and goes on transcribing both sides.
                    self.media(MediaCommand::Tap { stream, on: true });
                }
                self.connect(id, LegRole::Return);
            }
            Act::SendRefer { refer_to } => self.send_refer(now, id, &refer_to),
            Act::TellAgent { code, reason } => {
                if let Some((session, refer)) = self.calls.get_mut(&id).and_then(|call| call.agent_refer.take()) {
                    let _ = self.ua.notify(now, session, refer, &format!("SIP/2.0 {code} {reason}"), true);
                }
            }
            Act::RingOperator { answered, tone } => self.ring_operator(now, id, answered, tone),
            Act::OperatorOn => self.operator_on(now, id),
            Act::OperatorOff => self.operator_off(id),
            Act::HoldCustomer { on } => self.hold_customer(now, id, on),
            Act::HangUpAgent => self.hang_up(now, id, LegRole::Agent),
            Act::HangUpReturn => self.hang_up(now, id, LegRole::Return),
            Act::HangUpCustomer => self.hang_up(now, id, LegRole::Customer),
        }
    }

    fn invite_agent(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let settings = call.transfer.settings().clone();
        let settings::Agent::Sip { uri, .. } = &settings.agent else { return };
        self.tell(id, CallEvent::AgentInvited { kind: AgentKind::Sip, target: uri.clone() });
        let Some(call) = self.calls.get(&id) else { return };
        let headers = agent::headers(call.transfer.context(), &call.invite);
        self.open_leg(now, id, LegRole::Agent, uri, headers);
        // Before anything is configured: a stream that is only relayed makes no sound of its own.
        self.connect(id, LegRole::Agent);
    }

    fn invite_return(&mut self, now: Instant, id: CallId, uri: String, mut headers: Vec<(String, String)>) {
        // RFC 3261 §19.1.5: what the URI says after `?` are headers of the INVITE, never part of its Request-URI;
        // those that make up the message are not the URI's to set.
        if let Ok(parsed) = Uri::parse(&uri) {
            let own = parsed.headers().filter(|(name, _)| !is_the_messages_own(name));
            let own: Vec<_> = own.map(|(name, value)| (unescape(name).into_owned(), unescape(value).into_owned())).collect();
            headers.splice(0..0, own.into_iter().filter(|(_, value)| !value.chars().any(char::is_control)));
        }
        // It may still be on the operator's hold.
        self.resume_customer(now, id);
        if let Some(stream) = self.customer_stream(id) {
            // Nobody talks to the customer now, unless an agent is still there.
            if self.calls.get(&id).is_some_and(|call| call.current(LegRole::Agent).is_none()) {
                self.media(MediaCommand::Play { stream, what: Playout::Ringback, token: RINGBACK });
            }
        }
        self.open_leg(now, id, LegRole::Return, &uri, headers);
    }

    /// Opens a leg of ours: a port, then the addresses of its target, then its INVITE.
    fn open_leg(&mut self, now: Instant, id: CallId, role: LegRole, uri: &str, headers: Vec<(String, String)>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let number = LegId(u16::try_from(call.legs.len()).unwrap_or(u16::MAX));
        let mut leg = Leg::new(number, role);
        let target = Uri::parse(uri).map_or_else(|_| uri.to_owned(), |uri| uri.without_headers().to_string());
        leg.invitation = Some(Box::new(Invitation { target, headers }));
        call.legs.push(leg);
        if !self.open_sound(id, number) {
            return self.give_up(id, number, Ended::new("No RTP port is free", Party::Bridge, Some(503)));
        }
        self.want_ports();
        match Uri::parse(uri).map(|uri| targets(&uri)) {
            Ok(Targets::Literal(next_hops)) => self.place_invite(now, id, number, next_hops),
            Ok(Targets::Lookup { .. }) => {
                self.next_query = self.next_query.wrapping_add(1);
                self.lookups.insert(self.next_query, (id, number));
                self.outputs.push_back(Output::Resolve { query: self.next_query, uri: uri.to_owned() });
            }
            Err(fault) => self.give_up(id, number, Ended::new(format!("{uri} is no SIP URI: {fault}"), Party::Operator, None)),
        }
    }

    pub(super) fn handle_resolved(&mut self, now: Instant, query: u32, next_hops: Vec<(Transport, SocketAddr)>) {
        if let Some((id, number)) = self.lookups.remove(&query) {
            self.place_invite(now, id, number, next_hops);
            self.after(id);
        } else if let Some(session) = self.hops.remove(&query) {
            self.ua.aim_at(session, &next_hops);
        }
    }

    fn place_invite(&mut self, now: Instant, id: CallId, number: LegId, next_hops: Vec<(Transport, SocketAddr)>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let prefer = call.offered_codec();
        let (from, max_forwards) = (agent::caller_of(&call.invite), call.invite.max_forwards().unwrap_or(70).saturating_sub(1));
        let Some(leg) = call.leg_mut(number) else { return };
        // Given up while its target was being looked up.
        let Some(invitation) = leg.invitation.take() else { return };
        let Invitation { target, headers } = *invitation;
        let role = leg.role;
        let user = call.transfer.terms().and_then(|terms| terms.credentials_for(&target)).filter(|_| role == LegRole::Return);
        let credentials = user.map(|user| ClientCredentials {
            username: user.username.as_str().into(),
            password: user.secret.reveal().into(),
            in_dialog: false,
        });
        if next_hops.is_empty() {
            return self.give_up(id, number, Ended::new(format!("{target} does not resolve to an address"), Party::Network, None));
        }
        let offer = self.make_offer(id, number, prefer);
        let invite = NewInvite {
            target: target.clone(),
            next_hops,
            from,
            contact_user: CONTACT_USER.to_owned(),
            headers,
            offer,
            credentials,
            max_forwards,
            ..NewInvite::default()
        };
        match self.ua.invite(now, invite) {
            Ok(session) => {
                self.sessions.insert(session, (id, number));
                if let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)) {
                    leg.session = Some(session);
                }
                if let Some(info) = self.ua.session(session) {
                    let opened = LegOpened {
                        leg: number,
                        role,
                        sip_call_id: info.call_id.to_owned(),
                        remote: info.flow.remote,
                        uri: target,
                        incoming: false,
                    };
                    self.tell(id, CallEvent::LegOpened(opened));
                }
            }
            Err(fault) => self.give_up(id, number, Ended::new(format!("{target} can't be called: {fault}"), Party::Bridge, None)),
        }
    }

    /// A leg that never came to be.
    fn give_up(&mut self, id: CallId, number: LegId, why: Ended) {
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)) else { return };
        leg.stage = Stage::Over;
        leg.invitation = None;
        let what = match leg.role {
            LegRole::Agent => Happening::AgentFailed(why),
            LegRole::Return => Happening::ReturnLeft(why),
            LegRole::Customer => Happening::CustomerLeft(why),
        };
        self.close_sound(id, number);
        self.happens(id, what);
    }

    pub(super) fn ring_customer(&mut self, now: Instant, id: CallId, code: u16, early: bool) {
        let Some(session) = self.calls.get(&id).and_then(|call| call.legs.first()?.session) else { return };
        // Without an offer of the customer's there is nothing to answer early (RFC 3261 §13.2.1).
        let sdp = if early { self.answer_of_customer(id).unwrap_or_default() } else { None };
        let _ = self.ua.ring(now, session, code, sdp, &[]);
    }

    fn answer_customer(&mut self, now: Instant, id: CallId) {
        let Some(session) = self.calls.get(&id).and_then(|call| call.legs.first()?.session) else { return };
        let offered = self.calls.get(&id).is_some_and(|call| !call.invite.body().is_empty());
        let sdp = if offered { self.answer_of_customer(id) } else { Ok(self.make_offer(id, LegId(0), None)) };
        match sdp {
            Ok(sdp) => {
                let codec = self.calls.get(&id).and_then(|call| call.legs.first()?.codec());
                if self.ua.answer(now, session, sdp, &[]).is_ok() {
                    let codec = codec.map_or("to be offered", |codec| codec.name()).to_owned();
                    self.tell(id, CallEvent::CallAnswered { codec });
                    self.record_by_rule(id);
                }
            }
            Err(fault) => {
                let finding = Finding::new(
                    "offer-not-taken",
                    Severity::Error,
                    Party::Customer,
                    fault.to_string(),
                    "Without a stream that both sides can do there is no call (RFC 3264 §6, RFC 3261 §13.3.1.3)",
                    "Offer PCMU or PCMA over RTP/AVP with a usable address",
                );
                self.tell(id, CallEvent::FindingRaised { finding });
                let warning = fault.warning().map(|(code, text)| ("Warning".to_owned(), format!("{code} {CONTACT_USER} \"{text}\"")));
                let _ = self.ua.reject(now, session, fault.code(), "", warning.as_slice());
            }
        }
    }

    fn start_script(&mut self, id: CallId) {
        let Some(stream) = self.customer_stream(id) else { return };
        let Some(call) = self.calls.get(&id) else { return };
        let Some(run) = call.transfer.script() else { return };
        let (sound, silence) = (run.sound(call.transfer.context()), run.silence_secs());
        match sound {
            Sound::Nothing => {}
            Sound::Play(what) => self.media(MediaCommand::Play { stream, what, token: PROMPT }),
            Sound::Echo => {
                self.media(MediaCommand::Connect { a: stream, b: stream });
                self.media(MediaCommand::Play { stream, what: Playout::Tone { hz: BEEP_HZ, secs: 1.0 }, token: PROMPT });
            }
            Sound::Speak(text) => {
                self.next_query = self.next_query.wrapping_add(1);
                self.speeches.insert(self.next_query, id);
                self.outputs.push_back(Output::Speak { query: self.next_query, text });
            }
        }
        if let Some(secs) = silence {
            self.media(MediaCommand::WatchSilence { stream, secs: Some(secs as f32) });
        }
    }

    pub(super) fn handle_spoken(&mut self, query: u32, samples: Option<Arc<[i16]>>) {
        let Some(id) = self.speeches.remove(&query) else { return };
        // The script may be over by now.
        if self.calls.get(&id).is_none_or(|call| call.transfer.script().is_none()) {
            return;
        }
        match (samples, self.customer_stream(id)) {
            (Some(samples), Some(stream)) => self.media(MediaCommand::Play { stream, what: Playout::Prompt(samples), token: PROMPT }),
            (Some(_), None) => {}
            (None, _) => {
                let finding = Finding::new(
                    "prompt-not-played",
                    Severity::Warning,
                    Party::Operator,
                    "The script's text could not be spoken",
                    "The caller hears silence where the script wants to be heard",
                    "Install espeak-ng, or play a WAV file instead",
                );
                self.tell(id, CallEvent::FindingRaised { finding });
            }
        }
    }

    fn send_refer(&mut self, now: Instant, id: CallId, refer_to: &str) {
        let Some(session) = self.calls.get(&id).and_then(|call| call.legs.first()?.session) else { return };
        let local = self.ua.session(session).map(|info| info.local.to_owned()).unwrap_or_default();
        // RFC 3892: who refers, without the tag of this dialog.
        let referred_by = local.rsplit_once(";tag=").map_or(local.as_str(), |(address, _)| address).to_owned();
        match self.ua.refer(now, session, refer_to, &[("Referred-By".to_owned(), referred_by)]) {
            Ok(refer) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.refer = Some(refer);
                }
            }
            Err(fault) => self.happens(id, Happening::ReferAnswered { code: 481, reason: fault.to_string() }),
        }
    }

    fn hang_up(&mut self, now: Instant, id: CallId, role: LegRole) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let mut close: SmallVec<[LegId; 2]> = SmallVec::new();
        for leg in call.legs.iter_mut().filter(|leg| leg.role == role && !leg.is_gone()) {
            leg.stage = Stage::Over;
            leg.invitation = None;
            if let Some(session) = leg.session {
                let _ = self.ua.hang_up(now, session, &[], None);
            }
            close.push(leg.number);
        }
        // RFC 3261 §15.1.1: with the BYE it stops sending and listening, whenever that is answered.
        for number in close {
            self.close_sound(id, number);
        }
    }
}

/// RFC 3261 §19.1.5 and contract §3: headers that a URI may not bring into a request.
fn is_the_messages_own(name: &str) -> bool {
    const OWN: [&str; 18] = [
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Route",
        "Record-Route",
        "Max-Forwards",
        "Content-Length",
        "Content-Type",
        "body",
        "Method",
        "Authorization",
        "Proxy-Authorization",
        "Require",
        "Supported",
        "Session-Expires",
    ];
    let name = unescape(name);
    OWN.iter().any(|own| own.eq_ignore_ascii_case(&name)) || name.len() == 1
}

const CONTACT_USER: &str = "handback";
/// Before an echo: known to whoever checks the sound (`customer::sound_check`).
const BEEP_HZ: f32 = 1_400.0;
const PROMPT: u32 = 1;
const RINGBACK: u32 = 2;
