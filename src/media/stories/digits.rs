//! Digits by RFC 4733.

use super::*;

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
