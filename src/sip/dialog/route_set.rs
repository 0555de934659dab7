//! Route sets and where they lead (RFC 3261 §12.1, §12.2.1.1).

use std::net::{IpAddr, SocketAddr};

use super::local::Local;
use crate::sip::{
    message::{Fields, HeaderName, Method, NameAddr, RequestBuilder, Uri},
    transport::{
        Flow, Transport,
        target::{Targets, targets},
    },
};

/// The proxies between the peer and us that want to stay, in the order in which a request of ours visits them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RouteSet(Vec<Box<str>>);

impl RouteSet {
    /// §12.1.1: as the callee, in the order of the request's Record-Route.
    pub fn of_request(request: &Fields) -> Self {
        Self(request.list(HeaderName::RecordRoute).map(|route| route.into()).collect())
    }

    /// §12.1.2: as the caller, in the reverse order of the response's.
    pub fn of_response(response: &Fields) -> Self {
        let mut routes = Self::of_request(response);
        routes.0.reverse();
        routes
    }

    /// §12.2.1.1: starts a request to `target` through these proxies. A first proxy that does not say `lr` is a strict router:
    /// it wants to find itself in the Request-URI, and the target last in Route.
    pub fn begin(&self, method: &Method, target: &str) -> RequestBuilder {
        match self.0.first().and_then(|first| Some((first, NameAddr::parse(first).ok()?))) {
            Some((_, first)) if first.uri.param("lr").is_none() => {
                let strict = first.uri.without_headers();
                let mut builder = RequestBuilder::new(method, strict.as_str());
                for route in self.0.iter().skip(1) {
                    builder = builder.header(HeaderName::Route, route);
                }
                builder.header(HeaderName::Route, format!("<{target}>"))
            }
            Some(_) | None => {
                let mut builder = RequestBuilder::new(method, target);
                for route in &self.0 {
                    builder = builder.header(HeaderName::Route, route);
                }
                builder
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The URI of the first hop: the topmost route, or the target itself.
    pub fn next_hop(&self, target: &str) -> Option<Uri> {
        match self.0.first() {
            Some(route) => NameAddr::parse(route).ok().map(|route| route.uri),
            None => Uri::parse(target).ok(),
        }
    }
}

/// Where requests inside a dialog go, given the flow that it was made over.
///
/// A connection is kept (RFC 5923). Over UDP the next hop's literal address counts, unless it is one that only makes sense behind
/// the NAT that the peer sits behind, or is a name: then we go where the peer's messages come from.
pub(super) fn flow_within(local: &Local, established: Flow, next_hop: Option<&Uri>) -> Flow {
    next_hop.map_or(established, |uri| flow_toward(local, established, &targets(uri)))
}

/// As [`flow_within`], for where the next hop's URI leads.
pub(super) fn flow_toward(local: &Local, established: Flow, next_hop: &Targets) -> Flow {
    match next_hop {
        Targets::Literal(hops) if !established.transport.is_reliable() => flow_to_one_of(local, established, hops),
        Targets::Literal(_) | Targets::Lookup { .. } => established,
    }
}

/// Whether the next hop of a dialog over this flow is a name, which only a look-up knows the address of.
///
/// Not for a peer on this very machine: what the world calls the machine by leads at best back to it, and often to a NAT.
pub(super) fn is_to_look_up(established: Flow, next_hop: &Targets) -> bool {
    let here = established.remote.ip().is_loopback() || established.remote.ip() == established.local.ip();
    !established.transport.is_reliable() && !here && matches!(next_hop, Targets::Lookup { .. })
}

/// As [`flow_within`], for the addresses of the next hop, best first. The one that the peer's messages come from is best of all.
pub(super) fn flow_to_one_of(local: &Local, established: Flow, hops: &[(Transport, SocketAddr)]) -> Flow {
    if hops.iter().any(|(transport, remote)| *remote == established.remote && *transport == established.transport) {
        return established;
    }
    let Some(&(transport, remote)) = hops.first() else { return established };
    if is_private(remote.ip()) && !is_private(established.remote.ip()) {
        return established;
    }
    match local.flow_to(transport, remote) {
        // The socket that the dialog began on is the one that the peer knows.
        Some(flow) if transport == established.transport && flow.local.is_ipv4() == established.local.is_ipv4() => {
            Flow { local: established.local, ..flow }
        }
        Some(flow) => flow,
        None => established,
    }
}

/// The address that a URI names literally.
pub(super) fn literal(uri: &Uri) -> Option<IpAddr> {
    uri.host().and_then(|host| host.ip())
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0b1100_0000 == 64; // RFC 6598
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{dialog::UserAgentConfig, transport::Transport};

    fn routes(list: &[&str]) -> RouteSet {
        RouteSet(list.iter().map(|&route| route.into()).collect())
    }

    fn start(routes: &RouteSet) -> String {
        let request = routes.begin(&Method::BYE, "sip:b@192.0.2.9").build().unwrap();
        let route: Vec<_> = request.texts(HeaderName::Route).map(|route| route.into_owned()).collect();
        format!("{} | {}", request.uri_text(), route.join(" | "))
    }

    #[test]
    fn loose_routers_are_listed_and_strict_ones_take_the_request_uri() {
        assert_eq!(start(&routes(&[])), "sip:b@192.0.2.9 | ");
        assert_eq!(start(&routes(&["<sip:p1;lr>", "<sip:p2>"])), "sip:b@192.0.2.9 | <sip:p1;lr> | <sip:p2>");
        assert_eq!(start(&routes(&["<sip:p1>", "<sip:p2;lr>"])), "sip:p1 | <sip:p2;lr> | <sip:b@192.0.2.9>");
    }

    #[test]
    fn a_private_contact_of_a_public_peer_is_not_believed() {
        let local = Local::new(&UserAgentConfig::new("t", vec![(Transport::Udp, "203.0.113.1:5060".parse().unwrap())], 1));
        let to = |remote: &str| local.flow_to(Transport::Udp, remote.parse().unwrap()).unwrap();
        let hop = |uri: &str| flow_within(&local, to("198.51.100.7:40000"), Uri::parse(uri).ok().as_ref()).remote.to_string();
        assert_eq!(hop("sip:a@10.0.0.5:5060"), "198.51.100.7:40000");
        assert_eq!(hop("sip:a@sbc.example.com"), "198.51.100.7:40000");
        assert_eq!(hop("sip:a@198.51.100.9:5070"), "198.51.100.9:5070");
    }
}
