//! From a microphone's rate to the lines', and from theirs to a speaker's, bent a little so that two clocks stay in step there. Nothing
//! is allocated after the start.

use rubato::{
    Adjustable as _, Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
    audioadapter_buffers::direct::SequentialSliceOfVecs,
};

use crate::media::rate::LINE_RATE;

/// A resampler with the buffers that it reads and writes.
pub struct Bent {
    inner: Inner,
    from: Vec<Vec<f32>>,
    into: Vec<Vec<f32>>,
}

enum Inner {
    Resampled(Async<f32>),
    /// The rates are the same.
    Straight,
    /// No such ratio can be: the device is silent.
    Nothing,
}

impl Bent {
    /// Two channels at the lines' rate to so many frames of a speaker at a time.
    pub fn to_speaker(rate: u32) -> Self {
        Self::new(f64::from(rate) / f64::from(LINE_RATE), 2, FixedAsync::Output)
    }

    /// So many frames of a microphone at a time to one channel at the lines' rate.
    pub fn of_microphone(rate: u32) -> Self {
        if rate == LINE_RATE {
            let room = || vec![vec![0.0; CHUNK]];
            return Self { inner: Inner::Straight, from: room(), into: room() };
        }
        Self::new(f64::from(LINE_RATE) / f64::from(rate), 1, FixedAsync::Input)
    }

    fn new(ratio: f64, channels: usize, fixed: FixedAsync) -> Self {
        let terms = SincInterpolationParameters {
            oversampling_factor: 128,
            interpolation: SincInterpolationType::Linear,
            ..SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2)
        };
        let room = |frames: usize| vec![vec![0.0; frames]; channels];
        match Async::<f32>::new_sinc(ratio, MOST_BEND, &terms, CHUNK, channels, fixed) {
            Ok(inner) => {
                Self { from: room(inner.input_frames_max()), into: room(inner.output_frames_max()), inner: Inner::Resampled(inner) }
            }
            Err(_) => Self { from: room(CHUNK), into: room(CHUNK), inner: Inner::Nothing },
        }
    }

    /// Takes so much more in for what comes out, as a part of it.
    pub fn bend(&mut self, faster: f64) {
        if let Inner::Resampled(inner) = &mut self.inner {
            let relative = (1.0 / (1.0 + faster)).clamp(1.0 / MOST_BEND, MOST_BEND);
            let _ = inner.set_resample_ratio_relative(relative, true);
        }
    }

    /// How many frames [`Bent::run`] takes next.
    pub fn wanted(&self) -> usize {
        match &self.inner {
            Inner::Resampled(inner) => inner.input_frames_next(),
            Inner::Straight | Inner::Nothing => CHUNK,
        }
    }

    /// The place for what is taken next.
    pub fn input(&mut self) -> &mut [Vec<f32>] {
        &mut self.from
    }

    /// Makes frames of what stands in the input; how many.
    pub fn run(&mut self) -> usize {
        let inner = match &mut self.inner {
            Inner::Resampled(inner) => inner,
            Inner::Straight => {
                self.into.iter_mut().zip(&self.from).for_each(|(into, from)| into.copy_from_slice(from));
                return CHUNK;
            }
            Inner::Nothing => return 0,
        };
        let channels = self.from.len();
        let (room_in, room_out) = (self.from.first().map_or(0, Vec::len), self.into.first().map_or(0, Vec::len));
        let from = SequentialSliceOfVecs::new(&self.from, channels, room_in);
        let into = SequentialSliceOfVecs::new_mut(&mut self.into, channels, room_out);
        match (from, into) {
            (Ok(from), Ok(mut into)) => inner.process_into_buffer(&from, &mut into, None).map_or(0, |(_, made)| made),
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
