//! What everyone outside the desk holds: commands in, a snapshot and levels out. Nothing here waits.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    thread::Thread,
};

use arc_swap::ArcSwap;

use super::{Level, Line, Tone};
use crate::{engine::line_ends::place_of, model::settings::Sound};

pub use crate::wire::audio_device::AudioDevice as Device;

/// To the desk.
#[derive(Debug, Clone, PartialEq)]
pub enum SoundCommand {
    /// Other devices, another volume, another ring.
    Settings(Sound),
    /// Opens the devices of a line before it is in a call (or lets them close): for a phone about to ring, and for meters.
    Keep {
        line: Line,
        open: bool,
    },
    /// Nothing is heard of the person on that line.
    Mute {
        line: Line,
        on: bool,
    },
    /// 0 to 1.
    Volume {
        line: Line,
        volume: f32,
    },
    /// At the speaker of the phone and, of a ring, of the operator.
    Play(Tone),
    /// Ends a tone of that kind.
    Stop(Tone),
    /// Plays a WAV file at the speaker; what played before ends.
    PlayFile {
        path: PathBuf,
        from_secs: f64,
    },
    StopFile,
    /// Looks for devices at once.
    Look,
}

/// One microphone or speaker, as it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct End {
    /// What is used, or will be when it is needed.
    pub device: Option<Device>,
    pub follows_default: bool,
    /// What was chosen and is not there.
    pub missing: Option<String>,
    pub open: bool,
    /// Of the open device, in samples a second.
    pub rate: Option<u32>,
    /// Why it can't be opened.
    pub fault: Option<String>,
}

impl End {
    /// What a person is to know, if anything is wrong.
    pub fn trouble(&self, what: &str) -> Option<String> {
        match (&self.device, &self.missing, &self.fault) {
            (None, ..) => Some(format!("No {what} is plugged in")),
            (Some(device), _, Some(fault)) => Some(format!("{} can't be used: {fault}", device.name)),
            (Some(device), Some(missing), None) => Some(format!("{missing} is not plugged in; {} is used instead", device.name)),
            (Some(_), None, None) => None,
        }
    }
}

/// Everything but the levels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SoundSnapshot {
    /// The sound system that answers; `None`: there is none on this machine.
    pub system: Option<&'static str>,
    pub microphones: Vec<Device>,
    pub speakers: Vec<Device>,
    pub default_microphone: Option<String>,
    pub default_speaker: Option<String>,
    pub microphone: End,
    pub speaker: End,
    /// The operator's own, where the settings name others.
    pub agent_microphone: Option<End>,
    pub agent_speaker: Option<End>,
    pub settings: Sound,
    /// By [`Line`]: the phone's, then the operator's.
    pub muted: [bool; 2],
    /// By [`Line`].
    pub volumes: [f32; 3],
    pub playing: Option<Playback>,
    /// Gaps in what was heard since the start: samples that came too late.
    pub gaps: u32,
    /// The same of what was said.
    pub missed: u32,
    /// The last file that could not be played, and why.
    pub fault: Option<String>,
}

impl SoundSnapshot {
    pub fn is_muted(&self, line: Line) -> bool {
        self.muted.get(place_of(line)).copied().unwrap_or(false)
    }

    pub fn volume(&self, line: Line) -> f32 {
        self.volumes.get(place_of(line)).copied().unwrap_or(1.0)
    }

    /// The operator's microphone: its own, or the one that there is.
    pub fn operator_microphone(&self) -> &End {
        self.agent_microphone.as_ref().unwrap_or(&self.microphone)
    }

    pub fn operator_speaker(&self) -> &End {
        self.agent_speaker.as_ref().unwrap_or(&self.speaker)
    }
}

/// A recording under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Playback {
    pub path: PathBuf,
    pub position_secs: f64,
    pub length_secs: f64,
    /// False: it has come to its end.
    pub runs: bool,
}

/// How loud it is now, eased as a meter wants it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Levels {
    pub microphone: Level,
    pub agent_microphone: Level,
    /// What is heard on each line, by [`Line`].
    pub heard: [Level; 3],
}

impl Levels {
    pub fn heard(&self, line: Line) -> Level {
        self.heard.get(place_of(line)).copied().unwrap_or_default()
    }
}

/// Cheap to clone. The desk ends with its last handle.
#[derive(Clone)]
pub struct SoundHandle {
    pub(super) commands: mpsc::SyncSender<SoundCommand>,
    pub(super) thread: Thread,
    pub(super) shared: Arc<Shared>,
}

/// What the desk shows.
pub(super) struct Shared {
    pub snapshot: ArcSwap<SoundSnapshot>,
    pub levels: Mutex<Levels>,
    pub waker: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl SoundHandle {
    /// Tells the desk. One that is too busy to take it loses it: it is behind by a thousand commands then.
    pub fn send(&self, command: SoundCommand) {
        if let Err(error) = self.commands.try_send(command) {
            tracing::warn!(%error, "the sound desk does not listen");
        }
        self.thread.unpark();
    }

    pub fn snapshot(&self) -> Arc<SoundSnapshot> {
        self.shared.snapshot.load_full()
    }

    /// Has `waker` called after each new snapshot, from the desk's thread. Only the first one is kept.
    pub fn on_change(&self, waker: impl Fn() + Send + Sync + 'static) {
        let _ = self.shared.waker.set(Box::new(waker));
    }

    pub fn levels(&self) -> Levels {
        *self.shared.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
