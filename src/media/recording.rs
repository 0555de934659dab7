//! Both directions of a stream as samples, true to time: a gap on the wire is a gap in the recording.

use std::time::{Duration, Instant};

use super::between::Between;
use super::codecs::{Codec, MOST_SAMPLES};
use super::command::{Recording, Second};
use super::plane::Way;
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

/// One direction: samples laid out by the packet's own clock, tied to ours at its source's first packet and kept in step from then on:
/// another clock drifts away, and the first packet may have been a late one.
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
    stretch: Stretch,
    /// Samples by which the place is still to be moved, later or earlier.
    owed: i64,
    /// When the last packet came; and until when whatever comes early moves the place at once, for nothing was settled yet.
    last: u64,
    settles_until: u64,
}

/// A second or more of packets: by how many samples the least late of them came later than its place says.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    ends: u64,
    packets: u32,
    least_late: i64,
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
    pub fn note(&mut self, now: Instant, way: Way, timestamp: u32, codec: Codec, samples: &[i16]) {
        let place = self.place(now);
        let track = match way {
            Way::Received => &mut self.received,
            Way::Sent => &mut self.sent,
        };
        track.lay(place, timestamp, codec, samples);
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
        let known = self.anchor.as_mut().filter(|anchor| anchor.codec == codec);
        match known.and_then(|anchor| anchor.place_of(place, timestamp)) {
            Some(position) => position,
            // A source that jumped is tied anew.
            None => {
                self.anchor = Some(Anchor::new(place, timestamp, codec));
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
        // Where the place was moved, the last sample is held: a zero would click.
        let moved = index.checked_sub(self.samples.len()).is_some_and(|gap| gap <= place.step());
        if let Some(last) = self.samples.last().copied().filter(|_| moved) {
            self.samples.resize(index, last);
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

impl Anchor {
    fn new(place: Place, timestamp: u32, codec: Codec) -> Anchor {
        let settles_until = place.now + place.samples_of(SETTLE_MS);
        Anchor { codec, timestamp, position: place.now, stretch: Stretch::new(place), owed: 0, last: place.now, settles_until }
    }

    /// Where a packet belongs; none: that is too far from now to be believed.
    fn place_of(&mut self, place: Place, timestamp: u32) -> Option<u64> {
        let units = i64::from(timestamp.wrapping_sub(self.timestamp) as i32);
        let position = self.position.checked_add_signed(units * i64::from(place.rate) / i64::from(self.codec.clock_rate()))?;
        let late = place.now.cast_signed() - position.cast_signed();
        if late.unsigned_abs() >= place.samples_of(RESYNC_MS) {
            return None;
        }
        // The first packet after a pause may have been a late one; nobody hears it moved.
        if place.now.saturating_sub(self.last) > place.samples_of(PAUSE_MS) {
            self.settles_until = place.now + place.samples_of(SETTLE_MS);
        }
        self.last = place.now;
        if late < 0 && place.now < self.settles_until {
            self.position = self.position.checked_add_signed(late)?;
            self.owed = 0;
            self.stretch = Stretch::new(place);
            return Some(place.now);
        }
        // Jitter makes packets late and never early: the least late one tells the clocks.
        self.stretch.least_late = self.stretch.least_late.min(late);
        self.stretch.packets += 1;
        if place.now >= self.stretch.ends && self.stretch.packets >= LEAST_PACKETS {
            let off = self.stretch.least_late;
            if off.unsigned_abs() > place.samples_of(TOLERANCE_MS) {
                self.owed = off;
            }
            self.stretch = Stretch::new(place);
        }
        let most = place.step() as i64;
        let step = self.owed.clamp(-most, most);
        self.owed -= step;
        self.stretch.least_late = self.stretch.least_late.saturating_sub(step);
        self.position = self.position.checked_add_signed(step)?;
        position.checked_add_signed(step)
    }
}

impl Stretch {
    fn new(place: Place) -> Stretch {
        Stretch { ends: place.now + place.samples_of(STRETCH_MS), packets: 0, least_late: i64::MAX }
    }
}

impl Place {
    /// So many samples is a place moved at once, a quarter of a millisecond: too few to be heard.
    fn step(self) -> usize {
        self.rate as usize / 4_000
    }

    fn samples_of(self, ms: u64) -> u64 {
        u64::from(self.rate) * ms / 1_000
    }
}

/// Between packet clock and ours.
const RESYNC_MS: u64 = 250;
/// Long enough for a packet among them that was not held up.
const STRETCH_MS: u64 = 1_000;
const LEAST_PACKETS: u32 = 25;
/// So far may a place be off: the least late packet of a second is itself late by a millisecond or two, and following it would
/// move the phase of a tone each second.
const TOLERANCE_MS: u64 = 5;
const PAUSE_MS: u64 = 200;
/// Some packets after the first; more would be moved over what was said before.
const SETTLE_MS: u64 = 100;
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
        tape.note(at(100), Way::Received, 5_000, Codec::Pcmu, &packet(1_000));
        tape.note(at(141), Way::Received, 5_320, Codec::Pcmu, &packet(3_000));
        tape.note(at(142), Way::Received, 5_160, Codec::Pcmu, &packet(2_000));
        tape.note(at(500), Way::Sent, 9, Codec::Pcma, &[4_000; 160]);
        let recording = tape.finish(at(1_000));
        assert_eq!((recording.received.len(), recording.sent.len()), (8_000, 8_000));
        let loud = |samples: &[i16], index: usize| i32::from(samples[index]) / 900;
        assert_eq!([799, 800, 960, 1_120, 1_280].map(|index| loud(&recording.received, index)), [0, 1, 2, 3, 0]);
        assert_eq!([3_999, 4_000, 4_160].map(|index| loud(&recording.sent, index)), [0, 4, 0]);
    }

    /// An hour, with a clock that is fast or slow by 200 millionths and a first packet that came 60 ms late.
    #[test]
    fn another_clock_and_a_late_first_packet_do_not_move_what_is_said() {
        for slow in [-0.000_2, 0.000_2] {
            let start = Instant::now();
            let mut tape = Tape::new(start, 8_000, 5);
            let (mut taken, mut clicks) = (0, Vec::<f64>::new());
            for n in 0..180_000u32 {
                // By our clock: when it was said, and when it came.
                let said = f64::from(n) * 0.02 * (1.0 + slow);
                let late = if n == 0 { 0.06 } else { f64::from(n % 7) * 0.004 };
                let now = start + Duration::from_secs_f64(said + late);
                // Every ten minutes, and in the tenth second, a packet of sound.
                let level = if n == 500 || n % 30_000 == 29_999 { 9_000 } else { 0 };
                tape.note(now, Way::Received, n.wrapping_mul(160), Codec::Pcmu, &packet(level));
                while let Some(second) = tape.take_second(now) {
                    let loud = second.received.iter().position(|sample| *sample > 4_000);
                    let at = loud.map(|at| (taken + at) as f64 / 8_000.0);
                    // One packet may lie in two of the seconds.
                    clicks.extend(at.filter(|at| clicks.last().is_none_or(|last| at - last > 1.0)));
                    taken += second.received.len();
                }
            }
            let due = [500, 29_999, 59_999, 89_999, 119_999, 149_999].map(|n| f64::from(n) * 0.02 * (1.0 + slow));
            assert_eq!(clicks.len(), due.len(), "{clicks:?}");
            for (found, due) in clicks.iter().zip(due) {
                assert!((-0.006..=0.010).contains(&(found - due)), "{found} s, said at {due} s");
            }
        }
    }

    #[test]
    fn packets_that_are_late_by_little_lie_without_a_seam() {
        let start = Instant::now();
        let mut tape = Tape::new(start, 8_000, 60);
        let wave: Vec<i16> = (1..=24_000).collect();
        for (n, packet) in (0..).zip(wave.chunks_exact(160)) {
            let late_ms = u64::from(n * 7 % 5) * u64::from(n / 40 % 2);
            tape.note(start + Duration::from_millis(u64::from(n) * 20 + 1 + late_ms), Way::Received, n * 160, Codec::Pcmu, packet);
        }
        let received = tape.finish(start + Duration::from_secs(4)).received;
        let first = received.iter().position(|sample| *sample > 0).expect("sound");
        assert_eq!(received[first..first + wave.len()], wave);
    }

    #[test]
    fn a_recording_has_an_end() {
        let start = Instant::now();
        let mut tape = Tape::new(start, 8_000, 1);
        for n in 0..100u32 {
            tape.note(start + Duration::from_millis(u64::from(n) * 20), Way::Received, n * 160, Codec::Pcmu, &packet(1_000));
        }
        assert_eq!(tape.finish(start + Duration::from_secs(2)).received.len(), 8_000);
    }

    #[test]
    fn a_tap_hands_out_whole_seconds() {
        let start = Instant::now();
        let mut tape = Tape::new(start, 8_000, 10);
        assert_eq!(tape.take_second(start + Duration::from_millis(1_200)), None);
        tape.note(start, Way::Received, 0, Codec::Pcmu, &packet(1_000));
        tape.note(start + Duration::from_millis(1_000), Way::Received, 8_000, Codec::Pcmu, &packet(2_000));
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
                0 => tape.note(now, Way::Received, 5 + n * 160, Codec::G722, &[1_000; 320]),
                1 => tape.note(now, Way::Received, n * 960, Codec::Opus, &[2_000; 960]),
                _ => tape.note(now, Way::Received, n * 160, Codec::Pcmu, &[3_000; 160]),
            }
        }
        let received = tape.finish(at(600)).received;
        assert_eq!(received.len(), 9_600);
        let levels = [1_600, 4_800, 8_000].map(|index| received[index]);
        assert!(levels.iter().zip([1_000, 2_000, 3_000]).all(|(is, due)| (is - due).abs() < 50), "{levels:?}");
    }
}
