//! Both directions of a stream as samples, true to time: a gap on the wire is a gap in the recording.

use std::time::Instant;

use super::codecs::RATE;
use super::command::{Codec, Recording};
use super::relay::samples_between;

/// Where the samples of both directions are laid down.
#[derive(Debug)]
pub struct Tape {
    began: Instant,
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
    /// (timestamp, position): this timestamp belongs at this position since the tape began.
    anchor: Option<(u32, u64)>,
}

impl Tape {
    /// Takes up to `most` seconds.
    pub fn new(now: Instant, most_secs: u32) -> Tape {
        Tape { began: now, received: Track::default(), sent: Track::default(), handed_out: 0, most: most_secs as usize * RATE as usize }
    }

    pub fn note_received(&mut self, now: Instant, timestamp: u32, codec: Codec, payload: &[u8]) {
        let position = u64::from(samples_between(self.began, now));
        self.received.lay(position, self.handed_out, self.most, timestamp, codec, payload);
    }

    pub fn note_sent(&mut self, now: Instant, timestamp: u32, codec: Codec, payload: &[u8]) {
        let position = u64::from(samples_between(self.began, now));
        self.sent.lay(position, self.handed_out, self.most, timestamp, codec, payload);
    }

    /// Both directions, of equal length up to `now`.
    pub fn finish(mut self, now: Instant) -> Recording {
        let length = (samples_between(self.began, now) as usize).min(self.most);
        let length = length.max(self.received.samples.len()).max(self.sent.samples.len());
        self.received.samples.resize(length, 0);
        self.sent.samples.resize(length, 0);
        Recording { received: self.received.samples, sent: self.sent.samples }
    }

    /// The next second of both, once it is old enough for late packets to have come: its first sample's number, received, sent.
    pub fn take_second(&mut self, now: Instant) -> Option<(u64, Vec<i16>, Vec<i16>)> {
        if now < self.next_second() {
            return None;
        }
        let first = self.handed_out;
        self.handed_out += u64::from(RATE);
        Some((first, self.received.take_second(), self.sent.take_second()))
    }

    /// When [`Tape::take_second`] has one.
    pub fn next_second(&self) -> Instant {
        let secs = self.handed_out / u64::from(RATE) + 1;
        self.began + std::time::Duration::from_secs(secs) + std::time::Duration::from_millis(LATE_MS)
    }
}

impl Track {
    fn lay(&mut self, now: u64, handed_out: u64, most: usize, timestamp: u32, codec: Codec, payload: &[u8]) {
        let by_clock = self.anchor.map(|(anchor, position)| {
            let offset = timestamp.wrapping_sub(anchor) as i32;
            position.saturating_add_signed(i64::from(offset))
        });
        // A source that jumped, or whose clock drifted away, is tied anew.
        let position = match by_clock {
            Some(position) if position.abs_diff(now) < RESYNC => position,
            _ => {
                self.anchor = Some((timestamp, now));
                now
            }
        };
        let Some(index) = position.checked_sub(handed_out).and_then(|index| usize::try_from(index).ok()) else {
            return;
        };
        let end = (index + payload.len()).min(most);
        if index >= end {
            return;
        }
        if self.samples.len() < end {
            self.samples.resize(end, 0);
        }
        for (sample, byte) in self.samples[index..end].iter_mut().zip(payload) {
            *sample = codec.law().map_or(0, |law| law.decode(*byte));
        }
    }

    fn take_second(&mut self) -> Vec<i16> {
        let mut second: Vec<i16> = self.samples.drain(..self.samples.len().min(RATE as usize)).collect();
        second.resize(RATE as usize, 0);
        second
    }
}

/// 250 ms between packet clock and ours.
const RESYNC: u64 = 2_000;
const LATE_MS: u64 = 250;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::codecs::Law;

    fn packet(level: i16) -> Vec<u8> {
        vec![Law::Mu.encode(level); 160]
    }

    #[test]
    fn gaps_reordering_and_both_directions_keep_their_time() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut tape = Tape::new(start, 60);
        tape.note_received(at(100), 5_000, Codec::Pcmu, &packet(1_000));
        tape.note_received(at(141), 5_320, Codec::Pcmu, &packet(3_000));
        tape.note_received(at(142), 5_160, Codec::Pcmu, &packet(2_000));
        tape.note_sent(at(500), 9, Codec::Pcma, &[Law::A.encode(4_000); 160]);
        let recording = tape.finish(at(1_000));
        assert_eq!((recording.received.len(), recording.sent.len()), (8_000, 8_000));
        let loud = |samples: &[i16], index: usize| i32::from(samples[index]) / 900;
        assert_eq!([799, 800, 960, 1_120, 1_280].map(|index| loud(&recording.received, index)), [0, 1, 2, 3, 0]);
        assert_eq!([3_999, 4_000, 4_160].map(|index| loud(&recording.sent, index)), [0, 4, 0]);
    }

    #[test]
    fn a_recording_has_an_end() {
        let start = Instant::now();
        let mut tape = Tape::new(start, 1);
        for n in 0..100u32 {
            tape.note_received(start + Duration::from_millis(u64::from(n) * 20), n * 160, Codec::Pcmu, &packet(1_000));
        }
        assert_eq!(tape.finish(start + Duration::from_secs(2)).received.len(), 8_000);
    }

    #[test]
    fn a_tap_hands_out_whole_seconds() {
        let start = Instant::now();
        let mut tape = Tape::new(start, 10);
        assert_eq!(tape.take_second(start + Duration::from_millis(1_200)), None);
        tape.note_received(start, 0, Codec::Pcmu, &packet(1_000));
        tape.note_received(start + Duration::from_millis(1_000), 8_000, Codec::Pcmu, &packet(2_000));
        let (first, received, sent) = tape.take_second(start + Duration::from_millis(1_250)).expect("a second has passed");
        assert_eq!((first, received.len(), sent.len()), (0, 8_000, 8_000));
        assert!(received[0] > 900 && received[200] == 0);
        let (first, received, _) = tape.take_second(start + Duration::from_millis(2_300)).expect("another");
        assert!(first == 8_000 && received[0] > 1_900);
    }
}
