//! Packets down to SIP messages and RTP: every layer in its turn, and what was neither counted.

use std::{collections::VecDeque, net::SocketAddr};

use bytes::Bytes;
use serde::Serialize;

use super::{
    file::Packet,
    ip::{Datagram, Fragments},
    link::{Carried, carried},
    look,
    media::Media,
    notes::Notes,
    tcp::{Segment, Streams},
};
use crate::model::{Timestamp, TransportName};

/// One SIP message between two addresses.
#[derive(Debug, Clone)]
pub struct Wired {
    pub at: Timestamp,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub transport: TransportName,
    pub bytes: Bytes,
    /// The capture left its end out.
    pub cut: bool,
}

/// What the packets of a capture were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub packets: u64,
    pub messages: u64,
    pub rtp: u64,
    pub rtcp: u64,
    /// Packets that are neither SIP nor sound that SDP announced.
    pub others: u64,
    /// Packets that the capture holds twice.
    pub doubled: u64,
}

/// Takes packets one after the other.
#[derive(Default)]
pub(super) struct Sifter {
    pub messages: Vec<Wired>,
    pub media: Media,
    pub totals: Totals,
    pub notes: Notes,
    fragments: Fragments,
    streams: Streams,
    /// The last datagrams, to know a packet that was captured at two places of one machine.
    recent: VecDeque<usize>,
    kept_bytes: usize,
}

impl Sifter {
    pub fn take(&mut self, packet: &Packet) {
        self.totals.packets += 1;
        let known = match carried(packet.link, &packet.bytes) {
            Carried::Ip(bytes) => self.ip(packet.at, bytes, packet.missing),
            Carried::Other => false,
            Carried::UnknownLink => {
                let link = packet.link;
                self.notes.add("link", Some(packet.at), || {
                    format!("Packets of link type {link} can't be read: capture on an Ethernet, Linux cooked, raw IP or loopback interface")
                });
                false
            }
        };
        self.totals.others += u64::from(!known);
    }

    /// There are no more packets.
    pub fn finish(&mut self) {
        std::mem::take(&mut self.fragments).finish(&mut self.notes);
        let mut rest = Vec::new();
        std::mem::take(&mut self.streams)
            .finish(&mut self.notes, |at, source, destination, bytes| rest.push((at, source, destination, bytes)));
        for (at, source, destination, bytes) in rest {
            self.keep(Wired { at, source, destination, transport: TransportName::Tcp, bytes, cut: false });
        }
        // What lay behind a gap came out late.
        if !self.messages.is_sorted_by_key(|message| message.at) {
            let mut order: Vec<usize> = (0..self.messages.len()).collect();
            order.sort_by_key(|&index| self.messages.get(index).map(|message| message.at));
            self.media.renumber(&order);
            self.messages.sort_by_key(|message| message.at);
        }
        self.totals.messages = self.messages.len() as u64;
        self.media.captured_twice = self.totals.doubled > 0;
        (self.totals.rtp, self.totals.rtcp) = self.media.counts();
    }

    /// Whether it was something that calls are made of.
    fn ip(&mut self, at: Timestamp, packet: &[u8], missing: usize) -> bool {
        // A fragment that waits for others is counted when they are together.
        let Some(datagram) = self.fragments.take(at, packet, missing, &mut self.notes) else { return true };
        match datagram.protocol {
            UDP => self.udp(at, &datagram).unwrap_or(false),
            TCP => self.tcp(at, &datagram).unwrap_or(false),
            _ => false,
        }
    }

    fn udp(&mut self, at: Timestamp, datagram: &Datagram<'_>) -> Option<bool> {
        let segment = &*datagram.payload;
        let source = SocketAddr::new(datagram.source, u16_at(segment, 0)?);
        let destination = SocketAddr::new(datagram.destination, u16_at(segment, 2)?);
        let stated = usize::from(u16_at(segment, 4)?);
        let length = if stated < 8 { segment.len() } else { stated.min(segment.len()) };
        let payload = segment.get(8..length)?;
        if !look::is_datagram(source.port(), destination.port(), payload) {
            return Some(self.media.take(at, source, destination, payload));
        }
        if self.is_double(at, source, destination, payload) {
            self.totals.doubled += 1;
            return Some(true);
        }
        let cut = datagram.missing > 0;
        if cut {
            let missing = datagram.missing;
            self.notes.add("message cut", Some(at), || {
                format!("A message from {source} to {destination} is cut by the capture's snap length: {missing} bytes are missing, and its form is not judged. Capture with a snap length of 0 (tcpdump -s 0)")
            });
        }
        self.recent.push_back(self.messages.len());
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.keep(Wired { at, source, destination, transport: TransportName::Udp, bytes: Bytes::copy_from_slice(payload), cut });
        Some(true)
    }

    fn tcp(&mut self, at: Timestamp, datagram: &Datagram<'_>) -> Option<bool> {
        let segment = &*datagram.payload;
        let source = SocketAddr::new(datagram.source, u16_at(segment, 0)?);
        let destination = SocketAddr::new(datagram.destination, u16_at(segment, 2)?);
        let sequence = u32::from_be_bytes(*segment.get(4..)?.first_chunk()?);
        let header = usize::from(segment.get(12)? >> 4) * 4;
        let synchronizes = segment.get(13)? & 2 != 0;
        let payload = segment.get(header.max(20)..)?;
        let segment = Segment { at, source, destination, sequence, synchronizes, payload, missing: datagram.missing };
        let mut found = Vec::new();
        let is_sip = self.streams.take(&segment, &mut self.notes, &mut found);
        for bytes in found {
            self.keep(Wired { at, source, destination, transport: TransportName::Tcp, bytes, cut: false });
        }
        Some(is_sip)
    }

    /// The same bytes between the same addresses at nearly the same time: one packet, captured on its way in and out.
    /// Nobody sends a message again so soon (RFC 3261 §17.1.1.2: T1 is 500 ms).
    fn is_double(&self, at: Timestamp, source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> bool {
        let recent = self.recent.iter().rev().filter_map(|index| self.messages.get(*index));
        recent
            .take_while(|known| at.micros_since(known.at) < DOUBLE_US)
            .any(|known| known.source == source && known.destination == destination && known.bytes == payload)
    }

    fn keep(&mut self, message: Wired) {
        if self.messages.len() >= MOST_MESSAGES || self.kept_bytes > MOST_BYTES {
            self.notes.add("too many", Some(message.at), || {
                "The capture holds more messages than are read at once; what follows was left out. Cut it first, for example with editcap".to_owned()
            });
            return;
        }
        self.kept_bytes += message.bytes.len();
        self.media.learn(self.messages.len(), &message);
        self.messages.push(message);
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

const UDP: u8 = 17;
const TCP: u8 = 6;
const RECENT: usize = 64;
const DOUBLE_US: u64 = 10_000;
const MOST_MESSAGES: usize = 2_000_000;
const MOST_BYTES: usize = 1 << 30;
