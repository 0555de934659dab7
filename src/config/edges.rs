//! `[control]` and `[limits]`.

use std::net::SocketAddr;

use super::{
    fault::Faults,
    secret::{self, Environment},
    table::Section,
};
use crate::model::settings::{Control, Limits};

pub fn control(mut section: Section<'_>, environment: Environment<'_>, faults: &mut Faults<'_>) -> Control {
    let listen_entry = section.entry("listen");
    let listen = listen(&mut section, 8081, faults);
    let before = faults.list.len();
    let token = secret::read(&mut section, secret::TOKEN, environment, faults);
    if token.is_none()
        && faults.list.len() == before
        && !listen.ip().to_canonical().is_loopback()
        && let Some(entry) = listen_entry
    {
        entry.fault(
            format!("{listen} can be reached from other machines, and whoever reaches it can end and read every call: set token_env, or listen on 127.0.0.1"),
            faults,
        );
    }
    section.finish(faults);
    Control { listen, token }
}

pub fn limits(mut section: Section<'_>, faults: &mut Faults<'_>) -> Limits {
    let default = Limits::default();
    let mut number =
        |key, range, default: u64| section.number(key, range, i64::try_from(default).unwrap_or(i64::MAX), faults).unsigned_abs();
    let limits = Limits {
        calls: number("calls", 1..=1_000_000, default.calls as u64) as usize,
        calls_per_second: number("calls_per_second", 1..=1_000_000, default.calls_per_second.into()) as u32,
        message_bytes: number("message_bytes", 1_500..=65_535, default.message_bytes as u64) as usize,
        transactions: number("transactions", 10..=10_000_000, default.transactions as u64) as usize,
        capture_bytes: number("capture_bytes", 0..=1 << 40, default.capture_bytes as u64) as usize,
        finished_calls: number("finished_calls", 0..=1_000_000, default.finished_calls as u64) as usize,
        drain_secs: number("drain_secs", 0..=86_400, default.drain_secs),
        unadmitted_per_second: number("unadmitted_per_second", 1..=1_000_000, default.unadmitted_per_second.into()) as u32,
    };
    section.finish(faults);
    limits
}

/// A `listen` address, on loopback by default.
pub fn listen(section: &mut Section<'_>, default_port: u16, faults: &mut Faults<'_>) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], default_port));
    let Some((entry, text)) = section.text("listen", faults) else { return default };
    text.parse().unwrap_or_else(|_| {
        entry.fault(format!("{text:?} is no address with a port, such as 127.0.0.1:{default_port} (port 0: any free one)"), faults);
        default
    })
}
