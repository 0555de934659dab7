//! Frames of a capture down to SIP: link layer, IPv4 and IPv6 with fragments, UDP, and TCP put back in order.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use bytes::Bytes;

use super::report::Wired;
use crate::{
    model::{Timestamp, TransportName},
    sip::transport::framing::{Frame, StreamFramer},
};

/// Takes frames one after the other.
#[derive(Default)]
pub struct Packets {
    messages: Vec<Wired>,
    others: usize,
    fragments: HashMap<(IpAddr, IpAddr, u32, u8), Fragments>,
    streams: HashMap<(SocketAddr, SocketAddr), Stream>,
}

#[derive(Default)]
struct Fragments {
    parts: BTreeMap<usize, Vec<u8>>,
    whole: Option<usize>,
}

/// One direction of a TCP connection.
struct Stream {
    next: u32,
    /// Segments that came before their turn, by how far they are ahead.
    early: BTreeMap<u32, Vec<u8>>,
    framer: StreamFramer,
}

impl Packets {
    /// `at` in microseconds since the epoch.
    pub fn add(&mut self, at: u64, link: u32, frame: &[u8]) {
        let before = self.messages.len();
        let taken = network_layer(link, frame).and_then(|packet| self.ip(at, packet));
        if taken.is_none() && self.messages.len() == before {
            self.others += 1;
        }
    }

    /// The messages, and how many packets were something else.
    pub fn finish(self) -> (Vec<Wired>, usize) {
        (self.messages, self.others)
    }

    fn ip(&mut self, at: u64, packet: &[u8]) -> Option<()> {
        match packet.first()? >> 4 {
            4 => {
                let header = usize::from(packet.first()? & 15) * 4;
                let total = usize::from(u16_at(packet, 2)?);
                // Offloading to the network card leaves the length 0.
                let total = if total < header { packet.len() } else { total.min(packet.len()) };
                let flags = u16_at(packet, 6)?;
                let source = IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(12..16)?).ok()?));
                let destination = IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(16..20)?).ok()?));
                let protocol = *packet.get(9)?;
                let payload = packet.get(header..total)?;
                let (offset, more) = (usize::from(flags & 0x1fff) * 8, flags & 0x2000 != 0);
                let key = (source, destination, u32::from(u16_at(packet, 4)?), protocol);
                self.fragment(at, key, offset, more, payload)
            }
            6 => {
                let source = IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(packet.get(8..24)?).ok()?));
                let destination = IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(packet.get(24..40)?).ok()?));
                let total = 40 + usize::from(u16_at(packet, 4)?);
                let mut rest = packet.get(40..total.min(packet.len()))?;
                let mut next = *packet.get(6)?;
                let mut fragment = (0, false, 0);
                // Extension headers (RFC 8200 §4) until what they carry.
                while matches!(next, 0 | 43 | 44 | 60) {
                    let length = if next == 44 { 8 } else { 8 + usize::from(*rest.get(1)?) * 8 };
                    if next == 44 {
                        let field = u16_at(rest, 2)?;
                        fragment = (usize::from(field & 0xfff8), field & 1 != 0, u32_at(rest, 4)?);
                    }
                    next = *rest.first()?;
                    rest = rest.get(length..)?;
                }
                self.fragment(at, (source, destination, fragment.2, next), fragment.0, fragment.1, rest)
            }
            _ => None,
        }
    }

    fn fragment(&mut self, at: u64, key: (IpAddr, IpAddr, u32, u8), offset: usize, more: bool, payload: &[u8]) -> Option<()> {
        let (source, destination, _, protocol) = key;
        if offset == 0 && !more {
            return self.transport(at, source, destination, protocol, payload);
        }
        let fragments = self.fragments.entry(key).or_default();
        fragments.parts.insert(offset, payload.to_vec());
        if !more {
            fragments.whole = Some(offset + payload.len());
        }
        let mut whole = Vec::new();
        for (offset, part) in &fragments.parts {
            if *offset == whole.len() {
                whole.extend_from_slice(part);
            }
        }
        if fragments.whole == Some(whole.len()) {
            self.fragments.remove(&key);
            return self.transport(at, source, destination, protocol, &whole);
        }
        Some(())
    }

    fn transport(&mut self, at: u64, source: IpAddr, destination: IpAddr, protocol: u8, segment: &[u8]) -> Option<()> {
        let source = SocketAddr::new(source, u16_at(segment, 0)?);
        let destination = SocketAddr::new(destination, u16_at(segment, 2)?);
        match protocol {
            17 => {
                let length = usize::from(u16_at(segment, 4)?).clamp(8, segment.len().max(8));
                self.datagram(at, source, destination, segment.get(8..length)?)
            }
            6 => {
                let header = usize::from(segment.get(12)? >> 4) * 4;
                let synchronizes = segment.get(13)? & 2 != 0;
                self.segment(at, source, destination, u32_at(segment, 4)?, synchronizes, segment.get(header..)?)
            }
            _ => None,
        }
    }

    fn datagram(&mut self, at: u64, source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Option<()> {
        let line = payload.split(|&b| b == b'\n').find(|l| !l.trim_ascii().is_empty())?;
        let is_sip = line.windows(4).any(|w| w == b"SIP/");
        // On SIP's own port everything with letters is meant to be SIP, and worth a finding if it is none.
        let meant = [source.port(), destination.port()].contains(&5060) && line.first().is_some_and(u8::is_ascii_alphabetic);
        (is_sip || meant).then(|| self.message(at, source, destination, TransportName::Udp, Bytes::copy_from_slice(payload)))
    }

    fn segment(
        &mut self,
        at: u64,
        source: SocketAddr,
        destination: SocketAddr,
        sequence: u32,
        synchronizes: bool,
        payload: &[u8],
    ) -> Option<()> {
        if synchronizes {
            self.streams.remove(&(source, destination));
        }
        let first = if synchronizes { sequence.wrapping_add(1) } else { sequence };
        let stream = self.streams.entry((source, destination)).or_insert_with(|| Stream {
            next: first,
            early: BTreeMap::new(),
            framer: StreamFramer::new(65_535),
        });
        if payload.is_empty() {
            return Some(());
        }
        let ahead = sequence.wrapping_sub(stream.next);
        if ahead < HALF {
            if stream.early.len() < MOST_EARLY {
                stream.early.insert(sequence, payload.to_vec());
            }
        } else {
            // Sent again, perhaps with more at its end.
            let known = stream.next.wrapping_sub(sequence) as usize;
            if let Some(new) = payload.get(known..).filter(|new| !new.is_empty()) {
                stream.early.insert(stream.next, new.to_vec());
            }
        }
        let mut frames = Vec::new();
        while let Some(part) = stream.early.remove(&stream.next) {
            stream.next = stream.next.wrapping_add(part.len() as u32);
            stream.framer.push(&part);
            while let Ok(Some(frame)) = stream.framer.next() {
                if let Frame::Message(bytes) = frame {
                    frames.push(bytes);
                }
            }
        }
        for bytes in frames {
            self.message(at, source, destination, TransportName::Tcp, bytes);
        }
        Some(())
    }

    fn message(&mut self, at: u64, source: SocketAddr, destination: SocketAddr, transport: TransportName, bytes: Bytes) {
        self.messages.push(Wired { at: Some(Timestamp(at)), addresses: Some((source, destination)), transport: Some(transport), bytes });
    }
}

/// The IP packet in a frame, by the capture's link type.
fn network_layer(link: u32, frame: &[u8]) -> Option<&[u8]> {
    match link {
        1 => {
            let mut at = 12;
            // VLAN tags (802.1Q, 802.1ad) stand before the type.
            while matches!(u16_at(frame, at)?, 0x8100 | 0x88a8) {
                at += 4;
            }
            matches!(u16_at(frame, at)?, 0x0800 | 0x86dd).then(|| frame.get(at + 2..)).flatten()
        }
        0 | 108 => frame.get(4..),
        12 | 14 | 101 | 228 | 229 => Some(frame),
        113 => frame.get(16..),
        276 => frame.get(20..),
        _ => None,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Sequence numbers wrap around: less than half the circle ahead is the future.
const HALF: u32 = 1 << 31;
const MOST_EARLY: usize = 1_024;
