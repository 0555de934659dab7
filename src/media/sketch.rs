//! The outline of a call's sound: how loud each tenth of a second was in each direction, read from every seventh sample.

use std::time::Instant;

use super::codecs::Law;
use super::plane::Way;

/// Both directions, the bars that were not handed out yet, and what was heard in all.
#[derive(Debug, Default)]
pub struct Sketch {
    began: Option<Instant>,
    /// The tenth under way, and the first that was not handed out.
    tenth: u64,
    handed_out: u64,
    received: Direction,
    sent: Direction,
}

#[derive(Debug, Default)]
struct Direction {
    bars: [u8; KEPT],
    /// What was measured at all, in tenths; of these, louder than noise, and at the limit.
    measured: u64,
    heard: u64,
    clipped: u64,
    loudest: u8,
    /// The tenth under way has been counted as measured.
    counted: bool,
}

/// The peaks of some tenths of a second, of 255, the last of them the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bars {
    /// The first one's number, counted from where the stream's sound begins: they follow each other, whenever they are told.
    pub first: u64,
    pub count: u8,
    pub received: [u8; KEPT],
    pub sent: [u8; KEPT],
}

/// How loud one direction was. Only sound that passed through here as samples or G.711 is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    pub measured_ms: u64,
    /// Louder than −40 dBFS.
    pub heard_ms: u64,
    /// At the limit, where sound is cut off.
    pub clipped_ms: u64,
    /// 255 is full scale.
    pub loudest: u8,
}

impl Sketch {
    /// A packet of G.711 that went by.
    pub fn note(&mut self, now: Instant, way: Way, law: Law, payload: &[u8]) {
        self.note_peak(now, way, peak_of(law, payload));
    }

    /// Samples that went by, of a codec that had to be decoded anyway.
    pub fn note_samples(&mut self, now: Instant, way: Way, samples: &[i16]) {
        self.note_peak(now, way, peak(samples.iter().step_by(STEP).copied()));
    }

    fn note_peak(&mut self, now: Instant, way: Way, peak: u8) {
        self.turn(now);
        let direction = match way {
            Way::Received => &mut self.received,
            Way::Sent => &mut self.sent,
        };
        direction.note(self.tenth, peak);
    }

    /// The bars since the last time, at most [`KEPT`]; `last`: with the tenth under way.
    pub fn take(&mut self, now: Instant, last: bool) -> Bars {
        if self.began.is_none() {
            return Bars::default();
        }
        self.turn(now);
        let until = self.tenth + u64::from(last);
        let from = self.handed_out.max(until.saturating_sub(KEPT as u64));
        self.handed_out = until;
        let mut bars = Bars { first: from, count: (until - from) as u8, ..Bars::default() };
        for (n, tenth) in (from..until).enumerate() {
            let place = tenth as usize % KEPT;
            (bars.received[n], bars.sent[n]) = (self.received.bars[place], self.sent.bars[place]);
        }
        bars
    }

    /// What was received and what was sent.
    pub fn levels(&self) -> (Level, Level) {
        (self.received.level(), self.sent.level())
    }

    /// Brings the tenth under way up to now.
    fn turn(&mut self, now: Instant) {
        let since = now.saturating_duration_since(*self.began.get_or_insert(now));
        let tenth = since.as_secs() * 10 + u64::from(since.subsec_millis() / 100);
        if tenth <= self.tenth {
            return;
        }
        for passed in (self.tenth + 1..=tenth).rev().take(KEPT) {
            let place = passed as usize % KEPT;
            (self.received.bars[place], self.sent.bars[place]) = (0, 0);
        }
        self.tenth = tenth;
        (self.received.counted, self.sent.counted) = (false, false);
    }
}

impl Direction {
    fn note(&mut self, tenth: u64, peak: u8) {
        let bar = &mut self.bars[tenth as usize % KEPT];
        let before = *bar;
        *bar = before.max(peak);
        self.measured += u64::from(!std::mem::replace(&mut self.counted, true));
        self.heard += u64::from(before <= NOISE && peak > NOISE);
        self.clipped += u64::from(before < LIMIT && peak >= LIMIT);
        self.loudest = self.loudest.max(peak);
    }

    fn level(&self) -> Level {
        Level { measured_ms: self.measured * 100, heard_ms: self.heard * 100, clipped_ms: self.clipped * 100, loudest: self.loudest }
    }
}

fn peak_of(law: Law, payload: &[u8]) -> u8 {
    let table = law.table();
    peak(payload.iter().step_by(STEP).map(|byte| table[usize::from(*byte)]))
}

fn peak(samples: impl Iterator<Item = i16>) -> u8 {
    (samples.map(i16::unsigned_abs).max().unwrap_or(0) >> 7).min(255) as u8
}

/// Two seconds: bars are taken each second.
pub const KEPT: usize = 20;
/// No divisor of a usual test tone's period: at every eighth sample of 8,000 a second, 1,000 Hz may always be found at nought.
const STEP: usize = 7;
/// −40 dBFS.
const NOISE: u8 = 2;
/// The loudest steps of µ-law (32,124) and A-law (32,256) are 250 and 252; −0.2 dBFS.
const LIMIT: u8 = 249;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn packet(level: i16) -> Vec<u8> {
        vec![Law::Mu.encode(level); 160]
    }

    #[test]
    fn a_bar_is_the_peak_of_its_tenth() {
        let start = Instant::now();
        let mut sketch = Sketch::default();
        assert_eq!(sketch.take(start, false), Bars::default());
        for n in 0..50u64 {
            let now = start + Duration::from_millis(n * 20);
            sketch.note(now, Way::Received, Law::Mu, &packet(if n < 25 { 0 } else { 16_000 }));
            sketch.note(now, Way::Sent, Law::Mu, &packet(if n % 5 == 4 { -32_000 } else { 8_000 }));
        }
        let bars = sketch.take(start + Duration::from_millis(1_000), false);
        assert_eq!(bars.count, 10);
        assert_eq!(bars.received[..10], [0, 0, 0, 0, 0, 124, 124, 124, 124, 124]);
        assert!(bars.sent[..10].iter().all(|bar| *bar >= 249));
        let (received, sent) = sketch.levels();
        assert_eq!((received.measured_ms, received.heard_ms, received.clipped_ms), (1_000, 500, 0));
        assert_eq!((sent.heard_ms, sent.clipped_ms), (1_000, 1_000));
    }

    #[test]
    fn a_test_tone_is_seen_whatever_its_phase() {
        let start = Instant::now();
        for hz in [400.0, 425.0, 440.0, 480.0, 500.0, 800.0, 1_000.0, 1_004.0, 1_400.0, 2_000.0, 2_600.0, 3_000.0] {
            for eighth in 0..8 {
                let phase = f64::from(eighth) * std::f64::consts::TAU / 8.0;
                let sample = |n: u32| (16_000.0 * (std::f64::consts::TAU * hz * f64::from(n) / 8_000.0 + phase).sin()) as i16;
                let mut sketch = Sketch::default();
                let mut loudest = 0;
                for packet in 0..5 {
                    let samples: Vec<i16> = (packet * 160..(packet + 1) * 160).map(sample).collect();
                    sketch.note_samples(start + Duration::from_millis(u64::from(packet) * 20), Way::Received, &samples);
                    loudest = loudest.max(peak(samples.into_iter()));
                }
                let bar = sketch.take(start + Duration::from_millis(80), true).received[0];
                assert!(bar + 8 >= loudest, "{hz} Hz, phase {eighth}/8: {bar} of {loudest}");
            }
        }
    }

    #[test]
    fn what_nobody_took_in_time_is_gone_and_a_pause_is_silent() {
        let start = Instant::now();
        let mut sketch = Sketch::default();
        sketch.note(start, Way::Received, Law::A, &[Law::A.encode(16_000); 160]);
        sketch.note(start + Duration::from_secs(60), Way::Received, Law::A, &[Law::A.encode(16_000); 160]);
        let bars = sketch.take(start + Duration::from_secs(60), true);
        assert_eq!((bars.count as usize, bars.received[..KEPT - 1].iter().max(), bars.received[KEPT - 1]), (KEPT, Some(&0), 126));
        let next = sketch.take(start + Duration::from_secs(61), false);
        assert_eq!((bars.first, next.first, next.count), (581, 601, 9));
    }
}
