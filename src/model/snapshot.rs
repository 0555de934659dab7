//! The whole state at one moment, for those who only read: the console and the control API.

use std::{net::SocketAddr, sync::Arc};

use serde::Serialize;

use super::{CallRecord, Timestamp, TransportName};

/// Cheap to clone and to hold: records are shared, not copied.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub at: Timestamp,
    /// Number of the last event that is folded in.
    pub seq: u64,
    /// Live and recent calls, oldest first.
    pub calls: Arc<[Arc<CallRecord>]>,
    pub listeners: Arc<[Listener]>,
    pub counters: Counters,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listener {
    pub transport: TransportName,
    pub address: SocketAddr,
    /// It belongs to the customer's side that this program plays.
    pub customer_side: bool,
}

/// Totals since the start, and what is live now.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counters {
    pub calls_total: u64,
    pub calls_active: u64,
    pub calls_refused: u64,
    pub messages_in: u64,
    pub messages_out: u64,
    pub messages_malformed: u64,
    /// Messages dropped before they were read: over the rate, over a limit, silenced addresses.
    pub messages_dropped: u64,
    pub messages_kept: u64,
    pub transactions: u64,
    pub media_streams: u64,
    pub rtp_packets_in: u64,
    pub rtp_packets_out: u64,
    pub rtp_strangers: u64,
}
