//! A source address that no peer holds, and the rule that comes nearest.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{Finding, Party, Severity, settings::Peer};

/// The finding for an INVITE that was refused for its source address (contract §1).
pub fn refused_source(source: IpAddr, peers: &[Peer]) -> Finding {
    let source = source.to_canonical();
    let networks = peers.iter().flat_map(|p| p.networks.iter().map(move |n| (p, n)));
    let nearest = networks.filter_map(|(p, n)| Some((common_bits(source, n)?, p, n))).max_by_key(|(bits, ..)| *bits);
    let seen = match nearest {
        Some((_, peer, network)) => format!("{source}; the nearest rule is {network} of {}", peer.name),
        None if peers.is_empty() => format!("{source}; no peer is configured, so nobody is admitted"),
        None => format!("{source}; no peer has a network of this address family"),
    };
    Finding::new(
        "source-not-admitted",
        Severity::Warning,
        Party::Operator,
        seen,
        "A call is admitted by the address that its packets come from, or by digest credentials; never by default (contract §1)",
        "Add the address to the peer's networks, give the peer a user, or have the SBC send from an address that is listed",
    )
}

/// How many leading bits the address shares with the network; `None` between the families.
fn common_bits(source: IpAddr, network: &IpNet) -> Option<u32> {
    match (source, network.network().to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros()),
        (IpAddr::V6(a), IpAddr::V6(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros()),
        _ => None,
    }
}
