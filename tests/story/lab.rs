//! Two user agents, A and B, with a network between them. A story ends with `lab.is_over()`: nothing is left.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use handback::sip::{
    dialog::{Counts, IncomingRequest, NewInvite, SessionEnd, SessionId, UaEvent, UaOutput, UserAgent, UserAgentConfig, VerbError},
    message::{Message, Request},
    transport::{Flow, Received, Transmit, Transport},
};

use super::network::{Arrival, Network};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who(pub usize);

pub const A: Who = Who(0);
pub const B: Who = Who(1);

pub struct Node {
    pub ua: UserAgent,
    pub address: SocketAddr,
    pub events: VecDeque<UaEvent>,
}

pub struct Lab {
    pub now: Instant,
    start: Instant,
    pub network: Network,
    pub nodes: Vec<Node>,
    /// What was sent, in order: `A INVITE`, `B 180 INVITE`, with what became of it.
    lines: Vec<String>,
    /// Everything sent, as it was.
    pub sent: Vec<(Who, Transmit)>,
    /// Messages to lose by hand: (whose, how the line begins, how many).
    losses: Vec<(Who, String, usize)>,
}

impl Lab {
    /// A quiet network with UDP and TCP.
    pub fn new() -> Self {
        Self::with(1, |_| {})
    }

    pub fn with(seed: u64, set: impl Fn(&mut UserAgentConfig)) -> Self {
        let now = Instant::now();
        let node = |index: u64| {
            let address: SocketAddr = format!("192.0.2.{}:5060", index + 1).parse().expect("an address");
            let listeners = vec![(Transport::Udp, address), (Transport::Tcp, address)];
            let mut config = UserAgentConfig::new("Lab", listeners, seed * 2 + index);
            config.screens_itself = true;
            set(&mut config);
            Node { ua: UserAgent::new(config), address, events: VecDeque::new() }
        };
        let nodes = vec![node(0), node(1)];
        Self { now, start: now, network: Network::new(seed), nodes, lines: Vec::new(), sent: Vec::new(), losses: Vec::new() }
    }

    pub fn ua(&self, who: Who) -> &UserAgent {
        &self.nodes[who.0].ua
    }

    pub fn address(&self, who: Who) -> SocketAddr {
        self.nodes[who.0].address
    }

    /// Lets one of them do something, and hears what comes of it.
    pub fn does<T>(&mut self, who: Who, verb: impl FnOnce(&mut UserAgent, Instant) -> T) -> T {
        let result = verb(&mut self.nodes[who.0].ua, self.now);
        self.drain(who);
        result
    }

    /// An INVITE from A to B with an offer.
    pub fn invitation(&self) -> NewInvite {
        NewInvite {
            target: format!("sip:b@{}", self.address(B)),
            next_hops: vec![(Transport::Udp, self.address(B))],
            from: "<sip:a@example.com>".into(),
            contact_user: "a".into(),
            offer: Some(sdp("offer")),
            ..NewInvite::default()
        }
    }

    /// A calls B.
    pub fn calls(&mut self) -> SessionId {
        let invite = self.invitation();
        self.does(A, |ua, now| ua.invite(now, invite)).expect("it can be sent")
    }

    /// B takes the INVITE that comes next.
    pub fn is_called(&mut self) -> SessionId {
        let incoming = self.hears_request(B);
        self.does(B, |ua, now| ua.accept_invite(now, incoming)).expect("there is room")
    }

    /// A calls, B answers, A hears it, B has the ACK.
    pub fn in_a_call(&mut self) -> (SessionId, SessionId) {
        let a = self.calls();
        let b = self.is_called();
        self.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).expect("it rings");
        self.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
        self.hears(B, |event| matches!(event, UaEvent::Established { .. }));
        (a, b)
    }

    pub fn hears_request(&mut self, who: Who) -> IncomingRequest {
        match self.hears(who, |event| matches!(event, UaEvent::Request(_))) {
            UaEvent::Request(request) => *request,
            _ => unreachable!(),
        }
    }

    /// Lets time pass until the event comes; what came before it stays.
    #[track_caller]
    pub fn hears(&mut self, who: Who, wanted: impl Fn(&UaEvent) -> bool) -> UaEvent {
        loop {
            let events = &mut self.nodes[who.0].events;
            if let Some(at) = events.iter().position(&wanted) {
                return events.remove(at).expect("it is there");
            }
            if !self.step() || self.now - self.start > Duration::from_secs(100_000) {
                panic!("{who:?} never hears it; events: {:#?}\n{}", self.nodes[who.0].events, self.ladder());
            }
        }
    }

    /// Lets time pass until the session ends, and tells why it did.
    #[track_caller]
    pub fn ends(&mut self, who: Who, id: SessionId) -> SessionEnd {
        match self.hears(who, |event| matches!(event, UaEvent::Ended { id: ended, .. } if *ended == id)) {
            UaEvent::Ended { why, .. } => why,
            _ => unreachable!(),
        }
    }

    /// Whether such an event is there already.
    pub fn has_heard(&self, who: Who, wanted: impl Fn(&UaEvent) -> bool) -> bool {
        self.nodes[who.0].events.iter().any(wanted)
    }

    /// Lets this much time pass.
    pub fn passes(&mut self, time: Duration) {
        let end = self.now + time;
        while self.next().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until nothing moves any more, and finds nothing left over.
    #[track_caller]
    pub fn is_over(&mut self) {
        let mut steps = 0;
        while self.step() {
            steps += 1;
            assert!(steps < 100_000, "it never ends:\n{}", self.ladder());
        }
        for node in &self.nodes {
            assert_eq!(node.ua.counts(), Counts::default(), "left over:\n{}", self.ladder());
        }
    }

    /// One arrival, or one timer. False: nothing will ever happen again.
    pub fn step(&mut self) -> bool {
        let Some(at) = self.next() else { return false };
        self.now = self.now.max(at);
        if let Some(arrival) = self.network.arrive(self.now) {
            match arrival {
                Arrival::Message(to, received) => self.deliver(to, received),
                Arrival::Failed(at, flow) => {
                    if let Some(index) = self.nodes.iter().position(|node| node.address == at) {
                        self.does(Who(index), |ua, now| ua.handle_transport_failed(now, flow));
                    }
                }
            }
            return true;
        }
        for index in 0..self.nodes.len() {
            if self.nodes[index].ua.deadline().is_some_and(|at| at <= self.now) {
                self.does(Who(index), |ua, now| ua.handle_timeout(now));
            }
        }
        true
    }

    /// A message out of nowhere, from this address.
    pub fn arrives(&mut self, who: Who, from: SocketAddr, text: &str) {
        let flow = Flow { transport: Transport::Udp, local: self.address(who), remote: from, connection: None };
        let bytes = Bytes::from(text.replace("\r\n", "\n").replace('\n', "\r\n"));
        self.does(who, |ua, now| ua.handle_received(now, Received { flow, bytes }));
    }

    /// The next so many messages of this kind get lost: `loses(A, "ACK", 2)`, `loses(B, "200 INVITE", 1)`.
    pub fn loses(&mut self, who: Who, kind: &str, count: usize) {
        self.losses.push((who, kind.to_owned(), count));
    }

    /// What was sent, a line a message.
    pub fn ladder(&self) -> String {
        self.lines.join("\n")
    }

    /// The ladder without times, from the last `forget` on.
    pub fn messages(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.trim_start().split_once("  ").map_or(line.as_str(), |parts| parts.1)).collect()
    }

    pub fn forget(&mut self) {
        self.lines.clear();
        self.sent.clear();
    }

    /// The last request of this method that one of them sent.
    #[track_caller]
    pub fn last_request(&self, who: Who, method: &str) -> Request {
        let found = self.sent.iter().rev().filter(|(from, _)| *from == who).find_map(|(_, transmit)| {
            match Message::parse(transmit.bytes.clone()) {
                Ok(Message::Request(request)) if request.method().as_str() == method => Some(request),
                _ => None,
            }
        });
        found.unwrap_or_else(|| panic!("{who:?} sent no {method}:\n{}", self.ladder()))
    }

    /// The last response with this code that one of them sent.
    #[track_caller]
    pub fn last_response(&self, who: Who, code: u16) -> handback::sip::message::Response {
        let found = self.sent.iter().rev().filter(|(from, _)| *from == who).find_map(|(_, transmit)| {
            match Message::parse(transmit.bytes.clone()) {
                Ok(Message::Response(response)) if response.code() == code => Some(response),
                _ => None,
            }
        });
        found.unwrap_or_else(|| panic!("{who:?} sent no {code}:\n{}", self.ladder()))
    }

    fn next(&self) -> Option<Instant> {
        self.nodes.iter().filter_map(|node| node.ua.deadline()).chain(self.network.next()).min()
    }

    fn deliver(&mut self, to: SocketAddr, received: Received) {
        if let Some(index) = self.nodes.iter().position(|node| node.address == to) {
            self.does(Who(index), |ua, now| ua.handle_received(now, received));
        }
    }

    fn drain(&mut self, who: Who) {
        while let Some(output) = self.nodes[who.0].ua.poll_output() {
            match output {
                UaOutput::Transmit(transmit) => self.transmit(who, transmit),
                UaOutput::Event(event) => self.nodes[who.0].events.push_back(event),
            }
        }
    }

    fn transmit(&mut self, who: Who, transmit: Transmit) {
        let kind = kind(&transmit.bytes);
        let by_hand = self.losses.iter_mut().find(|(whose, start, count)| *whose == who && *count > 0 && kind.starts_with(start.as_str()));
        let lost = match by_hand {
            Some((.., count)) => {
                *count -= 1;
                true
            }
            None => !self.network.send(self.now, &transmit),
        };
        let again = if transmit.retransmission { " again" } else { "" };
        let by = if transmit.flow.transport == Transport::Udp { "" } else { " by TCP" };
        let lost = if lost { ", lost" } else { "" };
        let time = (self.now - self.start).as_secs_f64();
        self.lines.push(format!("{time:7.3}  {} {kind}{by}{again}{lost}", ["A", "B"][who.0]));
        self.sent.push((who, transmit));
    }
}

/// A body that stands for a session description.
pub fn sdp(what: &'static str) -> Bytes {
    Bytes::from_static(what.as_bytes())
}

pub fn failed(result: Result<impl Sized, VerbError>) -> VerbError {
    match result {
        Ok(_) => panic!("it worked"),
        Err(error) => error,
    }
}

fn kind(bytes: &Bytes) -> String {
    match Message::parse(bytes.clone()) {
        Ok(Message::Request(request)) => request.method().to_string(),
        Ok(Message::Response(response)) => {
            let method = response.cseq().map(|cseq| cseq.1.to_string()).unwrap_or_default();
            format!("{} {method}", response.code())
        }
        Err(error) => error.to_string(),
    }
}
