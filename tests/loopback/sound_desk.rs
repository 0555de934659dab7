//! What the window does with sound, without its window: mute, listening in, playback, on a virtual card.
//!
//! The sound system is found by the environment, which only a new process can be given: the engine and its sound desk run in a
//! second copy of this program, which takes what it is to do from its standard input.

use std::{
    io::{BufRead as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    time::Instant,
};

use handback::{
    config,
    engine::sound_desk::{Line, SoundCommand, SoundDesk},
    model::{AudioSource, Command as EngineCommand, ListenSide, TestCall},
    start,
};

use crate::{
    sound::alone,
    support::{
        baresip::Baresip,
        free_port,
        hearing::{Hearing, is_loud, share},
        sound_card::SoundCard,
        until,
    },
};

/// The second copy.
struct Desk {
    child: Child,
    orders: Option<ChildStdin>,
}

impl Desk {
    fn start(card: &SoundCard, settings: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        card.gives(&mut command);
        command.args(["--exact", "sound_desk::obeys_its_orders", "--nocapture"]).env(SETTINGS, settings);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let orders = child.stdin.take();
        Self { child, orders }
    }

    fn does(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
    }

    fn ends(mut self) {
        self.orders = None;
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// No test of its own: the second copy comes by here.
#[test]
fn obeys_its_orders() {
    let Ok(settings) = std::env::var(SETTINGS) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("handback.toml");
    std::fs::write(&file, format!("[control]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite::memory:\"\n{settings}")).unwrap();
    let settings = config::load(Some(&file)).unwrap();
    let sound = settings.sound.clone();
    let engine = start::engine(settings).unwrap();
    let desk = SoundDesk::start(engine.take_lines().unwrap(), sound).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = || runtime.block_on(engine.snapshot_now()).calls.iter().find(|call| call.ended.is_none()).map(|call| call.id);
    for order in std::io::stdin().lock().lines().map_while(Result::ok) {
        let (verb, rest) = order.split_once(' ').unwrap_or((&order, ""));
        let listen = |side| runtime.block_on(engine.command(EngineCommand::Listen { call: call().unwrap(), side: Some(side) })).unwrap();
        match verb {
            "call" => {
                let test_call = TestCall { uri: rest.to_owned(), audio: AudioSource::Microphone, ..TestCall::default() };
                runtime.block_on(engine.command(EngineCommand::PlaceTestCall { call: Box::new(test_call) })).unwrap();
            }
            "mute" => desk.send(SoundCommand::Mute { line: Line::Phone, on: rest == "on" }),
            "play" => desk.send(SoundCommand::PlayFile { path: rest.into(), from_secs: 1.0 }),
            "listen-both" => drop(listen(ListenSide::Both)),
            "listen-customer" => drop(listen(ListenSide::Customer)),
            other => panic!("{other}?"),
        }
    }
    engine.stop();
    engine.stop();
    engine.wait_ended();
}

const SETTINGS: &str = "HANDBACK_TEST_DESK";
const PEER: &str = "[[peers]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n[peers.return]\nmethod = \"BYE\"\n";

/// Waits until a whole half second of a channel is a tone, or (0) nothing at all.
fn hears(ear: &Hearing, channel: usize, hz: f64) {
    let mut looked_at = ear.secs();
    until(&format!("channel {channel} plays {hz} Hz"), || {
        let newest = ear.newest(channel, 0.5).filter(|_| ear.secs() > looked_at + 0.5)?;
        looked_at = ear.secs();
        let as_due = if hz > 0.0 { share(&newest, 48_000.0, hz) > 0.5 } else { !is_loud(&newest) };
        as_due.then_some(())
    });
}

#[test]
fn a_muted_microphone_is_not_heard_by_the_far_end_and_is_again_afterwards() {
    let _alone = alone();
    let card = SoundCard::start();
    card.adds("spk2", 1);
    let mut agent = Baresip::with("audio_codecs=pcmu;answermode=auto", "ausine,440", "pulse,spk2", |command| card.gives(command));
    let mut desk = Desk::start(&card, "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\n[agent]\nkind = \"script\"\nscript = \"demo\"\n");
    desk.does(&format!("call sip:phone@127.0.0.1:{}", agent.port));
    agent.sees("CALL_ESTABLISHED");
    let mut voice = card.says(1_000.0, 60);
    let far = card.hears("spk2", 1, Instant::now());
    hears(&far, 0, 1_000.0);
    desk.does("mute on");
    hears(&far, 0, 0.0);
    desk.does("mute off");
    hears(&far, 0, 1_000.0);
    desk.ends();
    let _ = (voice.kill(), voice.wait());
}

#[test]
fn a_listener_hears_the_customer_left_and_the_agent_right_or_one_of_them() {
    let _alone = alone();
    let card = SoundCard::start();
    let (agent, port) = (Baresip::start(1_100, "pcmu", true), free_port());
    let settings = format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:{port}\"]\n{PEER}[agent]\nkind = \"sip\"\nuri = \"sip:phone@127.0.0.1:{}\"\n",
        agent.port
    );
    let mut desk = Desk::start(&card, &settings);
    let mut caller = Baresip::start(700, "pcmu", false);
    until("the bridge listens", || crate::support::somebody_listens(port).then_some(()));
    caller.dials(&format!("sip:bridge@127.0.0.1:{port}"));
    caller.sees("CALL_ESTABLISHED");
    let ear = card.hears("spk", 2, Instant::now());
    desk.does("listen-both");
    hears(&ear, 0, 700.0);
    hears(&ear, 1, 1_100.0);
    desk.does("listen-customer");
    hears(&ear, 1, 700.0);
    hears(&ear, 0, 700.0);
    caller.hangs_up();
    hears(&ear, 0, 0.0);
    desk.ends();
}

#[test]
fn a_recording_is_played_at_the_speaker_from_where_it_is_wanted() {
    let _alone = alone();
    let card = SoundCard::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.wav");
    let spec = hound::WavSpec { channels: 2, sample_rate: 16_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for n in 0..4 * 16_000u32 {
        let wave = |hz: f64| (8_000.0 * (std::f64::consts::TAU * hz * f64::from(n) / 16_000.0).sin()) as i16;
        // What lies before the second from which it is played is not heard.
        let [left, right] = if n < 16_000 { [wave(2_000.0); 2] } else { [wave(700.0), wave(1_100.0)] };
        writer.write_sample(left).unwrap();
        writer.write_sample(right).unwrap();
    }
    writer.finalize().unwrap();
    let ear = card.hears("spk", 2, Instant::now());
    let mut desk = Desk::start(&card, "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\n[agent]\nkind = \"script\"\nscript = \"demo\"\n");
    let mut played_at = f64::NEG_INFINITY;
    until("both sides were played", || {
        // On a busy machine sound has gaps: it is played again until enough was whole.
        if ear.secs() > played_at + 4.5 {
            desk.does(&format!("play {}", path.display()));
            played_at = ear.secs();
        }
        let heard = [0, 1].map(|channel| ear.newest(channel, ear.secs()).unwrap_or_default());
        let secs = |channel: usize, hz: f64| share(&heard[channel], 48_000.0, hz) * heard[channel].len() as f64 / 48_000.0;
        assert!(secs(0, 2_000.0) < 0.1, "it begins at the second second");
        (secs(0, 700.0) > 1.0 && secs(1, 1_100.0) > 1.0).then_some(())
    });
    hears(&ear, 0, 0.0);
    desk.ends();
}
