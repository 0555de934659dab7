//! What to start: parties, where they listen, and how much may be kept.

use std::{io, net::SocketAddr, ops::RangeInclusive, sync::Arc, time::Instant};

use super::desk::DeskEnds;
use crate::{
    model::{
        Listener,
        settings::{self, Limits},
    },
    party::Party,
    sip::transport::Transport,
};

/// Everything the engine needs to start.
pub struct EngineSetup {
    /// At most 255; the first is the bridge where there is one.
    pub parties: Vec<PartySetup>,
    pub limits: Limits,
    pub recording: settings::Recording,
    /// Says a text aloud, where a speech program is installed.
    pub speech: Option<Speech>,
    /// Whoever owns the call transfers and keeps what must last.
    pub desk: Option<DeskEnds>,
    /// Wall time for people comes from here on.
    pub seed: u64,
}

/// A text to samples, 8,000 a second. May take its time: it is called on a thread for such things.
pub type Speech = fn(&str) -> Option<Arc<[i16]>>;

/// One party and its sockets.
pub struct PartySetup {
    /// Names its threads, for example `bridge`.
    pub name: &'static str,
    /// It plays the customer's side.
    pub customer_side: bool,
    pub listen: Vec<(Transport, SocketAddr)>,
    pub media_address: std::net::IpAddr,
    pub media_ports: RangeInclusive<u16>,
    /// Called once, on the engine's thread, when all sockets of all parties are bound.
    pub build: Box<dyn FnOnce(Bound) -> Box<dyn Party> + Send>,
}

/// What was bound, for building a party.
pub struct Bound {
    /// This party's listeners with their real ports. An unspecified address (0.0.0.0) is replaced by
    /// the machine's primary one, so that it can stand in a Via.
    pub own: Vec<(Transport, SocketAddr)>,
    /// All listeners of all parties.
    pub all: Vec<Listener>,
    pub now: Instant,
    /// Random, new for each start and party.
    pub seed: u64,
    /// Call ids count up from here.
    pub first_call_id: u64,
}

/// The engine can't start; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {}:{address}: {error}. {}", .transport.as_str().to_ascii_lowercase(), advice(.error))]
    Listen { transport: Transport, address: SocketAddr, error: io::Error },
    #[error("{0}:{1} is not in this version; listen on udp: and tcp: instead")]
    NoSuchTransport(Transport, SocketAddr),
    #[error("cannot open media sockets on {address}: {error}. Choose an address of this machine in [media] address, or other ports")]
    Media { address: std::net::IpAddr, error: io::Error },
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "Another program has this port: stop it, or choose another port in [sip] listen",
        io::ErrorKind::AddrNotAvailable => "The address is none of this machine's: see [sip] listen",
        io::ErrorKind::PermissionDenied => "A port below 1024 needs rights: choose another port in [sip] listen",
        _ => "See [sip] listen",
    }
}
