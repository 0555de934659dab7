//! How loud it is: written by the device's thread, read and reset by the desk.

use std::sync::atomic::{AtomicU32, Ordering};

/// A peak and the energy since the last look.
#[derive(Debug, Default)]
pub struct Meter {
    /// The bits of an `f32`; of values that are not negative they sort as the values do.
    peak: AtomicU32,
    /// The mean square of the newest part.
    energy: AtomicU32,
}

/// Peak and mean (RMS), both 0 to 1 of full scale.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    pub peak: f32,
    pub rms: f32,
}

impl Level {
    pub fn peak_dbfs(self) -> f32 {
        20.0 * self.peak.max(1e-5).log10()
    }

    /// Where a meter stands, from 0 at −60 dBFS to 1 at full scale.
    pub fn meter(self) -> f32 {
        ((20.0 * self.rms.max(1e-5).log10() + 60.0) / 60.0).clamp(0.0, 1.0)
    }

    /// What a meter shows next: up at once, down by 24 dB a second.
    pub fn eased(self, now: Level, secs: f32) -> Level {
        let fall = 10.0f32.powf(-24.0 / 20.0 * secs);
        Level { peak: now.peak.max(self.peak * fall), rms: now.rms.max(self.rms * fall) }
    }
}

impl Meter {
    pub fn note(&self, samples: impl Iterator<Item = f32>) {
        let (mut peak, mut sum, mut count) = (0.0f32, 0.0f32, 0.0f32);
        for sample in samples {
            peak = peak.max(sample.abs());
            sum += sample * sample;
            count += 1.0;
        }
        if count > 0.0 {
            self.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
            self.energy.fetch_max((sum / count).to_bits(), Ordering::Relaxed);
        }
    }

    pub fn take(&self) -> Level {
        let take = |place: &AtomicU32| f32::from_bits(place.swap(0, Ordering::Relaxed));
        Level { peak: take(&self.peak), rms: take(&self.energy).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_of_full_scale_reads_as_such_and_falls_slowly() {
        let meter = Meter::default();
        meter.note((0..480).map(|n| (n as f32 / 48.0 * std::f32::consts::TAU).sin()));
        let level = meter.take();
        assert!((level.peak - 1.0).abs() < 0.01 && (level.rms - 0.707).abs() < 0.01 && level.meter() > 0.9);
        assert_eq!(meter.take(), Level::default());
        let later = level.eased(Level::default(), 0.5);
        assert!((later.peak_dbfs() + 12.0).abs() < 0.2, "{}", later.peak_dbfs());
        assert_eq!(Level::default().meter(), 0.0);
    }
}
