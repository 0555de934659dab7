//! Calls with people at both ends, in this process: the caller and the operator each with devices of their own.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use handback::{
    config,
    engine::{
        EngineHandle,
        sound_desk::{SoundDesk, SoundHandle},
    },
    model::{AudioSource, CallId, CallRecord, Command, ListenSide, TestCall, settings::Sound},
    start,
};

use super::{
    clicks::{capture, delays, play},
    support::{baresip::Baresip, bridge::Bridge, until},
};

/// The engine with the devices that the settings name.
fn begin(folder: &Path, agent: &str) -> (EngineHandle, SoundHandle) {
    let file = folder.join("handback.toml");
    let text = format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\n[control]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite::memory:\"\n{PEER}{agent}\
         [sound]\nmicrophone = \"micin\"\nspeaker = \"spk\"\nagent_microphone = \"micin2\"\nagent_speaker = \"spk2\"\nvolume = 100\n"
    );
    fs::write(&file, text).unwrap();
    let settings = config::load(Some(&file)).unwrap();
    let sound: Sound = settings.sound.clone();
    let engine = start::engine(settings).unwrap();
    let desk = SoundDesk::start(engine.take_lines().unwrap(), sound).unwrap();
    (engine, desk)
}

const PEER: &str = "[[peers]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n[peers.return]\nmethod = \"BYE\"\n";

fn command(runtime: &tokio::runtime::Runtime, engine: &EngineHandle, command: Command) -> CallId {
    runtime.block_on(engine.command(command)).unwrap()
}

fn find(runtime: &tokio::runtime::Runtime, engine: &EngineHandle, wanted: impl Fn(&CallRecord) -> bool) -> Option<Arc<CallRecord>> {
    runtime.block_on(engine.snapshot_now()).calls.iter().find(|call| wanted(call)).cloned()
}

fn place(runtime: &tokio::runtime::Runtime, engine: &EngineHandle, audio: AudioSource) -> CallId {
    let call = TestCall { audio, ..TestCall::default() };
    command(runtime, engine, Command::PlaceTestCall { call: Box::new(call) })
}

pub fn mouth_to_ear(secs: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    println!("{:<44} {:>7} {:>9} {:>9} {:>9}", "mouth to ear, PCMU, packets of 20 ms", "clicks", "median ms", "p95 ms", "worst ms");
    {
        let (engine, desk) = begin(folder.path(), "[agent]\nkind = \"operator\"\n");
        place(&runtime, &engine, AudioSource::Microphone);
        let waits = until("the call waits for the operator", || find(&runtime, &engine, |call| call.operator.is_some()));
        command(&runtime, &engine, Command::Answer { call: waits.id });
        until("both are at their devices", || {
            let now = desk.snapshot();
            let own = [&now.agent_microphone, &now.agent_speaker].iter().all(|end| end.as_ref().is_some_and(|end| end.open));
            (own && now.microphone.open && now.speaker.open).then_some(())
        });
        measure("caller's microphone → bridge → operator", "spk2", secs);
        // The operator says nothing, so the first speaker has what the listener hears.
        command(&runtime, &engine, Command::Listen { call: waits.id, side: Some(ListenSide::Customer) });
        measure("caller's microphone → bridge → listener", "spk", secs);
        engine.stop();
        engine.stop();
        engine.wait_ended();
    }
    let mut agent = Baresip::with_sound("audio_codecs=pcmu;answermode=auto", "ausine,440", "pulse,spk2");
    let bridge = Bridge::start(&format!("{PEER}[agent]\nkind = \"sip\"\nuri = \"sip:phone@127.0.0.1:{}\"\n", agent.port));
    let mut caller = Baresip::with_sound("audio_codecs=pcmu;answermode=manual", "pulse,micin", "pulse,spk");
    caller.dials(&format!("sip:bridge@{}", bridge.udp));
    caller.sees("CALL_ESTABLISHED");
    agent.sees("CALL_ESTABLISHED");
    measure("baresip → bridge → baresip", "spk2", secs);
    caller.hangs_up();
}

fn measure(what: &str, speaker: &str, secs: u32) {
    let epoch = Instant::now();
    let (said, heard) = (capture("mic", epoch), capture(speaker, epoch));
    // The buffers find their pace.
    std::thread::park_timeout(Duration::from_secs(3));
    play("mic", secs);
    std::thread::park_timeout(Duration::from_secs(1));
    let delays = delays(&said.clicks(), &heard.clicks());
    let at =
        |share: f64| delays.get(((delays.len() as f64 * share) as usize).min(delays.len().saturating_sub(1))).copied().unwrap_or(f64::NAN);
    println!("{what:<44} {:>7} {:>9.1} {:>9.1} {:>9.1}", delays.len(), at(0.5), at(0.95), at(1.0));
}

pub fn underrun(secs: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let script =
        "[[tasks]]\nname = \"*\"\nplay = { tone_hz = 440, secs = 3600.0 }\n[[tasks.ends]]\non = { dtmf = \"1\" }\noutcome = \"SYSTEM\"\n";
    fs::write(folder.path().join("tone.toml"), script).unwrap();
    let (engine, desk) = begin(folder.path(), "[agent]\nkind = \"script\"\nscript = \"tone.toml\"\n");
    for _ in 0..OTHERS {
        place(&runtime, &engine, AudioSource::Tone);
    }
    place(&runtime, &engine, AudioSource::Microphone);
    until("the phone is at its devices", || (desk.snapshot().microphone.open && desk.snapshot().speaker.open).then_some(()));
    // What opening the devices and beginning 51 calls at once costs is no part of it.
    std::thread::park_timeout(Duration::from_secs(5));
    let before = desk.snapshot();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(secs.into()) {
        std::thread::park_timeout(Duration::from_secs(1));
    }
    let after = desk.snapshot();
    println!(
        "{secs} s with {OTHERS} other calls: {} gaps in what was heard, {} in what was said",
        after.gaps - before.gaps,
        after.missed - before.missed
    );
    engine.stop();
    engine.stop();
    engine.wait_ended();
}

const OTHERS: usize = 50;
