//! What a stream counts.

use super::Stream;
use crate::media::{Codec, StreamFigures};

impl Stream {
    pub fn figures(&self) -> StreamFigures {
        let codec = self.setup.as_ref().map_or(Codec::default(), |setup| setup.codec);
        let millis = |units: u32, clock: u32| units as f32 * 1_000.0 / clock as f32;
        StreamFigures {
            codec,
            packets_sent: self.outgoing.packets,
            bytes_sent: self.outgoing.bytes,
            packets_received: self.reception.packets,
            bytes_received: self.reception.bytes,
            packets_lost: self.reception.lost(),
            packets_reordered: self.reception.reordered,
            packets_duplicated: self.reception.duplicated,
            jitter_ms: millis(self.reception.jitter(), self.heard_clock),
            remote_lost: self.reports.remote_lost.map(i64::from),
            remote_jitter_ms: self.reports.remote_jitter.map(|jitter| millis(jitter, codec.clock_rate())),
            round_trip_ms: self.reports.round_trip.map(|round_trip| round_trip.as_secs_f32() * 1_000.0),
            strangers: self.source.stranger_packets,
            malformed: self.malformed,
            dtmf_received: self.dtmf_received.clone(),
            first_packet_us: self.first_packet_us,
        }
    }
}
