//! `[control]`, `[limits]`, and what this version reads but does not serve yet: `[api]`, `[store]`.

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

/// The call transfers API: its settings are checked, so that a file written for it is no surprise later.
pub fn api(mut section: Section<'_>, faults: &mut Faults<'_>) {
    listen(&mut section, 8080, faults);
    let mut ids: Vec<String> = Vec::new();
    for mut key in section.sections("keys", faults) {
        match key.text("id", faults) {
            Some((entry, id)) if ids.iter().any(|i| i == id) => entry.fault(format!("there is a key {id:?} already"), faults),
            Some((_, id)) => ids.push(id.to_owned()),
            None => key.missing("id", "a key has an id and a secret", faults),
        }
        // The secret itself is not looked for: nothing would use it.
        if !secret::named(&mut key, secret::SECRET, faults) {
            key.missing("secret", "give secret, secret_env or secret_file", faults);
        }
        key.finish(faults);
    }
    section.number("number_lease_secs", 1..=86_400, 60, faults);
    section.number("sip_transfer_expiry_secs", 1..=86_400, 300, faults);
    for numbers in section.sections("numbers", faults) {
        number_pool(numbers, faults);
    }
    not_served(&section, "the call transfers API", faults);
    section.finish(faults);
}

fn number_pool(mut section: Section<'_>, faults: &mut Faults<'_>) {
    match section.text("country", faults) {
        Some((entry, text)) if text.len() != 2 || !text.bytes().all(|b| b.is_ascii_uppercase()) => {
            entry.fault(format!("{text:?} is no country code of two capitals (ISO 3166), for example \"US\""), faults);
        }
        Some(_) => {}
        None => section.missing("country", "a pool belongs to a country, for example \"US\"", faults),
    }
    let mut bounds = Vec::new();
    for key in ["first", "last"] {
        match section.text(key, faults) {
            Some((entry, text)) => match e164(text) {
                Some(number) => bounds.push((entry, text.len(), number)),
                None => entry.fault(format!("{text:?} is no E.164 number such as +19995550100"), faults),
            },
            None => section.missing(key, "a pool has a first and a last number", faults),
        }
    }
    if let [(_, first_len, first), (last_entry, last_len, last)] = &bounds[..]
        && (first_len != last_len || first > last)
    {
        last_entry.fault("must be as long as first and not before it", faults);
    }
    section.finish(faults);
}

fn e164(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+')?;
    let well_formed = (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    well_formed.then(|| digits.parse().ok()).flatten()
}

pub fn store(mut section: Section<'_>, faults: &mut Faults<'_>) {
    if let Some((entry, url)) = section.text("url", faults)
        && !["sqlite:", "postgres://"].iter().any(|scheme| url.starts_with(scheme))
    {
        entry.fault(format!("{url:?} does not begin with sqlite: or postgres://"), faults);
    }
    not_served(&section, "the store", faults);
    section.finish(faults);
}

fn not_served(section: &Section<'_>, what: &str, faults: &mut Faults<'_>) {
    if section.present() {
        faults.warn(
            &section.path,
            &section.span,
            format!("{what} is not in this version: this table is read, and nothing is served by it"),
        );
    }
}

fn listen(section: &mut Section<'_>, default_port: u16, faults: &mut Faults<'_>) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], default_port));
    let Some((entry, text)) = section.text("listen", faults) else { return default };
    text.parse().unwrap_or_else(|_| {
        entry.fault(format!("{text:?} is no address with a port, such as 127.0.0.1:{default_port} (port 0: any free one)"), faults);
        default
    })
}
