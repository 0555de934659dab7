//! What leaves on a stream: one SSRC, one unbroken series of sequence numbers and timestamps, whoever speaks through it.

use std::time::Instant;

use super::codecs::RATE;
use super::rtp::{Header, Stamp, sequence_distance};

/// The sending half of a stream. Relayed packets, prompts, digits and silence all pass through it.
#[derive(Debug)]
pub struct Outgoing {
    pub ssrc: u32,
    /// Of the newest packet sent.
    sequence: u16,
    /// The media clock at the newest packet sent.
    timestamp: u32,
    sent_at: Option<Instant>,
    /// Timestamp units a second.
    clock: u32,
    /// The next packet of our own making follows after a pause.
    anew: bool,
    feed: Option<Feed>,
    pub packets: u64,
    /// Payload only.
    pub bytes: u64,
}

/// The source that is relayed now, and how its numbers become ours.
#[derive(Debug, Clone, Copy)]
struct Feed {
    ssrc: u32,
    sequence_shift: u16,
    timestamp_shift: u32,
    highest: u16,
    timestamp: u32,
    /// Nothing before this is taken: it left before the source was switched to us.
    floor: u16,
}

impl Outgoing {
    /// Random beginnings (RFC 3550 §5.1) come from `seed`.
    pub fn new(seed: u64) -> Outgoing {
        let bits = super::seed::mix(seed);
        let more = super::seed::mix(bits);
        Outgoing {
            ssrc: (bits >> 32) as u32,
            sequence: bits as u16 & 0x7fff,
            timestamp: more as u32,
            sent_at: None,
            clock: RATE,
            anew: false,
            feed: None,
            packets: 0,
            bytes: 0,
        }
    }

    /// The numbers for a packet of another leg's source; `None`: it is too old to fit in.
    /// Loss, reordering and doubles of the source stay as they are: the listener conceals them best itself.
    pub fn relay(&mut self, now: Instant, header: &Header) -> Option<Stamp> {
        let mut marker = header.marker;
        let feed = match &mut self.feed {
            Some(feed) if feed.ssrc == header.ssrc && continues(feed, header, self.clock) => feed,
            _ => {
                marker = true;
                let (sequence, timestamp) = self.next(now);
                self.feed.insert(Feed {
                    ssrc: header.ssrc,
                    sequence_shift: sequence.wrapping_sub(header.sequence),
                    timestamp_shift: timestamp.wrapping_sub(header.timestamp),
                    highest: header.sequence.wrapping_sub(1),
                    timestamp: header.timestamp,
                    floor: header.sequence,
                })
            }
        };
        if sequence_distance(header.sequence, feed.floor) < 0 {
            return None;
        }
        let sequence = header.sequence.wrapping_add(feed.sequence_shift);
        let timestamp = header.timestamp.wrapping_add(feed.timestamp_shift);
        if sequence_distance(header.sequence, feed.highest) > 0 {
            feed.highest = header.sequence;
            feed.timestamp = header.timestamp;
            if sequence_distance(feed.highest, feed.floor) > FLOOR_DEPTH {
                feed.floor = feed.highest.wrapping_sub(FLOOR_DEPTH as u16);
            }
            self.sequence = sequence;
            self.timestamp = timestamp;
        }
        self.sent_at = Some(now);
        Some(Stamp { marker, pt: header.pt, sequence, timestamp, ssrc: self.ssrc })
    }

    /// A packet of the source that the listener can't take: closes the gap, so that it does not look lost.
    pub fn skip(&mut self, header: &Header) {
        if let Some(feed) = &mut self.feed
            && feed.ssrc == header.ssrc
            && sequence_distance(header.sequence, feed.highest) > 0
        {
            feed.highest = header.sequence;
            feed.sequence_shift = feed.sequence_shift.wrapping_sub(1);
        }
    }

    /// Timestamp units a second, from now on.
    pub fn set_clock(&mut self, clock: u32) {
        if clock != self.clock {
            (self.clock, self.anew, self.feed) = (clock, true, None);
        }
    }

    /// The next packet of our own making comes as much later as it is later, not right after the one before.
    pub fn begin_anew(&mut self) {
        self.anew = true;
    }

    /// The numbers for a packet of our own making, `units` of the clock after the one before it.
    pub fn make(&mut self, now: Instant, pt: u8, units: u32) -> Stamp {
        let fresh = std::mem::take(&mut self.anew) | self.feed.take().is_some() || self.sent_at.is_none();
        let (sequence, timestamp) =
            if fresh { self.next(now) } else { (self.sequence.wrapping_add(1), self.timestamp.wrapping_add(units)) };
        self.sequence = sequence;
        self.timestamp = timestamp;
        self.sent_at = Some(now);
        Stamp { marker: fresh, pt, sequence, timestamp, ssrc: self.ssrc }
    }

    /// Lets the media clock run on through time in which nothing is sent.
    pub fn pause(&mut self, samples: u32) {
        self.timestamp = self.timestamp.wrapping_add(samples);
    }

    pub fn count(&mut self, payload: usize) {
        self.packets += 1;
        self.bytes += payload as u64;
    }

    /// The next relayed packet begins a new series.
    pub fn end_feed(&mut self) {
        self.feed = None;
    }

    pub fn is_fed(&self) -> bool {
        self.feed.is_some()
    }

    pub fn last_sent(&self) -> Option<Instant> {
        self.sent_at
    }

    /// The media clock now, for a sender report (RFC 3550 §6.4.1).
    pub fn timestamp_at(&self, now: Instant) -> u32 {
        let elapsed = self.sent_at.map_or(0, |sent| samples_between(sent, now, self.clock) as u32);
        self.timestamp.wrapping_add(elapsed)
    }

    /// What follows the newest packet when somebody else begins to speak: the next number, and as much later as it is later.
    fn next(&self, now: Instant) -> (u16, u32) {
        match self.sent_at {
            Some(sent) => (
                self.sequence.wrapping_add(1),
                self.timestamp.wrapping_add((samples_between(sent, now, self.clock) as u32).max(self.clock / 50)),
            ),
            None => (self.sequence.wrapping_add(1), self.timestamp),
        }
    }
}

/// Whether a packet belongs to the series of its source, or the source began anew under the same SSRC.
fn continues(feed: &Feed, header: &Header, clock: u32) -> bool {
    let ahead = sequence_distance(header.sequence, feed.highest);
    if !(-FLOOR_DEPTH..MOST_LOST).contains(&ahead) {
        return false;
    }
    let (later, clock) = (header.timestamp.wrapping_sub(feed.timestamp) as i32, clock.cast_signed());
    (-MOST_BACK_SECS * clock..MOST_LATER_SECS * clock).contains(&later)
}

/// Samples from `earlier` to `later`, so many a second.
pub fn samples_between(earlier: Instant, later: Instant, rate: u32) -> u64 {
    let elapsed = later.saturating_duration_since(earlier);
    let micros = elapsed.as_secs() * 1_000_000 + u64::from(elapsed.subsec_micros());
    micros * u64::from(rate) / 1_000_000
}

const MOST_LOST: i16 = 3_000;
const FLOOR_DEPTH: i16 = 1_000;
/// A minute of silence suppressed is a pause; an hour is another clock.
const MOST_LATER_SECS: i32 = 60;
/// Ends of a telephone-event may carry its old beginning after a long press.
const MOST_BACK_SECS: i32 = 20;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, pt: 0, sequence, timestamp, ssrc, payload: 12..172 }
    }

    struct Line {
        out: Outgoing,
        now: Instant,
    }

    impl Line {
        fn new() -> Line {
            Line { out: Outgoing::new(1), now: Instant::now() }
        }

        /// 20 ms later.
        fn hears(&mut self, header: &Header) -> Option<(u16, u32)> {
            self.now += Duration::from_millis(20);
            self.out.relay(self.now, header).map(|stamp| (stamp.sequence, stamp.timestamp))
        }
    }

    #[test]
    fn loss_and_order_of_the_source_are_passed_on() {
        let mut line = Line::new();
        let (sequence, timestamp) = line.hears(&packet(7, 65_535, 1_000)).expect("relayed");
        for (offset, source) in [(1u16, 0u16), (4, 3), (3, 2), (5, 4)] {
            let expected = (sequence.wrapping_add(offset), timestamp + u32::from(offset) * 160);
            assert_eq!(line.hears(&packet(7, source, 1_000 + u32::from(offset) * 160)), Some(expected));
        }
    }

    #[test]
    fn a_switch_of_source_is_no_break_for_the_listener() {
        let mut line = Line::new();
        let (sequence, timestamp) = line.hears(&packet(7, 100, 1_000)).expect("relayed");
        // Another SSRC, 20 ms later, from quite another place on both circles.
        assert_eq!(line.hears(&packet(8, 50_000, 4_000_000_000)), Some((sequence + 1, timestamp + 160)));
        assert_eq!(line.hears(&packet(8, 50_001, 4_000_000_160)), Some((sequence + 2, timestamp + 320)));
        // A straggler from before the switch, and the old source again.
        assert_eq!(line.hears(&packet(8, 49_999, 3_999_999_840)), None);
        // The same SSRC begins anew: 40 ms have gone by.
        assert_eq!(line.hears(&packet(8, 10, 5)), Some((sequence + 3, timestamp + 640)));
    }

    #[test]
    fn prompts_and_relay_share_one_series() {
        let mut line = Line::new();
        let (sequence, timestamp) = line.hears(&packet(7, 100, 1_000)).expect("relayed");
        line.now += Duration::from_millis(500);
        let made = line.out.make(line.now, 0, 160);
        assert_eq!((made.sequence, made.timestamp, made.marker), (sequence + 1, timestamp + 4_000, true));
        line.now += Duration::from_millis(20);
        let made = line.out.make(line.now, 0, 160);
        assert_eq!((made.sequence, made.timestamp, made.marker), (sequence + 2, timestamp + 4_160, false));
        assert_eq!(line.hears(&packet(7, 130, 5_800)), Some((sequence + 3, timestamp + 4_320)));
    }

    #[test]
    fn what_the_listener_can_not_take_leaves_no_gap() {
        let mut line = Line::new();
        let (sequence, timestamp) = line.hears(&packet(7, 100, 1_000)).expect("relayed");
        line.out.skip(&packet(7, 101, 1_000));
        line.out.skip(&packet(7, 102, 1_000));
        assert_eq!(line.hears(&packet(7, 103, 1_480)), Some((sequence + 1, timestamp + 480)));
    }

    #[test]
    fn an_hour_of_relaying_keeps_one_series() {
        let mut line = Line::new();
        let mut last = line.hears(&packet(7, 0, 0)).expect("relayed");
        for n in 1..180_000u32 {
            let next = line.hears(&packet(7, n as u16, n * 160)).expect("relayed");
            assert_eq!(next, (last.0.wrapping_add(1), last.1.wrapping_add(160)), "packet {n}");
            last = next;
        }
    }
}
