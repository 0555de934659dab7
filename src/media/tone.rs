//! Tones: made for those who listen, and found again in what was heard (Goertzel's algorithm).

use super::codecs::RATE;

/// A sine wave, one sample at a time.
#[derive(Debug, Clone)]
pub struct Sine {
    // y[n] = 2·cos(ω)·y[n-1] − y[n-2]: no trigonometry per sample, and stable for hours in f64.
    coefficient: f64,
    last: f64,
    before: f64,
}

impl Sine {
    /// `level` is the peak, of 32,767. A frequency that can't be told apart at 8 kHz is brought into 0–4,000 Hz.
    pub fn new(hz: f32, level: f32) -> Sine {
        let hz = if hz.is_finite() { f64::from(hz).clamp(0.0, f64::from(RATE) / 2.0) } else { 0.0 };
        let omega = std::f64::consts::TAU * hz / f64::from(RATE);
        Sine { coefficient: 2.0 * omega.cos(), last: -f64::from(level) * omega.sin(), before: -f64::from(level) * (2.0 * omega).sin() }
    }
}

impl Iterator for Sine {
    type Item = i16;

    fn next(&mut self) -> Option<i16> {
        let sample = self.coefficient * self.last - self.before;
        self.before = self.last;
        self.last = sample;
        Some(sample.round() as i16)
    }
}

/// The part of the sound's energy that lies at `hz`: near 1 for a pure tone, near 0 for silence, speech or another tone.
pub fn share_at(samples: &[i16], hz: f32) -> f32 {
    let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    if energy == 0.0 {
        return 0.0;
    }
    let omega = std::f64::consts::TAU * f64::from(hz) / f64::from(RATE);
    let coefficient = 2.0 * omega.cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (f64::from(*sample) + coefficient * last - before, last);
    }
    let power = last * last + before * before - coefficient * last * before;
    (2.0 * power / (samples.len() as f64 * energy)) as f32
}

/// The longest stretch, in seconds, in which windows of 50 ms hold mostly `hz`. Proves that a tone was heard.
pub fn longest_secs(samples: &[i16], hz: f32) -> f32 {
    const WINDOW: usize = RATE as usize / 20;
    const LOUD_ENOUGH: f64 = 100.0;
    let (mut longest, mut run) = (0usize, 0usize);
    for window in samples.chunks_exact(WINDOW) {
        let mean_square = window.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / WINDOW as f64;
        run = if mean_square.sqrt() > LOUD_ENOUGH && share_at(window, hz) > 0.5 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest as f32 * WINDOW as f32 / RATE as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_where_it_is_and_nowhere_else() {
        let tone: Vec<i16> = Sine::new(440.0, 8_000.0).take(8_000).collect();
        assert!(share_at(&tone, 440.0) > 0.99);
        assert!(share_at(&tone, 1_000.0) < 0.01);
        assert!((longest_secs(&tone, 440.0) - 1.0).abs() < 0.06);
        assert_eq!(share_at(&[0; 800], 440.0), 0.0);
        assert_eq!(longest_secs(&tone, 880.0), 0.0);
    }

    #[test]
    fn a_tone_keeps_its_level_for_an_hour() {
        let peak = Sine::new(425.0, 8_000.0).skip(8_000 * 3_600).take(8_000).max().expect("samples");
        assert!((7_900..=8_100).contains(&peak), "{peak}");
    }

    #[test]
    fn an_impossible_frequency_harms_nobody() {
        for hz in [f32::NAN, f32::INFINITY, -5.0, 1e9] {
            assert_eq!(Sine::new(hz, 8_000.0).take(100).count(), 100);
        }
    }
}
