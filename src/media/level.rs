//! Is anything said? Told by the energy of each packet; speech or noise makes no difference.

use std::time::{Duration, Instant};

use super::codecs::Law;

/// Watches one direction for a stretch of silence.
#[derive(Debug)]
pub struct SilenceWatch {
    length: Duration,
    quiet_since: Instant,
    told: bool,
}

impl SilenceWatch {
    /// `None` for a length that is no length.
    pub fn new(now: Instant, secs: f32) -> Option<SilenceWatch> {
        let length = Duration::try_from_secs_f32(secs).ok()?;
        Some(SilenceWatch { length, quiet_since: now, told: false })
    }

    pub fn note_sound(&mut self, now: Instant) {
        self.quiet_since = now;
        self.told = false;
    }

    /// When the silence will have lasted long enough.
    pub fn deadline(&self) -> Option<Instant> {
        if self.told { None } else { self.quiet_since.checked_add(self.length) }
    }

    /// The silence's length in seconds, once per stretch.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<f32> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return None;
        }
        self.told = true;
        Some(now.saturating_duration_since(self.quiet_since).as_secs_f32())
    }
}

/// Whether a packet holds more than line noise.
pub fn is_sound(law: Law, payload: &[u8]) -> bool {
    let table = law.table();
    let sum: u64 = payload.iter().map(|byte| u64::from(table[usize::from(*byte)].unsigned_abs())).sum();
    sum > payload.len() as u64 * NOISE
}

/// As [`is_sound`], of samples.
pub fn is_sound_in(samples: &[i16]) -> bool {
    let sum: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
    sum > samples.len() as u64 * NOISE
}

/// A mean of 160 of 32,767 is −46 dBFS: above hiss and comfort noise, below the quietest speech.
const NOISE: u64 = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_per_stretch() {
        let start = Instant::now();
        let at = |secs: f32| start + Duration::from_secs_f32(secs);
        let mut watch = SilenceWatch::new(start, 3.0).expect("a length");
        assert_eq!(watch.handle_timeout(at(2.9)), None);
        watch.note_sound(at(2.9));
        assert_eq!(watch.deadline(), Some(at(2.9) + Duration::from_secs(3)));
        assert_eq!(watch.handle_timeout(at(3.5)), None);
        assert!(watch.handle_timeout(at(6.0)).is_some_and(|secs| (3.0..3.2).contains(&secs)));
        assert_eq!((watch.handle_timeout(at(9.0)), watch.deadline()), (None, None));
        watch.note_sound(at(10.0));
        assert!(watch.handle_timeout(at(13.0)).is_some());
        assert!(SilenceWatch::new(start, f32::NAN).is_none() && SilenceWatch::new(start, -1.0).is_none());
    }

    #[test]
    fn noise_is_no_sound() {
        for law in [Law::Mu, Law::A] {
            let packet = |level: i16| -> Vec<u8> { (0..160).map(|n| law.encode(if n % 2 == 0 { level } else { -level })).collect() };
            assert!(!is_sound(law, &packet(0)) && !is_sound(law, &packet(60)) && is_sound(law, &packet(400)));
            assert!(!is_sound(law, &[]));
        }
    }
}
