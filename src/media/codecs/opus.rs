//! Opus by libopus: mono at 48,000 samples a second, for speech, with forward error correction in the packets (RFC 7587).

use opus::{Application, Bandwidth, Bitrate, Channels, Signal};

use super::encoder::OpusTerms;
use super::{Codec, MOST_BYTES};

pub struct Encoder {
    inner: opus::Encoder,
    terms: OpusTerms,
    loss_percent: u8,
}

impl Encoder {
    /// None: libopus refuses, which it has no reason to.
    pub fn new(terms: OpusTerms) -> Option<Encoder> {
        let inner = opus::Encoder::new(RATE, Channels::Mono, Application::Voip).ok()?;
        let mut encoder = Encoder { inner, terms, loss_percent: LEAST_LOSS };
        encoder.set();
        Some(encoder)
    }

    pub fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> usize {
        let room = out.len().min(MOST_BYTES);
        self.inner.encode(samples, &mut out[..room]).unwrap_or(0)
    }

    pub fn expect_loss(&mut self, percent: u8) {
        // Changed often, each change would cost more than it brings.
        let percent = percent.clamp(LEAST_LOSS, MOST_LOSS);
        if percent != self.loss_percent {
            self.loss_percent = percent;
            self.set();
        }
    }

    pub fn heed(&mut self, terms: OpusTerms) {
        if terms != self.terms {
            self.terms = terms;
            self.set();
        }
    }

    /// A setting that libopus does not take leaves its own in force: the sound goes on either way.
    fn set(&mut self) {
        let terms = self.terms;
        let bitrate = terms.most_bitrate.map_or(BITRATE, |most| most.clamp(6_000, BITRATE));
        let bandwidth = match terms.most_playback_rate {
            Some(0..=8_000) => Bandwidth::Narrowband,
            Some(8_001..=12_000) => Bandwidth::Mediumband,
            Some(12_001..=16_000) => Bandwidth::Wideband,
            Some(16_001..=24_000) => Bandwidth::Superwideband,
            _ => Bandwidth::Fullband,
        };
        let _ = self.inner.set_bitrate(Bitrate::Bits(bitrate.cast_signed()));
        let _ = self.inner.set_max_bandwidth(bandwidth);
        let _ = self.inner.set_vbr(!terms.constant_bitrate);
        let _ = self.inner.set_inband_fec(terms.fec);
        let _ = self.inner.set_packet_loss_perc(if terms.fec { self.loss_percent.into() } else { 0 });
        let _ = self.inner.set_dtx(terms.dtx);
        let _ = self.inner.set_complexity(COMPLEXITY);
        let _ = self.inner.set_signal(Signal::Voice);
    }
}

pub struct Decoder {
    inner: opus::Decoder,
}

impl Decoder {
    pub fn new() -> Option<Decoder> {
        // Stereo of a peer is mixed down by libopus.
        opus::Decoder::new(RATE, Channels::Mono).ok().map(|inner| Decoder { inner })
    }

    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        // To libopus nothing is a lost packet, not an empty one.
        if payload.is_empty() { 0 } else { self.inner.decode(payload, out, false).unwrap_or(0) }
    }

    pub fn conceal(&mut self, out: &mut [i16]) -> usize {
        self.inner.decode(&[], whole(out), false).unwrap_or(0)
    }

    pub fn fec(&mut self, next: &[u8], out: &mut [i16]) -> usize {
        self.inner.decode(next, whole(out), !next.is_empty()).unwrap_or(0)
    }
}

/// libopus conceals whole steps of 2.5 ms only.
fn whole(out: &mut [i16]) -> &mut [i16] {
    let most = out.len() - out.len() % (RATE as usize / 400);
    &mut out[..most]
}

const RATE: u32 = Codec::Opus.sample_rate();
/// Fullband speech, with room for what repeats the packet before (RFC 7587 §3.1.1 gives 28 to 40 kbit/s).
const BITRATE: u32 = 40_000;
/// Without any expected loss libopus repeats nothing, and the first loss would be heard.
const LEAST_LOSS: u8 = 5;
const MOST_LOSS: u8 = 30;
/// Of 10; the gain above it can't be heard in speech, its cost can be measured.
const COMPLEXITY: i32 = 5;
