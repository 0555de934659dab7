//! After how many samples sound repeats itself: the lag at which it is most like itself.

/// The lag of `least..=most` at which the `window` samples from `at` on are most like those that come the lag before, and how
/// much: 1 the same, 0 not at all. Looks coarsely first, at every `stride`th sample.
pub fn best_lag(samples: &[i16], at: usize, window: usize, least: usize, most: usize, stride: usize) -> (usize, f32) {
    let stride = stride.max(1);
    let most = most.min(at);
    let least = least.min(most).max(1);
    let coarse = (least..=most).step_by(stride).map(|lag| (lag, likeness(samples, at, window, lag, stride)));
    let Some((near, _)) = coarse.max_by(|a, b| a.1.total_cmp(&b.1)) else { return (least, 0.0) };
    let fine = near.saturating_sub(stride - 1).max(least)..=(near + stride - 1).min(most);
    let fine = fine.map(|lag| (lag, likeness(samples, at, window, lag, 1)));
    fine.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((least, 0.0))
}

/// The normalised cross-correlation.
fn likeness(samples: &[i16], at: usize, window: usize, lag: usize, stride: usize) -> f32 {
    let now = samples.get(at..).unwrap_or_default();
    let now = now.get(..window).unwrap_or(now);
    let before = at.checked_sub(lag).and_then(|from| samples.get(from..)).unwrap_or_default();
    let (mut product, mut now_energy, mut before_energy) = (0.0f32, 0.0f32, 0.0f32);
    for (a, b) in now.iter().zip(before).step_by(stride) {
        let (a, b) = (f32::from(*a), f32::from(*b));
        product += a * b;
        now_energy += a * a;
        before_energy += b * b;
    }
    let energy = (now_energy * before_energy).sqrt();
    if energy < 1.0 { 0.0 } else { product / energy }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::tone::Sine;

    #[test]
    fn a_tone_repeats_itself_after_its_period() {
        let tone: Vec<i16> = Sine::new(125.0, 8_000.0).take(400).collect();
        let (lag, likeness) = best_lag(&tone, 240, 160, 40, 120, 2);
        assert_eq!(lag, 64);
        assert!(likeness > 0.99);
    }

    #[test]
    fn silence_is_like_nothing_and_too_little_harms_nobody() {
        assert_eq!(best_lag(&[0; 400], 240, 160, 40, 120, 2).1, 0.0);
        for length in 0..20 {
            let (lag, _) = best_lag(&vec![1; length], length / 2, 160, 40, 120, 3);
            assert!(lag >= 1);
        }
    }
}
