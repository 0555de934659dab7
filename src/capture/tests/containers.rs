//! pcap and pcapng: orders of bytes, resolutions, interfaces.

use super::{
    build::{START, ethernet, pcap_of, plain_call},
    ladder, read,
};

const WHOLE: [&str; 6] = [
    "customer → bridge: INVITE",
    "bridge → customer: 100",
    "bridge → customer: 200",
    "customer → bridge: ACK",
    "customer → bridge: BYE",
    "bridge → customer: 200",
];

fn frames() -> Vec<(u64, Vec<u8>)> {
    plain_call().into_iter().map(|(after, packet)| (after, ethernet(&packet))).collect()
}

#[test]
fn a_call_reads_the_same_from_micro_and_nanoseconds_in_either_order_of_bytes() {
    let little = pcap_of(1, &frames());
    let mut big = vec![0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 1];
    for (after, bytes) in frames() {
        let at = START + after;
        for field in [(at / 1_000_000) as u32, (at % 1_000_000) as u32 * 1_000 + 999, bytes.len() as u32, bytes.len() as u32] {
            big.extend(field.to_be_bytes());
        }
        big.extend(bytes);
    }
    for file in [little, big] {
        let reading = read(&file).expect("reads");
        assert_eq!(ladder(&reading, 0), WHOLE);
        assert_eq!(reading.calls[0].messages[2].at.0, START + 200_000);
        assert_eq!(reading.notes, []);
        assert!(reading.others.is_empty());
    }
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    let length = (12 + padded.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &padded, &length].concat()
}

fn section() -> Vec<u8> {
    block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
}

fn interface(link: u16, options: &[u8]) -> Vec<u8> {
    block(1, &[&link.to_le_bytes()[..], &[0, 0, 0, 0, 4, 0], options].concat())
}

fn enhanced(interface: u32, ticks: u64, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_le_bytes();
    block(
        6,
        &[&interface.to_le_bytes()[..], &((ticks >> 32) as u32).to_le_bytes(), &(ticks as u32).to_le_bytes(), &length, &length, bytes]
            .concat(),
    )
}

#[test]
fn a_pcapng_with_two_interfaces_reads_each_by_its_own_link_and_clock() {
    // Ethernet in microseconds, raw IP in nanoseconds; an unknown block between.
    let nanos = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let mut file = [section(), interface(1, &[]), interface(101, &nanos), block(0x0bad, b"xyz")].concat();
    for (index, (after, packet)) in plain_call().into_iter().enumerate() {
        let at = START + after;
        file.extend(if index % 2 == 0 { enhanced(0, at, &ethernet(&packet)) } else { enhanced(1, at * 1_000, &packet) });
    }
    let reading = read(&file).expect("reads");
    assert_eq!(ladder(&reading, 0), WHOLE);
    let times: Vec<u64> = reading.calls[0].messages.iter().map(|message| message.at.0 - START).collect();
    assert_eq!(times, [0, 1_000, 200_000, 210_000, 2_000_000, 2_001_000]);
    assert_eq!(reading.notes, []);
}

#[test]
fn a_broken_block_is_passed_over_and_said() {
    let packets = plain_call();
    let mut file = [section(), interface(101, &[])].concat();
    file.extend(enhanced(0, START, &packets[0].1));
    // It says that it holds more than it does, and another names an interface that is not there.
    let mut lying = enhanced(0, START, &packets[1].1);
    lying[20..24].copy_from_slice(&0xffff_u32.to_le_bytes());
    file.extend(lying);
    file.extend(enhanced(7, START, &packets[1].1));
    file.extend(enhanced(0, START + 200_000, &packets[2].1));
    let reading = read(&file).expect("reads");
    assert_eq!(ladder(&reading, 0), [WHOLE[0], WHOLE[2]]);
    assert_eq!(reading.notes.iter().map(|note| (note.text.contains("broken"), note.count)).collect::<Vec<_>>(), [(true, 2)]);
}

#[test]
fn what_is_no_capture_says_what_it_is_and_what_to_do() {
    for (bytes, words) in [
        (&b""[..], "empty"),
        (b"hello world", "neither"),
        (b"\xd4\xc3", "neither"),
        (b"\xd4\xc3\xb2\xa1", "breaks off"),
        (b"\x0a\x0d\x0d\x0a\x00", "breaks off"),
        (b"\x1f\x8b\x08\x00", "unpack"),
        (b"PK\x03\x04", "unpack"),
    ] {
        let error = read(bytes).expect_err("is refused").to_string();
        assert!(error.contains(words), "{bytes:?}: {error}");
    }
}

#[test]
fn reading_can_be_stopped() {
    let file = pcap_of(1, &frames());
    let stopped = crate::capture::read(&file[..], |_| std::ops::ControlFlow::Break(()));
    assert!(matches!(stopped, Err(crate::capture::ReadError::Stopped)));
}
