//! All messages of an ended call as one blob: a call costs one row, however long its ladder is.
//!
//! A version byte, then each message: number and time (8 bytes each), flags, leg where there is one (2), the two
//! addresses (family, address, port), the length (4) and the bytes. Numbers are little-endian.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use crate::{
    contract::redact,
    model::{CapturedMessage, Direction, LegId, Timestamp, TransportName},
};

/// The messages as a blob, with secrets blanked.
pub fn encode(messages: &[CapturedMessage]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + messages.iter().map(|m| m.bytes.len() + OVERHEAD).sum::<usize>());
    out.push(VERSION);
    for message in messages {
        let bytes = redact::message(&message.bytes);
        out.extend_from_slice(&message.number.to_le_bytes());
        out.extend_from_slice(&message.at.0.to_le_bytes());
        out.push(flags(message));
        if let Some(LegId(leg)) = message.leg {
            out.extend_from_slice(&leg.to_le_bytes());
        }
        push_address(&mut out, message.local);
        push_address(&mut out, message.remote);
        // No message is longer: what crossed the wire in one piece is bounded by the limits (64 KiB).
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&bytes);
    }
    out
}

/// The messages again; `None` where the blob is none, or of a version that is not known.
pub fn decode(blob: &[u8]) -> Option<Vec<CapturedMessage>> {
    let mut rest = blob.strip_prefix(&[VERSION])?;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let number = u64::from_le_bytes(take(&mut rest)?);
        let at = Timestamp(u64::from_le_bytes(take(&mut rest)?));
        let [flags] = take(&mut rest)?;
        let leg = if flags & HAS_LEG != 0 { Some(LegId(u16::from_le_bytes(take(&mut rest)?))) } else { None };
        let (local, remote) = (take_address(&mut rest)?, take_address(&mut rest)?);
        let length = usize::try_from(u32::from_le_bytes(take(&mut rest)?)).ok()?;
        let (bytes, after) = rest.split_at_checked(length)?;
        rest = after;
        messages.push(CapturedMessage {
            number,
            at,
            direction: if flags & OUT != 0 { Direction::Out } else { Direction::In },
            leg,
            transport: match flags & TRANSPORT {
                0 => TransportName::Udp,
                TCP => TransportName::Tcp,
                _ => TransportName::Tls,
            },
            local,
            remote,
            retransmission: flags & RETRANSMISSION != 0,
            bytes: Bytes::copy_from_slice(bytes),
        });
    }
    Some(messages)
}

fn flags(message: &CapturedMessage) -> u8 {
    let direction = match message.direction {
        Direction::In => 0,
        Direction::Out => OUT,
    };
    let transport = match message.transport {
        TransportName::Udp => 0,
        TransportName::Tcp => TCP,
        TransportName::Tls => TLS,
    };
    let leg = if message.leg.is_some() { HAS_LEG } else { 0 };
    let retransmission = if message.retransmission { RETRANSMISSION } else { 0 };
    direction | transport | leg | retransmission
}

fn push_address(out: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => {
            out.push(4);
            out.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            out.push(6);
            out.extend_from_slice(&ip.octets());
        }
    }
    out.extend_from_slice(&address.port().to_le_bytes());
}

fn take_address(rest: &mut &[u8]) -> Option<SocketAddr> {
    let ip = match take(rest)? {
        [4] => IpAddr::from(take::<4>(rest)?),
        [6] => IpAddr::from(take::<16>(rest)?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_le_bytes(take(rest)?)))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*head)
}

const VERSION: u8 = 1;
const OUT: u8 = 1;
const RETRANSMISSION: u8 = 2;
const HAS_LEG: u8 = 4;
const TCP: u8 = 8;
const TLS: u8 = 16;
const TRANSPORT: u8 = TCP | TLS;
/// More than what a message costs besides its bytes.
const OVERHEAD: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(text: &'static str) -> CapturedMessage {
        CapturedMessage {
            number: 3,
            at: Timestamp(1_800_000_000_000_001),
            direction: Direction::Out,
            leg: Some(LegId(2)),
            transport: TransportName::Tls,
            local: "192.0.2.1:5061".parse().unwrap(),
            remote: "[2001:db8::1]:65535".parse().unwrap(),
            retransmission: true,
            bytes: Bytes::from_static(text.as_bytes()),
        }
    }

    #[test]
    fn messages_come_back_as_they_were() {
        let other = CapturedMessage {
            number: u64::MAX,
            direction: Direction::In,
            leg: None,
            transport: TransportName::Udp,
            retransmission: false,
            ..message("")
        };
        let tcp = CapturedMessage { transport: TransportName::Tcp, ..message("BYE x SIP/2.0\r\n\r\n") };
        for messages in [vec![], vec![message("INVITE x SIP/2.0\r\n\r\nbody"), other, tcp]] {
            assert_eq!(decode(&encode(&messages)), Some(messages));
        }
    }

    #[test]
    fn credentials_are_not_in_the_blob() {
        let blob = encode(&[message("INVITE x SIP/2.0\r\nAuthorization: Digest response=\"feedface\"\r\n\r\n")]);
        let kept = decode(&blob).unwrap();
        let text = String::from_utf8_lossy(&kept[0].bytes);
        assert!(text.contains("Authorization: (blanked)") && !text.contains("feedface"), "{text}");
    }

    #[test]
    fn a_blob_that_is_cut_is_none() {
        let blob = encode(&[message("INVITE x SIP/2.0\r\n\r\n")]);
        for length in 0..blob.len() {
            assert!(decode(&blob[..length]).is_none_or(|messages| messages.is_empty()), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_blob_makes_it_panic(blob in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&blob);
            let _ = decode(&[&[VERSION][..], &blob].concat());
        }
    }
}
