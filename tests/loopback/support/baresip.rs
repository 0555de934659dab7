//! baresip: a softphone without a sound card that sends a sine and writes down what it hears.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PATIENCE, free_port, program, until};

pub struct Baresip {
    pub port: u16,
    child: Child,
    control: BufReader<TcpStream>,
    folder: TempDir,
}

impl Baresip {
    /// A phone that sends a sine of `hz` in every call, speaks `codec` (`pcmu`, `pcma`, `g722/16000/1`, `opus/48000/2`) and, if asked, answers by itself.
    pub fn start(hz: u32, codec: &str, answers: bool) -> Self {
        Self::with_account(hz, &format!("audio_codecs={codec};answermode={}", if answers { "auto" } else { "manual" }))
    }

    /// The same with more parameters of a baresip account.
    pub fn with_account(hz: u32, parameters: &str) -> Self {
        Self::with_sound(parameters, &format!("ausine,{hz}"), "aufile,played.wav")
    }

    /// A phone with a microphone and a speaker, as baresip names them.
    pub fn with_sound(parameters: &str, source: &str, player: &str) -> Self {
        Self::with(parameters, source, player, |_| ())
    }

    /// The same, on the sound card that `prepare` gives its process.
    pub fn with(parameters: &str, source: &str, player: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let player = player.replace("aufile,", &format!("aufile,{path}/"));
        let (port, control_port) = (free_port(), free_port());
        let modules = find_modules();
        let pulse = if format!("{source} {player}").contains("pulse,") { "module pulse.so\n" } else { "" };
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\ncall_max_calls 4\n\
             audio_player {player}\naudio_source {source}\naudio_alert aufile,{path}/alert.wav\n\
             ausrc_srate 48000\nausrc_channels 2\nauplay_srate 8000\nauplay_channels 1\nausrc_format s16\nauplay_format s16\n\
             audio_txmode thread\nrtp_ports 10240-30000\nmodule_path {modules}\n\
             module g711.so\nmodule g722.so\nmodule opus.so\nmodule aufile.so\nmodule ausine.so\n{pulse}module sndfile.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
             ctrl_tcp_listen 127.0.0.1:{control_port}\nsnd_path {path}\n"
        );
        fs::write(folder.path().join("config"), config).unwrap();
        fs::write(folder.path().join("accounts"), format!("<sip:phone@127.0.0.1:{port}>;regint=0;{parameters}\n")).unwrap();
        for empty in ["contacts", "uuid"] {
            fs::write(folder.path().join(empty), "").unwrap();
        }
        let mut command = program("baresip");
        prepare(&mut command);
        let mut child =
            command.arg("-f").arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let ready = lines.by_ref().any(|line| {
            let ready = line.contains("baresip is ready");
            said.push(line);
            ready
        });
        assert!(ready, "baresip did not start:\n{}", said.join("\n"));
        // It blocks on a full pipe: somebody must go on reading.
        std::thread::spawn(move || lines.for_each(drop));
        let stream = until("baresip takes commands", || TcpStream::connect(("127.0.0.1", control_port)).ok());
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { port, child, control: BufReader::new(stream), folder }
    }

    pub fn dials(&mut self, uri: &str) {
        self.command(&json!({ "command": "dial", "params": uri, "token": "dial" }));
    }

    pub fn hangs_up(&mut self) {
        self.command(&json!({ "command": "hangup", "token": "hangup" }));
    }

    /// Waits for an event, for example `CALL_ESTABLISHED`.
    #[track_caller]
    pub fn sees(&mut self, event: &str) {
        let mut seen = Vec::new();
        loop {
            // Looked at as text: what baresip calls JSON is not always that.
            let Some(message) = self.next_message() else { panic!("baresip never said {event}, only {seen:#?}") };
            if message.contains(&format!("\"type\":\"{event}\"")) {
                return;
            }
            assert!(!message.contains("\"ok\":false"), "baresip refused: {message}");
            seen.push(message);
        }
    }

    /// Waits until it has heard as much as this many samples at 8 kHz.
    #[track_caller]
    pub fn listens_for(&self, samples: u64) {
        until("baresip has heard enough", || {
            let file = fs::read(self.recording("-dec.wav")?).ok()?;
            let bytes_per_sec = u32::from_le_bytes(file.get(28..32)?.try_into().ok()?);
            (file.len() as u64 > 44 + samples * u64::from(bytes_per_sec) / 8_000).then_some(())
        });
    }

    /// What it heard in its only call, which must be over: only then the file is whole.
    pub fn heard(&self) -> (Vec<i16>, f64) {
        super::tone::read_wav(&self.recording("-dec.wav").expect("baresip heard nothing"))
    }

    fn recording(&self, ending: &str) -> Option<PathBuf> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().path());
        files.into_iter().find(|path| path.to_string_lossy().ends_with(ending))
    }

    /// A netstring of JSON.
    fn command(&mut self, command: &Value) {
        let text = command.to_string();
        write!(self.control.get_mut(), "{}:{text},", text.len()).unwrap();
    }

    /// `None` where nothing came in time.
    fn next_message(&mut self) -> Option<String> {
        let mut length = Vec::new();
        self.control.read_until(b':', &mut length).ok()?;
        let length: usize = std::str::from_utf8(&length).unwrap().trim_end_matches(':').parse().expect("a netstring");
        let mut text = vec![0; length + 1];
        self.control.read_exact(&mut text).unwrap();
        text.truncate(length);
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}

/// Where Debian keeps baresip's modules: `/usr/lib/baresip/modules`, or below the machine's triplet.
fn find_modules() -> String {
    let candidates =
        ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/lib/aarch64-linux-gnu/baresip/modules"];
    candidates.into_iter().find(|path| fs::metadata(path).is_ok()).expect("baresip's modules").to_owned()
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
