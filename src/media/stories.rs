//! What a media plane does, told in virtual time with peers that are only addresses.

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
            lab.does(MediaCommand::Configure { stream, setup });
        }
        lab
    }

    /// One stream, connected to nothing.
    fn alone(setup: StreamSetup) -> Lab {
        let mut lab = Lab::new();
        lab.does(MediaCommand::Open { stream: CUSTOMER, port: port(CUSTOMER) });
        lab.does(MediaCommand::Configure { stream: CUSTOMER, setup });
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
        self.advance(Duration::from_secs(60));
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

#[test]
fn both_directions_are_relayed_with_our_own_numbers() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let (mut customer, mut agent) = (Voice::of(CUSTOMER), Voice::of(AGENT));
    for n in 0..100u8 {
        lab.says(&mut customer, &[n; 160]);
        lab.says(&mut agent, &[n ^ 0x55; 160]);
    }
    assert!(
        lab.out
            .packets
            .iter()
            .filter(|sent| sent.channel == Channel::Rtp)
            .all(|sent| { sent.to == if sent.port == port(AGENT) { peer(AGENT) } else { peer(CUSTOMER) } })
    );
    for (stream, flip) in [(AGENT, 0), (CUSTOMER, 0x55)] {
        let packets = lab.sent(stream);
        assert_eq!(packets.len(), 100);
        assert_unbroken(&packets);
        assert!(packets.iter().zip(0..).all(|((_, payload), n)| *payload == [n ^ flip; 160]));
        assert!(packets[0].0.marker && !packets[1].0.marker);
        assert!(![101, 102].contains(&packets[0].0.ssrc), "the other leg's SSRC is not ours");
    }
    let figures = lab.closes(CUSTOMER);
    assert_eq!((figures.packets_received, figures.packets_sent, figures.packets_lost), (100, 100, 0));
    assert_eq!((figures.bytes_received, figures.bytes_sent, figures.first_packet_us), (16_000, 16_000, Some(0)));
}

#[test]
fn loss_and_reordering_reach_the_listener_as_they_were_and_are_counted() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let mut voice = Voice::of(CUSTOMER);
    let packets: Vec<Vec<u8>> = (0..2_000u32).map(|n| voice.packet(&n.to_be_bytes())).collect();
    let (mut line, mut lost, mut swapped) = (Vec::new(), 0, 0);
    for (n, packet) in packets.into_iter().enumerate() {
        // The last must arrive for the count to end where the sender's does.
        if fraction(n as u64) < 0.1 && n != 1_999 && n != 0 {
            lost += 1;
            continue;
        }
        line.push(packet);
        if fraction(n as u64 ^ 0xffff_0000) < 0.05 && line.len() > 2 && n != 1_999 {
            let last = line.len() - 1;
            if line[last - 1] != line[0] {
                line.swap(last, last - 1);
                swapped += 1;
            }
        }
    }
    for packet in line {
        lab.hears(CUSTOMER, peer(CUSTOMER), packet);
        lab.advance(ms(20));
    }
    let sent = lab.sent(AGENT);
    let first = sent[0].0.sequence;
    assert_eq!(sent.len(), 2_000 - lost);
    for (header, payload) in &sent {
        let n = u32::from_be_bytes(payload[..4].try_into().expect("four bytes"));
        assert_eq!(header.sequence.wrapping_sub(first), n as u16, "each packet keeps its place");
        assert_eq!(header.timestamp.wrapping_sub(sent[0].0.timestamp), n * 160);
    }
    let figures = lab.closes(CUSTOMER);
    assert_eq!(figures.packets_lost, lost as u64);
    // Swapping a packet twice moves it further, and it still counts as one or two.
    assert!((swapped / 2..=swapped * 2).contains(&(figures.packets_reordered as usize)), "{} of {swapped}", figures.packets_reordered);
}

#[test]
fn doubled_packets_are_counted_and_not_relayed() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let mut voice = Voice::of(CUSTOMER);
    for _ in 0..50 {
        let packet = voice.packet(&[1; 160]);
        lab.hears(CUSTOMER, peer(CUSTOMER), packet.clone());
        lab.hears(CUSTOMER, peer(CUSTOMER), packet);
        lab.advance(ms(20));
    }
    assert_eq!(lab.sent(AGENT).len(), 50);
    assert_eq!(lab.closes(CUSTOMER).packets_duplicated, 50);
}

#[test]
fn legs_that_differ_are_transcoded_and_their_payload_types_mapped() {
    let agent = StreamSetup { codec: Codec::Pcma, send_pt: 8, dtmf_send_pt: Some(97), dtmf_receive_pts: vec![(96, 8_000)], ..setup(AGENT) };
    let mut lab = Lab::bridged(setup(CUSTOMER), agent);
    let (mut customer, mut agent) = (Voice::of(CUSTOMER), Voice::of(AGENT));
    agent.stamp.pt = 8;
    let mut sine = tone::Sine::new(440.0, 8_000.0);
    for _ in 0..50 {
        let said: Vec<i16> = sine.by_ref().take(160).collect();
        lab.says(&mut customer, &said.iter().map(|sample| Law::Mu.encode(*sample)).collect::<Vec<_>>());
        lab.says(&mut agent, &said.iter().map(|sample| Law::A.encode(*sample)).collect::<Vec<_>>());
    }
    for (stream, pt, law) in [(AGENT, 8, Law::A), (CUSTOMER, 0, Law::Mu)] {
        let packets = lab.sent(stream);
        assert!(packets.iter().all(|(header, payload)| header.pt == pt && payload.len() == 160));
        assert!(tone::share_at(&samples(law, &packets), 440.0) > 0.99);
    }
    // Digits keep their payload and get the listener's number.
    (customer.stamp.pt, agent.stamp.pt) = (101, 96);
    lab.says(&mut customer, &dtmf::EventPacket { event: 5, end: false, volume: 10, duration: 160 }.bytes());
    lab.says(&mut agent, &dtmf::EventPacket { event: 6, end: false, volume: 10, duration: 160 }.bytes());
    assert!(lab.sent(AGENT).iter().any(|(header, payload)| header.pt == 97 && payload[0] == 5));
    assert!(lab.sent(CUSTOMER).iter().any(|(header, payload)| header.pt == 101 && payload[0] == 6));
    assert_eq!((lab.digits(CUSTOMER), lab.digits(AGENT)), ("5".into(), "6".into()));
}

#[test]
fn a_peer_without_telephone_event_gets_none_and_sees_no_loss() {
    let mut lab = Lab::bridged(setup(CUSTOMER), StreamSetup { dtmf_send_pt: None, ..setup(AGENT) });
    let mut voice = Voice::of(CUSTOMER);
    for n in 0..30 {
        voice.stamp.pt = if (10..17).contains(&n) { 101 } else { 0 };
        let event = dtmf::EventPacket { event: 1, end: n > 13, volume: 10, duration: 160 }.bytes();
        let payload: &[u8] = if voice.stamp.pt == 101 { &event } else { &[0x20; 160] };
        lab.says(&mut voice, payload);
    }
    let packets = lab.sent(AGENT);
    assert_eq!(packets.len(), 23);
    assert_unbroken(&packets);
}

#[test]
fn an_unknown_payload_type_is_not_relayed() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let mut voice = Voice::of(CUSTOMER);
    voice.stamp.pt = 18;
    lab.says(&mut voice, &[1; 20]);
    assert!(lab.sent(AGENT).is_empty());
}

#[test]
fn strangers_are_counted_told_and_neither_relayed_nor_answered() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let (mut voice, mut stranger) = (Voice::of(CUSTOMER), Voice::of(CUSTOMER));
    stranger.from = SocketAddr::from(([198, 51, 100, 7], 4_000));
    lab.says(&mut voice, &[1; 160]);
    for _ in 0..10 {
        lab.says(&mut stranger, &[66; 160]);
    }
    let packets = lab.sent(AGENT);
    assert!(!packets.is_empty() && packets.iter().all(|(_, payload)| payload[0] == 1));
    assert!(lab.out.packets.iter().all(|sent| sent.to != stranger.from));
    assert_eq!(lab.told(&MediaEvent::Stranger { stream: CUSTOMER, from: stranger.from }), 1);
    let figures = lab.closes(CUSTOMER);
    assert_eq!((figures.strangers, figures.packets_received, figures.packets_lost), (10, 1, 0));
}

#[test]
fn a_voice_before_the_answer_is_read_is_no_stranger() {
    let mut lab = Lab::new();
    lab.does(MediaCommand::Open { stream: CUSTOMER, port: port(CUSTOMER) });
    let mut voice = Voice::of(CUSTOMER);
    lab.says(&mut voice, &[1; 160]);
    lab.does(MediaCommand::Configure { stream: CUSTOMER, setup: setup(CUSTOMER) });
    lab.says(&mut voice, &[1; 160]);
    let figures = lab.closes(CUSTOMER);
    assert_eq!((figures.strangers, figures.packets_received, figures.packets_lost), (0, 1, 0));
}

#[test]
fn behind_nat_packets_go_to_where_they_come_from() {
    let nat = SocketAddr::from(([203, 0, 113, 9], 61_000));
    let mut lab = Lab::bridged(StreamSetup { relearn: true, ..setup(CUSTOMER) }, setup(AGENT));
    let (mut customer, mut agent) = (Voice::of(CUSTOMER), Voice::of(AGENT));
    customer.from = nat;
    lab.says(&mut customer, &[1; 160]);
    lab.says(&mut agent, &[2; 160]);
    assert_eq!(lab.told(&MediaEvent::SourceLearned { stream: CUSTOMER, from: nat }), 1);
    assert!(lab.out.packets.iter().any(|sent| sent.port == port(CUSTOMER) && sent.to == nat));
    assert_eq!(lab.sent(AGENT).len(), 1);
}

#[test]
fn a_restart_and_a_change_of_agent_are_no_break_for_the_customer() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let mut agent = Voice::of(AGENT);
    for _ in 0..10 {
        lab.says(&mut agent, &[1; 160]);
    }
    // The same agent under another SSRC and from another place on the circle.
    agent.stamp = Stamp { ssrc: 999, sequence: 5, timestamp: 1, ..agent.stamp };
    for _ in 0..10 {
        lab.says(&mut agent, &[2; 160]);
    }
    // Another leg takes over.
    let next = StreamId(3);
    lab.does(MediaCommand::Open { stream: next, port: port(next) });
    lab.does(MediaCommand::Configure { stream: next, setup: setup(next) });
    lab.does(MediaCommand::Connect { a: CUSTOMER, b: next });
    let mut other = Voice::of(next);
    for _ in 0..10 {
        lab.says(&mut other, &[3; 160]);
        lab.says(&mut agent, &[4; 160]);
    }
    let packets = lab.sent(CUSTOMER);
    assert_unbroken(&packets);
    let said = |byte: u8| packets.iter().filter(|(_, payload)| payload[0] == byte).count();
    assert_eq!([said(1), said(2), said(3), said(4)], [10, 10, 10, 0], "who was disconnected is not heard");
    lab.does(MediaCommand::Close { stream: next });
    lab.closes(CUSTOMER);
}

#[test]
fn a_prompt_is_paced_at_twenty_milliseconds_and_tells_its_end() {
    let mut lab = Lab::alone(setup(CUSTOMER));
    let prompt: Vec<i16> = tone::Sine::new(440.0, 8_000.0).take(8_000).collect();
    lab.does(MediaCommand::Play { stream: CUSTOMER, what: Playout::Prompt(prompt.into()), token: 9 });
    lab.advance(ms(2_000));
    let times: Vec<u128> =
        lab.out.packets.iter().filter_map(|sent| Some(sent.at?.duration_since(lab.begin).as_millis())).take(100).collect();
    assert_eq!(times, (0..100).map(|n| n * 20).collect::<Vec<u128>>());
    let packets = lab.sent(CUSTOMER);
    assert_eq!(packets.len(), 101, "the prompt, then silence");
    assert_unbroken(&packets);
    assert!(packets.windows(2).all(|pair| pair[1].0.timestamp.wrapping_sub(pair[0].0.timestamp) == 160));
    assert!((tone::longest_secs(&samples(Law::Mu, &packets), 440.0) - 1.0).abs() < 0.06);
    assert!(packets[60].1.iter().all(|byte| *byte == 0xff));
    assert_eq!(lab.told(&MediaEvent::PlayEnded { stream: CUSTOMER, token: 9 }), 1);
}

#[test]
fn a_prompt_replaces_the_agent_and_the_agent_comes_back() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let mut agent = Voice::of(AGENT);
    for n in 0..150 {
        if n == 50 {
            lab.does(MediaCommand::Play { stream: CUSTOMER, what: Playout::Tone { hz: 440.0, secs: 1.0 }, token: 1 });
        }
        lab.says(&mut agent, &[0x20; 160]);
    }
    let packets = lab.sent(CUSTOMER);
    assert_unbroken(&packets);
    assert_eq!(packets.iter().filter(|(_, payload)| *payload == [0x20; 160]).count(), 101);
    assert!((tone::longest_secs(&samples(Law::Mu, &packets), 440.0) - 1.0).abs() < 0.06);
    let span = packets[packets.len() - 1].0.timestamp.wrapping_sub(packets[0].0.timestamp);
    assert!((149 * 160..=151 * 160).contains(&span), "the clock neither stands still nor leaps: {span}");
}

#[test]
fn hold_gives_the_other_side_silence_and_the_held_side_nothing() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let (mut customer, mut agent) = (Voice::of(CUSTOMER), Voice::of(AGENT));
    lab.says(&mut customer, &[1; 160]);
    lab.says(&mut agent, &[2; 160]);
    lab.does(MediaCommand::Configure { stream: CUSTOMER, setup: StreamSetup { direction: Direction::Inactive, ..setup(CUSTOMER) } });
    lab.sent(CUSTOMER);
    lab.sent(AGENT);
    for _ in 0..250 {
        lab.says(&mut agent, &[2; 160]);
    }
    assert!(lab.sent(CUSTOMER).is_empty(), "nothing is sent to a side on hold");
    let comfort = lab.sent(AGENT);
    assert!((226..=228).contains(&comfort.len()), "{}", comfort.len());
    assert!(comfort.iter().all(|(_, payload)| *payload == [0xff; 160]));
    assert_unbroken(&comfort);
    // Off hold: the voice is back at once, and silence ends.
    lab.does(MediaCommand::Configure { stream: CUSTOMER, setup: setup(CUSTOMER) });
    for _ in 0..10 {
        lab.says(&mut customer, &[3; 160]);
    }
    let back = lab.sent(AGENT);
    assert_eq!(back.iter().filter(|(_, payload)| payload[0] == 3).count(), 10);
    assert!(back.len() <= 11);
}

#[test]
fn a_leg_on_hold_from_the_start_gives_the_other_side_silence() {
    let mut lab = Lab::new();
    for stream in [CUSTOMER, AGENT] {
        lab.does(MediaCommand::Open { stream, port: port(stream) });
    }
    lab.does(MediaCommand::Connect { a: CUSTOMER, b: AGENT });
    lab.does(MediaCommand::Configure { stream: CUSTOMER, setup: StreamSetup { direction: Direction::SendOnly, ..setup(CUSTOMER) } });
    lab.does(MediaCommand::Configure { stream: AGENT, setup: setup(AGENT) });
    lab.advance(ms(5_000));
    let comfort = lab.sent(AGENT);
    assert!((224..=226).contains(&comfort.len()), "{}", comfort.len());
    assert_unbroken(&comfort);
    assert!(lab.sent(CUSTOMER).is_empty(), "the agent's side has said nothing, and is not on hold");
    lab.does(MediaCommand::Configure { stream: CUSTOMER, setup: setup(CUSTOMER) });
    let mut customer = Voice::of(CUSTOMER);
    for _ in 0..10 {
        lab.says(&mut customer, &[3; 160]);
    }
    assert_eq!(lab.sent(AGENT).iter().filter(|(_, payload)| payload[0] == 3).count(), 10);
}

#[test]
fn two_legs_that_say_nothing_are_sent_nothing() {
    let mut lab = Lab::new();
    for stream in [CUSTOMER, AGENT] {
        lab.does(MediaCommand::Open { stream, port: port(stream) });
        lab.does(MediaCommand::Configure { stream, setup: setup(stream) });
    }
    lab.does(MediaCommand::Connect { a: CUSTOMER, b: AGENT });
    lab.advance(ms(10_000));
    assert!(lab.sent(CUSTOMER).is_empty() && lab.sent(AGENT).is_empty());
}

#[test]
fn an_address_of_zeros_is_a_hold() {
    let zeros = SocketAddr::from(([0, 0, 0, 0], 4_000));
    let mut lab = Lab::alone(StreamSetup { remote: Some(zeros), ..setup(CUSTOMER) });
    lab.advance(ms(1_000));
    assert!(lab.out.packets.is_empty());
}

#[test]
fn digits_go_out_by_rfc_4733_and_are_heard_once_each() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    lab.does(MediaCommand::SendDtmf { stream: CUSTOMER, digits: "19#".into() });
    lab.advance(ms(2_000));
    assert_eq!(lab.told(&MediaEvent::DtmfSent { stream: CUSTOMER }), 1);
    let packets = lab.sent(CUSTOMER);
    let events: Vec<_> = packets.iter().filter(|(header, _)| header.pt == 101).collect();
    assert_eq!(events.len(), 21, "four, then three ends, for each digit");
    assert_eq!(events.iter().filter(|(header, _)| header.marker).count(), 3);
    assert!(packets.windows(2).all(|pair| pair[1].0.sequence == pair[0].0.sequence.wrapping_add(1)));

    // The same packets with loss, doubles and reordering, heard by the agent's stream.
    let mut bytes: Vec<Vec<u8>> = events
        .iter()
        .enumerate()
        .filter(|(n, _)| fraction(*n as u64) > 0.2)
        .map(|(_, (header, payload))| {
            let stamp = Stamp { marker: header.marker, pt: 101, sequence: header.sequence, timestamp: header.timestamp, ssrc: header.ssrc };
            let mut packet = vec![0; rtp::HEADER_LEN];
            rtp::write_header(packet.first_chunk_mut().expect("a header's room"), &stamp);
            packet.extend(payload);
            packet
        })
        .collect();
    bytes.swap(5, 8);
    for packet in bytes {
        lab.hears(AGENT, peer(AGENT), packet.clone());
        lab.hears(AGENT, peer(AGENT), packet);
    }
    assert_eq!(lab.digits(AGENT), "19#");
    assert_eq!(lab.closes(AGENT).dtmf_received, "19#");
}

#[test]
fn digits_to_a_peer_that_takes_none_are_refused() {
    let mut lab = Lab::alone(StreamSetup { dtmf_send_pt: None, ..setup(CUSTOMER) });
    lab.does(MediaCommand::SendDtmf { stream: CUSTOMER, digits: "1".into() });
    assert!(matches!(lab.out.events[..], [MediaEvent::Refused { stream: CUSTOMER, .. }]));
}

#[test]
fn silence_is_noticed_whether_packets_come_or_not() {
    for packets in [true, false] {
        let mut lab = Lab::alone(setup(CUSTOMER));
        lab.does(MediaCommand::WatchSilence { stream: CUSTOMER, secs: Some(3.0) });
        let mut voice = Voice::of(CUSTOMER);
        for _ in 0..100 {
            lab.says(&mut voice, &[0x20; 160]);
        }
        let quiet = |lab: &Lab| lab.out.events.iter().filter(|event| matches!(event, MediaEvent::Silence { .. })).count();
        for _ in 0..148 {
            if packets { lab.says(&mut voice, &[0xff; 160]) } else { lab.advance(ms(20)) }
        }
        assert_eq!(quiet(&lab), 0);
        lab.advance(ms(3_000));
        assert_eq!(quiet(&lab), 1);
    }
}

#[test]
fn a_recording_holds_both_sides_true_to_time() {
    let mut lab = Lab::alone(setup(CUSTOMER));
    lab.does(MediaCommand::Record { stream: CUSTOMER, max_secs: 60 });
    lab.does(MediaCommand::Play { stream: CUSTOMER, what: Playout::Tone { hz: 440.0, secs: 1.0 }, token: 1 });
    let mut voice = Voice::of(CUSTOMER);
    let mut sine = tone::Sine::new(1_000.0, 8_000.0);
    lab.advance(ms(500));
    for _ in 0..50 {
        let payload: Vec<u8> = sine.by_ref().take(160).map(|sample| Law::Mu.encode(sample)).collect();
        lab.says(&mut voice, &payload);
    }
    lab.advance(ms(500));
    lab.does(MediaCommand::Close { stream: CUSTOMER });
    let Some(MediaEvent::Closed { recording: Some(recording), .. }) = lab.out.events.pop() else { panic!("a recording was asked for") };
    assert_eq!((recording.received.len(), recording.sent.len()), (16_160, 16_160), "the last packet reaches 20 ms ahead");
    assert!(tone::share_at(&recording.sent[..8_000], 440.0) > 0.99);
    assert!(recording.sent[8_160..].iter().all(|sample| *sample == 0));
    assert!(tone::share_at(&recording.received[4_000..12_000], 1_000.0) > 0.99);
    assert!(recording.received[..4_000].iter().all(|sample| *sample == 0));
}

#[test]
fn reports_go_both_ways_and_give_the_round_trip() {
    // Two planes that talk with each other over a line of 25 ms each way.
    let mut near = Lab::alone(setup(CUSTOMER));
    let mut far = Lab::alone(setup(CUSTOMER));
    far.now = near.now;
    let mut line: Vec<(Instant, bool, Channel, Vec<u8>)> = Vec::new();
    for _ in 0..30_000 {
        for lab in [&mut near, &mut far] {
            lab.advance(ms(1));
        }
        let now = near.now;
        for (to_far, lab) in [(true, &mut near), (false, &mut far)] {
            line.extend(lab.out.packets.drain(..).map(|sent| (now + ms(25), to_far, sent.channel, sent.bytes)));
        }
        let (due, later) = line.into_iter().partition(|(at, ..)| *at <= now);
        line = later;
        let due: Vec<_> = due;
        for (_, to_far, channel, mut bytes) in due {
            let lab = if to_far { &mut far } else { &mut near };
            let from =
                if channel == Channel::Rtp { peer(CUSTOMER) } else { SocketAddr::new(peer(CUSTOMER).ip(), peer(CUSTOMER).port() + 1) };
            lab.plane.handle_packet(now, port(CUSTOMER), channel, from, &mut bytes, &mut lab.out);
        }
    }
    let figures = near.closes(CUSTOMER);
    let round_trip = figures.round_trip_ms.expect("both sides report");
    assert!((round_trip - 50.0).abs() < 3.0, "{round_trip}");
    assert_eq!((figures.remote_lost, figures.packets_lost, figures.malformed), (Some(0), 0, 0));
    assert!(figures.jitter_ms < 1.0 && figures.remote_jitter_ms.is_some_and(|jitter| jitter < 1.0));
}

#[test]
fn jitter_is_that_of_the_line() {
    let mut lab = Lab::alone(setup(CUSTOMER));
    let mut voice = Voice::of(CUSTOMER);
    for n in 0..500 {
        let packet = voice.packet(&[0xff; 160]);
        lab.hears(CUSTOMER, peer(CUSTOMER), packet);
        lab.advance(ms(if n % 2 == 0 { 10 } else { 30 }));
    }
    let jitter = lab.closes(CUSTOMER).jitter_ms;
    assert!((9.0..=10.5).contains(&jitter), "{jitter}");
}

#[test]
fn commands_that_can_not_be_done_are_refused_and_harm_nothing() {
    let mut lab = Lab::alone(setup(CUSTOMER));
    let nobody = StreamId(77);
    lab.does(MediaCommand::Open { stream: CUSTOMER, port: 40_100 });
    lab.does(MediaCommand::Open { stream: nobody, port: port(CUSTOMER) });
    lab.does(MediaCommand::Open { stream: nobody, port: 40_101 });
    lab.does(MediaCommand::Connect { a: CUSTOMER, b: nobody });
    lab.does(MediaCommand::Close { stream: nobody });
    assert_eq!(lab.out.events.iter().filter(|event| matches!(event, MediaEvent::Refused { .. })).count(), 5);
    assert_eq!(lab.plane.streams(), 1);
    lab.closes(CUSTOMER);
}

proptest::proptest! {
    #[test]
    fn any_packets_are_survived(packets in proptest::collection::vec((proptest::bool::ANY, proptest::bool::ANY, proptest::collection::vec(proptest::num::u8::ANY, 0..200)), 0..60)) {
        let mut lab = Lab::bridged(setup(CUSTOMER), StreamSetup { codec: Codec::Pcma, send_pt: 8, ..setup(AGENT) });
        lab.does(MediaCommand::Record { stream: CUSTOMER, max_secs: 5 });
        lab.does(MediaCommand::Tap { stream: AGENT, on: true });
        for (rtcp, likely, mut bytes) in packets {
            if likely && bytes.len() > 2 {
                (bytes[0], bytes[1]) = if rtcp { (0x81, 200 + bytes[1] % 5) } else { (0x80, [0, 8, 101][usize::from(bytes[1] % 3)]) };
            }
            let channel = if rtcp { Channel::Rtcp } else { Channel::Rtp };
            lab.plane.handle_packet(lab.now, port(CUSTOMER), channel, peer(CUSTOMER), &mut bytes, &mut lab.out);
            lab.advance(ms(20));
        }
        lab.closes(CUSTOMER);
    }
}
