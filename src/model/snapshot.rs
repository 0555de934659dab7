//! The whole state at one moment, for those who only read: the console and the control API.

use std::{net::SocketAddr, sync::Arc};

use serde::Serialize;

use super::{CallRecord, MediaFigures, Timestamp, TransportName};

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
    /// What was wrong with the last of them, and where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_malformed: Option<String>,
    /// Messages dropped before they were read: over the rate, over a limit, silenced addresses.
    pub messages_dropped: u64,
    pub messages_kept: u64,
    pub transactions: u64,
    pub media_streams: u64,
    pub rtp_packets_in: u64,
    pub rtp_packets_out: u64,
    pub rtp_packets_lost: u64,
    pub rtp_strangers: u64,
    /// Calls that are recorded now, and have been; and recordings that ended by no one's wish.
    pub recordings_active: u64,
    pub recordings_total: u64,
    pub recordings_failed: u64,
    /// Ended calls of which the sound was rated, and the sum of the lowest MOS of each.
    pub calls_rated: u64,
    pub mos_sum: f64,
}

impl Counters {
    /// Adds what one leg's running totals grew by.
    pub fn add_media(&mut self, before: Option<&MediaFigures>, now: &MediaFigures) {
        let grown = |read: fn(&MediaFigures) -> u64| read(now).saturating_sub(before.map_or(0, read));
        self.rtp_packets_in += grown(|f| f.packets_received);
        self.rtp_packets_out += grown(|f| f.packets_sent);
        self.rtp_packets_lost += grown(|f| f.packets_lost);
        self.rtp_strangers += grown(|f| f.strangers);
    }
}
