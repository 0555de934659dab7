//! One recording as a WAV file: the customer left, the other side right, true to time, and playable at any moment.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Seek, Write},
    path::Path,
};

use hound::{SampleFormat, WavSpec, WavWriter};

use crate::media::{Second, between::Between};

/// A file that grows. After each second it is whole: its header says how long it is.
pub(super) struct RecordingFile<W: Write + Seek = BufWriter<File>> {
    writer: WavWriter<W>,
    rate: u32,
    /// Samples of each side that are in it.
    length: u64,
    /// Where the present run of seconds begins.
    base: u64,
    /// Of both sides, where the run is at another rate than the file.
    between: Option<(Between, Between)>,
}

impl RecordingFile {
    /// Opens a file for a run at `rate`, made if it is not there; a run that goes on in a file that is there begins
    /// `offset_secs` after the file did, and keeps the file's rate.
    pub fn open(path: &Path, rate: u32, offset_secs: f64) -> io::Result<Self> {
        if path.exists() {
            let writer = WavWriter::append(path).map_err(of_hound)?;
            let spec = writer.spec();
            if spec.channels != 2 || spec.bits_per_sample != 16 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no recording of this program's"));
            }
            let length = u64::from(writer.duration());
            let base = ((offset_secs * f64::from(spec.sample_rate)) as u64).max(length);
            return Ok(Self { writer, rate: spec.sample_rate, length, base, between: between(rate, spec.sample_rate) });
        }
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        Self::new(BufWriter::new(create(path)?), rate)
    }
}

impl<W: Write + Seek> RecordingFile<W> {
    pub fn new(into: W, rate: u32) -> io::Result<Self> {
        let spec = WavSpec { channels: 2, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
        Ok(Self { writer: WavWriter::new(into, spec).map_err(of_hound)?, rate, length: 0, base: 0, between: None })
    }

    /// Appends a second at its place; what never came before it is silence.
    pub fn write(&mut self, second: &Second) -> io::Result<()> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let (left, right): (&[i16], &[i16]) = match &mut self.between {
            None => (&second.received, &second.sent),
            Some((of_left, of_right)) => {
                let most = second.received.len() * self.rate as usize / second.rate.max(1) as usize + 64;
                for (between, from, to) in [(of_left, &second.received, &mut left), (of_right, &second.sent, &mut right)] {
                    to.resize(most, 0);
                    let length = between.run(from, to);
                    to.truncate(length);
                }
                (&left, &right)
            }
        };
        let place = self.base + second.first_sample * u64::from(self.rate) / u64::from(second.rate.max(1));
        let length = left.len().max(right.len()) as u64;
        if (place + length) * FRAME_BYTES > MOST_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a WAV file holds 4 GB and no more"));
        }
        while self.length < place {
            self.frame(0, 0)?;
        }
        // What is there already stays: a run can't reach back behind the one before it.
        let known = usize::try_from(self.length.saturating_sub(place)).unwrap_or(usize::MAX);
        for index in known..length as usize {
            let at = |side: &[i16]| side.get(index).copied().unwrap_or(0);
            self.frame(at(left), at(right))?;
        }
        self.writer.flush().map_err(of_hound)
    }

    /// Nothing more will come.
    pub fn finish(self) -> io::Result<()> {
        self.writer.finalize().map_err(of_hound)
    }

    fn frame(&mut self, left: i16, right: i16) -> io::Result<()> {
        self.writer.write_sample(left).and_then(|()| self.writer.write_sample(right)).map_err(of_hound)?;
        self.length += 1;
        Ok(())
    }
}

fn between(from: u32, to: u32) -> Option<(Between, Between)> {
    (from != to).then(|| (Between::new(from, to), Between::new(from, to)))
}

fn of_hound(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}

/// For nobody else's eyes and ears.
#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Two samples of 16 bits.
const FRAME_BYTES: u64 = 4;
/// What the header's 32 bits can say, less the header itself.
const MOST_BYTES: u64 = u32::MAX as u64 - 64;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn second(rate: u32, first_sample: u64, length: usize, level: i16) -> Second {
        Second { rate, first_sample, received: vec![level; length], sent: vec![-level; length] }
    }

    #[test]
    fn a_second_that_never_came_is_silence_and_the_rest_is_where_it_belongs() {
        let mut bytes = Cursor::new(Vec::new());
        let mut file = RecordingFile::new(&mut bytes, 8_000).expect("opens");
        file.write(&second(8_000, 0, 8_000, 100)).expect("writes");
        file.write(&second(8_000, 16_000, 4_000, 300)).expect("writes");
        assert_eq!(file.length, 20_000);
        file.finish().expect("ends");
        bytes.set_position(0);
        let samples: Vec<i16> = hound::WavReader::new(bytes).expect("a WAV file").into_samples().map(Result::unwrap).collect();
        assert_eq!(samples.len(), 2 * 20_000);
        assert_eq!([0, 1, 15_999, 16_000, 31_999, 32_000, 32_001].map(|n| samples[n]), [100, -100, -100, 0, 0, 300, -300]);
    }

    #[test]
    fn a_later_run_goes_on_in_its_time_and_at_the_rate_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("kept").join("a.wav");
        let mut file = RecordingFile::open(&path, 8_000, 0.0).expect("made");
        file.write(&second(8_000, 0, 8_000, 100)).expect("writes");
        file.finish().expect("ends");
        let mut file = RecordingFile::open(&path, 48_000, 3.0).expect("found");
        file.write(&second(48_000, 0, 48_000, 300)).expect("writes");
        file.finish().expect("ends");
        let reader = hound::WavReader::open(&path).expect("a WAV file");
        assert_eq!((reader.spec().sample_rate, reader.duration()), (8_000, 32_000));
        let samples: Vec<i16> = reader.into_samples().map(Result::unwrap).collect();
        assert_eq!((samples[0], samples[20_000]), (100, 0));
        assert!((samples[56_000] - 300).abs() < 5, "{}", samples[56_000]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
        }
    }

    #[test]
    fn before_its_end_it_can_be_played_to_the_last_whole_second() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.wav");
        let mut file = RecordingFile::open(&path, 16_000, 0.0).expect("made");
        for n in 0..3 {
            file.write(&second(16_000, n * 16_000, 16_000, 100)).expect("writes");
            assert_eq!(hound::WavReader::open(&path).expect("a WAV file").duration() as u64, (n + 1) * 16_000);
        }
    }

    /// Takes so many bytes and no more.
    struct Full(Cursor<Vec<u8>>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.get_ref().len() + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_full_disk_is_an_error_that_says_so() {
        let mut file = RecordingFile::new(Full(Cursor::new(Vec::new()), 40_000), 8_000).expect("opens");
        file.write(&second(8_000, 0, 8_000, 100)).expect("the first second finds room");
        let error = file.write(&second(8_000, 8_000, 8_000, 100)).expect_err("the second does not");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
