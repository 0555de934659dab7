//! Broken, cut and hostile files: an error or notes, and never a panic.

use super::{
    build::{ethernet, pcap, pcap_of, plain_call, tcp, udp},
    read,
};

fn whole() -> Vec<u8> {
    pcap_of(1, &plain_call().into_iter().map(|(after, packet)| (after, ethernet(&packet))).collect::<Vec<_>>())
}

#[test]
fn a_file_that_breaks_off_is_read_until_there() {
    let whole = whole();
    let reading = read(&whole[..whole.len() - 10]).expect("reads");
    assert_eq!(reading.calls[0].messages.len(), 5);
    assert!(reading.notes[0].text.starts_with("The file breaks off in packet 6"), "{:?}", reading.notes);
    for end in (0..whole.len()).step_by(5) {
        let _ = read(&whole[..end]);
    }
}

#[test]
fn an_impossible_length_reserves_nothing_and_is_said() {
    let mut file = whole();
    let second = 24 + 16 + ethernet(&plain_call()[0].1).len();
    file[second + 8..second + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let reading = read(&file).expect("reads");
    assert_eq!(reading.calls[0].messages.len(), 1);
    assert!(reading.notes[0].text.contains("4294967295 bytes long: the file is damaged there"), "{:?}", reading.notes);
}

#[test]
fn no_bent_byte_makes_it_panic() {
    let whole = whole();
    for at in (0..whole.len()).step_by(3) {
        for change in [0x81, 0xff] {
            let mut bent = whole.clone();
            bent[at] ^= change;
            let _ = read(&bent);
        }
    }
}

#[test]
fn a_flood_of_connections_stays_within_bounds() {
    let mut frames = Vec::new();
    for n in 0..60_000_u32 {
        let from = format!("10.{}.{}.{}:{}", n >> 16, n >> 8 & 255, n & 255, 1_024 + n % 50_000);
        frames.push(ethernet(&tcp(&from, "192.0.2.1:80", n, super::build::SYN, b"")));
    }
    frames.push(ethernet(&udp("192.0.2.9:9", "192.0.2.1:9", b"nothing")));
    let reading = read(&pcap(&frames)).expect("reads");
    assert_eq!((reading.totals.packets, reading.totals.others, reading.calls.len()), (60_001, 60_001, 0));
    assert!(reading.notes.iter().any(|note| note.text.starts_with("There is no SIP in this capture")));
}
