//! What the user agent tells of a call's legs, as happenings of its transfer.

use std::time::Instant;

use crate::{
    findings,
    media::MediaCommand,
    model::{CallEvent, CallId, Ended, LegId, LegRole, Party},
    party::Output,
    sip::{
        dialog::{SessionEnd, SessionId, UaEvent},
        message::{Request, Response},
    },
};

use super::{
    Switch, agent,
    leg::{self, Stage},
    transfer::Happening,
};

impl Switch {
    pub(super) fn handle_ua_event(&mut self, now: Instant, event: UaEvent) {
        match event {
            UaEvent::Request(incoming) => self.handle_request(now, *incoming),
            UaEvent::NextHop { id, uri } => {
                self.next_query = self.next_query.wrapping_add(1);
                self.hops.insert(self.next_query, id);
                self.outputs.push_back(Output::Resolve { query: self.next_query, uri });
            }
            UaEvent::Progress { id, code, reason, sdp, .. } => self.leg_progressed(id, code, reason, sdp.as_ref()),
            UaEvent::Answered { id, response, sdp } => self.leg_answered(now, id, &response, sdp.as_ref()),
            // `Ended` follows and says the same.
            UaEvent::Rejected { .. } => {}
            UaEvent::Established { id, answer_sdp } => self.customer_ready(now, id, answer_sdp.as_deref()),
            UaEvent::Offer { id, sdp, .. } => self.offer_on_leg(now, id, &sdp),
            UaEvent::OfferWanted { id } => {
                if let Some((call, number)) = self.leg_of(id)
                    && let Some(offer) = self.make_offer(call, number, None)
                {
                    let _ = self.ua.answer_offer(now, id, offer);
                }
            }
            UaEvent::OfferAnswered { id, sdp } => {
                if let Some((call, number)) = self.leg_of(id)
                    && let Err(fault) = self.take_answer_on(call, number, &sdp)
                {
                    self.note(call, number, "answer-not-taken", &fault.to_string());
                }
                self.offer_is_over(now, id);
            }
            UaEvent::OfferRefused { id, .. } => {
                if let Some((call, number)) = self.leg_of(id)
                    && let Some(sound) = self.calls.get_mut(&call).and_then(|call| call.leg_mut(number)?.sound.as_mut())
                {
                    sound.withdraw();
                }
                self.offer_is_over(now, id);
            }
            UaEvent::Refer { id, refer, request } => self.refer_on_leg(now, id, refer, &request),
            UaEvent::ReferResponse { id, refer, code, reason } => {
                if let Some((call, _)) = self.leg_of(id)
                    && self.is_current_refer(call, refer)
                {
                    self.happens(call, Happening::ReferAnswered { code, reason });
                }
            }
            UaEvent::Notify { id, refer, sipfrag, terminated, .. } => {
                if let Some((call, _)) = self.leg_of(id)
                    && self.is_current_refer(call, refer)
                {
                    self.happens(call, Happening::Notified { said: sipfrag, terminated });
                }
            }
            UaEvent::SubscriptionEnded { id, .. } => {
                // The agent does not want to hear the verdict.
                if let Some((call, _)) = self.leg_of(id)
                    && let Some(call) = self.calls.get_mut(&call)
                {
                    call.agent_refer = None;
                }
            }
            UaEvent::Info { id, request } => self.info_on_leg(id, &request),
            UaEvent::Bye { id, request } => self.bye_on_leg(id, &request),
            // `Ended` follows.
            UaEvent::Cancelled { .. } => {}
            UaEvent::Ended { id, why } => self.leg_ended(id, &why),
            UaEvent::Note { id: Some(id), rule, text } => {
                if let Some((call, number)) = self.leg_of(id) {
                    self.note(call, number, rule, &text);
                }
            }
            UaEvent::Malformed { flow, fault, .. } => {
                self.malformed += 1;
                self.last_malformed = Some(format!("{} from {}", fault.reason(), flow.remote));
            }
            // Of no call: answered, and kept among the captured messages.
            UaEvent::Note { id: None, .. } | UaEvent::Pong { .. } | UaEvent::DialogUnknown { .. } => {}
        }
    }

    fn leg_of(&self, session: SessionId) -> Option<(CallId, LegId)> {
        self.sessions.get(&session).copied()
    }

    fn role_of(&self, id: CallId, number: LegId) -> Option<LegRole> {
        self.calls.get(&id)?.legs.get(usize::from(number.0)).map(|leg| leg.role)
    }

    fn is_current_refer(&self, call: CallId, refer: crate::sip::dialog::ReferId) -> bool {
        self.calls.get(&call).is_some_and(|call| call.refer == Some(refer))
    }

    /// What the protocol core noticed on a leg.
    fn note(&mut self, call: CallId, number: LegId, rule: &'static str, text: &str) {
        let side = match self.role_of(call, number) {
            Some(LegRole::Customer) => Party::Customer,
            Some(LegRole::Agent) => Party::Agent,
            Some(LegRole::Return) => Party::ReturnEndpoint,
            None => Party::Network,
        };
        self.tell(call, CallEvent::FindingRaised { finding: findings::of_note(rule, side, text) });
    }

    /// The offer that waited for another's answer goes out.
    fn offer_is_over(&mut self, now: Instant, session: SessionId) {
        if let Some((id, LegId(0))) = self.leg_of(session)
            && self.calls.get_mut(&id).and_then(|call| call.legs.first_mut()).is_some_and(leg::Leg::wants_to_offer)
        {
            self.offer_to_customer(now, id);
        }
    }

    fn leg_progressed(&mut self, session: SessionId, code: u16, reason: String, sdp: Option<&bytes::Bytes>) {
        let Some((id, number)) = self.leg_of(session) else { return };
        let configure = sdp.and_then(|sdp| {
            let leg = self.calls.get_mut(&id)?.leg_mut(number)?;
            leg.sound.as_mut()?.take_early_answer(sdp)
        });
        let early = configure.is_some();
        match self.role_of(id, number) {
            Some(LegRole::Agent) => {
                if let Some(configure) = configure {
                    self.media(configure);
                }
                self.tell(id, CallEvent::AgentRinging { leg: Some(number), code, early_media: early });
                self.happens(id, Happening::AgentRings { code, early });
            }
            Some(LegRole::Return) => {
                if let Some(configure) = configure {
                    // RFC 3960: the far end's own sound takes the place of our ringback.
                    if let Some(stream) = self.customer_stream(id) {
                        self.media(MediaCommand::StopPlaying { stream });
                    }
                    self.connect(id, LegRole::Return);
                    self.media(configure);
                }
                self.happens(id, Happening::ReturnRings { code, reason });
            }
            Some(LegRole::Customer) | None => {}
        }
    }

    fn leg_answered(&mut self, now: Instant, session: SessionId, response: &Response, sdp: Option<&bytes::Bytes>) {
        let Some((id, number)) = self.leg_of(session) else { return };
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)) else { return };
        if leg.stage == Stage::Over {
            return;
        }
        leg.stage = Stage::Up;
        let role = leg.role;
        let answer = sdp.cloned().or_else(|| leg.sound.as_mut()?.early_answer.take());
        if role == LegRole::Return {
            self.connect(id, LegRole::Return);
        }
        let taken = match answer {
            Some(answer) => self.take_answer_on(id, number, &answer).map_err(|fault| fault.to_string()),
            None => Err("it answered without SDP".to_owned()),
        };
        match (taken, role) {
            (Ok(()), LegRole::Agent) => {
                self.tell(id, CallEvent::AgentAnswered { leg: Some(number) });
                self.happens(id, Happening::AgentAnswered);
            }
            (Ok(()), _) => {
                self.happens(id, Happening::ReturnAnswered { code: response.code(), reason: response.reason().to_owned() });
            }
            (Err(fault), _) => {
                // §13.2.2.4: acknowledged already, so BYE; its end is told by `Ended`.
                let _ = self.ua.hang_up(now, session, &[], Some("SIP;cause=488;text=\"Not acceptable here\""));
                self.note(id, number, "answer-not-taken", &fault);
                if let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)) {
                    leg.stage = Stage::Opening;
                }
            }
        }
    }

    fn customer_ready(&mut self, now: Instant, session: SessionId, answer: Option<&[u8]>) {
        let Some((id, number)) = self.leg_of(session) else { return };
        if let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number))
            && leg.stage == Stage::Opening
        {
            leg.stage = Stage::Up;
        }
        // Our 200 made the offer, so the ACK brings the answer (RFC 3261 §13.2.1).
        let late = self.calls.get(&id).is_some_and(|call| call.invite.body().is_empty());
        if late {
            let taken = answer.map_or(Err("the ACK brought no SDP".to_owned()), |answer| {
                self.take_answer_on(id, number, answer).map_err(|fault| fault.to_string())
            });
            if let Err(fault) = taken {
                self.note(id, number, "answer-not-taken", &fault);
                let _ = self.ua.hang_up(now, session, &[], Some("SIP;cause=488;text=\"Not acceptable here\""));
                return;
            }
        }
        self.happens(id, Happening::CustomerReady);
    }

    /// Hold, a new address, another codec: each leg settles it for itself, since its media ends here.
    fn offer_on_leg(&mut self, now: Instant, session: SessionId, sdp: &[u8]) {
        let Some((id, number)) = self.leg_of(session) else { return };
        match self.answer_offer_on(id, number, sdp) {
            Ok(Some(answer)) => {
                let _ = self.ua.answer_offer(now, session, answer);
            }
            Ok(None) => {
                let _ = self.ua.refuse_offer(now, session, 488);
            }
            Err(fault) => {
                let _ = self.ua.refuse_offer(now, session, fault.code());
                self.note(id, number, "offer-not-taken", &fault.to_string());
            }
        }
    }

    fn refer_on_leg(&mut self, now: Instant, session: SessionId, refer: crate::sip::dialog::ReferId, request: &Request) {
        let Some((id, number)) = self.leg_of(session) else { return };
        let from_agent = self.role_of(id, number) == Some(LegRole::Agent);
        let can_end = self.calls.get(&id).is_some_and(|call| call.transfer.agent_can_end() && call.agent_refer.is_none());
        if !from_agent || !can_end {
            // Only an agent refers, and once: it is how it ends its part.
            let _ = self.ua.refuse_refer(now, session, refer, 603);
            return self.note(id, number, "refer-not-allowed", &format!("REFER on leg {} refused with 603", number.0));
        }
        if self.ua.accept_refer(now, session, refer, 202).is_ok() {
            let _ = self.ua.notify(now, session, refer, "SIP/2.0 100 Trying", false);
        }
        let (part, findings) = agent::part(request);
        for finding in findings {
            self.tell(id, CallEvent::FindingRaised { finding });
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.agent_refer = Some((session, refer));
        }
        self.happens(id, Happening::AgentDone { part, waits: true });
    }

    fn info_on_leg(&mut self, session: SessionId, request: &Request) {
        let Some((id, number)) = self.leg_of(session) else { return };
        let Some(digit) = agent::digit_of_info(request) else { return };
        let Some(call) = self.calls.get(&id) else { return };
        // The other side hears it as RFC 4733 says it.
        let other = match number {
            LegId(0) => [LegRole::Return, LegRole::Agent].into_iter().find_map(|role| call.current(role)?.stream()),
            _ => call.legs.first().and_then(leg::Leg::stream),
        };
        if let Some(stream) = other {
            self.media(MediaCommand::SendDtmf { stream, digits: digit.to_string() });
        }
        self.digit(id, number, digit);
    }

    fn bye_on_leg(&mut self, session: SessionId, request: &Request) {
        let Some((id, number)) = self.leg_of(session) else { return };
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)) else { return };
        let was_up = leg.stage == Stage::Up;
        leg.stage = Stage::Over;
        match leg.role {
            LegRole::Agent if was_up => {
                let (part, findings) = agent::part(request);
                for finding in findings {
                    self.tell(id, CallEvent::FindingRaised { finding });
                }
                self.happens(id, Happening::AgentDone { part, waits: false });
            }
            LegRole::Customer => {
                // Told now: the session itself may live on until a REFER's last NOTIFY.
                self.happens(id, Happening::CustomerLeft(Ended::new("The customer hung up", Party::Customer, None)));
            }
            // `Ended` follows.
            LegRole::Agent | LegRole::Return => {}
        }
    }

    fn leg_ended(&mut self, session: SessionId, why: &SessionEnd) {
        let Some((id, number)) = self.sessions.remove(&session) else { return };
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)) else { return };
        let (role, stage) = (leg.role, leg.stage);
        leg.session = None;
        leg.stage = Stage::Over;
        let why = leg::ended(role, role != LegRole::Customer, why);
        if let Some(call) = self.calls.get_mut(&id)
            && call.agent_refer.is_some_and(|(agent, _)| agent == session)
        {
            call.agent_refer = None;
        }
        self.tell(id, CallEvent::LegEnded { leg: number, why: why.clone() });
        self.close_sound(id, number);
        let what = match role {
            LegRole::Customer => Happening::CustomerLeft(why),
            LegRole::Agent if stage == Stage::Over => Happening::AgentLeft,
            LegRole::Agent => Happening::AgentFailed(why),
            LegRole::Return => Happening::ReturnLeft(why),
        };
        self.happens(id, what);
    }
}
