//! Samples from one rate to another by a whole factor: 8,000 and 16,000 a second to 48,000 and back.
//!
//! A windowed sinc in phases, exact in time: so many samples in, so many times as many out, for hours.

use super::codecs::RATE;

/// Samples a second of a line, whatever codec its call is in.
pub const LINE_RATE: u32 = 48_000;

/// From a lower rate to the line's.
#[derive(Debug)]
pub struct Up {
    factor: usize,
    /// The prototype, phase by phase: the taps for the first of `factor` samples, then for the second.
    phases: Box<[f32]>,
    /// The newest samples, the newest last.
    history: [f32; TAPS],
}

/// From the line's rate to a lower one.
#[derive(Debug)]
pub struct Down {
    factor: usize,
    taps: Box<[f32]>,
    /// The newest samples, the newest last.
    history: Box<[f32]>,
}

impl Up {
    /// From `rate`; a rate that does not divide the line's counts as the line's.
    pub fn new(rate: u32) -> Up {
        let factor = factor_of(rate);
        let prototype = prototype(factor);
        let phases = (0..factor)
            .flat_map(|phase| prototype.iter().skip(phase).step_by(factor).rev().map(|tap| tap * factor as f32).collect::<Vec<_>>())
            .collect();
        Up { factor, phases, history: [0.0; TAPS] }
    }

    /// Fills `into` with `factor` samples for each of `from`, and says how many.
    pub fn run(&mut self, from: &[i16], into: &mut [i16]) -> usize {
        if self.factor == 1 {
            let count = from.len().min(into.len());
            into[..count].copy_from_slice(&from[..count]);
            return count;
        }
        let mut written = 0;
        for (sample, out) in from.iter().zip(into.chunks_exact_mut(self.factor)) {
            self.history.copy_within(1.., 0);
            self.history[TAPS - 1] = f32::from(*sample);
            for (taps, out) in self.phases.chunks_exact(TAPS).zip(out) {
                *out = rounded(product(taps, &self.history));
            }
            written += self.factor;
        }
        written
    }

    /// Forgets what came before: the next sample follows upon silence.
    pub fn reset(&mut self) {
        self.history.fill(0.0);
    }
}

impl Down {
    /// To `rate`; a rate that does not divide the line's counts as the line's.
    pub fn new(rate: u32) -> Down {
        let factor = factor_of(rate);
        let taps = prototype(factor).into_iter().rev().collect::<Box<[f32]>>();
        let history = vec![0.0; taps.len()].into();
        Down { factor, taps, history }
    }

    /// How many samples of the line make one.
    pub fn factor(&self) -> usize {
        self.factor
    }

    /// Fills `into` with a sample for each `factor` of `from`, and says how many.
    pub fn run(&mut self, from: &[i16], into: &mut [i16]) -> usize {
        if self.factor == 1 {
            let count = from.len().min(into.len());
            into[..count].copy_from_slice(&from[..count]);
            return count;
        }
        let mut written = 0;
        for (group, out) in from.chunks_exact(self.factor).zip(into) {
            self.history.copy_within(self.factor.., 0);
            let kept = self.history.len() - self.factor;
            for (place, sample) in self.history[kept..].iter_mut().zip(group) {
                *place = f32::from(*sample);
            }
            *out = rounded(product(&self.taps, &self.history));
            written += 1;
        }
        written
    }
}

fn factor_of(rate: u32) -> usize {
    match rate {
        RATE => 6,
        16_000 => 3,
        24_000 => 2,
        _ => 1,
    }
}

fn product(taps: &[f32], history: &[f32]) -> f32 {
    taps.iter().zip(history).map(|(tap, sample)| tap * sample).sum()
}

fn rounded(sample: f32) -> i16 {
    sample.round().clamp(-32_768.0, 32_767.0) as i16
}

/// A low-pass at half of the lower rate, of unit gain: a sinc under a Kaiser window.
fn prototype(factor: usize) -> Vec<f32> {
    let length = factor * TAPS;
    let centre = (length - 1) as f64 / 2.0;
    let taps: Vec<f64> = (0..length)
        .map(|n| {
            let t = (n as f64 - centre) / factor as f64;
            let sinc = if t == 0.0 { 1.0 } else { (std::f64::consts::PI * t).sin() / (std::f64::consts::PI * t) };
            let edge = (n as f64 - centre) / (centre + 0.5);
            sinc * bessel(KAISER * (1.0 - edge * edge).max(0.0).sqrt())
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.into_iter().map(|tap| (tap / sum) as f32).collect()
}

/// The modified Bessel function of order zero, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..32 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

/// Taps for each sample that is made: images 60 dB down beyond 600 Hz around the edge, 1.5 ms of delay at 8 kHz.
const TAPS: usize = 24;
const KAISER: f64 = 6.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: u32, hz: f64, count: usize) -> Vec<i16> {
        (0..count).map(|n| ((n as f64 * hz / f64::from(rate) * std::f64::consts::TAU).sin() * 10_000.0) as i16).collect()
    }

    /// The level at `hz`, and that of everything else, in dB below a full tone of 10,000.
    fn levels(samples: &[i16], rate: u32, hz: f64) -> (f64, f64) {
        let samples = &samples[samples.len() / 2..];
        let n = samples.len() as f64;
        let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
        for (at, sample) in samples.iter().enumerate() {
            let phase = at as f64 * hz / f64::from(rate) * std::f64::consts::TAU;
            re += f64::from(*sample) * phase.cos();
            im += f64::from(*sample) * phase.sin();
            energy += f64::from(*sample).powi(2);
        }
        let tone = (re * re + im * im) * 2.0 / n;
        let db = |energy: f64| 10.0 * (energy.max(1.0) / (n * 10_000.0 * 10_000.0 / 2.0)).log10();
        (db(tone), db(energy - tone))
    }

    #[test]
    fn a_voice_goes_up_and_down_unchanged_and_alone() {
        for rate in [8_000u32, 16_000] {
            for hz in [300.0, 1_000.0, 3_000.0] {
                let from = sine(rate, hz, rate as usize);
                let mut line = vec![0; LINE_RATE as usize];
                assert_eq!(Up::new(rate).run(&from, &mut line), line.len());
                let (tone, rest) = levels(&line, LINE_RATE, hz);
                assert!(tone.abs() < 0.3 && rest < -55.0, "up from {rate}: {hz} Hz {tone:.2} dB, the rest {rest:.1} dB");
                let mut back = vec![0; rate as usize];
                assert_eq!(Down::new(rate).run(&line, &mut back), back.len());
                let (tone, rest) = levels(&back, rate, hz);
                assert!(tone.abs() < 0.5 && rest < -50.0, "back to {rate}: {hz} Hz {tone:.2} dB, the rest {rest:.1} dB");
            }
        }
    }

    #[test]
    fn what_the_lower_rate_can_not_hold_is_left_out() {
        let line = sine(LINE_RATE, 6_000.0, 48_000);
        let mut low = vec![0; 8_000];
        Down::new(8_000).run(&line, &mut low);
        let peak = low.iter().skip(100).map(|s| s.unsigned_abs()).max();
        assert!(peak.is_some_and(|peak| peak < 60), "{peak:?}");
    }

    #[test]
    fn frame_by_frame_is_as_all_at_once() {
        let from = sine(8_000, 440.0, 1_600);
        let (mut whole, mut pieces) = (vec![0; 9_600], vec![0; 9_600]);
        Up::new(8_000).run(&from, &mut whole);
        let mut up = Up::new(8_000);
        for (from, into) in from.chunks(160).zip(pieces.chunks_mut(960)) {
            up.run(from, into);
        }
        assert_eq!(whole, pieces);
        let mut same = [0; 3];
        assert_eq!((Up::new(48_000).run(&[1, 2, 3], &mut same), same), (3, [1, 2, 3]));
    }
}
