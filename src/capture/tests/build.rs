//! Builders of messages, packets and files.

use std::net::{IpAddr, SocketAddr};

/// Wall time of the first packet, in microseconds.
pub const START: u64 = 1_790_000_000_000_000;

pub fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A request in a dialog from `from`, with further headers and a body.
pub struct Sip {
    pub call_id: &'static str,
    pub from_tag: &'static str,
    pub to_tag: &'static str,
    pub branch: &'static str,
    pub cseq: u32,
}

impl Sip {
    pub fn request(&self, method: &str, uri: &str, more: &str, body: &str) -> String {
        let to = if self.to_tag.is_empty() { String::new() } else { format!(";tag={}", self.to_tag) };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{}{}\r\nMax-Forwards: 70\r\nFrom: <sip:alice@h>;tag={}\r\nTo: <sip:bob@h>{to}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\nContact: <sip:x@192.0.2.9:5060>\r\n{more}{}Content-Length: {}\r\n\r\n{body}",
            self.branch,
            self.cseq,
            self.from_tag,
            self.call_id,
            self.cseq,
            if body.is_empty() {
                ""
            } else if method == "NOTIFY" {
                "Content-Type: message/sipfrag\r\n"
            } else {
                "Content-Type: application/sdp\r\n"
            },
            body.len(),
        )
    }

    pub fn response(&self, status: &str, method: &str, to_tag: &str, body: &str) -> String {
        format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{}{}\r\nFrom: <sip:alice@h>;tag={}\r\nTo: <sip:bob@h>;tag={to_tag}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\nContact: <sip:y@192.0.2.1:5060>\r\n{}Content-Length: {}\r\n\r\n{body}",
            self.branch,
            self.cseq,
            self.from_tag,
            self.call_id,
            self.cseq,
            if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" },
            body.len(),
        )
    }
}

pub fn sdp(address: &str, port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}

pub fn udp(from: &str, to: &str, payload: &[u8]) -> Vec<u8> {
    let (from, to) = (address(from), address(to));
    let mut segment = Vec::new();
    segment.extend(from.port().to_be_bytes());
    segment.extend(to.port().to_be_bytes());
    segment.extend((8 + payload.len() as u16).to_be_bytes());
    segment.extend([0, 0]);
    segment.extend(payload);
    ip(from.ip(), to.ip(), 17, &segment)
}

pub const SYN: u8 = 2;
pub const ACK: u8 = 16;

pub fn tcp(from: &str, to: &str, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let (from, to) = (address(from), address(to));
    let mut segment = Vec::new();
    segment.extend(from.port().to_be_bytes());
    segment.extend(to.port().to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend([0, 0, 0, 0, 5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    ip(from.ip(), to.ip(), 6, &segment)
}

pub fn ip(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut packet = vec![0x45, 0];
            packet.extend((20 + payload.len() as u16).to_be_bytes());
            packet.extend([0, 7, 0, 0, 64, protocol, 0, 0]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            packet.extend(payload);
            packet
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut packet = vec![0x60, 0, 0, 0];
            packet.extend((payload.len() as u16).to_be_bytes());
            packet.extend([protocol, 64]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            packet.extend(payload);
            packet
        }
        _ => panic!("one version at a time"),
    }
}

/// An IPv4 packet in fragments of at most `most` bytes (a multiple of 8).
pub fn fragments(packet: &[u8], most: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(20);
    let count = payload.len().div_ceil(most);
    let piece = |(index, part): (usize, &[u8])| {
        let mut out = header.to_vec();
        out[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
        let more = if index + 1 < count { 0x2000 } else { 0 };
        out[6..8].copy_from_slice(&((index * most / 8) as u16 | more).to_be_bytes());
        out.extend(part);
        out
    };
    payload.chunks(most).enumerate().map(piece).collect()
}

pub fn ethernet(packet: &[u8]) -> Vec<u8> {
    tagged(packet, &[])
}

/// With VLAN tags, the outermost first.
pub fn tagged(packet: &[u8], tags: &[u16]) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for tag in tags {
        frame.extend(tag.to_be_bytes());
        frame.extend([0, 5]);
    }
    frame.extend(if packet[0] >> 4 == 4 { [0x08, 0x00] } else { [0x86, 0xdd] });
    frame.extend(packet);
    frame
}

/// A pcap of Ethernet frames, a millisecond apart.
pub fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    pcap_of(1, &frames.iter().enumerate().map(|(index, frame)| (index as u64 * 1_000, frame.clone())).collect::<Vec<_>>())
}

/// Packets with their microseconds after [`START`].
pub fn pcap_of(link: u32, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0];
    file.extend(link.to_le_bytes());
    for (after, bytes) in packets {
        record(&mut file, *after, bytes, bytes.len());
    }
    file
}

/// One packet of a pcap that was `on_wire` bytes long.
pub fn record(file: &mut Vec<u8>, after: u64, bytes: &[u8], on_wire: usize) {
    let at = START + after;
    for field in [(at / 1_000_000) as u32, (at % 1_000_000) as u32, bytes.len() as u32, on_wire as u32] {
        file.extend(field.to_le_bytes());
    }
    file.extend(bytes);
}

/// A whole call over UDP from a customer at .9 to the bridge at .1, with sound; the customer hangs up.
pub fn plain_call() -> Vec<(u64, Vec<u8>)> {
    let (customer, bridge) = ("192.0.2.9:5060", "192.0.2.1:5060");
    let invite = Sip { call_id: "plain", from_tag: "a", to_tag: "", branch: "i", cseq: 1 };
    let inside = Sip { to_tag: "b", ..invite };
    let to = |text: String| udp(customer, bridge, text.as_bytes());
    let back = |text: String| udp(bridge, customer, text.as_bytes());
    vec![
        (
            0,
            to(invite.request(
                "INVITE",
                "sip:bob@192.0.2.1",
                "X-GA-taskName: billing\r\nX-GA-iv-account: 4711\r\n",
                &sdp("192.0.2.9", 4000),
            )),
        ),
        (1_000, back(invite.response("100 Trying", "INVITE", "", ""))),
        (200_000, back(invite.response("200 OK", "INVITE", "b", &sdp("192.0.2.1", 5000)))),
        (210_000, to(inside.request("ACK", "sip:y@192.0.2.1", "", ""))),
        (2_000_000, to(Sip { cseq: 2, ..inside }.request("BYE", "sip:y@192.0.2.1", "", ""))),
        (2_001_000, back(Sip { cseq: 2, ..inside }.response("200 OK", "BYE", "b", ""))),
    ]
}

impl Clone for Sip {
    fn clone(&self) -> Self {
        *self
    }
}

impl Copy for Sip {}
