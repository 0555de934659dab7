//! What the loopback tests share: the bridge as a child process, SIPp, baresip, and ears.

pub mod baresip;
pub mod bridge;
pub mod http;
pub mod sipp;
pub mod tone;

use std::{
    collections::BTreeSet,
    fs,
    net::{TcpListener, UdpSocket},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// How long anything may take before a test calls it lost. The machine may be busy: nothing here measures speed.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A port that is free for UDP and TCP, and even, so that it can be RTP's. No two callers get the same one.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    (0..200)
        .find_map(|_| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let port = socket.local_addr().unwrap().port();
            let free = port.is_multiple_of(2) && TcpListener::bind(("127.0.0.1", port)).is_ok();
            (free && GIVEN.lock().unwrap().insert(port)).then_some(port)
        })
        .expect("a free port on loopback")
}

/// Waits until `look` sees something. Between looks the thread yields for a moment: the other side is another process
/// that does not tell us otherwise.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let patience_ends = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < patience_ends, "never happened: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// Whether somebody listens on this UDP (or TCP) port, as the kernel's tables say.
pub fn somebody_listens(port: u16) -> bool {
    let needle = format!(":{port:04X} ");
    ["/proc/net/udp", "/proc/net/tcp"].iter().any(|table| {
        fs::read_to_string(table)
            .unwrap_or_default()
            .lines()
            .any(|line| line.split_once(": ").is_some_and(|(_, row)| row[..14].contains(&needle)))
    })
}

/// A program that a test needs; `make test` installs it.
pub fn program(name: &str) -> std::process::Command {
    let found = std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    assert!(found, "{name} is not installed; `make test` installs what the tests need");
    std::process::Command::new(name)
}
