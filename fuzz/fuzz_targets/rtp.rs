//! RTP at two streams that are relayed to each other, with digits, recording and time: packets out are RTP, nothing panics.
#![no_main]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use arbitrary::Arbitrary;
use handback::media::{
    Channel, Clock, Codec, Direction, Heard, Line, MediaCommand, MediaEvent, MediaPlane, Owner, Playout, Sink, StreamId, StreamSetup, rtp,
};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Packet {
        leg: bool,
        stranger: bool,
        bytes: &'a [u8],
    },
    /// A packet with a header that will be taken, so that the fuzzer need not find one.
    Sound {
        leg: bool,
        pt: u8,
        sequence: u16,
        timestamp: u32,
        ssrc: u8,
        payload: &'a [u8],
    },
    Later {
        ms: u16,
    },
    Digits {
        leg: bool,
        digits: &'a str,
    },
    Play {
        leg: bool,
        secs: u8,
    },
    Stop {
        leg: bool,
    },
    Hold {
        leg: bool,
        direction: u8,
        codec: u8,
        ptime: u8,
    },
    /// What listens: a recording, a person, somebody who hears both.
    Listen {
        leg: bool,
        who: u8,
        on: bool,
    },
    Connect,
    Disconnect {
        leg: bool,
    },
}

struct Out;

impl Sink for Out {
    fn send(&mut self, _port: u16, channel: Channel, _to: SocketAddr, bytes: &[u8]) {
        if channel == Channel::Rtp {
            assert!(rtp::parse(bytes).is_some(), "what leaves is RTP: {bytes:?}");
        }
    }

    fn event(&mut self, _owner: Owner, _event: MediaEvent) {}
}

fuzz_target!(|steps: Vec<Step<'_>>| {
    let mut now = Instant::now();
    let mut plane = MediaPlane::new(Clock::new(now, 1 << 32, "fuzz".to_owned()), 7);
    let owner = Owner(0);
    let legs = [StreamId(1), StreamId(2)];
    let remotes: [SocketAddr; 2] = [([127, 0, 0, 1], 6000).into(), ([127, 0, 0, 2], 6002).into()];
    let at = |leg: bool| usize::from(leg);
    for leg in [0, 1] {
        plane.handle_command(now, owner, MediaCommand::Open { stream: legs[leg], port: 40_000 + 2 * leg as u16 }, &mut Out);
        let setup = StreamSetup { relearn: leg == 0, ..StreamSetup::pcmu(remotes[leg]) };
        plane.handle_command(now, owner, MediaCommand::configure(legs[leg], setup), &mut Out);
        plane.handle_command(now, owner, MediaCommand::Record { stream: legs[leg], max_secs: 5 }, &mut Out);
    }
    plane.handle_command(now, owner, MediaCommand::Connect { a: legs[0], b: legs[1] }, &mut Out);
    for step in steps.into_iter().take(200) {
        match step {
            Step::Packet { leg, stranger, bytes } => {
                let from = if stranger { ([192, 0, 2, 1], 9).into() } else { remotes[at(leg)] };
                plane.handle_packet(now, 40_000 + 2 * u16::from(leg), Channel::Rtp, from, &mut bytes.to_vec(), &mut Out);
            }
            Step::Sound { leg, pt, sequence, timestamp, ssrc, payload } => {
                let mut bytes = [0; rtp::HEADER_LEN].to_vec();
                let stamp = rtp::Stamp { marker: pt > 127, pt: pt & 127, sequence, timestamp, ssrc: ssrc.into() };
                rtp::write_header(bytes.first_chunk_mut().expect("twelve bytes"), &stamp);
                bytes.extend_from_slice(payload);
                plane.handle_packet(now, 40_000 + 2 * u16::from(leg), Channel::Rtp, remotes[at(leg)], &mut bytes, &mut Out);
            }
            Step::Later { ms } => {
                let end = now + Duration::from_millis(u64::from(ms % 3_000));
                // As the media thread does: wake at each deadline, not only at the end.
                while let Some(deadline) = plane.deadline().filter(|deadline| *deadline <= end) {
                    now = now.max(deadline);
                    plane.handle_timeout(now, &mut Out);
                    assert!(plane.deadline().is_none_or(|next| next > now), "a timeout at {now:?} must be over when it was handled");
                }
                now = end;
            }
            Step::Digits { leg, digits } => {
                let digits = digits.chars().take(8).collect();
                plane.handle_command(now, owner, MediaCommand::SendDtmf { stream: legs[at(leg)], digits }, &mut Out);
            }
            Step::Play { leg, secs } => {
                let what = Playout::Tone { hz: 440.0, secs: f32::from(secs) / 16.0 };
                plane.handle_command(now, owner, MediaCommand::Play { stream: legs[at(leg)], what, token: 1 }, &mut Out);
            }
            Step::Stop { leg } => plane.handle_command(now, owner, MediaCommand::StopPlaying { stream: legs[at(leg)] }, &mut Out),
            Step::Hold { leg, direction, codec, ptime } => {
                let directions = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
                let codec = Codec::ALL[usize::from(codec % 4)];
                let setup = StreamSetup {
                    direction: directions[usize::from(direction % 4)],
                    codec,
                    send_pt: codec.usual_pt(),
                    receive_pts: Codec::ALL.map(|codec| (codec.usual_pt(), codec)).to_vec(),
                    dtmf_send_clock: codec.clock_rate(),
                    dtmf_receive_pts: vec![(101, 8_000), (110, 48_000)],
                    ptime_ms: ptime.into(),
                    ..StreamSetup::pcmu(remotes[at(leg)])
                };
                plane.handle_command(now, owner, MediaCommand::configure(legs[at(leg)], setup), &mut Out);
            }
            Step::Listen { leg, who, on } => {
                let stream = legs[at(leg)];
                let command = match who % 5 {
                    0 => MediaCommand::Keep { stream, on },
                    1 => MediaCommand::Tap { stream, on },
                    2 => MediaCommand::Live { stream, line: Line::Operator, on },
                    3 => MediaCommand::WatchSilence { stream, secs: on.then_some(1.0) },
                    _ => MediaCommand::Listen { stream, heard: on.then_some(Heard::Both) },
                };
                plane.handle_command(now, owner, command, &mut Out);
            }
            Step::Connect => plane.handle_command(now, owner, MediaCommand::Connect { a: legs[0], b: legs[1] }, &mut Out),
            Step::Disconnect { leg } => plane.handle_command(now, owner, MediaCommand::Disconnect { stream: legs[at(leg)] }, &mut Out),
        }
    }
    for stream in legs {
        plane.handle_command(now, owner, MediaCommand::Close { stream }, &mut Out);
    }
    assert_eq!(plane.streams(), 0, "nothing is left over");
});
