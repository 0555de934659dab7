//! A WAV file as it is played: any rate and width, its first two channels left and right, read as it goes.

use std::{fs::File, io::BufReader, path::Path};

use hound::{SampleFormat, WavReader, WavSpec};

use crate::media::rate::LINE_RATE;

/// A file under way.
pub struct Wav {
    reader: WavReader<BufReader<File>>,
    spec: WavSpec,
    /// The frames around the present one, and how far it is from the first to the second.
    here: [[i16; 2]; 2],
    part: f64,
    /// Frames of the file read so far.
    read: u32,
    over: bool,
}

impl Wav {
    /// Opens it at `from_secs`.
    ///
    /// # Errors
    /// One sentence that names the file and says what is wrong with it.
    pub fn open(path: &Path, from_secs: f64) -> Result<Self, String> {
        let fault = |why: String| format!("{}: {why}", path.display());
        let mut reader = WavReader::open(path).map_err(|why| fault(why.to_string()))?;
        let spec = reader.spec();
        if !(1_000..=384_000).contains(&spec.sample_rate) || spec.channels == 0 {
            return Err(fault(format!("{} channels of {} samples a second cannot be played", spec.channels, spec.sample_rate)));
        }
        let read = ((from_secs.max(0.0) * f64::from(spec.sample_rate)) as u32).min(reader.duration());
        reader.seek(read).map_err(|why| fault(why.to_string()))?;
        let mut wav = Self { reader, spec, here: [[0; 2]; 2], part: 0.0, read, over: false };
        wav.here = [wav.read_frame().unwrap_or_default(), wav.read_frame().unwrap_or_default()];
        Ok(wav)
    }

    pub fn length_secs(&self) -> f64 {
        f64::from(self.reader.duration()) / f64::from(self.spec.sample_rate)
    }

    /// Where it is in the file.
    pub fn position_secs(&self) -> f64 {
        f64::from(self.read.saturating_sub(2)) / f64::from(self.spec.sample_rate)
    }

    /// The next left and right at the lines' rate; `None` at the end.
    pub fn frame(&mut self) -> Option<[i16; 2]> {
        if self.over {
            return None;
        }
        let [from, to] = self.here;
        let between = |from: i16, to: i16| (f64::from(from) * (1.0 - self.part) + f64::from(to) * self.part) as i16;
        let frame = [between(from[0], to[0]), between(from[1], to[1])];
        self.part += f64::from(self.spec.sample_rate) / f64::from(LINE_RATE);
        while self.part >= 1.0 {
            self.part -= 1.0;
            match self.read_frame() {
                Some(next) => self.here = [self.here[1], next],
                None => self.over = true,
            }
        }
        Some(frame)
    }

    fn read_frame(&mut self) -> Option<[i16; 2]> {
        let mut frame = [0; 2];
        for channel in 0..usize::from(self.spec.channels) {
            let sample = match self.spec.sample_format {
                SampleFormat::Float => (self.reader.samples::<f32>().next()?.ok()?.clamp(-1.0, 1.0) * 32_767.0) as i16,
                SampleFormat::Int => {
                    let (sample, bits) = (self.reader.samples::<i32>().next()?.ok()?, self.spec.bits_per_sample.clamp(1, 32));
                    if bits > 16 { (sample >> (bits - 16)) as i16 } else { (sample << (16 - bits)) as i16 }
                }
            };
            if let Some(place) = frame.get_mut(channel) {
                *place = sample;
            }
        }
        if self.spec.channels == 1 {
            frame[1] = frame[0];
        }
        self.read = self.read.saturating_add(1);
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_rate_is_stereo_at_the_lines_rate_from_any_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.wav");
        let spec = WavSpec { channels: 2, sample_rate: 8_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let mut writer = hound::WavWriter::create(&path, spec).expect("creates");
        for n in 0..8_000i16 {
            writer.write_sample(n).expect("writes");
            writer.write_sample(-n).expect("writes");
        }
        writer.finalize().expect("ends");
        let mut wav = Wav::open(&path, 0.5).expect("opens");
        assert_eq!((wav.length_secs(), wav.position_secs(), wav.frame()), (1.0, 0.5, Some([4_000, -4_000])));
        let rest: Vec<_> = std::iter::from_fn(|| wav.frame()).collect();
        assert!((23_900..=24_000).contains(&rest.len()), "{}", rest.len());
        assert!(rest[5][0] == 4_001 && wav.position_secs() > 0.99);
        assert!(Wav::open(&folder.path().join("no.wav"), 0.0).err().is_some_and(|why| why.contains("no.wav")));
    }
}
