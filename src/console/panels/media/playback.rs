//! The recording of a call, played: where it stands in time, and where a press leads.

use crate::{
    console::{action::Face, text::length, theme::Icon},
    engine::sound_desk::{Playback, SoundSnapshot},
    model::{CallId, CallRecord, Timestamp},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Play(CallId),
    Pause(CallId),
    /// To what was said then.
    Seek(CallId, Timestamp),
}

/// Where a recording that does not play goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paused {
    pub call: CallId,
    pub at_secs: f64,
}

/// The recording of the call that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    pub call: CallId,
    pub runs: bool,
    /// The moment that is heard, or would be next.
    pub at: Timestamp,
    pub from: Timestamp,
    pub until: Timestamp,
    /// `0:12 of 1:05`
    pub words: String,
    /// Why it can't be heard.
    pub silent: Option<String>,
}

impl Act {
    pub fn face(&self) -> Face {
        match self {
            Self::Play(_) => Face::new("Play", "Hear the recording, the customer at the left").icon(Icon::TestCall),
            Self::Pause(_) => Face::new("Pause", "Stop here").icon(Icon::Pause),
            Self::Seek(..) => Face::new("Go there", "Hear what was said at this moment"),
        }
    }
}

impl Player {
    /// How far it is, from 0 to 1.
    pub fn share(&self) -> f32 {
        let all = self.until.micros_since(self.from).max(1) as f32;
        (self.at.micros_since(self.from) as f32 / all).clamp(0.0, 1.0)
    }

    /// The moment at so much of the whole.
    pub fn moment(&self, share: f32) -> Timestamp {
        Timestamp(self.from.0 + (self.until.micros_since(self.from) as f64 * f64::from(share.clamp(0.0, 1.0))) as u64)
    }
}

/// `None` where the call was not recorded.
pub fn player(call: &CallRecord, sound: Option<&SoundSnapshot>, paused: Option<Paused>, now: Timestamp) -> Option<Player> {
    let recording = call.recording.as_deref()?;
    let (from, until) = (recording.started_at, recording.ended_at.unwrap_or(now));
    let playing = sound.and_then(|sound| sound.playing.as_ref()).filter(|playing| playing.path == recording.file);
    let runs = playing.is_some_and(|playing| playing.runs);
    let secs = match (playing.filter(|_| runs), paused.filter(|paused| paused.call == call.id)) {
        (Some(Playback { position_secs, .. }), _) => *position_secs,
        (None, Some(paused)) => paused.at_secs,
        (None, None) => 0.0,
    };
    let at = Timestamp((from.0 + micros(secs)).min(until.0.max(from.0)));
    Some(Player {
        call: call.id,
        runs,
        at,
        from,
        until,
        words: format!("{} of {}", length(at.micros_since(from)), length(until.micros_since(from))),
        silent: match sound {
            None => Some("There is no sound on this machine: nothing will be heard".to_owned()),
            Some(sound) => sound.speaker.trouble("speaker").filter(|_| sound.speaker.device.is_none()),
        },
    })
}

/// Where in the file a moment lies, in seconds.
pub fn position(call: &CallRecord, at: Timestamp) -> Option<f64> {
    let recording = call.recording.as_deref()?;
    Some(at.micros_since(recording.started_at) as f64 / 1e6)
}

fn micros(secs: f64) -> u64 {
    (secs.max(0.0) * 1e6) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RecordingFile;

    fn recorded() -> CallRecord {
        let mut call = CallRecord::new(CallId(1), Timestamp(0));
        let file = RecordingFile { file: "r.wav".into(), started_at: secs(10), ended_at: Some(secs(75)), failed: None };
        call.recording = Some(Box::new(file));
        call
    }

    fn secs(n: u64) -> Timestamp {
        Timestamp(n * 1_000_000)
    }

    #[test]
    fn a_recording_stands_at_the_moment_that_is_heard() {
        let mut sound = SoundSnapshot::default();
        let stopped = player(&recorded(), Some(&sound), None, secs(99)).expect("it is recorded");
        assert_eq!((stopped.at, stopped.runs, stopped.words.as_str()), (secs(10), false, "0:00 of 1:05"));
        let paused = Some(Paused { call: CallId(1), at_secs: 12.0 });
        assert_eq!(player(&recorded(), Some(&sound), paused, secs(99)).expect("it is").at, secs(22));
        sound.playing = Some(Playback { path: "r.wav".into(), position_secs: 30.0, length_secs: 65.0, runs: true });
        let runs = player(&recorded(), Some(&sound), paused, secs(99)).expect("it is");
        assert_eq!((runs.at, runs.runs), (secs(40), true));
        assert_eq!(runs.moment(runs.share()), secs(40));
        sound.playing = Some(Playback { path: "another.wav".into(), position_secs: 30.0, length_secs: 65.0, runs: true });
        assert!(!player(&recorded(), Some(&sound), None, secs(99)).expect("it is").runs, "another file");
    }

    #[test]
    fn what_goes_on_is_as_long_as_it_is_by_now_and_what_is_not_recorded_has_no_player() {
        let mut call = recorded();
        call.recording.as_mut().expect("it is").ended_at = None;
        assert_eq!(player(&call, None, None, secs(20)).expect("it is").words, "0:00 of 0:10");
        assert_eq!(position(&call, secs(14)), Some(4.0));
        assert_eq!(position(&call, secs(4)), Some(0.0), "before it began");
        call.recording = None;
        assert_eq!(player(&call, None, None, secs(20)), None);
    }
}
