//! A capture of anything: an error or a reading whose calls hold together, within bounds of memory, and never a panic.
#![no_main]

use std::ops::ControlFlow;

use handback::capture;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, Vec<Vec<u8>>)| {
    let (kind, parts) = input;
    // Any bytes as a file; packets of each link layer; or IP packets around any payload, which get furthest.
    let file = match kind % 4 {
        0 => parts.concat(),
        1 => pcap(u32::from(kind / 4), &parts),
        2 => pcap(101, &parts.iter().map(|part| udp(part)).collect::<Vec<_>>()),
        _ => pcap(101, &parts.iter().enumerate().map(|(n, part)| tcp(n, part)).collect::<Vec<_>>()),
    };
    let Ok(reading) = capture::read(&file[..], |_| ControlFlow::Continue(())) else { return };
    let of_calls: usize = reading.calls.iter().map(|call| call.messages.len()).sum();
    assert_eq!(of_calls + reading.others.len(), reading.totals.messages as usize, "every message has one place");
    for call in &reading.calls {
        assert!(call.messages.iter().all(|message| call.record.legs.iter().any(|leg| Some(leg.opened.leg) == message.leg) || message.leg.is_some()));
    }
});

fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0];
    file.extend(link.to_le_bytes());
    for (n, packet) in packets.iter().enumerate() {
        for field in [1_790_000_000, n as u32 * 20_000, packet.len() as u32, packet.len() as u32] {
            file.extend(field.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

/// The first byte decides the way.
fn ip(protocol: u8, way: u8, segment: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + segment.len() as u16).to_be_bytes());
    packet.extend([0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, way & 3, 192, 0, 2, way >> 2 & 3]);
    packet.extend(segment);
    packet
}

fn udp(part: &[u8]) -> Vec<u8> {
    let (way, payload) = part.split_first().map_or((0, part), |(way, rest)| (*way, &rest[..rest.len().min(60_000)]));
    let mut segment = vec![0x13, 0xc4, 0x13, 0xc4];
    segment.extend((8 + payload.len() as u16).to_be_bytes());
    segment.extend([0, 0]);
    segment.extend(payload);
    ip(17, way, &segment)
}

fn tcp(n: usize, part: &[u8]) -> Vec<u8> {
    let (way, payload) = part.split_first().map_or((0, part), |(way, rest)| (*way, &rest[..rest.len().min(60_000)]));
    let mut segment = vec![0x13, 0xc4, 0x13, 0xc4];
    // The two high bits of the way: in order, ahead, behind, with SYN.
    let sequence = 1_000 + n as u32 * 100 + u32::from(way >> 6) * 37;
    segment.extend(sequence.to_be_bytes());
    segment.extend([0, 0, 0, 0, 5 << 4, if way >> 6 == 3 { 2 } else { 16 }, 0, 0, 0, 0, 0, 0]);
    segment.extend(payload);
    ip(6, way, &segment)
}
