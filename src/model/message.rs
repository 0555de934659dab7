//! A message as it crossed the wire, kept for the ladder.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;

use serde::{Deserialize, Serialize};

use super::{CallId, CallRecord, CallSound, LegId, Timestamp};

/// One SIP message (or a datagram that is none), as its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedMessage {
    /// Position among all messages that the process captured, never used twice.
    pub number: u64,
    pub at: Timestamp,
    pub direction: Direction,
    /// The leg it belongs to; `None` while that is not known.
    pub leg: Option<LegId>,
    pub transport: TransportName,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// The same bytes (start line, headers and body) were already seen or sent on this leg.
    pub retransmission: bool,
    /// The bytes that crossed the wire, not re-printed.
    pub bytes: Bytes,
}

/// A call with all of its messages and its sound's outline: what is kept of it, read from a file, and written to one.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeCall {
    pub record: Arc<CallRecord>,
    /// In the order in which they crossed the wire.
    pub messages: Vec<CapturedMessage>,
    /// How it sounded over its time, where that is known.
    pub sound: Option<Arc<CallSound>>,
}

impl WholeCall {
    /// A call of whose sound nothing is known.
    pub fn new(record: Arc<CallRecord>, messages: Vec<CapturedMessage>) -> Self {
        Self { record, messages, sound: None }
    }
}

/// A message, and the call that it belongs to where it belongs to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedMessage {
    pub call: Option<CallId>,
    pub message: CapturedMessage,
}

/// One RTP or RTCP packet, as it crossed the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    pub at: Timestamp,
    /// Who sent it: this program, or the far side.
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub bytes: Bytes,
}

/// Seen from this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    In,
    Out,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportName {
    Udp,
    Tcp,
    Tls,
}

impl TransportName {
    /// As it stands in a Via: `UDP`, `TCP`, `TLS`.
    pub fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// As it stands in a listen address or a `transport` parameter: `udp`, `tcp`, `tls`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}
