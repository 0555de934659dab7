//! Live sound on a virtual card: what is said into the microphone is heard at the far end, and the far end at the speaker.

use std::{
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::support::{baresip::Baresip, sound_card::SoundCard, tone::purity, until};

/// What a person says, and what the far end sends.
const SAID: f64 = 1_000.0;
const SENT: u32 = 440;
/// A second at the card's rate.
const SECOND: usize = 48_000;

/// Sound needs its time: one of these tests after the other, or they would measure each other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn call(card: Option<&SoundCard>, port: u16, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handback"));
    match card {
        Some(card) => card.gives(&mut command),
        None => {
            command.env("PULSE_SERVER", "unix:/nonexistent").env("XDG_RUNTIME_DIR", "/nonexistent");
        }
    }
    command.args(["call", &format!("sip:phone@127.0.0.1:{port}"), "--audio", "mic", "--json"]).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn outcome(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Seconds in which a tone is heard, by parts of 50 ms: a clock that is bent by a thousandth, or a gap on a busy machine, spoils
/// a whole second's purity and not what is heard.
fn secs_of(samples: &[i16], rate: f64, hz: f64) -> f64 {
    let part = (rate / 20.0) as usize;
    let loud = |samples: &[i16]| samples.iter().map(|sample| f64::from(sample.unsigned_abs())).sum::<f64>() > 300.0 * samples.len() as f64;
    samples.chunks_exact(part).filter(|part| loud(part) && purity(part, rate, hz) > 0.8).count() as f64 / 20.0
}

fn a_person_hears_and_is_heard_by_baresip(codec: &str) {
    let _alone = alone();
    let card = SoundCard::start();
    let mut agent = Baresip::start(SENT, codec, true);
    let ear = card.listens_to("spk");
    let mut voice = card.says(SAID, 30);
    let child = call(Some(&card), agent.port, &["--hang-up-after", "60s"]);
    agent.sees("CALL_ESTABLISHED");
    // On a busy machine sound has gaps: the call goes on until enough of it was whole.
    let (mut looked_at, mut whole) = (0, 0.0);
    until(&format!("{codec}: the speaker plays the far end"), || {
        let played = ear.so_far();
        while let Some(second) = played.get(looked_at..looked_at + SECOND) {
            whole += secs_of(second, 48_000.0, f64::from(SENT));
            looked_at += SECOND;
        }
        (whole > 2.0).then_some(())
    });
    agent.hangs_up();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", outcome(&output));
    let (heard, rate) = agent.heard();
    let secs = secs_of(&heard, rate, SAID);
    assert!(secs > 0.5, "{codec}: the far end hears the microphone for {secs} s");
    let _ = (voice.kill(), voice.wait());
}

#[test]
fn a_person_hears_and_is_heard_in_pcmu() {
    a_person_hears_and_is_heard_by_baresip("pcmu");
}

#[test]
fn a_person_hears_and_is_heard_in_pcma() {
    a_person_hears_and_is_heard_by_baresip("pcma");
}

#[test]
fn a_person_hears_and_is_heard_in_g722() {
    a_person_hears_and_is_heard_by_baresip("g722/16000/1");
}

#[test]
fn a_person_hears_and_is_heard_in_opus() {
    a_person_hears_and_is_heard_by_baresip("opus/48000/2");
}

#[test]
fn a_speaker_that_is_pulled_out_in_mid_call_gives_way_and_is_taken_again() {
    let _alone = alone();
    let card = SoundCard::start();
    card.pactl(&["load-module", "module-null-sink", "sink_name=spare", "rate=44100", "channels=1", "norewinds=1"]);
    let mut agent = Baresip::start(SENT, "pcmu", true);
    let mut child = call(Some(&card), agent.port, &["--hang-up-after", "60s"]);
    agent.sees("CALL_ESTABLISHED");
    let plays = |sink: &str| {
        let ear = card.listens_to(sink);
        until(&format!("{sink} plays the far end"), || {
            let heard = ear.so_far();
            let newest = heard.get(heard.len().checked_sub(SECOND)?..)?;
            (secs_of(newest, 48_000.0, f64::from(SENT)) > 0.6).then_some(())
        });
    };
    plays("spk");
    card.pull_out_speaker();
    card.pactl(&["set-default-sink", "spare"]);
    plays("spare");
    card.plug_in_speaker();
    plays("spk");
    assert!(child.try_wait().unwrap().is_none(), "the call goes on all the while");
    agent.hangs_up();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", outcome(&output));
}

#[test]
fn without_a_sound_system_it_says_so_and_names_the_tone() {
    let output = call(None, 9, &[]).wait_with_output().unwrap();
    // A machine with cards of its own would place the call.
    if std::fs::read_to_string("/proc/asound/cards").is_ok_and(|cards| cards.contains('[')) {
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{}", outcome(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--audio tone"), "{}", outcome(&output));
}
