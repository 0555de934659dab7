//! The switch: every transfer of one shard, behind one pair of doors: inputs in, outputs out.
//!
//! ```text
//!  Input ─► UserAgent ─► UaEvent ─┬─► door ─► admission ─► a new call
//!     └──► media events ──────────┴─► Happening ─► Transfer ─► Act ─► verbs, media commands, events ─► Output
//! ```
//!
//! The journey of an input: `door` lets new requests in, `signalling` and `sound` turn what a leg tells into
//! happenings, [`Transfer`] decides, `acts` carries out.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use crate::{
    media::{PortPool, StreamId},
    model::{
        CallEvent, CallId, Command, CommandOutcome, LegId, LegRole,
        settings::{self, Settings},
    },
    party::{Gauges, Input, Output, Party},
    sip::{
        dialog::{self, Counts, ReferId, SessionId, UaOutput, UserAgent, UserAgentConfig},
        message::{self, Request},
        transport::Transport,
    },
};

use super::{
    admission::Admission,
    conversations::{Conversation, Conversations},
    handback::ReturnOrder,
    leg::Leg,
    numbered::Numbered,
    operator::{NO_SUCH_CALL, Operator},
    throttle::{Bucket, Throttle},
    transfer::{Act, Happening, Transfer},
};

/// What a switch is made of.
pub struct SwitchSetup {
    pub settings: Arc<Settings>,
    /// As bound, with real ports.
    pub listeners: Vec<(Transport, SocketAddr)>,
    /// Random and secret: ids and nonces come from it.
    pub seed: u64,
    /// Calls are numbered from here on; unique over restarts by its choice.
    pub first_call_id: u64,
    /// Conversations of earlier calls, the latest last, so that they resume over a restart.
    pub conversations: Vec<Conversation>,
    pub now: Instant,
}

pub struct Switch {
    pub(super) settings: Arc<Settings>,
    pub(super) seed: u64,
    pub(super) ua: UserAgent,
    pub(super) admission: Admission,
    pub(super) throttle: Throttle,
    /// New calls a second.
    pub(super) rate: Bucket,
    pub(super) ports: PortPool,
    pub(super) calls: Numbered<CallId, Call>,
    pub(super) sessions: Numbered<SessionId, (CallId, LegId)>,
    pub(super) streams: Numbered<StreamId, (CallId, LegId)>,
    pub(super) lookups: Numbered<u32, (CallId, LegId)>,
    /// Questions for call transfers that the desk has not answered.
    pub(super) claims: Numbered<u32, CallId>,
    pub(super) conversations: Conversations,
    /// Next hops of dialogs that are being looked up.
    pub(super) hops: Numbered<u32, SessionId>,
    /// Texts that are being spoken, and for which call.
    pub(super) speeches: Numbered<u32, CallId>,
    /// Calls that wait for RTP ports.
    pub(super) waiting: VecDeque<CallId>,
    /// Call-IDs of refused INVITEs, the newest last: a repeated INVITE is no new call.
    pub(super) refused: VecDeque<String>,
    pub(super) draining: bool,
    pub(super) operator: Operator,
    next_call: u64,
    pub(super) next_stream: u32,
    pub(super) next_query: u32,
    deadlines: BTreeSet<(Instant, CallId)>,
    pub(super) happenings: VecDeque<(CallId, Happening)>,
    pub(super) outputs: VecDeque<Output>,
    /// Kept for its memory.
    acts: Vec<Act>,
    pub(super) malformed: u64,
    pub(super) last_malformed: Option<String>,
}

/// One call: its transfer, and what of it is on the wire.
pub(super) struct Call {
    pub transfer: Transfer,
    /// The question for its call transfer.
    pub claim: Option<u32>,
    /// The customer's INVITE.
    pub invite: Request,
    pub source: SocketAddr,
    /// In the order of their numbers; legs that are gone stay, nearly empty, for their numbers' sake.
    pub legs: Vec<Leg>,
    /// Our REFER on the customer's leg, the one whose verdict counts.
    pub refer: Option<ReferId>,
    /// The agent's REFER, which waits for the verdict.
    pub agent_refer: Option<(SessionId, ReferId)>,
    /// Its sound is kept.
    pub recorded: bool,
    deadline: Option<Instant>,
}

/// How much is alive in a switch: all 0 when nothing is left over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SwitchCounts {
    pub calls: usize,
    pub streams: usize,
    pub ports: usize,
    /// Questions to the engine that are not answered yet.
    pub lookups: usize,
    pub deadlines: usize,
    /// Calls that the operator is in or hears.
    pub operator: usize,
    pub ua: Counts,
}

impl Switch {
    pub fn new(setup: SwitchSetup) -> Self {
        let SwitchSetup { settings, listeners, seed, first_call_id, conversations, now } = setup;
        let peers: Arc<[_]> = settings.peers.clone().into();
        let mut ua = UserAgent::new(UserAgentConfig {
            advertise: settings.sip.advertise.clone(),
            limits: ua_limits(&settings.limits),
            ..UserAgentConfig::new(PRODUCT, listeners, mix(seed ^ 1))
        });
        trust(&mut ua, peers.clone());
        let mut key = [0; 32];
        for (index, chunk) in key.chunks_exact_mut(8).enumerate() {
            chunk.copy_from_slice(&mix(seed ^ (2 + index as u64)).to_be_bytes());
        }
        let rate = f64::from(settings.limits.calls_per_second.max(1));
        let mut switch = Self {
            admission: Admission::new(now, &settings.sip.realm, peers, key),
            throttle: Throttle::new(settings.limits.unadmitted_per_second),
            rate: Bucket::full(now, rate, rate),
            settings,
            seed,
            ua,
            ports: PortPool::new(),
            calls: Numbered::default(),
            sessions: Numbered::default(),
            streams: Numbered::default(),
            lookups: Numbered::default(),
            claims: Numbered::default(),
            conversations: Conversations::known(conversations),
            hops: Numbered::default(),
            speeches: Numbered::default(),
            waiting: VecDeque::new(),
            refused: VecDeque::new(),
            draining: false,
            operator: Operator::default(),
            next_call: first_call_id,
            next_stream: 0,
            next_query: 0,
            deadlines: BTreeSet::new(),
            happenings: VecDeque::new(),
            outputs: VecDeque::new(),
            acts: Vec::new(),
            malformed: 0,
            last_malformed: None,
        };
        switch.want_ports();
        switch
    }

    /// How much is alive.
    pub fn counts(&self) -> SwitchCounts {
        SwitchCounts {
            calls: self.calls.len(),
            streams: self.streams.len(),
            ports: self.ports.taken(),
            lookups: self.lookups.len() + self.speeches.len() + self.claims.len() + self.hops.len(),
            deadlines: self.deadlines.len(),
            operator: self.operator.counts(),
            ua: self.ua.counts(),
        }
    }

    pub(super) fn new_call_id(&mut self) -> CallId {
        let id = CallId(self.next_call);
        self.next_call = self.next_call.wrapping_add(1);
        id
    }

    pub(super) fn tell(&mut self, call: CallId, what: CallEvent) {
        self.outputs.push_back(Output::Event { call, what });
    }

    pub(super) fn happens(&mut self, call: CallId, what: Happening) {
        self.happenings.push_back((call, what));
    }

    pub(super) fn want_ports(&mut self) {
        let more = self.ports.wanted(PORTS_READY);
        if more > 0 {
            self.outputs.push_back(Output::PortsWanted(more));
        }
    }

    /// Drains the user agent and what its events led to, until all is quiet.
    fn settle(&mut self, now: Instant) {
        loop {
            while let Some((call, what)) = self.happenings.pop_front() {
                self.decide(now, call, what);
            }
            match self.ua.poll_output() {
                Some(UaOutput::Transmit(transmit)) => self.outputs.push_back(Output::Transmit(transmit)),
                Some(UaOutput::Event(event)) => self.handle_ua_event(now, event),
                None => break,
            }
        }
    }

    fn decide(&mut self, now: Instant, id: CallId, what: Happening) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let mut acts = std::mem::take(&mut self.acts);
        call.transfer.handle(now, what, &mut acts);
        for act in acts.drain(..) {
            self.carry_out(now, id, act);
        }
        self.acts = acts;
        self.after(id);
    }

    /// Keeps the deadline, and buries a call of which nothing is left.
    pub(super) fn after(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let deadline = call.transfer.deadline();
        if deadline != call.deadline {
            if let Some(old) = call.deadline {
                self.deadlines.remove(&(old, id));
            }
            call.deadline = deadline;
            self.deadlines.extend(deadline.map(|at| (at, id)));
        }
        if let Some((state, why)) = call.transfer.leaving()
            && call.legs.iter().all(Leg::is_gone)
        {
            let (why, claim) = (why.clone(), call.claim);
            self.calls.remove(&id);
            if let Some(query) = claim {
                self.claims.remove(&query);
            }
            self.operator_forgets(id);
            self.tell(id, CallEvent::CallEnded { state, why });
        }
    }

    fn handle_command(&mut self, command: Command) -> CommandOutcome {
        match command {
            Command::Return { call, request } => {
                let order = ReturnOrder::of_operator(request)?;
                let known = self.calls.get(&call).ok_or(NO_SUCH_CALL)?;
                known.transfer.check_order(&order)?;
                self.happens(call, Happening::OperatorReturns(order));
                Ok(call)
            }
            Command::HangUp { call } => {
                let known = self.calls.get(&call).ok_or(NO_SUCH_CALL)?;
                if known.transfer.leaving().is_some() {
                    return Err("The call is ending already".to_owned());
                }
                self.happens(call, Happening::OperatorHangsUp);
                Ok(call)
            }
            Command::SendDigits { .. } => Err("The bridge presses no keys: send digits in the test call, on the caller's side".to_owned()),
            Command::PlaceTestCall { .. } => Err("The bridge places no test calls, the customer's side does".to_owned()),
            Command::Answer { call } => self.operator_answers(call),
            Command::Decline { call } => self.operator_declines(call),
            Command::Hold { call, on } => self.operator_holds(call, on),
            Command::SetVariables { call, variables } => self.operator_sets(call, variables),
            Command::Done { call } => self.operator_done(call),
            Command::Listen { call, side } => self.listen(call, side),
            Command::Record { call, on } => self.record(call, on),
            Command::OperatorLeaves => self.operator_leaves(),
            Command::Drain => {
                self.draining = true;
                Ok(CallId(0))
            }
        }
    }

    fn handle_deadlines(&mut self, now: Instant) {
        let mut asked = HashSet::new();
        while let Some((at, call)) = self.deadlines.first().copied()
            && at <= now
            && asked.insert(call)
        {
            self.decide(now, call, Happening::Timeout);
        }
    }
}

impl Party for Switch {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Received(received) => {
                let source = received.flow.remote.ip();
                // A running call goes on, whatever else comes from its address.
                if self.throttle.is_silenced(now, source) && !self.calls.values().any(|call| call.source.ip() == source) {
                    return;
                }
                self.ua.handle_received(now, received);
            }
            Input::TransportFailed(flow) => self.ua.handle_transport_failed(now, flow),
            Input::Media(event) => self.handle_media(event),
            Input::Resolved { query, targets } => self.handle_resolved(now, query, targets),
            Input::PortsOpened(ports) => self.handle_ports(now, ports),
            Input::Command { id, command } => {
                let outcome = self.handle_command(command);
                self.outputs.push_back(Output::CommandDone { id, outcome });
            }
            Input::Timeout => {
                self.ua.handle_timeout(now);
                self.settle(now);
                self.handle_deadlines(now);
            }
            Input::Spoken { query, samples } => self.handle_spoken(query, samples),
            Input::Claimed { query, outcome } => self.handle_claimed(query, outcome),
            Input::TakenBack(taken) => self.handle_taken_back(&taken),
            Input::Settings(settings) => self.handle_settings(now, settings),
            Input::Kept { call, stored } => self.happens(call, Happening::Kept { stored }),
        }
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        [self.ua.deadline(), self.deadlines.first().map(|(at, _)| *at)].into_iter().flatten().min()
    }

    fn gauges(&self) -> Gauges {
        Gauges {
            malformed: self.malformed,
            last_malformed: self.last_malformed.clone(),
            dropped: self.throttle.dropped(),
            transactions: self.ua.counts().transactions,
            media_streams: self.streams.len(),
        }
    }
}

impl Call {
    pub fn new(transfer: Transfer, invite: Request, source: SocketAddr, customer: Leg) -> Self {
        Self {
            transfer,
            claim: None,
            invite,
            source,
            legs: vec![customer],
            refer: None,
            agent_refer: None,
            recorded: false,
            deadline: None,
        }
    }

    pub fn leg_mut(&mut self, number: LegId) -> Option<&mut Leg> {
        self.legs.get_mut(usize::from(number.0))
    }

    /// The newest leg of this role that is not gone.
    pub fn current(&self, role: LegRole) -> Option<&Leg> {
        self.legs.iter().rev().find(|leg| leg.role == role && !leg.is_gone())
    }
}

pub(super) fn ua_limits(limits: &settings::Limits) -> dialog::Limits {
    dialog::Limits {
        transactions: limits.transactions,
        message: message::Limits { message: limits.message_bytes, ..message::Limits::DEFAULT },
        ..dialog::Limits::default()
    }
}

/// Requests within a dialog come from where the dialog is, or from a peer's networks.
pub(super) fn trust(ua: &mut UserAgent, peers: Arc<[settings::Peer]>) {
    ua.set_trusted(Box::new(move |_, source: IpAddr| {
        peers.iter().any(|peer| peer.networks.iter().any(|network| network.contains(&source.to_canonical())))
    }));
}

/// Spreads a seed: the numbers made of it tell nothing of each other (SplitMix64).
pub(super) fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

const PRODUCT: &str = concat!("Handback/", env!("CARGO_PKG_VERSION"));
/// Free ports kept at hand, so that a call waits for none.
const PORTS_READY: usize = 32;
