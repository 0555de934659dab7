//! One test call from its INVITE to its last BYE: its legs, its clock, and what it leads to.
//!
//! ```text
//!   call          Preparing ─► Calling ─► Up ──────────────────► Over
//!                                         │ REFER in it
//!   return call            Preparing ─► Calling ─► Up ─► Over         placed to the URI of Refer-To
//!   return point        (INVITE comes in) Calling ─► Up ─► Over       where the return URI is our own
//! ```
//!
//! The run is over when every leg is, its sound included; then it reports.

use std::{net::SocketAddr, time::Instant};

use super::{
    leg::{Leg, Stage},
    order::Order,
    report::Journal,
    return_endpoint::Referral,
    site::{LegKind, Site},
    sound, sound_check,
};
use crate::{
    media::{MediaEvent, Recording},
    model::{CallEvent, CallId, CallState, Ended, LegId, OnReturn, Party, ReturnMethod, TestCall},
    party::TakenBack,
    sip::{
        dialog::{SessionEnd, VerbError},
        transport::Transport,
    },
};

/// See the module.
pub(super) struct Run {
    pub id: CallId,
    pub call: TestCall,
    pub order: Option<Order>,
    pub journal: Journal,
    pub legs: Vec<Leg>,
    /// The REFER that is being carried out.
    pub referral: Option<Referral>,
    /// A REFER or a return INVITE came, and `on_return` had its way.
    pub return_seen: bool,
    pub return_succeeded: bool,
    /// Of the call, from when its stream is closed until the leg is over; empty where nothing was recorded.
    recording: Option<Recording>,
    /// What came in at the return point, until its answer is acknowledged.
    pub taken_back: Option<TakenBack>,
    next_leg: u16,
    pub digits_at: Option<Instant>,
    /// The far side has this long to end a call that was taken back.
    patience_ends: Option<Instant>,
    /// Why the call ended, by the first leg's end.
    pub ended: Option<(CallState, Ended)>,
    /// We hung up on the call, for this reason.
    pub hung_up: Option<Ended>,
}

impl Run {
    pub fn new(now: Instant, id: CallId, call: TestCall, order: Option<Order>) -> Self {
        Self {
            id,
            call,
            order,
            journal: Journal::new(now),
            legs: Vec::new(),
            referral: None,
            return_seen: false,
            return_succeeded: false,
            recording: None,
            taken_back: None,
            next_leg: 0,
            digits_at: None,
            patience_ends: None,
            ended: None,
            hung_up: None,
        }
    }

    pub fn leg(&mut self, kind: LegKind) -> Option<&mut Leg> {
        self.legs.iter_mut().rev().find(|leg| leg.kind == kind)
    }

    pub fn number_leg(&mut self) -> LegId {
        let number = LegId(self.next_leg);
        self.next_leg += 1;
        number
    }

    pub fn is_over(&self) -> bool {
        self.legs.iter().all(Leg::is_over)
    }

    pub fn deadline(&self) -> Option<Instant> {
        let legs = self.legs.iter().filter_map(|leg| leg.hang_up_at);
        let referral = self.referral.as_ref().and_then(Referral::deadline);
        legs.chain(self.digits_at).chain(self.patience_ends).chain(referral).min()
    }

    /// What is due by the clock.
    pub fn handle_timeout(&mut self, now: Instant, site: &mut Site) {
        if self.digits_at.is_some_and(|at| at <= now) {
            self.digits_at = None;
            self.send_digits(now, site);
        }
        if self.patience_ends.is_some_and(|at| at <= now) {
            self.patience_ends = None;
            self.journal.fault(now, "The far side left the call up after the return, so it was hung up");
            self.hang_up(now, site, LegKind::Call, Ended::new("The far side did not hang up", Party::Customer, None));
        }
        self.referral_due(now, site);
        let due: Vec<LegKind> = self.legs.iter().filter(|l| l.hang_up_at.is_some_and(|at| at <= now)).map(|l| l.kind).collect();
        for kind in due {
            match kind {
                LegKind::Call => {
                    self.journal.step(now, "Hung up as asked");
                    self.hang_up(now, site, LegKind::Call, Ended::new("Customer hung up", Party::Customer, None));
                }
                LegKind::ReturnCall | LegKind::ReturnPoint => {
                    self.journal.step(now, "Return call hung up");
                    self.hang_up(now, site, kind, Ended::new("Return endpoint hung up", Party::ReturnEndpoint, None));
                }
            }
        }
    }

    /// The operator wants the call to end now.
    pub fn hang_up_all(&mut self, now: Instant, site: &mut Site) {
        self.journal.step(now, "Hung up by the operator");
        let kinds: Vec<LegKind> = self.legs.iter().filter(|l| l.stage != Stage::Over).map(|l| l.kind).collect();
        for kind in kinds {
            self.hang_up(now, site, kind, Ended::new("Operator hung up", Party::Operator, None));
        }
    }

    /// Leaves a leg: CANCEL, BYE, or just not placing it.
    pub fn hang_up(&mut self, now: Instant, site: &mut Site, kind: LegKind, why: Ended) {
        if kind == LegKind::Call {
            self.hung_up.get_or_insert(why.clone());
        }
        let Some(leg) = self.leg(kind) else { return };
        leg.hang_up_at = None;
        match leg.session {
            Some(session) => {
                leg.close_sound(site);
                let side = leg.side;
                let done = site.agent(side).hang_up(now, session, &[], None);
                self.check(now, done);
            }
            None => self.leg_over(now, site, kind, why),
        }
    }

    /// The address of a leg came; none means that the name does not resolve.
    pub fn resolved(&mut self, now: Instant, site: &mut Site, kind: LegKind, found: Vec<(Transport, SocketAddr)>) {
        if found.is_empty() {
            let uri = self.request_uri(kind).unwrap_or_default();
            return self.unreachable(now, site, kind, format!("{uri} does not resolve to an address"));
        }
        if let Some(Leg { stage: Stage::Preparing { targets }, .. }) = self.leg(kind) {
            *targets = Some(found);
        }
        self.advance(now, site, false);
    }

    /// A port or an address came: whatever waited for it goes on. `no_ports`: there are none to wait for.
    pub fn advance(&mut self, now: Instant, site: &mut Site, no_ports: bool) {
        for kind in [LegKind::Call, LegKind::ReturnCall] {
            let Some(leg) = self.leg(kind) else { continue };
            let Stage::Preparing { targets } = &leg.stage else { continue };
            let targets = targets.clone();
            if !leg.take_port(site) {
                if no_ports {
                    self.unreachable(now, site, kind, "no RTP port is free: widen the range or wait for calls to end".to_owned());
                }
                continue;
            }
            if let Some(targets) = targets {
                self.invite(now, site, kind, targets);
            }
        }
    }

    /// The peer offers anew (hold, another address), or wants an offer of ours.
    pub fn offer_came(&mut self, now: Instant, site: &mut Site, kind: LegKind, sdp: Option<&[u8]>) {
        let Some(leg) = self.leg(kind) else { return };
        let Some(session) = leg.session else { return };
        let reply = match sdp {
            Some(sdp) => leg.take_offer(site, sdp),
            None => leg.offer(site).ok_or_else(|| "no sound".to_owned()),
        };
        let agent = site.agent(leg.side);
        let done = match &reply {
            Ok(sdp) => agent.answer_offer(now, session, sdp.clone()),
            Err(_) => agent.refuse_offer(now, session, 488),
        };
        if let Err(why) = reply {
            self.journal.fault(now, format!("An offer could not be taken: {why}"));
        }
        self.check(now, done);
    }

    /// A session is gone.
    pub fn session_ended(&mut self, now: Instant, site: &mut Site, kind: LegKind, why: &SessionEnd) {
        let (ended, fault) = match why {
            SessionEnd::RemoteBye => match kind {
                LegKind::Call => (Ended::new("The far side hung up", Party::Bridge, None), false),
                _ => (Ended::new("The return's far side hung up", Party::Bridge, None), false),
            },
            SessionEnd::LocalBye => (Ended::new("Hung up", Party::Customer, None), false),
            SessionEnd::Cancelled => (Ended::new("Cancelled before the answer", Party::Customer, Some(487)), false),
            SessionEnd::Rejected { code, reason } => (Ended::new(format!("{code} {reason}"), Party::Bridge, Some(*code)), false),
            SessionEnd::NoAck => (Ended::new("The 200 was never acknowledged", Party::Network, None), true),
            SessionEnd::SessionExpired => (Ended::new("The session timer ran out", Party::Network, None), true),
            SessionEnd::TransportFailed => (Ended::new("The network gave up", Party::Network, Some(503)), true),
            SessionEnd::Timeout => (Ended::new("No answer came", Party::Network, Some(408)), true),
        };
        // Why the INVITE failed has been told.
        if fault && !(kind == LegKind::Call && self.ended.is_some()) {
            self.journal.fault(now, ended.reason.clone());
        }
        if kind == LegKind::Call && matches!(why, SessionEnd::RemoteBye) {
            self.journal.step(now, "The far side hung up");
            // A return by BYE is a BYE and nothing else (contract §3): the context is fetched through the API.
            if self.journal.returned_by().is_none() {
                self.journal.returned(ReturnMethod::Bye, None);
            }
        }
        self.leg_over(now, site, kind, ended);
    }

    pub fn media(&mut self, now: Instant, site: &mut Site, kind: LegKind, event: MediaEvent) {
        let stream = event.stream();
        let is_its = |leg: &&mut Leg| leg.sound.as_ref().is_some_and(|sound| sound.stream == stream);
        let Some(leg) = self.legs.iter_mut().find(is_its) else { return };
        match event {
            MediaEvent::Dtmf { digit, .. } => {
                if let Some(leg) = leg.number {
                    site.event(self.id, CallEvent::DtmfReceived { leg, digit });
                }
            }
            MediaEvent::Figures { figures, .. } => leg.measured(site, &figures),
            MediaEvent::FirstPacket { .. } if kind == LegKind::Call => self.journal.step(now, "First sound heard"),
            MediaEvent::DtmfSent { .. } => self.journal.step(now, "Digits sent"),
            MediaEvent::Closed { figures, recording, .. } => {
                leg.sound_closed(site, &figures);
                if kind == LegKind::Call {
                    self.recording = Some(recording.unwrap_or_default());
                    self.take_recording(now);
                }
            }
            MediaEvent::Refused { why, .. } => self.journal.fault(now, format!("The sound failed: {why}")),
            _ => {}
        }
    }

    /// Judges and saves what was heard, once nothing on the wire waits for this side any more: it takes its time.
    fn take_recording(&mut self, now: Instant) {
        if self.leg(LegKind::Call).is_some_and(|leg| !leg.is_over()) {
            return;
        }
        let Some(recording) = self.recording.take() else { return };
        if self.call.sound_check && recording.rate > 0 {
            self.journal.sound_checked(now, sound_check::judge(&recording));
        }
        if let Some(path) = &self.call.record {
            let (rate, heard) = (recording.rate.max(1), recording.received);
            match sound::save(path, rate, &heard) {
                Ok(()) => self.journal.step(now, format!("{} s recorded in {}", heard.len() / rate as usize, path.display())),
                Err(why) => self.journal.fault(now, why),
            }
        }
    }

    /// A verb that could not be done is told, unless its session ended in the same moment: `Ended` tells that.
    pub fn check<T>(&mut self, now: Instant, done: Result<T, VerbError>) -> Option<T> {
        match done {
            Ok(value) => Some(value),
            Err(VerbError::NoSession) => None,
            Err(why) => {
                self.journal.fault(now, why.to_string());
                None
            }
        }
    }

    /// The last words, once everything is over.
    pub fn report(mut self, now: Instant, site: &mut Site) {
        let (state, why) = match (self.return_succeeded, self.ended.take()) {
            (true, ended) => (CallState::Returned, ended.map_or_else(|| Ended::new("Taken back", Party::Customer, None), |(_, why)| why)),
            (false, Some(ended)) => ended,
            (false, None) => (CallState::Failed, Ended::new("The call came to nothing", Party::Network, None)),
        };
        if self.call.on_return != OnReturn::Accept && !self.return_seen {
            self.journal.fault(now, "No REFER and no return INVITE came, so there was nothing to refuse or to ignore");
        }
        if self.call.sound_check && !self.journal.has_sound_check() {
            self.journal.fault(now, "The sound could not be checked: the call never came to be");
        }
        if self.digits_at.is_some() {
            self.journal.fault(now, "The call ended before the digits were sent");
        }
        let report = Box::new(self.journal.close(why.clone()));
        site.event(self.id, CallEvent::TestCallReported { report });
        site.event(self.id, CallEvent::CallEnded { state, why });
    }

    /// A leg has ended: what does that mean for the rest?
    pub fn leg_over(&mut self, now: Instant, site: &mut Site, kind: LegKind, why: Ended) {
        let hung_up = self.hung_up.clone().filter(|_| kind == LegKind::Call);
        let Some(leg) = self.leg(kind) else { return };
        if leg.stage == Stage::Over {
            return;
        }
        let why = hung_up.unwrap_or(why);
        leg.end(site, why.clone());
        if kind == LegKind::Call {
            self.take_recording(now);
        }
        // Where there is no call of ours, the call that came in at the return point is the whole story.
        if kind == LegKind::Call || self.leg(LegKind::Call).is_none() {
            self.ended.get_or_insert((CallState::Ended, why));
        }
        match kind {
            LegKind::Call => self.patience_ends = None,
            LegKind::ReturnCall => self.referral_abandoned(now, site),
            LegKind::ReturnPoint => {}
        }
        if self.return_succeeded {
            self.expect_end_of_call(now, site);
        }
    }

    /// It is the far side's turn to end the call; it may not take forever.
    pub fn expect_end_of_call(&mut self, now: Instant, site: &Site) {
        let patience = site.setup.patience;
        if self.leg(LegKind::Call).is_some_and(|leg| leg.is_up()) {
            self.patience_ends.get_or_insert(now + patience);
        }
    }
}
