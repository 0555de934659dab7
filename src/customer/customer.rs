//! The customer's side as the engine drives it: what comes in finds its run, what goes out is drained.

use std::{collections::BTreeMap, net::IpAddr, time::Instant};

use super::{
    leg::Stage,
    order::Order,
    run::Run,
    setup::CustomerSetup,
    site::{LegKind, Side, Site, mix},
};
use crate::{
    model::{CallEvent, CallId, Command, TestCall},
    party::{self, Input, Output, Party},
    sip::{
        dialog::{IncomingRequest, SessionEnd, SessionId, UaEvent},
        digest::server::{Answer, Asked, Authenticator},
        message::{HeaderName, Method},
    },
};

/// The customer's side: an SBC that places test calls, and a return point that takes them back.
pub struct Customer {
    site: Site,
    runs: BTreeMap<CallId, Run>,
    authenticator: Authenticator,
    draining: bool,
}

impl Customer {
    pub fn new(setup: CustomerSetup) -> Self {
        let mut key = [0; 32];
        for (word, salt) in key.chunks_exact_mut(8).zip(3u64..) {
            word.copy_from_slice(&mix(setup.seed ^ salt).to_be_bytes());
        }
        let authenticator = Authenticator::new(REALM, key, setup.now);
        let mut site = Site::new(setup);
        site.stock_ports(PORTS_IN_STOCK);
        Self { site, runs: BTreeMap::new(), authenticator, draining: false }
    }

    fn place(&mut self, now: Instant, command: u64, call: TestCall) {
        let refused = match (self.draining, self.runs.len() >= MOST_RUNS) {
            (true, _) => Some("the program is ending, so no new call is placed".to_owned()),
            (_, true) => Some(format!("{MOST_RUNS} test calls are running already")),
            _ => None,
        };
        let order = match refused {
            Some(why) => Err(why),
            None => Order::read(&call, self.site.setup.bridge_uri().as_deref(), &self.site.setup.host()),
        };
        match order {
            Err(why) => self.site.command_done(command, Err(why)),
            Ok(order) => {
                let id = self.site.new_call_id();
                self.site.command_done(command, Ok(id));
                let mut run = Run::new(now, id, call, Some(order));
                run.place(&mut self.site);
                self.runs.insert(id, run);
            }
        }
    }

    fn command(&mut self, now: Instant, id: u64, command: Command) {
        match command {
            Command::PlaceTestCall { call } => self.place(now, id, *call),
            Command::HangUp { call } => match self.runs.get_mut(&call) {
                Some(run) => {
                    self.site.command_done(id, Ok(call));
                    run.hang_up_all(now, &mut self.site);
                }
                None => self.site.command_done(id, Err(format!("no test call {call} is running"))),
            },
            Command::SendDigits { call, digits } => {
                let pressed = match self.runs.get_mut(&call) {
                    Some(run) => run.press(now, &mut self.site, &digits).map(|()| call),
                    None => Err(format!("no test call {call} is running")),
                };
                self.site.command_done(id, pressed);
            }
            Command::Return { .. } => self.site.command_done(id, Err("a test call has no agent: return the bridge's call".to_owned())),
            Command::Answer { .. } | Command::Decline { .. } | Command::SetVariables { .. } | Command::Done { .. } => {
                self.site.command_done(id, Err("a test call has no agent: this is for the bridge's call".to_owned()));
            }
            Command::Hold { call, on } => {
                let held = match self.runs.get_mut(&call) {
                    Some(run) => run.hold(now, &mut self.site, on).map(|()| call),
                    None => Err(format!("no test call {call} is running")),
                };
                self.site.command_done(id, held);
            }
            Command::Listen { .. } => {
                self.site.command_done(id, Err("a test call has a phone of its own: listen to the bridge's call".to_owned()));
            }
            Command::Record { .. } => {
                self.site.command_done(id, Err("a test call is recorded at the bridge: record the bridge's call".to_owned()));
            }
            Command::OperatorLeaves => self.site.command_done(id, Ok(CallId(0))),
            Command::Drain => {
                self.draining = true;
                self.site.command_done(id, Ok(CallId(0)));
            }
        }
    }

    fn event(&mut self, now: Instant, side: Side, event: UaEvent) {
        match event {
            UaEvent::Request(incoming) => self.request(now, side, *incoming),
            UaEvent::Progress { id, code, reason, sdp, .. } => self.in_session(side, id, |run, site, kind| match kind {
                LegKind::Call => run.call_progressed(now, site, code, &reason, sdp.as_deref()),
                LegKind::ReturnCall => run.return_call_progressed(now, site, code, &reason),
                LegKind::ReturnPoint => {}
            }),
            UaEvent::Answered { id, sdp, .. } => self.in_session(side, id, |run, site, kind| match kind {
                LegKind::Call => run.call_answered(now, site, sdp.as_deref()),
                LegKind::ReturnCall => run.return_call_answered(now, site, sdp.as_deref()),
                LegKind::ReturnPoint => {}
            }),
            UaEvent::Rejected { id, code, reason, response } => self.in_session(side, id, |run, site, kind| match kind {
                LegKind::Call => run.call_rejected(now, code, &reason, response.is_some()),
                LegKind::ReturnCall => run.return_call_rejected(now, site, code, &reason),
                LegKind::ReturnPoint => {}
            }),
            UaEvent::Established { id, answer_sdp } => self.in_session(side, id, |run, site, kind| {
                if kind == LegKind::ReturnPoint {
                    run.return_point_established(now, site, answer_sdp.as_deref());
                }
            }),
            UaEvent::Offer { id, sdp, .. } => self.in_session(side, id, |run, site, kind| run.offer_came(now, site, kind, Some(&sdp))),
            UaEvent::OfferWanted { id } => self.in_session(side, id, |run, site, kind| run.offer_came(now, site, kind, None)),
            UaEvent::OfferAnswered { id, sdp } => self.in_session(side, id, |run, site, kind| {
                if let Some(Err(why)) = run.leg(kind).map(|leg| leg.take_answer(site, &sdp)) {
                    run.journal.fault(now, format!("The answer's SDP: {why}"));
                }
                run.hold_settled(site, kind);
            }),
            UaEvent::Refer { id, refer, request } => self.in_session(side, id, |run, site, kind| match kind {
                LegKind::Call => run.refer_came(now, site, id, refer, &request),
                // Only in the call that we placed (security: nobody else may make us call).
                LegKind::ReturnCall | LegKind::ReturnPoint => {
                    let refused = site.agent(side).refuse_refer(now, id, refer, 603);
                    run.check(now, refused);
                    run.journal.step(now, "A REFER on the return call was refused with 603");
                }
            }),
            UaEvent::SubscriptionEnded { id, .. } => self.in_session(side, id, |run, _, _| run.referral_unheard(now)),
            UaEvent::Cancelled { id, .. } => self.in_session(side, id, |run, _, _| run.journal.step(now, "The INVITE was taken back")),
            // Over for the caller; the session may live on for the last NOTIFY (RFC 5057 §4).
            UaEvent::Bye { id, .. } => {
                self.in_session(side, id, |run, site, kind| run.session_ended(now, site, kind, &SessionEnd::RemoteBye))
            }
            UaEvent::Ended { id, why } => self.in_session(side, id, |run, site, kind| run.session_ended(now, site, kind, &why)),
            UaEvent::Note { id: Some(id), text, .. } => self.in_session(side, id, |run, _, _| run.journal.step(now, text)),
            UaEvent::OfferRefused { id, code } => self.in_session(side, id, |run, site, kind| run.hold_refused(now, site, kind, code)),
            // What belongs to no call of ours is counted where the bytes are captured.
            UaEvent::ReferResponse { .. }
            // A test call's messages go to where the bridge's come from.
            | UaEvent::NextHop { .. }
            | UaEvent::Notify { .. }
            | UaEvent::Info { .. }
            | UaEvent::Pong { .. }
            | UaEvent::Malformed { .. }
            | UaEvent::DialogUnknown { .. }
            | UaEvent::Note { id: None, .. } => {}
        }
    }

    fn in_session(&mut self, side: Side, id: SessionId, act: impl FnOnce(&mut Run, &mut Site, LegKind)) {
        if let Some((call, kind)) = self.site.sessions.get(&(side, id)).copied()
            && let Some(run) = self.runs.get_mut(&call)
        {
            act(run, &mut self.site, kind);
        }
    }

    /// A request outside any dialog: an INVITE may be a call that comes back, little else is for us.
    fn request(&mut self, now: Instant, side: Side, incoming: IncomingRequest) {
        match *incoming.request.method() {
            Method::INVITE => self.invite(now, side, incoming),
            Method::OPTIONS => self.site.respond(now, side, incoming, 200, "OK"),
            Method::REFER => self.site.respond(now, side, incoming, 603, "Decline"),
            Method::SUBSCRIBE => self.site.respond(now, side, incoming, 489, "Bad Event"),
            _ => self.site.respond(now, side, incoming, 405, "Method Not Allowed"),
        }
    }

    fn invite(&mut self, now: Instant, side: Side, incoming: IncomingRequest) {
        let sip_call_id = incoming.request.call_id().unwrap_or_default().to_owned();
        // Our own SBC, carrying out a REFER: known by its Call-ID, which nobody else can guess.
        let site = &mut self.site;
        let own = self.runs.values_mut().find_map(|run| {
            let session = run.leg(LegKind::ReturnCall).filter(|leg| leg.stage == Stage::Calling).and_then(|leg| leg.session);
            let is_own = session.and_then(|s| site.agent(Side::Sbc).session(s).map(|info| *info.call_id == *sip_call_id));
            is_own.unwrap_or(false).then_some(run)
        });
        if let Some(run) = own {
            run.return_invite(now, site, side, incoming, true);
            return;
        }
        if let Some(challenges) = self.challenge(now, &incoming) {
            let headers: Vec<_> = challenges.into_iter().map(|c| ("WWW-Authenticate".to_owned(), c)).collect();
            self.site.respond_stateless(now, side, incoming, 401, "Unauthorized", &headers);
            return;
        }
        match self.run_returned_by(&incoming) {
            Some(call) => {
                self.with(call, |run, site| run.return_invite(now, site, side, incoming, false));
            }
            // A call that comes back though no test call left: whoever may reach the return point may try it.
            None if side == Side::ReturnPoint && (is_local(incoming.flow.remote.ip()) || !self.site.setup.return_users.is_empty()) => {
                self.stray_return(now, side, incoming);
            }
            None => self.site.respond_stateless(now, side, incoming, 403, "Forbidden", &[]),
        }
    }

    /// Which test call it is that comes back: the one of that conversation, else the only one, else the latest.
    fn run_returned_by(&mut self, incoming: &IncomingRequest) -> Option<CallId> {
        let conversation = incoming.request.other(crate::contract::payload::CONVERSATION_ID);
        let site = &mut self.site;
        // Only from where the call went (security: a console accepts a return only from the bridge that it called).
        let mut candidates = self.runs.values_mut().filter_map(|run| {
            let leg = run.leg(LegKind::Call).filter(|leg| leg.is_up())?;
            let session = leg.session?;
            let remote = site.agent(Side::Sbc).session(session)?.flow.remote.ip();
            (remote == incoming.flow.remote.ip() && !run.return_succeeded).then_some((run.id, run.call.conversation.clone()))
        });
        match conversation {
            Some(wanted) => candidates.find(|(_, c)| c.as_deref() == Some(&*wanted)).map(|(id, _)| id),
            None => candidates.last().map(|(id, _)| id),
        }
    }

    fn stray_return(&mut self, now: Instant, side: Side, incoming: IncomingRequest) {
        if self.runs.len() >= MOST_RUNS || self.draining {
            self.site.respond_stateless(now, side, incoming, 503, "Service Unavailable", &[("Retry-After".into(), "5".into())]);
            return;
        }
        let id = self.site.new_call_id();
        let request = &incoming.request;
        let name = |header| request.text(header).map(|t| t.into_owned()).unwrap_or_default();
        self.site.event(
            id,
            CallEvent::CallArrived {
                from: name(HeaderName::From),
                to: name(HeaderName::To),
                request_uri: request.uri_text().to_owned(),
                source: incoming.flow.remote,
                test_call: true,
            },
        );
        let mut run = Run::new(now, id, TestCall::default(), None);
        run.return_invite(now, &mut self.site, side, incoming, false);
        self.runs.insert(id, run);
    }

    /// The challenges to send, where the return point has users and this is none of them.
    fn challenge(&mut self, now: Instant, incoming: &IncomingRequest) -> Option<Vec<String>> {
        if self.site.setup.return_users.is_empty() {
            return None;
        }
        let source = incoming.flow.remote.ip();
        let request = &incoming.request;
        let asked = Asked { method: request.method().as_str(), request_uri: request.uri_text(), source };
        let users = &self.site.setup.return_users;
        let password = |user: &str| users.iter().find(|u| u.username == user).map(|u| u.secret.reveal());
        let mut stale = false;
        let credentials: Vec<_> = request.auth(HeaderName::Authorization).filter(|a| a.is_digest()).collect();
        for answer in credentials.iter().filter_map(|a| Answer::read(a.params())) {
            match self.authenticator.check(now, asked, &answer, password, true) {
                Ok(_) => return None,
                Err(refusal) => stale |= refusal.is_stale(),
            }
        }
        Some(self.authenticator.challenges(now, source, stale, true))
    }

    fn with<T>(&mut self, call: CallId, act: impl FnOnce(&mut Run, &mut Site) -> T) -> Option<T> {
        self.runs.get_mut(&call).map(|run| act(run, &mut self.site))
    }

    /// After each input: events of the user agents, what became ready, and runs that are over.
    fn settle(&mut self, now: Instant) {
        loop {
            while let Some((side, event)) = self.site.poll_event() {
                self.event(now, side, event);
            }
            let over: Vec<CallId> = self.runs.values().filter(|run| run.is_over()).map(|run| run.id).collect();
            if over.is_empty() {
                break;
            }
            for id in over {
                if let Some(run) = self.runs.remove(&id) {
                    run.report(now, &mut self.site);
                }
            }
        }
        self.site.stock_ports(PORTS_IN_STOCK);
    }
}

#[cfg(test)]
impl Customer {
    pub(super) fn counts(&mut self, side: Side) -> crate::sip::dialog::Counts {
        self.site.agent(side).counts()
    }

    /// What is held for calls: nothing, once they are over.
    pub(super) fn what_is_left(&self) -> Vec<String> {
        let site = &self.site;
        let counts =
            [("runs", self.runs.len()), ("sessions", site.sessions.len()), ("streams", site.streams.len()), ("ports", site.ports.taken())];
        counts
            .into_iter()
            .chain([("look-ups", site.lookups.len())])
            .filter(|(_, n)| *n > 0)
            .map(|(what, n)| format!("{n} {what}"))
            .collect()
    }
}

impl Party for Customer {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Received(received) => {
                let side = self.site.side_of(&received);
                self.site.agent(side).handle_received(now, received);
            }
            Input::TransportFailed(flow) => {
                // A connection that broke may have been anybody's.
                let at = self.site.side_at(&flow);
                for side in Side::BOTH.into_iter().filter(|side| at.is_none_or(|at| at == *side)) {
                    self.site.agent(side).handle_transport_failed(now, flow);
                }
            }
            Input::Media(event) => {
                if let Some((call, kind)) = self.site.streams.get(&event.stream()).copied() {
                    self.with(call, |run, site| run.media(now, site, kind, event));
                }
            }
            Input::Resolved { query, targets } => {
                if let Some((call, kind)) = self.site.lookups.remove(&query) {
                    self.with(call, |run, site| run.resolved(now, site, kind, targets));
                }
            }
            Input::PortsOpened(ports) => {
                let none = ports.is_empty();
                self.site.ports.add(ports);
                for run in self.runs.values_mut() {
                    run.advance(now, &mut self.site, none);
                }
            }
            Input::Command { id, command } => self.command(now, id, command),
            // The customer asks for no speech, and has nothing to claim or to keep.
            Input::Spoken { .. } | Input::Claimed { .. } | Input::Kept { .. } | Input::TakenBack(_) => {}
            Input::Settings(settings) => self.site.setup.codecs = party::codecs_of(&settings.media),
            Input::Timeout => {
                for side in Side::BOTH {
                    self.site.agent(side).handle_timeout(now);
                }
                for run in self.runs.values_mut().filter(|run| run.deadline().is_some_and(|at| at <= now)) {
                    run.handle_timeout(now, &mut self.site);
                }
            }
        }
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.site.poll_output()
    }

    fn deadline(&self) -> Option<Instant> {
        self.runs.values().filter_map(Run::deadline).chain(self.site.deadline()).min()
    }
}

fn is_local(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// A test call takes up to three ports: its own, the return call's, and the return point's.
const PORTS_IN_STOCK: usize = 6;
const MOST_RUNS: usize = 200;
/// Of the challenges at the return point.
const REALM: &str = "customer";
