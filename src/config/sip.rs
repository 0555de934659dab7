//! `[sip]` and `[sip.tls]`: where to listen, and how to be addressed.

use std::net::{IpAddr, SocketAddr};

use super::{
    fault::Faults,
    table::{Entry, Section},
};
use crate::model::{TransportName, settings::Sip};

/// The settings, and where each listen address stands in the file.
pub fn read<'a>(mut section: Section<'a>, faults: &mut Faults<'_>) -> (Sip, Vec<(SocketAddr, Entry<'a>)>) {
    let mut listen = Vec::new();
    let mut places = Vec::new();
    match section.texts("listen", faults) {
        None => listen = DEFAULT_LISTEN.iter().map(|t| (*t, SocketAddr::from(([127, 0, 0, 1], 5060)))).collect(),
        Some(texts) if texts.is_empty() => {
            section.missing("listen", "name at least one address, for example \"udp:127.0.0.1:5060\"", faults)
        }
        Some(texts) => {
            for (entry, text) in texts {
                let Some((transport, address)) = listen_address(&entry, text, faults) else { continue };
                if address.port() != 0 && listen.contains(&(transport, address)) {
                    entry.fault(format!("{text} is listed twice"), faults);
                    continue;
                }
                listen.push((transport, address));
                places.push((address, entry));
            }
        }
    }
    let advertise = section.text("advertise", faults).and_then(|(entry, text)| {
        if is_host(text) {
            return Some(text.to_owned());
        }
        entry.fault(format!("{text:?} is no address or host name (without a port)"), faults);
        None
    });
    let realm = section.text("realm", faults).map_or_else(
        || "handback".to_owned(),
        |(entry, text)| {
            if text.is_empty() || text.contains(['"', '\\']) {
                entry.fault("must not be empty or hold quotes or backslashes", faults);
            }
            text.to_owned()
        },
    );
    let options_for_anyone = section.flag("options_for_anyone", false, faults);
    tls(section.section("tls", faults), faults);
    section.finish(faults);
    (Sip { listen, advertise, realm, options_for_anyone }, places)
}

/// `udp:127.0.0.1:5060`, `tcp:[::1]:5060`
fn listen_address(entry: &Entry<'_>, text: &str, faults: &mut Faults<'_>) -> Option<(TransportName, SocketAddr)> {
    let (transport, address) = text.split_once(':').unwrap_or((text, ""));
    let transport = match transport {
        "udp" => TransportName::Udp,
        "tcp" => TransportName::Tcp,
        "tls" => {
            entry.fault("TLS is not in this version: listen on udp or tcp", faults);
            return None;
        }
        _ => {
            entry.fault(format!("{text:?} does not begin with udp:, tcp: or tls:"), faults);
            return None;
        }
    };
    match address.parse() {
        Ok(address) => Some((transport, address)),
        Err(_) => {
            entry.fault(
                format!("{address:?} is no address with a port, such as 127.0.0.1:5060 or [::1]:5060 (port 0: any free one)"),
                faults,
            );
            None
        }
    }
}

fn tls(mut section: Section<'_>, faults: &mut Faults<'_>) {
    let given = ["certificate", "key", "client_ca"].map(|key| section.text(key, faults).is_some());
    if section.present() {
        if given[0] != given[1] {
            section.missing(if given[0] { "key" } else { "certificate" }, "TLS needs a certificate and its key", faults);
        }
        faults.warn(&section.path, &section.span, "TLS is not in this version: this table is read, and nothing is served by it");
    }
    section.finish(faults);
}

/// An IP address (IPv6 with or without brackets) or a host name.
fn is_host(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok() {
        return true;
    }
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 253 && text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

const DEFAULT_LISTEN: [TransportName; 2] = [TransportName::Udp, TransportName::Tcp];
