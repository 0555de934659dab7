//! Packets of a codec that remembers what went before, brought into the order of their numbers for those who are in no hurry.

use std::time::{Duration, Instant};

use crate::media::codecs::Codec;
use crate::media::rtp::{Header, sequence_distance};

/// Holds back what came before its turn. It allocates once.
#[derive(Debug)]
pub struct Order {
    /// The source, and the number that is due.
    due: Option<(u32, u16)>,
    /// How often the numbers began anew.
    run: u32,
    slots: Box<[Slot; SLOTS]>,
}

#[derive(Debug, Clone, Copy)]
pub struct Slot {
    taken: bool,
    run: u32,
    sequence: u16,
    /// When it came.
    pub at: Instant,
    pub timestamp: u32,
    pub codec: Codec,
    length: usize,
    payload: [u8; MOST_PAYLOAD],
}

impl Slot {
    pub fn payload(&self) -> &[u8] {
        self.payload.get(..self.length).unwrap_or_default()
    }
}

impl Order {
    pub fn new(now: Instant) -> Order {
        let codec = Codec::default();
        let empty = Slot { taken: false, run: 0, sequence: 0, at: now, timestamp: 0, codec, length: 0, payload: [0; MOST_PAYLOAD] };
        Order { due: None, run: 0, slots: Box::new([empty; SLOTS]) }
    }

    /// Takes a packet; [`Order::next`] then gives what is due. One whose turn is over, or that is no packet of sound by its length, is dropped.
    pub fn push(&mut self, now: Instant, header: &Header, codec: Codec, payload: &[u8]) {
        let ahead = self.due.filter(|(ssrc, _)| *ssrc == header.ssrc).map(|(_, due)| sequence_distance(header.sequence, due));
        match ahead {
            Some(ahead) if (-FAR..0).contains(&ahead) => return,
            Some(ahead) if (0..FAR).contains(&ahead) => {}
            // Another source, or one that began anew.
            _ => (self.due, self.run) = (Some((header.ssrc, header.sequence)), self.run.wrapping_add(1)),
        }
        if payload.len() > MOST_PAYLOAD {
            return;
        }
        if let Some(slot) = self.slots.iter_mut().find(|slot| !slot.taken) {
            (slot.taken, slot.sequence, slot.at, slot.timestamp) = (true, header.sequence, now, header.timestamp);
            (slot.run, slot.codec, slot.length) = (self.run, codec, payload.len());
            slot.payload[..payload.len()].copy_from_slice(payload);
        }
    }

    /// The next packet: the one that is due, or, where that is waited for no longer, the one after it. `all`: nothing is waited for.
    pub fn next(&mut self, now: Instant, all: bool) -> Option<&Slot> {
        let (ssrc, due) = self.due?;
        let held = || self.slots.iter().filter(|slot| slot.taken);
        let gives_up = all || held().count() == SLOTS || held().any(|slot| now.saturating_duration_since(slot.at) >= PATIENCE);
        // What is left of a source before this one comes first, whatever its numbers.
        let run = self.run;
        let place = |slot: &Slot| if slot.run == run { sequence_distance(slot.sequence, due) } else { i16::MIN };
        let slot = self.slots.iter_mut().filter(|slot| slot.taken).min_by_key(|slot| place(slot))?;
        if place(slot) > 0 && !gives_up {
            return None;
        }
        slot.taken = false;
        if place(slot) >= 0 {
            self.due = Some((ssrc, slot.sequence.wrapping_add(1)));
        }
        Some(slot)
    }

    /// The numbers go on elsewhere.
    pub fn forget(&mut self) {
        self.due = None;
    }
}

/// So many packets may overtake one.
const SLOTS: usize = 8;
const MOST_PAYLOAD: usize = 1_280;
/// Less than the tapes wait before they give a second away.
const PATIENCE: Duration = Duration::from_millis(120);
/// Further off than this a source began anew.
const FAR: i16 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn given(order: &mut Order, now: Instant, all: bool) -> Vec<u8> {
        std::iter::from_fn(|| order.next(now, all).map(|slot| slot.payload()[0])).collect()
    }

    fn header(ssrc: u32, sequence: u16) -> Header {
        Header { marker: false, pt: 111, sequence, timestamp: 0, ssrc, payload: 0..0 }
    }

    #[test]
    fn packets_come_out_in_order_and_a_lost_one_is_not_waited_for_long() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut order = Order::new(start);
        let mut heard = Vec::new();
        for (ms, n) in [(0, 0), (20, 2), (30, 1), (60, 3), (80, 5), (100, 6)] {
            order.push(at(ms), &header(1, 65_534u16.wrapping_add(n)), Codec::Opus, &[n as u8]);
            heard.extend(given(&mut order, at(ms), false));
        }
        assert_eq!(heard, [0, 1, 2, 3], "the fifth may still come");
        assert!(given(&mut order, at(199), false).is_empty());
        assert_eq!(given(&mut order, at(200), false), [5, 6]);
        order.push(at(210), &header(1, 65_534u16.wrapping_add(4)), Codec::Opus, &[4]);
        assert!(given(&mut order, at(210), true).is_empty(), "its turn is over");
    }

    #[test]
    fn another_source_is_heard_at_once_and_at_the_end_all_is_given() {
        let start = Instant::now();
        let mut order = Order::new(start);
        for (ssrc, n) in [(1, 10), (1, 12), (2, 40_000), (2, 40_003)] {
            order.push(start, &header(ssrc, n), Codec::G722, &[n as u8]);
        }
        let all = given(&mut order, start, true);
        assert_eq!(all.len(), 4);
        assert_eq!(all[2..], [40_000u16 as u8, 40_003u16 as u8]);
        for n in 0..20 {
            order.push(start, &header(3, 2 * n), Codec::G722, &[n as u8]);
        }
        assert!(given(&mut order, start, true).len() == SLOTS, "no more than it has room for");
    }
}
