//! Sound, by the figures of each leg (RFC 3550, ITU-T G.113, G.114).

use super::{call::side, quality};
use crate::model::{CallRecord, Finding, LegRecord, LegRole, MediaFigures, Party, Severity};

pub(super) fn of_record(record: &CallRecord, found: &mut Vec<Finding>) {
    for leg in &record.legs {
        found.extend(unreachable(leg, found));
        let Some(figures) = &leg.media else { continue };
        let heard =
            Heard { role: name(leg.opened.role), side: if record.test_call { Party::Bridge } else { side(leg.opened.role) }, figures };
        // Whoever runs the call may have told of the first at once.
        if !record.findings.iter().any(|known| known.rule == "rtp-from-stranger") {
            found.extend(heard.strangers());
        }
        found.extend(heard.ice());
        found.extend(heard.dtls());
        found.extend(heard.malformed());
        found.extend(heard.nothing());
        found.extend(heard.lost());
        found.extend(heard.lost_there());
        found.extend(heard.jitter());
        found.extend(heard.late());
        found.extend(heard.duplicated());
        found.extend(heard.far_away());
        found.extend(quality::of_leg(heard.role, heard.side, figures));
        // A test call says as much or as little as it was told to.
        if !record.test_call && record.placed_here.is_none() {
            found.extend(quality::silent(heard.role, heard.side, figures));
        }
    }
}

/// No message says it: nothing could be sent.
fn unreachable(leg: &LegRecord, found: &[Finding]) -> Option<Finding> {
    let ended = leg.ended.as_ref().filter(|ended| ended.by == Party::Network && ended.code == Some(503))?;
    let told = found.iter().any(|finding| finding.rule == "request-unanswered");
    (!told).then(|| {
        Finding::new(
            "leg-unreachable",
            Severity::Error,
            side(leg.opened.role),
            format!("{} ({}), {}", ended.reason, leg.opened.remote, leg.opened.uri),
            "No connection came to be, or the network said that there is no way (RFC 3261 §8.1.3.1, RFC 3263 §4.3)",
            "Check the address, port and transport of the URI, that something listens there, and the firewalls between",
        )
    })
}

/// What one leg heard.
struct Heard<'a> {
    role: &'static str,
    /// Whose sound it is. What a test call doesn't hear is the bridge's not saying.
    side: Party,
    figures: &'a MediaFigures,
}

impl Heard<'_> {
    fn strangers(&self) -> Option<Finding> {
        let strangers = self.figures.strangers;
        (strangers > 0).then(|| {
            Finding::new(
                "rtp-from-stranger",
                Severity::Warning,
                Party::Network,
                format!("{strangers} packets on the {} leg from addresses that the SDP does not name", self.role),
                "They are neither relayed nor answered: media is taken from the negotiated address only (RFC 3264 §5.1, RFC 7362)",
                "If they are the other side's own, it changed its address without saying so in SDP; else somebody probes the port",
            )
        })
    }

    fn ice(&self) -> Option<Finding> {
        let MediaFigures { stun, packets_received, .. } = *self.figures;
        (stun > 0).then(|| {
            Finding::new(
                "ice-unanswered",
                if packets_received == 0 { Severity::Warning } else { Severity::Note },
                self.side,
                format!("{stun} STUN packets on the {} leg", self.role),
                "That side checks paths with ICE, and none was offered to it: a side that speaks only over a path that has been checked stays silent (RFC 8445 §6.1)",
                "Switch ICE off for this trunk, or have the SBC end it",
            )
        })
    }

    fn dtls(&self) -> Option<Finding> {
        let dtls = self.figures.dtls;
        (dtls > 0).then(|| {
            Finding::new(
                "dtls-unanswered",
                Severity::Warning,
                self.side,
                format!("{dtls} DTLS packets on the {} leg", self.role),
                "That side wants its media encrypted by DTLS-SRTP, and plain RTP was agreed (RFC 5764 §5.1.2): it will neither speak nor listen",
                "Set the trunk to RTP/AVP, or have the SBC end SRTP",
            )
        })
    }

    fn malformed(&self) -> Option<Finding> {
        let malformed = self.figures.malformed;
        (malformed > 0).then(|| {
            Finding::new(
                "media-malformed",
                Severity::Note,
                self.side,
                format!("{malformed} packets on the {} leg that are neither RTP nor RTCP", self.role),
                "They were counted and left out (RFC 3550 §5.1)",
                "Look at them in a capture at the port: T.38, a proprietary keep-alive, or a stream meant for another port",
            )
        })
    }

    /// A second of sound that went out, and nothing came.
    fn nothing(&self) -> Option<Finding> {
        let sent = self.figures.packets_sent;
        (self.figures.packets_received == 0 && sent >= 50).then(|| {
            Finding::new(
                "no-media-received",
                Severity::Warning,
                self.side,
                format!("{sent} packets sent on the {} leg, none received", self.role),
                "Nothing that this side said was heard; most often a firewall or NAT stands between the address in the SDP and its sender (RFC 3264 §5.1)",
                "Check that media.address and media.ports can be reached from there, and sip.advertise",
            )
        })
    }

    fn lost(&self) -> Option<Finding> {
        let (lost, expected) = (self.figures.packets_lost, self.figures.packets_received + self.figures.packets_lost);
        (lost * 20 > expected && expected >= 50).then(|| {
            Finding::new(
                "media-lost",
                Severity::Warning,
                Party::Network,
                format!("{lost} of {expected} packets lost on the {} leg", self.role),
                "Above 5 % loss G.711 without concealment is hard to understand (ITU-T G.113)",
                "Look at the path between the two sides",
            )
        })
    }

    /// By the far side's RTCP.
    fn lost_there(&self) -> Option<Finding> {
        let lost = self.figures.remote_lost.and_then(|lost| u64::try_from(lost).ok())?;
        let sent = self.figures.packets_sent;
        (lost * 20 > sent && sent >= 50).then(|| {
            Finding::new(
                "media-lost-there",
                Severity::Warning,
                Party::Network,
                format!("the far side of the {} leg misses {lost} of the {sent} packets sent to it", self.role),
                "Its RTCP reports say so (RFC 3550 §6.4.1): whoever listens there hears gaps, while everything sounds well here",
                "Look at the path to that side, most often its own uplink or a firewall that limits UDP",
            )
        })
    }

    fn jitter(&self) -> Option<Finding> {
        let jitter = self.figures.jitter_ms;
        (jitter > 50.0 && self.figures.packets_received >= 50).then(|| {
            Finding::new(
                "jitter-high",
                Severity::Warning,
                Party::Network,
                format!("{jitter:.0} ms jitter on the {} leg", self.role),
                "Packets that come more than 50 ms out of step miss their turn in the jitter buffer, and are heard as gaps (RFC 3550 §6.4.1)",
                "Give RTP precedence on the path (DSCP EF), and look for Wi-Fi or an overloaded uplink",
            )
        })
    }

    fn late(&self) -> Option<Finding> {
        let micros = self.figures.first_packet_us.filter(|micros| *micros > 3_000_000)?;
        Some(Finding::new(
            "first-sound-late",
            Severity::Note,
            self.side,
            format!("the first packet on the {} leg came {:.1} s after the answer", self.role, micros as f64 / 1e6),
            "What was said before was not heard (RFC 3264 §5.1: media is due from the answer on)",
            "See whether that side sends only once it hears something (a NAT that needs a first packet), or suppresses silence",
        ))
    }

    fn duplicated(&self) -> Option<Finding> {
        let (copies, received) = (self.figures.packets_duplicated, self.figures.packets_received);
        (copies * 50 > received && received >= 50).then(|| {
            Finding::new(
                "media-duplicated",
                Severity::Note,
                Party::Network,
                format!("{copies} of {received} packets twice on the {} leg", self.role),
                "A packet is sent once (RFC 3550 §5.1); copies come from a mirrored port or a loop in the network, and are left out",
                "Look for a mirror port or a bridge loop between the two sides",
            )
        })
    }

    fn far_away(&self) -> Option<Finding> {
        let millis = self.figures.round_trip_ms.filter(|millis| *millis > 400.0)?;
        Some(Finding::new(
            "round-trip-long",
            Severity::Warning,
            Party::Network,
            format!("{millis:.0} ms there and back on the {} leg", self.role),
            "Beyond 400 ms people talk into each other's words (ITU-T G.114 §4), and an agent that listens for pauses breaks in",
            "Bring the two sides nearer to each other, or look for a tunnel or queue on the path",
        ))
    }
}

fn name(role: LegRole) -> &'static str {
    match role {
        LegRole::Customer => "customer",
        LegRole::Agent => "agent",
        LegRole::Return => "return",
    }
}
