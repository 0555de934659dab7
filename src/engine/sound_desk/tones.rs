//! What the desk says itself, to the person at the machine: ringback, busy, keys, a ring, the test tone.

use crate::{
    media::rate::LINE_RATE,
    model::{CallRecord, CallState, LegRecord},
};

/// A sound of the desk's own. Cadences and frequencies after ITU-T E.180 and E.182, keys after Q.23.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tone {
    /// The far end rings: 425 Hz, 1 s on, 4 s off.
    Ringback,
    /// The far end refused: 425 Hz, half a second on and off, six times.
    Busy,
    /// A key was pressed: its two frequencies for 120 ms.
    Key(char),
    /// A call waits for the person here, until stopped.
    Ring,
    /// Two seconds of a rising tone, to find the speaker by.
    Test,
}

/// Whether a call that was placed here rings at the far side, which says nothing itself: then the caller hears [`Tone::Ringback`].
pub fn rings_silently(record: &CallRecord) -> bool {
    let hears = |leg: &LegRecord| leg.media.as_ref().is_some_and(|figures| figures.packets_received > 0);
    record.state == CallState::Ringing && record.answered_at.is_none() && !record.legs.iter().any(hears)
}

/// Whether a call that was placed here ended without a talk, by refusal or because nobody could be reached: then the caller hears [`Tone::Busy`].
pub fn sounds_busy(record: &CallRecord) -> bool {
    record.answered_at.is_none() && matches!(record.state, CallState::Refused | CallState::Failed)
}

/// A tone under way.
#[derive(Debug, Clone)]
pub struct Playing {
    pub tone: Tone,
    at: u64,
}

impl Playing {
    pub fn new(tone: Tone) -> Self {
        Self { tone, at: 0 }
    }

    pub fn is_over(&self) -> bool {
        let length_ms = match self.tone {
            Tone::Ringback | Tone::Ring => return false,
            Tone::Busy => 6_000,
            Tone::Key(_) => 120,
            Tone::Test => 2_000,
        };
        self.at >= length_ms * PER_MS
    }

    /// The next sample, for both ears.
    pub fn sample(&mut self) -> i16 {
        let at = self.at;
        self.at += 1;
        let ms = at / PER_MS;
        let (first, second, on) = match self.tone {
            Tone::Ringback => (425.0, 0.0, ms % 5_000 < 1_000),
            Tone::Busy => (425.0, 0.0, ms % 1_000 < 500),
            Tone::Key(key) => {
                let (low, high) = key_tones(key);
                (low, high, true)
            }
            // Two warbles every three seconds.
            Tone::Ring => (if ms % 100 < 50 { 880.0 } else { 660.0 }, 0.0, ms % 3_000 < 400 || (600..1_000).contains(&(ms % 3_000))),
            Tone::Test => (440.0 + ms as f64 * 0.22, 0.0, true),
        };
        if !on || self.is_over() {
            return 0;
        }
        let secs = at as f64 / f64::from(LINE_RATE);
        let wave = |hz: f64| (secs * hz * std::f64::consts::TAU).sin();
        let sum = if second > 0.0 { wave(first) + wave(second) } else { wave(first) };
        (sum * LEVEL) as i16
    }
}

/// Q.23: a low and a high frequency for each key.
fn key_tones(key: char) -> (f64, f64) {
    const KEYS: [&str; 4] = ["123A", "456B", "789C", "*0#D"];
    const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
    const HIGH: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
    let at = KEYS.iter().zip(LOW).find_map(|(row, low)| Some((low, *HIGH.get(row.find(key.to_ascii_uppercase())?)?)));
    at.unwrap_or((697.0, 1_209.0))
}

const PER_MS: u64 = LINE_RATE as u64 / 1_000;
/// −16 dBFS for one tone.
const LEVEL: f64 = 5_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn played(tone: Tone, ms: u64) -> Vec<i16> {
        let mut playing = Playing::new(tone);
        (0..ms * PER_MS).map(|_| playing.sample()).collect()
    }

    fn is_loud(samples: &[i16], from_ms: usize, to_ms: usize) -> bool {
        samples[from_ms * 48..to_ms * 48].iter().any(|sample| sample.abs() > 1_000)
    }

    #[test]
    fn each_tone_has_its_cadence_and_end() {
        let ringback = played(Tone::Ringback, 6_000);
        assert!(is_loud(&ringback, 0, 1_000) && !is_loud(&ringback, 1_000, 5_000) && is_loud(&ringback, 5_000, 6_000));
        let busy = played(Tone::Busy, 7_000);
        assert!(is_loud(&busy, 0, 500) && !is_loud(&busy, 500, 1_000) && is_loud(&busy, 5_000, 5_500) && !is_loud(&busy, 6_000, 7_000));
        let mut key = Playing::new(Tone::Key('5'));
        (0..120 * PER_MS).for_each(|_| assert!(key.sample().abs() <= 10_000));
        assert!(key.is_over() && !Playing::new(Tone::Ring).is_over());
        assert_eq!([key_tones('1'), key_tones('#'), key_tones('d')], [(697.0, 1_209.0), (941.0, 1_477.0), (941.0, 1_633.0)]);
    }
}
