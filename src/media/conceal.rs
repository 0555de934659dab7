//! Sound for packets that are not there, made of the sound before them (after G.711 Appendix I): the last period of the pitch
//! is repeated, after 10 ms the last two and after 20 ms the last three, fading to nothing within 60 ms.
//!
//! Unlike there, good sound is never held back for the overlap: the first sample made joins the last one heard by a ramp.

use super::pitch::best_lag;

/// Follows one direction of sound at any rate from 8,000 samples a second.
#[derive(Debug)]
pub struct Concealer {
    /// Samples in a millisecond.
    ms: usize,
    /// What was heard last, the newest at the end. Of one length always.
    history: Box<[i16]>,
    /// The last periods of the pitch as they were when the sound broke off, and its length.
    cycle: Box<[i16]>,
    lag: usize,
    /// How many periods are repeated, and where in the first of them we are.
    periods: usize,
    position: usize,
    /// Samples made since the sound broke off.
    made: usize,
    /// What the first sample made would leap by.
    leap: f32,
    in_gap: bool,
}

impl Concealer {
    pub fn new(sample_rate: u32) -> Concealer {
        let ms = (sample_rate as usize / 1_000).max(8);
        Concealer {
            ms,
            history: vec![0; HISTORY_EIGHTHS * ms / 8].into(),
            cycle: vec![0; HISTORY_EIGHTHS * ms / 8].into(),
            lag: LONGEST_MS * ms,
            periods: 1,
            position: 0,
            made: 0,
            leap: 0.0,
            in_gap: false,
        }
    }

    /// Sound that is there. After a gap its beginning is changed: what was made before it fades out over it.
    pub fn good(&mut self, samples: &mut [i16]) {
        if std::mem::take(&mut self.in_gap) {
            // §I.2.8: 4 ms longer for every 10 ms that were made.
            let fade = (self.lag / 4 + self.made / (10 * self.ms) * 4 * self.ms).min(10 * self.ms).min(samples.len());
            for (n, sample) in samples.iter_mut().take(fade).enumerate() {
                let share = (n + 1) as f32 / (fade + 1) as f32;
                let made = self.make();
                *sample = (f32::from(*sample) * share + made * (1.0 - share)).round() as i16;
            }
        }
        self.remember(samples);
    }

    /// Sound for what is missing.
    pub fn conceal(&mut self, into: &mut [i16]) {
        if !std::mem::replace(&mut self.in_gap, true) {
            self.begin();
        }
        for sample in into.iter_mut() {
            *sample = self.make().round() as i16;
        }
        self.remember(into);
    }

    /// Sound was missing up to now.
    pub fn is_in_gap(&self) -> bool {
        self.in_gap
    }

    fn begin(&mut self) {
        let (window, most) = (WINDOW_MS * self.ms, LONGEST_MS * self.ms);
        let at = self.history.len() - window;
        (self.lag, _) = best_lag(&self.history, at, window, SHORTEST_MS * self.ms, most, self.ms / 4);
        self.cycle.copy_from_slice(&self.history);
        (self.periods, self.position, self.made) = (1, 0, 0);
        let end = self.cycle.len();
        self.leap = f32::from(self.cycle[end - 1]) - f32::from(self.cycle[end - 1 - self.lag]);
    }

    /// The next sample made.
    fn make(&mut self) -> f32 {
        let step = 10 * self.ms;
        let gain = match self.made {
            made if made < step => 1.0,
            made => 1.0 - (made - step) as f32 / (5 * step) as f32,
        };
        let made = self.made;
        self.made += 1;
        if gain <= 0.0 {
            return 0.0;
        }
        let quarter = self.lag / 4;
        let periods = (1 + made / step).min(3);
        let mut sample = self.cycle_at(self.periods);
        if periods > self.periods {
            // The change to more periods is spread over a quarter of one.
            let share = (made % step) as f32 / quarter as f32;
            if share < 1.0 {
                sample = sample * (1.0 - share) + self.cycle_at(periods) * share;
            } else {
                self.periods = periods;
                sample = self.cycle_at(periods);
            }
        }
        if made < quarter {
            sample += self.leap * (1.0 - (made + 1) as f32 / (quarter + 1) as f32);
        }
        self.position = (self.position + 1) % (self.lag * 6);
        (sample * gain).clamp(-32_768.0, 32_767.0)
    }

    /// The sample at hand where so many periods are repeated: the last quarter of a period leads over to the first anew.
    fn cycle_at(&self, periods: usize) -> f32 {
        let (length, quarter) = (self.lag * periods, self.lag / 4);
        let position = self.position % length;
        let from_end = length - position;
        let sample = f32::from(self.cycle[self.cycle.len() - from_end]);
        if from_end > quarter {
            return sample;
        }
        let share = (quarter - from_end + 1) as f32 / (quarter + 1) as f32;
        let before = f32::from(self.cycle[self.cycle.len() - from_end - length]);
        sample * (1.0 - share) + before * share
    }

    fn remember(&mut self, samples: &[i16]) {
        let length = self.history.len();
        let samples = &samples[samples.len().saturating_sub(length)..];
        self.history.copy_within(samples.len().., 0);
        self.history[length - samples.len()..].copy_from_slice(samples);
    }
}

/// Pitch from 66 to 200 Hz, found over 20 ms.
const SHORTEST_MS: usize = 5;
const LONGEST_MS: usize = 15;
const WINDOW_MS: usize = 20;
/// Three of the longest periods and a quarter, in eighths of a millisecond.
const HISTORY_EIGHTHS: usize = 390;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, rate: u32, samples: usize) -> Vec<i16> {
        (0..samples).map(|n| (8_000.0 * (n as f32 * hz * std::f32::consts::TAU / rate as f32).sin()) as i16).collect()
    }

    /// The tone with 20 ms of it concealed after half a second, beside the tone.
    fn concealed(hz: f32, rate: u32) -> (Vec<i16>, Vec<i16>) {
        let frame = rate as usize / 50;
        let whole = tone(hz, rate, frame * 50);
        let mut heard = whole.clone();
        let mut concealer = Concealer::new(rate);
        for (n, frame) in heard.chunks_mut(frame).enumerate() {
            if n == 25 { concealer.conceal(frame) } else { concealer.good(frame) }
        }
        (whole, heard)
    }

    #[test]
    fn a_tone_goes_on_through_a_lost_packet_at_every_rate() {
        for rate in [8_000, 16_000, 48_000] {
            let (whole, heard) = concealed(125.0, rate);
            let gap = rate as usize / 2..rate as usize / 2 + rate as usize / 50;
            let worst = whole[gap.clone()].iter().zip(&heard[gap]).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
            // It fades by a fifth from the tenth millisecond on.
            assert!(worst < 2_000, "{rate}: {worst}");
        }
    }

    #[test]
    fn nothing_made_leaps() {
        for hz in [66.7, 90.0, 117.0, 180.0, 333.0] {
            let (whole, heard) = concealed(hz, 8_000);
            let steepest = |samples: &[i16]| samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap_or(0);
            let (before, after) = (steepest(&whole), steepest(&heard));
            assert!(after < before * 2 + 200, "{hz} Hz: {before} became {after}");
        }
    }

    #[test]
    fn after_sixty_milliseconds_nothing_is_left() {
        let mut concealer = Concealer::new(8_000);
        concealer.good(&mut tone(100.0, 8_000, 800));
        let mut made = [1; 1_600];
        concealer.conceal(&mut made);
        assert!(made[..80].iter().any(|sample| sample.abs() > 7_000) && made[480..].iter().all(|sample| *sample == 0));
        // And what comes then comes in softly.
        let mut back = vec![8_000; 160];
        concealer.good(&mut back);
        assert!(back[0] < 500 && back[159] == 8_000 && !concealer.is_in_gap());
    }

    #[test]
    fn silence_stays_silence_and_any_length_will_do() {
        let mut concealer = Concealer::new(16_000);
        for length in [0usize, 1, 7, 320, 5_000] {
            let mut frame = vec![0; length];
            concealer.conceal(&mut frame);
            concealer.good(&mut frame);
            assert!(frame.iter().all(|sample| *sample == 0));
        }
    }
}
