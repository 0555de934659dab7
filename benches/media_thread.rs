//! The media thread alone with 200 two-way calls on loopback: loss, delay beside the bare loopback, CPU per call.
//! `cargo bench --bench media_thread -- [calls] [seconds]`. `whole` measures the same with signalling and beside rtpengine.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time, and stops where something is amiss")]

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use handback::{
    engine::{
        clock::Clock,
        media_loop::{self, MediaReport},
    },
    media::{MediaCommand, StreamId, StreamSetup},
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LENGTH: usize = 172;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u32>().ok());
    let (calls, secs) = (numbers.next().unwrap_or(200), numbers.next().unwrap_or(10));
    println!("{calls} two-way PCMU calls for {secs} s");
    println!("{:<14} {:>9} {:>6} {:>9} {:>9} {:>9} {:>16}", "", "packets", "lost", "p50 µs", "p99 µs", "max µs", "% core per call");

    let ends = [socket(), socket()];
    let addresses = [ends[0].local_addr().unwrap(), ends[1].local_addr().unwrap()];
    run("bare loopback", &ends, &vec![[addresses[1], addresses[0]]; calls as usize], secs, 0);

    let (mut media, mut reports) = media_loop::start("bench", LOOPBACK, 20_000..=29_999, Clock::start()).unwrap();
    media.open_ports(2 * calls as usize);
    let ports = loop {
        if let Some(MediaReport::PortsOpened(ports)) = reports.blocking_recv() {
            break ports;
        }
    };
    assert_eq!(ports.len(), 2 * calls as usize, "not enough free ports");
    let listens = thread::spawn(move || while reports.blocking_recv().is_some() {});
    let mut targets = Vec::new();
    for call in 0..calls {
        let streams = [StreamId(2 * call), StreamId(2 * call + 1)];
        let pair = [ports[2 * call as usize], ports[2 * call as usize + 1]];
        for (stream, port) in streams.into_iter().zip(pair) {
            media.send(MediaCommand::Open { stream, port });
        }
        media.send(MediaCommand::Connect { a: streams[0], b: streams[1] });
        for (stream, remote) in streams.into_iter().zip(addresses) {
            media.send(MediaCommand::configure(stream, StreamSetup::pcmu(remote)));
        }
        targets.push(pair.map(|port| SocketAddr::new(LOOPBACK, port)));
    }
    for turn in 0..3 {
        // The numbers go on where the last run ended: to the media thread it is one call.
        run("media thread", &ends, &targets, secs, turn * secs * 50);
    }
    drop(media);
    listens.join().unwrap();
}

fn socket() -> UdpSocket {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    socket.set_recv_buffer_size(8 << 20).unwrap();
    socket.bind(&SocketAddr::new(LOOPBACK, 0).into()).unwrap();
    let socket: UdpSocket = socket.into();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket
}

/// Both ends of every call send a packet each 20 ms, the calls spread over the interval.
fn run(name: &str, ends: &[UdpSocket; 2], targets: &[[SocketAddr; 2]], secs: u32, before: u32) {
    let epoch = Instant::now();
    let done = AtomicBool::new(false);
    let rounds = secs * 50;
    let cpu_before = media_cpu();
    let mut delays = thread::scope(|scope| {
        let listeners = ends.each_ref().map(|end| scope.spawn(|| listen(end, epoch, &done)));
        let mut packet = [0xff; LENGTH];
        packet[..2].copy_from_slice(&[0x80, 0]);
        for round in 0..rounds {
            for (call, pair) in targets.iter().enumerate() {
                let due = Duration::from_micros(u64::from(round) * 20_000 + call as u64 * 20_000 / targets.len() as u64);
                if let Some(left) = due.checked_sub(epoch.elapsed()).filter(|left| *left > Duration::from_micros(60)) {
                    thread::park_timeout(left);
                }
                for (side, (end, to)) in ends.iter().zip(pair).enumerate() {
                    packet[2..4].copy_from_slice(&((before + round) as u16).to_be_bytes());
                    packet[4..8].copy_from_slice(&((before + round) * 160).to_be_bytes());
                    packet[8..12].copy_from_slice(&(call as u32 * 2 + side as u32).to_be_bytes());
                    packet[12..20].copy_from_slice(&(epoch.elapsed().as_nanos() as u64).to_be_bytes());
                    end.send_to(&packet, to).unwrap();
                }
            }
        }
        thread::park_timeout(Duration::from_millis(300));
        done.store(true, Ordering::Relaxed);
        listeners.into_iter().flat_map(|listener| listener.join().unwrap()).collect::<Vec<u64>>()
    });
    let cpu = media_cpu() - cpu_before;
    delays.sort_unstable();
    let at =
        |share: f64| delays.get((delays.len() as f64 * share) as usize).or(delays.last()).map_or(f64::NAN, |nanos| *nanos as f64 / 1e3);
    let sent = rounds as usize * targets.len() * 2;
    println!(
        "{name:<14} {sent:>9} {:>6} {:>9.1} {:>9.1} {:>9.1} {:>16.4}",
        sent as i64 - delays.len() as i64,
        at(0.5),
        at(0.99),
        at(1.0),
        cpu.as_secs_f64() * 100.0 / f64::from(secs) / targets.len() as f64
    );
}

fn listen(end: &UdpSocket, epoch: Instant, done: &AtomicBool) -> Vec<u64> {
    let mut delays = Vec::with_capacity(1 << 20);
    let mut buffer = [0; 2_048];
    while !done.load(Ordering::Relaxed) {
        let Ok(length) = end.recv(&mut buffer) else { continue };
        let sent = u64::from_be_bytes(buffer[12..20].try_into().unwrap());
        let now = epoch.elapsed().as_nanos() as u64;
        // Comfort between two runs carries no time.
        if length == LENGTH && sent <= now {
            delays.push(now - sent);
        }
    }
    delays
}

/// CPU time of the media thread so far, in nanoseconds as the scheduler counts it.
fn media_cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap().filter_map(|task| Some(task.ok()?.path()));
    let media = tasks.filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("media-")));
    let nanos = media.filter_map(|task| fs::read_to_string(task.join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok());
    Duration::from_nanos(nanos.sum())
}
