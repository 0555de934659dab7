//! Two clocks that never agree: by how much a device runs faster than the calls, told by what gathers between them.

/// Watches what is left in a ring and says how to bend the device's rate, so that a small cushion stays.
#[derive(Debug)]
pub struct Pace {
    /// Samples of the cushion that is wanted.
    cushion: usize,
    /// The least that was left in this window.
    least: usize,
    /// Frames of the device in this window, and in the whole stretch without a gap.
    frames: usize,
    smooth: usize,
    /// Frames in a window.
    window: usize,
}

impl Pace {
    /// For a device of `rate` frames a second.
    pub fn new(rate: u32) -> Pace {
        let window = rate as usize / 2;
        Pace { cushion: LEAST_CUSHION, least: usize::MAX, frames: 0, smooth: 0, window: window.max(1) }
    }

    pub fn cushion(&self) -> usize {
        self.cushion
    }

    /// `left` samples were there after `frames` of the device went by. Once a window: how much faster than its nominal
    /// rate samples have to be taken (or, negative, slower), as a part of it, and how many are to be dropped at once.
    pub fn note(&mut self, left: usize, frames: usize) -> Option<Bend> {
        self.least = self.least.min(left);
        self.frames += frames;
        if self.frames < self.window {
            return None;
        }
        self.smooth += std::mem::take(&mut self.frames);
        let least = std::mem::replace(&mut self.least, usize::MAX);
        if self.smooth > CALM_WINDOWS * self.window {
            self.smooth = 0;
            self.cushion = self.cushion.saturating_sub(CUSHION_STEP / 5).max(LEAST_CUSHION);
        }
        let excess = least as f64 - self.cushion as f64;
        let drop = if excess > MOST_EXCESS as f64 { excess as usize } else { 0 };
        Some(Bend { faster: (excess * GAIN / LINE_RATE).clamp(-MOST_BEND, MOST_BEND), drop })
    }

    /// There was nothing left where something should have been: the cushion was too thin.
    pub fn gap(&mut self) {
        self.cushion = (self.cushion + CUSHION_STEP).min(MOST_CUSHION);
        self.smooth = 0;
        self.least = usize::MAX;
        self.frames = 0;
    }
}

/// See [`Pace::note`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bend {
    pub faster: f64,
    pub drop: usize,
}

const LINE_RATE: f64 = 48_000.0;
/// 10 ms: what a media thread, which goes before others, is hardly ever late by. (To thicken it already where a delay nearly used it
/// up was tried: it then grew to 25 ms and more, for one gap less in ten minutes.)
const LEAST_CUSHION: usize = 480;
const MOST_CUSHION: usize = 2_400;
const CUSHION_STEP: usize = 240;
/// Half a minute without a gap.
const CALM_WINDOWS: usize = 60;
/// Of the excess a fifth is worked off in a second.
const GAIN: f64 = 0.2;
/// Nobody hears a pitch that is off by a thousandth.
const MOST_BEND: f64 = 0.001;
/// 40 ms too much is not worked off but left out.
const MOST_EXCESS: usize = 1_920;

#[cfg(test)]
mod tests {
    use super::*;

    /// A device that is off by `ppm` pulls frames of 20 ms from what comes in frames of 20 ms.
    fn run(ppm: f64, secs: usize) -> (f64, f64) {
        let mut pace = Pace::new(48_000);
        let (mut left, mut faster, mut worst) = (1_440.0f64, 0.0, 0.0f64);
        for n in 0..secs * 50 {
            left += 960.0 - 960.0 * (1.0 + ppm / 1e6) * (1.0 + faster);
            if let Some(bend) = pace.note(left.max(0.0) as usize, 960) {
                faster = bend.faster;
                left -= bend.drop as f64;
            }
            if n > secs * 25 {
                worst = worst.max((left - pace.cushion() as f64).abs());
            }
        }
        (left, worst)
    }

    #[test]
    fn an_hour_of_clocks_that_differ_ends_with_the_same_cushion() {
        for ppm in [-300.0, -50.0, 0.0, 50.0, 300.0] {
            let (left, worst) = run(ppm, 3_600);
            assert!(worst < 100.0 && left > 140.0, "{ppm} ppm: {left} left, {worst} off at most");
        }
    }

    #[test]
    fn a_gap_makes_the_cushion_thicker_and_calm_thinner_again() {
        let mut pace = Pace::new(48_000);
        (0..20).for_each(|_| pace.gap());
        assert_eq!(pace.cushion(), MOST_CUSHION);
        for _ in 0..50 * 60 * 60 {
            pace.note(MOST_CUSHION, 960);
        }
        assert_eq!(pace.cushion(), LEAST_CUSHION);
    }

    #[test]
    fn a_heap_is_left_out_at_once() {
        let mut pace = Pace::new(48_000);
        let bend = (0..50).find_map(|_| pace.note(9_000, 960)).expect("a window");
        assert_eq!(bend.drop, 9_000 - LEAST_CUSHION);
    }
}
