//! One party's SIP: bytes in, verbs in, messages and events out. The verbs stand one to a file beside this one.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    Counts, PingId, SessionEnd, SessionId, SessionInfo, TrustHook, UaEvent, UaOutput, UserAgentConfig, VerbError,
    local::Local,
    session::{Session, SessionTimer, Sessions},
};
use crate::sip::{
    ids::Ids,
    message::Request,
    timers::TimerQueue,
    transaction::{Failure, Happened, Layer, TransactionReport},
    transport::Flow,
};

/// Transactions, dialogs and sessions of one party.
pub struct UserAgent {
    pub(super) config: UserAgentConfig,
    pub(super) local: Local,
    pub(super) ids: Ids,
    pub(super) layer: Layer<User>,
    pub(super) sessions: Sessions,
    pub(super) events: VecDeque<UaEvent>,
    pub(super) trusted: Option<TrustHook>,
    pub(super) last_ping: u64,
    timers: TimerQueue<(u32, SessionTimer)>,
}

/// Who is told what becomes of a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) enum User {
    Invite(SessionId),
    Reinvite(SessionId),
    Update(SessionId),
    Bye(SessionId),
    Refer(SessionId, u32),
    Notify(SessionId, u32),
    Ping(PingId),
    /// Requests whose outcome changes nothing: CANCEL, PRACK, INFO, the BYE to a second phone that answered.
    Nobody,
    /// An INVITE, or a re-INVITE, that came in.
    Incoming(SessionId),
    /// Any other request that came in: answered at once, or by its `TransactionId`.
    Answered,
}

impl UserAgent {
    pub fn new(config: UserAgentConfig) -> Self {
        Self {
            local: Local::new(&config),
            ids: Ids::new(config.seed, config.shard),
            layer: Layer::new(config.timers),
            timers: TimerQueue::new(&config.timers),
            sessions: Sessions::default(),
            events: VecDeque::new(),
            trusted: None,
            last_ping: 0,
            config,
        }
    }

    pub fn config(&self) -> &UserAgentConfig {
        &self.config
    }

    /// Limits for what comes from now on.
    pub fn set_limits(&mut self, limits: super::Limits) {
        self.config.limits = limits;
    }

    /// Says which further addresses may speak inside a session (those of its peer's networks).
    pub fn set_trusted(&mut self, trusted: TrustHook) {
        self.trusted = Some(trusted);
    }

    /// Nothing can be sent there: refused, unreachable, or the connection broke.
    pub fn handle_transport_failed(&mut self, now: Instant, flow: Flow) {
        if let Some(connection) = flow.connection {
            // The next request opens a connection of its own.
            self.sessions.forget_connection(connection);
        }
        self.layer.handle_transport_failed(now, &flow);
        self.settle(now);
    }

    /// The deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.layer.handle_timeout(now);
        while let Some(ring) = self.timers.pop_due(now) {
            let (slot, timer) = ring.owner;
            if self.sessions.waits_for(ring.owner, ring.serial)
                && let Some((id, _)) = self.sessions.in_slot(slot)
            {
                self.disarm(id, timer);
                self.ring_timer(now, id, timer);
            }
        }
        self.settle(now);
    }

    /// When `handle_timeout` is due.
    pub fn deadline(&self) -> Option<Instant> {
        [self.layer.deadline(), self.timers.deadline()].into_iter().flatten().min()
    }

    /// What the last input or verb led to, in order. Drained until None before the next.
    pub fn poll_output(&mut self) -> Option<UaOutput> {
        if let Some(transmit) = self.layer.poll_transmit() {
            return Some(UaOutput::Transmit(transmit));
        }
        if let Some(event) = self.events.pop_front() {
            return Some(UaOutput::Event(event));
        }
        self.bury();
        None
    }

    /// How a session stands; None when it has ended.
    pub fn session(&self, id: SessionId) -> Option<SessionInfo<'_>> {
        self.sessions.get(id).map(Session::info)
    }

    /// How much is alive.
    pub fn counts(&self) -> Counts {
        Counts {
            transactions: self.layer.len(),
            sessions: self.sessions.len(),
            timers: self.layer.timers() + self.timers.count(|ring| self.sessions.waits_for(ring.owner, ring.serial)),
        }
    }

    /// All sessions, as they stand.
    pub fn report_sessions(&self) -> impl Iterator<Item = (SessionId, SessionInfo<'_>)> {
        self.sessions.iter().map(|(id, session)| (id, session.info()))
    }

    /// All transactions, in the words of the RFC.
    pub fn report_transactions(&self) -> impl Iterator<Item = TransactionReport> {
        self.layer.report()
    }

    /// Deals with what transactions told unasked.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(happened) = self.layer.poll_happened() {
            match happened {
                Happened::TryingDue { id, user: User::Incoming(session) } => self.send_trying(now, session, id),
                Happened::ClientFailed { user, request, flow, why } => self.client_failed(now, user, request, flow, why),
                // A refusal that nobody acknowledged: the session it belonged to is over.
                Happened::TryingDue { .. } | Happened::ServerFailed { .. } => {}
            }
        }
    }

    fn bury(&mut self) {
        self.layer.bury();
        let sessions = &self.sessions;
        self.timers.forget_dead(|ring| sessions.waits_for(ring.owner, ring.serial));
    }

    fn client_failed(&mut self, now: Instant, user: User, request: Box<Request>, flow: Flow, why: Failure) {
        if why == Failure::Transport && self.fall_back_to_udp(now, user, &request, flow) {
            return;
        }
        match user {
            User::Invite(id) => self.invite_failed(now, id, &request, why),
            User::Reinvite(id) => self.reinvite_failed(now, id, why),
            User::Update(id) => self.refresh_failed(now, id, why),
            User::Bye(id) => self.bye_done(now, id),
            User::Refer(id, refer) => self.refer_failed(now, id, refer, why),
            User::Notify(id, refer) => self.notify_failed(now, id, refer),
            User::Ping(ping) => self.events.push_back(UaEvent::Pong { ping, code: None }),
            User::Nobody | User::Incoming(_) | User::Answered => {}
        }
    }

    fn ring_timer(&mut self, now: Instant, id: SessionId, timer: SessionTimer) {
        match timer {
            SessionTimer::Repeat2xx => self.repeat_2xx(now, id),
            SessionTimer::NoAck => self.ack_missing(now, id),
            SessionTimer::StillRinging => self.still_ringing(now, id),
            SessionTimer::RepeatReliable => self.repeat_reliable(now, id),
            SessionTimer::NoPrack => self.prack_missing(now, id),
            SessionTimer::Glare => self.offer_again(now, id),
            SessionTimer::Refresh => self.refresh_session(now, id),
            SessionTimer::Expire => self.session_expired(now, id),
            SessionTimer::Cancelled => self.cancel_unanswered(now, id),
            SessionTimer::Linger => self.linger_over(now, id),
        }
    }

    pub(super) fn arm(&mut self, now: Instant, id: SessionId, timer: SessionTimer, after: Duration) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.timers[timer as usize] = self.timers.arm(now, after, (id.slot() as u32, timer));
        }
    }

    pub(super) fn disarm(&mut self, id: SessionId, timer: SessionTimer) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.timers[timer as usize] = 0;
        }
    }

    pub(super) fn session_mut(&mut self, id: SessionId) -> Result<&mut Session, VerbError> {
        self.sessions.get_mut(id).ok_or(VerbError::NoSession)
    }

    /// Ends a session: its last event.
    pub(super) fn finish(&mut self, now: Instant, id: SessionId, why: SessionEnd) {
        self.answer_pending(now, id);
        if self.sessions.remove(id).is_some() {
            self.events.push_back(UaEvent::Ended { id, why });
        }
    }

    /// Something worth telling.
    pub(super) fn note(&mut self, id: Option<SessionId>, rule: &'static str, text: impl Into<String>) {
        self.events.push_back(UaEvent::Note { id, rule, text: text.into() });
    }
}
