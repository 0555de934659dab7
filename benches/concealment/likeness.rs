//! How unlike two sounds are to an ear: the distance between their spectra, in decibels (log-spectral distance over the critical
//! bands of Zwicker, which hearing sums up). 0 is the same; a sound that is missing altogether counts 40.

use std::f64::consts::TAU;

/// The mean distance over all stretches of `reference` in which something is said, each beside the same words in `heard`, which
/// may come up to `most_late` samples later, by an amount that changes in the course of it. Both at 8,000 samples a second.
pub fn distance(reference: &[i16], heard: &[i16], most_late: usize) -> f32 {
    let loud = loudness(reference);
    let first = (0..reference.len()).step_by(ALIGNED * HOP).find_map(|at| lateness(reference, heard, at, most_late));
    let (mut sum, mut count, mut late) = (0.0, 0u32, first.unwrap_or(0));
    for (n, frame) in reference.windows(FRAME).step_by(HOP).enumerate() {
        let at = n * HOP;
        if n % ALIGNED == 0 {
            late = lateness(reference, heard, at, most_late).unwrap_or(late);
        }
        if energy(frame) < loud * QUIET {
            continue;
        }
        let Some(other) = heard.get(at + late..at + late + FRAME) else { break };
        sum += f64::from(between(frame, other));
        count += 1;
    }
    if count == 0 { 0.0 } else { (sum / f64::from(count)) as f32 }
}

/// The distance between two stretches of one length.
fn between(a: &[i16], b: &[i16]) -> f32 {
    let (a, b) = (bands(a), bands(b));
    let floor = a.iter().copied().fold(0.0, f64::max) * FLOOR;
    let decibels = |power: f64| 10.0 * power.max(floor).max(1.0).log10();
    let squares: f64 = a.iter().zip(&b).map(|(a, b)| (decibels(*a) - decibels(*b)).powi(2)).sum();
    (squares / a.len() as f64).sqrt() as f32
}

/// The power in each critical band, after a Hann window.
fn bands(frame: &[i16]) -> [f64; BANDS.len() - 1] {
    let length = frame.len() as f64;
    let windowed: Vec<f64> = (0..frame.len()).map(|n| f64::from(frame[n]) * (0.5 - 0.5 * (TAU * n as f64 / length).cos())).collect();
    std::array::from_fn(|band| {
        let bin = |hz: f64| (hz * length / 8_000.0).round() as usize;
        (bin(BANDS[band])..bin(BANDS[band + 1]).max(bin(BANDS[band]) + 1)).map(|bin| power_at(&windowed, bin)).sum()
    })
}

/// Goertzel's algorithm.
fn power_at(samples: &[f64], bin: usize) -> f64 {
    let coefficient = 2.0 * (TAU * bin as f64 / samples.len() as f64).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + coefficient * last - before, last);
    }
    last * last + before * before - coefficient * last * before
}

/// By how many samples `heard` follows `reference` about `at`: where they are most alike, if anywhere.
fn lateness(reference: &[i16], heard: &[i16], at: usize, most: usize) -> Option<usize> {
    let reference = reference.get(at..(at + ALIGNED * HOP + FRAME).min(reference.len()))?;
    let like = |late: usize, step: usize| -> f64 {
        let heard = heard.get(at + late..).unwrap_or_default();
        let (mut product, mut ours, mut theirs) = (0.0, 1.0, 1.0);
        for (a, b) in reference.iter().zip(heard).step_by(step) {
            let (a, b) = (f64::from(*a), f64::from(*b));
            product += a * b;
            ours += a * a;
            theirs += b * b;
        }
        product / f64::sqrt(ours * theirs)
    };
    let all = (0..=most).map(|late| (late, like(late, 3)));
    all.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, like)| *like > 0.5).map(|(late, _)| late)
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64
}

/// The energy of the loudest tenth.
fn loudness(samples: &[i16]) -> f64 {
    let mut energies: Vec<f64> = samples.chunks(FRAME).map(energy).collect();
    energies.sort_by(f64::total_cmp);
    energies.get(energies.len() * 9 / 10).copied().unwrap_or(0.0)
}

/// 20 ms, half of it anew each time.
const FRAME: usize = 160;
const HOP: usize = 80;
/// Frames between two looks at how late it is: a quarter of a second.
const ALIGNED: usize = 25;
/// 25 dB under loud speech nothing is said.
const QUIET: f64 = 0.003;
/// 40 dB under a frame's loudest band nothing is heard.
const FLOOR: f64 = 1e-4;
/// Zwicker's critical bands, in Hz.
const BANDS: [f64; 18] = [
    100.0, 200.0, 300.0, 400.0, 510.0, 630.0, 770.0, 920.0, 1_080.0, 1_270.0, 1_480.0, 1_720.0, 2_000.0, 2_320.0, 2_700.0, 3_150.0,
    3_450.0, 3_700.0,
];
