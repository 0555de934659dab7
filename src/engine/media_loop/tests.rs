//! The media thread on loopback: real sockets, real time.

use std::net::UdpSocket as Peer;

use super::*;
use crate::media::{Playout, StreamFigures, StreamSetup, tone};

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const A: StreamId = StreamId(1);
const B: StreamId = StreamId(2);

struct Lab {
    handle: MediaHandle,
    reports: mpsc::Receiver<MediaReport>,
}

impl Lab {
    fn new(range: RangeInclusive<u16>) -> Lab {
        let (handle, reports) = start("test", LOOPBACK, range, Clock::start()).expect("loopback has free ports");
        Lab { handle, reports }
    }

    fn ports(&mut self, count: usize) -> Vec<u16> {
        self.handle.open_ports(count);
        loop {
            if let MediaReport::PortsOpened(ports) = self.report() {
                return ports;
            }
        }
    }

    fn report(&mut self) -> MediaReport {
        self.reports.blocking_recv().expect("the thread runs")
    }

    fn closes(&mut self, stream: StreamId) -> StreamFigures {
        self.handle.send(MediaCommand::Close { stream });
        loop {
            if let MediaReport::Event(MediaEvent::Closed { stream: of, figures, .. }) = self.report()
                && of == stream
            {
                return *figures;
            }
        }
    }
}

fn peer() -> Peer {
    let socket = Peer::bind((LOOPBACK, 0)).expect("a free port");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    socket
}

#[test]
fn packets_cross_from_one_peer_to_the_other_and_are_captured() {
    let mut lab = Lab::new(38_100..=38_199);
    let ports = lab.ports(2);
    let (customer, agent) = (peer(), peer());
    for (stream, port, peer) in [(A, ports[0], &customer), (B, ports[1], &agent)] {
        lab.handle.send(MediaCommand::Open { stream, port });
        lab.handle.send(MediaCommand::configure(stream, StreamSetup::pcmu(peer.local_addr().expect("bound"))));
        if stream == A {
            // Not connected yet, so it says something of its own accord.
            let mut buffer = [0; 2_048];
            let (length, from) = customer.recv_from(&mut buffer).expect("silence comes");
            assert_eq!((length, from.port()), (172, ports[0]));
        }
    }
    lab.handle.send(MediaCommand::Connect { a: A, b: B });
    // The answer to a later request shows that the earlier ones are in force.
    assert!(lab.ports(0).is_empty());
    for n in 0..50u8 {
        let mut packet = vec![0x80, 0, 0, n, 0, 0, n, 0, 0, 0, 0, 9];
        packet.extend([n; 160]);
        customer.send_to(&packet, (LOOPBACK, ports[0])).expect("sent");
        let mut buffer = [0; 2_048];
        // The agent's side may hear silence first.
        while {
            let (length, _) = agent.recv_from(&mut buffer).expect("relayed");
            buffer[12..length] != [n; 160]
        } {}
    }
    let figures = lab.closes(A);
    assert_eq!((figures.packets_received, figures.packets_lost, figures.strangers), (50, 0, 0));

    let (answer, captured) = oneshot::channel();
    lab.handle.packets_of(&[A], answer);
    let packets = captured.blocking_recv().expect("an answer");
    let customer_address = customer.local_addr().expect("bound");
    assert_eq!(packets.iter().filter(|packet| packet.source == customer_address).count(), 50);
    assert!(packets.iter().any(|packet| packet.destination == customer_address));
}

#[test]
fn a_tone_is_heard_on_a_real_socket() {
    let mut lab = Lab::new(38_200..=38_299);
    let port = lab.ports(1)[0];
    let listener = peer();
    lab.handle.send(MediaCommand::Open { stream: A, port });
    lab.handle.send(MediaCommand::configure(A, StreamSetup::pcmu(listener.local_addr().expect("bound"))));
    lab.handle.send(MediaCommand::Play { stream: A, what: Playout::Tone { hz: 440.0, secs: 0.4 }, token: 5 });
    let mut heard = Vec::new();
    while heard.len() < 4_000 {
        let mut buffer = [0; 2_048];
        let (length, _) = listener.recv_from(&mut buffer).expect("sound comes");
        heard.extend(buffer[12..length].iter().map(|byte| media::codecs::Law::Mu.decode(*byte)));
    }
    assert!(tone::longest_secs(&heard, 440.0) >= 0.3, "{}", tone::longest_secs(&heard, 440.0));
    while !matches!(lab.report(), MediaReport::Event(MediaEvent::PlayEnded { stream: A, token: 5 })) {}
}

#[test]
fn a_range_that_is_used_up_opens_what_there_is() {
    let mut lab = Lab::new(38_300..=38_305);
    let opened = lab.ports(10);
    assert!((1..=3).contains(&opened.len()), "{opened:?}");
    assert!(lab.ports(1).is_empty());
    lab.handle.send(MediaCommand::Open { stream: A, port: 39_998 });
    assert!(matches!(lab.report(), MediaReport::Event(MediaEvent::Refused { stream: A, .. })));
}

#[test]
fn the_thread_ends_with_its_handle() {
    let Lab { handle, mut reports } = Lab::new(38_400..=38_405);
    drop(handle);
    assert!(reports.blocking_recv().is_none());
}
