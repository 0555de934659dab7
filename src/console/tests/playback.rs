//! A recording is played, paused and sought in the Media tab and along the ladder.

use super::*;
use crate::{
    engine::sound_desk::{Playback, SoundCommand, SoundSnapshot},
    model::RecordingFile,
};

/// The chosen call is recorded from its answer on, for a minute.
fn recorded() -> Arc<SampleBackend> {
    let backend = SampleBackend::filled();
    backend.change(|snapshot| {
        let calls = snapshot.calls.iter().map(|call| {
            let mut call = (**call).clone();
            if let Some(at) = call.answered_at.filter(|_| call.id == RETURNING) {
                let ended_at = Some(Timestamp(at.0 + 60_000_000));
                call.recording = Some(Box::new(RecordingFile { file: "call.wav".into(), started_at: at, ended_at, failed: None }));
            }
            Arc::new(call)
        });
        snapshot.calls = calls.collect();
    });
    backend
}

fn told(backend: &SampleBackend) -> Vec<SoundCommand> {
    let all = backend.sounds.lock().expect("nobody panicked").clone();
    all.into_iter().filter(|command| matches!(command, SoundCommand::PlayFile { .. } | SoundCommand::StopFile)).collect()
}

fn plays(backend: &SampleBackend, position_secs: f64, runs: bool) {
    let playing = Some(Playback { path: "call.wav".into(), position_secs, length_secs: 60.0, runs });
    let sound = SoundSnapshot { system: Some("PulseAudio"), playing, ..SoundSnapshot::default() };
    *backend.devices.lock().expect("nobody panicked") = Some(Arc::new(sound));
}

#[test]
fn a_recording_is_played_paused_and_goes_on_where_it_was() {
    let backend = recorded();
    let mut window = window(&backend);
    click(&mut window, "14:02:09 Returning customer@your-sbc.example.com call_routing conv-12345");
    click(&mut window, "Media");
    assert!(window.query_by_label("0:00 of 1:00").is_some());
    assert!(window.query_by_label_contains("nothing will be heard").is_some(), "without a device it says so");
    window.check_accessibility();
    click(&mut window, "Play");
    plays(&backend, 12.0, true);
    window.run_steps(4);
    assert!(window.query_by_label("0:12 of 1:00").is_some());
    click(&mut window, "Pause");
    plays(&backend, 12.0, false);
    window.run_steps(4);
    click(&mut window, "Play");
    let play = |from_secs: f64| SoundCommand::PlayFile { path: "call.wav".into(), from_secs };
    assert_eq!(told(&backend), [play(0.0), SoundCommand::StopFile, play(12.0)]);
}

#[test]
fn a_press_on_the_ladders_axis_goes_to_that_moment() {
    let backend = recorded();
    let mut window = window(&backend);
    click(&mut window, "14:02:09 Returning customer@your-sbc.example.com call_routing conv-12345");
    plays(&backend, 5.0, true);
    window.run_steps(4);
    window.check_accessibility();
    click(&mut window, "Place in the recording, along the ladder");
    let [SoundCommand::PlayFile { from_secs, .. }] = told(&backend)[..] else { panic!("{:?}", told(&backend)) };
    assert!(from_secs > 0.0 && from_secs < 60.0, "the middle of what is seen: {from_secs}");
}

#[test]
fn a_call_of_long_ago_still_shows_how_it_sounded() {
    let backend = SampleBackend::empty();
    backend.archive(3);
    let mut window = window(&backend);
    let app = window.state_mut().as_mut().expect("it is open");
    (app.state.call, app.state.tab) = (Some(CallId(999)), CallTab::Media);
    window.run_steps(6);
    assert!(window.query_by_label("Customer leg: waveform").is_some());
    assert!(window.query_by_label("MOS over the call: 4.38, 4.39").is_some());
    let drawn = &window.state().as_ref().expect("it is open").chosen.ladder;
    assert_eq!(drawn.bands[0].voices.len(), 2, "in the ladder, too");
}
