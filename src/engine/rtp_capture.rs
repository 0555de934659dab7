//! RTP as it crossed the wire, for captures: laid down in chunks by the media thread, read by others.
//!
//! The media thread owns the chunks, fills one, and never waits: a reader gets shared handles to what is
//! full. Within the budget the oldest chunk goes first, and its memory is used again.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Instant};

use bytes::Bytes;

use super::clock::Clock;
use crate::{media::StreamId, model::RtpPacket};

/// The packets kept, oldest first.
#[derive(Debug)]
pub struct RtpCapture {
    full: VecDeque<Arc<Chunk>>,
    filling: Chunk,
    most_chunks: usize,
}

/// Some hundred packets in one piece of memory.
#[derive(Debug, Default)]
pub struct Chunk {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

/// One packet; its bytes lie in the chunk.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub at: Instant,
    pub stream: StreamId,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    start: u32,
    length: u32,
}

impl RtpCapture {
    /// Keeps up to about `budget` bytes; 0 keeps nothing.
    pub fn new(budget: usize) -> Self {
        Self { full: VecDeque::new(), filling: Chunk::default(), most_chunks: budget / CHUNK_COST }
    }

    /// Keeps one packet.
    pub fn keep(&mut self, at: Instant, stream: StreamId, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) {
        if self.most_chunks == 0 || bytes.len() > CHUNK_BYTES {
            return;
        }
        if !self.filling.has_room(bytes.len()) {
            self.turn_over();
        }
        let start = self.filling.bytes.len() as u32;
        self.filling.bytes.extend_from_slice(bytes);
        self.filling.entries.push(Entry { at, stream, source, destination, start, length: bytes.len() as u32 });
    }

    /// All that is kept, to be read elsewhere.
    pub fn chunks(&mut self) -> Vec<Arc<Chunk>> {
        if !self.filling.entries.is_empty() {
            self.turn_over();
        }
        self.full.iter().cloned().collect()
    }

    /// Files the chunk that is being filled and takes another, where possible the oldest one's memory.
    fn turn_over(&mut self) {
        // While a reader holds the oldest one its memory can't be used again; it is freed when the reader is done.
        let oldest = if self.full.len() >= self.most_chunks { self.full.pop_front() } else { None };
        let mut next = oldest.and_then(|chunk| Arc::try_unwrap(chunk).ok()).unwrap_or_default();
        next.clear();
        let full = std::mem::replace(&mut self.filling, next);
        if !full.entries.is_empty() {
            self.full.push_back(Arc::new(full));
        }
    }
}

impl Chunk {
    fn has_room(&self, bytes: usize) -> bool {
        self.entries.len() < self.entries.capacity() && self.bytes.len() + bytes <= self.bytes.capacity()
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        self.entries.reserve(CHUNK_ENTRIES);
        self.bytes.reserve(CHUNK_BYTES);
    }
}

/// The packets of some streams, in the order in which they crossed the wire.
pub fn packets_of(chunks: &[Arc<Chunk>], streams: &[StreamId], clock: Clock) -> Vec<RtpPacket> {
    let packet = |chunk: &Chunk, entry: &Entry| {
        let bytes = chunk.bytes.get(entry.start as usize..)?.get(..entry.length as usize)?;
        let (source, destination) = (entry.source, entry.destination);
        Some(RtpPacket { at: clock.wall(entry.at), source, destination, bytes: Bytes::copy_from_slice(bytes) })
    };
    let of_stream = |chunk: &Arc<Chunk>| -> Vec<RtpPacket> {
        chunk.entries.iter().filter(|entry| streams.contains(&entry.stream)).filter_map(|entry| packet(chunk, entry)).collect()
    };
    chunks.iter().flat_map(of_stream).collect()
}

const CHUNK_ENTRIES: usize = 512;
const CHUNK_BYTES: usize = 96 << 10;
/// What a chunk costs in memory.
const CHUNK_COST: usize = CHUNK_BYTES + CHUNK_ENTRIES * size_of::<Entry>();

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn packets_come_back_by_stream_and_the_oldest_go_first() {
        let clock = Clock::start();
        let mut capture = RtpCapture::new(3 * CHUNK_COST);
        for n in 0..10_000u32 {
            capture.keep(clock.now(), StreamId(n % 2), address(1), address(2), &n.to_be_bytes());
        }
        let packets = packets_of(&capture.chunks(), &[StreamId(1)], clock);
        let numbers: Vec<u32> = packets.iter().map(|packet| u32::from_be_bytes(packet.bytes[..].try_into().expect("four bytes"))).collect();
        assert_eq!(numbers.last(), Some(&9_999));
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 2));
        assert!((512..=1_024).contains(&numbers.len()), "{}", numbers.len());
        assert!(packets.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }

    #[test]
    fn a_budget_of_nothing_keeps_nothing() {
        let clock = Clock::start();
        let mut capture = RtpCapture::new(0);
        capture.keep(clock.now(), StreamId(1), address(1), address(2), &[1; 172]);
        assert!(capture.chunks().is_empty());
    }
}
