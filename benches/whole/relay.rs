//! 200 two-way G.711 calls: what gets lost, how long a packet is under way, and what a call costs.
//!
//! A packet is under way from just before it is sent until the kernel has it for the receiving socket, and stamps it
//! (`SO_TIMESTAMPNS`): how soon the listener then gets to read it says nothing of the relay. So the listeners read every few
//! milliseconds, and take next to nothing from a machine that the relay and the sender share.
//!
//! On a virtual machine the host takes the processor away for milliseconds now and then, whoever relays. So beside the p99 of all
//! packets stands that of the median second: half of all seconds were no worse. And how much the host took: 1 % of one processor is
//! enough to make a p99 of 1 ms impossible.

use std::{
    io::IoSliceMut,
    net::{SocketAddr, UdpSocket},
    ops::Range,
    os::fd::AsRawFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::sys::{
    socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt},
    time::TimeSpec,
};

use crate::{
    ends::{Anchored, Ends},
    process::{Handback, Host, pause},
    rtpengine::Rtpengine,
};

const CALLS: usize = 200;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(20);
const PACKET: Duration = Duration::from_millis(20);
const READ_EVERY: Duration = Duration::from_millis(5);
/// RTP header and 20 ms of G.711.
const LENGTH: usize = 12 + 160;

pub fn measure() {
    println!(
        "\n## Relay: {CALLS} two-way PCMU calls, 20 ms packets, {} s; delay is from send until the receiving socket has it",
        MEASURED.as_secs()
    );
    println!(
        "{:<12} {:>9} {:>7} {:>10} {:>10} {:>13} {:>10} {:>10} {:>14}",
        "", "packets", "lost", "p50", "p99", "median second", "max", "host took", "CPU per call"
    );
    let (caller, agent) = (Media::new(), Media::new());

    // No relay: the ends send to each other. What this takes is the machine's and the generator's.
    let direct = vec![Anchored { for_caller: agent.address, for_agent: caller.address }; CALLS];
    report("direct", caller.run(&agent, &direct, || Duration::ZERO), false);

    for _ in 0..2 {
        let rtpengine = Rtpengine::start();
        let calls: Vec<_> = (0..CALLS).map(|number| rtpengine.call(number, caller.address, agent.address)).collect();
        report("rtpengine", caller.run(&agent, &calls, || rtpengine.process.cpu()), true);
        drop(rtpengine);

        let ends = Ends::new(caller.address, agent.address);
        let peer = "[[peers]]\nname = \"bench\"\nnetworks = [\"127.0.0.1/32\"]\n[peers.return]\nmethod = \"BYE\"\n";
        let handback = Handback::serve(&format!("{peer}[agent]\nkind = \"sip\"\nuri = \"sip:agent@127.0.0.1:{}\"\n", ends.agent_port()));
        let calls = ends.call(handback.sip, 0..CALLS);
        report("handback", caller.run(&agent, &calls, || handback.process.cpu()), true);
    }
}

struct Figures {
    sent: usize,
    /// Nanoseconds from send to receive by the second in which a packet was sent, sorted in each.
    seconds: Vec<Vec<u64>>,
    cpu: Duration,
    /// The share of the processors' time that the host kept for others.
    host_took: f64,
}

fn report(name: &str, figures: Figures, relayed: bool) {
    let mut all = figures.seconds.concat();
    all.sort_unstable();
    let mut of_seconds: Vec<f64> = figures.seconds.iter().map(|second| at(second, 0.99)).collect();
    of_seconds.sort_unstable_by(f64::total_cmp);
    let cpu = figures.cpu.as_secs_f64() / MEASURED.as_secs_f64() / CALLS as f64 * 100.0;
    println!(
        "{name:<12} {:>9} {:>7} {:>7.3} ms {:>7.3} ms {:>10.3} ms {:>7.3} ms {:>8.1} % {}",
        figures.sent,
        figures.sent as i64 - all.len() as i64,
        at(&all, 0.5),
        at(&all, 0.99),
        of_seconds[of_seconds.len() / 2],
        at(&all, 1.0),
        100.0 * figures.host_took,
        if relayed { format!("{cpu:>7.3} % core") } else { String::new() }
    );
}

/// Milliseconds that so great a share of the sorted delays does not pass.
fn at(delays: &[u64], share: f64) -> f64 {
    let index = ((delays.len() as f64 * share) as usize).min(delays.len().saturating_sub(1));
    delays.get(index).map_or(f64::NAN, |&nanos| nanos as f64 / 1e6)
}

/// Where one side of all calls sends from and receives. The calls are told apart by the relay's ports.
struct Media {
    socket: UdpSocket,
    address: SocketAddr,
}

impl Media {
    fn new() -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
        socket.set_recv_buffer_size(4 << 20).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], crate::process::free_port())).into()).unwrap();
        let socket: UdpSocket = socket.into();
        socket.set_nonblocking(true).unwrap();
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    /// Both ends of all calls talk; `cpu` reads the relay's clock.
    fn run(&self, agent: &Self, calls: &[Anchored], cpu: impl Fn() -> Duration) -> Figures {
        let window = wall_clock() + WARM_UP.as_nanos() as u64;
        let window = window..window + MEASURED.as_nanos() as u64;
        let done = Arc::new(AtomicBool::new(false));
        let mut figures = Figures { sent: 0, seconds: vec![Vec::new(); MEASURED.as_secs() as usize], cpu: Duration::ZERO, host_took: 0.0 };
        thread::scope(|scope| {
            let listeners = [self, agent].map(|end| {
                let (done, window) = (Arc::clone(&done), window.clone());
                scope.spawn(move || end.listen(&window, &done))
            });
            let talker = scope.spawn(|| self.talk(agent, calls, &window));
            pause(WARM_UP);
            let (before, host) = (cpu(), Host::watch());
            pause(MEASURED);
            (figures.cpu, figures.host_took) = (cpu() - before, host.took());
            figures.sent = talker.join().unwrap();
            pause(Duration::from_millis(500));
            done.store(true, Ordering::Relaxed);
            for (sent, delay) in listeners.into_iter().flat_map(|listener| listener.join().unwrap()) {
                let second = (sent - window.start) as usize / 1_000_000_000;
                figures.seconds[second].push(delay);
            }
        });
        figures.seconds.iter_mut().for_each(|second| second.sort_unstable());
        figures
    }

    /// Sends for both ends, the calls spread evenly over each 20 ms; how many packets were stamped within `window`.
    fn talk(&self, agent: &Self, calls: &[Anchored], window: &Range<u64>) -> usize {
        let epoch = Instant::now();
        let mut packet = [0xff; LENGTH];
        packet[..2].copy_from_slice(&[0x80, 0]);
        let mut sent = 0;
        for round in 0_u32.. {
            for (number, call) in calls.iter().enumerate() {
                pause_until(epoch + PACKET * round + PACKET.mul_f64(number as f64 / calls.len() as f64));
                for (end, to, ssrc) in [(self, call.for_caller, 1), (agent, call.for_agent, 2)] {
                    packet[2..4].copy_from_slice(&(round as u16).to_be_bytes());
                    packet[4..8].copy_from_slice(&(round * 160).to_be_bytes());
                    packet[8..12].copy_from_slice(&(ssrc << 16 | number as u32).to_be_bytes());
                    let stamp = wall_clock();
                    packet[12..20].copy_from_slice(&stamp.to_be_bytes());
                    if stamp >= window.end {
                        return sent;
                    }
                    sent += usize::from(window.contains(&stamp));
                    end.socket.send_to(&packet, to).unwrap();
                }
            }
        }
        sent
    }

    /// When each packet of the window was sent, and how long it was under way; in nanoseconds.
    fn listen(&self, window: &Range<u64>, done: &AtomicBool) -> Vec<(u64, u64)> {
        let mut delays = Vec::with_capacity(400_000);
        while !done.load(Ordering::Relaxed) {
            pause(READ_EVERY);
            while let Some((sent, arrived)) = self.next_packet() {
                if window.contains(&sent) && sent <= arrived {
                    delays.push((sent, arrived - sent));
                }
            }
        }
        delays
    }

    /// When the next packet that waits was sent, and when it arrived; what is none of ours (RTCP) is left out.
    fn next_packet(&self) -> Option<(u64, u64)> {
        let (mut buffer, mut control) = ([0; 2048], nix::cmsg_space!(TimeSpec));
        loop {
            let mut into = [IoSliceMut::new(&mut buffer)];
            let packet = recvmsg::<()>(self.socket.as_raw_fd(), &mut into, Some(&mut control), MsgFlags::empty()).ok()?;
            let length = packet.bytes;
            let arrived = packet.cmsgs().unwrap().find_map(|control| match control {
                ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at).as_nanos() as u64),
                _ => None,
            });
            if length == LENGTH && buffer[1] & 0x7f == 0 {
                return Some((u64::from_be_bytes(buffer[12..20].try_into().unwrap()), arrived.expect("the kernel's stamp")));
            }
        }
    }
}

/// Nanoseconds since 1970, as the kernel stamps packets.
fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

fn pause_until(time: Instant) {
    if let Some(left) = time.checked_duration_since(Instant::now()) {
        // Shorter waits than the timer's grain would only make the sender late.
        if left > Duration::from_micros(60) {
            pause(left);
        }
    }
}
