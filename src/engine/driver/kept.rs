//! Recordings, between the parties that ask for them, the media threads that hand them out, and the recorder.

use super::Driver;
use crate::{
    engine::recorder::{Fault, Source},
    media::{Second, StreamId},
    model::{CallEvent, CallId, Command, Finding, Party, Severity, Timestamp},
    party::Input,
};

impl Driver {
    /// A party has asked its media thread to hand a stream's sound out, or to end that.
    pub(super) fn keep(&mut self, index: usize, party: u8, at: Timestamp, stream: StreamId, on: bool) {
        let Some(call) = self.call_of(index, stream) else { return };
        let known = self.publisher.record(call).and_then(|record| record.recording.clone());
        match (&known, on) {
            (Some(recording), true) if recording.goes_on() => {}
            (_, true) => {
                let known = known.as_ref().map(|recording| (recording.file.as_path(), recording.started_at));
                let file = self.recorder.begin((party, stream), call, at, known);
                self.tell(index, party, at, call, CallEvent::RecordingStarted { file });
            }
            (Some(recording), false) if recording.goes_on() => {
                self.tell(index, party, at, call, CallEvent::RecordingEnded { failed: None });
            }
            (_, false) => {}
        }
    }

    pub(super) fn keep_second(&mut self, index: usize, stream: StreamId, second: Second, last: bool) {
        self.recorder.take(source(index, stream), second, last);
    }

    /// The call goes on without it.
    pub(super) fn recording_failed(&mut self, fault: Fault) {
        let Fault { source: (party, _), call, why } = fault;
        let (index, at) = (usize::from(party), self.clock.wall(self.clock.now()));
        let finding = Finding::new(
            "recording-failed",
            Severity::Error,
            Party::Bridge,
            why.clone(),
            "The rest of the call is not recorded; the call itself goes on",
            "Free space on that disk, or name another folder in [recording] folder",
        );
        self.tell(index, party, at, call, CallEvent::FindingRaised { finding });
        self.tell(index, party, at, call, CallEvent::RecordingEnded { failed: Some(why) });
        self.next_command += 1;
        self.step(index, Input::Command { id: self.next_command, command: Command::Record { call, on: false } });
    }

    fn call_of(&self, index: usize, stream: StreamId) -> Option<CallId> {
        let streams = &self.nodes.get(index)?.streams;
        streams.iter().find(|(_, streams)| streams.contains(&stream)).map(|(call, _)| *call)
    }
}

fn source(index: usize, stream: StreamId) -> Source {
    (u8::try_from(index).unwrap_or_default(), stream)
}
