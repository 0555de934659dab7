//! The link layer: the IP packet in a frame, by the link type that the file names.

/// What a frame carries.
#[derive(Debug, PartialEq, Eq)]
pub enum Carried<'a> {
    Ip(&'a [u8]),
    /// ARP, LLDP and the like.
    Other,
    /// Nobody here knows this link type.
    UnknownLink,
}

/// Looks into one frame.
pub fn carried(link: u32, frame: &[u8]) -> Carried<'_> {
    let ip = match link {
        ETHERNET => ethernet(frame),
        // The protocol family stands before; the packet itself says whether it is IPv4 or IPv6.
        NULL | LOOP => frame.get(4..),
        RAW | RAW_OPENBSD | RAW_BSDOS | IPV4 | IPV6 => Some(frame),
        LINUX_SLL => by_type(frame, 14),
        LINUX_SLL2 => u16_at(frame, 0).filter(|kind| is_ip(*kind)).and_then(|_| frame.get(20..)),
        PPP => by_ppp(frame.get(2..), u16_at(frame, 0)).or_else(|| by_ppp(frame.get(4..), u16_at(frame, 2))),
        _ => return Carried::UnknownLink,
    };
    match ip {
        Some(packet) if matches!(packet.first().map(|first| first >> 4), Some(4 | 6)) => Carried::Ip(packet),
        _ => Carried::Other,
    }
}

fn ethernet(frame: &[u8]) -> Option<&[u8]> {
    by_type(frame, 12)
}

/// The type field stands at `at`, behind any number of VLAN tags (802.1Q, 802.1ad, and the older 0x9100).
fn by_type(frame: &[u8], mut at: usize) -> Option<&[u8]> {
    for _ in 0..=MOST_TAGS {
        match u16_at(frame, at)? {
            0x8100 | 0x88a8 | 0x9100 => at += 4,
            kind if is_ip(kind) => return frame.get(at + 2..),
            // PPPoE session (RFC 2516 §4): its six bytes, then PPP's protocol.
            0x8864 => return by_ppp(frame.get(at + 10..), u16_at(frame, at + 8)),
            _ => return None,
        }
    }
    None
}

fn by_ppp(packet: Option<&[u8]>, protocol: Option<u16>) -> Option<&[u8]> {
    packet.filter(|_| matches!(protocol, Some(0x0021 | 0x0057)))
}

fn is_ip(kind: u16) -> bool {
    matches!(kind, 0x0800 | 0x86dd)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

// Registered at tcpdump.org/linktypes.
const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const PPP: u32 = 9;
const RAW_OPENBSD: u32 = 12;
const RAW_BSDOS: u32 = 14;
const RAW: u32 = 101;
const LOOP: u32 = 108;
const LINUX_SLL: u32 = 113;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
const LINUX_SLL2: u32 = 276;
const MOST_TAGS: usize = 4;
