//! The INVITE of the form in lines for the screen, with its size against what UDP carries.

use crate::{
    console::{
        text::{grouped, sentence},
        theme::{Leg, Tone},
    },
    model::{InvitePreview, TransportName},
};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    /// A line and what it is: the start line, a header of the context, another header, the body.
    pub lines: Vec<(String, Tone)>,
    /// The same bytes as text, for scenarios.
    pub text: String,
    /// For example `976 of 1,300 B for UDP`.
    pub size: String,
    pub tone: Tone,
    /// Why there is no INVITE, in one sentence.
    pub fault: Option<String>,
}

/// `wanted_tcp`: TCP was asked for, so that UDP's limit says nothing.
pub fn preview(made: Result<InvitePreview, String>, wanted_tcp: bool) -> Preview {
    let invite = match made {
        Ok(invite) => invite,
        Err(why) => return Preview { fault: Some(sentence(&why)), tone: Tone::Wrong, ..Preview::default() },
    };
    let text = String::from_utf8_lossy(&invite.bytes).into_owned();
    let bytes = grouped(u64::try_from(invite.bytes.len()).unwrap_or_default());
    let (size, tone) = match (wanted_tcp, invite.fits_udp, invite.transport) {
        (true, ..) => (format!("{bytes} B by TCP"), Tone::Soft),
        (false, true, _) => (format!("{bytes} of 1,300 B for UDP"), Tone::Good),
        (false, false, TransportName::Tcp) => (format!("{bytes} B: over 1,300, so by TCP"), Tone::Warn),
        (false, false, _) => (format!("{bytes} B: over 1,300 for UDP"), Tone::Warn),
    };
    Preview { lines: lines(&text), text, size, tone, fault: None }
}

fn lines(text: &str) -> Vec<(String, Tone)> {
    let mut in_body = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        in_body |= line.is_empty();
        let tone = match index {
            _ if in_body => Tone::Faint,
            0 => Tone::Of(Leg::Customer),
            _ if starts(line, "X-GA-") || starts(line, "X-ASAPP-") => Tone::Accent,
            _ => Tone::Soft,
        };
        lines.push((line.to_owned(), tone));
    }
    lines
}

fn starts(line: &str, prefix: &str) -> bool {
    line.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn invite(header: &str) -> Result<InvitePreview, String> {
        let text = format!("INVITE sip:b@h SIP/2.0\r\n{header}\r\n\r\nv=0\r\n");
        let fits_udp = text.len() <= 1_300;
        let transport = if fits_udp { TransportName::Udp } else { TransportName::Tcp };
        Ok(InvitePreview { transport, bytes: Bytes::from(text), fits_udp })
    }

    #[test]
    fn the_size_stands_against_what_udp_carries() {
        let size = |made, tcp| {
            let shown = preview(made, tcp);
            (shown.size, shown.tone)
        };
        assert_eq!(size(invite("X-GA-taskName: a"), false), ("49 of 1,300 B for UDP".to_owned(), Tone::Good));
        assert_eq!(size(invite(&format!("X-A: {}", "x".repeat(1_300))), false).0, "1,338 B: over 1,300, so by TCP");
        assert_eq!(size(invite("X-A: b"), true), ("39 B by TCP".to_owned(), Tone::Soft));
    }

    #[test]
    fn context_headers_and_body_are_told_apart() {
        let tones: Vec<Tone> = preview(invite("x-ga-taskname: a"), false).lines.into_iter().map(|(_, tone)| tone).collect();
        assert_eq!(tones, [Tone::Of(Leg::Customer), Tone::Accent, Tone::Faint, Tone::Faint]);
    }

    #[test]
    fn a_fault_is_a_sentence() {
        assert_eq!(preview(Err("whom to call?".to_owned()), false).fault.as_deref(), Some("Whom to call?"));
    }
}
