//! SIPp: a scenario played as caller, or as somebody who is called.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{PATIENCE, free_port, program, somebody_listens, until};

/// A scenario that is about to be played.
pub struct Sipp {
    command: Command,
    name: String,
    pub port: u16,
    folder: TempDir,
}

/// A scenario that plays.
pub struct Playing {
    child: Child,
    name: String,
    pub port: u16,
    folder: TempDir,
}

impl Sipp {
    /// Calls `to` with `tests/loopback/scenarios/NAME.xml`, once.
    pub fn caller(name: &str, to: SocketAddr) -> Self {
        let mut sipp = Self::new(name);
        sipp.command.arg(to.to_string());
        sipp
    }

    /// Is called on [`Sipp::port`].
    pub fn called(name: &str) -> Self {
        Self::new(name)
    }

    /// Calls `to` with a scenario that was made, once.
    pub fn caller_with(scenario: &str, to: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scenario.xml");
        fs::write(&file, scenario).unwrap();
        let mut sipp = Self::playing("a scenario that was made", &file, folder);
        sipp.command.arg(to.to_string());
        sipp
    }

    fn new(name: &str) -> Self {
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/loopback/scenarios/{name}.xml"));
        Self::playing(name, &scenario, tempfile::tempdir().unwrap())
    }

    fn playing(name: &str, scenario: &Path, folder: TempDir) -> Self {
        let port = free_port();
        let mut command = program("sipp");
        command
            .arg("-sf")
            .arg(scenario)
            .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-m", "1", "-trace_err", "-trace_msg", "-timeout_error"])
            .args(["-p", &port.to_string(), "-timeout", &format!("{}s", PATIENCE.as_secs())])
            .args(["-error_file", "errors.log", "-message_file", "messages.log"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.path().join("stdout.log")).unwrap())
            .stderr(fs::File::create(folder.path().join("stderr.log")).unwrap());
        Self { command, name: name.to_owned(), port, folder }
    }

    /// `[key]` in the scenario.
    pub fn key(mut self, key: &str, value: &str) -> Self {
        self.command.args(["-key", key, value]);
        self
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn over_tcp(self) -> Self {
        self.arg("-t").arg("t1")
    }

    /// Starts it; one who is called is listening when this returns.
    pub fn start(mut self) -> Playing {
        let child = self.command.spawn().unwrap();
        let mut playing = Playing { child, name: self.name, port: self.port, folder: self.folder };
        until("SIPp is listening", || (somebody_listens(playing.port) || playing.child.try_wait().unwrap().is_some()).then_some(()));
        playing
    }

    /// Plays it to its end, which must be a good one.
    #[track_caller]
    pub fn plays(self) -> String {
        self.start().ends_well()
    }
}

impl Playing {
    /// Waits for the end; every message went as the scenario says. Returns the trace of messages.
    #[track_caller]
    pub fn ends_well(mut self) -> String {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "SIPp {}: {status}\n{}", self.name, self.told());
        self.file("messages.log")
    }

    fn told(&self) -> String {
        ["stderr.log", "errors.log", "messages.log"].map(|name| format!("--- {name}\n{}", self.file(name))).join("\n")
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        if std::thread::panicking() && self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            eprintln!("--- SIPp {} was still playing\n{}", self.name, self.told());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
