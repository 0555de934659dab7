//! A network in virtual time with the customer's side at one end and a scripted bridge at the other. Tests only.

use std::{
    collections::BinaryHeap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Customer, CustomerSetup,
    site::{Side, mix},
};
use crate::{
    media::{MediaCommand, MediaEvent, Recording, StreamId},
    model::{CallEvent, CallId, CallState, Command, CommandOutcome, TestCall, TestCallReport},
    party::{Input, Output, Party as _},
    sip::{
        dialog::{ClientCredentials, IncomingRequest, NewInvite, SessionId, UaEvent, UaOutput, UserAgent, UserAgentConfig},
        message::Message,
        transport::{Flow, Received, Transmit, Transport},
    },
};

pub(super) struct Lab {
    pub now: Instant,
    pub customer: Customer,
    pub bridge: UserAgent,
    /// What the bridge saw and no story has asked about yet.
    bridge_events: Vec<UaEvent>,
    /// Calls at the return point that the bridge is told of.
    pub taken_back: Vec<crate::party::TakenBack>,
    wire: BinaryHeap<Flight>,
    flights: u64,
    /// Percent of the messages that never arrive.
    pub loss: u64,
    /// Which of them.
    pub luck: u64,
    /// Every message sent, as `customer > bridge: INVITE`.
    pub log: Vec<String>,
    /// The same messages whole.
    pub sent: Vec<Bytes>,
    pub media: Vec<MediaCommand>,
    pub events: Vec<(CallId, CallEvent)>,
    pub outcomes: Vec<(u64, CommandOutcome)>,
    commands: u64,
    next_port: u16,
    pub unresolvable: bool,
}

struct Flight {
    at: Instant,
    order: u64,
    received: Received,
}

impl Lab {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut CustomerSetup)) -> Self {
        let now = Instant::now();
        let mut setup = CustomerSetup::new(now, both(SBC), both(RETURN_POINT), 7);
        setup.bridge = Some((Transport::Udp, address(BRIDGE)));
        change(&mut setup);
        let bridge = UserAgent::new(UserAgentConfig { screens_itself: true, ..UserAgentConfig::new("Bridge", both(BRIDGE), 99) });
        let mut lab = Self {
            now,
            customer: Customer::new(setup),
            bridge,
            bridge_events: Vec::new(),
            taken_back: Vec::new(),
            wire: BinaryHeap::new(),
            flights: 0,
            loss: 0,
            luck: 0,
            log: Vec::new(),
            sent: Vec::new(),
            media: Vec::new(),
            events: Vec::new(),
            outcomes: Vec::new(),
            commands: 0,
            next_port: 40_000,
            unresolvable: false,
        };
        lab.drain();
        lab
    }

    /// Places a test call; its id.
    pub fn place(&mut self, call: TestCall) -> CallId {
        self.command(Command::PlaceTestCall { call: Box::new(call) }).expect("the order can be carried out")
    }

    pub fn command(&mut self, command: Command) -> CommandOutcome {
        self.commands += 1;
        let id = self.commands;
        self.input(Input::Command { id, command });
        let at = self.outcomes.iter().position(|(of, _)| *of == id).expect("every command is answered");
        self.outcomes.swap_remove(at).1
    }

    /// A call that the bridge has answered; the bridge's session.
    pub fn call_up(&mut self, call: TestCall) -> (CallId, SessionId) {
        let id = self.place(call);
        let session = self.bridge_accepts();
        self.bridge_does(|bridge, now| bridge.answer(now, session, Some(sdp(50_000)), &[]));
        self.run_until(|lab| lab.events.iter().any(|(_, e)| matches!(e, CallEvent::CallAnswered { .. })));
        (id, session)
    }

    /// Waits for an INVITE at the bridge and takes it.
    pub fn bridge_accepts(&mut self) -> SessionId {
        let incoming = self.bridge_invited();
        self.bridge_does(|bridge, now| bridge.accept_invite(now, incoming))
    }

    /// Takes an INVITE if one is there.
    pub fn try_bridge_accepts(&mut self) -> Option<SessionId> {
        let at = self.bridge_events.iter().position(|event| matches!(event, UaEvent::Request(_)))?;
        let UaEvent::Request(incoming) = self.bridge_events.remove(at) else { return None };
        Some(self.bridge_does(|bridge, now| bridge.accept_invite(now, *incoming)))
    }

    pub fn is_up(&self, call: CallId) -> bool {
        self.events.iter().any(|(id, event)| *id == call && matches!(event, CallEvent::CallAnswered { .. }))
    }

    pub fn bridge_invited(&mut self) -> IncomingRequest {
        self.bridge_sees(|event| match event {
            UaEvent::Request(incoming) => Some((**incoming).clone()),
            _ => None,
        })
    }

    /// The bridge places a return INVITE to the return point.
    pub fn bridge_invites(&mut self, headers: &[(&str, &str)]) -> SessionId {
        self.bridge_invites_as(headers, Some(sdp(50_010)), None)
    }

    pub fn bridge_invites_as(
        &mut self,
        headers: &[(&str, &str)],
        offer: Option<Bytes>,
        credentials: Option<ClientCredentials>,
    ) -> SessionId {
        let invite = NewInvite {
            target: format!("sip:return@{RETURN_POINT}"),
            next_hops: vec![(Transport::Udp, address(RETURN_POINT))],
            from: "<sip:bridge@192.0.2.2>".to_owned(),
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            offer,
            max_forwards: 70,
            credentials,
            ..NewInvite::default()
        };
        self.bridge_does(|bridge, now| bridge.invite(now, invite))
    }

    pub fn bridge_does<T, E: std::fmt::Debug>(&mut self, act: impl FnOnce(&mut UserAgent, Instant) -> Result<T, E>) -> T {
        let done = act(&mut self.bridge, self.now).expect("the bridge can do that");
        self.drain();
        done
    }

    /// The bridge does what it may no longer be able to do.
    pub fn bridge_may<T, E>(&mut self, act: impl FnOnce(&mut UserAgent, Instant) -> Result<T, E>) {
        let _ = act(&mut self.bridge, self.now);
        self.drain();
    }

    /// Bytes from the bridge's address that its user agent knows nothing of.
    pub fn bridge_sends_raw(&mut self, message: String) {
        let flow = Flow { transport: Transport::Udp, local: address(BRIDGE), remote: address(SBC), connection: None };
        self.send(Transmit { flow, bytes: message.into(), retransmission: false });
    }

    /// Lets time pass until the bridge sees what `pick` picks; it is taken out of what waits.
    pub fn bridge_sees<T>(&mut self, pick: impl Fn(&UaEvent) -> Option<T>) -> T {
        let mut found = None;
        self.run_until(|lab| {
            let at = lab.bridge_events.iter().position(|event| pick(event).is_some());
            found = at.and_then(|at| pick(&lab.bridge_events.remove(at)));
            found.is_some()
        });
        found.expect("run_until saw it")
    }

    /// Lets time pass, at most ten minutes, until `done`.
    pub fn run_until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
        let limit = self.now + Duration::from_secs(600);
        while !done(self) {
            assert!(self.step(limit), "it never came to that:\n{}", self.log.join("\n"));
        }
    }

    pub fn advance(&mut self, time: Duration) {
        let limit = self.now + time;
        while self.step(limit) {}
        self.now = limit;
    }

    /// The report of a call that is over, after checking that nothing is left of it anywhere.
    pub fn over(&mut self, call: CallId) -> (TestCallReport, CallState) {
        self.run_until(|lab| lab.end_of(call).is_some());
        self.advance(Duration::from_secs(120));
        let left = self.customer.left_over();
        assert_eq!(left, Vec::<String>::new(), "{}", self.log.join("\n"));
        let report = self.events.iter().find_map(|(id, event)| match event {
            CallEvent::TestCallReported { report } if *id == call => Some((**report).clone()),
            _ => None,
        });
        (report.expect("a report comes before the end"), self.end_of(call).expect("it ended"))
    }

    pub fn end_of(&self, call: CallId) -> Option<CallState> {
        self.events.iter().find_map(|(id, event)| match event {
            CallEvent::CallEnded { state, .. } if *id == call => Some(*state),
            _ => None,
        })
    }

    /// Sent messages whose first line begins so.
    pub fn messages(&self, first_line: &str) -> Vec<Message> {
        let begins = |bytes: &&Bytes| bytes.starts_with(first_line.as_bytes());
        self.sent.iter().filter(begins).map(|bytes| Message::parse(bytes.clone()).expect("we sent it")).collect()
    }

    fn step(&mut self, limit: Instant) -> bool {
        let flight = self.wire.peek().map(|f| f.at);
        let next = [flight, self.customer.deadline(), self.bridge.deadline()].into_iter().flatten().min();
        let Some(at) = next.filter(|at| *at <= limit) else { return false };
        self.now = self.now.max(at);
        if flight.is_some_and(|f| f <= self.now)
            && let Some(Flight { received, .. }) = self.wire.pop()
        {
            if received.flow.local == address(BRIDGE) {
                self.bridge.handle_received(self.now, received);
                self.drain();
            } else {
                self.input(Input::Received(received));
            }
        } else if self.customer.deadline().is_some_and(|at| at <= self.now) {
            self.input(Input::Timeout);
        } else {
            self.bridge.handle_timeout(self.now);
            self.drain();
        }
        true
    }

    fn input(&mut self, input: Input) {
        self.customer.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.bridge.poll_output() {
            match output {
                UaOutput::Transmit(transmit) => self.send(transmit),
                UaOutput::Event(event) => self.bridge_events.push(event),
            }
        }
        while let Some(output) = self.customer.poll_output() {
            match output {
                Output::Transmit(transmit) => self.send(transmit),
                Output::Media(command) => self.play(command),
                Output::Resolve { query, uri } => {
                    let host = uri.split(['@', ';', '?']).nth(1).and_then(|host| host.parse().ok());
                    let targets = host.filter(|_| !self.unresolvable).map(|address| (Transport::Udp, address)).into_iter().collect();
                    self.input(Input::Resolved { query, targets });
                }
                Output::PortsWanted(count) => {
                    let ports = (0..count).map(|i| self.next_port + 2 * i as u16).collect();
                    self.next_port += 2 * count as u16;
                    self.input(Input::PortsOpened(ports));
                }
                Output::StreamOf { .. } | Output::Speak { .. } | Output::Claim { .. } | Output::Keep { .. } => {}
                Output::TookBack(taken) => self.taken_back.push(*taken),
                Output::Event { call, what } => self.events.push((call, what)),
                Output::CommandDone { id, outcome } => self.outcomes.push((id, outcome)),
            }
        }
    }

    /// The media thread's part.
    fn play(&mut self, command: MediaCommand) {
        self.media.push(command.clone());
        let answer = match command {
            MediaCommand::Close { stream } => Some(MediaEvent::Closed {
                stream,
                figures: Box::default(),
                recording: self.is_recorded(stream).then(|| Recording { rate: 8_000, received: vec![0; 8_000], sent: Vec::new() }),
            }),
            MediaCommand::SendDtmf { stream, .. } => Some(MediaEvent::DtmfSent { stream }),
            _ => None,
        };
        if let Some(event) = answer {
            self.input(Input::Media(event));
        }
    }

    fn is_recorded(&self, of: StreamId) -> bool {
        self.media.iter().any(|m| matches!(m, MediaCommand::Record { stream, .. } if *stream == of))
    }

    fn send(&mut self, transmit: Transmit) {
        self.flights += 1;
        let Flow { transport, local, remote, .. } = transmit.flow;
        let line = String::from_utf8_lossy(&transmit.bytes).lines().next().unwrap_or_default().to_owned();
        let lost = mix(self.flights ^ self.luck << 32) % 100 < self.loss;
        self.log.push(format!("{} > {}: {line}{}", name(local), name(remote), if lost { " (lost)" } else { "" }));
        self.sent.push(transmit.bytes.clone());
        if !lost {
            let flow = Flow { transport, local: remote, remote: local, connection: None };
            let received = Received { flow, bytes: transmit.bytes };
            self.wire.push(Flight { at: self.now + LATENCY, order: self.flights, received });
        }
    }
}

impl Customer {
    /// What is still there when nothing should be.
    fn left_over(&mut self) -> Vec<String> {
        let mut left = self.what_is_left();
        for side in Side::BOTH {
            let counts = self.counts(side);
            if counts.sessions + counts.transactions > 0 {
                left.push(format!("{side:?}: {counts:?}"));
            }
        }
        left
    }
}

impl Ord for Flight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // The earliest is the greatest: BinaryHeap hands out the greatest first.
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Flight {}

pub(super) fn sdp(port: u16) -> Bytes {
    Bytes::from(format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    ))
}

fn both(at: &str) -> Vec<(Transport, SocketAddr)> {
    vec![(Transport::Udp, address(at)), (Transport::Tcp, address(at))]
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn name(of: SocketAddr) -> &'static str {
    [(SBC, "customer"), (RETURN_POINT, "return point"), (BRIDGE, "bridge")]
        .into_iter()
        .find(|(at, _)| address(at) == of)
        .map_or("stranger", |(_, name)| name)
}

pub(super) const SBC: &str = "192.0.2.1:5060";
pub(super) const RETURN_POINT: &str = "192.0.2.1:5090";
pub(super) const BRIDGE: &str = "192.0.2.2:5060";
const LATENCY: Duration = Duration::from_millis(10);
