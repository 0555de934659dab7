//! Placing a call: INVITE with the context's headers, digest as a client, and what it says once it is up.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::{
    leg::{Leg, Stage},
    order,
    run::Run,
    site::{LegKind, Side, Site},
};
use crate::{
    model::{Admission, CallEvent, CallState, Ended, LegOpened, LegRole, Party, SoundCheck},
    sip::{
        dialog::{ClientCredentials, NewInvite},
        transport::Transport,
    },
};

impl Run {
    /// Begins the call that the order asks for.
    pub fn place(&mut self, site: &mut Site) {
        let Some(order) = &self.order else { return };
        let (lookup, voice) = (order.lookup.clone(), order.voice.clone());
        let number = self.number_leg();
        let mut leg = Leg::new(self.id, LegKind::Call, Some(number), voice);
        leg.take_port(site);
        self.legs.push(leg);
        site.look_up(lookup, (self.id, LegKind::Call));
    }

    /// Sends the INVITE of a leg that has an address and a port now.
    pub fn invite(&mut self, now: Instant, site: &mut Site, kind: LegKind, targets: Vec<(Transport, SocketAddr)>) {
        let Some(&(_, remote)) = targets.first() else { return };
        let Some(uri) = self.request_uri(kind) else { return };
        let (from, headers) = match (kind, &self.order) {
            (LegKind::Call, Some(order)) => (order.from.clone(), order.headers.clone()),
            (_, order) => {
                let from = order.as_ref().map_or_else(|| format!("<sip:customer@{}>", site.setup.host()), |order| order.from.clone());
                (from, self.referral.as_ref().map(|r| r.headers.clone()).unwrap_or_default())
            }
        };
        // The password answers the bridge that was called and nobody else (RFC 7616 §5.4).
        let credentials = match (kind, &self.call.user, &self.call.password) {
            (LegKind::Call, Some(user), Some(password)) => {
                Some(ClientCredentials { username: user.as_str().into(), password: password.reveal().into(), in_dialog: true })
            }
            _ => None,
        };
        let id = self.id;
        let Some(leg) = self.leg(kind) else { return };
        let invite = NewInvite {
            target: uri.clone(),
            next_hops: targets,
            from,
            contact_user: "customer".to_owned(),
            headers,
            offer: leg.offer(site),
            credentials,
            max_forwards: 70,
            ..NewInvite::default()
        };
        match site.agent(Side::Sbc).invite(now, invite) {
            Ok(session) => {
                leg.session = Some(session);
                leg.stage = Stage::Calling;
                let number = leg.number;
                site.sessions.insert((Side::Sbc, session), (id, kind));
                let sip_call_id = site.agent(Side::Sbc).session(session).map(|info| info.call_id.to_string()).unwrap_or_default();
                let role = if kind == LegKind::Call { LegRole::Customer } else { LegRole::Return };
                if kind == LegKind::Call {
                    self.announce(site, &uri, remote);
                }
                if let Some(leg) = number {
                    site.event(id, CallEvent::LegOpened(LegOpened { leg, role, sip_call_id, remote, uri, incoming: false }));
                }
                self.journal.step(now, if kind == LegKind::Call { "INVITE sent" } else { "Return INVITE sent" });
            }
            Err(why) => self.unreachable(now, site, kind, why.to_string()),
        }
    }

    /// A leg that cannot even be placed.
    pub fn unreachable(&mut self, now: Instant, site: &mut Site, kind: LegKind, why: String) {
        match kind {
            LegKind::Call => {
                let uri = self.request_uri(kind).unwrap_or_default();
                let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
                self.announce(site, &uri, nowhere);
                self.journal.fault(now, why.clone());
                self.ended.get_or_insert((CallState::Failed, Ended::new(why.clone(), Party::Network, None)));
            }
            // RFC 3515 §2.4.5: the referrer learns what became of it, 503 where nothing could be sent.
            LegKind::ReturnCall => {
                self.journal.fault(now, why.clone());
                self.return_call_rejected(now, site, 503, "Service Unavailable");
            }
            LegKind::ReturnPoint => {}
        }
        self.leg_over(now, site, kind, Ended::new(why, Party::Network, None));
    }

    /// The outgoing call's far side rings, or says something else on the way.
    pub fn call_progressed(&mut self, now: Instant, site: &mut Site, code: u16, reason: &str, sdp: Option<&[u8]>) {
        if code == 100 {
            return;
        }
        self.journal.step(now, format!("{code} {reason}"));
        let Some(leg) = self.leg(LegKind::Call) else { return };
        let number = leg.number;
        let early_media = sdp.is_some_and(|sdp| leg.take_early_answer(site, sdp));
        if early_media {
            leg.hear_early(site);
        }
        site.event(self.id, CallEvent::AgentRinging { leg: number, code, early_media });
    }

    /// The outgoing call was answered.
    pub fn call_answered(&mut self, now: Instant, site: &mut Site, sdp: Option<&[u8]>) {
        let checks = self.call.sound_check;
        let record = (checks || self.call.record.is_some()).then_some(MOST_RECORDED_SECS);
        let hang_up_after = self.call.hang_up_after_secs.or(checks.then_some(SoundCheck::LENGTH_SECS));
        let hang_up_at = hang_up_after.and_then(|secs| after(now, secs));
        let Some(leg) = self.leg(LegKind::Call) else { return };
        leg.stage = Stage::Up;
        leg.answered_at = Some(now);
        leg.hang_up_at = hang_up_at;
        match leg.take_answer(site, sdp.unwrap_or_default()) {
            Ok(codec) => {
                leg.speak(site, record);
                self.journal.step(now, format!("Answered, {codec}"));
                site.event(self.id, CallEvent::CallAnswered { codec: codec.to_owned() });
            }
            Err(why) => {
                self.journal.fault(now, format!("Answered, but with no sound to agree on: {why}"));
                self.hang_up(now, site, LegKind::Call, Ended::new(format!("The answer's SDP: {why}"), Party::Bridge, None));
            }
        }
        if self.call.dtmf.is_some() {
            self.digits_at = after(now, self.call.dtmf_after_secs);
        }
    }

    /// The call was refused, or never got through.
    /// `by_peer`: it said so itself; else our own stack gave up.
    pub fn call_rejected(&mut self, now: Instant, code: u16, reason: &str, by_peer: bool) {
        if self.hung_up.is_some() {
            return;
        }
        let (text, state, by) = match (by_peer, code) {
            (true, _) => (format!("Refused: {code} {reason}"), CallState::Refused, Party::Bridge),
            (false, 408) => ("No answer to the INVITE".to_owned(), CallState::Failed, Party::Network),
            (false, _) => {
                ("The INVITE could not be sent: the address refuses it or cannot be reached".to_owned(), CallState::Failed, Party::Network)
            }
        };
        self.journal.fault(now, text.clone());
        self.ended.get_or_insert((state, Ended::new(text, by, Some(code))));
    }

    pub fn send_digits(&mut self, now: Instant, site: &mut Site) {
        let Some(digits) = self.call.dtmf.clone() else { return };
        if self.leg(LegKind::Call).filter(|leg| leg.is_up()).is_some_and(|leg| leg.send_digits(site, &digits)) {
            self.journal.step(now, format!("Digits {digits}"));
        } else {
            self.journal.fault(now, "The digits could not be sent: the call is not up");
        }
    }

    /// Keys pressed by hand.
    ///
    /// # Errors
    /// No keys of a phone, or the call is not up; one sentence.
    pub fn press(&mut self, now: Instant, site: &mut Site, digits: &str) -> Result<(), String> {
        order::check_digits(digits)?;
        if !self.leg(LegKind::Call).filter(|leg| leg.is_up()).is_some_and(|leg| leg.send_digits(site, digits)) {
            return Err("the digits could not be sent: the call is not up".to_owned());
        }
        self.journal.step(now, format!("Digits {digits}"));
        Ok(())
    }

    /// What the record of the call begins with.
    fn announce(&mut self, site: &mut Site, uri: &str, remote: SocketAddr) {
        let Some(order) = &self.order else { return };
        let (from, context) = (order.from.clone(), order.context.clone());
        let to = format!("<{uri}>");
        site.event(self.id, CallEvent::CallArrived { from, to, request_uri: uri.to_owned(), source: remote, test_call: true });
        site.event(self.id, CallEvent::CallAdmitted { peer: "test call".to_owned(), by: Admission::TestCall });
        site.event(self.id, CallEvent::ContextRead { context: context.into() });
    }

    pub fn request_uri(&self, kind: LegKind) -> Option<String> {
        match kind {
            LegKind::Call => self.order.as_ref().map(|order| order.uri.clone()),
            LegKind::ReturnCall => self.referral.as_ref().map(|referral| referral.target.clone()),
            LegKind::ReturnPoint => None,
        }
    }
}

fn after(now: Instant, secs: f64) -> Option<Instant> {
    let wait = Duration::try_from_secs_f64(secs.max(0.0)).ok()?;
    now.checked_add(wait)
}

/// A test call's recording is held in memory until it ends.
const MOST_RECORDED_SECS: u32 = 1_800;
