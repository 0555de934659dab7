//! Both directions of a stream as samples, true to time: a gap on the wire is a gap in the recording.

use std::time::{Duration, Instant};

use super::between::Between;
use super::codecs::{Codec, MOST_SAMPLES};
use super::command::{Recording, Second};
use super::relay::samples_between;

/// Where the samples of both directions are laid down, all at one rate whatever codecs come and go.
#[derive(Debug)]
pub struct Tape {
    began: Instant,
    rate: u32,
    received: Track,
    sent: Track,
    /// Samples handed out already (a tap); they are gone from the tracks.
    handed_out: u64,
    most: usize,
}

/// One direction: samples laid out by the packet's own clock, tied to ours at its source's first packet.
#[derive(Debug, Default)]
struct Track {
    samples: Vec<i16>,
    anchor: Option<Anchor>,
    /// From another rate than the tape's.
    between: Option<Box<Between>>,
}

/// This timestamp belongs at this position since the tape began.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    codec: Codec,
    timestamp: u32,
    position: u64,
}

/// What the tape says of a packet's place.
#[derive(Debug, Clone, Copy)]
struct Place {
    rate: u32,
    now: u64,
    handed_out: u64,
    most: usize,
}

impl Tape {
    /// Takes up to `most_secs`, at `rate` samples a second.
    pub fn new(now: Instant, rate: u32, most_secs: u32) -> Tape {
        let most = most_secs as usize * rate as usize;
        Tape { began: now, rate, received: Track::default(), sent: Track::default(), handed_out: 0, most }
    }

    /// `timestamp` is in units of the codec's clock, `samples` are at its rate.
    pub fn note_received(&mut self, now: Instant, timestamp: u32, codec: Codec, samples: &[i16]) {
        let place = self.place(now);
        self.received.lay(place, timestamp, codec, samples);
    }

    pub fn note_sent(&mut self, now: Instant, timestamp: u32, codec: Codec, samples: &[i16]) {
        let place = self.place(now);
        self.sent.lay(place, timestamp, codec, samples);
    }

    /// Both directions, of equal length up to `now`.
    pub fn finish(mut self, now: Instant) -> Recording {
        let length = (samples_between(self.began, now, self.rate) as usize).min(self.most);
        let length = length.max(self.received.samples.len()).max(self.sent.samples.len());
        self.received.samples.resize(length, 0);
        self.sent.samples.resize(length, 0);
        Recording { rate: self.rate, received: self.received.samples, sent: self.sent.samples }
    }

    /// The next second of both, once it is old enough for late packets to have come.
    pub fn take_second(&mut self, now: Instant) -> Option<Second> {
        (now >= self.next_second()).then(|| self.take(self.rate as usize))
    }

    /// What was not handed out yet, up to `now`: what reaches further is cut off.
    pub fn take_rest(mut self, now: Instant) -> Second {
        let rest = samples_between(self.began, now, self.rate).saturating_sub(self.handed_out) as usize;
        self.take(rest.min(self.most))
    }

    /// When [`Tape::take_second`] has one.
    pub fn next_second(&self) -> Instant {
        let secs = self.handed_out / u64::from(self.rate) + 1;
        self.began + Duration::from_secs(secs) + Duration::from_millis(LATE_MS)
    }

    fn take(&mut self, length: usize) -> Second {
        let first_sample = self.handed_out;
        self.handed_out += length as u64;
        Second { rate: self.rate, first_sample, received: self.received.take(length), sent: self.sent.take(length) }
    }

    fn place(&self, now: Instant) -> Place {
        Place { rate: self.rate, now: samples_between(self.began, now, self.rate), handed_out: self.handed_out, most: self.most }
    }
}

impl Track {
    fn lay(&mut self, place: Place, timestamp: u32, codec: Codec, samples: &[i16]) {
        let position = self.position(place, timestamp, codec);
        if codec.sample_rate() == place.rate {
            return self.put(place, position, samples);
        }
        let rates = (codec.sample_rate(), place.rate);
        let between = match &mut self.between {
            Some(between) if between.rates() == rates => between,
            slot => slot.insert(Box::new(Between::new(rates.0, rates.1))),
        };
        let mut brought = [0; MOST_SAMPLES];
        let length = between.run(samples, &mut brought);
        self.put(place, position, &brought[..length]);
    }

    fn position(&mut self, place: Place, timestamp: u32, codec: Codec) -> u64 {
        let by_clock = self.anchor.filter(|anchor| anchor.codec == codec).map(|anchor| {
            let units = i64::from(timestamp.wrapping_sub(anchor.timestamp) as i32);
            anchor.position.saturating_add_signed(units * i64::from(place.rate) / i64::from(codec.clock_rate()))
        });
        match by_clock {
            Some(position) if position.abs_diff(place.now) < u64::from(place.rate) * RESYNC_MS / 1_000 => position,
            // A source that jumped, or whose clock drifted away, is tied anew.
            _ => {
                self.anchor = Some(Anchor { codec, timestamp, position: place.now });
                place.now
            }
        }
    }

    fn put(&mut self, place: Place, position: u64, samples: &[i16]) {
        let Some(index) = position.checked_sub(place.handed_out).and_then(|index| usize::try_from(index).ok()) else {
            return;
        };
        let end = (index + samples.len()).min(place.most);
        if index >= end {
            return;
        }
        if self.samples.len() < end {
            self.samples.resize(end, 0);
        }
        self.samples[index..end].copy_from_slice(&samples[..end - index]);
    }

    fn take(&mut self, length: usize) -> Vec<i16> {
        let mut taken: Vec<i16> = self.samples.drain(..self.samples.len().min(length)).collect();
        taken.resize(length, 0);
        taken
    }
}

/// Between packet clock and ours.
const RESYNC_MS: u64 = 250;
const LATE_MS: u64 = 250;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn packet(level: i16) -> Vec<i16> {
        vec![level; 160]
    }

    #[test]
    fn gaps_reordering_and_both_directions_keep_their_time() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut tape = Tape::new(start, 8_000, 60);
        tape.note_received(at(100), 5_000, Codec::Pcmu, &packet(1_000));
        tape.note_received(at(141), 5_320, Codec::Pcmu, &packet(3_000));
        tape.note_received(at(142), 5_160, Codec::Pcmu, &packet(2_000));
        tape.note_sent(at(500), 9, Codec::Pcma, &[4_000; 160]);
        let recording = tape.finish(at(1_000));
        assert_eq!((recording.received.len(), recording.sent.len()), (8_000, 8_000));
        let loud = |samples: &[i16], index: usize| i32::from(samples[index]) / 900;
        assert_eq!([799, 800, 960, 1_120, 1_280].map(|index| loud(&recording.received, index)), [0, 1, 2, 3, 0]);
        assert_eq!([3_999, 4_000, 4_160].map(|index| loud(&recording.sent, index)), [0, 4, 0]);
    }

    #[test]
    fn a_recording_has_an_end() {
        let start = Instant::now();
        let mut tape = Tape::new(start, 8_000, 1);
        for n in 0..100u32 {
            tape.note_received(start + Duration::from_millis(u64::from(n) * 20), n * 160, Codec::Pcmu, &packet(1_000));
        }
        assert_eq!(tape.finish(start + Duration::from_secs(2)).received.len(), 8_000);
    }

    #[test]
    fn a_tap_hands_out_whole_seconds() {
        let start = Instant::now();
        let mut tape = Tape::new(start, 8_000, 10);
        assert_eq!(tape.take_second(start + Duration::from_millis(1_200)), None);
        tape.note_received(start, 0, Codec::Pcmu, &packet(1_000));
        tape.note_received(start + Duration::from_millis(1_000), 8_000, Codec::Pcmu, &packet(2_000));
        let second = tape.take_second(start + Duration::from_millis(1_250)).expect("a second has passed");
        assert_eq!((second.first_sample, second.received.len(), second.sent.len()), (0, 8_000, 8_000));
        assert!(second.received[0] > 900 && second.received[200] == 0);
        let second = tape.take_second(start + Duration::from_millis(2_300)).expect("another");
        assert!(second.first_sample == 8_000 && second.received[0] > 1_900);
        let rest = tape.take_rest(start + Duration::from_millis(2_345));
        assert_eq!((rest.first_sample, rest.received.len()), (16_000, 2_760));
    }

    #[test]
    fn a_change_of_codec_goes_on_at_the_rate_of_the_tape() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut tape = Tape::new(start, 16_000, 60);
        for n in 0..30u32 {
            let now = at(u64::from(n) * 20);
            match n / 10 {
                0 => tape.note_received(now, 5 + n * 160, Codec::G722, &[1_000; 320]),
                1 => tape.note_received(now, n * 960, Codec::Opus, &[2_000; 960]),
                _ => tape.note_received(now, n * 160, Codec::Pcmu, &[3_000; 160]),
            }
        }
        let received = tape.finish(at(600)).received;
        assert_eq!(received.len(), 9_600);
        let levels = [1_600, 4_800, 8_000].map(|index| received[index]);
        assert!(levels.iter().zip([1_000, 2_000, 3_000]).all(|(is, due)| (is - due).abs() < 50), "{levels:?}");
    }
}
