//! Sound made a little shorter or longer without a change of pitch: one period of it is left out or said twice, overlapped.

use super::pitch::best_lag;

/// Takes a period of at most `most` samples out of the first `length` of `samples`; the length that is left.
/// Nothing is taken out where the sound has no period (`force` takes one nevertheless).
pub fn shorten(samples: &mut [i16], length: usize, sample_rate: u32, most: usize, force: bool) -> usize {
    let length = length.min(samples.len());
    let Some(lag) = period(samples.get(..length).unwrap_or_default(), sample_rate, most, force) else { return length };
    for n in 0..lag {
        samples[n] = mixed(samples[n], samples[n + lag], n, lag);
    }
    samples.copy_within(2 * lag..length, lag);
    length - lag
}

/// Says a period of at most `most` samples of the first `length` twice; the length that comes of it, which has to have room.
pub fn lengthen(samples: &mut [i16], length: usize, sample_rate: u32, most: usize, force: bool) -> usize {
    let most = most.min(samples.len().saturating_sub(length));
    let Some(lag) = period(samples.get(..length).unwrap_or_default(), sample_rate, most, force) else { return length };
    samples.copy_within(lag..length, 2 * lag);
    for n in 0..lag {
        // What followed the period stands a period later now, and leads over to it.
        samples[lag + n] = mixed(samples[2 * lag + n], samples[n], n, lag);
    }
    length + lag
}

/// Whether it holds no more than line noise, so that nobody hears what is done to it.
pub fn is_quiet(samples: &[i16]) -> bool {
    let sum: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
    sum <= samples.len() as u64 * QUIET
}

fn period(samples: &[i16], sample_rate: u32, most: usize, force: bool) -> Option<usize> {
    let ms = sample_rate as usize / 1_000;
    let longest = (samples.len() / 2).min(most).min(LONGEST_MS * ms);
    let shortest = SHORTEST_TENTHS * ms / 10;
    if longest < shortest || shortest == 0 {
        return None;
    }
    if is_quiet(samples) {
        return Some(longest);
    }
    let (lag, likeness) = best_lag(samples, longest, samples.len() - longest, shortest, longest, ms / 4);
    (force || likeness > ALIKE).then_some(lag)
}

fn mixed(from: i16, to: i16, n: usize, of: usize) -> i16 {
    let share = (n + 1) as f32 / (of + 1) as f32;
    (f32::from(from) * (1.0 - share) + f32::from(to) * share).round() as i16
}

const SHORTEST_TENTHS: usize = 25;
const LONGEST_MS: usize = 15;
const ALIKE: f32 = 0.6;
/// −50 dBFS.
const QUIET: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::tone::Sine;

    fn steepest(samples: &[i16]) -> u16 {
        samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap_or(0)
    }

    #[test]
    fn a_tone_becomes_shorter_or_longer_and_stays_the_tone() {
        for hz in [110.0, 150.0, 210.0, 400.0] {
            let tone: Vec<i16> = Sine::new(hz, 8_000.0).take(160).collect();
            let mut samples = [0; 320];
            samples[..160].copy_from_slice(&tone);
            let shorter = shorten(&mut samples, 160, 8_000, 160, false);
            assert!((80..=140).contains(&shorter), "{hz}: {shorter}");
            assert!(steepest(&samples[..shorter]) <= steepest(&tone) + 400, "{hz}");
            let mut samples = [0; 320];
            samples[..160].copy_from_slice(&tone);
            let longer = lengthen(&mut samples, 160, 8_000, 160, false);
            assert!((180..=240).contains(&longer), "{hz}: {longer}");
            assert!(steepest(&samples[..longer]) <= steepest(&tone) + 400, "{hz}");
            assert_eq!((samples[0], samples[longer - 1]), (tone[0], tone[159]));
        }
    }

    #[test]
    fn silence_gives_as_much_as_is_asked() {
        let mut samples = [0; 320];
        assert_eq!(shorten(&mut samples, 160, 8_000, 50, false), 110);
        assert_eq!(lengthen(&mut samples, 160, 8_000, 64, false), 224);
    }

    #[test]
    fn what_has_no_room_stays_as_it_is() {
        let mut samples = [9_000; 20];
        assert_eq!(shorten(&mut samples, 20, 8_000, 160, true), 20);
        assert_eq!(lengthen(&mut samples, 20, 8_000, 160, true), 20);
        assert_eq!(shorten(&mut [], 0, 48_000, 480, true), 0);
    }
}
