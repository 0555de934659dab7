//! The media thread: sockets and time around a [`MediaPlane`]. It wakes for packets in batches, allocates
//! nothing per packet, and waits for nothing else: commands come by a channel and a waker, reports that
//! the engine has no room for yet stay here until it has.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc as std_mpsc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, Waker, net::UdpSocket};
use tokio::sync::{mpsc, oneshot};

use super::{
    clock::Clock,
    line_ends::{self, LineEnds, LinePort},
    rtp_capture::{self, Chunk, RtpCapture},
};
use crate::{
    media::{self, Channel, Line, MediaCommand, MediaEvent, MediaPlane, Owner, Sink, StreamId},
    model::RtpPacket,
    wire::{
        priority,
        rtp_socket::{RtpPair, RtpPorts},
    },
};

/// What the media thread tells the engine. None is lost but figures and tapped sound, and those only while nobody listens.
#[derive(Debug)]
pub enum MediaReport {
    Event(MediaEvent),
    /// The answer to [`MediaHandle::open_ports`]; fewer, or none, where the range is used up.
    PortsOpened(Vec<u16>),
}

/// The engine's end of a media thread. Dropping it ends the thread.
pub struct MediaHandle {
    requests: std_mpsc::SyncSender<Request>,
    waker: Arc<Waker>,
    /// The thread knows that there is something for it.
    woken: Arc<AtomicBool>,
    /// Something was queued since the last waking that can't wait for the next.
    queued: bool,
    /// Streams opened since then: silent and deaf until they are configured.
    opened: Vec<StreamId>,
    ports: RtpPorts,
    /// Until somebody takes it.
    lines: Option<LinePort>,
    clock: Clock,
    thread: Option<JoinHandle<()>>,
}

/// Starts a media thread with ports of `range` on `address`. An error: nothing of it can be bound.
pub fn start(
    name: &'static str,
    address: IpAddr,
    range: RangeInclusive<u16>,
    clock: Clock,
) -> io::Result<(MediaHandle, mpsc::Receiver<MediaReport>)> {
    let ports = RtpPorts::new(address, range)?;
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
    let woken = Arc::new(AtomicBool::new(false));
    let (requests, inbox) = std_mpsc::sync_channel(REQUESTS);
    let (reports, engine) = mpsc::channel(REPORTS);
    let now = clock.now();
    // RFC 3550 §4: NTP counts from 1900.
    let wall = clock.wall(now).0;
    let ntp = ((wall / 1_000_000 + NTP_TO_UNIX_SECS) << 32) + ((wall % 1_000_000) << 32) / 1_000_000;
    let seed = getrandom::u64().map_err(io::Error::other)?;
    // RFC 7022 §4.2: a short-term persistent name that says nothing of the machine.
    let plane_clock = media::Clock::new(now, ntp, format!("{seed:016x}"));
    let (lines, line_ends) = line_ends::pair();
    let driver = Driver {
        poll,
        inbox,
        woken: woken.clone(),
        clock,
        plane: MediaPlane::new(plane_clock, seed.rotate_left(32)),
        edge: Edge {
            now,
            sockets: Vec::new(),
            by_port: vec![NO_SOCKET; 1 << 15].into(),
            stream_of_port: vec![None; 1 << 15].into(),
            capture: RtpCapture::new(CAPTURE_BYTES),
            lines: line_ends,
            outbox: Outbox { reports, waiting: VecDeque::new() },
        },
        unfinished: Vec::new(),
        packets_at: None,
        hurried: false,
    };
    let thread = std::thread::Builder::new().name(format!("media-{name}")).spawn(move || driver.run())?;
    Ok((
        MediaHandle { requests, waker, woken, queued: false, opened: Vec::new(), ports, lines: Some(lines), clock, thread: Some(thread) },
        engine,
    ))
}

impl MediaHandle {
    pub fn send(&mut self, command: MediaCommand) {
        self.request(Request::Command(command));
    }

    /// Where the lines of this thread's streams end, once.
    pub fn take_lines(&mut self) -> Option<LinePort> {
        self.lines.take()
    }

    /// Binds so many port pairs more; the answer is one [`MediaReport::PortsOpened`].
    /// They are bound here, so that packets don't wait for it, and stay bound and registered from then on.
    pub fn open_ports(&mut self, count: usize) {
        let mut pairs = Vec::with_capacity(count);
        while pairs.len() < count {
            match self.ports.bind_next() {
                Ok(Some(pair)) => pairs.push(pair),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "no more media ports can be opened; calls beyond those open now are refused");
                    break;
                }
            }
        }
        self.request(Request::Adopt(pairs));
    }

    /// The captured packets of `streams`. They are picked out on a thread of their own, which ends with the answer.
    pub fn packets_of(&mut self, streams: &[StreamId], answer: oneshot::Sender<Vec<RtpPacket>>) {
        let (chunks, kept) = std_mpsc::sync_channel::<Vec<Arc<Chunk>>>(1);
        self.request(Request::Captured(chunks));
        let (streams, clock) = (streams.to_vec(), self.clock);
        let picks = move || {
            let packets = kept.recv().map(|chunks| rtp_capture::packets_of(&chunks, &streams, clock));
            let _ = answer.send(packets.unwrap_or_default());
        };
        if let Err(error) = std::thread::Builder::new().name("capture-reader".into()).spawn(picks) {
            tracing::warn!(%error, "a capture could not be read");
        }
    }

    /// Ends the thread and waits until it has. Open streams end without a word.
    pub fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.request(Request::Stop);
            let _ = thread.join();
        }
    }

    /// As [`MediaHandle::send`], but the thread is not woken before [`MediaHandle::flush`]: one call's
    /// commands come in bunches, and each waking costs two switches of context.
    pub fn queue(&mut self, command: MediaCommand) {
        match &command {
            MediaCommand::Open { stream, .. } if self.opened.len() < MOST_OPENED => self.opened.push(*stream),
            MediaCommand::Connect { a, b } if self.opened.contains(a) && self.opened.contains(b) => {}
            _ => self.queued = true,
        }
        self.put(Request::Command(command));
    }

    /// Wakes the thread if something was queued that can't wait: a stream does nothing before it is configured, so its
    /// opening, and that it is connected with another such, may lie in the inbox until then.
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.queued) {
            self.opened.clear();
            self.wake();
        }
    }

    fn request(&mut self, request: Request) {
        self.put(request);
        self.wake();
    }

    fn put(&mut self, request: Request) {
        // The thread empties its inbox at every turn and never waits for us, so a full one is a matter of microseconds.
        if let Err(std_mpsc::TrySendError::Full(request)) = self.requests.try_send(request) {
            self.wake();
            let _ = self.requests.send(request);
        }
    }

    fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "the media thread can't be woken");
        }
    }
}

impl Drop for MediaHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

enum Request {
    Command(MediaCommand),
    Adopt(Vec<RtpPair>),
    Captured(std_mpsc::SyncSender<Vec<Arc<Chunk>>>),
    Stop,
}

struct Driver {
    poll: Poll,
    inbox: std_mpsc::Receiver<Request>,
    woken: Arc<AtomicBool>,
    clock: Clock,
    plane: MediaPlane,
    edge: Edge,
    /// Sockets that had more than their share in the last turn.
    unfinished: Vec<usize>,
    /// When packets came last.
    packets_at: Option<Instant>,
    /// The last two turns with packets followed close on each other.
    hurried: bool,
}

/// The plane's sink: sockets, capture and the way to the engine.
struct Edge {
    /// Of the present turn: one look at the clock serves all of its packets.
    now: Instant,
    sockets: Vec<Socket>,
    /// By half the port: the pair's RTP socket; its RTCP socket is the next.
    by_port: Box<[u32]>,
    /// The stream that a port was last opened for.
    stream_of_port: Box<[Option<StreamId>]>,
    capture: RtpCapture,
    lines: LineEnds,
    outbox: Outbox,
}

struct Socket {
    socket: UdpSocket,
    local: SocketAddr,
    /// Of the pair.
    port: u16,
    channel: Channel,
}

struct Outbox {
    reports: mpsc::Sender<MediaReport>,
    waiting: VecDeque<MediaReport>,
}

impl Driver {
    fn run(mut self) {
        priority::go_first();
        let mut events = Events::with_capacity(EVENTS);
        let mut buffer = vec![0u8; LARGEST_PACKET];
        let mut readable = Vec::with_capacity(EVENTS);
        loop {
            self.gather();
            if let Err(error) = self.poll.poll(&mut events, self.patience())
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the media thread can't wait for its sockets and ends");
                return;
            }
            self.edge.now = self.clock.now();
            readable.append(&mut self.unfinished);
            for event in &events {
                match event.token() {
                    WAKE => {}
                    Token(socket) => readable.push(socket),
                }
            }
            self.hurried = self.comes_thick(!readable.is_empty());
            for socket in readable.drain(..) {
                self.drain(socket, &mut buffer);
            }
            // Packets first: a command may well be the consequence of one.
            if !self.take_requests() {
                return;
            }
            self.plane.handle_timeout(self.edge.now, &mut self.edge);
            self.edge.outbox.flush();
        }
    }

    /// Whether this turn has packets, and follows close on another one that had.
    fn comes_thick(&mut self, has_packets: bool) -> bool {
        let now = self.edge.now;
        let last = if has_packets { self.packets_at.replace(now) } else { None };
        last.is_some_and(|last| now.saturating_duration_since(last) < HURRY)
    }

    /// With many calls a packet comes every few microseconds, and waking for each costs a quarter of the thread's
    /// time. So where packets come thick and fast the next turn lets them gather first; a few calls never wait.
    fn gather(&self) {
        if self.hurried && self.unfinished.is_empty() {
            std::thread::park_timeout(GATHER);
        }
    }

    /// How long the poll may wait.
    fn patience(&self) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let until = |at: Instant| at.saturating_duration_since(self.clock.now());
        let deadline = self.plane.deadline().map(until);
        if self.edge.outbox.waiting.is_empty() { deadline } else { Some(deadline.unwrap_or(RETRY).min(RETRY)) }
    }

    /// Takes what a socket holds, up to its share.
    fn drain(&mut self, index: usize, buffer: &mut [u8]) {
        for _ in 0..SHARE {
            let Some(socket) = self.edge.sockets.get(index) else { return };
            match socket.socket.recv_from(buffer) {
                Ok((length, from)) => {
                    let Some(bytes) = buffer.get_mut(..length) else { return };
                    let (port, channel, local) = (socket.port, socket.channel, socket.local);
                    if let Some(stream) = self.edge.stream_of_port[usize::from(port / 2)] {
                        self.edge.capture.keep(self.edge.now, stream, from, local, bytes);
                    }
                    self.plane.handle_packet(self.edge.now, port, channel, from, bytes, &mut self.edge);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP answer to something that we sent: the packets behind it still count.
                Err(_) => {}
            }
        }
        self.unfinished.push(index);
    }

    /// False: the thread's work is over.
    fn take_requests(&mut self) -> bool {
        // Before the inbox is looked at: what comes from now on wakes anew.
        if !self.woken.swap(false, Ordering::AcqRel) {
            return true;
        }
        loop {
            match self.inbox.try_recv() {
                Ok(Request::Command(command)) => self.take_command(command),
                Ok(Request::Adopt(pairs)) => self.adopt(pairs),
                Ok(Request::Captured(answer)) => {
                    let _ = answer.try_send(self.edge.capture.chunks());
                }
                Ok(Request::Stop) | Err(std_mpsc::TryRecvError::Disconnected) => return false,
                Err(std_mpsc::TryRecvError::Empty) => return true,
            }
        }
    }

    fn take_command(&mut self, command: MediaCommand) {
        if let MediaCommand::Open { stream, port } = &command {
            if self.edge.by_port[usize::from(*port / 2)] == NO_SOCKET {
                self.edge.outbox.push(MediaReport::Event(MediaEvent::Refused { stream: *stream, why: "the port is not bound" }));
                return;
            }
            self.edge.stream_of_port[usize::from(*port / 2)] = Some(*stream);
        }
        self.plane.handle_command(self.edge.now, Owner::default(), command, &mut self.edge);
    }

    fn adopt(&mut self, pairs: Vec<RtpPair>) {
        let mut opened = Vec::with_capacity(pairs.len());
        for RtpPair { port, rtp, rtcp } in pairs {
            let first = self.edge.sockets.len();
            let registered = [(rtp, Channel::Rtp), (rtcp, Channel::Rtcp)].into_iter().try_for_each(|(mut socket, channel)| {
                let token = Token(self.edge.sockets.len());
                self.poll.registry().register(&mut socket, token, Interest::READABLE)?;
                let local = socket.local_addr()?;
                self.edge.sockets.push(Socket { socket, local, port, channel });
                io::Result::Ok(())
            });
            match registered {
                Ok(()) => {
                    self.edge.by_port[usize::from(port / 2)] = first as u32;
                    opened.push(port);
                }
                Err(error) => {
                    self.edge.sockets.truncate(first);
                    tracing::warn!(%error, port, "a media port could not be watched and is left out");
                }
            }
        }
        self.edge.outbox.push(MediaReport::PortsOpened(opened));
    }
}

impl Sink for Edge {
    fn send(&mut self, port: u16, channel: Channel, to: SocketAddr, bytes: &[u8]) {
        let half = usize::from(port / 2);
        let index = self.by_port[half] as usize + usize::from(channel == Channel::Rtcp);
        let Some(socket) = self.sockets.get(index) else { return };
        // What the kernel has no room for now is worth nothing later; the listener counts it as lost.
        let _ = socket.socket.send_to(bytes, to);
        if let Some(stream) = self.stream_of_port[half] {
            self.capture.keep(self.now, stream, socket.local, to, bytes);
        }
    }

    fn event(&mut self, _: Owner, event: MediaEvent) {
        self.outbox.push(MediaReport::Event(event));
    }

    fn hear(&mut self, line: Line, left: &[i16], right: &[i16]) {
        self.lines.hear(line, left, right);
    }

    fn spoken(&mut self, line: Line) -> Option<usize> {
        self.lines.spoken(line)
    }

    fn speak(&mut self, line: Line, into: &mut [i16]) -> usize {
        self.lines.speak(line, into)
    }

    fn attend(&mut self, line: Line, on: bool) {
        self.lines.attend(line, on);
    }
}

impl Outbox {
    fn push(&mut self, report: MediaReport) {
        let dispensable = matches!(
            report,
            MediaReport::Event(MediaEvent::Figures { .. } | MediaEvent::Tapped { .. } | MediaEvent::Kept { last: false, .. })
        );
        if !dispensable || self.waiting.len() < MOST_DISPENSABLE {
            self.waiting.push_back(report);
        }
    }

    fn flush(&mut self) {
        while let Some(report) = self.waiting.pop_front() {
            match self.reports.try_send(report) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(report)) => {
                    self.waiting.push_front(report);
                    return;
                }
                // The engine is gone, and the handle's end will be told next.
                Err(mpsc::error::TrySendError::Closed(_)) => self.waiting.clear(),
            }
        }
    }
}

const WAKE: Token = Token(usize::MAX);
const NO_SOCKET: u32 = u32::MAX;
const EVENTS: usize = 1_024;
/// Packets that one socket may bring before the others have their turn.
const SHARE: usize = 32;
const LARGEST_PACKET: usize = 2_048;
const REQUESTS: usize = 1_024;
const REPORTS: usize = 4_096;
/// Openings that may lie in the inbox.
const MOST_OPENED: usize = 64;
const MOST_DISPENSABLE: usize = 4_096;
/// After this a full report channel is tried again.
const RETRY: Duration = Duration::from_millis(5);
/// Turns with packets that follow each other faster than this are worth gathering for.
const HURRY: Duration = Duration::from_micros(500);
/// What a packet may wait for others: with the timer's slack well below the millisecond that a relay may add.
const GATHER: Duration = Duration::from_micros(200);
const CAPTURE_BYTES: usize = 16 << 20;
const NTP_TO_UNIX_SECS: u64 = 2_208_988_800;

#[cfg(test)]
mod tests;
