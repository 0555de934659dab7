//! Recordings of the window: playing, pausing and seeking, through the sound desk.

use super::{
    app::App,
    panels::media::playback::{Act, Paused, Player, player, position},
};
use crate::{engine::sound_desk::SoundCommand, model::CallId};

impl App {
    pub(super) fn play(&mut self, act: &Act) {
        match act {
            Act::Play(call) => {
                let Some(shown) = self.player_of(*call) else { return };
                // What has come to its end begins again.
                let at_secs = if shown.at >= shown.until { 0.0 } else { shown.at.micros_since(shown.from) as f64 / 1e6 };
                self.play_from(*call, at_secs);
            }
            Act::Pause(call) => {
                let Some(shown) = self.player_of(*call) else { return };
                self.state.paused = Some(Paused { call: *call, at_secs: shown.at.micros_since(shown.from) as f64 / 1e6 });
                self.backend.tell_sound(SoundCommand::StopFile);
            }
            Act::Seek(call, at) => {
                let runs = self.player_of(*call).is_some_and(|shown| shown.runs);
                let Some(at_secs) = self.book.find(*call).and_then(|record| position(record, *at)) else { return };
                self.state.paused = Some(Paused { call: *call, at_secs });
                if runs {
                    self.play_from(*call, at_secs);
                }
            }
        }
    }

    /// The chosen call's recording, as it stands.
    pub(super) fn player_of(&self, call: CallId) -> Option<Player> {
        player(self.book.find(call)?, self.backend.devices().as_deref(), self.state.paused, self.now)
    }

    fn play_from(&mut self, call: CallId, from_secs: f64) {
        let Some(recording) = self.book.find(call).and_then(|record| record.recording.clone()) else { return };
        self.state.paused = Some(Paused { call, at_secs: from_secs });
        self.backend.tell_sound(SoundCommand::PlayFile { path: recording.file, from_secs });
    }
}
