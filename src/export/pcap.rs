//! A capture that Wireshark opens: Ethernet, IP, UDP and TCP written around the bytes that crossed the wire.
//!
//! What was captured is messages at a socket, so the layers below are synthesised: right lengths and
//! checksums (RFC 791, 768, 9293, 8200), TCP sequence numbers that count on, made-up MAC addresses.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use pcap_file::{
    DataLink, Endianness, TsResolution,
    pcap::{PcapHeader, PcapPacket, PcapWriter},
};

use super::redact;
use crate::model::{CapturedMessage, Direction, RtpPacket, Timestamp, TransportName};

/// The capture file's bytes, in order of time. Credentials and keys are blanked unless `raw`.
pub fn file(messages: &[CapturedMessage], packets: &[RtpPacket], raw: bool) -> Vec<u8> {
    let mut items: Vec<Item<'_>> = messages.iter().map(Item::Message).chain(packets.iter().map(Item::Rtp)).collect();
    items.sort_by_key(|i| i.at());

    let mut frames = Frames::default();
    for item in items {
        match item {
            Item::Message(m) => {
                let (source, destination) = match m.direction {
                    Direction::In => (m.remote, m.local),
                    Direction::Out => (m.local, m.remote),
                };
                let bytes = if raw { m.bytes.as_ref().into() } else { redact::message(&m.bytes) };
                match m.transport {
                    TransportName::Udp => frames.udp(m.at, source, destination, &bytes),
                    TransportName::Tcp | TransportName::Tls => frames.tcp(m.at, source, destination, &bytes),
                }
            }
            Item::Rtp(p) => frames.udp(p.at, p.source, p.destination, &p.bytes),
        }
    }
    written(&frames.list)
}

enum Item<'a> {
    Message(&'a CapturedMessage),
    Rtp(&'a RtpPacket),
}

impl Item<'_> {
    fn at(&self) -> Timestamp {
        match self {
            Self::Message(m) => m.at,
            Self::Rtp(p) => p.at,
        }
    }
}

fn written(frames: &[(Timestamp, Vec<u8>)]) -> Vec<u8> {
    let header = PcapHeader {
        datalink: DataLink::ETHERNET,
        ts_resolution: TsResolution::MicroSecond,
        endianness: Endianness::Little,
        snaplen: SNAP_LENGTH,
        ..PcapHeader::default()
    };
    let Ok(mut writer) = PcapWriter::with_header(Vec::new(), header) else { return Vec::new() };
    for (at, frame) in frames {
        let length = frame.len() as u32;
        // The only fault of writing to memory is a frame over the snap length, which no IP packet is.
        let _ = writer.write_packet(&PcapPacket::new(Duration::from_micros(at.0), length, frame));
    }
    writer.into_writer()
}

/// Frames in the making, with the state that TCP needs.
#[derive(Default)]
struct Frames {
    list: Vec<(Timestamp, Vec<u8>)>,
    /// The next sequence number of each direction of each connection.
    next: HashMap<(SocketAddr, SocketAddr), u32>,
    identification: u16,
}

impl Frames {
    fn udp(&mut self, at: Timestamp, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let payload = &payload[..payload.len().min(LONGEST_UDP)];
        let mut segment = Vec::with_capacity(8 + payload.len());
        segment.extend_from_slice(&source.port().to_be_bytes());
        segment.extend_from_slice(&destination.port().to_be_bytes());
        segment.extend_from_slice(&((8 + payload.len()) as u16).to_be_bytes());
        segment.extend_from_slice(&[0, 0]);
        segment.extend_from_slice(payload);
        self.ip(at, source, destination, UDP, segment);
    }

    fn tcp(&mut self, at: Timestamp, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        for chunk in payload.chunks(SEGMENT) {
            let sequence = *self.next.entry((source, destination)).or_insert(1);
            let acknowledged = *self.next.entry((destination, source)).or_insert(1);
            let mut segment = Vec::with_capacity(20 + chunk.len());
            segment.extend_from_slice(&source.port().to_be_bytes());
            segment.extend_from_slice(&destination.port().to_be_bytes());
            segment.extend_from_slice(&sequence.to_be_bytes());
            segment.extend_from_slice(&acknowledged.to_be_bytes());
            segment.extend_from_slice(&[5 << 4, 0x18, 0xff, 0xff, 0, 0, 0, 0]); // header of 5 words; PSH and ACK; window
            segment.extend_from_slice(chunk);
            self.ip(at, source, destination, TCP, segment);
            self.next.insert((source, destination), sequence.wrapping_add(chunk.len() as u32));
        }
    }

    fn ip(&mut self, at: Timestamp, source: SocketAddr, destination: SocketAddr, protocol: u8, mut segment: Vec<u8>) {
        let checksum_at = if protocol == UDP { 6 } else { 16 };
        let mut frame = Vec::with_capacity(54 + segment.len());
        frame.extend_from_slice(&mac(destination));
        frame.extend_from_slice(&mac(source));
        match (source.ip().to_canonical(), destination.ip().to_canonical()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let pseudo = [&from.octets()[..], &to.octets(), &[0, protocol], &(segment.len() as u16).to_be_bytes()].concat();
                set_checksum(&pseudo, &mut segment, checksum_at, protocol);
                frame.extend_from_slice(&[0x08, 0x00]);
                self.identification = self.identification.wrapping_add(1);
                let mut header = vec![0x45, 0];
                header.extend_from_slice(&((20 + segment.len()) as u16).to_be_bytes());
                header.extend_from_slice(&self.identification.to_be_bytes());
                header.extend_from_slice(&[0x40, 0, 64, protocol, 0, 0]); // don't fragment; time to live
                header.extend_from_slice(&from.octets());
                header.extend_from_slice(&to.octets());
                let sum = checksum(&header, &[]);
                header[10..12].copy_from_slice(&sum.to_be_bytes());
                frame.extend_from_slice(&header);
            }
            (from, to) => {
                let (from, to) = (as_v6(from), as_v6(to));
                let pseudo = [&from.octets()[..], &to.octets(), &(segment.len() as u32).to_be_bytes(), &[0, 0, 0, protocol]].concat();
                set_checksum(&pseudo, &mut segment, checksum_at, protocol);
                frame.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0]);
                frame.extend_from_slice(&(segment.len() as u16).to_be_bytes());
                frame.extend_from_slice(&[protocol, 64]);
                frame.extend_from_slice(&from.octets());
                frame.extend_from_slice(&to.octets());
            }
        }
        frame.extend_from_slice(&segment);
        self.list.push((at, frame));
    }
}

fn set_checksum(pseudo: &[u8], segment: &mut [u8], at: usize, protocol: u8) {
    let sum = match checksum(pseudo, segment) {
        // RFC 768: 0 would say that there is no checksum.
        0 if protocol == UDP => 0xffff,
        sum => sum,
    };
    if let Some(place) = segment.get_mut(at..at + 2) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}

/// The Internet checksum (RFC 1071) over both parts, the first of even length.
fn checksum(first: &[u8], second: &[u8]) -> u16 {
    let words = |part: &[u8]| -> u32 { part.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w.get(1).copied().unwrap_or(0))).sum() };
    let mut sum = words(first) + words(second);
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A locally administered address, the same for the same host.
fn mac(address: SocketAddr) -> [u8; 6] {
    let octets = as_v6(address.ip().to_canonical()).octets();
    [2, 0, octets[12], octets[13], octets[14], octets[15]]
}

fn as_v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

const UDP: u8 = 17;
const TCP: u8 = 6;
/// What an Ethernet of 1,500 bytes leaves for a TCP segment's data.
const SEGMENT: usize = 1460;
/// 65,535 less the IPv4 and UDP headers.
const LONGEST_UDP: usize = 65_507;
const SNAP_LENGTH: u32 = 262_144;

#[cfg(test)]
mod tests;
