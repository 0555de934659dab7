//! This machine's microphone and speaker as the caller's phone of `handback call --audio mic`.

use std::time::Duration;

use crate::{
    config,
    engine::{
        EngineHandle,
        sound_desk::{Line, SoundCommand, SoundDesk, SoundHandle, Tone, rings_silently, sounds_busy},
    },
    model::{CallId, CallRecord},
};

/// Open devices.
pub struct Phone(SoundHandle);

impl Phone {
    /// Opens the devices that the settings file names, or the system's defaults.
    ///
    /// # Errors
    /// There is no microphone that can be used; one sentence that says what to do. A missing speaker is told, no more.
    pub fn open(engine: &EngineHandle) -> Result<Self, String> {
        let lines = engine.take_lines().ok_or("the sound devices are in use by this program already")?;
        let sound = config::find().and_then(|path| config::load(Some(&path)).ok()).map(|settings| settings.sound).unwrap_or_default();
        let handle = SoundDesk::start(lines, sound).map_err(|error| error.to_string())?;
        handle.send(SoundCommand::Keep { line: Line::Phone, open: true });
        for _ in 0..PATIENCE_TICKS {
            let now = handle.snapshot();
            if now.microphone.open && (now.speaker.open || now.speaker.device.is_none() || now.speaker.fault.is_some()) {
                if let Some(trouble) = now.speaker.trouble("speaker") {
                    eprintln!("handback call: {trouble}; the far side is not heard");
                }
                return Ok(Self(handle));
            }
            std::thread::park_timeout(TICK);
        }
        let now = handle.snapshot();
        let why = match now.system {
            None => "no sound system answers: neither PulseAudio (or PipeWire) nor an ALSA sound card is there".to_owned(),
            Some(_) => now.microphone.trouble("microphone").unwrap_or_else(|| "the microphone can't be opened in time".to_owned()),
        };
        Err(format!("--audio mic: {why}. --audio tone calls without one"))
    }

    /// Has the caller hear what the far side's ringing sounds like, until the engine ends.
    pub async fn ring_along(&self, engine: &EngineHandle, call: CallId) {
        let mut news = engine.watch_events();
        let mut rings = false;
        loop {
            news.borrow_and_update();
            let snapshot = engine.snapshot_now().await;
            let ringing = snapshot.calls.iter().find(|record| record.id == call).is_some_and(|record| rings_silently(record));
            if std::mem::replace(&mut rings, ringing) != ringing {
                self.0.send(if ringing { SoundCommand::Play(Tone::Ringback) } else { SoundCommand::Stop(Tone::Ringback) });
            }
            if news.changed().await.is_err() {
                return;
            }
        }
    }

    /// A caller who was refused hears it, for as long as that takes to be understood or until Ctrl-C.
    pub async fn sound_end(&self, record: &CallRecord) {
        self.0.send(SoundCommand::Stop(Tone::Ringback));
        if sounds_busy(record) && self.0.snapshot().speaker.open {
            self.0.send(SoundCommand::Play(Tone::Busy));
            let _ = tokio::time::timeout(BUSY, tokio::signal::ctrl_c()).await;
        }
    }
}

/// Three times on and off.
const BUSY: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(20);
/// Four seconds: a sound system that hangs is given up after two.
const PATIENCE_TICKS: usize = 200;
