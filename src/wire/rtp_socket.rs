//! RTP sockets: pairs on an even port and the odd one above it (RFC 3550 §11), bound once and kept.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

use mio::net::UdpSocket;
use socket2::{Domain, Protocol, Socket, Type};

/// Both sockets of one stream.
#[derive(Debug)]
pub struct RtpPair {
    pub port: u16,
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
}

/// Hands out the pairs of a range, each once; what another program holds is passed over.
#[derive(Debug)]
pub struct RtpPorts {
    address: IpAddr,
    range: RangeInclusive<u16>,
    next: Option<u16>,
}

impl RtpPorts {
    /// An error if not even one pair of the range can be bound on `address`.
    pub fn new(address: IpAddr, range: RangeInclusive<u16>) -> io::Result<Self> {
        let first = range.start().checked_next_multiple_of(2);
        let mut ports = Self { address, range, next: first };
        match ports.bind_next()? {
            Some(_) => {
                ports.next = first;
                Ok(ports)
            }
            None => Err(io::Error::new(io::ErrorKind::AddrInUse, "no pair of ports in the range is free")),
        }
    }

    /// The next pair; `None`: the range is used up. An error: the address is none of this machine's, or there are no more files.
    pub fn bind_next(&mut self) -> io::Result<Option<RtpPair>> {
        while let Some(port) = self.next.filter(|port| *port < *self.range.end()) {
            let pair = bind_pair(self.address, port);
            match pair {
                Err(error) if matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
                    self.next = port.checked_add(2);
                }
                Err(error) => return Err(error),
                Ok(pair) => {
                    self.next = port.checked_add(2);
                    return Ok(Some(pair));
                }
            }
        }
        Ok(None)
    }
}

fn bind_pair(address: IpAddr, port: u16) -> io::Result<RtpPair> {
    let rtcp_port = port.checked_add(1).ok_or(io::ErrorKind::AddrInUse)?;
    Ok(RtpPair { port, rtp: bind(SocketAddr::new(address, port))?, rtcp: bind(SocketAddr::new(address, rtcp_port))? })
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
    // RFC 4594 §4.1: telephony is marked EF. A machine that forbids it still carries the call.
    let _ = if address.is_ipv4() { socket.set_tos_v4(EXPEDITED) } else { socket.set_tclass_v6(EXPEDITED) };
    socket.bind(&address.into())?;
    Ok(UdpSocket::from_std(socket.into()))
}

/// DSCP 46, above two bits of ECN.
const EXPEDITED: u32 = 46 << 2;

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn pairs_are_even_and_odd_and_the_range_ends() {
        let mut ports = RtpPorts::new(LOOPBACK, 38_001..=38_007).expect("a free pair");
        let mut pairs = Vec::new();
        while let Some(pair) = ports.bind_next().expect("loopback is ours") {
            assert!(pair.port.is_multiple_of(2) && (38_002..=38_006).contains(&pair.port));
            assert_eq!(pair.rtcp.local_addr().expect("bound").port(), pair.port + 1);
            pairs.push(pair);
        }
        assert!(pairs.len() <= 3);
    }

    #[test]
    fn ports_in_use_are_passed_over() {
        let mut first = RtpPorts::new(LOOPBACK, 38_010..=38_019).expect("a free pair");
        let taken = first.bind_next().expect("loopback is ours").expect("a free pair");
        let mut second = RtpPorts::new(LOOPBACK, 38_010..=38_019).expect("another free pair");
        let next = second.bind_next().expect("loopback is ours").expect("another free pair");
        assert_ne!(taken.port, next.port);
    }

    #[test]
    fn an_address_that_is_not_ours_is_an_error() {
        assert!(RtpPorts::new(IpAddr::from([192, 0, 2, 1]), 38_020..=38_029).is_err());
    }
}
