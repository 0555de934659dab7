//! The caller's voice and ear: a WAV file to speak from, and one to write what was heard to.

use std::{path::Path, sync::Arc};

/// Samples a second of what is played to the media thread.
const RATE: u32 = 8_000;
/// Ten minutes: a longer prompt than a test call plays.
const MOST_SAMPLES: usize = 600 * RATE as usize;

/// Reads a WAV file of any rate and width as one channel of 8,000 samples a second.
///
/// # Errors
/// One sentence that names the file and says what is wrong with it.
pub fn load(path: &Path) -> Result<Arc<[i16]>, String> {
    let fault = |why: String| format!("{}: {why}", path.display());
    let mut reader = hound::WavReader::open(path).map_err(|e| fault(e.to_string()))?;
    let spec = reader.spec();
    let channels = usize::from(spec.channels.max(1));
    if !(1..=384_000).contains(&spec.sample_rate) {
        return Err(fault(format!("{} samples a second cannot be read", spec.sample_rate)));
    }
    let most = MOST_SAMPLES * channels * spec.sample_rate.div_ceil(RATE) as usize;
    let interleaved: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().take(most).collect::<Result<_, _>>(),
        hound::SampleFormat::Int => {
            let full_scale = f64::from(1u32 << (spec.bits_per_sample.clamp(1, 32) - 1));
            reader.samples::<i32>().take(most).map(|s| s.map(|s| (f64::from(s) / full_scale) as f32)).collect()
        }
    }
    .map_err(|e| fault(e.to_string()))?;
    let mono: Vec<f32> = interleaved.chunks(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    let samples = resample(&mono, spec.sample_rate);
    match samples.is_empty() {
        true => Err(fault("it holds no sound".to_owned())),
        false => Ok(samples.into()),
    }
}

/// Writes what was heard, at `rate` samples a second, as a 16-bit WAV file.
///
/// # Errors
/// One sentence that names the file and says why it cannot be written.
pub fn save(path: &Path, rate: u32, heard: &[i16]) -> Result<(), String> {
    let spec = hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let write = || -> Result<(), hound::Error> {
        let mut writer = hound::WavWriter::create(path, spec)?;
        for sample in heard {
            writer.write_sample(*sample)?;
        }
        writer.finalize()
    };
    write().map_err(|e| format!("{}: {e}", path.display()))
}

/// Linear interpolation after a mean over each output sample's span: enough for a voice over G.711.
fn resample(from: &[f32], rate: u32) -> Vec<i16> {
    let step = f64::from(rate) / f64::from(RATE);
    let length = ((from.len() as f64 / step) as usize).min(MOST_SAMPLES);
    let span = (step as usize).max(1);
    let at = |i: usize| from.get(i).or(from.last()).copied().unwrap_or_default();
    (0..length)
        .map(|i| {
            let place = i as f64 * step;
            let (whole, part) = (place as usize, place.fract() as f32);
            let value = match span {
                1 => at(whole) * (1.0 - part) + at(whole + 1) * part,
                _ => (whole..whole + span).map(at).sum::<f32>() / span as f32,
            };
            (value.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("heard.wav");
        let heard: Vec<i16> = (0..1600).map(|i| (f64::from(i) * 0.3).sin().mul_add(8000.0, 0.0) as i16).collect();
        save(&file, 8_000, &heard).expect("saves");
        let loaded = load(&file).expect("loads");
        assert_eq!(loaded.len(), heard.len());
        assert!(loaded.iter().zip(&heard).all(|(a, b)| (i32::from(*a) - i32::from(*b)).abs() <= 1));
    }

    #[test]
    fn other_rates_and_channels_become_one_of_8000() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("stereo.wav");
        let spec = hound::WavSpec { channels: 2, sample_rate: 48_000, bits_per_sample: 32, sample_format: hound::SampleFormat::Float };
        let mut writer = hound::WavWriter::create(&file, spec).expect("creates");
        for _ in 0..48_000 {
            writer.write_sample(0.5f32).expect("writes");
            writer.write_sample(0.0f32).expect("writes");
        }
        writer.finalize().expect("ends");
        let loaded = load(&file).expect("loads");
        assert_eq!(loaded.len(), 8_000);
        assert!(loaded.iter().all(|s| (8_000..8_400).contains(s)), "the mean of both channels");
    }

    #[test]
    fn a_file_that_is_no_wav_is_named_with_the_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.wav");
        assert!(load(&file).expect_err("missing").contains("x.wav"));
        std::fs::write(&file, b"RIFFxxxxWAVEnonsense").expect("writes");
        assert!(load(&file).is_err());
        save(&file, 8_000, &[]).expect("saves");
        assert!(load(&file).expect_err("empty").contains("no sound"));
    }
}
