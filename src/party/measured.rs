//! The media plane's figures in the words that people see.

use crate::{
    media::{
        StreamFigures,
        quality::{Conditions, LossPattern},
        sketch::{Bars, Level},
    },
    model::{LossBursts, MediaFigures, SoundHeard, SoundLevel, SoundMoment, SoundQuality},
};

/// One stream's totals.
pub fn measured(f: &StreamFigures) -> MediaFigures {
    let Bars { first, count, received, sent } = f.bars;
    MediaFigures {
        codec: f.codec.name().to_owned(),
        packets_sent: f.packets_sent,
        bytes_sent: f.bytes_sent,
        packets_received: f.packets_received,
        bytes_received: f.bytes_received,
        packets_lost: f.packets_lost,
        packets_reordered: f.packets_reordered,
        packets_duplicated: f.packets_duplicated,
        jitter_ms: f.jitter_ms,
        remote_lost: f.remote_lost,
        remote_jitter_ms: f.remote_jitter_ms,
        round_trip_ms: f.round_trip_ms,
        strangers: f.strangers,
        stun: f.foreign.stun,
        dtls: f.foreign.dtls,
        malformed: f.foreign.malformed,
        dtmf_received: f.dtmf_received.clone(),
        first_packet_us: f.first_packet_us,
        received_quality: f.received.map(rated),
        sent_quality: f.sent.map(rated),
        loss_bursts: (f.packets_lost > 0).then(|| bursts(&f.losses, f.packet_ms)),
        drift_ppm: f.drift_ppm.map(|ppm| ppm.round()),
        received_level: level(&f.received_level),
        sent_level: level(&f.sent_level),
        moment: SoundMoment {
            first_bar: first as u32,
            bars: count,
            received_bars: received,
            sent_bars: sent,
            received: f.received_now.map(|now| heard(now, f.jitter_ms)),
            sent: f.sent_now.map(|now| heard(now, f.remote_jitter_ms.unwrap_or(0.0))),
        },
    }
}

fn rated(suffered: Conditions) -> SoundQuality {
    SoundQuality::rated(suffered.loss_percent, suffered.burst_ratio, suffered.delay_ms)
}

fn heard(now: Conditions, jitter_ms: f32) -> SoundHeard {
    let SoundQuality { loss_percent, delay_ms, mos, .. } = rated(now);
    SoundHeard { loss_percent, jitter_ms, delay_ms, mos }
}

fn bursts(losses: &LossPattern, packet_ms: u16) -> LossBursts {
    LossBursts {
        bursts: losses.bursts,
        burst_density_percent: hundredths(losses.burst_density),
        burst_ms: (losses.burst_packets * f32::from(packet_ms)).round(),
        gap_density_percent: hundredths(losses.gap_density),
        gap_ms: (losses.gap_packets * f32::from(packet_ms)).round(),
    }
}

/// `None` where nothing was measured.
fn level(l: &Level) -> Option<SoundLevel> {
    let peak_dbfs = (l.loudest > 0).then(|| ((f32::from(l.loudest) / 255.0).log10() * 200.0).round() / 10.0);
    let level = SoundLevel { measured_ms: l.measured_ms, heard_ms: l.heard_ms, clipped_ms: l.clipped_ms, peak_dbfs };
    (l.measured_ms > 0).then_some(level)
}

fn hundredths(figure: f32) -> f32 {
    (figure * 100.0).round() / 100.0
}
