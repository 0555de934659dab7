//! Where a URI's request goes (the pure half of RFC 3263): an address that it names, or a look-up.

use std::net::SocketAddr;

use super::Transport;
use crate::sip::message::{Host, Scheme, Uri};

/// The answer, or the question for the resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// The URI names an address.
    Literal(Vec<(Transport, SocketAddr)>),
    /// A name. An explicit `port` skips SRV (RFC 3263 §4.2); `transport` is what the URI asks for.
    Lookup { host: String, port: Option<u16>, transport: Option<Transport> },
}

/// Where requests to `uri` go. `maddr` takes the host's place (RFC 3261 §19.1.1). A URI without a host
/// (`tel:`), or with a transport that is not spoken here, has no targets.
pub fn targets(uri: &Uri) -> Targets {
    let none = Targets::Literal(Vec::new());
    let transport = match (uri.scheme(), uri.param("transport").map(str::parse::<Transport>)) {
        (_, Some(Err(_))) => return none,
        // RFC 3261 §26.2.2: sips is TLS, whatever the parameter says of what is under it.
        (Scheme::Sips, _) => Some(Transport::Tls),
        (_, Some(Ok(transport))) => Some(transport),
        (_, None) => None,
    };
    let maddr = uri.param("maddr").and_then(Host::parse);
    let Some(host) = maddr.as_ref().or_else(|| uri.host()) else { return none };
    match host.ip() {
        Some(ip) => {
            // RFC 3263 §4.1: an address without a transport is UDP's.
            let transport = transport.unwrap_or(Transport::Udp);
            Targets::Literal(vec![(transport, SocketAddr::new(ip, uri.port().unwrap_or(transport.default_port())))])
        }
        None => Targets::Lookup { host: host.to_string(), port: uri.port(), transport },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Targets {
        targets(&Uri::parse(uri).expect("a URI"))
    }

    #[test]
    fn an_address_needs_no_look_up() {
        let literal = |transport, address: &str| Targets::Literal(vec![(transport, address.parse().expect("an address"))]);
        assert_eq!(of("sip:a@192.0.2.1"), literal(Transport::Udp, "192.0.2.1:5060"));
        assert_eq!(of("sip:192.0.2.1:5080;transport=TCP"), literal(Transport::Tcp, "192.0.2.1:5080"));
        assert_eq!(of("sip:a@[2001:db8::1]"), literal(Transport::Udp, "[2001:db8::1]:5060"));
        assert_eq!(of("sips:a@192.0.2.1"), literal(Transport::Tls, "192.0.2.1:5061"));
        assert_eq!(of("sip:a@example.com;maddr=192.0.2.9"), literal(Transport::Udp, "192.0.2.9:5060"));
        assert_eq!(of("sip:a@192.0.2.1;transport=sctp"), Targets::Literal(vec![]));
    }

    #[test]
    fn a_name_is_looked_up_with_what_the_uri_asks_for() {
        let lookup = |port, transport| Targets::Lookup { host: "example.com".to_owned(), port, transport };
        assert_eq!(of("sip:a@example.com"), lookup(None, None));
        assert_eq!(of("sip:a@example.com:5070;transport=tcp"), lookup(Some(5070), Some(Transport::Tcp)));
    }
}
