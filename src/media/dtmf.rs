//! Digits as telephone-events (RFC 4733): sent with a growing duration and three ends, received once each.

use std::collections::VecDeque;

/// The payload of one event packet (§2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPacket {
    pub event: u8,
    pub end: bool,
    /// −dBm0, 0 to 63.
    pub volume: u8,
    /// In timestamp units since the event's beginning.
    pub duration: u16,
}

impl EventPacket {
    pub const LEN: usize = 4;

    pub fn parse(payload: &[u8]) -> Option<EventPacket> {
        let [event, flags, high, low] = *payload.first_chunk::<4>()?;
        Some(EventPacket { event, end: flags & 0x80 != 0, volume: flags & 0x3f, duration: u16::from_be_bytes([high, low]) })
    }

    pub fn bytes(self) -> [u8; Self::LEN] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | self.volume & 0x3f, high, low]
    }
}

/// §3.2: 0–9, *, #, A–D; 16 is a hook flash.
const DIGITS: &[u8; 17] = b"0123456789*#ABCD!";

/// The digit of an event code.
pub fn digit_of(event: u8) -> Option<char> {
    DIGITS.get(usize::from(event)).map(|digit| char::from(*digit))
}

/// The event code of a digit, in either case.
pub fn event_of(digit: char) -> Option<u8> {
    let digit = u8::try_from(digit.to_ascii_uppercase()).ok()?;
    DIGITS.iter().position(|known| *known == digit).map(|event| event as u8)
}

/// Turns event packets, of which any may be lost, doubled or late, into digits told once.
#[derive(Debug, Default)]
pub struct Receiver {
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    event: u8,
    /// Of the event's latest segment.
    timestamp: u32,
    duration: u16,
}

impl Receiver {
    /// The digit, at the first packet seen of its event, whichever that is.
    pub fn handle_packet(&mut self, marker: bool, timestamp: u32, packet: EventPacket) -> Option<char> {
        if let Some(current) = &mut self.current {
            let ahead = timestamp.wrapping_sub(current.timestamp) as i32;
            if ahead == 0 {
                // §2.5.1.2, §2.5.1.4: updates and the three ends share the timestamp of the beginning.
                current.duration = current.duration.max(packet.duration);
                return None;
            }
            // A straggler of an event that is over. A source that began its clock anew is further off than that.
            if ahead < 0 && ahead > -STRAGGLER {
                return None;
            }
            // §2.5.1.3: an event too long for its duration field goes on in a new segment, with no marker.
            let next_segment = i64::from(ahead) - i64::from(SEGMENT);
            if !marker && packet.event == current.event && current.duration > SEGMENT - MOST_STEP && next_segment.abs() <= MOST_STEP.into()
            {
                *current = Current { event: packet.event, timestamp, duration: packet.duration };
                return None;
            }
        }
        self.current = Some(Current { event: packet.event, timestamp, duration: packet.duration });
        digit_of(packet.event)
    }

    /// A new source counts its timestamps from elsewhere.
    pub fn restart(&mut self) {
        self.current = None;
    }
}

const SEGMENT: u16 = 0xffff;
/// Between two updates of an event: 200 ms at 48,000 Hz.
const MOST_STEP: u16 = 9_600;
/// Ten seconds at 8,000 Hz: events further back than this are new ones after a clock change.
const STRAGGLER: i32 = 80_000;

/// Digits waiting to go out, and how far the first of them is.
#[derive(Debug, Default)]
pub struct Sender {
    waiting: VecDeque<u8>,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// `elapsed` milliseconds of the event are out.
    Pressed { event: u8, elapsed: u16 },
    /// The end was sent `sent` times.
    Ending { event: u8, sent: u8 },
    /// Between two digits: `left` milliseconds of silence.
    Pause { left: u16 },
}

/// What to send in this packet time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// An event packet; `first` begins an event: marker set, and its timestamp stays until the event's end.
    Event { packet: EventPacket, first: bool },
    /// Nothing of ours: the pause between two digits, or nothing to send.
    Nothing,
}

impl Sender {
    /// Appends digits; what is none is skipped. Says whether any was one.
    pub fn push(&mut self, digits: &str) -> bool {
        let before = self.waiting.len();
        let room = MOST_WAITING.saturating_sub(before);
        self.waiting.extend(digits.chars().filter_map(event_of).take(room));
        self.waiting.len() > before
    }

    pub fn is_active(&self) -> bool {
        !self.waiting.is_empty() || !matches!(self.state, State::Idle)
    }

    /// One packet time of `ms` milliseconds later; durations are told in units of `clock` (§2.3.5).
    pub fn next_turn(&mut self, ms: u16, clock: u32) -> Turn {
        let event_turn = |event, end, elapsed: u16, first| {
            let duration = (u32::from(elapsed) * clock / 1_000).min(u16::MAX.into()) as u16;
            Turn::Event { packet: EventPacket { event, end, volume: 10, duration }, first }
        };
        let (turn, next) = match std::mem::take(&mut self.state) {
            State::Idle => match self.waiting.pop_front() {
                Some(event) => (event_turn(event, false, ms, true), State::Pressed { event, elapsed: ms }),
                None => (Turn::Nothing, State::Idle),
            },
            State::Pressed { event, elapsed } if elapsed + ms < PRESSED => {
                let elapsed = elapsed + ms;
                (event_turn(event, false, elapsed, false), State::Pressed { event, elapsed })
            }
            State::Pressed { event, .. } => (event_turn(event, true, PRESSED, false), State::Ending { event, sent: 1 }),
            // §2.5.1.4: the final packet goes out three times in all, at the interval of the updates.
            State::Ending { event, sent } if sent < 2 => (event_turn(event, true, PRESSED, false), State::Ending { event, sent: sent + 1 }),
            State::Ending { event, .. } => (event_turn(event, true, PRESSED, false), State::Pause { left: PAUSE }),
            State::Pause { left } if left > ms => (Turn::Nothing, State::Pause { left: left - ms }),
            State::Pause { .. } => (Turn::Nothing, State::Idle),
        };
        self.state = next;
        turn
    }
}

/// 100 ms pressed and, with the ends' 40 ms, 100 ms apart: longer than the 40 ms that Q.24 asks for, shorter than a person.
const PRESSED: u16 = 100;
const PAUSE: u16 = 60;
const MOST_WAITING: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(digits: &str) -> Vec<(bool, u32, EventPacket)> {
        let mut sender = Sender::default();
        assert!(sender.push(digits));
        let (mut clock, mut begun, mut packets) = (1_000u32, 0, Vec::new());
        while sender.is_active() {
            if let Turn::Event { packet, first } = sender.next_turn(20, 8_000) {
                if first {
                    begun = clock;
                }
                packets.push((first, begun, packet));
            }
            clock += 160;
        }
        packets
    }

    fn heard(packets: &[(bool, u32, EventPacket)]) -> String {
        let mut receiver = Receiver::default();
        packets.iter().filter_map(|(marker, timestamp, packet)| receiver.handle_packet(*marker, *timestamp, *packet)).collect()
    }

    #[test]
    fn one_digit_grows_and_ends_three_times() {
        let packets = sent("5");
        let durations: Vec<(u16, bool)> = packets.iter().map(|(.., packet)| (packet.duration, packet.end)).collect();
        assert_eq!(durations, [(160, false), (320, false), (480, false), (640, false), (800, true), (800, true), (800, true)]);
        assert!(packets.iter().all(|(_, timestamp, packet)| *timestamp == 1_000 && packet.event == 5));
        assert_eq!(packets.iter().filter(|(marker, ..)| *marker).count(), 1);
    }

    #[test]
    fn digits_are_heard_once_each_in_order() {
        assert_eq!(heard(&sent("0123456789*#abcd!")), "0123456789*#ABCD!");
        assert_eq!(heard(&sent("11x 1")), "111");
    }

    #[test]
    fn a_digit_survives_the_loss_of_any_packets_but_one() {
        let packets = sent("7");
        for kept in 0..packets.len() {
            assert_eq!(heard(&packets[kept..=kept]), "7");
        }
    }

    #[test]
    fn lost_ends_do_not_swallow_the_next_digit() {
        let without_ends: Vec<_> = sent("77").into_iter().filter(|(.., packet)| !packet.end).collect();
        assert_eq!(heard(&without_ends), "77");
    }

    #[test]
    fn ends_arriving_within_the_next_digit_are_not_told_again() {
        let mut packets = sent("12");
        let late_end = packets.remove(6);
        packets.insert(9, late_end);
        let first_packet_again = packets[0];
        packets.push(first_packet_again);
        assert_eq!(heard(&packets), "12");
    }

    #[test]
    fn a_key_held_for_long_is_one_digit() {
        let packet = |end, duration| EventPacket { event: 3, end, volume: 10, duration };
        let packets = [
            (true, 0, packet(false, 160)),
            (false, 0, packet(false, 0xffff)),
            (false, 0xffff, packet(false, 160)),
            (false, 0xffff, packet(true, 320)),
        ];
        assert_eq!(heard(&packets), "3");
    }

    #[test]
    fn unknown_events_and_short_payloads_are_no_digits() {
        assert_eq!(EventPacket::parse(&[1, 2, 3]), None);
        assert_eq!(heard(&[(true, 0, EventPacket { event: 200, end: false, volume: 0, duration: 160 })]), "");
        assert!(!Sender::default().push("hello"));
    }
}
