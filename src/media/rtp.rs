//! RTP packets (RFC 3550 §5.1), read where they lie and written back in place. The only file that names `rtp-rs`.

use std::ops::Range;

use rtp_rs::RtpReader;

/// Bytes of a header with no CSRC and no extension: all that we write.
pub const HEADER_LEN: usize = 12;

/// A received header, and where its payload lies (padding, CSRCs and extension left out).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub pt: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Range<usize>,
}

/// What a packet that leaves carries instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub marker: bool,
    pub pt: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

impl Stamp {
    /// As whoever receives it will read it, its payload apart.
    pub fn header(&self) -> Header {
        Header { marker: self.marker, pt: self.pt, sequence: self.sequence, timestamp: self.timestamp, ssrc: self.ssrc, payload: 0..0 }
    }
}

/// `None`: not an RTP packet (wrong version, cut short, impossible padding), or RTCP that strayed here (RFC 5761 §4).
pub fn parse(bytes: &[u8]) -> Option<Header> {
    let reader = RtpReader::new(bytes).ok()?;
    let start = reader.payload_offset();
    let pt = reader.payload_type();
    if (72..=76).contains(&pt) {
        return None;
    }
    Some(Header {
        marker: reader.mark(),
        pt,
        sequence: reader.sequence_number().into(),
        timestamp: reader.timestamp(),
        ssrc: reader.ssrc(),
        payload: start..start + reader.payload().len(),
    })
}

/// Writes a fresh header right before the payload and hands back the packet. CSRCs, extension and padding are
/// left behind: their meaning was settled with the other leg.
pub fn restamp<'a>(bytes: &'a mut [u8], payload: &Range<usize>, stamp: &Stamp) -> Option<&'a mut [u8]> {
    let start = payload.start.checked_sub(HEADER_LEN)?;
    let packet = bytes.get_mut(start..payload.end)?;
    write_header(packet.first_chunk_mut()?, stamp);
    Some(packet)
}

/// A header of version 2 with no CSRC, extension or padding.
pub fn write_header(into: &mut [u8; HEADER_LEN], stamp: &Stamp) {
    into[0] = 2 << 6;
    into[1] = u8::from(stamp.marker) << 7 | stamp.pt & 0x7f;
    into[2..4].copy_from_slice(&stamp.sequence.to_be_bytes());
    into[4..8].copy_from_slice(&stamp.timestamp.to_be_bytes());
    into[8..12].copy_from_slice(&stamp.ssrc.to_be_bytes());
}

/// How far `a` lies ahead of `b` on the circle of sequence numbers; negative when it lies behind.
pub const fn sequence_distance(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { marker: true, pt: 8, sequence: 0xfffe, timestamp: 0x8000_0001, ssrc: 0xdead_beef };

    #[test]
    fn what_is_written_is_read_back() {
        let mut bytes = [0u8; 16];
        write_header(bytes.first_chunk_mut().expect("long enough"), &STAMP);
        let header = parse(&bytes).expect("a packet");
        assert_eq!(header, Header { marker: true, pt: 8, sequence: 0xfffe, timestamp: 0x8000_0001, ssrc: 0xdead_beef, payload: 12..16 });
    }

    #[test]
    fn csrcs_extension_and_padding_stay_behind() {
        // Version 2, padding, extension, one CSRC; PT 0; extension of one word; four bytes of payload; two of padding.
        let mut bytes = vec![0xb1, 0x00, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 9, 9, 9, 9];
        bytes.extend([10, 11, 12, 13, 0, 2]);
        let header = parse(&bytes).expect("a packet");
        assert_eq!(header.payload, 24..28);
        let packet = restamp(&mut bytes, &header.payload, &STAMP).expect("room for a header");
        assert_eq!(packet, [0x80, 0x88, 0xff, 0xfe, 0x80, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef, 10, 11, 12, 13]);
    }

    #[test]
    fn what_is_no_rtp_is_refused() {
        let stun = [0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let receiver_report = [0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0];
        let padding_longer_than_the_packet = [0xa0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 200];
        let extension_cut_short = [0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xbe, 0xde, 0xff, 0xff];
        for bytes in [&stun[..], &receiver_report, &padding_longer_than_the_packet, &extension_cut_short, &[], &[0x80; 11]] {
            assert_eq!(parse(bytes), None, "{bytes:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            if let Some(header) = parse(&bytes) {
                let packet = restamp(&mut bytes, &header.payload, &STAMP).expect("a payload follows a header");
                proptest::prop_assert!(parse(packet).is_some());
            }
        }
    }
}
