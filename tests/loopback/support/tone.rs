//! Ears: how much of a recording is one tone (Goertzel).

use std::path::Path;

/// The samples of the first channel, and their rate.
pub fn read_wav(path: &Path) -> (Vec<i16>, f64) {
    let mut reader = hound::WavReader::open(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let spec = reader.spec();
    let samples = reader.samples::<i16>().map_while(Result::ok).step_by(spec.channels.into()).collect();
    (samples, f64::from(spec.sample_rate))
}

/// The share of the energy that lies at `hz`, in the loudest second: 1 for a pure tone.
pub fn purity(samples: &[i16], rate: f64, hz: f64) -> f64 {
    let second = rate as usize;
    let energy = |part: &[i16]| part.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
    let loudest = samples.chunks_exact(second.min(samples.len().max(1))).max_by(|a, b| energy(a).total_cmp(&energy(b)));
    let Some(part) = loudest.filter(|part| energy(part) > 0.0) else { return 0.0 };
    let turn = 2.0 * (std::f64::consts::TAU * hz / rate).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for &sample in part {
        (one, two) = (f64::from(sample) + turn * one - two, one);
    }
    let at_hz = one * one + two * two - turn * one * two;
    2.0 * at_hz / (energy(part) * part.len() as f64)
}

#[test]
fn a_tone_is_told_from_another_and_from_silence() {
    let wave =
        |hz: f64| (0..8000).map(|n| (8000.0 * (std::f64::consts::TAU * hz * f64::from(n) / 8000.0).sin()) as i16).collect::<Vec<_>>();
    assert!(purity(&wave(440.0), 8000.0, 440.0) > 0.99);
    assert!(purity(&wave(440.0), 8000.0, 1000.0) < 0.01);
    assert_eq!(purity(&[0; 8000], 8000.0, 440.0), 0.0);
    assert_eq!(purity(&[], 8000.0, 440.0), 0.0);
}
