//! From a device's rate to the lines' and back, bent a little so that two clocks stay in step. Nothing is allocated after the start.

use rubato::{
    Adjustable as _, Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
    audioadapter_buffers::direct::SequentialSliceOfVecs,
};

use crate::media::rate::LINE_RATE;

/// A resampler with the buffers that it reads and writes.
pub struct Bent {
    inner: Option<Async<f32>>,
    from: Vec<Vec<f32>>,
    into: Vec<Vec<f32>>,
}

impl Bent {
    /// Two channels at the lines' rate to so many frames of a speaker at a time.
    pub fn to_speaker(rate: u32) -> Self {
        Self::new(f64::from(rate) / f64::from(LINE_RATE), 2, FixedAsync::Output)
    }

    /// So many frames of a microphone at a time to one channel at the lines' rate.
    pub fn of_microphone(rate: u32) -> Self {
        Self::new(f64::from(LINE_RATE) / f64::from(rate), 1, FixedAsync::Input)
    }

    fn new(ratio: f64, channels: usize, fixed: FixedAsync) -> Self {
        let terms = SincInterpolationParameters {
            oversampling_factor: 128,
            interpolation: SincInterpolationType::Linear,
            ..SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2)
        };
        // Refused only where the ratio is none; such a device is silent.
        let inner = Async::<f32>::new_sinc(ratio, MOST_BEND, &terms, CHUNK, channels, fixed).ok();
        let room = |frames: Option<usize>| vec![vec![0.0; frames.unwrap_or(CHUNK)]; channels];
        Self {
            from: room(inner.as_ref().map(|inner| inner.input_frames_max())),
            into: room(inner.as_ref().map(|inner| inner.output_frames_max())),
            inner,
        }
    }

    /// Takes so much more in for what comes out, as a part of it.
    pub fn bend(&mut self, faster: f64) {
        if let Some(inner) = &mut self.inner {
            let relative = (1.0 / (1.0 + faster)).clamp(1.0 / MOST_BEND, MOST_BEND);
            let _ = inner.set_resample_ratio_relative(relative, true);
        }
    }

    /// How many frames [`Bent::run`] takes next.
    pub fn wanted(&self) -> usize {
        self.inner.as_ref().map_or(CHUNK, |inner| inner.input_frames_next())
    }

    /// The place for what is taken next.
    pub fn input(&mut self) -> &mut [Vec<f32>] {
        &mut self.from
    }

    /// Makes frames of what stands in the input; how many.
    pub fn run(&mut self) -> usize {
        let channels = self.from.len();
        let (room_in, room_out) = (self.from.first().map_or(0, Vec::len), self.into.first().map_or(0, Vec::len));
        let from = SequentialSliceOfVecs::new(&self.from, channels, room_in);
        let into = SequentialSliceOfVecs::new_mut(&mut self.into, channels, room_out);
        match (&mut self.inner, from, into) {
            (Some(inner), Ok(from), Ok(mut into)) => inner.process_into_buffer(&from, &mut into, None).map_or(0, |(_, made)| made),
            _ => 0,
        }
    }

    pub fn output(&self) -> &[Vec<f32>] {
        &self.into
    }
}

/// Frames at a time: 2.5 ms at 48 kHz.
pub const CHUNK: usize = 120;
/// 0.7 ms of delay, images and aliases 90 dB down.
const TAPS: usize = 64;
const MOST_BEND: f64 = 1.02;
