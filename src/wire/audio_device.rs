//! Microphones and speakers of this machine. The only file that names `cpal`.
//!
//! Samples cross as interleaved `f32` in the device's own rate and channels. What is called from the device's thread gets
//! slices that were there before: nothing here allocates, locks or waits once a stream runs.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::priority;
use cpal::{
    BufferSize, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize, SupportedStreamConfig,
    traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _},
};

/// A microphone or a speaker, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioDevice {
    /// What tells it from all others, over restarts, too.
    pub id: String,
    /// What a person calls it.
    pub name: String,
}

/// What is plugged in now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AudioDevices {
    pub microphones: Vec<AudioDevice>,
    pub speakers: Vec<AudioDevice>,
    /// The system's choice, by id.
    pub default_microphone: Option<String>,
    pub default_speaker: Option<String>,
}

/// How a device takes or gives its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceFormat {
    pub rate: u32,
    pub channels: u16,
}

/// What goes wrong with devices; the text is for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudioFault {
    #[error("no sound system answers: neither PulseAudio (or PipeWire) nor an ALSA sound card is there")]
    NoSystem,
    #[error("it is not plugged in")]
    Gone,
    #[error("{0}")]
    Refused(String),
}

/// The machine's sound system, asked and answering.
pub struct AudioSystem {
    host: cpal::Host,
    is_alsa: bool,
}

/// A device that runs until this is dropped.
pub struct AudioStream {
    stream: Option<cpal::Stream>,
    pub format: DeviceFormat,
    watch: Arc<Watch>,
}

#[derive(Debug, Default)]
struct Watch {
    lost: AtomicBool,
    glitches: AtomicU64,
    calls: AtomicU64,
}

impl AudioSystem {
    /// Finds the sound system: PulseAudio (or PipeWire in its place) where it answers, else ALSA's cards.
    ///
    /// # Errors
    /// There is none.
    pub fn find() -> Result<Self, AudioFault> {
        #[cfg(unix)]
        super::pulse_cookie::ensure();
        let host = cpal::default_host();
        let is_alsa = host.id().to_string().eq_ignore_ascii_case("alsa");
        // Without cards ALSA still names a default device, fails when it is opened, and complains on stderr; unless somebody has set
        // what the default is.
        if is_alsa && !has_cards() && !has_alsa_settings() {
            return Err(AudioFault::NoSystem);
        }
        Ok(Self { host, is_alsa })
    }

    pub fn name(&self) -> &'static str {
        if self.is_alsa { "ALSA" } else { "PulseAudio" }
    }

    /// What is plugged in now. Asks the system, so it may take some milliseconds.
    ///
    /// # Errors
    /// The system does not answer any more.
    pub fn devices(&self) -> Result<AudioDevices, AudioFault> {
        let mut found = AudioDevices::default();
        for device in self.host.devices().map_err(|why| AudioFault::Refused(why.to_string()))? {
            let Some(listed) = listed(&device) else { continue };
            if self.is_alsa && !is_worth_listing(&listed.id) {
                continue;
            }
            // What a speaker plays can be listened to as if it were a microphone; nobody means that.
            if device.supports_input() && !listed.id.ends_with(".monitor") {
                found.microphones.push(listed.clone());
            }
            if device.supports_output() {
                found.speakers.push(listed);
            }
        }
        let default = |device: Option<cpal::Device>, among: &[AudioDevice]| {
            let id = device.as_ref().and_then(listed)?.id;
            among.iter().any(|known| known.id == id).then_some(id)
        };
        found.default_microphone = default(self.host.default_input_device(), &found.microphones);
        found.default_speaker = default(self.host.default_output_device(), &found.speakers);
        Ok(found)
    }

    /// Opens a microphone that gives so many milliseconds at a time. `make` is told the format and gives what takes the samples.
    ///
    /// # Errors
    /// The device is gone, taken or refuses.
    pub fn open_microphone<F>(&self, id: &str, period_ms: u32, make: impl FnOnce(DeviceFormat) -> F) -> Result<AudioStream, AudioFault>
    where
        F: FnMut(&[f32]) + Send + 'static,
    {
        let device = self.device(id)?;
        let config = device.default_input_config().map_err(fault)?;
        let taker = make(format_of(&config));
        let watch = Arc::new(Watch::default());
        let stream = match config.sample_format() {
            SampleFormat::I16 => listen::<i16, F>(&device, &config, period_ms, taker, &watch),
            SampleFormat::I24 => listen::<cpal::I24, F>(&device, &config, period_ms, taker, &watch),
            SampleFormat::I32 => listen::<i32, F>(&device, &config, period_ms, taker, &watch),
            SampleFormat::U8 => listen::<u8, F>(&device, &config, period_ms, taker, &watch),
            SampleFormat::U16 => listen::<u16, F>(&device, &config, period_ms, taker, &watch),
            SampleFormat::F64 => listen::<f64, F>(&device, &config, period_ms, taker, &watch),
            _ => listen::<f32, F>(&device, &config, period_ms, taker, &watch),
        }?;
        running(stream, &config, watch)
    }

    /// Opens a speaker that asks for so many milliseconds at a time. `make` is told the format and gives what fills the samples.
    ///
    /// # Errors
    /// The device is gone, taken or refuses.
    pub fn open_speaker<F>(&self, id: &str, period_ms: u32, make: impl FnOnce(DeviceFormat) -> F) -> Result<AudioStream, AudioFault>
    where
        F: FnMut(&mut [f32]) + Send + 'static,
    {
        let device = self.device(id)?;
        let config = device.default_output_config().map_err(fault)?;
        let filler = make(format_of(&config));
        let watch = Arc::new(Watch::default());
        let stream = match config.sample_format() {
            SampleFormat::I16 => play::<i16, F>(&device, &config, period_ms, filler, &watch),
            SampleFormat::I24 => play::<cpal::I24, F>(&device, &config, period_ms, filler, &watch),
            SampleFormat::I32 => play::<i32, F>(&device, &config, period_ms, filler, &watch),
            SampleFormat::U8 => play::<u8, F>(&device, &config, period_ms, filler, &watch),
            SampleFormat::U16 => play::<u16, F>(&device, &config, period_ms, filler, &watch),
            SampleFormat::F64 => play::<f64, F>(&device, &config, period_ms, filler, &watch),
            _ => play::<f32, F>(&device, &config, period_ms, filler, &watch),
        }?;
        running(stream, &config, watch)
    }

    fn device(&self, id: &str) -> Result<cpal::Device, AudioFault> {
        let mut devices = self.host.devices().map_err(fault)?;
        devices.find(|device| listed(device).is_some_and(|listed| listed.id == id)).ok_or(AudioFault::Gone)
    }
}

impl AudioStream {
    /// Whether the device is gone, so that this is silent for ever.
    pub fn is_lost(&self) -> bool {
        self.watch.lost.load(Ordering::Relaxed)
    }

    /// How often samples came too late: the system said so, or a speaker had asked for none for so long that it ran dry.
    pub fn glitches(&self) -> u64 {
        self.watch.glitches.load(Ordering::Relaxed)
    }

    /// How often the device has asked; one that no longer asks is as good as gone.
    pub fn calls(&self) -> u64 {
        self.watch.calls.load(Ordering::Relaxed)
    }
}

impl Drop for AudioStream {
    fn drop(&mut self) {
        // The end of a stream waits for the sound system, which may be what has gone.
        if let Some(stream) = self.stream.take()
            && let Err(error) = std::thread::Builder::new().name("sound-closer".into()).spawn(move || drop(stream))
        {
            tracing::warn!(%error, "a sound device is not closed");
        }
    }
}

fn listen<T, F>(
    device: &cpal::Device,
    config: &SupportedStreamConfig,
    period_ms: u32,
    mut taker: F,
    watch: &Arc<Watch>,
) -> Result<cpal::Stream, AudioFault>
where
    T: SizedSample,
    f32: FromSample<T>,
    F: FnMut(&[f32]) + Send + 'static,
{
    let (called, watch) = (watch.clone(), watch.clone());
    let mut scratch = scratch_for(config.channels());
    let data = move |data: &[T], _: &cpal::InputCallbackInfo| {
        if called.calls.fetch_add(1, Ordering::Relaxed) == 0 {
            priority::go_first();
        }
        for part in data.chunks(scratch.len()) {
            let into = &mut scratch[..part.len()];
            into.iter_mut().zip(part).for_each(|(into, sample)| *into = sample.to_sample::<f32>());
            taker(into);
        }
    };
    device.build_input_stream(asked(config, period_ms), data, move |error| watch.note(&error), Some(OPENING)).map_err(fault)
}

#[expect(clippy::disallowed_methods, reason = "the device's own thread is an edge, and reads the clock")]
fn play<T, F>(
    device: &cpal::Device,
    config: &SupportedStreamConfig,
    period_ms: u32,
    mut filler: F,
    watch: &Arc<Watch>,
) -> Result<cpal::Stream, AudioFault>
where
    T: SizedSample + FromSample<f32>,
    F: FnMut(&mut [f32]) + Send + 'static,
{
    let (called, watch) = (watch.clone(), watch.clone());
    let mut scratch = scratch_for(config.channels());
    let dry_after = Duration::from_millis(u64::from(2 * period_ms) + 1);
    let mut called_at: Option<Instant> = None;
    let data = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
        if called.calls.fetch_add(1, Ordering::Relaxed) == 0 {
            priority::go_first();
        }
        let now = Instant::now();
        if called_at.replace(now).is_some_and(|before| now.saturating_duration_since(before) > dry_after) {
            called.glitches.fetch_add(1, Ordering::Relaxed);
        }
        for part in data.chunks_mut(scratch.len()) {
            let from = &mut scratch[..part.len()];
            filler(from);
            part.iter_mut().zip(from).for_each(|(into, sample)| *into = sample.clamp(-1.0, 1.0).to_sample::<T>());
        }
    };
    device.build_output_stream(asked(config, period_ms), data, move |error| watch.note(&error), Some(OPENING)).map_err(fault)
}

impl Watch {
    /// A device that vanishes may call this millions of times: only flags are set.
    fn note(&self, error: &cpal::Error) {
        match error.kind() {
            ErrorKind::Xrun => {
                self.glitches.fetch_add(1, Ordering::Relaxed);
            }
            ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
            _ => self.lost.store(true, Ordering::Relaxed),
        }
    }
}

fn running(stream: cpal::Stream, config: &SupportedStreamConfig, watch: Arc<Watch>) -> Result<AudioStream, AudioFault> {
    stream.play().map_err(fault)?;
    Ok(AudioStream { stream: Some(stream), format: format_of(config), watch })
}

fn format_of(config: &SupportedStreamConfig) -> DeviceFormat {
    DeviceFormat { rate: config.sample_rate(), channels: config.channels() }
}

/// The device's own rate and channels, in short periods: the default buffer of some systems is a second long.
fn asked(config: &SupportedStreamConfig, period_ms: u32) -> StreamConfig {
    let period = config.sample_rate() * period_ms / 1_000;
    let buffer_size = match config.buffer_size() {
        SupportedBufferSize::Range { min, max } if (*min..=*max).contains(&period) => BufferSize::Fixed(period),
        SupportedBufferSize::Range { min, max } => BufferSize::Fixed(period.clamp(*min, *max)),
        SupportedBufferSize::Unknown => BufferSize::Default,
    };
    StreamConfig { channels: config.channels(), sample_rate: config.sample_rate(), buffer_size }
}

fn scratch_for(channels: u16) -> Box<[f32]> {
    vec![0.0; SCRATCH_FRAMES * usize::from(channels.max(1))].into()
}

fn listed(device: &cpal::Device) -> Option<AudioDevice> {
    let id = device.id().ok()?.id().to_owned();
    let name = device.description().map_or_else(|_| id.clone(), |description| description.name().to_owned());
    Some(AudioDevice { id, name })
}

/// Of ALSA's many names for each card, those that a person would choose.
fn is_worth_listing(id: &str) -> bool {
    id == "default" || id.starts_with("sysdefault:") || id.starts_with("plughw:")
}

fn has_cards() -> bool {
    !cfg!(target_os = "linux") || std::fs::read_to_string("/proc/asound/cards").is_ok_and(|cards| cards.contains('['))
}

/// Whether ALSA is told of devices that are no cards: sound over a network, or in a file.
fn has_alsa_settings() -> bool {
    let home = std::env::home_dir().unwrap_or_default();
    let named = std::env::var_os("ALSA_CONFIG_PATH").map(PathBuf::from);
    let usual = [home.join(".asoundrc"), home.join(".config/alsa/asoundrc"), PathBuf::from("/etc/asound.conf")];
    named.into_iter().chain(usual).any(|path| path.is_file())
}

fn fault(error: cpal::Error) -> AudioFault {
    match error.kind() {
        ErrorKind::DeviceNotAvailable => AudioFault::Gone,
        _ => AudioFault::Refused(error.to_string()),
    }
}

/// What a microphone gives at a time, where the machine keeps up. One that is asked too late loses nothing, so its sound comes soon.
pub const MICROPHONE_MS: u32 = 5;
/// What a speaker takes at a time, where the machine keeps up. PulseAudio keeps two such periods ahead, which is what it may be late by;
/// see [`AudioStream::glitches`].
pub const SPEAKER_MS: u32 = 10;
const SCRATCH_FRAMES: usize = 4_096;
/// A sound system that hangs must not hang us.
const OPENING: Duration = Duration::from_secs(2);
