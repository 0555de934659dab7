//! Packets in the order of their sound, each handed out when it is due: what comes unevenly is heard evenly.
//!
//! A packet is due its source's shortest transit and the target (`delay.rs`) after its timestamp. In flowing sound
//! one packet follows the other and [`JitterBuffer::excess`] says by how much that is too late or too early, for whoever can
//! shorten or lengthen sound; where sound is missing anyway, the schedule moves by itself. So growing delay, shrinking delay,
//! clocks that drift apart and pauses of the source are all one rule.

mod delay;

use std::time::Instant;

use self::delay::DelayWatch;
use super::rtp::{Header, sequence_distance};

/// The packets of one source that are not heard yet. It allocates once.
#[derive(Debug)]
pub struct JitterBuffer {
    /// Of the RTP clock.
    rate: u32,
    epoch: Option<Instant>,
    /// By sequence number.
    slots: Box<[Slot]>,
    source: Option<Source>,
    counts: Counts,
}

/// What became of what came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub played: u64,
    /// Packets that were not there when their sound was due.
    pub missing: u64,
    /// Of the missing: those that came after all.
    pub late: u64,
    pub duplicated: u64,
    /// Passed over, for the sound had fallen too far behind.
    pub skipped: u64,
    /// Beginnings of a new source or clock after the first.
    pub restarts: u64,
}

/// How a packet was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    Kept,
    /// Its time has passed.
    Late,
    Duplicate,
    /// Far off what came before; a second such one is believed.
    Odd,
    /// Longer than any packet of sound.
    TooLong,
}

/// What is to be heard next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    Sound {
        pt: u8,
        payload: &'a [u8],
    },
    /// Nothing is there for so many units of the RTP clock; `None`: for as long as is asked for now.
    Missing {
        units: Option<u32>,
        /// Packets were sent and are not there; else the source itself says nothing.
        lost: bool,
        /// The packet after the gap, which may tell what was in it (Opus in-band FEC).
        next: Option<(u8, &'a [u8])>,
    },
}

/// One unbroken numbering of packets. Sequence numbers and timestamps are counted on past their ends.
#[derive(Debug)]
struct Source {
    ssrc: u32,
    newest: (i64, i64),
    delay: DelayWatch,
    /// The number that would confirm that the source began anew.
    odd: Option<u16>,
    /// The timestamp and sequence number that follow what was heard last.
    wanted: Option<(i64, i64)>,
    /// One packet follows the other; else the next one waits until it is due.
    flows: bool,
    /// Length of the packet heard last.
    length: i64,
    excess: i64,
}

#[derive(Debug, Clone)]
struct Slot {
    sequence: i64,
    timestamp: i64,
    holds: Holds,
    pt: u8,
    length: usize,
    payload: [u8; MOST_PAYLOAD],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    Sound,
    /// A telephone-event: it takes a number, and no sound is missing for it.
    Event,
    Played,
}

impl JitterBuffer {
    /// `rate`: of the RTP clock (8,000 for G.722, RFC 3551 §4.5.2).
    pub fn new(rate: u32) -> JitterBuffer {
        let empty = Slot { sequence: i64::MIN, timestamp: 0, holds: Holds::Nothing, pt: 0, length: 0, payload: [0; MOST_PAYLOAD] };
        JitterBuffer { rate, epoch: None, slots: vec![empty; SLOTS].into(), source: None, counts: Counts::default() }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What the network's unevenness asks for now, in units of the RTP clock.
    pub fn target(&self) -> u32 {
        self.source.as_ref().map_or(0, |source| source.delay.target() as u32)
    }

    /// By how many units what was heard last came later than it should; negative: so much too early.
    pub fn excess(&self) -> i64 {
        self.source.as_ref().map_or(0, |source| source.excess)
    }

    /// How long what was heard last had waited beyond the shortest transit, in units.
    pub fn delay(&self) -> u32 {
        self.source.as_ref().map_or(0, |source| (source.delay.target() + source.excess).max(0) as u32)
    }

    /// A packet of sound, as it arrives.
    pub fn push(&mut self, now: Instant, header: &Header, payload: &[u8]) -> Pushed {
        if payload.len() > MOST_PAYLOAD {
            return Pushed::TooLong;
        }
        self.take(now, header, Holds::Sound, payload)
    }

    /// A packet that is no sound, but has its number among those that are.
    pub fn push_event(&mut self, now: Instant, header: &Header) -> Pushed {
        self.take(now, header, Holds::Event, &[])
    }

    /// What is to be heard from `now` on. After [`Next::Sound`] comes [`JitterBuffer::played`].
    /// `now` is best the time for which sound was due to be asked for, not when somebody got round to it.
    pub fn next(&mut self, now: Instant) -> Next<'_> {
        let now = self.units(now);
        let Some(source) = &mut self.source else { return NOTHING };
        let Some(mut slot) = earliest(&self.slots, source.wanted) else {
            source.flows = false;
            return NOTHING;
        };
        let due = source.delay.base() + source.delay.target();
        let unit = i64::from(self.rate / 1_000).max(1);
        // The present is wanted, not what piled up while nothing came through.
        if now - self.slots[slot].timestamp - due > MOST_EXCESS_MS * unit {
            while now - self.slots[slot].timestamp - due > SLACK_MS * unit {
                let after = Some((self.slots[slot].timestamp + 1, 0));
                let Some(later) = earliest(&self.slots, after) else { break };
                self.counts.skipped += 1;
                slot = later;
            }
        }
        let (at, number) = (self.slots[slot].timestamp, self.slots[slot].sequence);
        let excess = now - at - due;
        let Some((timestamp, sequence)) = source.wanted else {
            return if excess >= 0 { self.hand_out(slot, excess) } else { NOTHING };
        };
        let gap = at - timestamp;
        let lost = missing(&self.slots, sequence, number) > 0;
        let limit = if gap == 0 { -SLACK_MS * unit } else { 0 };
        if (source.flows && gap == 0) || excess >= 0 || (!source.flows && excess >= limit) {
            return self.hand_out(slot, excess);
        }
        if !source.flows || gap > LONGEST_FILL_MS * unit {
            source.flows = false;
            return Next::Missing { units: None, lost, next: None };
        }
        // As long as the gap, and longer where the delay has to grow, for that is never less heard than here.
        let fill = if -excess > gap + SLACK_MS * unit { (-excess).min(2 * gap) } else { gap };
        let rest = fill - source.length;
        let (units, wanted) = if rest > 0 { (rest, timestamp + gap - source.length) } else { (fill, at) };
        source.wanted = Some((wanted, sequence));
        let after = &self.slots[slot];
        let next = (lost && rest <= 0).then(|| (after.pt, after.bytes()));
        Next::Missing { units: u32::try_from(units).ok(), lost, next }
    }

    /// So many units were heard of the packet handed out last.
    pub fn played(&mut self, units: u32) {
        if let Some(source) = &mut self.source {
            source.length = units.into();
            source.wanted = source.wanted.map(|(timestamp, sequence)| (timestamp + i64::from(units), sequence));
        }
    }

    fn hand_out(&mut self, slot: usize, excess: i64) -> Next<'_> {
        let (sequence, timestamp) = (self.slots[slot].sequence, self.slots[slot].timestamp);
        if let Some(source) = &mut self.source {
            if let Some((_, wanted)) = source.wanted {
                self.counts.missing += missing(&self.slots, wanted, sequence);
            }
            source.wanted = Some((timestamp, sequence + 1));
            source.flows = true;
            source.excess = excess;
        }
        self.counts.played += 1;
        let slot = &mut self.slots[slot];
        slot.holds = Holds::Played;
        Next::Sound { pt: slot.pt, payload: slot.bytes() }
    }

    fn take(&mut self, now: Instant, header: &Header, holds: Holds, payload: &[u8]) -> Pushed {
        self.epoch.get_or_insert(now);
        let arrived = self.units(now);
        let Some((sequence, timestamp)) = self.place(arrived, header, holds) else { return Pushed::Odd };
        let Some(source) = &mut self.source else { return Pushed::Odd };
        let slot = &mut self.slots[sequence.rem_euclid(SLOTS as i64) as usize];
        if slot.sequence == sequence && slot.holds != Holds::Nothing {
            self.counts.duplicated += 1;
            return Pushed::Duplicate;
        }
        if holds == Holds::Sound {
            source.delay.note(arrived, arrived - timestamp);
            if source.wanted.is_some_and(|(wanted, _)| timestamp < wanted) {
                self.counts.late += 1;
                return Pushed::Late;
            }
        }
        slot.sequence = sequence;
        slot.timestamp = timestamp;
        slot.holds = holds;
        slot.pt = header.pt;
        slot.length = payload.len();
        slot.payload[..payload.len()].copy_from_slice(payload);
        Pushed::Kept
    }

    /// Counts the packet's numbers on from those of its source, or takes it for the first of a new one.
    fn place(&mut self, arrived: i64, header: &Header, holds: Holds) -> Option<(i64, i64)> {
        let Some(source) = self.source.as_mut().filter(|source| source.ssrc == header.ssrc) else {
            return self.begin(arrived, header);
        };
        let (newest_sequence, newest_timestamp) = source.newest;
        let ahead = sequence_distance(header.sequence, newest_sequence as u16);
        let sequence = newest_sequence + i64::from(ahead);
        let timestamp = newest_timestamp + i64::from(header.timestamp.wrapping_sub(newest_timestamp as u32) as i32);
        // The timestamp of an event is that of its beginning.
        let strays = holds == Holds::Sound && (arrived - timestamp - source.delay.base()).abs() > i64::from(self.rate) * MOST_SHIFT_SECS;
        if strays || ahead.unsigned_abs() > MOST_LEAP {
            if source.odd == Some(header.sequence) {
                return self.begin(arrived, header);
            }
            source.odd = Some(header.sequence.wrapping_add(1));
            return None;
        }
        source.odd = None;
        if ahead > 0 {
            source.newest = (sequence, if holds == Holds::Sound { timestamp } else { newest_timestamp });
        }
        Some((sequence, timestamp))
    }

    fn begin(&mut self, arrived: i64, header: &Header) -> Option<(i64, i64)> {
        let (sequence, timestamp) = (i64::from(header.sequence), i64::from(header.timestamp));
        self.slots.iter_mut().for_each(|slot| slot.holds = Holds::Nothing);
        self.counts.restarts += u64::from(self.source.is_some());
        self.source = Some(Source {
            ssrc: header.ssrc,
            newest: (sequence, timestamp),
            delay: DelayWatch::new(self.rate, arrived, arrived - timestamp),
            odd: None,
            wanted: None,
            flows: false,
            length: 0,
            excess: 0,
        });
        Some((sequence, timestamp))
    }

    fn units(&self, now: Instant) -> i64 {
        let since = self.epoch.map_or(0, |epoch| now.saturating_duration_since(epoch).as_micros() as i64);
        since * i64::from(self.rate) / 1_000_000
    }
}

impl Slot {
    fn bytes(&self) -> &[u8] {
        self.payload.get(..self.length).unwrap_or_default()
    }
}

/// The slot whose sound comes first of all that is not over.
fn earliest(slots: &[Slot], wanted: Option<(i64, i64)>) -> Option<usize> {
    let from = wanted.map_or(i64::MIN, |(timestamp, _)| timestamp);
    let waiting = slots.iter().enumerate().filter(|(_, slot)| slot.holds == Holds::Sound && slot.timestamp >= from);
    waiting.min_by_key(|(_, slot)| slot.timestamp).map(|(index, _)| index)
}

/// How many numbers from `wanted` up to `sequence` never came, as far as one can see.
fn missing(slots: &[Slot], wanted: i64, sequence: i64) -> u64 {
    let between = (sequence - wanted).max(0) as u64;
    if between == 0 {
        return 0;
    }
    let there = slots.iter().filter(|slot| slot.holds != Holds::Nothing && (wanted..sequence).contains(&slot.sequence)).count();
    between.saturating_sub(there as u64)
}

const NOTHING: Next<'static> = Next::Missing { units: None, lost: false, next: None };
/// 640 ms of the shortest packets, 1.3 s of the usual ones.
const SLOTS: usize = 64;
/// The longest packet of Opus (RFC 6716 §3.4) has 1,275 bytes, 160 ms of G.711 have 1,280.
const MOST_PAYLOAD: usize = 1_280;
/// A source whose clock leaps so far has set it anew.
const MOST_SHIFT_SECS: i64 = 1;
const MOST_LEAP: u16 = 3_000;
/// Within this no schedule is corrected.
const SLACK_MS: i64 = 20;
const MOST_EXCESS_MS: i64 = 200;
/// A longer gap is a pause, after which the next packet waits until it is due.
const LONGEST_FILL_MS: i64 = 120;
