//! People on streams, told in virtual time: what the line hears, and what the far end hears of the line.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::codecs::Law;
use super::command::{Heard, Line, MediaCommand, MediaEvent, Playout, StreamId, StreamSetup};
use super::plane::{Channel, Clock, MediaPlane, Owner, Sink};
use super::rtp::{self, Stamp};
use super::tone::{Sine, longest_secs};

const CUSTOMER: StreamId = StreamId(1);
const AGENT: StreamId = StreamId(2);

/// Ears and mouths of all lines, and what went out on the wire.
#[derive(Default)]
struct Room {
    heard: HashMap<Line, (Vec<i16>, Vec<i16>)>,
    /// What is said on the operator's line.
    voice: Option<Sine>,
    /// Samples that its microphone has ready.
    gathered: usize,
    /// It gives nothing for now.
    stalls: bool,
    /// The payloads, by the port that they left from.
    wire: HashMap<u16, Vec<u8>>,
    attended: Vec<(Line, bool)>,
}

impl Sink for Room {
    fn send(&mut self, port: u16, channel: Channel, _: SocketAddr, bytes: &[u8]) {
        if channel == Channel::Rtp {
            self.wire.entry(port).or_default().extend_from_slice(&bytes[rtp::HEADER_LEN..]);
        }
    }

    fn event(&mut self, _: Owner, _: MediaEvent) {}

    fn hear(&mut self, line: Line, left: &[i16], right: &[i16]) {
        let ears = self.heard.entry(line).or_default();
        ears.0.extend_from_slice(left);
        ears.1.extend_from_slice(right);
    }

    fn spoken(&mut self, line: Line) -> Option<usize> {
        self.voice.as_ref().filter(|_| line == Line::Operator).map(|_| self.gathered)
    }

    fn speak(&mut self, line: Line, into: &mut [i16]) -> usize {
        let Some(voice) = self.voice.as_mut().filter(|_| line == Line::Operator) else { return 0 };
        let count = into.len().min(self.gathered);
        self.gathered -= count;
        into.iter_mut().zip(voice).take(count).for_each(|(sample, said)| *sample = said);
        count
    }

    fn attend(&mut self, line: Line, on: bool) {
        self.attended.push((line, on));
    }
}

struct Story {
    plane: MediaPlane,
    began: Instant,
    now: Instant,
    room: Room,
    sequence: u16,
}

fn port(stream: StreamId) -> u16 {
    40_000 + 2 * stream.0 as u16
}

fn peer(stream: StreamId) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, stream.0 as u8], 20_000))
}

impl Story {
    fn with(streams: &[StreamId]) -> Story {
        let now = Instant::now();
        let plane = MediaPlane::new(Clock::new(now, 3_900_000_000 << 32, "lab".into()), 7);
        let mut story = Story { plane, began: now, now, room: Room::default(), sequence: 0 };
        for stream in streams.iter().copied() {
            story.does(MediaCommand::Open { stream, port: port(stream) });
            story.does(MediaCommand::configure(stream, StreamSetup::pcmu(peer(stream))));
        }
        story
    }

    fn does(&mut self, command: MediaCommand) {
        self.plane.handle_command(self.now, Owner::default(), command, &mut self.room);
    }

    fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(at) = self.plane.deadline().filter(|at| *at <= end) {
            self.passes(at.max(self.now));
            self.plane.handle_timeout(self.now, &mut self.room);
        }
        self.passes(end);
    }

    /// The microphone goes on in blocks of 5 ms.
    fn passes(&mut self, now: Instant) {
        let blocks = |at: Instant| at.saturating_duration_since(self.began).as_millis() as usize / 5;
        if !self.room.stalls {
            self.room.gathered += 240 * (blocks(now) - blocks(self.now));
        }
        self.now = now;
    }

    /// The far end of each stream says its tone for so many seconds, a packet every 20 ms; packet numbers that `lost` names stay away.
    fn says(&mut self, voices: &[(StreamId, f32)], secs: f32, lost: impl Fn(u16) -> bool) {
        let mut tones: Vec<_> = voices.iter().map(|(stream, hz)| (*stream, Sine::new(*hz, 8_000.0))).collect();
        for _ in 0..(secs * 50.0) as u16 {
            let sequence = self.sequence;
            self.sequence += 1;
            for (stream, tone) in &mut tones {
                let stamp = Stamp { marker: false, pt: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc: stream.0 };
                let mut bytes = vec![0; rtp::HEADER_LEN];
                rtp::write_header(bytes.first_chunk_mut().expect("a header's room"), &stamp);
                bytes.extend(tone.take(160).map(|sample| Law::Mu.encode(sample)));
                if !lost(sequence) {
                    self.plane.handle_packet(self.now, port(*stream), Channel::Rtp, peer(*stream), &mut bytes, &mut self.room);
                }
            }
            self.advance(Duration::from_millis(20));
        }
    }

    fn ears(&self, line: Line) -> (&[i16], &[i16]) {
        self.room.heard.get(&line).map_or((&[], &[]), |(left, right)| (left, right))
    }

    /// What the far end of a stream heard, as samples.
    fn sent(&self, stream: StreamId) -> Vec<i16> {
        self.room.wire.get(&port(stream)).into_iter().flatten().map(|byte| Law::Mu.decode(*byte)).collect()
    }
}

/// Seconds of a tone on a line: every sixth sample is at the rate that the tone's finder knows.
fn secs_of(line: &[i16], hz: f32) -> f32 {
    let at_8000: Vec<i16> = line.iter().step_by(6).copied().collect();
    longest_secs(&at_8000, hz)
}

#[test]
fn the_operator_hears_and_is_heard() {
    let mut story = Story::with(&[CUSTOMER]);
    story.room.voice = Some(voice_of_line(1_000.0));
    story.does(MediaCommand::Live { stream: CUSTOMER, line: Line::Operator, on: true });
    story.says(&[(CUSTOMER, 440.0)], 2.0, |_| false);
    let (left, right) = story.ears(Line::Operator);
    assert!(left == right && secs_of(left, 440.0) >= 1.9, "{}", secs_of(left, 440.0));
    assert!(longest_secs(&story.sent(CUSTOMER), 1_000.0) >= 1.9);
    story.does(MediaCommand::Live { stream: CUSTOMER, line: Line::Operator, on: false });
    assert_eq!(story.room.attended, [(Line::Operator, true), (Line::Operator, false)]);
    let before = story.ears(Line::Operator).0.len();
    story.says(&[(CUSTOMER, 440.0)], 0.5, |_| false);
    assert_eq!(story.ears(Line::Operator).0.len(), before, "nobody is on the line any more");
}

#[test]
fn a_line_without_a_microphone_sends_silence_and_still_hears() {
    let mut story = Story::with(&[CUSTOMER]);
    story.does(MediaCommand::Live { stream: CUSTOMER, line: Line::Operator, on: true });
    story.says(&[(CUSTOMER, 440.0)], 1.0, |_| false);
    assert!(secs_of(story.ears(Line::Operator).0, 440.0) >= 0.9);
    let sent = story.sent(CUSTOMER);
    assert!(sent.len() >= 7_800 && sent.iter().all(|sample| *sample == 0));
}

#[test]
fn a_line_is_on_one_stream_at_a_time() {
    let mut story = Story::with(&[CUSTOMER, AGENT]);
    story.room.voice = Some(voice_of_line(1_000.0));
    for stream in [CUSTOMER, AGENT] {
        story.does(MediaCommand::Live { stream, line: Line::Operator, on: true });
    }
    story.says(&[(CUSTOMER, 440.0), (AGENT, 620.0)], 1.0, |_| false);
    let heard = story.ears(Line::Operator).0;
    assert!(secs_of(heard, 620.0) >= 0.9 && secs_of(heard, 440.0) == 0.0);
    assert!(longest_secs(&story.sent(CUSTOMER), 1_000.0) == 0.0 && longest_secs(&story.sent(AGENT), 1_000.0) >= 0.9);
    // The stream that it left says nothing of it when it closes.
    story.does(MediaCommand::Close { stream: CUSTOMER });
    assert_eq!(story.room.attended, [(Line::Operator, true)]);
    story.does(MediaCommand::Close { stream: AGENT });
    assert_eq!(story.room.attended, [(Line::Operator, true), (Line::Operator, false)]);
}

#[test]
fn a_listener_hears_both_sides_and_is_heard_by_none() {
    let mut story = Story::with(&[CUSTOMER, AGENT]);
    story.does(MediaCommand::Connect { a: CUSTOMER, b: AGENT });
    story.says(&[(CUSTOMER, 440.0), (AGENT, 620.0)], 1.0, |_| false);
    story.does(MediaCommand::Listen { stream: CUSTOMER, heard: Some(Heard::Both) });
    story.says(&[(CUSTOMER, 440.0), (AGENT, 620.0)], 2.0, |_| false);
    let (left, right) = story.ears(Line::Listener);
    assert!(secs_of(left, 440.0) >= 1.85 && secs_of(right, 620.0) >= 1.85);
    assert!(secs_of(left, 620.0) == 0.0 && secs_of(right, 440.0) == 0.0);
    // The call goes on as before; each side can be heard alone.
    assert!(longest_secs(&story.sent(CUSTOMER), 620.0) >= 2.9 && longest_secs(&story.sent(AGENT), 440.0) >= 2.9);
    story.does(MediaCommand::Listen { stream: CUSTOMER, heard: Some(Heard::Sent) });
    story.room.heard.clear();
    story.says(&[(CUSTOMER, 440.0), (AGENT, 620.0)], 1.0, |_| false);
    let (left, right) = story.ears(Line::Listener);
    assert!(secs_of(left, 620.0) >= 0.85 && left == right);
    story.does(MediaCommand::Listen { stream: CUSTOMER, heard: None });
    assert_eq!(story.room.attended, [(Line::Listener, true), (Line::Listener, false)]);
}

#[test]
fn a_listener_hears_a_prompt_as_the_caller_does() {
    let mut story = Story::with(&[CUSTOMER]);
    story.does(MediaCommand::Listen { stream: CUSTOMER, heard: Some(Heard::Both) });
    story.does(MediaCommand::Play { stream: CUSTOMER, what: Playout::Tone { hz: 500.0, secs: 1.0 }, token: 1 });
    story.advance(Duration::from_secs(2));
    let (left, right) = story.ears(Line::Listener);
    assert!(secs_of(right, 500.0) >= 0.95 && left.iter().all(|sample| *sample == 0));
}

#[test]
fn a_prompt_goes_before_the_line_and_hands_back_to_it() {
    let mut story = Story::with(&[CUSTOMER]);
    story.room.voice = Some(voice_of_line(1_000.0));
    story.does(MediaCommand::Live { stream: CUSTOMER, line: Line::Operator, on: true });
    story.does(MediaCommand::Play { stream: CUSTOMER, what: Playout::Tone { hz: 500.0, secs: 1.0 }, token: 1 });
    story.advance(Duration::from_secs(2));
    let sent = story.sent(CUSTOMER);
    assert!(longest_secs(&sent, 500.0) >= 0.95 && longest_secs(&sent, 1_000.0) >= 0.9);
}

#[test]
fn a_microphone_that_stalls_is_silence_in_packets_and_then_heard_whole_again() {
    let mut story = Story::with(&[CUSTOMER]);
    story.room.voice = Some(voice_of_line(1_000.0));
    story.does(MediaCommand::Live { stream: CUSTOMER, line: Line::Operator, on: true });
    story.advance(Duration::from_secs(1));
    story.room.stalls = true;
    let before = story.sent(CUSTOMER).len();
    story.advance(Duration::from_secs(1));
    let sent = story.sent(CUSTOMER);
    assert!((sent.len() - before).abs_diff(8_000) <= 480, "packets go on: {}", sent.len() - before);
    assert!(sent[sent.len() - 7_200..].iter().all(|sample| *sample == 0));
    story.room.stalls = false;
    story.advance(Duration::from_secs(1));
    assert!(longest_secs(&story.sent(CUSTOMER)[sent.len()..], 1_000.0) >= 0.95);
}

#[test]
fn a_far_end_that_begins_anew_is_heard_again() {
    let mut story = Story::with(&[CUSTOMER]);
    story.does(MediaCommand::Live { stream: CUSTOMER, line: Line::Operator, on: true });
    story.says(&[(CUSTOMER, 440.0)], 1.0, |_| false);
    story.sequence = 30_000;
    story.says(&[(CUSTOMER, 620.0)], 1.0, |_| false);
    story.advance(Duration::from_secs(3));
    story.says(&[(CUSTOMER, 880.0)], 1.0, |_| false);
    let heard = story.ears(Line::Operator).0;
    for hz in [440.0, 620.0, 880.0] {
        assert!(secs_of(heard, hz) >= 0.8, "{hz}: {}", secs_of(heard, hz));
    }
    assert!(heard.len() < 48_000 * 5, "a line that hears nothing is not filled");
}

/// A tone of a line, which runs six times as fast as what makes it.
fn voice_of_line(hz: f32) -> Sine {
    Sine::new(hz / 6.0, 8_000.0)
}
