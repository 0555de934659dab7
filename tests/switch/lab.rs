//! A switch between a customer, an agent and a return endpoint, with a network in virtual time.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use handback::{
    call::{Switch, SwitchCounts, SwitchSetup},
    media::{MediaCommand, MediaEvent, StreamId},
    model::{CallEvent, CallId, CallRecord, Command, CommandOutcome, Timestamp, settings::Settings},
    party::{Input, Output, Party},
    sip::{
        dialog::{
            ClientCredentials, Counts, IncomingRequest, NewInvite, SessionEnd, SessionId, UaEvent, UaOutput, UserAgent, UserAgentConfig,
        },
        message::Message,
        transport::{Flow, Received, Transmit, Transport},
    },
};

use crate::{
    desk::LabDesk,
    network::{Arrival, Network},
};

/// Who speaks to the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Customer,
    Agent,
    Return,
}

pub use Who::{Agent, Customer, Return};

pub use crate::given::{settings, with_agent};

const SWITCH: &str = "192.0.2.1:5060";

pub struct Lab {
    pub now: Instant,
    start: Instant,
    pub switch: Switch,
    pub network: Network,
    nodes: Vec<Node>,
    pub events: Vec<(CallId, CallEvent)>,
    pub media: Vec<MediaCommand>,
    pub done: Vec<(u64, CommandOutcome)>,
    /// What names resolve to; others to nothing.
    pub names: HashMap<String, Vec<(Transport, SocketAddr)>>,
    /// Owns the call transfers, where the settings have an API.
    pub desk: LabDesk,
    /// RTP ports that there are.
    pub ports: std::ops::Range<u16>,
    pub lines: Vec<String>,
    pub sent: Vec<(SocketAddr, Transmit)>,
    /// When each of these was sent, and whether it arrived.
    pub sent_after: Vec<(Duration, bool)>,
    losses: Vec<(SocketAddr, String, usize)>,
    /// Sessions that the parts opened, for whoever tidies up.
    pub open: Vec<(Who, SessionId)>,
}

struct Node {
    ua: UserAgent,
    address: SocketAddr,
    events: VecDeque<UaEvent>,
}

impl Lab {
    pub fn new(settings: Settings) -> Self {
        Self::with_luck(settings, 1)
    }

    pub fn with_luck(settings: Settings, luck: u64) -> Self {
        let now = Instant::now();
        let desk = LabDesk::new(now, settings.api.as_ref());
        let switch = Switch::new(SwitchSetup {
            settings: Arc::new(settings),
            listeners: vec![(Transport::Udp, SWITCH.parse().unwrap()), (Transport::Tcp, SWITCH.parse().unwrap())],
            seed: luck,
            first_call_id: 1,
            conversations: Vec::new(),
            now,
        });
        let node = |host: u64| {
            let address: SocketAddr = format!("192.0.2.{host}:5060").parse().unwrap();
            let mut config = UserAgentConfig::new("Lab", vec![(Transport::Udp, address), (Transport::Tcp, address)], luck * 100 + host);
            config.screens_itself = true;
            Node { ua: UserAgent::new(config), address, events: VecDeque::new() }
        };
        let mut lab = Self {
            now,
            start: now,
            switch,
            network: Network::new(luck),
            nodes: vec![node(10), node(20), node(30)],
            events: Vec::new(),
            media: Vec::new(),
            done: Vec::new(),
            names: HashMap::new(),
            desk,
            ports: 40_000..40_400,
            lines: Vec::new(),
            sent: Vec::new(),
            sent_after: Vec::new(),
            losses: Vec::new(),
            open: Vec::new(),
        };
        lab.drain_switch();
        lab
    }

    pub fn address(&self, who: Who) -> SocketAddr {
        self.nodes[who as usize].address
    }

    pub fn does<T>(&mut self, who: Who, verb: impl FnOnce(&mut UserAgent, Instant) -> T) -> T {
        let result = verb(&mut self.nodes[who as usize].ua, self.now);
        self.drain_node(who);
        result
    }

    pub fn invitation(&self) -> NewInvite {
        NewInvite {
            target: format!("sip:bridge@{SWITCH}"),
            next_hops: vec![(Transport::Udp, SWITCH.parse().unwrap())],
            from: "\"Ann\" <sip:ann@customer.example>".into(),
            contact_user: "sbc".into(),
            headers: [("X-GA-taskName", "billing"), ("X-GA-extConversationId", "c-1"), ("X-GA-iv-accountNumber", "42")]
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .to_vec(),
            offer: Some(sdp(self.address(Customer), "0 8 101", "sendrecv")),
            ..NewInvite::default()
        }
    }

    pub fn calls_with(&mut self, change: impl FnOnce(&mut NewInvite)) -> SessionId {
        let mut invite = self.invitation();
        change(&mut invite);
        self.does(Customer, |ua, now| ua.invite(now, invite)).expect("it can be sent")
    }

    pub fn calls(&mut self) -> SessionId {
        self.calls_with(|_| {})
    }

    /// The customer calls and is answered by the script.
    pub fn in_a_call(&mut self) -> SessionId {
        let call = self.calls();
        self.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
        self.happens(|e| matches!(e, CallEvent::AgentAnswered { .. }));
        call
    }

    /// The customer calls and talks to the SIP agent: both sessions.
    pub fn in_a_call_with_agent(&mut self) -> (SessionId, SessionId) {
        let call = self.calls();
        let agent = self.is_called(Agent);
        self.answers(Agent, agent);
        self.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
        self.passes(Duration::from_millis(100));
        (call, agent)
    }

    pub fn is_called(&mut self, who: Who) -> SessionId {
        let incoming = self.hears_request(who);
        self.does(who, |ua, now| ua.accept_invite(now, incoming)).expect("there is room")
    }

    pub fn answers(&mut self, who: Who, session: SessionId) {
        let answer = sdp(self.address(who), "0 101", "sendrecv");
        self.does(who, |ua, now| ua.answer(now, session, Some(answer), &[])).expect("it rings");
    }

    pub fn hears_request(&mut self, who: Who) -> IncomingRequest {
        match self.hears(who, |event| matches!(event, UaEvent::Request(_))) {
            UaEvent::Request(request) => *request,
            _ => unreachable!(),
        }
    }

    /// The customer presses a key.
    pub fn presses(&mut self, digit: char) {
        let stream = self.customer_stream();
        self.tells_switch(Input::Media(MediaEvent::Dtmf { stream, digit }));
    }

    pub fn customer_stream(&self) -> StreamId {
        let opened = |c: &MediaCommand| if let MediaCommand::Open { stream, .. } = c { Some(*stream) } else { None };
        self.media.iter().find_map(opened).expect("a stream is open")
    }

    pub fn tells_switch(&mut self, input: Input) {
        self.switch.handle_input(self.now, input);
        self.drain_switch();
    }

    pub fn commands(&mut self, command: Command) -> CommandOutcome {
        let id = self.done.len() as u64 + 1;
        self.tells_switch(Input::Command { id, command });
        let (answered, outcome) = self.done.last().expect("a command is answered").clone();
        assert_eq!(answered, id);
        outcome
    }

    #[track_caller]
    pub fn hears(&mut self, who: Who, wanted: impl Fn(&UaEvent) -> bool) -> UaEvent {
        loop {
            let events = &mut self.nodes[who as usize].events;
            if let Some(at) = events.iter().position(&wanted) {
                return events.remove(at).unwrap();
            }
            if !self.step() || self.now - self.start > Duration::from_secs(10_000) {
                panic!("{who:?} never hears it; events: {:#?}\n{}", self.nodes[who as usize].events, self.ladder());
            }
        }
    }

    /// What one of them heard and nobody has looked at.
    pub fn next_event(&mut self, who: Who) -> Option<UaEvent> {
        self.nodes[who as usize].events.pop_front()
    }

    pub fn has_heard(&self, who: Who, wanted: impl Fn(&UaEvent) -> bool) -> bool {
        self.nodes[who as usize].events.iter().any(wanted)
    }

    #[track_caller]
    pub fn ends(&mut self, who: Who, id: SessionId) -> SessionEnd {
        match self.hears(who, |event| matches!(event, UaEvent::Ended { id: ended, .. } if *ended == id)) {
            UaEvent::Ended { why, .. } => why,
            _ => unreachable!(),
        }
    }

    /// Lets time pass until the switch says so (or finds that it has).
    #[track_caller]
    pub fn happens(&mut self, wanted: impl Fn(&CallEvent) -> bool) -> CallEvent {
        loop {
            if let Some((_, event)) = self.events.iter().find(|(_, event)| wanted(event)) {
                return event.clone();
            }
            assert!(self.step(), "it never happens: {:#?}\n{}", self.events, self.ladder());
        }
    }

    pub fn passes(&mut self, time: Duration) {
        let end = self.now + time;
        while self.next().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until nothing moves any more; nothing may be left over. The record of the only call comes back.
    #[track_caller]
    pub fn is_over(&mut self) -> CallRecord {
        let mut steps = 0;
        while self.step() {
            steps += 1;
            assert!(steps < 100_000, "it never ends:\n{}", self.ladder());
        }
        assert_eq!(self.desk.ongoing(), 0, "call transfers without their calls");
        assert_eq!(self.switch.counts(), SwitchCounts::default(), "left over:\n{}", self.ladder());
        for node in &self.nodes {
            assert_eq!(node.ua.counts(), Counts::default(), "left over at {}:\n{}", node.address, self.ladder());
        }
        for (call, event) in &self.events {
            if matches!(event, CallEvent::CallArrived { .. }) {
                let ends = self.events.iter().filter(|(c, e)| c == call && matches!(e, CallEvent::CallEnded { .. })).count();
                assert_eq!(ends, 1, "each call ends once");
            }
        }
        self.record()
    }

    /// The customer hangs up, and nothing is left over.
    #[track_caller]
    pub fn ends_clean(&mut self, call: SessionId) -> CallRecord {
        self.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
        self.is_over()
    }

    /// The first call as people see it.
    pub fn record(&self) -> CallRecord {
        self.records().swap_remove(0)
    }

    /// All calls as people see them, in the order of their arrival.
    pub fn records(&self) -> Vec<CallRecord> {
        let mut records: Vec<CallRecord> = Vec::new();
        for (call, event) in &self.events {
            if !records.iter().any(|record| record.id == *call) {
                records.push(CallRecord::new(*call, Timestamp(0)));
            }
            records.iter_mut().filter(|record| record.id == *call).for_each(|record| record.apply(Timestamp(0), event));
        }
        records
    }

    pub fn loses(&mut self, from: SocketAddr, kind: &str, count: usize) {
        self.losses.push((from, kind.to_owned(), count));
    }

    pub fn switch_address(&self) -> SocketAddr {
        SWITCH.parse().unwrap()
    }

    pub fn ladder(&self) -> String {
        self.lines.join("\n")
    }

    /// What the switch sent to one of them, in order, without repetitions.
    pub fn told(&self, who: Who) -> Vec<String> {
        let (switch, to) = (self.switch_address(), self.address(who));
        let sent = self.sent.iter().filter(|(from, t)| *from == switch && t.flow.remote == to && !t.retransmission);
        sent.map(|(_, t)| kind(&t.bytes)).collect()
    }

    /// The last response with this code that the switch sent to one of them.
    #[track_caller]
    pub fn last_response(&self, who: Who, code: u16) -> handback::sip::message::Response {
        let (switch, to) = (self.switch_address(), self.address(who));
        let sent = self.sent.iter().rev().filter(|(from, transmit)| *from == switch && transmit.flow.remote == to);
        let mut found = sent.filter_map(|(_, transmit)| match parse(&transmit.bytes) {
            Message::Response(response) if response.code() == code => Some(response),
            _ => None,
        });
        found.next().unwrap_or_else(|| panic!("no {code}:\n{}", self.ladder()))
    }

    pub fn step(&mut self) -> bool {
        let Some(at) = self.next() else { return false };
        self.now = self.now.max(at);
        if let Some(arrival) = self.network.arrive(self.now) {
            match arrival {
                Arrival::Message(to, received) if to == self.switch_address() => self.tells_switch(Input::Received(received)),
                Arrival::Message(to, received) => {
                    if let Some(index) = self.nodes.iter().position(|node| node.address == to) {
                        self.nodes[index].ua.handle_received(self.now, received);
                        self.drain_node([Customer, Agent, Return][index]);
                    }
                }
                Arrival::Failed(at, flow) if at == self.switch_address() => self.tells_switch(Input::TransportFailed(flow)),
                Arrival::Failed(at, flow) => {
                    if let Some(index) = self.nodes.iter().position(|node| node.address == at) {
                        self.nodes[index].ua.handle_transport_failed(self.now, flow);
                        self.drain_node([Customer, Agent, Return][index]);
                    }
                }
            }
            return true;
        }
        for who in [Customer, Agent, Return] {
            if self.nodes[who as usize].ua.deadline().is_some_and(|at| at <= self.now) {
                self.does(who, |ua, now| ua.handle_timeout(now));
            }
        }
        for answer in self.desk.answers(self.now) {
            self.tells_switch(answer);
        }
        if self.switch.deadline().is_some_and(|at| at <= self.now) {
            self.tells_switch(Input::Timeout);
        }
        true
    }

    /// A message out of nowhere.
    pub fn arrives(&mut self, from: &str, text: &str) {
        let flow = Flow { transport: Transport::Udp, local: self.switch_address(), remote: from.parse().unwrap(), connection: None };
        let bytes = Bytes::from(text.replace('\n', "\r\n"));
        self.tells_switch(Input::Received(Received { flow, bytes }));
    }

    fn next(&self) -> Option<Instant> {
        let nodes = self.nodes.iter().filter_map(|node| node.ua.deadline());
        nodes.chain(self.network.next()).chain(self.switch.deadline()).chain(self.desk.next()).min()
    }

    fn drain_node(&mut self, who: Who) {
        let address = self.address(who);
        while let Some(output) = self.nodes[who as usize].ua.poll_output() {
            match output {
                UaOutput::Transmit(transmit) => self.transmit(address, transmit),
                UaOutput::Event(event) => self.nodes[who as usize].events.push_back(event),
            }
        }
    }

    fn drain_switch(&mut self) {
        let address = self.switch_address();
        let mut answers = Vec::new();
        while let Some(output) = self.switch.poll_output() {
            match output {
                Output::Transmit(transmit) => self.transmit(address, transmit),
                Output::Media(command) => {
                    if let MediaCommand::Close { stream } = command {
                        answers.push(Input::Media(MediaEvent::Closed { stream, figures: Box::default(), recording: None }));
                    }
                    self.media.push(command);
                }
                Output::PortsWanted(count) => {
                    let opened: Vec<u16> = self.ports.by_ref().step_by(2).take(count).collect();
                    answers.push(Input::PortsOpened(opened));
                }
                Output::Resolve { query, uri } => {
                    let host = uri.split(['@', ':', ';', '>']).nth(2).unwrap_or_default();
                    answers.push(Input::Resolved { query, targets: self.names.get(host).cloned().unwrap_or_default() });
                }
                Output::Keep { call, kept } => answers.extend(self.desk.keeps(self.now, call, kept)),
                Output::Claim { query, call, key } => answers.extend(self.desk.claims(self.now, query, call, key)),
                Output::Speak { query, .. } => answers.push(Input::Spoken { query, samples: None }),
                Output::StreamOf { .. } | Output::TookBack(_) => {}
                Output::Event { call, what } => {
                    let time = (self.now - self.start).as_secs_f64();
                    if !matches!(what, CallEvent::MediaMeasured { .. }) {
                        self.lines.push(format!("{time:7.3}      {what:?}"));
                    }
                    self.desk.hears(self.now, call, &what);
                    self.events.push((call, what));
                }
                Output::CommandDone { id, outcome } => self.done.push((id, outcome)),
            }
        }
        for answer in answers {
            self.tells_switch(answer);
        }
    }

    fn transmit(&mut self, from: SocketAddr, transmit: Transmit) {
        let kind = kind(&transmit.bytes);
        let by_hand = self.losses.iter_mut().find(|(whose, start, count)| *whose == from && *count > 0 && kind.starts_with(start.as_str()));
        let lost = match by_hand {
            Some((.., count)) => {
                *count -= 1;
                true
            }
            None => !self.network.send(self.now, &transmit),
        };
        let again = if transmit.retransmission { " again" } else { "" };
        self.sent_after.push((self.now - self.start, !lost));
        let lost = if lost { ", lost" } else { "" };
        let time = (self.now - self.start).as_secs_f64();
        self.lines.push(format!("{time:7.3}  {from} → {}  {kind}{again}{lost}", transmit.flow.remote));
        self.sent.push((from, transmit));
    }
}

fn parse(bytes: &Bytes) -> Message {
    Message::parse(bytes.clone()).expect("what we write can be read")
}

/// The user's name and password as the customer's side knows them.
pub fn credentials(password: &str) -> ClientCredentials {
    ClientCredentials { username: "sbc".into(), password: password.into(), in_dialog: false }
}

pub fn sdp(address: SocketAddr, formats: &str, direction: &str) -> Bytes {
    let ip = address.ip();
    Bytes::from(format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 30000 RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ))
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
