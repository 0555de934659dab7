//! One RTP session: what arrives is judged and counted, what leaves is paced, relayed and numbered.

mod ear;
mod ears;
mod figures;
mod live;
mod order;
mod speech;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::codecs::RATE;
use super::command::{Codec, MediaEvent, Playout, StreamId, StreamSetup};
use super::dtmf;
use super::foreign::Foreign;
use super::jitter::{Arrival, Reception};
use super::level::SilenceWatch;
use super::plane::{Channel, Clock, Owner, Sink, Way};
use super::playout::Player;
use super::recording::Tape;
use super::relay::{Outgoing, samples_between};
use super::rtcp;
use super::rtp::{self, Header};
use super::seed;
use super::source::{SourceLock, Verdict};
use super::transcode::Transcoder;
use ears::Ears;
use speech::{Mouth, RelayedEvent};

/// The state of one stream. Every method takes the time and says what it wants through the sink.
#[derive(Debug)]
pub struct Stream {
    pub owner: Owner,
    pub id: StreamId,
    pub port: u16,
    /// The slot of the stream that it is connected to.
    pub peer: Option<usize>,
    /// When the plane has it on its list.
    pub wake: Option<Instant>,
    setup: Option<Box<StreamSetup>>,
    configured_at: Option<Instant>,
    /// By payload type, as our SDP told the peer.
    contents: [Content; 128],
    source: SourceLock,
    reception: Reception,
    foreign: Foreign,
    outgoing: Outgoing,
    player: Option<Player>,
    next_frame: Option<Instant>,
    /// Since when nobody is to speak here: the other side is on hold, or has left.
    quiet_since: Option<Instant>,
    dtmf_out: dtmf::Sender,
    /// The timestamp at which the digit under way began.
    dtmf_began: u32,
    dtmf_in: dtmf::Receiver,
    dtmf_received: String,
    /// The RTP clock of what arrives.
    heard_clock: u32,
    ears: Ears,
    mouth: Option<Box<Mouth>>,
    /// From the connected stream's codec to this one's, where they are unlike.
    transcoder: Option<Box<Transcoder>>,
    relayed_event: Option<RelayedEvent>,
    people: live::People,
    reports: rtcp::Reports,
    rtcp_remote: Option<SocketAddr>,
    next_rtcp: Option<Instant>,
    packets_reported: u64,
    seed: u64,
    first_packet_us: Option<u64>,
    next_figures: Option<Instant>,
    /// Packets received and lost when the figures were told last.
    measured: (u64, u64),
    /// What was told last: sent, received, what was neither, digits.
    told: (u64, u64, u64, usize),
}

/// What a payload type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Audio(Codec),
    /// With the clock of its durations, in kHz: a table of these is in every stream.
    Event(u8),
    Unknown,
}

impl Stream {
    pub fn new(owner: Owner, id: StreamId, port: u16, seed: u64) -> Stream {
        Stream {
            owner,
            id,
            port,
            peer: None,
            wake: None,
            setup: None,
            configured_at: None,
            contents: [Content::Unknown; 128],
            source: SourceLock::default(),
            reception: Reception::default(),
            foreign: Foreign::default(),
            outgoing: Outgoing::new(seed),
            player: None,
            next_frame: None,
            quiet_since: None,
            dtmf_out: dtmf::Sender::default(),
            dtmf_began: 0,
            dtmf_in: dtmf::Receiver::default(),
            dtmf_received: String::new(),
            heard_clock: RATE,
            ears: Ears::default(),
            mouth: None,
            transcoder: None,
            relayed_event: None,
            people: live::People::default(),
            reports: rtcp::Reports::default(),
            rtcp_remote: None,
            next_rtcp: None,
            packets_reported: 0,
            seed: seed::mix(seed ^ 0x5274_6370),
            first_packet_us: None,
            next_figures: None,
            measured: (0, 0),
            told: (0, 0, 0, 0),
        }
    }

    /// Draws the outline of what is not G.711, too, which then has to be decoded: as much work again as relaying it.
    pub fn outline_all(&mut self) {
        self.ears.outlines_all = true;
    }

    // From the party.

    pub fn configure(&mut self, now: Instant, setup: Box<StreamSetup>) {
        // RFC 3264 §8.4, RFC 2543: 0.0.0.0 is an old way to say "don't send".
        let reachable = |address: &SocketAddr| !address.ip().is_unspecified() && address.port() != 0;
        let remote = setup.remote.filter(reachable);
        self.source.settle(remote, setup.relearn);
        self.rtcp_remote = setup
            .remote_rtcp
            .filter(reachable)
            .or_else(|| remote.and_then(|remote| Some(SocketAddr::new(remote.ip(), remote.port().checked_add(1)?))));
        self.contents = [Content::Unknown; 128];
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
            if setup.receive_pts.is_empty() {
                self.contents[usize::from(codec.usual_pt())] = Content::Audio(codec);
            }
        }
        let dynamic = setup.receive_pts.iter().map(|(pt, codec)| (*pt, Content::Audio(*codec)));
        for (pt, content) in dynamic.chain(setup.dtmf_receive_pts.iter().map(|(pt, clock)| (*pt, Content::Event((clock / 1_000) as u8)))) {
            if let Some(slot) = self.contents.get_mut(usize::from(pt)) {
                *slot = content;
            }
        }
        if self.configured_at.is_none() {
            self.configured_at = Some(now);
            self.next_rtcp = now.checked_add(self.rtcp_interval() / 2);
            self.next_figures = Some(now + FIGURES_INTERVAL);
        }
        self.outgoing.set_clock(setup.codec.clock_rate());
        if let Some(mouth) = &mut self.mouth {
            mouth.encoder().heed(setup.opus);
        }
        self.setup = Some(setup);
        self.pace(now);
    }

    pub fn connect(&mut self, now: Instant, peer: Option<usize>) {
        let left = self.peer.is_some() && peer.is_none();
        self.quiet_since = left.then_some(now);
        self.peer = peer;
        self.outgoing.end_feed();
        // A leg that was connected before it said a word waits for the other side's.
        if peer.is_some() && self.outgoing.packets == 0 {
            self.next_frame = None;
        }
        self.pace(now);
    }

    /// Whether the peer may not say anything: it put us on hold.
    pub fn is_muted(&self) -> bool {
        self.setup.as_ref().is_some_and(|setup| !setup.direction.receives())
    }

    /// The other side of the call was put on hold, perhaps before it said a word, or may speak again.
    pub fn other_side_muted(&mut self, now: Instant, muted: bool) {
        self.quiet_since = if muted { self.quiet_since.or(Some(now)) } else { None };
    }

    pub fn play(&mut self, now: Instant, what: Playout, token: u32) {
        self.player = Some(Player::new(what, token));
        self.pace(now);
    }

    pub fn stop_playing(&mut self) {
        self.player = None;
    }

    /// False: no digit among them, or the peer takes none.
    pub fn send_dtmf(&mut self, now: Instant, digits: &str) -> bool {
        let takes = self.setup.as_ref().is_some_and(|setup| setup.dtmf_send_pt.is_some());
        let queued = takes && self.dtmf_out.push(digits);
        self.pace(now);
        queued
    }

    pub fn watch_silence(&mut self, now: Instant, secs: Option<f32>) {
        self.ears.silence = secs.and_then(|secs| SilenceWatch::new(now, secs));
    }

    pub fn record(&mut self, now: Instant, max_secs: u32) {
        self.ears.tapes.record = Some(Box::new(Tape::new(now, self.sample_rate(), max_secs)));
    }

    pub fn tap(&mut self, now: Instant, on: bool) {
        self.ears.tapes.tap = on.then(|| Box::new(Tape::new(now, self.sample_rate(), TAP_SECS)));
    }

    /// What is kept already goes on; what was kept is handed out to the end.
    pub fn keep(&mut self, now: Instant, on: bool, sink: &mut impl Sink) {
        self.ears.settle(now, !on);
        match (self.ears.tapes.keep.take(), on) {
            (None, false) => {}
            (None, true) => self.ears.tapes.keep = Some(Box::new(Tape::new(now, self.sample_rate(), TAP_SECS))),
            (going, true) => self.ears.tapes.keep = going,
            (Some(tape), false) => {
                sink.event(self.owner, MediaEvent::Kept { stream: self.id, second: tape.take_rest(now), last: true });
            }
        }
    }

    /// Of the codec in force.
    fn sample_rate(&self) -> u32 {
        self.setup.as_ref().map_or(RATE, |setup| setup.codec.sample_rate())
    }

    pub fn close(mut self, now: Instant, clock: &Clock, sink: &mut impl Sink) {
        if self.outgoing.packets > 0 || self.reception.packets > 0 {
            self.send_rtcp(now, clock, true, sink);
        }
        self.keep(now, false, sink);
        let figures = Box::new(self.figures(now, true));
        let recording = self.ears.finish(now);
        sink.event(self.owner, MediaEvent::Closed { stream: self.id, figures, recording });
    }

    // From the wire.

    /// What is left to relay of a packet, if anything is.
    pub fn handle_rtp(
        &mut self,
        now: Instant,
        epoch: Instant,
        from: SocketAddr,
        bytes: &[u8],
        sink: &mut impl Sink,
    ) -> Option<(Header, Content)> {
        let Some(header) = rtp::parse(bytes) else {
            self.foreign.note(bytes);
            return None;
        };
        match self.source.judge(from, header.ssrc) {
            Verdict::Accepted => {}
            Verdict::Learned => sink.event(self.owner, MediaEvent::SourceLearned { stream: self.id, from }),
            Verdict::Untimely => return None,
            Verdict::Stranger { new } => {
                if new {
                    sink.event(self.owner, MediaEvent::Stranger { stream: self.id, from });
                }
                return None;
            }
        }
        let payload = bytes.get(header.payload.clone())?;
        let content = self.contents[usize::from(header.pt & 0x7f)];
        // An event's packets share one timestamp, so their arrival says nothing of jitter (RFC 4733 §2.6.2).
        let clock = match content {
            Content::Audio(codec) => Some(codec.clock_rate()),
            Content::Unknown => Some(self.heard_clock),
            Content::Event(_) => None,
        };
        if let Some(clock) = clock.filter(|clock| *clock != self.heard_clock) {
            self.heard_clock = clock;
            self.reception.forget_jitter();
        }
        let timing = clock.map(|clock| (samples_between(epoch, now, clock) as u32, header.timestamp));
        let arrival = self.reception.handle_packet(header.ssrc, header.sequence, payload.len(), timing);
        if self.first_packet_us.is_none() {
            let since = self.configured_at.map_or(Duration::ZERO, |begin| now.saturating_duration_since(begin));
            self.first_packet_us = Some(since.as_micros() as u64);
            sink.event(self.owner, MediaEvent::FirstPacket { stream: self.id });
        }
        match arrival {
            Arrival::Start => self.dtmf_in.restart(),
            // A stray number is believed when a second one confirms it; until then it would only break the listener's series.
            Arrival::Duplicate | Arrival::Odd => return None,
            Arrival::InOrder | Arrival::Late => {}
        }
        if !self.setup.as_ref().is_some_and(|setup| setup.direction.receives()) {
            return None;
        }
        match content {
            Content::Audio(codec) => self.hear(now, &header, codec, payload),
            Content::Event(_) => self.note_event(now, &header, payload, sink),
            Content::Unknown => {}
        }
        Some((header, content))
    }

    pub fn handle_rtcp(&mut self, now: Instant, clock: &Clock, from: SocketAddr, bytes: &[u8]) {
        // An ICE peer's checks come from addresses of their own, and make it no stranger.
        if self.source.remote().is_none() || self.foreign.names(bytes) {
            return;
        }
        let expected = self.source.remote().is_some_and(|remote| remote.ip() == from.ip()) || self.rtcp_remote == Some(from);
        if !expected {
            self.source.stranger_packets += 1;
            return;
        }
        if !self.reports.handle_packet(clock.ntp(now), self.outgoing.ssrc, bytes) {
            self.foreign.malformed += 1;
            return;
        }
        if let (Some(mouth), Some(percent)) = (&mut self.mouth, self.reports.remote_loss_percent) {
            mouth.encoder().expect_loss(percent);
        }
        if self.setup.as_ref().is_some_and(|setup| setup.relearn) {
            self.rtcp_remote = Some(from);
        }
    }

    // From the clock.

    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<Instant> {
        [self.next_frame, self.silence_at(), self.next_rtcp, self.next_figures, self.people.deadline()]
            .into_iter()
            .chain(self.ears.deadlines())
            .flatten()
            .min()
    }

    pub fn handle_timeout(&mut self, now: Instant, clock: &Clock, sink: &mut impl Sink) {
        if self.silence_at().is_some_and(|at| at <= now) {
            self.next_frame = Some(now);
            self.outgoing.begin_anew();
        }
        self.send_frames(now, sink);
        self.fill_lines(now, sink);
        if self.next_rtcp.is_some_and(|at| at <= now) {
            self.send_rtcp(now, clock, false, sink);
            self.next_rtcp = now.checked_add(self.rtcp_interval());
        }
        if let Some(secs) = self.ears.silence.as_mut().and_then(|watch| watch.handle_timeout(now)) {
            sink.event(self.owner, MediaEvent::Silence { stream: self.id, secs });
        }
        self.ears.settle(now, false);
        if let Some(second) = self.ears.tapes.tap.as_mut().and_then(|tape| tape.take_second(now)) {
            sink.event(self.owner, MediaEvent::Tapped { stream: self.id, second });
        }
        if let Some(second) = self.ears.tapes.keep.as_mut().and_then(|tape| tape.take_second(now)) {
            sink.event(self.owner, MediaEvent::Kept { stream: self.id, second, last: false });
        }
        if self.next_figures.is_some_and(|at| at <= now) {
            self.next_figures = Some(now + FIGURES_INTERVAL);
            let now_told = (
                self.outgoing.packets,
                self.reception.packets,
                self.source.stranger_packets + self.foreign.total(),
                self.dtmf_received.len(),
            );
            if std::mem::replace(&mut self.told, now_told) != now_told {
                let figures = Box::new(self.figures(now, false));
                sink.event(self.owner, MediaEvent::Figures { stream: self.id, figures });
            }
        }
    }

    fn hear(&mut self, now: Instant, header: &Header, codec: Codec, payload: &[u8]) {
        self.ears.note(now, Way::Received, header, codec, payload);
        self.people.note(now, Way::Received, header, codec, payload);
    }

    fn note_event(&mut self, now: Instant, header: &Header, payload: &[u8], sink: &mut impl Sink) {
        let Some(packet) = dtmf::EventPacket::parse(payload) else {
            self.foreign.malformed += 1;
            return;
        };
        self.people.note_event(now, Way::Received, header);
        if let Some(watch) = &mut self.ears.silence {
            watch.note_sound(now);
        }
        if let Some(digit) = self.dtmf_in.handle_packet(header.marker, header.timestamp, packet) {
            if self.dtmf_received.len() < MOST_DIGITS_KEPT {
                self.dtmf_received.push(digit);
            }
            sink.event(self.owner, MediaEvent::Dtmf { stream: self.id, digit });
        }
    }

    /// Begins pacing where there is something to say; ends it where we may not send.
    fn pace(&mut self, now: Instant) {
        let has_something = self.player.is_some() || self.dtmf_out.is_active();
        // Silence may wait longer than what there is to say.
        let soon = now + Duration::from_millis(self.packet_ms().into());
        if !self.may_send() {
            self.next_frame = None;
        } else if has_something && self.next_frame.is_none_or(|at| at > soon) {
            self.next_frame = Some(now);
        }
    }

    fn may_send(&self) -> bool {
        self.setup.as_ref().is_some_and(|setup| setup.direction.sends()) && self.source.remote().is_some()
    }

    /// When silence takes the place of what nobody says; none: somebody speaks, or nothing may be sent.
    fn silence_at(&self) -> Option<Instant> {
        if self.next_frame.is_some() || !self.may_send() {
            return None;
        }
        match (self.peer, self.outgoing.last_sent(), self.quiet_since) {
            // A connected side that falls silent, by hold or otherwise, must not make the listener's media timer fire.
            (Some(_), Some(since), _) | (Some(_), None, Some(since)) => Some(since + COMFORT_AFTER),
            (Some(_), None, None) => None,
            // The other side left. It follows the last packet in its time; most often the call is over before, and none is sent.
            (None, Some(sent), _) => Some(sent + Duration::from_millis(self.packet_ms().into())),
            (None, None, Some(left)) => Some(left + COMFORT_AFTER),
            // Alone from the beginning.
            (None, None, None) => self.configured_at,
        }
    }

    fn send_rtcp(&mut self, now: Instant, clock: &Clock, bye: bool, sink: &mut impl Sink) {
        let Some(remote) = self.rtcp_remote else { return };
        // §6.4: a sender report only where something was sent since the last two.
        let fresh = self.outgoing.packets != self.packets_reported;
        self.packets_reported = self.outgoing.packets;
        let outline = rtcp::Outline {
            ssrc: self.outgoing.ssrc,
            cname: clock.cname(),
            sent: fresh.then(|| rtcp::Sent {
                timestamp: self.outgoing.timestamp_at(now),
                packets: self.outgoing.packets,
                bytes: self.outgoing.bytes,
            }),
            received: self.reception.report(),
            bye,
        };
        let mut bytes = [0; 512];
        let length = self.reports.write(clock.ntp(now), &outline, &mut bytes);
        if let Some(bytes) = bytes.get(..length).filter(|bytes| !bytes.is_empty()) {
            sink.send(self.port, Channel::Rtcp, remote, bytes);
        }
    }

    /// §6.2, §6.3.1: five seconds, spread over half to one and a half, so that reports of many streams don't fall together.
    fn rtcp_interval(&mut self) -> Duration {
        self.seed = seed::mix(self.seed);
        RTCP_INTERVAL.mul_f64(0.5 + seed::fraction(self.seed))
    }
}

const RTCP_INTERVAL: Duration = Duration::from_secs(5);
const FIGURES_INTERVAL: Duration = Duration::from_secs(1);
/// So long may a connected side say nothing before its listener is given silence.
pub const COMFORT_AFTER: Duration = Duration::from_millis(500);
const MOST_CATCH_UP: Duration = Duration::from_millis(200);
const MOST_PTIME_MS: u16 = 60;
const MOST_DIGITS_KEPT: usize = 256;
/// A tap is emptied every second; what waits longer is dropped.
const TAP_SECS: u32 = 5;
