//! A network in virtual time: delay, loss and reordering from a seed over UDP; streams keep order and lose nothing.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use handback::sip::transport::{ConnectionId, Flow, Received, Transmit, Transport};

/// Carries messages between addresses.
pub struct Network {
    /// Of a thousand datagrams, so many are lost.
    pub loss_per_mille: u64,
    pub least_delay: Duration,
    /// A random part on top, which reorders.
    pub jitter: Duration,
    /// Addresses that refuse TCP.
    pub without_tcp: HashSet<SocketAddr>,
    /// Addresses that take everything and say nothing.
    pub dead: HashSet<SocketAddr>,
    random: u64,
    sent: u64,
    under_way: BinaryHeap<Reverse<(Instant, u64, Parcel)>>,
    connections: BTreeMap<(SocketAddr, SocketAddr), u64>,
    /// When the last bytes of a stream arrive, so that the next come after.
    last_in_stream: BTreeMap<(u64, SocketAddr), Instant>,
}

/// What arrives somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Parcel {
    Message { transport: &'static str, from: SocketAddr, to: SocketAddr, connection: Option<u64>, bytes: bytes::Bytes },
    Refused { at: SocketAddr, remote: SocketAddr },
}

/// What a node is told.
#[derive(Debug)]
pub enum Arrival {
    Message(SocketAddr, Received),
    Failed(SocketAddr, Flow),
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self {
            loss_per_mille: 0,
            least_delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            without_tcp: HashSet::new(),
            dead: HashSet::new(),
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            sent: 0,
            under_way: BinaryHeap::new(),
            connections: BTreeMap::new(),
            last_in_stream: BTreeMap::new(),
        }
    }

    /// Takes a message on its way; false: it is lost.
    pub fn send(&mut self, now: Instant, transmit: &Transmit) -> bool {
        let Flow { transport, local, remote, .. } = transmit.flow;
        self.sent += 1;
        let mut delay = self.least_delay;
        let jitter = self.jitter.as_micros() as u64;
        if jitter > 0 {
            delay += Duration::from_micros(self.random() % jitter);
        }
        if transport == Transport::Udp {
            if self.random() % 1000 < self.loss_per_mille || self.dead.contains(&remote) {
                return false;
            }
            let parcel = Parcel::Message { transport: "UDP", from: local, to: remote, connection: None, bytes: transmit.bytes.clone() };
            self.under_way.push(Reverse((now + delay, self.sent, parcel)));
            return true;
        }
        if self.without_tcp.contains(&remote) || self.dead.contains(&remote) {
            self.under_way.push(Reverse((now + self.least_delay, self.sent, Parcel::Refused { at: local, remote })));
            return false;
        }
        let count = self.connections.len() as u64 + 1;
        let connection = *self.connections.entry((local.min(remote), local.max(remote))).or_insert(count);
        let last = self.last_in_stream.entry((connection, remote)).or_insert(now);
        let at = (now + delay).max(*last);
        *last = at;
        let parcel = Parcel::Message {
            transport: transport.as_str(),
            from: local,
            to: remote,
            connection: Some(connection),
            bytes: transmit.bytes.clone(),
        };
        self.under_way.push(Reverse((at, self.sent, parcel)));
        true
    }

    /// When something arrives next.
    pub fn next(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse((at, ..))| *at)
    }

    /// What has arrived by now.
    pub fn arrive(&mut self, now: Instant) -> Option<Arrival> {
        if self.next().is_none_or(|at| at > now) {
            return None;
        }
        let Reverse((_, _, parcel)) = self.under_way.pop()?;
        Some(match parcel {
            Parcel::Message { transport, from, to, connection, bytes } => {
                let transport = transport.parse().expect("one that was sent");
                let flow = Flow { transport, local: to, remote: from, connection: connection.map(ConnectionId) };
                Arrival::Message(to, Received { flow, bytes })
            }
            Parcel::Refused { at, remote } => Arrival::Failed(at, Flow { transport: Transport::Tcp, local: at, remote, connection: None }),
        })
    }

    fn random(&mut self) -> u64 {
        // xorshift64*
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }
}
