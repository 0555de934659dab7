//! What one relayed packet costs in the pure media plane, no sockets: time, and allocations (there are none).
//! One packet is 50 a second in one direction of one call.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark begins at some real instant, and stops where something is amiss"
)]

use std::{
    hint::black_box,
    net::SocketAddr,
    time::{Duration, Instant},
};

use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use handback::media::{
    Channel, Clock, Codec, MediaCommand, MediaEvent, MediaPlane, Owner, Playout, Sink, StreamId, StreamSetup,
    rtp::{self, Stamp},
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Two hundred calls, as in the whole-process figure.
const CALLS: u32 = 200;

/// Packets that leave are looked at and dropped.
struct Nowhere;

impl Sink for Nowhere {
    fn send(&mut self, port: u16, _: Channel, to: SocketAddr, bytes: &[u8]) {
        black_box((port, to, bytes));
    }

    fn event(&mut self, _: Owner, event: MediaEvent) {
        black_box(event);
    }
}

struct Lab {
    plane: MediaPlane,
    now: Instant,
    packets: Vec<(u16, SocketAddr, Stamp)>,
}

impl Lab {
    fn new(agent: Codec) -> Lab {
        let now = Instant::now();
        let mut lab = Lab { plane: MediaPlane::new(Clock::new(now, 0, "bench".into()), 1), now, packets: Vec::new() };
        for call in 0..CALLS {
            let (a, b) = (StreamId(2 * call), StreamId(2 * call + 1));
            for (stream, codec) in [(a, Codec::Pcmu), (b, agent)] {
                let port = 40_000 + 2 * stream.0 as u16;
                let peer = SocketAddr::from(([10, 0, (stream.0 >> 8) as u8, stream.0 as u8], 20_000));
                lab.does(MediaCommand::Open { stream, port });
                let setup = StreamSetup { codec, send_pt: codec.usual_pt(), ..StreamSetup::pcmu(peer) };
                lab.does(MediaCommand::configure(stream, setup));
                lab.packets.push((port, peer, Stamp { marker: false, pt: codec.usual_pt(), sequence: 0, timestamp: 0, ssrc: stream.0 }));
            }
            lab.does(MediaCommand::Connect { a, b });
        }
        lab
    }

    fn does(&mut self, command: MediaCommand) {
        self.plane.handle_command(self.now, Owner::default(), command, &mut Nowhere);
    }

    /// Every stream's next packet, and the 20 ms until the one after.
    fn turn(&mut self) {
        let mut bytes = [0x55; 172];
        for (port, from, stamp) in &mut self.packets {
            stamp.sequence = stamp.sequence.wrapping_add(1);
            stamp.timestamp = stamp.timestamp.wrapping_add(160);
            rtp::write_header(bytes.first_chunk_mut().unwrap(), stamp);
            self.plane.handle_packet(self.now, *port, Channel::Rtp, *from, &mut bytes, &mut Nowhere);
        }
        self.now += Duration::from_millis(20);
    }
}

/// The packet path alone: a second of every call.
#[divan::bench(args = ["as it is", "transcoded"])]
fn packets(bencher: Bencher<'_, '_>, codecs: &str) {
    let agent = if codecs == "transcoded" { Codec::Pcma } else { Codec::Pcmu };
    let mut lab = Lab::new(agent);
    lab.turn();
    bencher.counter(ItemsCount::new(2 * CALLS)).bench_local(|| lab.turn());
}

/// The same with the clock's work: figures each second, reports every five.
#[divan::bench]
fn packets_figures_and_reports(bencher: Bencher<'_, '_>) {
    let mut lab = Lab::new(Codec::Pcmu);
    bencher.counter(ItemsCount::new(2 * CALLS)).bench_local(|| {
        lab.turn();
        let now = lab.now;
        lab.plane.handle_timeout(now, &mut Nowhere);
    });
}

/// A prompt's packet, made and sent.
#[divan::bench]
fn prompts(bencher: Bencher<'_, '_>) {
    let mut lab = Lab::new(Codec::Pcmu);
    for stream in 0..2 * CALLS {
        lab.does(MediaCommand::Play { stream: StreamId(stream), what: Playout::Tone { hz: 440.0, secs: f32::INFINITY }, token: 0 });
    }
    bencher.counter(ItemsCount::new(2 * CALLS)).bench_local(|| {
        lab.now += Duration::from_millis(20);
        let now = lab.now;
        lab.plane.handle_timeout(now, &mut Nowhere);
    });
}
