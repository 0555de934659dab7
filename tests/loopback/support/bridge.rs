//! `handback serve` as a child process, with settings of its own and any free port.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{http, until};

pub struct Bridge {
    pub udp: SocketAddr,
    pub tcp: SocketAddr,
    pub control: SocketAddr,
    /// The call transfers API, where the settings ask for it.
    api: Option<SocketAddr>,
    child: Child,
    log: Option<JoinHandle<String>>,
    pub folder: TempDir,
}

/// What most tests admit: anybody on loopback, sent back by REFER.
pub const LOOPBACK_BY_REFER: &str = r#"
[[peers]]
name = "loopback"
networks = ["127.0.0.0/8"]
[peers.return]
method = "REFER"
uri = "sip:transfer@127.0.0.1:5999;user=phone"
"#;

/// The call transfers API, with numbers for one country and one key; more keys of `[api]` may follow.
pub const API: &str = r#"
[api]
listen = "127.0.0.1:0"
keys = [
    { id = "demo", secret = "swordfish-4711" },
    { id = "reads", secret = "swordfish-4712", allow = ["read"] },
    { id = "creates", secret = "swordfish-4713", allow = ["create"] },
]
numbers = [{ country = "US", first = "+19995550100", last = "+19995550101" }]
"#;
pub const API_KEY: &str = "demo";
pub const API_SECRET: &str = "swordfish-4711";

/// A scripted agent that ends at once, with one variable of each kind.
pub const AGENT_THAT_ENDS_AT_ONCE: &str = r#"
[agent]
kind = "script"
script = "agent.toml"
"#;

/// A scripted agent that plays 440 Hz to whoever calls.
pub const AGENT_THAT_PLAYS_A_TONE: &str = r#"
[agent]
kind = "script"
script = "tone.toml"
"#;

const TONE: &str = r#"
[[tasks]]
name = "*"
play = { tone_hz = 440, secs = 5.0 }
[[tasks.ends]]
on = { dtmf = "1" }
outcome = "SYSTEM"
"#;

const SCRIPT: &str = r#"
[[tasks]]
name = "patient"
[[tasks.ends]]
on = { dtmf = "1" }
outcome = "SYSTEM"

[[tasks]]
name = "*"
[[tasks.ends]]
on = { after_secs = 0.0 }
outcome = "SYSTEM"
[tasks.ends.transfer]
next_action = "schedule callback"
[tasks.ends.reference]
account = "{{accountNumber}}"
"#;

impl Bridge {
    /// Starts with these settings after the listening ones; returns once it is ready.
    pub fn start(settings: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings)
    }

    /// The same with a `[media]` table of its own.
    pub fn start_with(media: &str, settings: &str) -> Self {
        Self::begin(tempfile::tempdir().unwrap(), media, settings)
    }

    /// The same in a folder where one ran before: what it kept is there.
    pub fn start_in(folder: TempDir, settings: &str) -> Self {
        Self::begin(folder, "", settings)
    }

    fn begin(folder: TempDir, media: &str, settings: &str) -> Self {
        let media = if media.is_empty() { "[media]\naddress = \"127.0.0.1\"\n" } else { media };
        let listening = r#"
[sip]
listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
[control]
listen = "127.0.0.1:0"
"#;
        fs::write(folder.path().join("agent.toml"), SCRIPT).unwrap();
        fs::write(folder.path().join("tone.toml"), TONE).unwrap();
        let file = folder.path().join("handback.toml");
        fs::write(&file, format!("{listening}{media}{settings}")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_handback"))
            .args(["serve", "--config"])
            .arg(&file)
            .env("RUST_LOG", "handback=debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            panic!("`handback serve` ended with {}:\n{}", child.wait().unwrap(), log.join().unwrap());
        }
        let ready: Value = serde_json::from_str(&line).expect("one line of JSON");
        assert_eq!(ready["ready"], true, "{line}");
        let listener = |scheme: &str| {
            let listeners = ready["sip"].as_array().expect("sip listeners");
            let found = listeners.iter().find_map(|listener| listener.as_str()?.strip_prefix(scheme)?.parse().ok());
            found.unwrap_or_else(|| panic!("no {scheme} listener: {line}"))
        };
        Self {
            udp: listener("udp:"),
            tcp: listener("tcp:"),
            control: ready["control"].as_str().unwrap().parse().unwrap(),
            api: ready["api"].as_str().map(|address| address.parse().unwrap()),
            child,
            log: Some(log),
            folder,
        }
    }

    /// Asks the call transfers API with its key; `path` begins after `/call-transfers`.
    pub fn api(&self, method: &str, path: &str, body: &str) -> http::Answer {
        self.api_with(&[("asapp-api-id", API_KEY), ("asapp-api-secret", API_SECRET)], method, path, body)
    }

    pub fn api_with(&self, headers: &[(&str, &str)], method: &str, path: &str, body: &str) -> http::Answer {
        let address = self.api.expect("the settings have [api], so the ready line has it, too");
        http::ask(address, method, &format!("/generativeagent/v1/call-transfers{path}"), headers, body)
    }

    /// One call, as the control API tells it.
    pub fn call(&self, id: &str) -> Value {
        self.json(&format!("/v1/calls/{id}"))
    }

    pub fn calls(&self) -> Vec<Value> {
        match self.json("/v1/calls") {
            Value::Array(calls) => calls,
            Value::Object(mut page) => match page.remove("calls") {
                Some(Value::Array(calls)) => calls,
                other => panic!("/v1/calls says {other:?}"),
            },
            other => panic!("/v1/calls says {other}"),
        }
    }

    /// The only call there is, once it is over.
    pub fn only_call_when_over(&self) -> Value {
        until("the call is over", || {
            let calls = self.calls();
            assert!(calls.len() <= 1, "one call was placed: {calls:#?}");
            let id = calls.first()?["id"].as_str()?;
            let call = self.call(id);
            (!call["ended"].is_null()).then_some(call)
        })
    }

    /// The only call there is, once it is in this state.
    pub fn only_call_in_state(&self, state: &str) -> Value {
        until(&format!("the call is in state {state}"), || {
            let call = self.calls().into_iter().next()?;
            (call["state"] == state).then_some(call)
        })
    }

    pub fn messages(&self, call: &Value) -> Vec<Value> {
        match self.json(&format!("/v1/calls/{}/messages", call["id"].as_str().unwrap())) {
            Value::Array(messages) => messages,
            Value::Object(mut page) => match page.remove("messages") {
                Some(Value::Array(messages)) => messages,
                other => panic!("messages says {other:?}"),
            },
            other => panic!("messages says {other}"),
        }
    }

    pub fn text(&self, path: &str) -> String {
        let answer = http::get(self.control, path);
        assert_eq!(answer.status, 200, "GET {path}");
        String::from_utf8(answer.body).unwrap()
    }

    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let answer = http::get(self.control, path);
        assert_eq!(answer.status, 200, "GET {path}");
        answer.body
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.bytes(path)).unwrap_or_else(|fault| panic!("GET {path}: {fault}"))
    }

    /// Whether the process still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGTERM, and the exit code; the log, for what went wrong.
    pub fn stop(mut self) -> (Option<i32>, String) {
        self.terminate();
        self.wait()
    }

    /// SIGTERM: it ends once its calls have ended.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGHUP: it reads its settings again.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// SIGKILL: it does not get to say a word.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(super::program("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Ends it as [`Bridge::stop`] does; its folder.
    pub fn stop_and_keep(mut self) -> TempDir {
        self.terminate();
        let (code, log) = self.wait();
        assert_eq!(code, Some(0), "{log}");
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Waits for its end: the exit code, and the log.
    pub fn wait(&mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.log.take().map(|log| log.join().unwrap()).unwrap_or_default())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking()
            && let Some(log) = self.log.take()
        {
            eprintln!("--- the bridge's log ---\n{}", log.join().unwrap_or_default());
        }
    }
}
