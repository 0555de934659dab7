//! The pure half of the transport layer (RFC 3261 §18): what crosses the boundary to the sockets,
//! and the decisions that need no socket.

pub mod via;

pub mod framing;
pub mod target;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use bytes::Bytes;

/// The transports that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    /// The word of a Via header: `UDP`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// The word of a URI's `transport=` parameter: `udp`. TLS is `tcp` there, the scheme says the rest (§26.2.2).
    pub const fn as_uri_param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp | Self::Tls => "tcp",
        }
    }

    /// Whether the transport delivers (§17: no retransmission timers then).
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The port where none is written (§19.1.2).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Transport {
    type Err = UnknownTransport;

    /// Reads the word of a Via or a `transport=` parameter, without regard to case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Udp, Self::Tcp, Self::Tls].into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text)).ok_or(UnknownTransport)
    }
}

/// A transport that we do not speak (SCTP, WS, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a transport that is not spoken here")]
pub struct UnknownTransport;

/// A stream connection, numbered by whoever owns the sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Where bytes came from, or go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    pub transport: Transport,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// The connection to use. None on a stream transport: re-use one to `remote`, or open one (RFC 5923).
    pub connection: Option<ConnectionId>,
}

/// One whole message as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub flow: Flow,
    pub bytes: Bytes,
}

/// One whole message to send.
#[derive(Debug, Clone)]
pub struct Transmit {
    pub flow: Flow,
    pub bytes: Bytes,
    /// The same bytes went out before, for the same transaction.
    pub retransmission: bool,
}

/// Whether a request of this size must go by a congestion-controlled transport instead of UDP
/// (§18.1.1: within 200 bytes of an unknown path MTU of 1,500).
pub const fn too_large_for_udp(bytes: usize) -> bool {
    bytes > 1300
}
