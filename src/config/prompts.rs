//! Prompts: a WAV file of any rate and width as mono samples at 8,000 a second.

use std::{fs, io::Cursor, path::Path, sync::Arc};

/// The rate at which everything is played (G.711, RFC 3551 §4.5.14).
pub const RATE: u32 = 8_000;

/// Reads a WAV file.
///
/// # Errors
/// One sentence: it can't be read, is no WAV, or is too long.
pub fn load(path: &Path) -> Result<Arc<[i16]>, String> {
    let size = fs::metadata(path).map_err(|e| format!("{} can't be read: {e}", path.display()))?.len();
    if size > LARGEST_FILE {
        return Err(format!("{} is larger than {} MB", path.display(), LARGEST_FILE >> 20));
    }
    let bytes = fs::read(path).map_err(|e| format!("{} can't be read: {e}", path.display()))?;
    decode(&bytes).map_err(|why| format!("{}: {why}", path.display()))
}

/// Reads a WAV file's bytes.
///
/// # Errors
/// One sentence: it is no WAV, or is too long.
pub fn decode(bytes: &[u8]) -> Result<Arc<[i16]>, String> {
    let not_wav = |e: hound::Error| format!("this is no WAV file that can be read: {e}");
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(not_wav)?;
    let spec = reader.spec();
    if spec.channels == 0 || spec.sample_rate < 1_000 || spec.sample_rate > 192_000 {
        return Err(format!("{} channels at {} Hz can't be played", spec.channels, spec.sample_rate));
    }
    let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect(),
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1_u64 << spec.bits_per_sample.clamp(1, 32).saturating_sub(1)) as f32;
            reader.samples::<i32>().map(|s| s.map(|v| v as f32 * scale)).collect()
        }
    };
    let samples = samples.map_err(not_wav)?;
    let channels = usize::from(spec.channels);
    let mono: Vec<f32> = samples.chunks(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    if mono.len() as u64 > u64::from(spec.sample_rate) * LONGEST_SECS {
        return Err(format!("it is longer than {} minutes", LONGEST_SECS / 60));
    }
    let at_rate = resample(&mono, spec.sample_rate);
    Ok(at_rate.into_iter().map(|s| (s.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16).collect())
}

/// Downwards each sample is the mean of those that it stands for, which damps what 8 kHz can't carry; upwards a line.
fn resample(samples: &[f32], rate: u32) -> Vec<f32> {
    if rate == RATE {
        return samples.to_vec();
    }
    let step = f64::from(rate) / f64::from(RATE);
    let count = (samples.len() as f64 / step) as usize;
    (0..count)
        .map(|i| {
            let at = i as f64 * step;
            let first = at as usize;
            if step > 1.0 {
                let last = (((i + 1) as f64 * step).ceil() as usize).clamp(first + 1, samples.len().max(first + 1));
                let window = samples.get(first..last.min(samples.len())).unwrap_or_default();
                window.iter().sum::<f32>() / window.len().max(1) as f32
            } else {
                let between = (at - first as f64) as f32;
                let this = samples.get(first).copied().unwrap_or_default();
                let next = samples.get(first + 1).copied().unwrap_or(this);
                this + (next - this) * between
            }
        })
        .collect()
}

const LARGEST_FILE: u64 = 64 << 20;
const LONGEST_SECS: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(rate: u32, channels: u16, bits: u16, secs: f32) -> Vec<u8> {
        let sample_format = if bits == 32 { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
        let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format };
        let mut out = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut out, spec).expect("a writer");
        for i in 0..(rate as f32 * secs) as u32 {
            let value = (i as f32 * 400.0 * std::f32::consts::TAU / rate as f32).sin() * 0.5;
            for _ in 0..channels {
                match bits {
                    32 => writer.write_sample(value).expect("writes"),
                    _ => writer.write_sample((value * ((1_i64 << (bits - 1)) - 1) as f32) as i32).expect("writes"),
                }
            }
        }
        writer.finalize().expect("ends");
        out.into_inner()
    }

    #[test]
    fn every_rate_and_width_becomes_8_khz_mono_of_the_same_pitch_and_loudness() {
        for (rate, channels, bits) in [(8_000, 1, 16), (8_000, 2, 8), (16_000, 1, 24), (44_100, 2, 16), (48_000, 1, 32), (6_000, 1, 16)] {
            let samples = decode(&wav(rate, channels, bits, 1.0)).expect("decodes");
            assert!((7_990..=8_000).contains(&samples.len()), "{rate}: {}", samples.len());
            let crossings = samples.windows(2).filter(|w| (w[0] < 0) != (w[1] < 0)).count();
            assert!((795..=801).contains(&crossings), "{rate}/{bits}: {crossings} crossings of 400 Hz");
            let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
            assert!((14_500..=16_800).contains(&peak), "{rate}/{bits}: {peak}");
        }
    }

    #[test]
    fn what_is_no_wav_is_said() {
        assert!(decode(b"").is_err());
        assert!(decode(b"RIFF....WAVEfmt nonsense").is_err());
        assert!(load(Path::new("no/such.wav")).is_err_and(|why| why.contains("no/such.wav")));
    }
}
