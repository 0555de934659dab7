//! Sound from end to end in virtual time, through three planes as in a call: caller, bridge, agent; for each codec and across them.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::codecs::OpusTerms;
use super::command::{Codec, MediaCommand, MediaEvent, Playout, Recording, StreamId, StreamSetup};
use super::plane::{Channel, Clock, MediaPlane, Owner, Sink};
use super::seed::fraction;

const CALLER: u8 = 1;
const BRIDGE: u8 = 2;
const AGENT: u8 = 3;
/// The bridge's stream towards the caller, and the only one of the others.
const FIRST: StreamId = StreamId(1);
const SECOND: StreamId = StreamId(2);

struct End {
    plane: MediaPlane,
    out: Out,
}

#[derive(Default)]
struct Out {
    packets: Vec<(u16, Channel, SocketAddr, Vec<u8>)>,
    events: Vec<MediaEvent>,
}

impl Sink for Out {
    fn send(&mut self, port: u16, channel: Channel, to: SocketAddr, bytes: &[u8]) {
        self.packets.push((port, channel, to, bytes.to_vec()));
    }

    fn event(&mut self, _: Owner, event: MediaEvent) {
        self.events.push(event);
    }
}

/// The caller hears and speaks one codec, the agent another, the bridge between them.
struct Call {
    now: Instant,
    begin: Instant,
    ends: [End; 3],
    under_way: Vec<(Instant, SocketAddr, SocketAddr, Vec<u8>)>,
    /// Of a hundred packets towards the bridge.
    lost_percent: f64,
    sent: u64,
}

fn ip(end: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, end])
}

fn setup(codec: Codec, to: u8, stream: StreamId) -> StreamSetup {
    StreamSetup {
        codec,
        send_pt: codec.usual_pt(),
        receive_pts: Codec::ALL.map(|codec| (codec.usual_pt(), codec)).to_vec(),
        dtmf_send_pt: Some(if codec == Codec::Opus { 110 } else { 101 }),
        dtmf_send_clock: codec.clock_rate(),
        dtmf_receive_pts: vec![(101, 8_000), (110, 48_000)],
        opus: OpusTerms { fec: true, ..OpusTerms::default() },
        ..StreamSetup::pcmu(SocketAddr::new(ip(to), port(stream)))
    }
}

fn port(stream: StreamId) -> u16 {
    40_000 + 2 * stream.0 as u16
}

impl Call {
    fn between(caller: Codec, agent: Codec) -> Call {
        Call::beside(0, caller, agent)
    }

    /// Beside so many streams that are open already.
    fn beside(others: u32, caller: Codec, agent: Codec) -> Call {
        let begin = Instant::now();
        let end = |n: u64| End { plane: MediaPlane::new(Clock::new(begin, 3_900_000_000 << 32, "lab".into()), n), out: Out::default() };
        let mut call = Call { now: begin, begin, ends: [end(1), end(2), end(3)], under_way: Vec::new(), lost_percent: 0.0, sent: 0 };
        for stream in (100..100 + others).map(StreamId) {
            call.does(BRIDGE, MediaCommand::Open { stream, port: port(stream) });
        }
        for (end, stream) in [(CALLER, FIRST), (BRIDGE, FIRST), (BRIDGE, SECOND), (AGENT, FIRST)] {
            call.does(end, MediaCommand::Open { stream, port: port(stream) });
        }
        call.does(BRIDGE, MediaCommand::Connect { a: FIRST, b: SECOND });
        call.does(CALLER, MediaCommand::configure(FIRST, setup(caller, BRIDGE, FIRST)));
        call.does(BRIDGE, MediaCommand::configure(FIRST, setup(caller, CALLER, FIRST)));
        call.does(BRIDGE, MediaCommand::configure(SECOND, setup(agent, AGENT, FIRST)));
        call.does(AGENT, MediaCommand::configure(FIRST, setup(agent, BRIDGE, SECOND)));
        for end in [CALLER, AGENT] {
            call.does(end, MediaCommand::Record { stream: FIRST, max_secs: 60 });
        }
        call
    }

    fn does(&mut self, end: u8, command: MediaCommand) {
        let end = &mut self.ends[usize::from(end) - 1];
        end.plane.handle_command(self.now, Owner::default(), command, &mut end.out);
    }

    fn advance(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now += Duration::from_millis(1);
            for n in 0..3 {
                let end = &mut self.ends[n];
                end.plane.handle_timeout(self.now, &mut end.out);
                for (port, channel, to, bytes) in end.out.packets.drain(..) {
                    let from = SocketAddr::new(ip(n as u8 + 1), port + u16::from(channel == Channel::Rtcp));
                    self.sent += 1;
                    let lost = channel == Channel::Rtp && to.ip() == ip(BRIDGE) && fraction(self.sent) * 100.0 < self.lost_percent;
                    if !lost {
                        self.under_way.push((self.now + Duration::from_millis(5), from, to, bytes));
                    }
                }
            }
            let (due, later) = std::mem::take(&mut self.under_way).into_iter().partition(|(at, ..)| *at <= self.now);
            self.under_way = later;
            let due: Vec<_> = due;
            for (_, from, to, mut bytes) in due {
                let end = self.ends.iter_mut().zip(1..).find(|(_, n)| ip(*n) == to.ip()).expect("an end of ours").0;
                let channel = if to.port() % 2 == 0 { Channel::Rtp } else { Channel::Rtcp };
                end.plane.handle_packet(self.now, to.port() & !1, channel, from, &mut bytes, &mut end.out);
            }
        }
    }

    /// What an end has heard up to now.
    fn closes(&mut self, end: u8) -> Recording {
        self.does(end, MediaCommand::Close { stream: FIRST });
        let events = &mut self.ends[usize::from(end) - 1].out.events;
        let closed = events.drain(..).find_map(|event| match event {
            MediaEvent::Closed { recording, .. } => recording,
            _ => None,
        });
        closed.expect("it was recorded")
    }

    /// Milliseconds of sound that the bridge has seen from the caller, and to it.
    fn outlined(&mut self) -> [u64; 2] {
        self.does(BRIDGE, MediaCommand::Close { stream: FIRST });
        let closed = self.ends[usize::from(BRIDGE) - 1].out.events.drain(..).find_map(|event| match event {
            MediaEvent::Closed { figures, .. } => Some([figures.received_level.heard_ms, figures.sent_level.heard_ms]),
            _ => None,
        });
        closed.expect("it was open")
    }

    fn digits(&self, end: u8) -> String {
        let digit = |event: &MediaEvent| if let MediaEvent::Dtmf { digit, .. } = event { Some(*digit) } else { None };
        self.ends[usize::from(end) - 1].out.events.iter().filter_map(digit).collect()
    }
}

/// The part of the energy that lies at `hz`.
fn share(samples: &[i16], rate: u32, hz: f64) -> f64 {
    let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let angle = std::f64::consts::TAU * hz * n as f64 / f64::from(rate);
        re += f64::from(*sample) * angle.cos();
        im += f64::from(*sample) * angle.sin();
        energy += f64::from(*sample).powi(2);
    }
    if energy == 0.0 { 0.0 } else { 2.0 * (re * re + im * im) / (samples.len() as f64 * energy) }
}

/// The first and last 10 ms that are mostly `hz` and loud, in milliseconds.
fn span(recording: &Recording, hz: f64) -> (usize, usize) {
    let step = recording.rate as usize / 100;
    let heard: Vec<usize> = recording
        .received
        .chunks_exact(step)
        .enumerate()
        .filter(|(_, part)| {
            let mean = part.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / step as f64;
            mean.sqrt() > 1_000.0 && share(part, recording.rate, hz) > 0.8
        })
        .map(|(n, _)| n * 10)
        .collect();
    (heard.first().copied().unwrap_or_default(), heard.last().map_or(0, |last| last + 10))
}

/// Pulses through two resonances, with a pitch that wanders as a speaker's does: what the codecs' concealment is made for.
fn vowel(secs: usize) -> std::sync::Arc<[i16]> {
    let (mut phase, mut states) = (0f64, [[0f64; 2]; 2]);
    let sample = |n: usize| {
        let secs = n as f64 / 8_000.0;
        phase += (130.0 + 20.0 * (std::f64::consts::TAU * 0.7 * secs).sin()) / 8_000.0;
        let pulse = if phase >= 1.0 { 4_000.0 } else { 0.0 };
        phase = phase.fract();
        let resonances = [(700.0, 0.97), (1_150.0, 0.96)].into_iter().zip(&mut states);
        let sound: f64 = resonances
            .map(|((hz, radius), state)| {
                let next = pulse + 2.0 * radius * f64::cos(std::f64::consts::TAU * hz / 8_000.0) * state[0] - radius * radius * state[1];
                *state = [next, state[0]];
                next
            })
            .sum();
        sound.clamp(-20_000.0, 20_000.0) as i16
    };
    (0..secs * 8_000).map(sample).collect()
}

const PAIRS: [(Codec, Codec); 10] = [
    (Codec::Pcmu, Codec::Pcmu),
    (Codec::G722, Codec::G722),
    (Codec::Opus, Codec::Opus),
    (Codec::Opus, Codec::Pcmu),
    (Codec::Pcmu, Codec::Opus),
    (Codec::G722, Codec::Pcma),
    (Codec::Pcma, Codec::G722),
    (Codec::Opus, Codec::G722),
    (Codec::G722, Codec::Opus),
    (Codec::Pcmu, Codec::Pcma),
];

#[test]
fn a_tone_is_heard_at_the_far_end_in_time_and_pitch_in_every_pair_of_codecs() {
    for (caller, agent) in PAIRS {
        let mut call = Call::between(caller, agent);
        call.advance(1_000);
        call.does(CALLER, MediaCommand::Play { stream: FIRST, what: Playout::Tone { hz: 1_000.0, secs: 2.0 }, token: 1 });
        call.does(AGENT, MediaCommand::Play { stream: FIRST, what: Playout::Tone { hz: 600.0, secs: 1.0 }, token: 1 });
        call.advance(3_000);
        for (end, codec, hz, length) in [(AGENT, agent, 1_000.0, 2_000usize), (CALLER, caller, 600.0, 1_000)] {
            let recording = call.closes(end);
            let ms = recording.received.len() * 1_000 / codec.sample_rate() as usize;
            assert!(recording.rate == codec.sample_rate() && (4_000..=4_021).contains(&ms), "{codec:?}: {ms}");
            let (first, last) = span(&recording, hz);
            // 10 ms on the line, up to 20 until the next packet, and what filters and codecs hold back.
            assert!((1_000..=1_070).contains(&first), "{caller:?} to {agent:?}: {hz} Hz from {first}");
            assert!((last - first).abs_diff(length) <= 30, "{caller:?} to {agent:?}: {hz} Hz for {}", last - first);
        }
        assert_eq!(call.now.duration_since(call.begin), Duration::from_secs(4));
    }
}

#[test]
fn sound_that_passes_has_an_outline_and_what_costs_to_read_only_beside_few_calls() {
    for (codec, others) in [(Codec::Pcmu, 200), (Codec::G722, 0), (Codec::Opus, 0), (Codec::G722, 200), (Codec::Opus, 200)] {
        let mut call = Call::beside(others, codec, codec);
        call.does(CALLER, MediaCommand::Play { stream: FIRST, what: Playout::Tone { hz: 1_000.0, secs: 2.0 }, token: 1 });
        call.does(AGENT, MediaCommand::Play { stream: FIRST, what: Playout::Tone { hz: 600.0, secs: 1.0 }, token: 1 });
        call.advance(3_000);
        let is_read = others == 0 || codec == Codec::Pcmu;
        for (heard, said) in call.outlined().into_iter().zip([2_000u64, 1_000]) {
            let expected = if is_read { said } else { 0 };
            assert!(heard.abs_diff(expected) <= 100 * u64::from(is_read), "{codec:?} beside {others}: {heard} of {said}");
        }
    }
}

#[test]
fn loss_towards_the_bridge_is_concealed_where_it_transcodes() {
    for (caller, agent) in [(Codec::Opus, Codec::Pcmu), (Codec::G722, Codec::Pcma), (Codec::Opus, Codec::G722), (Codec::Pcmu, Codec::Opus)]
    {
        let mut call = Call::between(caller, agent);
        call.does(CALLER, MediaCommand::Play { stream: FIRST, what: Playout::Prompt(vowel(11)), token: 1 });
        call.advance(500);
        call.lost_percent = 8.0;
        call.advance(10_000);
        call.lost_percent = 0.0;
        call.advance(200);
        let recording = call.closes(AGENT);
        let step = recording.rate as usize / 100;
        let loud = |part: &&[i16]| part.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / step as f64 > 400f64.powi(2);
        let parts: Vec<&[i16]> = recording.received.chunks_exact(step).skip(50).take(1_000).collect();
        let quiet = parts.iter().filter(|part| !loud(part)).count();
        assert!(quiet <= 25, "{caller:?} to {agent:?}: {quiet} of {} hundredths of a second are silent", parts.len());
    }
}

#[test]
fn digits_cross_between_clocks() {
    for (caller, agent) in [(Codec::Opus, Codec::Pcmu), (Codec::Pcmu, Codec::Opus), (Codec::Opus, Codec::G722), (Codec::Opus, Codec::Opus)]
    {
        let mut call = Call::between(caller, agent);
        call.advance(300);
        call.does(CALLER, MediaCommand::SendDtmf { stream: FIRST, digits: "125#".into() });
        call.advance(2_000);
        assert_eq!((call.digits(BRIDGE), call.digits(AGENT)), ("125#".into(), "125#".into()), "{caller:?} to {agent:?}");
        // And sound goes on after them.
        call.does(CALLER, MediaCommand::Play { stream: FIRST, what: Playout::Tone { hz: 1_000.0, secs: 0.5 }, token: 1 });
        call.advance(1_000);
        let (first, last) = span(&call.closes(AGENT), 1_000.0);
        assert!((2_300..=2_370).contains(&first) && (470..=530).contains(&(last - first)), "{caller:?} to {agent:?}: {first} to {last}");
    }
}

#[test]
fn a_prompt_and_a_hold_leave_one_series_in_the_clock_of_the_codec() {
    let mut call = Call::between(Codec::Pcmu, Codec::Opus);
    call.advance(500);
    call.does(BRIDGE, MediaCommand::Play { stream: SECOND, what: Playout::Tone { hz: 700.0, secs: 0.5 }, token: 1 });
    call.advance(1_000);
    // The caller falls silent for two seconds: comfort for the agent, then the voice is back.
    let quiet = StreamSetup { direction: super::Direction::RecvOnly, ..setup(Codec::Pcmu, BRIDGE, FIRST) };
    call.does(CALLER, MediaCommand::configure(FIRST, quiet));
    call.advance(2_000);
    call.does(CALLER, MediaCommand::configure(FIRST, setup(Codec::Pcmu, BRIDGE, FIRST)));
    call.does(CALLER, MediaCommand::Play { stream: FIRST, what: Playout::Tone { hz: 1_000.0, secs: 1.0 }, token: 2 });
    call.advance(1_500);
    let recording = call.closes(AGENT);
    let (prompt, voice) = (span(&recording, 700.0), span(&recording, 1_000.0));
    assert!((500..=550).contains(&prompt.0) && (prompt.1 - prompt.0).abs_diff(500) <= 30, "{prompt:?}");
    assert!((3_500..=3_570).contains(&voice.0) && (voice.1 - voice.0).abs_diff(1_000) <= 30, "{voice:?}");
}

/// The length of what is kept of a stream is that of the time it was kept, through pauses, holds, loss and a change of codec.
#[test]
fn what_is_kept_is_as_long_as_it_was_kept() {
    let mut call = Call::between(Codec::Pcmu, Codec::Opus);
    call.lost_percent = 10.0;
    call.advance(137);
    call.does(BRIDGE, MediaCommand::Keep { stream: FIRST, on: true });
    call.does(CALLER, MediaCommand::Play { stream: FIRST, what: Playout::Prompt(vowel(3)), token: 1 });
    call.advance(4_000);
    let held = StreamSetup { direction: super::Direction::Inactive, ..setup(Codec::Pcmu, CALLER, FIRST) };
    call.does(BRIDGE, MediaCommand::configure(FIRST, held));
    call.advance(3_000);
    call.does(BRIDGE, MediaCommand::configure(FIRST, setup(Codec::G722, CALLER, FIRST)));
    call.does(CALLER, MediaCommand::configure(FIRST, setup(Codec::G722, BRIDGE, FIRST)));
    call.does(CALLER, MediaCommand::Play { stream: FIRST, what: Playout::Tone { hz: 1_000.0, secs: 1.0 }, token: 2 });
    call.advance(2_023);
    call.does(BRIDGE, MediaCommand::Keep { stream: FIRST, on: false });
    let (mut next, mut ended, mut received) = (0, false, Vec::new());
    for event in &call.ends[usize::from(BRIDGE) - 1].out.events {
        if let MediaEvent::Kept { second, last, .. } = event {
            assert_eq!((second.rate, second.first_sample, second.received.len()), (8_000, next, second.sent.len()));
            next += second.received.len() as u64;
            received.extend(&second.received);
            ended = *last;
        }
    }
    assert!(ended, "its end is told");
    assert_eq!(next, 8 * 9_023);
    let (first, last) = span(&Recording { rate: 8_000, received, sent: Vec::new() }, 1_000.0);
    assert!((7_000..=7_060).contains(&first) && (last - first).abs_diff(1_000) <= 150, "{first} to {last}");
}
