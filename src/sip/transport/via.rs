//! Where responses go: `received` and `rport` (RFC 3261 §18.2, RFC 3581).

use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

use crate::sip::message::{Host, Via, ViaParts};
use crate::sip::small_text::decimal;

/// Writes a Via value with what its packet's source adds to it: `received` where sent-by is no such address (§18.2.1),
/// and both `received` and `rport` where the sender asks for them (RFC 3581 §4). A value that can not be read stays as it is.
pub fn write_received_from(out: &mut impl Write, value: &str, source: SocketAddr) -> fmt::Result {
    let Ok(via) = ViaParts::of(value) else { return out.write_str(value) };
    let (mut asked, mut told) = (false, false);
    for (name, _) in via.params() {
        asked |= name.eq_ignore_ascii_case("rport");
        told |= name.eq_ignore_ascii_case("received");
    }
    let differs = Host::literal(via.host) != Some(source.ip());
    if !asked && !differs && !told {
        return out.write_str(value);
    }
    for part in ["SIP/2.0/", via.transport, " ", via.sent_by] {
        out.write_str(part)?;
    }
    for (name, param) in via.params() {
        // A `received` that the sender wrote says nothing: only the packet does.
        if name.eq_ignore_ascii_case("received") {
            continue;
        }
        out.write_char(';')?;
        out.write_str(name)?;
        if name.eq_ignore_ascii_case("rport") {
            out.write_char('=')?;
            out.write_str(&decimal(source.port()))?;
        } else if let Some(param) = param {
            out.write_char('=')?;
            out.write_str(param)?;
        }
    }
    match source.ip() {
        _ if !asked && !differs => Ok(()),
        // Written there already, and cheaper to copy than to print.
        IpAddr::V4(_) if !differs => out.write_str(";received=").and_then(|()| out.write_str(via.host)),
        ip => write!(out, ";received={ip}"),
    }
}

/// Where a response goes over UDP (§18.2.2, RFC 3581 §4), or over a new connection when the request's is gone.
/// `source` is where the request came from. None where `maddr` names a host to be looked up.
pub fn response_address(via: &Via<'_>, source: SocketAddr) -> Option<SocketAddr> {
    let default_port = via.transport().map_or(5060, |transport| transport.default_port());
    let sent_port = via.port.unwrap_or(default_port);
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
        write_received_from(&mut marked, value, source).unwrap();
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
