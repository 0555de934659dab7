//! What comes to a media port and is neither RTP nor RTCP: told apart by its first bytes (RFC 7983 §7), counted, never answered.

/// Packets of other protocols.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Foreign {
    /// Connectivity checks of a peer that uses ICE (RFC 8489 §5, RFC 8445).
    pub stun: u64,
    /// Handshakes of a peer that wants DTLS-SRTP (RFC 5764).
    pub dtls: u64,
    /// What nothing else explains.
    pub malformed: u64,
}

impl Foreign {
    /// Counts a packet of a protocol that shares its port with RTP; false where it is of none, and not counted.
    pub fn names(&mut self, packet: &[u8]) -> bool {
        let count = match packet {
            // Two zero bits, and the cookie: no RTP or RTCP begins with 0.
            [0..=3, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..] if packet.len() >= STUN_HEADER => &mut self.stun,
            // A record of DTLS 1.0 or 1.2 (RFC 6347 §4.1); 1.3 begins its handshake so, too.
            [20..=63, 0xfe, 0xfd | 0xff, ..] if packet.len() >= DTLS_HEADER => &mut self.dtls,
            _ => return false,
        };
        *count += 1;
        true
    }

    /// Counts a packet that should have been RTP or RTCP.
    pub fn note(&mut self, packet: &[u8]) {
        if !self.names(packet) {
            self.malformed += 1;
        }
    }

    pub fn total(&self) -> u64 {
        self.stun + self.dtls + self.malformed
    }
}

const STUN_HEADER: usize = 20;
const DTLS_HEADER: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_shared_with_rtp_tells_its_guests_apart() {
        let mut foreign = Foreign::default();
        let binding_request: Vec<u8> = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
        let client_hello: Vec<u8> = [&[22, 0xfe, 0xff][..], &[0; 10]].concat();
        for packet in [&binding_request[..], &client_hello, &binding_request[..19], &client_hello[..12], b"x", b""] {
            foreign.note(packet);
        }
        assert_eq!(foreign, Foreign { stun: 1, dtls: 1, malformed: 4 });
        assert_eq!(foreign.total(), 6);
        assert!(!foreign.names(&[0x80; 172]), "RTP");
    }
}
