//! A sound card that is none: a PulseAudio of its own with null sinks, so that what is played can be heard and what is said is known.
//! Any number of them run side by side, on any machine.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{program, until};

/// A speaker `spk` and a microphone `micin`, which hears what is played to `mic`.
pub struct SoundCard {
    folder: TempDir,
    server: Child,
}

impl SoundCard {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["pulse", "state"] {
            fs::create_dir(at(name)).unwrap();
        }
        let socket = at("pulse/native");
        let mut command = program("pulseaudio");
        set_folders(&mut command, folder.path());
        // norewinds: without it the first sound is captured two seconds late.
        command.env_remove("DISPLAY").args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit", "--disable-shm=yes"]).args([
            "--realtime=no",
            "--high-priority=no",
            "-L",
            &format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display()),
            "-L",
            "module-null-sink sink_name=spk rate=48000 channels=2 format=s16le norewinds=1 sink_properties=device.description=Speaker",
            "-L",
            "module-null-sink sink_name=mic rate=48000 channels=1 format=s16le norewinds=1",
            "-L",
            "module-remap-source master=mic.monitor source_name=micin source_properties=device.description=Microphone",
        ]);
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let card = Self { folder, server };
        until("the sound card answers", || card.try_pactl(&["set-default-source", "micin"]));
        card.pactl(&["set-default-sink", "spk"]);
        card
    }

    /// A program that finds this card and no other.
    pub fn gives(&self, command: &mut Command) {
        set_folders(command, self.folder.path());
        command.env("PULSE_SERVER", format!("unix:{}", self.folder.path().join("pulse/native").display()));
    }

    #[track_caller]
    pub fn pactl(&self, arguments: &[&str]) -> String {
        self.try_pactl(arguments).unwrap_or_else(|| panic!("pactl {arguments:?}"))
    }

    fn try_pactl(&self, arguments: &[&str]) -> Option<String> {
        let mut command = program("pactl");
        self.gives(&mut command);
        let output = command.args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Takes a device away, as if it were pulled out.
    pub fn pull_out(&self, name: &str) {
        let modules = self.pactl(&["list", "short", "modules"]);
        let names = |line: &&str| [format!("sink_name={name} "), format!("source_name={name} ")].iter().any(|named| line.contains(named));
        let module = modules.lines().find(names).and_then(|line| line.split_whitespace().next());
        self.pactl(&["unload-module", module.expect("it is plugged in")]);
    }

    pub fn plug_in_speaker(&self) {
        self.adds("spk", 2);
        self.pactl(&["set-default-sink", "spk"]);
    }

    /// The microphone `micin`, taken away before.
    pub fn plug_in_microphone(&self) {
        self.adds_microphone("mic", "micin");
        self.pactl(&["set-default-source", "micin"]);
    }

    /// Another sink.
    pub fn adds(&self, sink: &str, channels: u8) {
        let (name, channels) = (format!("sink_name={sink}"), format!("channels={channels}"));
        self.pactl(&["load-module", "module-null-sink", &name, "rate=48000", &channels, "format=s16le", "norewinds=1"]);
    }

    /// A microphone that hears what is played to `sink`.
    pub fn adds_microphone(&self, sink: &str, name: &str) {
        let (master, name) = (format!("master={sink}.monitor"), format!("source_name={name}"));
        self.pactl(&["load-module", "module-remap-source", &master, &name, "source_properties=device.description=Microphone"]);
    }

    /// Says a tone into the microphone for so many seconds.
    pub fn says(&self, hz: f64, secs: u32) -> Child {
        self.plays("mic", secs, |_| hz)
    }

    /// Plays to a sink for so many seconds the tone that `hz` gives for each second of it; 0: silence.
    pub fn plays(&self, sink: &str, secs: u32, hz: impl Fn(f64) -> f64) -> Child {
        let path = self.folder.path().join(format!("for-{sink}.wav"));
        let spec = hound::WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for n in 0..secs * 48_000 {
            let at = f64::from(n) / 48_000.0;
            writer.write_sample((8_000.0 * (std::f64::consts::TAU * hz(at) * at).sin()) as i16).unwrap();
        }
        writer.finalize().unwrap();
        let mut command = program("paplay");
        self.gives(&mut command);
        command.args(["-d", sink]).arg(path).spawn().unwrap()
    }
}

impl Drop for SoundCard {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn set_folders(command: &mut Command, folder: &Path) {
    command
        .env("XDG_RUNTIME_DIR", folder)
        .env("PULSE_RUNTIME_PATH", folder.join("pulse"))
        .env("PULSE_STATE_PATH", folder.join("state"))
        .env("PULSE_CONFIG_PATH", folder.join("state"));
}
