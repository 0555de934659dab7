//! RTP bound to what SDP announced.

use super::{
    build::{ethernet, pcap_of, plain_call, udp},
    read,
};

fn rtp(pt: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, pt];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(7_u32.to_be_bytes());
    packet.extend(payload);
    packet
}

#[test]
fn sound_is_measured_by_leg_and_direction_with_loss_and_digits() {
    let mut packets = plain_call();
    for n in 0..50_u64 {
        // The tenth is lost, the last comes twice.
        if n != 10 {
            packets.push((300_000 + n * 20_000, udp("192.0.2.9:4000", "192.0.2.1:5000", &rtp(0, n as u16, n as u32 * 160, &[0xff; 160]))));
        }
        packets.push((301_000 + n * 20_000, udp("192.0.2.1:5000", "192.0.2.9:4000", &rtp(0, n as u16, n as u32 * 160, &[0xff; 160]))));
    }
    packets.push((1_290_000, udp("192.0.2.9:4000", "192.0.2.1:5000", &rtp(0, 49, 49 * 160, &[0xff; 160]))));
    for n in 0..4_u16 {
        packets.push((
            1_400_000 + u64::from(n) * 20_000,
            udp("192.0.2.9:4000", "192.0.2.1:5000", &rtp(101, 50 + n, 8_000, &[5, if n > 2 { 0x8a } else { 0x0a }, 0, 160])),
        ));
    }
    // Nobody announced this one.
    packets.push((1_500_000, udp("192.0.2.77:4000", "192.0.2.78:5000", &rtp(0, 1, 1, &[0; 160]))));
    packets.sort_by_key(|(after, _)| *after);
    let frames: Vec<(u64, Vec<u8>)> = packets.into_iter().map(|(after, packet)| (after, ethernet(&packet))).collect();
    let reading = read(&pcap_of(1, &frames)).expect("reads");
    let record = &reading.calls[0].record;
    let figures = record.legs[0].media.as_ref().expect("figures");
    assert_eq!((figures.codec.as_str(), figures.packets_received, figures.packets_sent), ("PCMU", 54, 50));
    assert_eq!((figures.packets_lost, figures.packets_duplicated, figures.dtmf_received.as_str()), (1, 1, "5"));
    assert_eq!(figures.first_packet_us, Some(100_000));
    assert!(figures.jitter_ms < 1.0, "{}", figures.jitter_ms);
    assert!(record.timeline.iter().any(|note| note.text == "Digit 5"), "{:?}", record.timeline);
    assert_eq!((reading.totals.rtp, reading.totals.others), (104, 1));
}

#[test]
fn what_a_machine_captured_twice_is_no_double_of_the_network() {
    let call = || {
        let mut packets = plain_call();
        for n in 0..20_u64 {
            packets.push((300_000 + n * 20_000, udp("192.0.2.9:4000", "192.0.2.1:5000", &rtp(0, n as u16, n as u32 * 160, &[0xff; 160]))));
        }
        packets
    };
    let duplicated = |sip_too: bool| {
        let copies = call().into_iter().filter(|(after, _)| sip_too || (300_000..1_000_000).contains(after));
        let mut all: Vec<(u64, Vec<u8>)> = call().into_iter().chain(copies.map(|(after, packet)| (after + 60, packet))).collect();
        all.sort_by_key(|(after, _)| *after);
        let frames: Vec<_> = all.into_iter().map(|(after, packet)| (after, ethernet(&packet))).collect();
        let reading = read(&pcap_of(1, &frames)).expect("reads");
        let figures = reading.calls[0].record.legs[0].media.clone().expect("figures");
        (figures.packets_received, figures.packets_duplicated)
    };
    assert_eq!(duplicated(true), (20, 0), "every packet is there twice");
    assert_eq!(duplicated(false), (40, 20), "only the sound is");
}
