//! Packets from one leg to the other: their numbers, loss, order and codecs.

use super::*;

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
fn an_unknown_payload_type_is_not_relayed() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let mut voice = Voice::of(CUSTOMER);
    voice.stamp.pt = 18;
    lab.says(&mut voice, &[1; 20]);
    assert!(lab.sent(AGENT).is_empty());
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
    lab.does(MediaCommand::configure(next, setup(next)));
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
