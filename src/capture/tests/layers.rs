//! Link layers, fragments, and TCP in every disorder.

use super::{
    build::{ACK, SYN, Sip, address, ethernet, fragments, ip, pcap, pcap_of, plain_call, record, tagged, tcp, udp},
    ladder, read,
};
use crate::model::TransportName;

const INVITE: Sip = Sip { call_id: "layers", from_tag: "a", to_tag: "", branch: "i", cseq: 1 };

fn invite() -> String {
    INVITE.request("INVITE", "sip:bob@192.0.2.1", &format!("X-GA-taskName: t\r\nX-GA-iv-long: {}\r\n", "x".repeat(2_000)), "")
}

fn titles(frames: &[Vec<u8>]) -> Vec<String> {
    ladder(&read(&pcap(frames)).expect("reads"), 0)
}

#[test]
fn every_link_layer_leads_to_the_same_call() {
    let packets = plain_call();
    let (_, first) = &packets[0];
    let cases: Vec<(&str, u32, Vec<u8>)> = vec![
        ("Ethernet", 1, ethernet(first)),
        ("802.1Q", 1, tagged(first, &[0x8100])),
        ("QinQ", 1, tagged(first, &[0x88a8, 0x8100])),
        ("Linux cooked", 113, [&[0; 14][..], &[8, 0], first].concat()),
        ("Linux cooked with a tag", 113, [&[0; 14][..], &[0x81, 0, 0, 5, 8, 0], first].concat()),
        ("Linux cooked 2", 276, [&[8, 0][..], &[0; 18], first].concat()),
        ("raw IP", 101, first.clone()),
        ("null", 0, [&[2, 0, 0, 0][..], first].concat()),
        ("loop", 108, [&[0, 0, 0, 2][..], first].concat()),
    ];
    for (name, link, frame) in cases {
        let reading = read(&pcap_of(link, &[(0, frame)])).expect("reads");
        assert_eq!(ladder(&reading, 0), ["customer → bridge: INVITE"], "{name}");
        assert_eq!(reading.calls[0].record.context.task_name.as_deref(), Some("billing"), "{name}");
    }
    let unknown = read(&pcap_of(147, &[(0, first.clone())])).expect("reads");
    assert!(unknown.calls.is_empty() && unknown.notes[0].text.contains("147"), "{:?}", unknown.notes);
}

#[test]
fn fragments_are_put_together_in_any_order_and_doubled() {
    let packet = udp("192.0.2.9:5060", "192.0.2.1:5060", invite().as_bytes());
    let mut parts = fragments(&packet, 800);
    assert_eq!(parts.len(), 3);
    parts.reverse();
    parts.insert(1, parts[0].clone());
    let frames: Vec<Vec<u8>> = parts.iter().map(|part| ethernet(part)).collect();
    let reading = read(&pcap(&frames)).expect("reads");
    assert_eq!(reading.calls[0].messages[0].bytes, invite());
    assert_eq!(reading.notes, []);
    // One is lost: that is said.
    let lost = read(&pcap(&frames[1..frames.len() - 1])).expect("reads");
    assert!(lost.calls.is_empty() && lost.notes[0].text.contains("fragments of it are missing"), "{:?}", lost.notes);
}

#[test]
fn ipv6_with_extension_headers_and_fragments_is_read() {
    let (from, to) = (address("[2001:db8::9]:5060"), address("[2001:db8::1]:5060"));
    let mut segment = [from.port().to_be_bytes(), to.port().to_be_bytes(), (8 + invite().len() as u16).to_be_bytes(), [0, 0]].concat();
    segment.extend(invite().as_bytes());
    let (one, two) = segment.split_at(1_200);
    let piece = |part: &[u8], field: u16| {
        // Hop-by-hop options, then the fragment header.
        let options = [44, 0, 1, 4, 0, 0, 0, 0];
        let [high, low] = field.to_be_bytes();
        let head = [17, 0, high, low, 0, 0, 0, 9];
        ethernet(&ip(from.ip(), to.ip(), 0, &[&options[..], &head, part].concat()))
    };
    let reading = read(&pcap(&[piece(one, 1), piece(two, 1_200)])).expect("reads");
    assert_eq!(reading.calls[0].messages[0].bytes, invite());
    assert_eq!(reading.calls[0].messages[0].remote, from);
}

/// Both messages of a connection, cut mid-header, so that only the framing can find them.
fn stream() -> Vec<u8> {
    [invite(), INVITE.request("CANCEL", "sip:bob@192.0.2.1", "", "")].concat().into_bytes()
}

fn segment(from: usize, to: usize) -> Vec<u8> {
    ethernet(&tcp("192.0.2.9:40000", "192.0.2.1:5060", 1_001 + from as u32, ACK, &stream()[from..to]))
}

#[test]
fn tcp_is_read_out_of_order_sent_again_and_overlapping() {
    let end = stream().len();
    let syn = ethernet(&tcp("192.0.2.9:40000", "192.0.2.1:5060", 1_000, SYN, b""));
    let both = ["customer → bridge: INVITE", "customer → bridge: CANCEL"];
    for (name, frames) in [
        ("in order, split mid-header", vec![syn.clone(), segment(0, 33), segment(33, 1_500), segment(1_500, end)]),
        ("out of order", vec![syn.clone(), segment(1_500, end), segment(33, 1_500), segment(0, 33)]),
        ("sent again", vec![syn.clone(), segment(0, 1_500), segment(0, 1_500), segment(1_500, end), segment(1_500, end)]),
        ("overlapping", vec![syn.clone(), segment(0, 1_000), segment(500, 1_700), segment(1_200, end)]),
        ("overlapping out of order", vec![syn, segment(500, 1_700), segment(1_200, end), segment(0, 1_000)]),
        ("with its SYN missing", vec![segment(0, 33), segment(33, end)]),
    ] {
        assert_eq!(titles(&frames), both, "{name}");
    }
    let reading = read(&pcap(&[segment(0, end)])).expect("reads");
    assert_eq!((reading.calls[0].messages[0].transport, reading.notes.len()), (TransportName::Tcp, 0));
}

#[test]
fn a_sequence_number_that_comes_around_goes_on() {
    let text = stream();
    let (one, two) = text.split_at(1_000);
    let start = u32::MAX - 600;
    let frame = |sequence, part: &[u8]| ethernet(&tcp("192.0.2.9:40000", "192.0.2.1:5060", sequence, ACK, part));
    assert_eq!(titles(&[frame(start, one), frame(start.wrapping_add(1_000), two)]).len(), 2);
}

#[test]
fn a_gap_loses_its_message_and_no_other() {
    let end = stream().len();
    let invite_ends = invite().len();
    // Bytes in the middle of the INVITE never come; the CANCEL does, in a segment of its own.
    let reading = read(&pcap(&[segment(0, 100), segment(200, invite_ends), segment(invite_ends, end)])).expect("reads");
    assert_eq!(reading.totals.messages, 1);
    assert!(String::from_utf8_lossy(&reading.others[0].1.bytes).starts_with("CANCEL"), "a CANCEL alone opens no call");
    // A stream that carried SIP before says that it lost something.
    let message = invite_ends;
    let later = |from: usize, to: usize| {
        ethernet(&tcp("192.0.2.9:40000", "192.0.2.1:5060", 1_001 + (message + from) as u32, ACK, &stream()[from..to]))
    };
    let reading = read(&pcap(&[segment(0, message), later(0, 100), later(200, message), later(message, end)])).expect("reads");
    assert!(reading.notes[0].text.starts_with("100 bytes are missing in the stream from 192.0.2.9:40000"), "{:?}", reading.notes);
    assert_eq!(ladder(&reading, 0), ["customer → bridge: INVITE", "customer → bridge: CANCEL"]);
}

#[test]
fn a_stream_that_was_joined_in_the_middle_is_read_from_its_next_message() {
    let end = stream().len();
    let joined = titles(&[segment(1_800, end), ethernet(&udp("192.0.2.9:5060", "192.0.2.1:5060", invite().as_bytes()))]);
    assert!(joined.contains(&"customer → bridge: INVITE".to_owned()), "{joined:?}");
}

#[test]
fn a_message_cut_by_the_snap_length_is_shown_and_not_judged() {
    let packet = ethernet(&udp("192.0.2.9:5060", "192.0.2.1:5060", invite().as_bytes()));
    let mut file = pcap(&[]);
    record(&mut file, 0, &packet[..1_000], packet.len());
    let reading = read(&file).expect("reads");
    assert_eq!(ladder(&reading, 0), ["customer → bridge: INVITE"]);
    assert!(reading.notes[0].text.contains("snap length"), "{:?}", reading.notes);
    let rules: Vec<&str> = reading.calls[0].record.findings.iter().map(|finding| &*finding.rule).collect();
    assert!(!rules.contains(&"malformed-message"), "{rules:?}");
    // Nor is what its missing part may have said.
    let mut file = pcap(&[]);
    for (after, packet) in plain_call() {
        let frame = ethernet(&packet);
        record(&mut file, after, &frame[..if after == 0 { 400 } else { frame.len() }], frame.len());
    }
    assert_eq!(read(&file).expect("reads").calls[0].record.findings, []);
}

#[test]
fn a_packet_captured_twice_is_one_and_one_sent_again_is_two() {
    let packet = ethernet(&udp("192.0.2.9:5060", "192.0.2.1:5060", invite().as_bytes()));
    let reading = read(&pcap_of(1, &[(0, packet.clone()), (80, packet.clone()), (500_000, packet)])).expect("reads");
    assert_eq!(ladder(&reading, 0), ["customer → bridge: INVITE", "customer → bridge: INVITE again"]);
    assert_eq!(reading.totals.doubled, 1);
}
