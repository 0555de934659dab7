//! The call comes back: a REFER in the call that we placed (RFC 3515), or an INVITE at the return point (contract §3).

use std::{
    borrow::Cow,
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::{
    leg::{Leg, Stage, Voice},
    run::Run,
    site::{LegKind, Side, Site},
};
use crate::{
    contract::payload,
    media::Playout,
    model::{
        CallEvent, Ended, Finding, LegOpened, LegRole, OnReturn, Party, Payload, PayloadItem, PayloadPart, ReturnMethod, ReturnVerdict,
    },
    party::TakenBack,
    sip::{
        dialog::{IncomingRequest, ReferId, SessionId},
        message::{HeaderName, Request},
    },
};

/// A REFER that was accepted, until the last NOTIFY about it is out.
#[derive(Debug)]
pub(super) struct Referral {
    session: SessionId,
    refer: ReferId,
    /// Where to call: the URI of Refer-To without its headers, which become headers of the INVITE (RFC 3261 §19.1.1).
    pub target: String,
    pub headers: Vec<(String, String)>,
    state: ReferralState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReferralState {
    /// The return call decides.
    Underway,
    /// It fails at this moment, because that was asked for.
    FailsAt(Instant),
    /// 202 and then nothing, because that was asked for.
    Silent,
    Settled,
}

impl Referral {
    pub fn is_settled(&self) -> bool {
        matches!(self.state, ReferralState::Settled | ReferralState::Silent)
    }

    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            ReferralState::FailsAt(at) => Some(at),
            _ => None,
        }
    }
}

impl Run {
    /// The bridge asks us to call the return URI.
    pub fn refer_came(&mut self, now: Instant, site: &mut Site, session: SessionId, refer: ReferId, request: &Request) {
        // RFC 3515 §2.4.2: exactly one Refer-To, else 400.
        let mut targets = request.texts(HeaderName::ReferTo);
        let (Some(refer_to), None) = (targets.next(), targets.next()) else {
            self.refuse_refer(now, site, session, refer, 400);
            self.journal.fault(now, "REFER without exactly one Refer-To, refused with 400");
            return;
        };
        if self.referral.as_ref().is_some_and(|r| !r.is_settled()) {
            self.refuse_refer(now, site, session, refer, 491);
            self.journal.fault(now, "A second REFER while the first was being carried out, refused with 491");
            return;
        }
        let decoded = payload::decode(&refer_to);
        self.return_seen = true;
        self.journal.step(now, format!("REFER to {}", decoded.target));
        self.journal.returned(ReturnMethod::Refer, Some(decoded.payload.clone()));
        site.event(
            self.id,
            CallEvent::ReturnStarted {
                method: ReturnMethod::Refer,
                uri: decoded.return_uri.clone(),
                payload: Some(decoded.payload.clone().into()),
            },
        );
        self.raise(site, decoded.findings);
        let callable = decoded.target.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip:"));
        match self.call.on_return {
            OnReturn::Refuse => {
                self.refuse_refer(now, site, session, refer, 603);
                self.journal.step(now, "Refused with 603, as asked");
                self.return_failed(site, Ended::new("Refused with 603", Party::Customer, Some(603)));
                return;
            }
            _ if !callable => {
                // RFC 3515 §2.4.2: a Refer-To that we can't act on is 4xx.
                self.refuse_refer(now, site, session, refer, 416);
                self.journal.fault(now, format!("{} cannot be called, refused with 416", decoded.target));
                self.return_failed(site, Ended::new("The return URI is no sip: URI", Party::Bridge, Some(416)));
                return;
            }
            _ => {
                let accepted = site.agent(Side::Sbc).accept_refer(now, session, refer, 202);
                self.check(now, accepted);
            }
        }
        // The payload's headers are those of the URI, in its order; the rest of the URI's headers follow.
        let mut headers: Vec<(String, String)> =
            decoded.payload.items.iter().map(|item| (item.parameter.clone(), item.value.clone())).collect();
        headers.extend(decoded.other_headers);
        // RFC 3892 §2.2: who referred us is told to whom we call.
        headers.extend(request.text(HeaderName::ReferredBy).map(|by| ("Referred-By".to_owned(), by.into_owned())));
        let mut referral = Referral { session, refer, target: decoded.target, headers, state: ReferralState::Underway };
        match self.call.on_return {
            OnReturn::Ignore => {
                referral.state = ReferralState::Silent;
                self.journal.step(now, "Accepted with 202, then silence, as asked");
            }
            OnReturn::AcceptThenFail => {
                referral.notify(now, site, "SIP/2.0 100 Trying", false);
                referral.state = ReferralState::FailsAt(now + FAILS_AFTER);
            }
            OnReturn::Accept | OnReturn::Refuse => {
                // RFC 3515 §2.4.4: the first NOTIFY goes at once, whatever is known.
                referral.notify(now, site, "SIP/2.0 100 Trying", false);
                self.place_return_call(now, site, referral.target.clone());
            }
        }
        self.referral = Some(referral);
    }

    /// The clock says that an accepted referral is to fail now.
    pub fn referral_due(&mut self, now: Instant, site: &mut Site) {
        let Some(referral) = self.referral.as_mut().filter(|r| r.deadline().is_some_and(|at| at <= now)) else { return };
        referral.settle(now, site, 503, "Service Unavailable");
        self.journal.step(now, "Reported 503, as asked");
        self.return_failed(site, Ended::new("Reported 503", Party::Customer, Some(503)));
    }

    /// The return call is over without a word: its referrer is told so.
    pub fn referral_abandoned(&mut self, now: Instant, site: &mut Site) {
        if let Some(referral) = self.referral.as_mut().filter(|r| r.state == ReferralState::Underway) {
            referral.settle(now, site, 487, "Request Terminated");
        }
    }

    /// The referrer refused a NOTIFY or answered none: nobody is left to be told.
    pub fn referral_unheard(&mut self, now: Instant) {
        if let Some(referral) = self.referral.as_mut().filter(|r| !r.is_settled()) {
            referral.state = ReferralState::Settled;
            self.journal.step(now, "The far side wants no NOTIFY");
        }
    }

    pub fn return_call_progressed(&mut self, now: Instant, site: &mut Site, code: u16, reason: &str) {
        if code == 100 {
            return;
        }
        site.event(self.id, CallEvent::ReturnProgressed { code, reason: reason.to_owned(), by_notify: false });
        if let Some(referral) = &self.referral {
            referral.notify(now, site, &format!("SIP/2.0 {code} {reason}"), false);
        }
    }

    pub fn return_call_answered(&mut self, now: Instant, site: &mut Site, sdp: Option<&[u8]>) {
        let hang_up_at = now + site.setup.return_call;
        let Some(leg) = self.leg(LegKind::ReturnCall) else { return };
        leg.stage = Stage::Up;
        leg.answered_at = Some(now);
        leg.hang_up_at = Some(hang_up_at);
        if leg.take_answer(site, sdp.unwrap_or_default()).is_ok() {
            leg.speak(site, None);
        }
        if let Some(referral) = &mut self.referral {
            referral.settle(now, site, 200, "OK");
        }
        self.journal.step(now, "Return call answered");
        self.return_taken(now, site);
    }

    /// The return call did not come to be; whoever referred us learns the code.
    pub fn return_call_rejected(&mut self, now: Instant, site: &mut Site, code: u16, reason: &str) {
        if let Some(referral) = &mut self.referral {
            referral.settle(now, site, code, reason);
        }
        match self.hung_up {
            Some(_) => self.journal.step(now, "Return call given up"),
            None => self.journal.fault(now, format!("Return call failed: {code} {reason}")),
        }
        self.return_failed(site, Ended::new(format!("{code} {reason}"), Party::ReturnEndpoint, Some(code)));
    }

    /// An INVITE that is the return of this call. `ours`: our own SBC sends it, as a REFER asked.
    pub fn return_invite(&mut self, now: Instant, site: &mut Site, side: Side, incoming: IncomingRequest, ours: bool) {
        let number = (!ours).then(|| self.number_leg());
        let request = incoming.request.clone();
        let flow = incoming.flow;
        self.taken_back = Some(taken_back(&request, flow.local));
        let mut leg =
            Leg::new(self.id, LegKind::ReturnPoint, number, Voice::Played(Playout::Tone { hz: RETURN_POINT_HZ, secs: f32::INFINITY }));
        leg.side = side;
        leg.stage = Stage::Calling;
        let accepted = site.agent(side).accept_invite(now, incoming);
        let Some(session) = self.check(now, accepted) else { return };
        leg.session = Some(session);
        site.sessions.insert((side, session), (self.id, LegKind::ReturnPoint));
        if let Some(number) = number {
            let uri = request.from().map(|from| from.uri.to_string()).unwrap_or_default();
            let sip_call_id = request.call_id().unwrap_or_default().to_owned();
            let opened = LegOpened { leg: number, role: LegRole::Return, sip_call_id, remote: flow.remote, uri, incoming: true };
            site.event(self.id, CallEvent::LegOpened(opened));
            self.return_seen = true;
            let payload = payload_of_headers(&request);
            self.journal.step(now, format!("Return INVITE to {}", request.uri_text()));
            self.journal.returned(ReturnMethod::Invite, Some(payload.clone()));
            let started = CallEvent::ReturnStarted {
                method: ReturnMethod::Invite,
                uri: request.uri_text().to_owned(),
                payload: Some(payload.into()),
            };
            site.event(self.id, started);
        }
        let has_port = leg.take_port(site);
        self.legs.push(leg);
        match self.call.on_return {
            // What was asked is done by the SBC, where the REFER came in; the return point behind it just answers.
            _ if ours => self.answer_return(now, site, &request, has_port),
            OnReturn::Accept => self.answer_return(now, site, &request, has_port),
            OnReturn::Refuse => self.reject_return(now, site, 603, "Decline", "Refused with 603, as asked"),
            OnReturn::Ignore => self.journal.step(now, "Left unanswered, as asked"),
            OnReturn::AcceptThenFail => {
                let rung = site.agent(side).ring(now, session, 180, None, &[]);
                self.check(now, rung);
                self.reject_return(now, site, 503, "Service Unavailable", "Rung, then refused with 503, as asked");
            }
        }
    }

    /// ACK for our 200 at the return point: now the call is truly back.
    pub fn return_point_established(&mut self, now: Instant, site: &mut Site, answer: Option<&[u8]>) {
        let return_call = site.setup.return_call;
        let Some(leg) = self.leg(LegKind::ReturnPoint) else { return };
        leg.stage = Stage::Up;
        leg.answered_at = Some(now);
        if let Some(answer) = answer {
            let _ = leg.take_answer(site, answer);
        }
        leg.speak(site, None);
        if let Some(taken) = self.taken_back.take() {
            site.took_back(taken);
        }
        let Some(leg) = self.leg(LegKind::ReturnPoint) else { return };
        // A call that we placed ourselves is hung up by the one who placed it.
        if leg.number.is_some() {
            leg.hang_up_at = Some(now + return_call);
            self.journal.step(now, "Return call answered");
            self.return_taken(now, site);
        }
    }

    fn answer_return(&mut self, now: Instant, site: &mut Site, request: &Request, has_port: bool) {
        let Some(leg) = self.leg(LegKind::ReturnPoint) else { return };
        let (side, Some(session)) = (leg.side, leg.session) else { return };
        let sdp = match request.body() {
            _ if !has_port => Err("no port is free for the sound".to_owned()),
            // A late offer (RFC 3261 §13.2.1): the offer goes in the 200, the answer comes in the ACK.
            [] => leg.offer(site).ok_or_else(|| "no sound".to_owned()),
            offer => leg.take_offer(site, offer),
        };
        match sdp {
            Ok(sdp) => {
                let rung = site.agent(side).ring(now, session, 180, None, &[]);
                self.check(now, rung);
                let answered = site.agent(side).answer(now, session, Some(sdp), &[]);
                self.check(now, answered);
            }
            Err(why) => {
                self.journal.fault(now, format!("The return's offer could not be taken: {why}"));
                self.reject_return(now, site, 488, "Not Acceptable Here", "Refused with 488");
            }
        }
    }

    fn reject_return(&mut self, now: Instant, site: &mut Site, code: u16, reason: &str, step: &str) {
        let Some(leg) = self.leg(LegKind::ReturnPoint) else { return };
        let (side, Some(session), numbered) = (leg.side, leg.session, leg.number.is_some()) else { return };
        let rejected = site.agent(side).reject(now, session, code, reason, &[]);
        self.check(now, rejected);
        self.journal.step(now, step);
        // A return call of our own tells its failure itself, where it was placed.
        if numbered {
            self.return_failed(site, Ended::new(format!("Refused with {code}"), Party::Customer, Some(code)));
        }
    }

    fn place_return_call(&mut self, _now: Instant, site: &mut Site, target: String) {
        let number = self.number_leg();
        let voice = self.order.as_ref().map_or(Voice::Played(Playout::Silence), |order| order.voice.clone());
        let mut leg = Leg::new(self.id, LegKind::ReturnCall, Some(number), voice);
        leg.take_port(site);
        self.legs.push(leg);
        site.look_up(target, (self.id, LegKind::ReturnCall));
    }

    fn return_taken(&mut self, now: Instant, site: &mut Site) {
        self.return_succeeded = true;
        site.event(self.id, CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded });
        // After a REFER the bridge's BYE is due now; after an INVITE it has bridged the two, and the return's end ends both.
        if self.journal.returned_by() == Some(ReturnMethod::Refer) {
            self.expect_end_of_call(now, site);
        }
    }

    fn return_failed(&mut self, site: &mut Site, why: Ended) {
        site.event(self.id, CallEvent::ReturnFailed { why });
    }

    fn refuse_refer(&mut self, now: Instant, site: &mut Site, session: SessionId, refer: ReferId, code: u16) {
        let refused = site.agent(Side::Sbc).refuse_refer(now, session, refer, code);
        self.check(now, refused);
    }

    fn raise(&mut self, site: &mut Site, findings: Vec<Finding>) {
        for finding in findings {
            site.event(self.id, CallEvent::FindingRaised { finding });
        }
    }
}

impl Referral {
    fn notify(&self, now: Instant, site: &mut Site, sipfrag: &str, terminated: bool) {
        // Where the session is gone, nobody is left to be told.
        let _ = site.agent(Side::Sbc).notify(now, self.session, self.refer, sipfrag, terminated);
    }

    /// The final NOTIFY, which ends the subscription.
    fn settle(&mut self, now: Instant, site: &mut Site, code: u16, reason: &str) {
        if self.state != ReferralState::Settled {
            self.state = ReferralState::Settled;
            self.notify(now, site, &format!("SIP/2.0 {code} {reason}"), true);
        }
    }
}

/// As the INVITE names itself.
fn taken_back(invite: &Request, at: SocketAddr) -> TakenBack {
    TakenBack {
        at,
        request_uri: invite.uri_text().to_owned(),
        conversation: invite.other(payload::CONVERSATION_ID).map(Cow::into_owned),
        // RFC 3891 §6.1: Call-ID, then the tags.
        replaces: invite.text(HeaderName::Replaces).map(|value| value.split(';').next().unwrap_or_default().trim().to_owned()),
    }
}

/// The payload as headers of a return INVITE (contract §3). Nothing is escaped there, so there are no spans.
fn payload_of_headers(request: &Request) -> Payload {
    let mut payload = Payload { limit: payload::LIMIT, ..Payload::default() };
    for (name, value) in request.others_with_prefix("X-GA-") {
        let starts = |prefix: &str| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
        let part = match () {
            () if name.eq_ignore_ascii_case(payload::CONVERSATION_ID) => PayloadPart::ConversationId,
            () if name.eq_ignore_ascii_case(payload::OUTCOME) => PayloadPart::Outcome,
            () if starts(payload::TRANSFER_PREFIX) => PayloadPart::Transfer,
            () if starts(payload::REFERENCE_PREFIX) => PayloadPart::Reference,
            () => continue,
        };
        let joint = usize::from(!payload.items.is_empty());
        let cost = joint + name.len() + 1 + crate::contract::uri_text::escaped_len(&value);
        payload.used += cost;
        let item = PayloadItem { part, parameter: name.to_string(), value: value.into_owned(), cost, start: 0, end: 0 };
        payload.items.push(item);
    }
    payload
}

/// Long enough for the 100 to be seen before it.
const FAILS_AFTER: Duration = Duration::from_millis(200);
/// Another tone than the caller's, so that each can be told from the other.
const RETURN_POINT_HZ: f32 = 660.0;
