//! How long a recording is beside its call, and where the beeps of both sides are beside when they were said.

use std::path::Path;

use super::{
    story::Story,
    voice::{BEEP_SECS, PERIOD_SECS},
};

/// What was found of one call.
pub struct Found {
    /// What happened in it.
    pub words: String,
    pub network: String,
    pub secs: f64,
    /// Milliseconds by which the recording is longer than the call.
    pub longer_ms: f64,
    /// Milliseconds from a beep to where it is recorded: left and right, the median of the call's first and second half.
    pub late_ms: [[f64; 2]; 2],
}

impl Found {
    pub fn of(story: &Story, path: &Path) -> Self {
        let reader = hound::WavReader::open(path).unwrap();
        let rate = f64::from(reader.spec().sample_rate);
        let samples: Vec<i16> = reader.into_samples().map(Result::unwrap).collect();
        assert!(samples.len().is_multiple_of(2), "both sides are of one length");
        let side = |first: usize| -> Vec<i16> { samples.iter().copied().skip(first).step_by(2).collect() };
        let late = |side: &[i16], ppm: f64| {
            let late: Vec<(f64, f64)> = beeps(story.secs, ppm).filter_map(|due| Some((due, lateness_ms(side, rate, due)?))).collect();
            [true, false]
                .map(|first| median(late.iter().filter(|(due, _)| (*due < story.secs / 2.0) == first).map(|(_, ms)| *ms).collect()))
        };
        let [left, right] = story.ppm();
        Self {
            words: story.words(),
            network: story.network_words(),
            secs: story.secs,
            longer_ms: (samples.len() as f64 / 2.0 / rate - story.secs) * 1_000.0,
            late_ms: [late(&side(0), left), late(&side(1), right)],
        }
    }

    /// Milliseconds between what was said at once on both sides, as recorded.
    pub fn apart_ms(&self) -> f64 {
        let [left, right] = self.late_ms;
        // NaN, where nothing was found, is the most of all.
        left.iter().zip(right).map(|(left, right)| (left - right).abs()).max_by(f64::total_cmp).unwrap_or(f64::NAN)
    }

    pub fn latest_ms(&self) -> f64 {
        self.late_ms.into_iter().flatten().fold(0.0, |most, late| if late.abs() > f64::abs(most) { late } else { most })
    }
}

/// When beeps are said by a clock that is so slow.
fn beeps(secs: f64, ppm: f64) -> impl Iterator<Item = f64> {
    let own = (0..).map(|period| f64::from(period) * PERIOD_SECS + BEEP_SECS.start);
    own.map(move |own| own * (1.0 + ppm / 1e6)).take_while(move |due| *due < secs - 0.5)
}

/// By how much a beep begins later than it is due; none: it is not there, or not all of it.
fn lateness_ms(side: &[i16], rate: f64, due: f64) -> Option<f64> {
    let step = rate as usize / 500;
    let begin = ((due - 0.25) * rate) as usize;
    let part = side.get(begin..begin + (0.6 * rate) as usize)?;
    let loud = |part: &[i16]| part.iter().map(|sample| f64::from(sample.unsigned_abs())).sum::<f64>() > 1_500.0 * part.len() as f64;
    let loud: Vec<bool> = part.chunks_exact(step).map(loud).collect();
    let (first, last) = (loud.iter().position(|loud| *loud)?, loud.iter().rposition(|loud| *loud)?);
    // A lost packet at either end moves the end and not the place.
    let whole = (last - first + 1) as f64 * 0.002 > BEEP_SECS.end - BEEP_SECS.start - 0.008;
    whole.then_some((first * step) as f64 / rate * 1_000.0 - 250.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}
