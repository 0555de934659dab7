//! The words between a party and the media thread: commands in, events out.

use std::net::SocketAddr;
use std::sync::Arc;

use super::foreign::Foreign;
use super::quality::{Conditions, LossPattern};
use super::sketch::{Bars, Level};

pub use super::codecs::Codec;
use super::codecs::OpusTerms;

/// One RTP session of one leg. Chosen by the party that opens it, unique in it, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u32);

/// Which way media flows, as *we* do it: `RecvOnly` means that the peer has put us on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    /// Whether we send.
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether we take what arrives.
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }
}

/// What offer and answer settled for a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamSetup {
    /// Where we send, and the only place we take packets from. `None`: not known yet, nothing is sent or taken.
    pub remote: Option<SocketAddr>,
    /// Where RTCP goes. `None`: `remote`'s port + 1.
    pub remote_rtcp: Option<SocketAddr>,
    /// What we send in.
    pub codec: Codec,
    /// The payload type we send it with: the peer's choice (RFC 3264 §6.1).
    pub send_pt: u8,
    /// Payload types the peer may send to us, by our own SDP. Empty: 0, 8 and 9, as in RFC 3551.
    pub receive_pts: Vec<(u8, Codec)>,
    /// telephone-event towards the peer. `None`: the peer takes none.
    pub dtmf_send_pt: Option<u8>,
    /// Units of an event's duration a second, towards the peer.
    pub dtmf_send_clock: u32,
    /// telephone-event from the peer, by our own SDP, each with its clock.
    pub dtmf_receive_pts: Vec<(u8, u32)>,
    /// What the peer asks of the Opus that it is sent.
    pub opus: OpusTerms,
    /// Milliseconds of sound in each packet we make; 0 means 20.
    pub ptime_ms: u16,
    pub direction: Direction,
    /// Whether the source may be learned anew from the first packets (symmetric RTP, RFC 4961).
    pub relearn: bool,
}

impl StreamSetup {
    /// A two-way PCMU stream with `remote`, telephone-event at 101 both ways.
    pub fn pcmu(remote: SocketAddr) -> StreamSetup {
        StreamSetup {
            remote: Some(remote),
            remote_rtcp: None,
            codec: Codec::Pcmu,
            send_pt: 0,
            receive_pts: Vec::new(),
            dtmf_send_pt: Some(101),
            dtmf_send_clock: 8_000,
            dtmf_receive_pts: vec![(101, 8_000)],
            opus: OpusTerms::default(),
            ptime_ms: 20,
            direction: Direction::SendRecv,
            relearn: false,
        }
    }
}

/// What a stream says of its own accord.
#[derive(Debug, Clone, PartialEq)]
pub enum Playout {
    /// Samples at 8,000 a second, shared by every call that plays them.
    Prompt(Arc<[i16]>),
    /// A sine tone; `secs` of `f32::INFINITY` plays until stopped.
    Tone { hz: f32, secs: f32 },
    /// What a caller hears while the far end rings (425 Hz, 1 s on, 4 s off), until stopped.
    Ringback,
    /// What a caller hears on hold: two short soft beeps every ten seconds, until stopped.
    OnHold,
    /// Silence in packets, until stopped.
    Silence,
}

/// A person's ear and mouth at this machine, by what that person is to a call. Each is in one call at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// The customer of a test call.
    Phone,
    /// The agent, where that is the operator.
    Operator,
    /// Somebody who hears a call and is not in it.
    Listener,
}

/// Which voices of a stream a listener hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Heard {
    /// What the peer says at the left, what is said to it at the right.
    #[default]
    Both,
    /// What the peer says, on both ears.
    Received,
    /// What is said to the peer, on both ears.
    Sent,
}

/// From a party to the media thread.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaCommand {
    /// Takes `port` (one of `PortsOpened`, RTCP at `port` + 1) for `stream`.
    Open { stream: StreamId, port: u16 },
    /// After each offer and answer; the first one starts the stream.
    /// A stream that may send and has nothing to say sends silence, so that the peer's media timers stay quiet.
    Configure { stream: StreamId, setup: Box<StreamSetup> },
    /// Relays each to the other, whatever either was connected to before. A stream with itself is an echo.
    Connect { a: StreamId, b: StreamId },
    /// Ends the relaying to and from `stream`; both sides go on with silence.
    Disconnect { stream: StreamId },
    /// Replaces what `stream` is playing and, while it lasts, what is relayed to it. `PlayEnded` tells its end.
    Play { stream: StreamId, what: Playout, token: u32 },
    /// Ends playing without `PlayEnded`.
    StopPlaying { stream: StreamId },
    /// Sends digits by RFC 4733 after those still waiting; `DtmfSent` tells the end. Characters that are no digit are skipped.
    SendDtmf { stream: StreamId, digits: String },
    /// `Silence` is told once after each stretch of so many seconds without sound or packets from the peer. `None` ends it.
    WatchSilence { stream: StreamId, secs: Option<f32> },
    /// Keeps both directions, true to time, until `Closed` hands them back; at most `max_secs` of them.
    Record { stream: StreamId, max_secs: u32 },
    /// Hands out both directions once a second as `Tapped`.
    Tap { stream: StreamId, on: bool },
    /// What the stream hears goes to this line, and what is said into the line goes out. A line is in one stream at a time:
    /// the newest has it.
    Live { stream: StreamId, line: Line, on: bool },
    /// The stream's voices go to [`Line::Listener`] as well, and nothing else changes. `None` ends it; so does another stream's.
    Listen { stream: StreamId, heard: Option<Heard> },
    /// Hands out both directions once a second as `Kept`, for a recording; what is left when it ends, too. Beside any tap.
    Keep { stream: StreamId, on: bool },
    /// The stream's end: a last RTCP BYE, then `Closed`. The port is free for another `Open` after `Closed`.
    Close { stream: StreamId },
}

impl MediaCommand {
    pub fn configure(stream: StreamId, setup: StreamSetup) -> Self {
        Self::Configure { stream, setup: Box::new(setup) }
    }

    /// The stream that is spoken of (the first, of `Connect`).
    pub fn stream(&self) -> StreamId {
        match self {
            MediaCommand::Connect { a, .. } => *a,
            MediaCommand::Open { stream, .. }
            | MediaCommand::Configure { stream, .. }
            | MediaCommand::Disconnect { stream }
            | MediaCommand::Play { stream, .. }
            | MediaCommand::StopPlaying { stream }
            | MediaCommand::SendDtmf { stream, .. }
            | MediaCommand::WatchSilence { stream, .. }
            | MediaCommand::Record { stream, .. }
            | MediaCommand::Tap { stream, .. }
            | MediaCommand::Keep { stream, .. }
            | MediaCommand::Live { stream, .. }
            | MediaCommand::Listen { stream, .. }
            | MediaCommand::Close { stream } => *stream,
        }
    }
}

/// From the media thread to the party that opened the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaEvent {
    /// A digit (`0`–`9 * # A`–`D`, `!` = flash), told once, at its beginning.
    Dtmf {
        stream: StreamId,
        digit: char,
    },
    /// All digits of all `SendDtmf` so far are out.
    DtmfSent {
        stream: StreamId,
    },
    PlayEnded {
        stream: StreamId,
        token: u32,
    },
    /// So many seconds without sound (see `WatchSilence`).
    Silence {
        stream: StreamId,
        secs: f32,
    },
    FirstPacket {
        stream: StreamId,
    },
    /// Running totals, at most once a second while they change.
    Figures {
        stream: StreamId,
        figures: Box<StreamFigures>,
    },
    /// The source was learned to be elsewhere than the SDP said (NAT).
    SourceLearned {
        stream: StreamId,
        from: SocketAddr,
    },
    /// A packet from an address that the stream does not know; told once for each address, and for at most 8 of them.
    Stranger {
        stream: StreamId,
        from: SocketAddr,
    },
    /// A second of both directions, or what was left of one when the tap ended.
    Tapped {
        stream: StreamId,
        second: Second,
    },
    /// As `Tapped`, for `Keep`. `last`: the end of what is kept, which may be of no length.
    Kept {
        stream: StreamId,
        second: Second,
        last: bool,
    },
    /// Always the last event of a stream.
    Closed {
        stream: StreamId,
        figures: Box<StreamFigures>,
        recording: Option<Recording>,
    },
    /// A command that could not be done, and why.
    Refused {
        stream: StreamId,
        why: &'static str,
    },
}

impl MediaEvent {
    /// The stream that is spoken of.
    pub fn stream(&self) -> StreamId {
        match self {
            MediaEvent::Dtmf { stream, .. }
            | MediaEvent::DtmfSent { stream }
            | MediaEvent::PlayEnded { stream, .. }
            | MediaEvent::Silence { stream, .. }
            | MediaEvent::FirstPacket { stream }
            | MediaEvent::Figures { stream, .. }
            | MediaEvent::SourceLearned { stream, .. }
            | MediaEvent::Stranger { stream, .. }
            | MediaEvent::Tapped { stream, .. }
            | MediaEvent::Kept { stream, .. }
            | MediaEvent::Closed { stream, .. }
            | MediaEvent::Refused { stream, .. } => *stream,
        }
    }
}

/// Both directions of a stream, from the same instant on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// Samples a second: that of the codec in force when it began.
    pub rate: u32,
    /// What the peer said: what we heard.
    pub received: Vec<i16>,
    /// What we sent to the peer.
    pub sent: Vec<i16>,
}

/// A part of both directions of a stream, each as long as the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Second {
    /// Samples a second.
    pub rate: u32,
    /// So many samples after the tap began.
    pub first_sample: u64,
    /// What the peer said.
    pub received: Vec<i16>,
    pub sent: Vec<i16>,
}

/// Running totals of one stream, seen from us.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StreamFigures {
    pub codec: Codec,
    pub packets_sent: u64,
    /// Payload bytes, as RTCP counts them (RFC 3550 §6.4.1).
    pub bytes_sent: u64,
    pub packets_received: u64,
    pub bytes_received: u64,
    /// Of what we should have received (RFC 3550 §A.3), duplicates not counted against it.
    pub packets_lost: u64,
    pub packets_reordered: u64,
    pub packets_duplicated: u64,
    /// Interarrival jitter of what we receive (RFC 3550 §A.8).
    pub jitter_ms: f32,
    /// What the peer's reports say of what we send.
    pub remote_lost: Option<i64>,
    pub remote_jitter_ms: Option<f32>,
    pub round_trip_ms: Option<f32>,
    /// Packets from addresses that the stream does not know.
    pub strangers: u64,
    /// Packets that are no RTP, RTCP or telephone-event.
    pub foreign: Foreign,
    pub dtmf_received: String,
    /// From the first `Configure` to the first packet received.
    pub first_packet_us: Option<u64>,
    /// What comes of the peer's sound to us; and of ours to it, where its reports tell.
    pub received: Option<Conditions>,
    pub sent: Option<Conditions>,
    /// The same of the time since the figures were told last.
    pub received_now: Option<Conditions>,
    pub sent_now: Option<Conditions>,
    /// How the lost packets lie together, and a packet's milliseconds.
    pub losses: LossPattern,
    pub packet_ms: u16,
    /// By how many millionths the peer's clock is slower than ours, once a minute has passed.
    pub drift_ppm: Option<f32>,
    pub received_level: Level,
    pub sent_level: Level,
    /// The outline since the figures were told last.
    pub bars: Bars,
}
