//! What the devices' threads and everybody else share: volumes, mutes and meters, each a number of its own.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::meter::Meter;
use crate::{engine::line_ends::place_of, media::Line};

/// Shared by the desk, its handles and the devices.
#[derive(Debug)]
pub struct Controls {
    volumes: [AtomicU32; SOURCES],
    muted: [AtomicBool; 2],
    /// What is heard of each source, after its volume.
    pub heard: [Meter; SOURCES],
    /// What each microphone hears.
    pub spoken: [Meter; 2],
    /// Gaps in what should have been heard: samples that came too late.
    pub gaps: AtomicU32,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            volumes: std::array::from_fn(|_| AtomicU32::new(1.0f32.to_bits())),
            muted: Default::default(),
            heard: Default::default(),
            spoken: Default::default(),
            gaps: AtomicU32::new(0),
        }
    }
}

impl Controls {
    /// 0 to 1, as the ear takes it: half is half as loud.
    pub fn set_volume(&self, source: usize, volume: f32) {
        if let Some(place) = self.volumes.get(source) {
            place.store(volume.clamp(0.0, 1.0).to_bits(), Ordering::Relaxed);
        }
    }

    pub fn volume(&self, source: usize) -> f32 {
        self.volumes.get(source).map_or(0.0, |place| f32::from_bits(place.load(Ordering::Relaxed)))
    }

    /// What samples are multiplied with.
    pub fn gain(&self, source: usize) -> f32 {
        self.volume(source).powi(2)
    }

    pub fn mute(&self, line: Line, on: bool) {
        if let Some(place) = self.muted.get(place_of(line)) {
            place.store(on, Ordering::Relaxed);
        }
    }

    pub fn is_muted(&self, line: Line) -> bool {
        self.muted.get(place_of(line)).is_some_and(|place| place.load(Ordering::Relaxed))
    }
}

/// The three lines, and the desk's own tones and recordings.
pub const SOURCES: usize = 4;
/// The desk's own.
pub const OWN: usize = 3;
