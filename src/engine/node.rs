//! One party with its sockets: where its outputs go and its inputs come from.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::atomic::Ordering,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    clock::Clock,
    media_loop::{MediaHandle, MediaReport},
    publish::Shared,
    setup::StartError,
};
use crate::{
    media::{MediaCommand, StreamId},
    model::{CallId, CapturedMessage, Direction, TransportName},
    party::{Input, Output, Party},
    sip::transport::{
        ConnectionId, Flow, Received, Transmit, Transport,
        framing::{Frame, StreamFramer},
    },
    wire::{
        resolve::Lookup,
        route::{Routes, primary_address},
        tcp::{TcpEvent, TcpLimits, TcpPool},
        udp::UdpListener,
    },
};

/// A party, its sockets, its media thread.
pub(super) struct Node {
    pub index: u8,
    pub customer_side: bool,
    pub party: Box<dyn Party>,
    pub sockets: Sockets,
    pub media: MediaHandle,
    pub media_reports: mpsc::Receiver<MediaReport>,
    /// Which streams carry a call's sound.
    pub streams: HashMap<CallId, Vec<StreamId>>,
}

/// The sockets of one party.
pub(super) struct Sockets {
    udp: Vec<UdpListener>,
    /// In the order of the settings, with real ports.
    bound: Vec<(Transport, SocketAddr)>,
    tcp: TcpPool,
    tcp_events: mpsc::Receiver<TcpEvent>,
    streams: HashMap<u64, Stream>,
    routes: Routes,
    buffer: Box<[u8]>,
}

/// A TCP connection as it is read.
struct Stream {
    framer: StreamFramer,
    flow: Option<Flow>,
    /// Since when a message is there in part.
    waiting_since: Option<Instant>,
    /// What was asked to go out on it, to be reported if the connection can't be made.
    asked: Option<Flow>,
}

/// What the sockets brought.
pub(super) enum Arrival {
    Message(Received),
    Failed(Flow),
    /// Bytes on a connection that are no SIP: it was closed.
    Malformed,
}

impl Sockets {
    /// Binds all that a party listens on. TCP on port 0 beside UDP on port 0 gets the same port where it can.
    pub fn bind(listen: &[(Transport, SocketAddr)], limits: TcpLimits) -> Result<Self, StartError> {
        let (tcp, tcp_events) = TcpPool::new(limits);
        let mut sockets = Self {
            udp: Vec::new(),
            bound: Vec::new(),
            tcp,
            tcp_events,
            streams: HashMap::new(),
            routes: Routes::default(),
            buffer: vec![0; 64 << 10].into_boxed_slice(),
        };
        for &(transport, address) in listen {
            let fail = |error| StartError::Listen { transport, address, error };
            match transport {
                Transport::Udp => {
                    let listener = UdpListener::bind(address).map_err(fail)?;
                    sockets.bound.push((transport, listener.local_addr()));
                    sockets.udp.push(listener);
                }
                Transport::Tcp => {
                    // One number for both transports is what people expect of a SIP address.
                    let twin = sockets.udp.last().map(UdpListener::local_addr).filter(|u| address.port() == 0 && u.ip() == address.ip());
                    let taken = twin.and_then(|twin| sockets.tcp.listen(twin).ok());
                    let taken = taken.map_or_else(|| sockets.tcp.listen(address), Ok).map_err(fail)?;
                    sockets.bound.push((transport, taken));
                }
                Transport::Tls => return Err(StartError::NoSuchTransport(transport, address)),
            }
        }
        Ok(sockets)
    }

    /// What is bound, with real ports, in the order of the settings.
    pub fn bound(&self) -> Vec<(Transport, SocketAddr)> {
        self.bound.clone()
    }

    /// As [`Sockets::bound`], with 0.0.0.0 replaced by the address that most peers see.
    pub fn reachable(&self) -> Vec<(Transport, SocketAddr)> {
        self.bound().into_iter().map(|(transport, address)| (transport, concrete(address))).collect()
    }

    /// Ready when a datagram, a connection or bytes on one wait.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>, now: Instant, arrivals: &mut Vec<Arrival>, message_bytes: usize) -> Poll<()> {
        let mut ready = Poll::Pending;
        for udp in &self.udp {
            if udp.poll_readable(cx).is_ready() {
                ready = Poll::Ready(());
            }
        }
        while let Poll::Ready(Some((stream, remote))) = self.tcp.poll_accepted(cx) {
            // Over a limit the connection is dropped here, which closes it.
            if let Some(number) = self.tcp.adopt(stream, remote) {
                self.streams.insert(number, Stream::new(message_bytes, None));
            }
        }
        for _ in 0..BATCH {
            let Poll::Ready(Some(event)) = self.tcp_events.poll_recv(cx) else { break };
            self.take_tcp(event, now, arrivals);
            ready = Poll::Ready(());
        }
        ready
    }

    /// Takes up to a batch of datagrams.
    pub fn receive_datagrams(&mut self, arrivals: &mut Vec<Arrival>) {
        for udp in &self.udp {
            for _ in 0..BATCH {
                match udp.try_receive(&mut self.buffer) {
                    Some(Ok((bytes, remote))) => {
                        let local = localise(&mut self.routes, udp.local_addr(), remote.ip());
                        arrivals.push(Arrival::Message(Received {
                            flow: Flow { transport: Transport::Udp, local, remote, connection: None },
                            bytes,
                        }));
                    }
                    // An ICMP error says nothing of which send it was for: the transaction's timer finds out.
                    Some(Err(_)) => {}
                    None => break,
                }
            }
        }
    }

    fn take_tcp(&mut self, event: TcpEvent, now: Instant, arrivals: &mut Vec<Arrival>) {
        match event {
            TcpEvent::Opened { connection, local, remote, .. } => {
                if let Some(stream) = self.streams.get_mut(&connection) {
                    stream.flow = Some(Flow { transport: Transport::Tcp, local, remote, connection: Some(ConnectionId(connection)) });
                }
            }
            TcpEvent::Bytes { connection, bytes } => self.take_bytes(connection, &bytes, now, arrivals),
            TcpEvent::ConnectFailed { connection, remote, error: _ } => {
                self.tcp.forget(connection);
                if let Some(stream) = self.streams.remove(&connection) {
                    let unknown = Flow { transport: Transport::Tcp, local: unspecified(remote), remote, connection: None };
                    arrivals.push(Arrival::Failed(stream.asked.unwrap_or(unknown)));
                }
            }
            TcpEvent::Closed { connection } => {
                self.tcp.forget(connection);
                if let Some(flow) = self.streams.remove(&connection).and_then(|s| s.flow) {
                    arrivals.push(Arrival::Failed(flow));
                }
            }
        }
    }

    fn take_bytes(&mut self, connection: u64, bytes: &Bytes, now: Instant, arrivals: &mut Vec<Arrival>) {
        let Some(stream) = self.streams.get_mut(&connection) else { return };
        let Some(flow) = stream.flow else { return };
        stream.framer.push(bytes);
        loop {
            match stream.framer.next() {
                Ok(Some(Frame::Message(bytes))) => {
                    stream.waiting_since = None;
                    arrivals.push(Arrival::Message(Received { flow, bytes }));
                }
                // RFC 5626 §3.5.1: a double CRLF is answered by a single one.
                Ok(Some(Frame::KeepAlivePing)) => {
                    self.tcp.send(connection, Bytes::from_static(b"\r\n"));
                }
                Ok(Some(Frame::Pong)) => {}
                Ok(None) => {
                    let waiting = stream.framer.is_waiting();
                    stream.waiting_since = if waiting { stream.waiting_since.or(Some(now)) } else { None };
                    return;
                }
                Err(_) => {
                    // What follows can't be found any more (RFC 3261 §18.3): the connection is of no use.
                    self.tcp.close(connection);
                    self.streams.remove(&connection);
                    arrivals.push(Arrival::Malformed);
                    arrivals.push(Arrival::Failed(flow));
                    return;
                }
            }
        }
    }

    /// Sends a message. The flow that comes back is the one it took; `Err` is the flow that failed.
    pub fn send(&mut self, transmit: &Transmit, message_bytes: usize) -> Result<Flow, Flow> {
        let mut flow = transmit.flow;
        match flow.transport {
            Transport::Udp => {
                let socket = self.udp.iter().find(|u| u.local_addr() == flow.local).or_else(|| {
                    let same_port =
                        |u: &&UdpListener| u.local_addr().port() == flow.local.port() && u.local_addr().is_ipv4() == flow.remote.is_ipv4();
                    self.udp.iter().find(same_port).or_else(|| self.udp.iter().find(|u| u.local_addr().is_ipv4() == flow.remote.is_ipv4()))
                });
                match socket.map(|socket| socket.send(&transmit.bytes, flow.remote)) {
                    Some(Ok(())) => Ok(flow),
                    // An ICMP error of an earlier datagram is told by the next send; this one was not sent, retransmission covers it.
                    Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(flow),
                    _ => Err(flow),
                }
            }
            Transport::Tcp => {
                let known = flow.connection.map(|c| c.0).filter(|c| self.tcp.is_open(*c)).or_else(|| self.tcp.to(flow.remote));
                let connection = match known {
                    Some(connection) => connection,
                    None => {
                        let Some(connection) = self.tcp.connect(flow.remote) else { return Err(flow) };
                        self.streams.insert(connection, Stream::new(message_bytes, Some(transmit.flow)));
                        connection
                    }
                };
                flow.connection = Some(ConnectionId(connection));
                if self.tcp.send(connection, transmit.bytes.clone()) { Ok(flow) } else { Err(transmit.flow) }
            }
            Transport::Tls => Err(flow),
        }
    }

    /// Closes connections on which a message has been arriving for too long.
    pub fn give_up_slow(&mut self, now: Instant, arrivals: &mut Vec<Arrival>) {
        let slow: Vec<u64> = self.streams.iter().filter(|(_, s)| s.give_up_at().is_some_and(|at| at <= now)).map(|(n, _)| *n).collect();
        for connection in slow {
            self.tcp.close(connection);
            let flow = self.streams.remove(&connection).and_then(|stream| stream.flow);
            arrivals.push(Arrival::Malformed);
            arrivals.extend(flow.map(Arrival::Failed));
        }
    }

    /// When [`Sockets::give_up_slow`] is due.
    pub fn give_up_at(&self) -> Option<Instant> {
        self.streams.values().filter_map(Stream::give_up_at).min()
    }
}

impl Stream {
    fn new(message_bytes: usize, asked: Option<Flow>) -> Self {
        Self { framer: StreamFramer::new(message_bytes), flow: None, waiting_since: None, asked }
    }

    fn give_up_at(&self) -> Option<Instant> {
        self.waiting_since.map(|since| since + MESSAGE_PATIENCE)
    }
}

impl Node {
    /// Gives the party one input, then carries out all that it asks for.
    /// What needs the driver (events, look-ups, answers to commands) is pushed on `out`.
    pub fn step(&mut self, now: Instant, input: Input, env: &Env<'_>, out: &mut Vec<(u8, Output)>) {
        self.party.handle_input(now, input);
        let mut failed = Vec::new();
        self.drain(now, env, out, &mut failed);
        // A send that fails at once is told after the drain; bounded, since each failure ends a try.
        let mut patience = 16;
        while let Some(flow) = failed.pop() {
            patience -= 1;
            if patience == 0 {
                break;
            }
            self.party.handle_input(now, Input::TransportFailed(flow));
            self.drain(now, env, out, &mut failed);
        }
    }

    fn drain(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<(u8, Output)>, failed: &mut Vec<Flow>) {
        while let Some(output) = self.party.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    let sent = self.sockets.send(&transmit, env.message_bytes);
                    env.shared.figures.messages_out.fetch_add(1, Ordering::Relaxed);
                    let flow = *sent.as_ref().unwrap_or_else(|flow| flow);
                    env.capture(self.index, now, Direction::Out, &flow, transmit.bytes, transmit.retransmission);
                    if let Err(flow) = sent {
                        failed.push(flow);
                    }
                }
                Output::Media(command) => {
                    if let MediaCommand::Keep { stream, on } = command {
                        out.push((self.index, Output::Media(MediaCommand::Keep { stream, on })));
                    }
                    self.media.queue(command);
                }
                Output::PortsWanted(count) => self.media.open_ports(count),
                other => out.push((self.index, other)),
            }
        }
    }
}

/// What every node needs of the driver.
pub(super) struct Env<'a> {
    pub shared: &'a Shared,
    pub clock: Clock,
    pub message_bytes: usize,
}

impl Env<'_> {
    /// Files one message under its Call-ID.
    pub fn capture(&self, party: u8, now: Instant, direction: Direction, flow: &Flow, bytes: Bytes, retransmission: bool) {
        let message = CapturedMessage {
            number: 0,
            at: self.clock.wall(now),
            direction,
            leg: None,
            transport: transport_name(flow.transport),
            local: flow.local,
            remote: flow.remote,
            retransmission,
            bytes,
        };
        self.shared.capture().keep(party, message);
    }
}

pub(super) fn transport_name(transport: Transport) -> TransportName {
    match transport {
        Transport::Udp => TransportName::Udp,
        Transport::Tcp => TransportName::Tcp,
        Transport::Tls => TransportName::Tls,
    }
}

/// The look-up that finds a URI's servers, or the addresses themselves where the URI names them.
pub(super) fn lookup_of(uri: &str) -> Option<Result<Vec<(Transport, SocketAddr)>, Lookup>> {
    use crate::sip::{message::Uri, transport::target};
    let uri = Uri::parse(uri).ok()?;
    Some(match target::targets(&uri) {
        target::Targets::Literal(found) => Ok(found),
        target::Targets::Lookup { host, port, transport } => {
            let transports = transport.map_or_else(|| vec![Transport::Udp, Transport::Tcp], |one| vec![one]);
            let default = transports.first().copied().unwrap_or(Transport::Udp);
            Err(Lookup {
                port,
                services: transports.iter().map(|t| (t.as_str(), format!("_sip._{}.{host}", t.as_uri_param()))).collect(),
                default_transport: default.as_str(),
                default_port: default.default_port(),
                host,
            })
        }
    })
}

fn localise(routes: &mut Routes, bound: SocketAddr, peer: IpAddr) -> SocketAddr {
    if bound.ip().is_unspecified() { SocketAddr::new(routes.local_for(peer).unwrap_or(bound.ip()), bound.port()) } else { bound }
}

fn concrete(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::new(primary_address(address.is_ipv6()), address.port()) } else { address }
}

fn unspecified(like: SocketAddr) -> SocketAddr {
    if like.is_ipv4() { (std::net::Ipv4Addr::UNSPECIFIED, 0).into() } else { (std::net::Ipv6Addr::UNSPECIFIED, 0).into() }
}

/// How long a message may take to arrive whole.
const MESSAGE_PATIENCE: Duration = Duration::from_secs(10);
/// Datagrams and TCP events that are taken before the others get their turn.
const BATCH: usize = 64;
