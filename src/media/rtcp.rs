//! RTCP (RFC 3550 §6): our reports, and what the peer's reports say of us. The only file that names `rtcp-types`.

use std::time::Duration;

use rtcp_types::prelude::*;
use rtcp_types::{Bye, Compound, ReceiverReport, ReportBlock, Sdes, SdesChunk, SdesItem, SenderReport};

use super::jitter::Report;

/// What we know of the far end through RTCP.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// The middle of the last sender report's NTP time, and when it came by our NTP clock.
    last_sender_report: Option<(u32, u64)>,
    pub remote_lost: Option<i32>,
    /// Of the packets since the report before, in 256ths.
    pub remote_fraction: Option<u8>,
    /// In samples.
    pub remote_jitter: Option<u32>,
    pub round_trip: Option<Duration>,
    /// Of what we sent since its report before.
    pub remote_loss_percent: Option<u8>,
    /// The peer has said BYE.
    pub ended: bool,
}

/// What goes into our next compound packet.
#[derive(Debug)]
pub struct Outline<'a> {
    pub ssrc: u32,
    pub cname: &'a str,
    /// A sender report, where anything was sent since the last one.
    pub sent: Option<Sent>,
    pub received: Option<Report>,
    pub bye: bool,
}

/// The sender's part of a report (§6.4.1).
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub timestamp: u32,
    pub packets: u64,
    pub bytes: u64,
}

impl Reports {
    /// Reads a compound packet that arrived at `ntp`; false: it is none (§A.2), and nothing of it counts.
    pub fn handle_packet(&mut self, ntp: u64, our_ssrc: u32, bytes: &[u8]) -> bool {
        if !is_valid(bytes) {
            return false;
        }
        for (packet_type, packet) in parts(bytes) {
            match packet_type {
                SENDER_REPORT => {
                    let Ok(report) = SenderReport::parse(packet) else { return false };
                    self.last_sender_report = Some((middle(report.ntp_timestamp()), ntp));
                    report.report_blocks().for_each(|block| self.note_block(ntp, our_ssrc, &block));
                }
                RECEIVER_REPORT => {
                    let Ok(report) = ReceiverReport::parse(packet) else { return false };
                    report.report_blocks().for_each(|block| self.note_block(ntp, our_ssrc, &block));
                }
                BYE => self.ended = true,
                // SDES, APP, feedback and XR say nothing that we report on.
                _ => {}
            }
        }
        true
    }

    /// Writes a compound packet: SR or RR, CNAME, and BYE at the end. The bytes written; 0 if `into` is too short.
    pub fn write(&self, ntp: u64, outline: &Outline<'_>, into: &mut [u8]) -> usize {
        let block = outline.received.map(|report| {
            let (last, delay) = match self.last_sender_report {
                Some((last, at)) => (last, middle(ntp.wrapping_sub(at))),
                None => (0, 0),
            };
            ReportBlock::builder(report.ssrc)
                .fraction_lost(report.fraction_lost)
                .cumulative_lost(report.lost as u32 & 0xff_ffff)
                .extended_sequence_number(report.highest)
                .interarrival_jitter(report.jitter)
                .last_sender_report_timestamp(last)
                .delay_since_last_sender_report_timestamp(delay)
        });
        let compound = match outline.sent {
            Some(sent) => {
                let report = SenderReport::builder(outline.ssrc)
                    .ntp_timestamp(ntp)
                    .rtp_timestamp(sent.timestamp)
                    .packet_count(sent.packets as u32)
                    .octet_count(sent.bytes as u32);
                Compound::builder().add_packet(block.into_iter().fold(report, |report, block| report.add_report_block(block)))
            }
            None => {
                let report = ReceiverReport::builder(outline.ssrc);
                Compound::builder().add_packet(block.into_iter().fold(report, |report, block| report.add_report_block(block)))
            }
        };
        let cname = SdesChunk::builder(outline.ssrc).add_item(SdesItem::builder(SdesItem::CNAME, outline.cname));
        let compound = compound.add_packet(Sdes::builder().add_chunk(cname));
        let compound = if outline.bye { compound.add_packet(Bye::builder().add_source(outline.ssrc)) } else { compound };
        compound.write_into(into).unwrap_or(0)
    }

    fn note_block(&mut self, ntp: u64, our_ssrc: u32, block: &ReportBlock<'_>) {
        if block.ssrc() != our_ssrc {
            return;
        }
        // A 24-bit number with a sign: doubles make it negative.
        self.remote_lost = Some((block.cumulative_lost() << 8) as i32 >> 8);
        self.remote_loss_percent = Some((u16::from(block.fraction_lost()) * 100 / 256) as u8);
        self.remote_fraction = Some(block.fraction_lost());
        self.remote_jitter = Some(block.interarrival_jitter());
        if block.last_sender_report_timestamp() != 0 {
            // §6.4.1: A − LSR − DLSR, in 1/65,536 s.
            let round_trip = middle(ntp)
                .wrapping_sub(block.last_sender_report_timestamp())
                .wrapping_sub(block.delay_since_last_sender_report_timestamp());
            if round_trip < MOST_ROUND_TRIP {
                self.round_trip = Some(Duration::from_micros((u64::from(round_trip) * 1_000_000) >> 16));
            }
        }
    }
}

/// NTP time, 32.32, `elapsed` after `begin`.
pub fn ntp_after(begin: u64, elapsed: Duration) -> u64 {
    begin.wrapping_add(elapsed.as_secs() << 32).wrapping_add((u64::from(elapsed.subsec_nanos()) << 32) / 1_000_000_000)
}

/// §A.2: version 2 throughout, a report first, padding at the end alone, and lengths that add up.
fn is_valid(bytes: &[u8]) -> bool {
    let Some([first, packet_type, ..]) = bytes.first_chunk::<4>() else { return false };
    if first & 0x20 != 0 || !matches!(*packet_type, SENDER_REPORT | RECEIVER_REPORT) {
        return false;
    }
    let mut rest = bytes;
    while let Some((header, length)) = head(rest) {
        let last = length == rest.len();
        if header[0] >> 6 != 2 || (header[0] & 0x20 != 0 && !last) {
            return false;
        }
        let Some(after) = rest.get(length..) else { return false };
        rest = after;
    }
    rest.is_empty()
}

/// The packets of a valid compound packet, with their types.
fn parts(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (header, length) = head(rest)?;
        let (packet, after) = rest.split_at_checked(length)?;
        rest = after;
        Some((header[1], packet))
    })
}

fn head(bytes: &[u8]) -> Option<([u8; 4], usize)> {
    let header = *bytes.first_chunk::<4>()?;
    Some((header, (usize::from(u16::from_be_bytes([header[2], header[3]])) + 1) * 4))
}

/// The middle 32 of 64 bits: 16.16 seconds.
const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const BYE: u8 = 203;
/// A minute: more is a clock that jumped.
const MOST_ROUND_TRIP: u32 = 60 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: u64 = 3_900_000_000 << 32;

    fn at(ms: u64) -> u64 {
        ntp_after(BEGIN, Duration::from_millis(ms))
    }

    fn written(reports: &Reports, ntp: u64, outline: &Outline<'_>) -> Vec<u8> {
        let mut bytes = [0; 256];
        let length = reports.write(ntp, outline, &mut bytes);
        assert!(length > 0);
        bytes[..length].to_vec()
    }

    fn outline(ssrc: u32, about: Option<u32>) -> Outline<'static> {
        Outline {
            ssrc,
            cname: "handback",
            sent: Some(Sent { timestamp: 8_000, packets: 50, bytes: 8_000 }),
            received: about.map(|ssrc| Report { ssrc, fraction_lost: 12, lost: 34, highest: 0x1_0005, jitter: 56 }),
            bye: false,
        }
    }

    #[test]
    fn round_trip_comes_from_the_echoed_sender_report() {
        let (mut ours, mut theirs) = (Reports::default(), Reports::default());
        // 30 ms there, 1 s held, 20 ms back.
        assert!(theirs.handle_packet(at(30), 2, &written(&ours, at(0), &outline(1, None))));
        assert!(ours.handle_packet(at(1_050), 1, &written(&theirs, at(1_030), &outline(2, Some(1)))));
        let round_trip = ours.round_trip.expect("a round trip").as_secs_f64();
        assert!((round_trip - 0.05).abs() < 0.001, "{round_trip}");
        assert_eq!((ours.remote_lost, ours.remote_jitter), (Some(34), Some(56)));
    }

    #[test]
    fn reports_about_others_say_nothing_of_us() {
        let (mut ours, theirs) = (Reports::default(), Reports::default());
        assert!(ours.handle_packet(at(0), 1, &written(&theirs, at(0), &outline(2, Some(99)))));
        assert_eq!((ours.remote_lost, ours.round_trip), (None, None));
    }

    #[test]
    fn the_end_is_said_and_heard() {
        let mut ours = Reports::default();
        let bytes = written(&Reports::default(), at(0), &Outline { sent: None, bye: true, ..outline(2, None) });
        assert_eq!(bytes[1], 201, "nothing sent: a receiver report");
        assert!(ours.handle_packet(at(0), 1, &bytes) && ours.ended);
    }

    #[test]
    fn what_is_no_compound_packet_counts_for_nothing() {
        let good = written(&Reports::default(), at(0), &outline(2, Some(1)));
        let refused = |bytes: &[u8]| !Reports::default().handle_packet(at(0), 1, bytes);
        assert!(refused(&[]) && refused(&good[..good.len() - 1]) && refused(&good[52..]), "SDES alone is no compound");
        for (index, value) in [(0, 0x41), (0, 0xa1), (1, 202), (2, 0xff), (0, 0x9f)] {
            let mut bad = good.clone();
            bad[index] = value;
            assert!(refused(&bad), "byte {index} as {value:#x}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..128), lengths in proptest::num::u8::ANY) {
            let mut reports = Reports::default();
            reports.handle_packet(BEGIN, 1, &bytes);
            // The same with a header that makes it further in.
            let mut bytes = bytes;
            bytes.truncate(bytes.len() / 4 * 4);
            if bytes.len() >= 4 {
                let words = (bytes.len() / 4 - 1) as u8;
                bytes[..4].copy_from_slice(&[0x80 | lengths & 0x1f, 200 + (lengths >> 7), 0, words]);
                reports.handle_packet(BEGIN, 1, &bytes);
            }
        }
    }
}
