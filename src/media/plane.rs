//! All streams of a media thread, pure: commands, packets and time go in; packets and events come out of a sink.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::time::Instant;

use slab::Slab;

use super::command::{Heard, Line, MediaCommand, MediaEvent, StreamId};
use super::lines::Lines;
use super::rtcp::ntp_after;
use super::seed;
use super::stream::{COMFORT_AFTER, Stream};

/// Which party a stream belongs to: parties number their streams each for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Owner(pub u8);

/// Which of a port pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The even port.
    Rtp,
    /// The odd one after it.
    Rtcp,
}

/// Which way a packet goes, as seen from a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Received,
    Sent,
}

/// Where packets and events go.
pub trait Sink {
    /// `port` is the even port of the pair in either case.
    fn send(&mut self, port: u16, channel: Channel, to: SocketAddr, bytes: &[u8]);
    fn event(&mut self, owner: Owner, event: MediaEvent);
    /// What a line is to hear next, at 48,000 samples a second; left and right differ only for the listener.
    fn hear(&mut self, _line: Line, _left: &[i16], _right: &[i16]) {}
    /// How many samples wait to be taken of what was said on a line. `None`: no microphone is there.
    fn spoken(&mut self, _line: Line) -> Option<usize> {
        None
    }
    /// Takes what was said on a line, at 48,000 samples a second, and tells how many samples there were.
    fn speak(&mut self, _line: Line, _into: &mut [i16]) -> usize {
        0
    }
    /// A line is on a stream now, or on none any more.
    fn attend(&mut self, _line: Line, _on: bool) {}
}

/// Time as packets tell it.
#[derive(Debug)]
pub struct Clock {
    epoch: Instant,
    ntp_at_epoch: u64,
    cname: String,
}

impl Clock {
    /// `ntp_at_epoch`: the wall clock at `epoch`, 32.32 seconds since 1900. `cname`: what RTCP calls us (RFC 7022).
    pub fn new(epoch: Instant, ntp_at_epoch: u64, cname: String) -> Clock {
        Clock { epoch, ntp_at_epoch, cname }
    }

    pub(super) fn ntp(&self, now: Instant) -> u64 {
        ntp_after(self.ntp_at_epoch, now.saturating_duration_since(self.epoch))
    }

    pub(super) fn cname(&self) -> &str {
        &self.cname
    }
}

/// The streams, found by port for packets and by name for commands.
pub struct MediaPlane {
    clock: Clock,
    seed: u64,
    streams: Slab<Stream>,
    by_name: HashMap<(Owner, StreamId), usize>,
    /// By half the port: the slot, or [`NO_STREAM`].
    by_port: Box<[u32]>,
    /// When each stream wants to be woken. An entry that its stream no longer stands by goes when it is the first.
    wakes: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Which stream each line is on.
    lines: Lines,
}

impl MediaPlane {
    pub fn new(clock: Clock, seed: u64) -> MediaPlane {
        MediaPlane {
            clock,
            seed,
            streams: Slab::new(),
            by_name: HashMap::new(),
            by_port: vec![NO_STREAM; 1 << 15].into(),
            wakes: BinaryHeap::new(),
            lines: Lines::default(),
        }
    }

    /// How many streams are open: 0 when nothing is left over.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    pub fn handle_command(&mut self, now: Instant, owner: Owner, command: MediaCommand, sink: &mut impl Sink) {
        let name = command.stream();
        if let MediaCommand::Open { stream, port } = command {
            if let Err(why) = self.open(owner, stream, port) {
                sink.event(owner, MediaEvent::Refused { stream, why });
            }
            return;
        }
        let Some(slot) = self.by_name.get(&(owner, name)).copied() else {
            sink.event(owner, MediaEvent::Refused { stream: name, why: "no such stream is open" });
            return;
        };
        let Some(stream) = self.streams.get_mut(slot) else { return };
        match command {
            MediaCommand::Open { .. } => {}
            MediaCommand::Configure { setup, .. } => {
                stream.configure(now, setup);
                self.tell_other_side(now, slot);
            }
            MediaCommand::Connect { b, .. } => {
                let Some(other) = self.by_name.get(&(owner, b)).copied() else {
                    sink.event(owner, MediaEvent::Refused { stream: b, why: "no such stream is open" });
                    return;
                };
                self.connect(now, slot, other);
                return;
            }
            MediaCommand::Disconnect { .. } => {
                self.disconnect(now, slot);
                return;
            }
            MediaCommand::Play { what, token, .. } => stream.play(now, what, token),
            MediaCommand::StopPlaying { .. } => stream.stop_playing(),
            MediaCommand::SendDtmf { digits, .. } => {
                if !stream.send_dtmf(now, &digits) {
                    sink.event(owner, MediaEvent::Refused { stream: name, why: "no digit, or the peer takes no telephone-event" });
                }
            }
            MediaCommand::WatchSilence { secs, .. } => stream.watch_silence(now, secs),
            MediaCommand::Record { max_secs, .. } => stream.record(now, max_secs),
            MediaCommand::Tap { on, .. } => stream.tap(now, on),
            MediaCommand::Keep { on, .. } => stream.keep(now, on, sink),
            MediaCommand::Live { line, on, .. } => {
                self.put_on(slot, line, on.then_some(Heard::Both), sink);
                return;
            }
            MediaCommand::Listen { heard, .. } => {
                self.put_on(slot, Line::Listener, heard, sink);
                return;
            }
            MediaCommand::Close { .. } => {
                self.close(now, slot, sink);
                return;
            }
        }
        self.schedule(slot);
    }

    /// A packet from the wire; `bytes` are rewritten where they are relayed.
    pub fn handle_packet(&mut self, now: Instant, port: u16, channel: Channel, from: SocketAddr, bytes: &mut [u8], sink: &mut impl Sink) {
        let slot = self.by_port[usize::from(port / 2)] as usize;
        let Some(stream) = self.streams.get_mut(slot) else { return };
        if channel == Channel::Rtcp {
            stream.handle_rtcp(now, &self.clock, from, bytes);
            return;
        }
        let Some((header, content)) = stream.handle_rtp(now, self.clock.epoch, from, bytes, sink) else { return };
        let (peer, is_heard) = (stream.peer, stream.has_people());
        if is_heard {
            self.schedule(slot);
        }
        let Some(peer) = peer else { return };
        let Some(peer_stream) = self.streams.get_mut(peer) else { return };
        peer_stream.relay(now, &header, content, bytes, sink);
        // Half a second after the last relayed packet comfort begins; every packet but one in so many finds the alarm set.
        if peer_stream.has_people() || peer_stream.wake.is_none_or(|wake| wake > now + COMFORT_AFTER) {
            self.schedule(peer);
        }
    }

    pub fn handle_timeout(&mut self, now: Instant, sink: &mut impl Sink) {
        while let Some((at, slot)) = self.first_wake()
            && at <= now
        {
            self.wakes.pop();
            let Some(stream) = self.streams.get_mut(slot) else { continue };
            stream.wake = None;
            stream.handle_timeout(now, &self.clock, sink);
            self.schedule(slot);
        }
    }

    /// The first entry that its stream stands by; what is before it goes. A closed stream wakes nobody.
    fn first_wake(&mut self) -> Option<(Instant, usize)> {
        while let Some(Reverse((at, slot))) = self.wakes.peek().copied() {
            if self.streams.get(slot).is_some_and(|stream| stream.wake == Some(at)) {
                return Some((at, slot));
            }
            self.wakes.pop();
        }
        None
    }

    /// The next instant at which [`MediaPlane::handle_timeout`] has something to do; to be asked after it.
    pub fn deadline(&self) -> Option<Instant> {
        self.wakes.peek().map(|Reverse((at, _))| *at)
    }

    fn open(&mut self, owner: Owner, id: StreamId, port: u16) -> Result<(), &'static str> {
        let place = &mut self.by_port[usize::from(port / 2)];
        if !port.is_multiple_of(2) {
            return Err("RTP ports are even");
        }
        if *place != NO_STREAM {
            return Err("the port is in use");
        }
        let std::collections::hash_map::Entry::Vacant(name) = self.by_name.entry((owner, id)) else {
            return Err("the stream is open already");
        };
        self.seed = seed::mix(self.seed);
        let mut stream = Stream::new(owner, id, port, self.seed);
        if self.streams.len() < MOST_OUTLINED {
            stream.outline_all();
        }
        let slot = self.streams.insert(stream);
        name.insert(slot);
        *place = slot as u32;
        Ok(())
    }

    fn connect(&mut self, now: Instant, a: usize, b: usize) {
        if self.streams.get(a).is_some_and(|stream| stream.peer == Some(b)) {
            return;
        }
        for slot in [a, b] {
            self.disconnect(now, slot);
        }
        for (slot, peer) in [(a, b), (b, a)] {
            if let Some(stream) = self.streams.get_mut(slot) {
                stream.connect(now, Some(peer));
            }
            self.schedule(slot);
        }
        for slot in [a, b] {
            self.tell_other_side(now, slot);
        }
    }

    /// Whoever hears this stream hears nothing of it while it is on hold.
    fn tell_other_side(&mut self, now: Instant, slot: usize) {
        let Some((muted, Some(peer))) = self.streams.get(slot).map(|stream| (stream.is_muted(), stream.peer)) else { return };
        if let Some(other) = self.streams.get_mut(peer) {
            other.other_side_muted(now, muted);
        }
        self.schedule(peer);
    }

    fn disconnect(&mut self, now: Instant, slot: usize) {
        let peer = self.streams.get(slot).and_then(|stream| stream.peer);
        for slot in peer.into_iter().chain([slot]) {
            if let Some(stream) = self.streams.get_mut(slot).filter(|stream| stream.peer.is_some()) {
                stream.connect(now, None);
                self.schedule(slot);
            }
        }
    }

    fn close(&mut self, now: Instant, slot: usize, sink: &mut impl Sink) {
        self.disconnect(now, slot);
        for line in self.lines.on(slot) {
            self.put_on(slot, line, None, sink);
        }
        if let Some(stream) = self.streams.try_remove(slot) {
            self.by_name.remove(&(stream.owner, stream.id));
            self.by_port[usize::from(stream.port / 2)] = NO_STREAM;
            stream.close(now, &self.clock, sink);
        }
    }

    /// A line is on one stream at a time, and leaves where it was.
    fn put_on(&mut self, slot: usize, line: Line, heard: Option<Heard>, sink: &mut impl Sink) {
        let (from, to) = self.lines.move_to(line, slot, heard.is_some());
        if let Some(stream) = from.filter(|from| to != Some(*from)).and_then(|from| self.streams.get_mut(from)) {
            stream.put_on(line, None);
        }
        if let Some(stream) = self.streams.get_mut(slot).filter(|_| from == Some(slot) || to == Some(slot)) {
            stream.put_on(line, heard);
        }
        if from.is_some() != to.is_some() {
            sink.attend(line, to.is_some());
        }
    }

    /// Puts the stream's next instant on the list, where it is not there yet or is sooner than what is.
    fn schedule(&mut self, slot: usize) {
        let Some(stream) = self.streams.get_mut(slot) else { return };
        let Some(at) = stream.deadline() else { return };
        if stream.wake.is_none_or(|wake| at < wake) {
            stream.wake = Some(at);
            self.wakes.push(Reverse((at, slot)));
        }
    }
}

const NO_STREAM: u32 = u32::MAX;
/// Streams at one time that are decoded for their outline alone: Opus both ways takes about 0.5 % of a core each.
const MOST_OUTLINED: usize = 32;
