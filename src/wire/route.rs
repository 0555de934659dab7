//! Which of this machine's addresses routes to a peer.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
};

/// Asks the routing table once per peer and remembers the answer.
#[derive(Default)]
pub struct Routes {
    known: HashMap<IpAddr, IpAddr>,
}

impl Routes {
    /// The local address that packets to `peer` leave from.
    pub fn local_for(&mut self, peer: IpAddr) -> Option<IpAddr> {
        if let Some(local) = self.known.get(&peer) {
            return Some(*local);
        }
        let local = local_address_for(peer)?;
        if self.known.len() >= MOST_PEERS {
            self.known.clear();
        }
        self.known.insert(peer, local);
        Some(local)
    }
}

/// The local address that routes to `peer`. Connecting a UDP socket sends nothing: it only asks the routing table.
pub fn local_address_for(peer: IpAddr) -> Option<IpAddr> {
    let any: SocketAddr = if peer.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (std::net::Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect((peer, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The address that most peers will see: the one that routes to the default gateway, else loopback.
pub fn primary_address(v6: bool) -> IpAddr {
    // Documentation addresses (RFC 5737, RFC 3849): nothing is sent to them.
    let far: IpAddr =
        if v6 { "2001:db8::1".parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { Ipv4Addr::new(198, 51, 100, 1).into() };
    let loopback = if v6 { std::net::Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
    local_address_for(far).unwrap_or(loopback)
}

const MOST_PEERS: usize = 4096;
