//! IPv4 and IPv6, with fragments put together again within bounds (RFC 791, RFC 8200).

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::notes::Notes;
use crate::model::Timestamp;

/// What an IP packet, or several fragments of one, carried.
#[derive(Debug)]
pub struct Datagram<'a> {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    pub payload: Cow<'a, [u8]>,
    /// Bytes at its end that the capture left out.
    pub missing: usize,
}

/// Fragments that wait for others.
#[derive(Default)]
pub struct Fragments {
    waiting: HashMap<Key, Waiting>,
}

type Key = (IpAddr, IpAddr, u32, u8);

struct Waiting {
    since: Timestamp,
    parts: BTreeMap<usize, Vec<u8>>,
    end: Option<usize>,
}

struct Piece<'a> {
    key: Key,
    offset: usize,
    more: bool,
    payload: &'a [u8],
    missing: usize,
}

impl Fragments {
    /// The datagram that `packet` is, or completes. `missing`: bytes of the frame that the capture left out.
    pub fn take<'a>(&mut self, at: Timestamp, packet: &'a [u8], missing: usize, notes: &mut Notes) -> Option<Datagram<'a>> {
        let piece = match packet.first()? >> 4 {
            4 => version_4(packet, missing)?,
            6 => version_6(packet, missing)?,
            _ => return None,
        };
        let (source, destination, _, protocol) = piece.key;
        if piece.offset == 0 && !piece.more {
            return Some(Datagram { source, destination, protocol, payload: Cow::Borrowed(piece.payload), missing: piece.missing });
        }
        if piece.missing > 0 || piece.offset + piece.payload.len() > LARGEST {
            notes.add("fragment cut", Some(at), || {
                format!("A fragment from {source} to {destination} is cut or broken; its packet is lost")
            });
            self.waiting.remove(&piece.key);
            return None;
        }
        let payload = self.complete(at, &piece, notes)?;
        Some(Datagram { source, destination, protocol, payload: Cow::Owned(payload), missing: 0 })
    }

    /// The file is over: what still waits will not be whole.
    pub fn finish(self, notes: &mut Notes) {
        for (key, waiting) in self.waiting {
            incomplete(key, waiting.since, notes);
        }
    }

    fn complete(&mut self, at: Timestamp, piece: &Piece<'_>, notes: &mut Notes) -> Option<Vec<u8>> {
        let key = piece.key;
        // The number comes around again: what waits that long was never completed (RFC 8200 §4.5: 60 s).
        if self.waiting.get(&key).is_some_and(|known| at.micros_since(known.since) > PATIENCE_US) {
            incomplete(key, at, notes);
            self.waiting.remove(&key);
        }
        if !self.waiting.contains_key(&key) && self.waiting.len() >= MOST_WAITING {
            let oldest = self.waiting.iter().min_by_key(|(_, waiting)| waiting.since).map(|(key, _)| *key);
            if let Some(oldest) = oldest {
                incomplete(oldest, at, notes);
                self.waiting.remove(&oldest);
            }
        }
        let waiting = self.waiting.entry(key).or_insert_with(|| Waiting { since: at, parts: BTreeMap::new(), end: None });
        if waiting.parts.len() < MOST_PARTS {
            // Of two that say different things the first counts: a later one may be forged.
            waiting.parts.entry(piece.offset).or_insert_with(|| piece.payload.to_vec());
        }
        if !piece.more {
            waiting.end = Some(piece.offset + piece.payload.len());
        }
        let end = waiting.end?;
        let mut whole = Vec::new();
        for (offset, part) in &waiting.parts {
            let known = whole.len().checked_sub(*offset)?;
            whole.extend_from_slice(part.get(known..).unwrap_or_default());
        }
        if whole.len() < end {
            return None;
        }
        self.waiting.remove(&key);
        whole.truncate(end);
        Some(whole)
    }
}

fn incomplete(key: Key, at: Timestamp, notes: &mut Notes) {
    notes.add("fragments", Some(at), || format!("A packet from {} to {} is not whole: fragments of it are missing", key.0, key.1));
}

fn version_4(packet: &[u8], missing: usize) -> Option<Piece<'_>> {
    let header = usize::from(packet.first()? & 15) * 4;
    let stated = usize::from(u16_at(packet, 2)?);
    // Offloading to the network card leaves the length 0.
    let total = if stated < header.max(20) { packet.len() + missing } else { stated };
    let flags = u16_at(packet, 6)?;
    let source = IpAddr::from(Ipv4Addr::from(*packet.get(12..)?.first_chunk::<4>()?));
    let destination = IpAddr::from(Ipv4Addr::from(*packet.get(16..)?.first_chunk::<4>()?));
    let protocol = *packet.get(9)?;
    // Behind the packet a short frame is padded.
    let payload = packet.get(header.max(20)..total.min(packet.len()))?;
    Some(Piece {
        key: (source, destination, u32::from(u16_at(packet, 4)?), protocol),
        offset: usize::from(flags & 0x1fff) * 8,
        more: flags & 0x2000 != 0,
        payload,
        missing: total.saturating_sub(packet.len()).min(missing),
    })
}

fn version_6(packet: &[u8], missing: usize) -> Option<Piece<'_>> {
    let source = IpAddr::from(Ipv6Addr::from(*packet.get(8..)?.first_chunk::<16>()?));
    let destination = IpAddr::from(Ipv6Addr::from(*packet.get(24..)?.first_chunk::<16>()?));
    let stated = usize::from(u16_at(packet, 4)?);
    let total = if stated == 0 { packet.len() + missing } else { 40 + stated };
    let mut rest = packet.get(40..total.min(packet.len()))?;
    let mut next = *packet.get(6)?;
    let (mut offset, mut more, mut identification) = (0, false, 0);
    // Extension headers (§4) until what they carry; each takes at least eight bytes, so this ends.
    while matches!(next, 0 | 43 | 44 | 51 | 60) {
        let length = match next {
            44 => 8,
            // RFC 4302 §2.2: the authentication header counts in words, less two.
            51 => (usize::from(*rest.get(1)?) + 2) * 4,
            _ => 8 + usize::from(*rest.get(1)?) * 8,
        };
        if next == 44 {
            let field = u16_at(rest, 2)?;
            (offset, more, identification) = (usize::from(field & 0xfff8), field & 1 != 0, u32_at(rest, 4)?);
        }
        next = *rest.first()?;
        rest = rest.get(length..)?;
        if offset > 0 {
            break;
        }
    }
    Some(Piece {
        key: (source, destination, identification, next),
        offset,
        more,
        payload: rest,
        missing: total.saturating_sub(packet.len()).min(missing),
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

const LARGEST: usize = 65_535;
const MOST_WAITING: usize = 512;
const MOST_PARTS: usize = 256;
const PATIENCE_US: u64 = 60_000_000;
