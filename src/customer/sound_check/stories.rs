//! Checks through two real streams with a network between, in virtual time: good, lossy, one-way, too loud, too quiet.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::*;
use crate::media::{Channel, Clock, MediaCommand, MediaEvent, MediaPlane, Owner, Sink, StreamId, StreamSetup};

/// What the far side does.
#[derive(Clone, Copy)]
enum Far {
    BeepsAndEchoes,
    OnlyEchoes,
    Talks,
    Silent,
}

#[derive(Clone, Copy)]
struct Network {
    delay_ms: u64,
    /// Of a hundred packets, there and back.
    lost: (u64, u64),
    /// What the sound is multiplied by, there and back.
    gain: (f64, f64),
}

const GOOD: Network = Network { delay_ms: 20, lost: (0, 0), gain: (1.0, 1.0) };

#[derive(Default)]
struct Wire {
    sent: Vec<(u16, SocketAddr, Vec<u8>)>,
    recording: Option<Recording>,
}

impl Sink for Wire {
    fn send(&mut self, port: u16, channel: Channel, to: SocketAddr, bytes: &[u8]) {
        if channel == Channel::Rtp {
            self.sent.push((port, to, bytes.to_vec()));
        }
    }

    fn event(&mut self, _owner: Owner, event: MediaEvent) {
        if let MediaEvent::Closed { recording: Some(recording), .. } = event {
            self.recording = Some(recording);
        }
    }
}

/// Makes µ-law louder (G.711), as a gateway on the way may do.
fn louder(payload: &mut [u8], gain: f64) {
    for byte in payload {
        let bits = !*byte;
        let (exponent, mantissa) = (u32::from(bits >> 4 & 7), i32::from(bits & 15));
        let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
        let sample = f64::from(if bits & 0x80 != 0 { -magnitude } else { magnitude });
        *byte = encoded((sample * gain).clamp(-32_635.0, 32_635.0) as i32);
    }
}

fn encoded(sample: i32) -> u8 {
    let (sign, magnitude) = (if sample < 0 { 0x80u8 } else { 0 }, sample.unsigned_abs().min(32_635) + 0x84);
    let exponent = (magnitude.ilog2() - 7).min(7);
    !(sign | (exponent as u8) << 4 | (magnitude >> (exponent + 3) & 15) as u8)
}

fn checked(far: Far, network: Network) -> SoundCheck {
    const CALLER: u16 = 40_000;
    const AGENT: u16 = 40_010;
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let start = Instant::now();
    let mut now = start;
    let mut plane = MediaPlane::new(Clock::new(start, 0, "check".into()), 7);
    let (mut wire, owner) = (Wire::default(), Owner(0));
    let (caller, agent) = (StreamId(1), StreamId(2));
    let mut commands = vec![
        MediaCommand::Open { stream: caller, port: CALLER },
        MediaCommand::Open { stream: agent, port: AGENT },
        MediaCommand::configure(caller, StreamSetup::pcmu(address(AGENT))),
        MediaCommand::configure(agent, StreamSetup::pcmu(address(CALLER))),
        MediaCommand::Record { stream: caller, max_secs: 30 },
        MediaCommand::Play { stream: caller, what: probe(), token: 0 },
    ];
    let tone = |hz: f64, secs| MediaCommand::Play { stream: agent, what: Playout::Tone { hz: hz as f32, secs }, token: 1 };
    match far {
        Far::BeepsAndEchoes => commands.extend([MediaCommand::Connect { a: agent, b: agent }, tone(BEEP_HZ, 1.0)]),
        Far::OnlyEchoes => commands.push(MediaCommand::Connect { a: agent, b: agent }),
        Far::Talks => commands.push(tone(300.0, 60.0)),
        Far::Silent => {}
    }
    for command in commands {
        plane.handle_command(now, owner, command, &mut wire);
    }
    let mut flying: VecDeque<(Instant, u16, SocketAddr, Vec<u8>)> = VecDeque::new();
    let mut luck = 12_345u64;
    while now < start + Duration::from_secs_f64(SoundCheck::LENGTH_SECS) {
        for (from, to, mut bytes) in wire.sent.drain(..) {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (lost, gain) = if from == CALLER { (network.lost.0, network.gain.0) } else { (network.lost.1, network.gain.1) };
            if (luck >> 33) % 100 >= lost {
                louder(&mut bytes[12..], gain);
                flying.push_back((now + Duration::from_millis(network.delay_ms), from, to, bytes));
            }
        }
        let next = [plane.deadline(), flying.front().map(|(at, ..)| *at)].into_iter().flatten().min().expect("something is to come");
        now = now.max(next);
        while flying.front().is_some_and(|(at, ..)| *at <= now) {
            let (_, from, to, mut bytes) = flying.pop_front().expect("it is there");
            plane.handle_packet(now, to.port(), Channel::Rtp, address(from), &mut bytes, &mut wire);
        }
        plane.handle_timeout(now, &mut wire);
    }
    plane.handle_command(now, owner, MediaCommand::Close { stream: caller }, &mut wire);
    plane.handle_command(now, owner, MediaCommand::Close { stream: agent }, &mut wire);
    assert_eq!(plane.streams(), 0);
    judge(&wire.recording.expect("it was recorded"))
}

#[track_caller]
fn near(found: Option<f32>, wanted: f32, by: f32) {
    assert!(found.is_some_and(|found| (found - wanted).abs() <= by), "{found:?} is not {wanted}");
}

#[test]
fn both_ways_are_heard_with_their_levels_and_the_round_trip() {
    let check = checked(Far::BeepsAndEchoes, GOOD);
    assert!(check.passed(), "{check:?}");
    near(check.from_agent.level_dbfs, -12.2, 0.3);
    near(check.to_agent.level_dbfs, -12.2, 0.3);
    near(check.round_trip_ms, 40.0, 25.0);
    assert_eq!((check.from_agent.clipped, check.to_agent.clipped), (Some(false), Some(false)));
    let far = checked(Far::BeepsAndEchoes, Network { delay_ms: 300, ..GOOD });
    near(far.round_trip_ms, check.round_trip_ms.unwrap_or_default() + 560.0, 25.0);
}

#[test]
fn each_ways_level_is_its_own() {
    let check = checked(Far::BeepsAndEchoes, Network { gain: (0.25, 0.5), ..GOOD });
    near(check.from_agent.level_dbfs, -18.2, 0.5);
    near(check.to_agent.level_dbfs, -24.3, 0.7);
}

#[test]
fn clipping_is_told_of_the_way_that_does_it() {
    let check = checked(Far::BeepsAndEchoes, Network { gain: (12.0, 1.0), ..GOOD });
    assert_eq!((check.to_agent.clipped, check.from_agent.clipped), (Some(true), Some(false)), "{check:?}");
    let check = checked(Far::BeepsAndEchoes, Network { gain: (1.0, 12.0), ..GOOD });
    assert_eq!((check.to_agent.clipped, check.from_agent.clipped), (None, Some(true)), "{check:?}");
}

#[test]
fn loss_of_one_in_ten_each_way_is_heard_through() {
    let check = checked(Far::BeepsAndEchoes, Network { lost: (10, 10), ..GOOD });
    assert!(check.passed(), "{check:?}");
}

#[test]
fn a_way_that_carries_nothing_is_named() {
    // The far side beeps, and hears nothing that it could send back.
    let check = checked(Far::BeepsAndEchoes, Network { lost: (100, 0), ..GOOD });
    assert_eq!((check.to_agent.heard, check.from_agent.heard), (Some(false), Some(true)), "{check:?}");
    // Nothing comes back: whether the far side heard, nobody can tell.
    let check = checked(Far::BeepsAndEchoes, Network { lost: (0, 100), ..GOOD });
    assert_eq!((check.to_agent.heard, check.from_agent.heard), (None, Some(false)), "{check:?}");
    assert!(!check.passed());
}

#[test]
fn a_far_side_that_only_sends_back_is_enough() {
    let check = checked(Far::OnlyEchoes, GOOD);
    assert!(check.passed(), "{check:?}");
    near(check.from_agent.level_dbfs, -12.2, 0.3);
}

#[test]
fn an_agent_that_talks_proves_its_own_way_only() {
    let check = checked(Far::Talks, GOOD);
    assert_eq!((check.to_agent.heard, check.from_agent.heard, check.round_trip_ms), (None, Some(true), None), "{check:?}");
    let check = checked(Far::Silent, GOOD);
    assert_eq!((check.to_agent.heard, check.from_agent.heard), (None, Some(false)));
    assert_eq!(judge(&Recording::default()).from_agent.heard, Some(false), "a call without sound");
}
