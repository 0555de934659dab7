//! What a stream counts.

use std::time::Instant;

use super::Stream;
use crate::media::{Codec, StreamFigures, quality::Conditions};

impl Stream {
    /// All that is counted. The outline of the sound is handed out with it; `last`: up to this moment.
    pub fn figures(&mut self, now: Instant, last: bool) -> StreamFigures {
        let bars = self.ears.sketch.take(now, last);
        let (received_level, sent_level) = self.ears.sketch.levels();
        let losses = self.reception.loss_pattern();
        let counted = (self.reception.packets, self.reception.lost());
        let (packets, lost) = std::mem::replace(&mut self.measured, counted);
        let (packets, lost) = (counted.0 - packets, counted.1.saturating_sub(lost));
        let delay_ms = self.received_delay_ms();
        let received_now = (packets > 0).then(|| {
            let loss_percent = percent(lost, packets + lost);
            Conditions { loss_percent, burst_ratio: losses.burst_ratio, delay_ms }
        });
        let codec = self.codec();
        StreamFigures {
            codec,
            packets_sent: self.outgoing.packets,
            bytes_sent: self.outgoing.bytes,
            packets_received: self.reception.packets,
            bytes_received: self.reception.bytes,
            packets_lost: self.reception.lost(),
            packets_reordered: self.reception.reordered,
            packets_duplicated: self.reception.duplicated,
            jitter_ms: self.heard_jitter(),
            remote_lost: self.reports.remote_lost.map(i64::from),
            remote_jitter_ms: self.reports.remote_jitter.map(|jitter| millis(jitter, codec.clock_rate())),
            round_trip_ms: self.reports.round_trip.map(|round_trip| round_trip.as_secs_f32() * 1_000.0),
            strangers: self.source.stranger_packets,
            foreign: self.foreign,
            dtmf_received: self.dtmf_received.clone(),
            first_packet_us: self.first_packet_us,
            received: self.received_conditions(losses.burst_ratio),
            sent: self.sent_conditions(),
            received_now,
            sent_now: self.sent_now(),
            losses,
            packet_ms: self.packet_ms(),
            drift_ppm: self.reception.drift().filter(|(_, span)| *span >= 60 * self.heard_clock).map(|(ppm, _)| ppm),
            received_level,
            sent_level,
            bars,
        }
    }

    /// What of the peer's sound comes here.
    fn received_conditions(&self, burst_ratio: f32) -> Option<Conditions> {
        let expected = self.reception.packets + self.reception.lost();
        (self.reception.packets > 0).then(|| {
            let loss_percent = percent(self.reception.lost(), expected);
            Conditions { loss_percent, burst_ratio, delay_ms: self.received_delay_ms() }
        })
    }

    /// What of ours comes to the peer, by its own reports. They say nothing of bursts.
    fn sent_conditions(&self) -> Option<Conditions> {
        let (lost, jitter) = (self.reports.remote_lost?, self.reports.remote_jitter?);
        let loss_percent = percent(u64::try_from(lost).unwrap_or(0), self.outgoing.packets);
        let delay_ms = self.delay_ms(2.0 * millis(jitter, self.codec().clock_rate()));
        Some(Conditions { loss_percent, burst_ratio: 1.0, delay_ms })
    }

    /// The same by the last report alone.
    fn sent_now(&self) -> Option<Conditions> {
        let (fraction, jitter) = (self.reports.remote_fraction?, self.reports.remote_jitter?);
        let loss_percent = f32::from(fraction) * 100.0 / 256.0;
        let delay_ms = self.delay_ms(2.0 * millis(jitter, self.codec().clock_rate()));
        Some(Conditions { loss_percent, burst_ratio: 1.0, delay_ms })
    }

    /// Where a person hears the stream here, with the delay of that buffer; elsewhere a buffer is about twice the jitter.
    fn received_delay_ms(&self) -> f32 {
        self.delay_ms(self.people.delay_ms().unwrap_or(2.0 * self.heard_jitter()))
    }

    /// From one end to the other: half the round trip, the packet that has to be full before it leaves, and the listener's buffer.
    fn delay_ms(&self, buffer_ms: f32) -> f32 {
        let way = self.reports.round_trip.map_or(0.0, |round_trip| round_trip.as_secs_f32() * 500.0);
        way + f32::from(self.packet_ms()) + buffer_ms
    }

    fn heard_jitter(&self) -> f32 {
        millis(self.reception.jitter(), self.heard_clock)
    }

    fn codec(&self) -> Codec {
        self.setup.as_ref().map_or(Codec::default(), |setup| setup.codec)
    }
}

fn millis(units: u32, clock: u32) -> f32 {
    units as f32 * 1_000.0 / clock.max(1) as f32
}

fn percent(part: u64, of: u64) -> f32 {
    if of == 0 { 0.0 } else { (100.0 * part as f64 / of as f64).min(100.0) as f32 }
}
