use bytes::Bytes;

use super::*;

fn message(number: u64, direction: Direction, transport: TransportName, (local, remote): (&str, &str), text: &str) -> CapturedMessage {
    CapturedMessage {
        number,
        at: Timestamp(1_790_000_000_000_000 + number * 1_000),
        direction,
        leg: None,
        transport,
        local: local.parse().expect("an address"),
        remote: remote.parse().expect("an address"),
        retransmission: false,
        bytes: Bytes::copy_from_slice(text.as_bytes()),
    }
}

fn frames(bytes: &[u8]) -> Vec<(Duration, Vec<u8>)> {
    let mut reader = pcap_file::pcap::PcapReader::new(bytes).expect("a capture");
    let mut list = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let packet = packet.expect("a packet");
        list.push((packet.timestamp, packet.data.into_owned()));
    }
    list
}

const V4: (&str, &str) = ("127.0.0.1:5060", "10.0.0.9:5070");
const V6: (&str, &str) = ("[::1]:5060", "[2001:db8::9]:5070");

#[test]
fn every_layer_has_right_lengths_and_checksums() {
    for (addresses, ip_header) in [(V4, 20), (V6, 40)] {
        for (transport, transport_header, protocol) in [(TransportName::Udp, 8, UDP), (TransportName::Tcp, 20, TCP)] {
            let list = frames(&file(&[message(1, Direction::Out, transport, addresses, "OPTIONS sip:x SIP/2.0\r\n\r\nodd")], &[], false));
            let (at, frame) = &list[0];
            assert_eq!(at.as_micros(), 1_790_000_000_001_000);
            assert_eq!(frame.len(), 14 + ip_header + transport_header + 28);
            assert!(frame.ends_with(b"odd"));
            let (ip, segment) = frame[14..].split_at(ip_header);
            let pseudo = if ip_header == 20 {
                assert_eq!(checksum(ip, &[]), 0, "a header sums up to nothing with its checksum in");
                [&ip[12..20], &[0, protocol], &(segment.len() as u16).to_be_bytes()[..]].concat()
            } else {
                [&ip[8..40], &(segment.len() as u32).to_be_bytes()[..], &[0, 0, 0, protocol]].concat()
            };
            assert_eq!(checksum(&pseudo, segment), 0);
        }
    }
}

#[test]
fn tcp_counts_on_and_acknowledges_what_came() {
    let long = "x".repeat(2_000);
    let list = frames(&file(
        &[
            message(1, Direction::In, TransportName::Tcp, V4, &long),
            message(2, Direction::Out, TransportName::Tcp, V4, "abc"),
            message(3, Direction::In, TransportName::Tcp, V4, "d"),
        ],
        &[],
        false,
    ));
    let numbers: Vec<(u32, u32)> = list
        .iter()
        .map(|(_, f)| (u32::from_be_bytes(f[38..42].try_into().expect("four")), u32::from_be_bytes(f[42..46].try_into().expect("four"))))
        .collect();
    assert_eq!(numbers, [(1, 1), (1461, 1), (1, 2001), (2001, 4)]);
}

#[test]
fn sip_and_rtp_stand_in_order_of_time_and_secrets_are_blanked() {
    let sip = message(5, Direction::In, TransportName::Udp, V4, "INVITE sip:x SIP/2.0\r\nAuthorization: Digest response=\"abc\"\r\n\r\n");
    let rtp = RtpPacket {
        at: Timestamp(1_790_000_000_000_001),
        source: "10.0.0.9:4000".parse().expect("an address"),
        destination: "127.0.0.1:40000".parse().expect("an address"),
        bytes: Bytes::from_static(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xff]),
    };
    let list = frames(&file(std::slice::from_ref(&sip), std::slice::from_ref(&rtp), false));
    assert_eq!((list[0].1[34..38].to_vec(), list[0].1.len()), (vec![0x0f, 0xa0, 0x9c, 0x40], 14 + 20 + 8 + 13));
    let text = String::from_utf8_lossy(&list[1].1).into_owned();
    assert!(text.contains("(blanked)") && !text.contains("abc"));
    assert!(String::from_utf8_lossy(&frames(&file(&[sip], &[], true))[0].1).contains("abc"));
}

#[test]
fn a_message_longer_than_a_datagram_does_not_break_the_capture() {
    let huge = "x".repeat(70_000);
    for transport in [TransportName::Udp, TransportName::Tcp] {
        assert!(!frames(&file(&[message(1, Direction::In, transport, V6, &huge)], &[], true)).is_empty());
    }
    assert!(frames(&file(&[], &[], true)).is_empty());
}

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fn with_sdp(start: &str, more: &str) -> String {
    format!(
        "{start}\r\nVia: SIP/2.0/UDP 10.0.0.9:5070;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n{more}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
}

/// What Wireshark's own reader says of each frame; nothing where it is not installed.
fn dissected(capture: &[u8]) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.pcap");
    std::fs::write(&path, capture).expect("writes");
    let checks = ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE"].into_iter().flat_map(|c| ["-o", c]);
    let fields =
        ["_ws.col.Protocol", "ip.checksum.status", "udp.checksum.status", "tcp.checksum.status"].into_iter().flat_map(|f| ["-e", f]);
    let output =
        std::process::Command::new("tshark").arg("-r").arg(&path).args(checks).args(["-T", "fields"]).args(fields).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().map(|l| l.trim_end().to_owned()).collect())
}

#[test]
fn wireshark_reads_sip_over_udp_and_tcp_and_the_rtp_that_the_sdp_names() {
    let invite = with_sdp("INVITE sip:x@127.0.0.1 SIP/2.0", &format!("X-Long: {}\r\n", "y".repeat(3_000)));
    let list = [
        message(1, Direction::In, TransportName::Udp, V4, &invite),
        message(2, Direction::Out, TransportName::Udp, V4, &with_sdp("SIP/2.0 200 OK", "")),
        message(100, Direction::In, TransportName::Tcp, V4, &invite),
        message(200, Direction::Out, TransportName::Udp, V6, &invite),
    ];
    let rtp = RtpPacket {
        at: Timestamp(1_790_000_000_010_000),
        source: "127.0.0.1:7000".parse().expect("an address"),
        destination: "10.0.0.9:4000".parse().expect("an address"),
        bytes: Bytes::from([&[0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 1][..], &[0xff; 160]].concat()),
    };
    let Some(lines) = dissected(&file(&list, &[rtp], false)) else { return };
    let good = |line: &str, protocol: &str, status: &str| line.starts_with(protocol) && line[protocol.len()..].trim_start() == status;
    assert_eq!(lines.len(), 7, "{lines:#?}");
    assert!(good(&lines[0], "SIP/SDP", "1\t1") && good(&lines[1], "SIP/SDP", "1\t1"), "{lines:#?}");
    assert!(good(&lines[2], "RTP", "1\t1"), "{lines:#?}");
    assert!(good(&lines[3], "TCP", "1\t\t1") && good(&lines[5], "SIP/SDP", "1\t\t1"), "one message in three segments: {lines:#?}");
    assert!(good(&lines[6], "SIP/SDP", "1"), "{lines:#?}");
}
