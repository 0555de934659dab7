//! The transaction layer (RFC 3261 §17): owns all transactions of a user agent, finds the one that a message belongs to,
//! and does what the machines ask for. `U` is what the transaction user wants to be reminded of.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
    net::SocketAddr,
    time::Instant,
};

use bytes::Bytes;
use slab::Slab;

use super::{
    ack::ack_of_refusal,
    client_invite::ClientInvite,
    client_non_invite::ClientNonInvite,
    effect::{ClientInput, Effect, Effects, ServerInput, Timer},
    key::ServerKey,
    server_invite::ServerInvite,
    server_non_invite::ServerNonInvite,
};
use crate::sip::{
    ids::{IdText, Ids},
    message::{Method, Request, Response},
    timers::{TimerConfig, TimerQueue},
    transport::{Flow, Transmit},
};

/// Names a transaction; never another one, not even when its slot is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId {
    slot: u32,
    serial: u32,
}

impl TransactionId {
    /// Names no transaction.
    pub const NONE: Self = Self { slot: u32::MAX, serial: 0 };
}

/// What a transaction tells its user unasked.
#[derive(Debug)]
pub enum Happened<U> {
    /// A client transaction gave up; its request may be tried elsewhere.
    ClientFailed { user: U, request: Box<Request>, flow: Flow, why: Failure },
    /// An INVITE has waited for 200 ms: send a 100 for it.
    TryingDue { id: TransactionId, user: U },
    /// Our refusal of an INVITE was never acknowledged, or can't be delivered.
    ServerFailed { user: U },
}

/// Why a client transaction gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    TimedOut,
    Transport,
}

/// What a request turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// It opens a transaction, or is an ACK for a dialog.
    New,
    /// Seen before; dealt with.
    Repeated,
}

/// A response that its transaction hands up.
#[derive(Debug, Clone, Copy)]
pub struct Heard<U> {
    pub id: TransactionId,
    pub user: U,
}

/// How one transaction stands, in the words of the RFC.
#[derive(Debug, Clone, Copy)]
pub struct TransactionReport {
    pub kind: &'static str,
    pub state: &'static str,
    pub started: Instant,
    pub flow: Flow,
}

pub struct Layer<U> {
    timers: TimerConfig,
    queue: TimerQueue<(u32, Timer)>,
    transactions: Slab<Transaction<U>>,
    servers: KeyMap,
    /// Requests outside of dialogs, to find the same request on another path.
    merges: KeyMap,
    /// Terminated within this input. They stay readable until `bury`, since the user may want their request again.
    dead: Vec<u32>,
    lingering: usize,
    /// Timers that nobody waits for any more may be at the head of the queue.
    has_dead_timers: bool,
    last_serial: u32,
    transmits: VecDeque<Transmit>,
    happened: VecDeque<Happened<U>>,
}

struct Transaction<U> {
    serial: u32,
    user: U,
    flow: Flow,
    started: Instant,
    role: Role,
    /// The armed timer that repeats, and the one that gives up; 0 is none.
    repeating: u64,
    patience: u64,
    lingers: bool,
    terminated: bool,
}

/// Most transactions are servers that linger, so what a client has besides is kept apart.
enum Role {
    ClientInvite { machine: ClientInvite, request: Box<Request>, branch: IdText, acks: Vec<(Box<str>, Transmit)>, cancel: Option<u32> },
    ClientOther { machine: ClientNonInvite, request: Box<Request>, branch: IdText },
    ServerInvite { machine: ServerInvite, key: ServerKey, latest: Bytes, elsewhere: u16 },
    ServerOther { machine: ServerNonInvite, key: ServerKey, latest: Bytes, elsewhere: u16 },
}

impl<U: Copy> Layer<U> {
    pub fn new(timers: TimerConfig) -> Self {
        Self {
            timers,
            queue: TimerQueue::new(&timers),
            transactions: Slab::new(),
            servers: KeyMap::default(),
            merges: KeyMap::default(),
            dead: Vec::new(),
            lingering: 0,
            has_dead_timers: false,
            last_serial: 0,
            transmits: VecDeque::new(),
            happened: VecDeque::new(),
        }
    }

    /// The branch of the client transaction that is started next.
    pub fn next_branch(&self, ids: &mut Ids) -> IdText {
        ids.branch(self.transactions.vacant_key() as u32)
    }

    /// Sends a request whose branch came from `next_branch`.
    pub fn start_client(&mut self, now: Instant, request: Request, branch: IdText, flow: Flow, user: U) -> TransactionId {
        let mut effects = Effects::new();
        let reliable = flow.transport.is_reliable();
        let request = Box::new(request);
        let role = if *request.method() == Method::INVITE {
            let machine = ClientInvite::start(reliable, &self.timers, &mut effects);
            Role::ClientInvite { machine, request, branch, acks: Vec::new(), cancel: None }
        } else {
            Role::ClientOther { machine: ClientNonInvite::start(reliable, &self.timers, &mut effects), request, branch }
        };
        let id = self.insert(now, role, flow, user);
        self.apply(now, id.slot, effects, None);
        id
    }

    /// Sends the CANCEL of an INVITE, which carries the INVITE's branch (§9.1).
    pub fn start_cancel(&mut self, now: Instant, invite: TransactionId, cancel: Request, user: U) -> Option<TransactionId> {
        let transaction = self.live(invite)?;
        let (flow, Role::ClientInvite { branch, .. }) = (transaction.flow, &transaction.role) else { return None };
        let branch = branch.clone();
        let id = self.start_client(now, cancel, branch, flow, user);
        if let Some(Role::ClientInvite { cancel, .. }) = self.transactions.get_mut(invite.slot as usize).map(|invite| &mut invite.role) {
            *cancel = Some(id.slot);
        }
        Some(id)
    }

    /// Whether a request repeats one that has a transaction; an ACK for a refusal ends here, too.
    pub fn handle_request(&mut self, now: Instant, request: &Request, key: &ServerKey) -> Matched {
        let Some(&slot) = self.servers.get(&key.own) else { return Matched::New };
        let Some(transaction) = self.transactions.get_mut(slot as usize).filter(|transaction| !transaction.terminated) else {
            return Matched::New;
        };
        let input = if *request.method() == Method::ACK { ServerInput::Ack } else { ServerInput::Request };
        let effects = transaction.server(input, &self.timers);
        let up = effects.contains(&Effect::PassUp);
        self.apply(now, slot, effects, None);
        // RFC 6026 §7.1: in Accepted, an ACK with the INVITE's branch is the dialog's.
        if up { Matched::New } else { Matched::Repeated }
    }

    /// Whether the same request is being dealt with already, having come by another path (§8.2.2.2).
    pub fn is_merged(&self, key: &ServerKey) -> bool {
        let other = key.merge.and_then(|merge| self.merges.get(&merge)).and_then(|&slot| self.transactions.get(slot as usize));
        other.and_then(Transaction::key).is_some_and(|other| other.own != key.own)
    }

    /// Opens the transaction of a new request. `elsewhere` is the port that responses go to when the connection it came by is gone (§18.2.2).
    pub fn open_server(&mut self, now: Instant, request: &Request, key: ServerKey, flow: Flow, elsewhere: u16, user: U) -> TransactionId {
        let mut effects = Effects::new();
        let reliable = flow.transport.is_reliable();
        let latest = Bytes::new();
        let role = if *request.method() == Method::INVITE {
            Role::ServerInvite { machine: ServerInvite::start(reliable, &mut effects), key, latest, elsewhere }
        } else {
            Role::ServerOther { machine: ServerNonInvite::start(reliable, &mut effects), key, latest, elsewhere }
        };
        let id = self.insert(now, role, flow, user);
        self.servers.insert(key.own, id.slot);
        if let Some(merge) = key.merge {
            self.merges.insert(merge, id.slot);
        }
        self.apply(now, id.slot, effects, None);
        id
    }

    /// Sends the user's response.
    pub fn respond(&mut self, now: Instant, id: TransactionId, response: &Response) {
        let timers = self.timers;
        let Some(transaction) = self.live_mut(id) else { return };
        if let Role::ServerInvite { latest, .. } | Role::ServerOther { latest, .. } = &mut transaction.role {
            latest.clone_from(response.raw());
        }
        let effects = transaction.server(ServerInput::Respond(response.code()), &timers);
        self.apply(now, id.slot, effects, None);
    }

    /// Hands a response to the client transaction that it answers (§17.1.3).
    pub fn handle_response(&mut self, now: Instant, response: &Response, branch: &str, ids: &Ids) -> Option<Heard<U>> {
        let invite_slot = ids.slot_of_branch(branch)?;
        let (_, method) = response.cseq().ok()?;
        let found = self.transactions.get(invite_slot as usize)?;
        let slot = match &found.role {
            Role::ClientInvite { cancel, .. } if method == Method::CANCEL => (*cancel)?,
            _ => invite_slot,
        };
        let transaction = self.transactions.get_mut(slot as usize)?;
        let (effects, known) = match &mut transaction.role {
            Role::ClientInvite { machine, branch: own, request, acks, .. } if **own == *branch && *request.method() == method => {
                let mut effects = Effects::new();
                machine.handle(ClientInput::Response(response.code()), &self.timers, &mut effects);
                // §13.2.2.4: the ACK is repeated for every repetition of the 2xx, whoever else still cares.
                let tag = response.to_tag();
                let known = acks.iter().find(|(known, _)| Some(&**known) == tag.as_deref()).map(|(_, ack)| ack.clone());
                (effects, known.filter(|_| response.status().is_success()))
            }
            Role::ClientOther { machine, branch: own, request } if **own == *branch && *request.method() == method => {
                let mut effects = Effects::new();
                machine.handle(ClientInput::Response(response.code()), &self.timers, &mut effects);
                (effects, None)
            }
            // A response to a request that we never sent.
            Role::ClientInvite { .. } | Role::ClientOther { .. } | Role::ServerInvite { .. } | Role::ServerOther { .. } => return None,
        };
        let heard = Heard { id: TransactionId { slot, serial: transaction.serial }, user: transaction.user };
        let up = effects.contains(&Effect::PassUp) && known.is_none();
        self.apply(now, slot, effects, Some(response));
        self.transmits.extend(known.map(|ack| Transmit { retransmission: true, ..ack }));
        up.then_some(heard)
    }

    /// Sends the ACK of a 2xx, and again whenever this 2xx is repeated.
    pub fn acknowledge(&mut self, invite: TransactionId, to_tag: &str, ack: Transmit) {
        self.transmits.push_back(ack.clone());
        if let Some(Role::ClientInvite { acks, .. }) = self.live_mut(invite).map(|transaction| &mut transaction.role) {
            acks.push((to_tag.into(), ack));
        }
    }

    /// Sends something that belongs to no transaction, or that its user repeats.
    pub fn send(&mut self, transmit: Transmit) {
        self.transmits.push_back(transmit);
    }

    /// The INVITE that a CANCEL speaks of, and whether it can still be cancelled (§9.2).
    pub fn cancelled(&self, key: &ServerKey) -> Option<(U, bool)> {
        let transaction = self.transactions.get(*self.servers.get(&key.invite)? as usize)?;
        match &transaction.role {
            Role::ServerInvite { machine, .. } if !transaction.terminated => Some((transaction.user, machine.cancellable())),
            _ => None,
        }
    }

    /// Whether a CANCEL may be sent for the INVITE now (§9.1).
    pub fn is_cancellable(&self, invite: TransactionId) -> bool {
        matches!(self.live(invite).map(|transaction| &transaction.role), Some(Role::ClientInvite { machine, .. }) if machine.cancellable())
    }

    /// The request of a client transaction, readable until the end of the input that ended it.
    pub fn request(&self, id: TransactionId) -> Option<&Request> {
        match &self.live(id)?.role {
            Role::ClientInvite { request, .. } | Role::ClientOther { request, .. } => Some(request),
            Role::ServerInvite { .. } | Role::ServerOther { .. } => None,
        }
    }

    /// Where a transaction's messages go.
    pub fn flow(&self, id: TransactionId) -> Option<Flow> {
        self.live(id).map(|transaction| transaction.flow)
    }

    /// Gives up an INVITE that was cancelled and never answered (§9.1).
    pub fn destroy(&mut self, id: TransactionId) {
        if self.live(id).is_some() {
            self.terminate(id.slot);
        }
    }

    /// Nothing can be sent there.
    pub fn handle_transport_failed(&mut self, now: Instant, failed: &Flow) {
        let hit = |flow: &Flow| match failed.connection {
            Some(connection) => flow.connection == Some(connection),
            None => flow.transport == failed.transport && flow.remote == failed.remote,
        };
        let slots: Vec<u32> =
            self.transactions.iter().filter(|(_, one)| !one.terminated && hit(&one.flow)).map(|(slot, _)| slot as u32).collect();
        for slot in slots {
            let Some(transaction) = self.transactions.get_mut(slot as usize) else { continue };
            let effects = match &mut transaction.role {
                Role::ClientInvite { .. } | Role::ClientOther { .. } => transaction.client(ClientInput::TransportError, &self.timers),
                // §18.2.2: a response whose connection is gone may open another one.
                Role::ServerInvite { elsewhere, .. } | Role::ServerOther { elsewhere, .. } if transaction.flow.connection.is_some() => {
                    let remote = SocketAddr::new(transaction.flow.remote.ip(), *elsewhere);
                    transaction.flow = Flow { remote, connection: None, ..transaction.flow };
                    Effects::new()
                }
                Role::ServerInvite { .. } | Role::ServerOther { .. } => transaction.server(ServerInput::TransportError, &self.timers),
            };
            self.apply(now, slot, effects, None);
        }
    }

    /// Rings what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(ring) = self.queue.pop_due(now) {
            self.has_dead_timers = true;
            let (slot, timer) = ring.owner;
            let Some(transaction) = self.transactions.get_mut(slot as usize) else { continue };
            let armed = transaction.timer_mut(timer);
            if *armed != ring.serial {
                continue;
            }
            *armed = 0;
            let effects = match transaction.role {
                Role::ClientInvite { .. } | Role::ClientOther { .. } => transaction.client(ClientInput::Timer(timer), &self.timers),
                Role::ServerInvite { .. } | Role::ServerOther { .. } => transaction.server(ServerInput::Timer(timer), &self.timers),
            };
            // What repeats does so from when it was due, not from when it was noticed; a long sleep is no burst.
            let from = if now.duration_since(ring.at) < self.timers.t1 { ring.at } else { now };
            self.apply(from, slot, effects, None);
        }
    }

    /// When the next timer rings.
    pub fn deadline(&self) -> Option<Instant> {
        self.queue.deadline()
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub fn poll_happened(&mut self) -> Option<Happened<U>> {
        self.happened.pop_front()
    }

    /// Frees what has terminated. Called when an input is dealt with.
    pub fn bury(&mut self) {
        for slot in self.dead.drain(..) {
            let transaction = self.transactions.remove(slot as usize);
            self.lingering -= usize::from(transaction.lingers);
            if let Some(key) = transaction.key() {
                forget(&mut self.servers, key.own, slot);
                if let Some(merge) = key.merge {
                    forget(&mut self.merges, merge, slot);
                }
            }
        }
        if std::mem::take(&mut self.has_dead_timers) {
            let transactions = &self.transactions;
            self.queue.forget_dead(|ring| is_armed(transactions, ring.owner, ring.serial));
        }
    }

    /// All transactions.
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// Those that still wait for somebody.
    pub fn waiting(&self) -> usize {
        self.transactions.len() - self.lingering
    }

    /// Those that only absorb repetitions.
    pub fn lingering(&self) -> usize {
        self.lingering
    }

    /// Timers that will ring.
    pub fn timers(&self) -> usize {
        self.queue.count(|ring| is_armed(&self.transactions, ring.owner, ring.serial))
    }

    /// Every transaction, in the words of the RFC.
    pub fn report(&self) -> impl Iterator<Item = TransactionReport> {
        self.transactions.iter().map(|(_, transaction)| {
            let (kind, state) = match &transaction.role {
                Role::ClientInvite { machine, .. } => ("INVITE client", machine.state()),
                Role::ClientOther { machine, .. } => ("non-INVITE client", machine.state()),
                Role::ServerInvite { machine, .. } => ("INVITE server", machine.state()),
                Role::ServerOther { machine, .. } => ("non-INVITE server", machine.state()),
            };
            TransactionReport { kind, state, started: transaction.started, flow: transaction.flow }
        })
    }

    fn insert(&mut self, now: Instant, role: Role, flow: Flow, user: U) -> TransactionId {
        self.last_serial = self.last_serial.wrapping_add(1);
        let serial = self.last_serial;
        let transaction =
            Transaction { serial, user, flow, started: now, role, repeating: 0, patience: 0, lingers: false, terminated: false };
        TransactionId { slot: self.transactions.insert(transaction) as u32, serial }
    }

    fn live(&self, id: TransactionId) -> Option<&Transaction<U>> {
        self.transactions.get(id.slot as usize).filter(|transaction| transaction.serial == id.serial)
    }

    fn live_mut(&mut self, id: TransactionId) -> Option<&mut Transaction<U>> {
        self.transactions.get_mut(id.slot as usize).filter(|transaction| transaction.serial == id.serial && !transaction.terminated)
    }

    fn apply(&mut self, now: Instant, slot: u32, effects: Effects, response: Option<&Response>) {
        for effect in effects {
            let Some(transaction) = self.transactions.get_mut(slot as usize) else { return };
            let id = TransactionId { slot, serial: transaction.serial };
            match effect {
                Effect::Send | Effect::Resend => {
                    let bytes = transaction.wire().clone();
                    if !bytes.is_empty() {
                        self.transmits.push_back(Transmit { flow: transaction.flow, bytes, retransmission: effect == Effect::Resend });
                    }
                }
                Effect::SendAck => {
                    let Role::ClientInvite { request, .. } = &transaction.role else { continue };
                    let Some(ack) = response.and_then(|response| ack_of_refusal(request, response)) else { continue };
                    let retransmission = transaction.lingers;
                    self.transmits.push_back(Transmit { flow: transaction.flow, bytes: ack.raw().clone(), retransmission });
                }
                Effect::SendTrying => self.happened.push_back(Happened::TryingDue { id, user: transaction.user }),
                // The caller hands it up.
                Effect::PassUp => {}
                Effect::Start(timer, after) => {
                    let serial = self.queue.arm(now, after, (slot, timer));
                    self.has_dead_timers |= std::mem::replace(transaction.timer_mut(timer), serial) != 0;
                }
                Effect::Stop(timer) => self.has_dead_timers |= std::mem::take(transaction.timer_mut(timer)) != 0,
                Effect::TimedOut => self.fail(slot, Failure::TimedOut),
                Effect::TransportFailed => self.fail(slot, Failure::Transport),
                Effect::Terminated => self.terminate(slot),
            }
        }
        let Some(transaction) = self.transactions.get_mut(slot as usize) else { return };
        let lingers = transaction.role.lingers();
        if lingers != transaction.lingers {
            transaction.lingers = lingers;
            self.lingering += 1;
        }
    }

    fn fail(&mut self, slot: u32, why: Failure) {
        let Some(transaction) = self.transactions.get(slot as usize) else { return };
        let (user, flow) = (transaction.user, transaction.flow);
        self.happened.push_back(match &transaction.role {
            Role::ClientInvite { request, .. } | Role::ClientOther { request, .. } => {
                Happened::ClientFailed { user, request: request.clone(), flow, why }
            }
            Role::ServerInvite { .. } | Role::ServerOther { .. } => Happened::ServerFailed { user },
        });
    }

    fn terminate(&mut self, slot: u32) {
        let Some(transaction) = self.transactions.get_mut(slot as usize) else { return };
        if !transaction.terminated {
            transaction.terminated = true;
            (transaction.repeating, transaction.patience) = (0, 0);
            self.has_dead_timers = true;
            self.dead.push(slot);
        }
    }
}

impl<U> Transaction<U> {
    fn client(&mut self, input: ClientInput, timers: &TimerConfig) -> Effects {
        let mut effects = Effects::new();
        match &mut self.role {
            Role::ClientInvite { machine, .. } => machine.handle(input, timers, &mut effects),
            Role::ClientOther { machine, .. } => machine.handle(input, timers, &mut effects),
            Role::ServerInvite { .. } | Role::ServerOther { .. } => {}
        }
        effects
    }

    fn server(&mut self, input: ServerInput, timers: &TimerConfig) -> Effects {
        let mut effects = Effects::new();
        match &mut self.role {
            Role::ServerInvite { machine, .. } => machine.handle(input, timers, &mut effects),
            Role::ServerOther { machine, .. } => machine.handle(input, timers, &mut effects),
            Role::ClientInvite { .. } | Role::ClientOther { .. } => {}
        }
        effects
    }

    fn timer_mut(&mut self, timer: Timer) -> &mut u64 {
        if timer.repeats() { &mut self.repeating } else { &mut self.patience }
    }

    fn key(&self) -> Option<&ServerKey> {
        match &self.role {
            Role::ServerInvite { key, .. } | Role::ServerOther { key, .. } => Some(key),
            Role::ClientInvite { .. } | Role::ClientOther { .. } => None,
        }
    }

    fn wire(&self) -> &Bytes {
        match &self.role {
            Role::ClientInvite { request, .. } | Role::ClientOther { request, .. } => request.raw(),
            Role::ServerInvite { latest, .. } | Role::ServerOther { latest, .. } => latest,
        }
    }
}

impl Role {
    fn lingers(&self) -> bool {
        match self {
            Self::ClientInvite { machine, .. } => machine.lingers(),
            Self::ClientOther { machine, .. } => machine.lingers(),
            Self::ServerInvite { machine, .. } => machine.lingers(),
            Self::ServerOther { machine, .. } => machine.lingers(),
        }
    }
}

fn is_armed<U>(transactions: &Slab<Transaction<U>>, (slot, timer): (u32, Timer), serial: u64) -> bool {
    transactions
        .get(slot as usize)
        .is_some_and(|transaction| serial == if timer.repeats() { transaction.repeating } else { transaction.patience })
}

/// Removes an entry, unless it has come to name another transaction.
fn forget(map: &mut KeyMap, key: u64, slot: u32) {
    if map.get(&key) == Some(&slot) {
        map.remove(&key);
    }
}

/// The keys are keyed hashes already.
type KeyMap = HashMap<u64, u32, BuildHasherDefault<AsIs>>;

#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
