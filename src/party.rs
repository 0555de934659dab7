//! What the engine drives: a party takes inputs, hands back outputs, and names its next deadline.
//!
//! Two parties exist, the switch (`call`) and the customer's side (`customer`). Both are pure values:
//! the engine gives one input with the time, then drains [`Party::poll_output`] until `None`, then looks
//! at [`Party::deadline`].

mod measured;

use std::{net::SocketAddr, sync::Arc, time::Instant};

use crate::{
    media::{Codec, MediaCommand, MediaEvent, StreamId},
    model::{
        CallEvent, CallId, ClaimKey, ClaimRefusal, Claimed, Command, CommandOutcome, Keep,
        settings::{self, Settings},
    },
    sip::transport::{Flow, Received, Transmit, Transport},
};

pub use measured::measured;

/// The codecs of the settings in the words of the media thread.
pub fn codecs_of(media: &settings::Media) -> Vec<Codec> {
    media.codecs.iter().filter_map(|codec| Codec::by_name(codec.name())).collect()
}

/// One side of calls, driven by the engine.
pub trait Party {
    fn handle_input(&mut self, now: Instant, input: Input);
    /// What the last input led to, in order. Drained until `None` before the next input.
    fn poll_output(&mut self) -> Option<Output>;
    /// When [`Input::Timeout`] is due, if nothing else comes before. Never earlier than the last `now` twice in a row.
    fn deadline(&self) -> Option<Instant>;
    /// How much it holds and has turned away, for the counters.
    fn gauges(&self) -> Gauges {
        Gauges::default()
    }
}

/// What a party counts that no call's events tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Messages that could not be read, and what was wrong with the last one.
    pub malformed: u64,
    pub last_malformed: Option<String>,
    /// Messages dropped unread: their senders are silenced.
    pub dropped: u64,
    pub transactions: usize,
    pub media_streams: usize,
}

/// What happens to a party.
#[derive(Debug, Clone)]
pub enum Input {
    /// A whole message arrived.
    Received(Received),
    /// Nothing can be sent there: refused, unreachable, or the connection broke.
    TransportFailed(Flow),
    Media(MediaEvent),
    /// The answer to [`Output::Resolve`], best first; empty where it does not resolve.
    Resolved {
        query: u32,
        targets: Vec<(Transport, SocketAddr)>,
    },
    /// The answer to [`Output::Speak`]: 8,000 samples a second, or nothing where no speech program could say it.
    Spoken {
        query: u32,
        samples: Option<Arc<[i16]>>,
    },
    /// The answer to [`Output::PortsWanted`]: even RTP ports, bound and ready, each with its RTCP port above.
    /// They stay bound and are the party's from now on.
    PortsOpened(Vec<u16>),
    /// The answer to [`Output::Claim`]: the call transfer is ONGOING, and durably so; or why it can't be had.
    Claimed {
        query: u32,
        outcome: Result<Box<Claimed>, ClaimRefusal>,
    },
    /// The answer to [`Output::Keep`]. `stored`: committed, whatever happens to this program.
    Kept {
        call: CallId,
        stored: bool,
    },
    /// `id` comes back in [`Output::CommandDone`].
    Command {
        id: u64,
        command: Command,
    },
    /// Other settings are in force from now on; what began under the old ones ends under them.
    Settings(Arc<Settings>),
    /// A call came back to the other side of this program, and was answered there.
    TakenBack(Box<TakenBack>),
    /// The deadline has come.
    Timeout,
}

/// A call at this program's own return point, as its INVITE names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// Where the INVITE came in.
    pub at: SocketAddr,
    pub request_uri: String,
    /// `X-GA-extConId`
    pub conversation: Option<String>,
    /// The Call-ID of the dialog that it takes the place of (RFC 3891).
    pub replaces: Option<String>,
}

/// What a party wants done.
#[derive(Debug, Clone)]
pub enum Output {
    Transmit(Transmit),
    Media(MediaCommand),
    /// Which addresses serve this `sip:` URI (RFC 3263)?
    Resolve {
        query: u32,
        uri: String,
    },
    /// Have this text spoken; answered by [`Input::Spoken`].
    Speak {
        query: u32,
        text: String,
    },
    /// So many more RTP ports are wanted; answered by [`Input::PortsOpened`], with fewer where none are left.
    PortsWanted(usize),
    /// The call is the one for this call transfer, if it is still to be had; answered by [`Input::Claimed`].
    Claim {
        query: u32,
        call: CallId,
        key: ClaimKey,
    },
    /// Keep this before the call goes back; answered by [`Input::Kept`].
    Keep {
        call: CallId,
        kept: Box<Keep>,
    },
    /// A call came back to our return point, and the ACK for our answer is here; the bridge may wait for just that.
    TookBack(Box<TakenBack>),
    Event {
        call: CallId,
        what: CallEvent,
    },
    /// The stream carries this call's sound: its packets belong into the call's capture.
    StreamOf {
        call: CallId,
        stream: StreamId,
    },
    /// The answer to a command, exactly one for each.
    CommandDone {
        id: u64,
        outcome: CommandOutcome,
    },
}
