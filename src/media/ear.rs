//! One direction of live sound, from packets as they come to samples as they are wanted: ordered, decoded, concealed, and kept
//! in step with a clock that is not the sender's. It allocates once.

use std::time::Instant;

use super::codecs::Decoder;
use super::conceal::Concealer;
use super::jitter_buffer::{Counts, JitterBuffer, Next, Pushed};
use super::rtp::Header;
use super::stretch;

/// What makes samples of packets.
pub trait Decode {
    /// Samples a second that come out.
    fn sample_rate(&self) -> u32;

    /// The samples written; 0: it is no packet of this codec.
    fn decode(&mut self, pt: u8, payload: &[u8], into: &mut [i16]) -> usize;

    /// The packet before this one, from what this one says of it (in-band FEC). 0: it says nothing.
    fn recover(&mut self, _pt: u8, _next: &[u8], _into: &mut [i16]) -> usize {
        0
    }

    /// What the codec itself makes up for a missing packet. 0: it has no means.
    fn conceal(&mut self, _into: &mut [i16]) -> usize {
        0
    }
}

impl Decode for Decoder {
    fn sample_rate(&self) -> u32 {
        self.codec().sample_rate()
    }

    fn decode(&mut self, _pt: u8, payload: &[u8], into: &mut [i16]) -> usize {
        Decoder::decode(self, payload, into)
    }

    fn recover(&mut self, _pt: u8, next: &[u8], into: &mut [i16]) -> usize {
        self.fec(next, into)
    }

    fn conceal(&mut self, into: &mut [i16]) -> usize {
        Decoder::conceal(self, into)
    }
}

/// What was heard and how, in the ear's own words.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct EarFigures {
    pub packets: Counts,
    /// From the earliest that a packet could be heard to when it was.
    pub delay_ms: f32,
    /// What the network's unevenness asks for.
    pub target_ms: f32,
    /// Sound made up, pauses of the source among it.
    pub concealed_ms: u64,
    /// Sound left out and said twice, to keep the delay.
    pub shortened_ms: u64,
    pub lengthened_ms: u64,
}

#[derive(Debug)]
pub struct Ear {
    /// Units of the RTP clock, and samples, in a second.
    clock_rate: u32,
    sample_rate: u32,
    buffer: JitterBuffer,
    concealer: Concealer,
    /// Decoded and not handed out: `ready` from `from` on.
    samples: Box<[i16]>,
    ready: std::ops::Range<usize>,
    /// Of one packet.
    work: Box<[i16]>,
    /// Samples asked for at a time.
    step: u32,
    /// Samples handed out since sound was last shortened or lengthened.
    since_change: u32,
    /// Samples made up, left out and said twice.
    concealed: u64,
    shortened: u64,
    lengthened: u64,
}

impl Ear {
    /// `clock_rate`: of the codec's RTP clock; `sample_rate`: of its samples (they differ for G.722).
    pub fn new(clock_rate: u32, sample_rate: u32) -> Ear {
        let room = sample_rate as usize * MOST_PACKET_MS / 1_000;
        Ear {
            clock_rate: clock_rate.max(8_000),
            sample_rate: sample_rate.max(8_000),
            buffer: JitterBuffer::new(clock_rate.max(8_000)),
            concealer: Concealer::new(sample_rate),
            samples: vec![0; room + room / 2].into(),
            ready: 0..0,
            work: vec![0; room + room / 2].into(),
            step: 0,
            since_change: 0,
            concealed: 0,
            shortened: 0,
            lengthened: 0,
        }
    }

    /// A packet of sound, as it arrives.
    pub fn push(&mut self, now: Instant, header: &Header, payload: &[u8]) -> Pushed {
        self.buffer.push(now, header, payload)
    }

    /// A telephone-event: no sound is missing for it.
    pub fn push_event(&mut self, now: Instant, header: &Header) {
        self.buffer.push_event(now, header);
    }

    /// Fills `out` with what is to be heard from `now` on: `now` is the tick's own time, however late it is looked after.
    pub fn pull(&mut self, now: Instant, decoder: &mut impl Decode, out: &mut [i16]) {
        self.step = out.len() as u32;
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            if self.ready.is_empty() {
                self.refill(now, decoder, rest.len());
            }
            let ready = self.samples.get(self.ready.clone()).unwrap_or_default();
            let count = ready.len().min(rest.len());
            if count == 0 {
                rest.fill(0);
                return;
            }
            rest[..count].copy_from_slice(&ready[..count]);
            self.ready.start += count;
            filled += count;
        }
        self.since_change = self.since_change.saturating_add(filled as u32);
    }

    pub fn figures(&self) -> EarFigures {
        let millis = |units: u32| units as f32 * 1_000.0 / self.clock_rate as f32;
        let of_samples = |samples: u64| samples * 1_000 / u64::from(self.sample_rate);
        EarFigures {
            packets: self.buffer.counts(),
            delay_ms: millis(self.buffer.delay()),
            target_ms: millis(self.buffer.target()),
            concealed_ms: of_samples(self.concealed),
            shortened_ms: of_samples(self.shortened),
            lengthened_ms: of_samples(self.lengthened),
        }
    }

    /// Brings the next packet's samples, or as many made up, into `samples`.
    fn refill(&mut self, now: Instant, decoder: &mut impl Decode, wanted: usize) {
        let room = self.work.len() * 2 / 3;
        let work = &mut self.work[..room];
        let (length, made_up) = match self.buffer.next(now) {
            Next::Sound { pt, payload } => (decoder.decode(pt, payload, work).min(room), None),
            Next::Missing { units, next, .. } => {
                let length = units.map_or(wanted, |units| scaled(units, self.sample_rate, self.clock_rate)).clamp(1, room);
                let work = &mut work[..length];
                let known = next.map_or(0, |(pt, next)| decoder.recover(pt, next, work)).min(length);
                (length, Some(known))
            }
        };
        match made_up {
            None if length > 0 => {
                self.buffer.played(scaled(length as u32, self.clock_rate, self.sample_rate) as u32);
                self.concealer.good(&mut self.work[..length]);
                let length = self.in_step(length);
                self.hand_over(length);
            }
            // Unreadable: as if it had not come.
            None => self.make_up(decoder, 0, wanted.min(room)),
            Some(known) => self.make_up(decoder, known, length),
        }
    }

    /// Makes up what is not known of the first `length` samples.
    fn make_up(&mut self, decoder: &mut impl Decode, known: usize, length: usize) {
        let (there, missing) = self.work[..length].split_at_mut(known);
        self.concealer.good(there);
        self.concealed += missing.len() as u64;
        let by_codec = decoder.conceal(missing).min(missing.len());
        let (made, rest) = missing.split_at_mut(by_codec);
        self.concealer.good(made);
        if !rest.is_empty() {
            self.concealer.conceal(rest);
        }
        self.hand_over(length);
    }

    /// Shortens or lengthens what was decoded where it is heard too late or too early.
    fn in_step(&mut self, length: usize) -> usize {
        let ms = self.sample_rate / 1_000;
        let excess = self.buffer.excess() * i64::from(self.sample_rate) / i64::from(self.clock_rate);
        let (late, early) = (excess.max(0) as u32, (-excess).max(0) as u32);
        let quiet = stretch::is_quiet(&self.work[..length]);
        let rested = quiet || self.since_change > REST_MS * ms || early > FAR_MS * ms;
        let force = self.since_change > 5 * REST_MS * ms;
        // Samples are asked for in steps, and how late a packet is heard is uneven by one of them.
        let changed = if rested && late > self.step + SLACK_MS * ms {
            stretch::shorten(&mut self.work, length, self.sample_rate, late as usize, force)
        } else if rested && early > 0 {
            stretch::lengthen(&mut self.work, length, self.sample_rate, (early + 5 * ms) as usize, force)
        } else {
            length
        };
        if changed != length {
            self.since_change = 0;
        }
        self.shortened += length.saturating_sub(changed) as u64;
        self.lengthened += changed.saturating_sub(length) as u64;
        changed
    }

    fn hand_over(&mut self, length: usize) {
        self.ready = 0..length.min(self.samples.len());
        self.samples[self.ready.clone()].copy_from_slice(&self.work[..self.ready.end]);
    }
}

fn scaled(count: u32, to: u32, from: u32) -> usize {
    (u64::from(count) * u64::from(to) / u64::from(from)) as usize
}

/// What one packet may hold.
const MOST_PACKET_MS: usize = 120;
/// Between one change of length and the next, where sound is to be heard.
const REST_MS: u32 = 100;
const SLACK_MS: u32 = 2;
const FAR_MS: u32 = 40;

#[cfg(test)]
mod tests;
