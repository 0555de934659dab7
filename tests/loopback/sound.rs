//! Live sound on a virtual card: what is said into the microphone is heard at the far end, and the far end at the speaker.

use std::{
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::support::{
    baresip::Baresip,
    hearing::{Burst, is_loud, share},
    program,
    sipp::Sipp,
    sound_card::SoundCard,
    until,
};

/// What a person says, and what the far end sends.
const SAID: f64 = 1_000.0;
const SENT: u32 = 440;

/// Sound needs its time: one of these tests after the other, or they would measure each other.
pub fn alone() -> MutexGuard<'static, ()> {
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

/// Four bursts every 3.1 seconds, at distances that no packet's rhythm knows, each of its own frequency.
const PERIOD: f64 = 3.1;
const BEGINS: [f64; 4] = [0.2, 0.75, 1.5, 2.45];
const TO: [f64; 4] = [500.0, 700.0, 900.0, 1_200.0];
const FRO: [f64; 4] = [600.0, 800.0, 1_000.0, 1_400.0];

fn burst_at(tones: [f64; 4], at: f64) -> f64 {
    let of_period = at % PERIOD;
    BEGINS.iter().zip(tones).find(|(begin, _)| (**begin..**begin + 0.15).contains(&of_period)).map_or(0.0, |(_, hz)| hz)
}

/// How long after they were said bursts were heard, of which at least so many agree to within so many seconds, and each tone was heard.
fn heard_at_their_time(said: &[Burst], heard: &[Burst], least: usize, within: f64) -> Option<f64> {
    let late = |burst: &Burst| {
        let of_tone = heard.iter().filter(|heard| heard.hz == burst.hz);
        of_tone.map(|heard| heard.at - burst.at).find(|secs| (0.0..1.0).contains(secs))
    };
    if !said.iter().all(|burst| heard.iter().any(|heard| heard.hz == burst.hz)) {
        return None;
    }
    // On a busy machine sound has gaps, and buffers grow: those that agree count.
    let late: Vec<f64> = said.iter().filter_map(late).collect();
    let agree = |with: &f64| late.iter().filter(|one| (0.0..within).contains(&(*one - with))).count();
    late.iter().copied().find(|one| agree(one) >= least)
}

/// A person and baresip, each at devices of its own: bursts go both ways, and are found where they belong.
fn bursts_cross_both_ways_in(codec: &str) {
    let _alone = alone();
    let card = SoundCard::start();
    card.adds("spk2", 1);
    card.adds("mic2", 1);
    card.adds_microphone("mic2", "micin2");
    let account = format!("audio_codecs={codec};answermode=auto");
    let mut agent = Baresip::with(&account, "pulse,micin2", "pulse,spk2", |command| card.gives(command));
    let epoch = Instant::now();
    let [said, far_hears, far_says, heard] = ["mic", "spk2", "mic2", "spk"].map(|sink| card.hears(sink, 1, epoch));
    let child = call(Some(&card), agent.port, &["--hang-up-after", "60s"]);
    agent.sees("CALL_ESTABLISHED");
    let mut voices = [card.plays("mic", 60, |at| burst_at(TO, at)), card.plays("mic2", 60, |at| burst_at(FRO, at))];
    let mut looked_at = 0.0;
    until(&format!("{codec}: bursts are heard both ways"), || {
        // Looking costs: once for each turn of bursts.
        if said.secs() < looked_at + PERIOD {
            return None;
        }
        looked_at = said.secs();
        let there = heard_at_their_time(&said.bursts(&TO), &far_hears.bursts(&TO), 6, 0.03)?;
        let back = heard_at_their_time(&far_says.bursts(&FRO), &heard.bursts(&FRO), 4, 0.05)?;
        // How long the way is, the benchmark measures.
        [there, back].iter().all(|secs| (0.02..0.6).contains(secs)).then_some(())
    });
    agent.hangs_up();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", outcome(&output));
    voices.iter_mut().for_each(|voice| drop((voice.kill(), voice.wait())));
}

#[test]
fn bursts_are_heard_both_ways_at_their_time_in_pcmu() {
    bursts_cross_both_ways_in("pcmu");
}

#[test]
fn bursts_are_heard_both_ways_at_their_time_in_pcma() {
    bursts_cross_both_ways_in("pcma");
}

#[test]
fn bursts_are_heard_both_ways_at_their_time_in_g722() {
    bursts_cross_both_ways_in("g722/16000/1");
}

#[test]
fn bursts_are_heard_both_ways_at_their_time_in_opus() {
    bursts_cross_both_ways_in("opus/48000/2");
}

/// Waits for a second at a sink in which a tone is heard, or (0) nothing is.
fn plays(card: &SoundCard, sink: &str, hz: f64) {
    let ear = card.hears(sink, 1, Instant::now());
    let mut looked_at = 0.0;
    until(&format!("{sink} plays {hz} Hz"), || {
        let newest = ear.newest(0, 1.0).filter(|_| ear.secs() > looked_at + 0.25)?;
        looked_at = ear.secs();
        let as_due = if hz > 0.0 { share(&newest, 48_000.0, hz) > 0.35 } else { !is_loud(&newest) };
        as_due.then_some(())
    });
}

#[test]
fn a_speaker_that_is_pulled_out_in_mid_call_gives_way_and_is_taken_again() {
    let _alone = alone();
    let card = SoundCard::start();
    card.pactl(&["load-module", "module-null-sink", "sink_name=spare", "rate=44100", "channels=1", "norewinds=1"]);
    let mut agent = Baresip::start(SENT, "pcmu", true);
    let mut child = call(Some(&card), agent.port, &["--hang-up-after", "60s"]);
    agent.sees("CALL_ESTABLISHED");
    plays(&card, "spk", SENT.into());
    card.pull_out("spk");
    card.pactl(&["set-default-sink", "spare"]);
    plays(&card, "spare", SENT.into());
    card.plug_in_speaker();
    plays(&card, "spk", SENT.into());
    assert!(child.try_wait().unwrap().is_none(), "the call goes on all the while");
    agent.hangs_up();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", outcome(&output));
}

#[test]
fn a_microphone_that_is_pulled_out_in_mid_call_leaves_silence_and_is_taken_again() {
    let _alone = alone();
    let card = SoundCard::start();
    card.adds("spk2", 1);
    let mut agent = Baresip::with("audio_codecs=pcmu;answermode=auto", "ausine,440", "pulse,spk2", |command| card.gives(command));
    let mut child = call(Some(&card), agent.port, &["--hang-up-after", "60s"]);
    agent.sees("CALL_ESTABLISHED");
    let mut voice = card.says(SAID, 60);
    plays(&card, "spk2", SAID);
    card.pull_out("micin");
    plays(&card, "spk2", 0.0);
    card.plug_in_microphone();
    plays(&card, "spk2", SAID);
    assert!(child.try_wait().unwrap().is_none(), "the call goes on all the while");
    agent.hangs_up();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", outcome(&output));
    let _ = (voice.kill(), voice.wait());
}

/// What SIPp as the far side wants to see.
const CONTEXT: [&str; 6] = ["--task", "billing", "--conversation", "c-77", "--iv", "accountNumber=acct-4711-blue"];

/// Waits for a stretch of a tone that is as long as it should be, with silence on both sides.
fn cadence(card: &SoundCard, hz: f64, on_secs: f64, begin: impl FnOnce() -> Child) -> Child {
    let ear = card.hears("spk", 1, Instant::now());
    until("the speaker is listened to", || (ear.secs() > 0.0).then_some(()));
    let child = begin();
    let mut looked_at = 0.0;
    until(&format!("{hz} Hz for {on_secs} s"), || {
        let heard = ear.newest(0, ear.secs()).filter(|_| ear.secs() > looked_at + 0.25)?;
        looked_at = ear.secs();
        let on: Vec<bool> = heard.chunks_exact(2_400).map(|part| share(part, 48_000.0, hz) > 0.3).collect();
        // Stretches in parts of 50 ms; a gap of up to four is a busy machine's.
        let (mut stretches, mut last) = (Vec::<(usize, usize)>::new(), None);
        for at in on.iter().enumerate().filter(|(_, on)| **on).map(|(at, _)| at) {
            match stretches.last_mut().filter(|_| last.is_some_and(|last| at - last <= 5)) {
                Some((_, end)) => *end = at + 1,
                None => stretches.push((at, at + 1)),
            }
            last = Some(at);
        }
        let due = on_secs * 20.0;
        let whole = |(begin, end): &(usize, usize)| *begin > 0 && end + 5 < on.len() && ((end - begin) as f64 - due).abs() <= 0.4 * due;
        stretches.iter().any(whole).then_some(())
    });
    child
}

#[test]
fn a_far_side_that_rings_is_heard_to_ring() {
    let _alone = alone();
    let card = SoundCard::start();
    let far = Sipp::called("agent_only_rings").start();
    let child = cadence(&card, 425.0, 1.0, || call(Some(&card), far.port, &CONTEXT));
    // Ctrl-C takes the call back.
    assert!(program("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    far.ends_well();
    child.wait_with_output().unwrap();
}

#[test]
fn a_far_side_that_is_busy_is_heard_to_be() {
    let _alone = alone();
    let card = SoundCard::start();
    let far = Sipp::called("agent_is_busy").start();
    let child = cadence(&card, 425.0, 0.5, || call(Some(&card), far.port, &CONTEXT));
    far.ends_well();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", outcome(&output));
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

/// ALSA alone, told of a card that is not there.
#[test]
fn an_alsa_default_that_can_not_be_opened_is_named() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".asoundrc"), "pcm.!default { type hw card 31 }\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_handback"));
    command.env("HOME", home.path()).env("PULSE_SERVER", "unix:/nonexistent").env("XDG_RUNTIME_DIR", "/nonexistent");
    let output = command.args(["call", "sip:phone@127.0.0.1:9", "--audio", "mic"]).output().unwrap();
    if std::fs::read_to_string("/proc/asound/cards").is_ok_and(|cards| cards.contains('[')) {
        return;
    }
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{}", outcome(&output));
    assert!(told.contains("can't be used") && told.contains("--audio tone"), "{told}");
}
