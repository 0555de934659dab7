//! What a media plane does, told in virtual time with peers that are only addresses.

mod digits;
mod relay;
mod reports;
mod sources;
mod speech;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::codecs::Law;
use super::command::{Codec, Direction, MediaCommand, MediaEvent, Playout, StreamFigures, StreamId, StreamSetup};
use super::plane::{Channel, Clock, MediaPlane, Owner, Sink};
use super::rtp::{self, Header, Stamp};
use super::seed::fraction;
use super::{dtmf, tone};

const US: Owner = Owner(1);
const CUSTOMER: StreamId = StreamId(1);
const AGENT: StreamId = StreamId(2);

/// A plane with a customer's and an agent's stream, and everything that came out of it.
struct Lab {
    plane: MediaPlane,
    begin: Instant,
    now: Instant,
    out: Out,
}

#[derive(Default)]
struct Out {
    at: Option<Instant>,
    packets: Vec<Sent>,
    events: Vec<MediaEvent>,
}

struct Sent {
    at: Option<Instant>,
    port: u16,
    channel: Channel,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Sink for Out {
    fn send(&mut self, port: u16, channel: Channel, to: SocketAddr, bytes: &[u8]) {
        self.packets.push(Sent { at: self.at, port, channel, to, bytes: bytes.to_vec() });
    }

    fn event(&mut self, owner: Owner, event: MediaEvent) {
        assert_eq!(owner, US);
        self.events.push(event);
    }
}

fn peer(stream: StreamId) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, stream.0 as u8], 20_000))
}

fn port(stream: StreamId) -> u16 {
    40_000 + 2 * stream.0 as u16
}

fn setup(stream: StreamId) -> StreamSetup {
    StreamSetup::pcmu(peer(stream))
}

/// Somebody who sends RTP: the numbers go up by themselves.
struct Voice {
    stream: StreamId,
    from: SocketAddr,
    stamp: Stamp,
}

impl Voice {
    fn of(stream: StreamId) -> Voice {
        Voice {
            stream,
            from: peer(stream),
            stamp: Stamp { marker: false, pt: 0, sequence: 65_500, timestamp: 77_000, ssrc: 100 + stream.0 },
        }
    }

    fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; rtp::HEADER_LEN];
        rtp::write_header(bytes.first_chunk_mut().expect("a header's room"), &self.stamp);
        bytes.extend(payload);
        self.stamp.sequence = self.stamp.sequence.wrapping_add(1);
        self.stamp.timestamp = self.stamp.timestamp.wrapping_add(160);
        bytes
    }
}

impl Lab {
    fn new() -> Lab {
        let begin = Instant::now();
        let clock = Clock::new(begin, 3_900_000_000 << 32, "lab".into());
        Lab { plane: MediaPlane::new(clock, 7), begin, now: begin, out: Out::default() }
    }

    /// Both streams open and connected.
    fn bridged(customer: StreamSetup, agent: StreamSetup) -> Lab {
        let mut lab = Lab::new();
        for stream in [CUSTOMER, AGENT] {
            lab.does(MediaCommand::Open { stream, port: port(stream) });
        }
        lab.does(MediaCommand::Connect { a: CUSTOMER, b: AGENT });
        for (stream, setup) in [(CUSTOMER, customer), (AGENT, agent)] {
            lab.does(MediaCommand::configure(stream, setup));
        }
        lab
    }

    /// One stream, connected to nothing.
    fn alone(setup: StreamSetup) -> Lab {
        let mut lab = Lab::new();
        lab.does(MediaCommand::Open { stream: CUSTOMER, port: port(CUSTOMER) });
        lab.does(MediaCommand::configure(CUSTOMER, setup));
        lab
    }

    fn does(&mut self, command: MediaCommand) {
        self.out.at = Some(self.now);
        self.plane.handle_command(self.now, US, command, &mut self.out);
    }

    fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(at) = self.plane.deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.out.at = Some(self.now);
            self.plane.handle_timeout(self.now, &mut self.out);
        }
        self.now = end;
        self.out.at = Some(end);
    }

    fn hears(&mut self, stream: StreamId, from: SocketAddr, mut bytes: Vec<u8>) {
        self.out.at = Some(self.now);
        self.plane.handle_packet(self.now, port(stream), Channel::Rtp, from, &mut bytes, &mut self.out);
    }

    /// The next packet of a voice, and 20 ms.
    fn says(&mut self, voice: &mut Voice, payload: &[u8]) {
        let packet = voice.packet(payload);
        self.hears(voice.stream, voice.from, packet);
        self.advance(ms(20));
    }

    /// The RTP packets that left for a stream's peer so far, taken out.
    fn sent(&mut self, stream: StreamId) -> Vec<(Header, Vec<u8>)> {
        let (ours, rest) = self.out.packets.drain(..).partition(|sent| sent.port == port(stream) && sent.channel == Channel::Rtp);
        self.out.packets = rest;
        let ours: Vec<Sent> = ours;
        ours.into_iter()
            .map(|sent| {
                let header = rtp::parse(&sent.bytes).expect("we send RTP");
                let payload = sent.bytes[header.payload.clone()].to_vec();
                (header, payload)
            })
            .collect()
    }

    fn digits(&self, stream: StreamId) -> String {
        let digit = |event: &MediaEvent| match event {
            MediaEvent::Dtmf { stream: of, digit } if *of == stream => Some(*digit),
            _ => None,
        };
        self.out.events.iter().filter_map(digit).collect()
    }

    fn told(&self, event: &MediaEvent) -> usize {
        self.out.events.iter().filter(|told| *told == event).count()
    }

    /// Closes what is open and asserts that nothing is left; the figures of `stream`.
    fn closes(&mut self, stream: StreamId) -> StreamFigures {
        for open in [CUSTOMER, AGENT] {
            self.does(MediaCommand::Close { stream: open });
        }
        self.plane.handle_timeout(self.now, &mut self.out);
        assert_eq!((self.plane.streams(), self.plane.deadline()), (0, None));
        let closed = |event: &MediaEvent| match event {
            MediaEvent::Closed { stream: of, figures, .. } if *of == stream => Some(StreamFigures::clone(figures)),
            _ => None,
        };
        self.out.events.iter().find_map(closed).expect("a closed stream says so")
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn assert_unbroken(packets: &[(Header, Vec<u8>)]) {
    for pair in packets.windows(2) {
        let ((before, _), (after, _)) = (&pair[0], &pair[1]);
        assert_eq!(after.ssrc, before.ssrc);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        assert!((after.timestamp.wrapping_sub(before.timestamp) as i32) >= 0);
    }
}

fn samples(law: Law, packets: &[(Header, Vec<u8>)]) -> Vec<i16> {
    packets.iter().flat_map(|(_, payload)| payload.iter().map(|byte| law.decode(*byte))).collect()
}
