//! Child processes: started, waited for, and their CPU time and memory read from `/proc`.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A child that ends with this value.
pub struct Running {
    child: Child,
    _folder: Option<TempDir>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).spawn().unwrap_or_else(|fault| panic!("{command:?}: {fault}; `make bench` installs it"));
        Self { child, _folder: None }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn wait(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// User and system time so far, of the process and of all its descendants.
    pub fn cpu(&self) -> Duration {
        family(self.id()).into_iter().map(cpu_of).sum()
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in family(self.id()).into_iter().rev() {
            let _ = Command::new("kill").arg(pid.to_string()).stderr(Stdio::null()).status();
        }
        let _ = self.child.wait();
    }
}

/// `handback serve` with these settings after the listening ones.
pub struct Handback {
    pub process: Running,
    pub sip: SocketAddr,
    /// The call transfers API, where the settings have it.
    pub api: Option<SocketAddr>,
    /// From its start to the ready line.
    pub ready_after: Duration,
}

impl Handback {
    pub fn serve(settings: &str) -> Self {
        Self::serve_logging_to(Stdio::inherit(), settings)
    }

    /// What it logs goes nowhere, as much as it may be.
    pub fn serve_quietly(settings: &str) -> Self {
        Self::serve_logging_to(Stdio::null(), settings)
    }

    fn serve_logging_to(log: Stdio, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("handback.toml");
        let listening = "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\n[media]\naddress = \"127.0.0.1\"\n[control]\nlisten = \"127.0.0.1:0\"\n\
                         [limits]\ncalls = 20000\ncalls_per_second = 100000\n";
        fs::write(&file, format!("{listening}{settings}")).unwrap();
        let started = Instant::now();
        // HANDBACK=path measures another build.
        let program = std::env::var_os("HANDBACK").unwrap_or_else(|| env!("CARGO_BIN_EXE_handback").into());
        let mut child = Command::new(program)
            .args(["serve", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready_after = started.elapsed();
        let ready: serde_json::Value = serde_json::from_str(&line).expect("a ready line");
        let sip = ready["sip"][0].as_str().unwrap().strip_prefix("udp:").unwrap().parse().unwrap();
        let api = ready["api"].as_str().map(|address| address.parse().unwrap());
        Self { process: Running { child, _folder: Some(folder) }, sip, api, ready_after }
    }
}

/// What a virtual machine's host keeps for others: no figure taken meanwhile is better than this lets it be.
pub struct Host {
    since: Instant,
    stolen: Duration,
}

impl Host {
    pub fn watch() -> Self {
        Self { since: Instant::now(), stolen: stolen() }
    }

    /// The share of the processors' time that it took since then.
    pub fn took(&self) -> f64 {
        let processors = thread::available_parallelism().unwrap().get() as f64;
        (stolen() - self.stolen).as_secs_f64() / (self.since.elapsed().as_secs_f64() * processors)
    }
}

/// `steal` in `/proc/stat`, of all processors since boot, in ticks of 10 ms.
fn stolen() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap();
    Duration::from_millis(10 * text.split_ascii_whitespace().nth(8).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0))
}

/// A port that is free now, and even.
pub fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    ports.take(200).find(|port| port.is_multiple_of(2)).expect("a free port")
}

/// Waits until somebody has this UDP port.
pub fn until_listening(port: u16) {
    let patience_ends = Instant::now() + Duration::from_secs(20);
    while UdpSocket::bind(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < patience_ends, "nobody listens on port {port}");
        pause(Duration::from_millis(20));
    }
}

/// Lets real time pass: what a benchmark is about.
pub fn pause(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
}

/// A process and its descendants, parents first.
fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        next += 1;
        let tasks = Path::new("/proc").join(parent.to_string()).join("task");
        for task in fs::read_dir(tasks).into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    family
}

fn cpu_of(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which may hold spaces: state is field 3, utime 14, stime 15, in ticks of 10 ms.
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .into_iter()
        .flat_map(|rest| rest.split_whitespace().skip(11).take(2))
        .filter_map(|t| t.parse::<u64>().ok())
        .sum();
    Duration::from_millis(10 * ticks)
}
