//! What the loopback tests share: the bridge as a child process, SIPp, baresip, and ears.

pub mod baresip;
pub mod bridge;
#[cfg(feature = "console")]
pub mod hearing;
pub mod http;
pub mod sipp;
#[cfg(feature = "console")]
pub mod sound_card;
pub mod tone;

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long anything may take before a test calls it lost. The machine may be busy: nothing here measures speed.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A port that is free for UDP and TCP, and even, so that it can be RTP's. No two callers get the same one, and it lies
/// below the ports that the system gives out by itself: it is still free when the program that is to have it binds it.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Test binaries that run side by side begin at different ports.
    let first = std::process::id().wrapping_mul(97);
    (0..PAIRS)
        .find_map(|_| {
            let pair = first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % PAIRS;
            let port = u16::try_from(10_000 + 2 * pair).unwrap();
            (UdpSocket::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok()).then_some(port)
        })
        .expect("a free port on loopback")
}

/// Even ports from 10,000 to 31,998.
const PAIRS: u32 = 11_000;

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
