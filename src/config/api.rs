//! `[api]` and `[store]`: the call transfers API, and where everything is kept.

use sha2::{Digest as _, Sha256};

use super::{
    edges,
    fault::Faults,
    secret::{self, Environment},
    table::Section,
};
use crate::model::settings::{Api, ApiKey, NumberRange, Store};

/// The call transfers API; `None` without its table.
pub fn api(mut section: Section<'_>, environment: Environment<'_>, faults: &mut Faults<'_>) -> Option<Api> {
    let present = section.present();
    let listen = edges::listen(&mut section, 8080, faults);
    let mut keys: Vec<ApiKey> = Vec::new();
    for key in section.sections("keys", faults) {
        if let Some(key) = key_pair(key, &keys, environment, faults) {
            keys.push(key);
        }
    }
    let requests_per_second = section.number("requests_per_second", 1..=1_000_000, 100, faults).unsigned_abs() as u32;
    let number_lease_secs = section.number("number_lease_secs", 1..=86_400, 60, faults).unsigned_abs();
    let sip_transfer_expiry_secs = section.number("sip_transfer_expiry_secs", 1..=86_400, 300, faults).unsigned_abs();
    let payload_in_return = section.flag("payload_in_return", false, faults);
    let numbers = section.sections("numbers", faults).into_iter().filter_map(|pool| number_range(pool, faults)).collect();
    section.finish(faults);
    present.then_some(Api { listen, keys, requests_per_second, number_lease_secs, sip_transfer_expiry_secs, numbers, payload_in_return })
}

fn key_pair(mut section: Section<'_>, others: &[ApiKey], environment: Environment<'_>, faults: &mut Faults<'_>) -> Option<ApiKey> {
    let before = faults.list.len();
    let id = section.text("id", faults).map(|(entry, id)| {
        if others.iter().any(|other| other.id == id) {
            entry.fault(format!("there is a key {id:?} already"), faults);
        }
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            entry.fault("must be visible ASCII characters without a space: it travels in a header", faults);
        }
        id.to_owned()
    });
    if id.is_none() {
        section.missing("id", "a key has an id and a secret", faults);
    }
    let secret = secret::read(&mut section, secret::SECRET, environment, faults);
    let hash = section.text("secret_sha256", faults).and_then(|(entry, text)| {
        let hash = sha256_of_hex(text);
        if hash.is_none() {
            entry.fault("must be 64 hexadecimal digits, such as `printf %s SECRET | sha256sum` prints", faults);
        }
        if secret.is_some() {
            entry.fault("the secret itself is given too: keep one of them", faults);
        }
        hash
    });
    let secret_sha256 = secret.map(|secret| Sha256::digest(secret.reveal()).into()).or(hash);
    if secret_sha256.is_none() && faults.list.len() == before {
        section.missing("secret", "give secret, secret_env, secret_file or secret_sha256", faults);
    }
    let (mut may_create, mut may_read) = (true, true);
    if let Some(allowed) = section.texts("allow", faults) {
        (may_create, may_read) = (false, false);
        for (entry, word) in allowed {
            match word {
                "create" => may_create = true,
                "read" => may_read = true,
                _ => entry.fault("is none of \"create\" and \"read\"", faults),
            }
        }
    }
    section.finish(faults);
    Some(ApiKey { id: id?, secret_sha256: secret_sha256?, may_create, may_read })
}

fn sha256_of_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(hash)
}

fn number_range(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<NumberRange> {
    let country = match section.text("country", faults) {
        Some((entry, text)) if text.len() != 2 || !text.bytes().all(|b| b.is_ascii_uppercase()) => {
            entry.fault(format!("{text:?} is no country code of two capitals (ISO 3166), for example \"US\""), faults);
            None
        }
        Some((_, text)) => Some(text.to_owned()),
        None => {
            section.missing("country", "a pool belongs to a country, for example \"US\"", faults);
            None
        }
    };
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
    let range = match &bounds[..] {
        [(_, first_len, first), (last_entry, last_len, last)] => {
            if first_len != last_len || first > last {
                last_entry.fault("must be as long as first and not before it", faults);
            } else if last - first >= MOST_NUMBERS {
                last_entry.fault(format!("a range holds at most {MOST_NUMBERS} numbers"), faults);
            }
            country.map(|country| NumberRange { country, first: *first, last: *last })
        }
        _ => None,
    };
    section.finish(faults);
    range
}

/// E.164: 4 to 15 digits here, the first none of 0.
fn e164(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+')?;
    let well_formed = (4..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    well_formed.then(|| digits.parse().ok()).flatten()
}

/// Where to keep what must last. Without a `url` it is a file beside the settings, named like them.
pub fn store(mut section: Section<'_>, faults: &mut Faults<'_>) -> Store {
    let default = Store::default();
    let is_default = section.entry("url").is_none();
    let path = match section.text("url", faults) {
        None => Some(faults.file.with_extension("db")),
        Some((_, "sqlite::memory:")) => None,
        Some((entry, url)) => match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Some(faults.path(path.strip_prefix("//").unwrap_or(path))),
            _ if url.starts_with("postgres://") => {
                entry.fault("PostgreSQL is not in this version: use \"sqlite:FILE\"", faults);
                None
            }
            _ => {
                entry.fault(format!("{url:?} is neither \"sqlite:FILE\" nor \"sqlite::memory:\""), faults);
                None
            }
        },
    };
    let retention_days = section.number("retention_days", 0..=36_500, default.retention_days.into(), faults).unsigned_abs() as u32;
    let megabytes = section.number("retention_megabytes", 0..=1 << 30, (default.retention_bytes >> 20) as i64, faults).unsigned_abs();
    section.finish(faults);
    Store { path, is_default, retention_days, retention_bytes: megabytes << 20 }
}

/// Numbers in one range: each takes a few bytes while it is free.
const MOST_NUMBERS: u64 = 1_000_000;
