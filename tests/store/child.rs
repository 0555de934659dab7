//! This test program run again as a process of its own: one that can be killed, or whose disk can be full.
//!
//! It says each thing that was acknowledged in a line of its own, written at once, so that what its parent has read
//! is what a client would have been told.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use handback::model::settings;

const DATABASE: &str = "HANDBACK_TEST_DATABASE";
const ROUND: &str = "HANDBACK_TEST_ROUND";

/// The child, and what it has said.
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// Starts the test `name` of this program with the database; `before` are shell words that come first.
    pub fn start(name: &str, database: &Path, before: &str, round: u64) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{before} exec \"$0\" --exact \"$1\" --nocapture --test-threads=1"));
        command.arg(std::env::current_exe().unwrap()).arg(name);
        command.env(DATABASE, database).env(ROUND, round.to_string());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says this line.
    pub fn says(&self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("it never said {wanted:?}"));
            if line == wanted {
                return;
            }
        }
    }

    /// Kills it after so long, as `kill -9` does, and gives all that it said.
    pub fn kill_after(mut self, after: Duration) -> Vec<String> {
        let deadline = Instant::now() + after;
        let mut said = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            said.push(line);
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        said.extend(self.lines.iter());
        said
    }

    pub fn ends_well(mut self) {
        let said: Vec<String> = self.lines.iter().collect();
        assert!(self.child.wait().unwrap().success(), "{said:?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the child: the database's settings and the number of the round. In an ordinary run of the tests: nothing.
pub fn orders() -> Option<(settings::Store, u64)> {
    let path = std::env::var_os(DATABASE)?.into();
    // The harness has begun a line.
    println!();
    let round = std::env::var(ROUND).ok()?.parse().ok()?;
    Some((settings::Store { path: Some(path), ..settings::Store::default() }, round))
}

pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the parent has ended.
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}
