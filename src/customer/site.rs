//! What the customer's side stands on: two user agents, the RTP ports, numbers for everything, and what it wants done.
//!
//! The SBC and the return point are two user agents with addresses of their own, as they are at a customer:
//! a call that is taken back crosses the wire from the one to the other.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    time::Instant,
};

use super::setup::CustomerSetup;
use crate::{
    media::{MediaCommand, PortPool, StreamId},
    model::{CallEvent, CallId, CommandOutcome},
    party::{Output, TakenBack},
    sip::{
        dialog::{IncomingRequest, SessionId, UaOutput, UserAgent, UserAgentConfig},
        message::Message,
        transport::{Flow, Received, Transport},
    },
};

/// Which of the two user agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Sbc,
    ReturnPoint,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Sbc, Side::ReturnPoint];
}

/// Which leg of a test call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LegKind {
    /// The call that the SBC placed.
    Call,
    /// The call that the SBC placed because a REFER asked for it.
    ReturnCall,
    /// A call that came in at the return point.
    ReturnPoint,
}

/// See the module.
pub(super) struct Site {
    pub setup: CustomerSetup,
    sbc: UserAgent,
    return_point: UserAgent,
    pub sessions: HashMap<(Side, SessionId), (CallId, LegKind)>,
    pub streams: HashMap<StreamId, (CallId, LegKind)>,
    pub lookups: HashMap<u32, (CallId, LegKind)>,
    pub ports: PortPool,
    outputs: VecDeque<Output>,
    next_call_id: u64,
    count: u64,
}

impl Site {
    pub fn new(setup: CustomerSetup) -> Self {
        let agent = |listeners: &Vec<(Transport, SocketAddr)>, salt: u64| {
            UserAgent::new(UserAgentConfig {
                advertise: setup.advertise.clone(),
                screens_itself: true,
                ..UserAgentConfig::new(PRODUCT, listeners.clone(), mix(setup.seed ^ salt))
            })
        };
        Self {
            sbc: agent(&setup.listeners, 1),
            return_point: agent(&setup.return_listeners, 2),
            next_call_id: setup.first_call_id,
            setup,
            sessions: HashMap::new(),
            streams: HashMap::new(),
            lookups: HashMap::new(),
            ports: PortPool::new(),
            outputs: VecDeque::new(),
            count: 0,
        }
    }

    pub fn agent(&mut self, side: Side) -> &mut UserAgent {
        match side {
            Side::Sbc => &mut self.sbc,
            Side::ReturnPoint => &mut self.return_point,
        }
    }

    /// Whose message it is: by the address it came to. On a connection that we opened that address says nothing;
    /// there it is by the address that we gave the peer, in our Via or in our Contact.
    pub fn side_of(&self, received: &Received) -> Side {
        self.side_at(&received.flow).unwrap_or_else(|| {
            let port = match Message::parse(received.bytes.clone()) {
                Ok(Message::Response(response)) => response.top_via().ok().and_then(|via| via.port()),
                Ok(Message::Request(request)) => request.uri().ok().and_then(|uri| uri.port()),
                Err(_) => None,
            };
            match port.is_some_and(|port| self.setup.return_listeners.iter().any(|(_, address)| address.port() == port)) {
                true => Side::ReturnPoint,
                false => Side::Sbc,
            }
        })
    }

    /// Who listens at a flow's own address.
    pub fn side_at(&self, flow: &Flow) -> Option<Side> {
        let is_at = |listeners: &[(Transport, SocketAddr)]| listeners.iter().any(|(_, address)| *address == flow.local);
        match (is_at(&self.setup.listeners), is_at(&self.setup.return_listeners)) {
            (true, _) => Some(Side::Sbc),
            (false, true) => Some(Side::ReturnPoint),
            (false, false) => None,
        }
    }

    /// Answers a request outside any dialog. That it cannot be answered is nobody's news but its sender's, who asks again.
    pub fn respond(&mut self, now: Instant, side: Side, incoming: IncomingRequest, code: u16, reason: &str) {
        let _ = self.agent(side).respond(now, incoming, code, reason, &[]);
    }

    /// As [`Site::respond`], keeping nothing (RFC 3261 §8.2.7): for strangers.
    pub fn respond_stateless(
        &mut self,
        now: Instant,
        side: Side,
        incoming: IncomingRequest,
        code: u16,
        reason: &str,
        headers: &[(String, String)],
    ) {
        let _ = self.agent(side).respond_stateless(now, incoming, code, reason, headers);
    }

    /// What a user agent wants: bytes go out, the next event comes back.
    pub fn poll_event(&mut self) -> Option<(Side, crate::sip::dialog::UaEvent)> {
        for side in Side::BOTH {
            while let Some(output) = self.agent(side).poll_output() {
                match output {
                    UaOutput::Transmit(transmit) => self.outputs.push_back(Output::Transmit(transmit)),
                    UaOutput::Event(event) => return Some((side, event)),
                }
            }
        }
        None
    }

    pub fn deadline(&self) -> Option<Instant> {
        [self.sbc.deadline(), self.return_point.deadline()].into_iter().flatten().min()
    }

    /// Asks for RTP ports before they are missed.
    pub fn stock_ports(&mut self, wanted: usize) {
        let missing = self.ports.wanted(wanted);
        if missing > 0 {
            self.outputs.push_back(Output::PortsWanted(missing));
        }
    }

    pub fn event(&mut self, call: CallId, what: CallEvent) {
        self.outputs.push_back(Output::Event { call, what });
    }

    /// The bridge of this program may wait for just that.
    pub fn took_back(&mut self, taken: TakenBack) {
        self.outputs.push_back(Output::TookBack(Box::new(taken)));
    }

    pub fn media(&mut self, command: MediaCommand) {
        self.outputs.push_back(Output::Media(command));
    }

    pub fn stream_of(&mut self, call: CallId, stream: StreamId) {
        self.outputs.push_back(Output::StreamOf { call, stream });
    }

    pub fn command_done(&mut self, id: u64, outcome: CommandOutcome) {
        self.outputs.push_back(Output::CommandDone { id, outcome });
    }

    /// Asks where `uri` is; the answer comes with the number that is returned.
    pub fn look_up(&mut self, uri: String, for_leg: (CallId, LegKind)) {
        let query = self.number() as u32;
        self.lookups.insert(query, for_leg);
        self.outputs.push_back(Output::Resolve { query, uri });
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn new_stream(&mut self, of: (CallId, LegKind)) -> StreamId {
        let stream = StreamId(self.number() as u32);
        self.streams.insert(stream, of);
        stream
    }

    pub fn new_call_id(&mut self) -> CallId {
        let id = CallId(self.next_call_id);
        self.next_call_id = self.next_call_id.wrapping_add(1);
        id
    }

    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

/// SplitMix64: spreads a counter over all 64 bits.
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const PRODUCT: &str = concat!("Handback/", env!("CARGO_PKG_VERSION"), " (customer)");
