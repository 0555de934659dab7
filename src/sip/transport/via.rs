//! Where responses go: `received` and `rport` (RFC 3261 §18.2, RFC 3581).

use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

use crate::sip::message::{Host, Via};
use crate::sip::small_text::decimal;

/// Writes a Via value with what its packet's source adds to it: `received` where sent-by is no such address (§18.2.1),
/// and both `received` and `rport` where the sender asks for them (RFC 3581 §4). All else stays as it was written.
pub fn write_received_from(out: &mut impl Write, via: &Via<'_>, source: SocketAddr) -> fmt::Result {
    if !via.has_received() {
        return write_marked(out, via, source);
    }
    // What the sender wrote there says nothing: only the packet does.
    let without = without_received(via);
    match Via::parse(without.as_str()) {
        Ok(via) => write_marked(out, &via, source),
        Err(_) => out.write_str(&without),
    }
}

fn write_marked(out: &mut impl Write, via: &Via<'_>, source: SocketAddr) -> fmt::Result {
    let differs = Host::literal(via.host_text()) != Some(source.ip());
    let Some((before, behind)) = via.around_rport() else {
        out.write_str(via.as_str())?;
        return if differs { write!(out, ";received={}", source.ip()) } else { Ok(()) };
    };
    out.write_str(before)?;
    if !before.trim_ascii_end().ends_with('=') {
        out.write_char('=')?;
    }
    out.write_str(&decimal(source.port()))?;
    out.write_str(behind)?;
    match source.ip() {
        // Written there already, and cheaper to copy than to print.
        IpAddr::V4(_) if !differs => out.write_str(";received=").and_then(|()| out.write_str(via.host_text())),
        ip => write!(out, ";received={ip}"),
    }
}

fn without_received(via: &Via<'_>) -> String {
    let mut text = format!("SIP/2.0/{} {}", via.transport_text(), via.sent_by());
    for (name, value) in via.params().filter(|(name, _)| !name.eq_ignore_ascii_case("received")) {
        text.push(';');
        text.push_str(name);
        if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

/// Where a response goes over UDP (§18.2.2, RFC 3581 §4), or over a new connection when the request's is gone.
/// `source` is where the request came from. None where `maddr` names a host to be looked up.
pub fn response_address(via: &Via<'_>, source: SocketAddr) -> Option<SocketAddr> {
    let default_port = via.transport().map_or(5060, |transport| transport.default_port());
    let sent_port = via.port().unwrap_or(default_port);
    if let Some(maddr) = via.maddr() {
        return Host::parse(maddr)
            .and_then(|host| host.ip())
            .filter(IpAddr::is_multicast)
            .map(|ip| SocketAddr::new(ip, sent_port))
            .or(Some(source));
    }
    Some(match via.rport() {
        Some(_) => source,
        None => SocketAddr::new(source.ip(), sent_port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received_from(value: &str, source: SocketAddr) -> String {
        let mut marked = String::new();
        write_received_from(&mut marked, &Via::parse(value).unwrap(), source).unwrap();
        marked
    }

    fn source() -> SocketAddr {
        "198.51.100.7:40000".parse().unwrap()
    }

    #[test]
    fn a_sender_behind_nat_learns_its_address() {
        assert_eq!(
            received_from("SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKa", source()),
            "SIP/2.0/UDP 10.0.0.1:5060;rport=40000;branch=z9hG4bKa;received=198.51.100.7"
        );
    }

    #[test]
    fn an_honest_sender_that_asks_nothing_is_copied() {
        let value = "SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKa";
        assert_eq!(received_from(value, source()), value);
    }

    #[test]
    fn a_forged_received_is_replaced() {
        assert_eq!(
            received_from("SIP/2.0/UDP host.example;received=203.0.113.1;branch=z9hG4bKa", source()),
            "SIP/2.0/UDP host.example;branch=z9hG4bKa;received=198.51.100.7"
        );
    }

    #[test]
    fn responses_go_to_the_source() {
        let address = |text: &str| response_address(&Via::parse(text).unwrap(), source()).map(|address| address.to_string());
        assert_eq!(address("SIP/2.0/UDP 10.0.0.1:5066;rport;branch=z9hG4bKa").as_deref(), Some("198.51.100.7:40000"));
        assert_eq!(address("SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bKa").as_deref(), Some("198.51.100.7:5066"));
        assert_eq!(address("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa").as_deref(), Some("198.51.100.7:5060"));
        assert_eq!(address("SIP/2.0/UDP 10.0.0.1;maddr=239.0.0.1;branch=z9hG4bKa").as_deref(), Some("239.0.0.1:5060"));
    }
}
