//! What a speaker plays: all lines that end at it, mixed, in step with its own clock. Called by the device, so it never waits.

use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering},
};

use rtrb::Consumer;

use super::{
    bent::{Bent, CHUNK},
    controls::{Controls, OWN, SOURCES},
    pace::Pace,
};
use crate::media::rate::LINE_RATE;

/// See the module.
pub struct Speaker {
    rate: usize,
    channels: usize,
    /// What the device takes at a time, in samples of the lines.
    period: usize,
    sources: [Option<Source>; SOURCES],
    bent: Bent,
    /// Of the resampler's output, what was not played yet.
    ready: Range<usize>,
    pace: Pace,
    controls: Arc<Controls>,
}

/// One line's ear.
struct Source {
    ring: Consumer<i16>,
    /// Enough was there to begin.
    flows: bool,
    /// Frames since it last flowed.
    dry: usize,
    scratch: Box<[i16]>,
}

impl Speaker {
    /// For a device of `rate` and `channels` that plays what comes by `rings`.
    pub fn new(rate: u32, channels: u16, rings: [Option<Consumer<i16>>; SOURCES], controls: Arc<Controls>) -> Self {
        let mut bent = Bent::to_speaker(rate);
        let most = bent.input().first().map_or(CHUNK, Vec::len);
        let source = |ring| Source { ring, flows: false, dry: usize::MAX, scratch: vec![0; 2 * most].into() };
        Self {
            rate: rate.max(1) as usize,
            channels: usize::from(channels.max(1)),
            period: 0,
            sources: rings.map(|ring| ring.map(source)),
            bent,
            ready: 0..0,
            pace: Pace::new(rate),
            controls,
        }
    }

    /// Fills what the device wants next, frame by frame.
    pub fn fill(&mut self, out: &mut [f32]) {
        self.period = out.len() / self.channels * LINE_RATE as usize / self.rate;
        for frame in out.chunks_mut(self.channels) {
            if self.ready.is_empty() {
                let wanted = self.bent.wanted();
                self.mix(wanted);
                self.ready = 0..self.bent.run();
            }
            let Some(at) = self.ready.next() else {
                frame.fill(0.0);
                continue;
            };
            let (left, right) = match self.bent.output() {
                [left, right, ..] => (left.get(at).copied().unwrap_or(0.0), right.get(at).copied().unwrap_or(0.0)),
                _ => (0.0, 0.0),
            };
            match frame {
                [one] => *one = (left + right) / 2.0,
                [first, second, rest @ ..] => {
                    (*first, *second) = (left, right);
                    rest.fill(0.0);
                }
                [] => {}
            }
        }
        let frames = out.len() / self.channels;
        // Of the lines; the desk's own source fills its ring to the brim.
        let flowing = self.sources.iter().take(OWN).flatten().filter(|source| source.flows);
        if let Some(left) = flowing.map(|source| source.ring.slots() / 2).min()
            && let Some(bend) = self.pace.note(left, frames)
        {
            self.bent.bend(bend.faster);
            for source in self.sources.iter_mut().take(OWN).flatten().filter(|_| bend.drop > 0) {
                source.drop_frames(bend.drop);
            }
        }
    }

    fn mix(&mut self, frames: usize) {
        let [left, right] = self.bent.input() else { return };
        let (Some(left), Some(right)) = (left.get_mut(..frames), right.get_mut(..frames)) else { return };
        left.fill(0.0);
        right.fill(0.0);
        for (place, source) in self.sources.iter_mut().enumerate() {
            let Some(source) = source else { continue };
            // Once the device has taken what it takes, the cushion is to be left.
            let enough = if place == OWN { frames } else { self.period.max(frames) + self.pace.cushion() };
            let (samples, gap) = source.take(frames, enough);
            if gap && place != OWN {
                self.pace.gap();
                self.controls.gaps.fetch_add(1, Ordering::Relaxed);
            }
            let gain = self.controls.gain(place) / FULL_SCALE;
            for ((pair, left), right) in samples.chunks_exact(2).zip(left.iter_mut()).zip(right.iter_mut()) {
                if let [l, r] = pair {
                    *left += f32::from(*l) * gain;
                    *right += f32::from(*r) * gain;
                }
            }
            if let Some(meter) = self.controls.heard.get(place).filter(|_| !samples.is_empty()) {
                meter.note(samples.iter().map(|sample| f32::from(*sample) * gain));
            }
        }
    }
}

impl Source {
    /// Up to `frames` pairs, and whether sound goes on after a gap that should not have been.
    fn take(&mut self, frames: usize, enough: usize) -> (&[i16], bool) {
        let there = self.ring.slots() / 2;
        let mut gap = false;
        if !self.flows {
            self.dry = self.dry.saturating_add(frames);
            if there < enough {
                return (&[], false);
            }
            // A line that pauses is no fault; a hole of milliseconds is.
            gap = self.dry < SHORT;
            self.flows = true;
        }
        let count = there.min(frames);
        if count < frames {
            (self.flows, self.dry) = (false, 0);
        }
        let Some(into) = self.scratch.get_mut(..2 * count) else { return (&[], gap) };
        let taken = self.ring.pop_partial_slice(into).0.len();
        (self.scratch.get(..taken).unwrap_or_default(), gap)
    }

    fn drop_frames(&mut self, frames: usize) {
        let count = 2 * frames.min(self.ring.slots() / 2);
        if let Ok(old) = self.ring.read_chunk(count) {
            old.commit_all();
        }
    }
}

const FULL_SCALE: f32 = 32_768.0;
/// 100 ms.
const SHORT: usize = 4_800;

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::*;

    fn stereo(hz: f32, frames: usize, from: usize) -> Vec<i16> {
        let at = |n: usize| ((n as f32 * hz / 48_000.0 * std::f32::consts::TAU).sin() * 8_000.0) as i16;
        (from..from + frames).flat_map(|n| [at(n), 0]).collect()
    }

    #[test]
    fn a_line_is_heard_at_any_rate_and_in_any_number_of_channels() {
        for (rate, channels) in [(48_000u32, 2u16), (44_100, 2), (96_000, 6), (16_000, 1)] {
            let (mut line, ring) = RingBuffer::new(19_200);
            let controls = Arc::new(Controls::default());
            let mut speaker = Speaker::new(rate, channels, [Some(ring), None, None, None], controls.clone());
            let period = rate as usize / 50;
            let mut heard = Vec::new();
            for n in 0..100 {
                line.push_entire_slice(&stereo(1_000.0, 960, n * 960)).expect("room");
                let mut out = vec![0.0; period * usize::from(channels)];
                speaker.fill(&mut out);
                heard.extend(out.chunks(usize::from(channels)).map(|frame| frame[0]));
            }
            // Crossings of zero: 2,000 a second, whatever the rate.
            let steady = &heard[heard.len() / 2..];
            let crossings = steady.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
            assert!(crossings.abs_diff(2_000) < 12, "{rate} Hz: {crossings}");
            let peak = steady.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
            let expected = 8_000.0 / FULL_SCALE / if channels == 1 { 2.0 } else { 1.0 };
            assert!((peak / expected - 1.0).abs() < 0.05, "{rate} Hz, {channels} channels: {peak}");
            assert_eq!(controls.gaps.load(Ordering::Relaxed), 0);
        }
    }

    #[test]
    fn a_hole_is_counted_and_a_pause_is_not() {
        let (mut line, ring) = RingBuffer::new(19_200);
        let controls = Arc::new(Controls::default());
        let mut speaker = Speaker::new(48_000, 2, [None, Some(ring), None, None], controls.clone());
        let mut out = vec![0.0; 1_920];
        let mut play = |line: &mut rtrb::Producer<i16>, says: bool| {
            if says {
                line.push_entire_slice(&[1_000; 1_920]).expect("room");
            }
            speaker.fill(&mut out);
        };
        for says in [vec![true; 20], vec![false; 3], vec![true; 20]].concat() {
            play(&mut line, says);
        }
        assert_eq!(controls.gaps.load(Ordering::Relaxed), 1);
        for says in [vec![false; 20], vec![true; 20]].concat() {
            play(&mut line, says);
        }
        assert_eq!(controls.gaps.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_volume_is_the_lines_own() {
        let (mut line, ring) = RingBuffer::new(19_200);
        let controls = Arc::new(Controls::default());
        controls.set_volume(2, 0.0);
        let mut speaker = Speaker::new(48_000, 2, [None, None, Some(ring), None], controls.clone());
        let mut out = vec![0.5; 1_920];
        for _ in 0..10 {
            line.push_entire_slice(&[8_000; 1_920]).expect("room");
            speaker.fill(&mut out);
        }
        assert!(out.iter().all(|sample| *sample == 0.0));
    }
}
