//! A captured message as text for the eye: nothing here decides anything about a call.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::SocketAddr,
    ops::Range,
    sync::Arc,
};

use super::text::{count, grouped};
use crate::{
    export,
    model::{CapturedMessage, Direction, LegId, Timestamp, TransportName},
};

/// One message, taken apart for display once, when it is first seen.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageView {
    pub number: u64,
    pub at: Timestamp,
    pub direction: Direction,
    pub leg: Option<LegId>,
    pub transport: TransportName,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub retransmission: bool,
    /// Bytes on the wire.
    pub size: usize,
    pub kind: Kind,
    /// `INVITE`, or `200 OK`.
    pub title: Arc<str>,
    /// The few words that make it more than a title: `5 variables · 1,214 B`.
    pub gist: Arc<str>,
    /// Equal where the bytes are: of a message and its retransmissions.
    pub fingerprint: u64,
    /// As written, unfolded, in wire order.
    pub headers: Vec<(String, String)>,
    /// Where each of them stands in `raw`.
    pub spans: Vec<Range<usize>>,
    pub body: String,
    /// The whole message with line ends as line ends and other controls as a middle dot.
    pub raw: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Request(String),
    Response {
        code: u16,
        /// The method of CSeq: what it answers.
        to: String,
    },
    /// No SIP start line.
    Other,
}

impl MessageView {
    pub fn new(message: &CapturedMessage) -> Self {
        let raw = visible(&String::from_utf8_lossy(&message.bytes));
        let (head, body) = raw.split_once("\n\n").unwrap_or((raw.as_str(), ""));
        let mut lines = head.lines().skip_while(|line| line.is_empty());
        let start_line = lines.next().unwrap_or_default();
        let (headers, spans) = unfolded(lines, &raw);
        let cseq_method = first(&headers, "CSeq", "CSeq").and_then(|v| v.split_whitespace().nth(1)).unwrap_or_default();
        let kind = kind_of(start_line, cseq_method);
        let title = match &kind {
            Kind::Request(method) => method.clone(),
            Kind::Response { .. } => start_line.split_once(' ').map_or(start_line, |(_, rest)| rest).to_owned(),
            Kind::Other => "not SIP".to_owned(),
        };
        let gist = gist_of(&kind, &headers, body, message.bytes.len());
        Self {
            number: message.number,
            at: message.at,
            direction: message.direction,
            leg: message.leg,
            transport: message.transport,
            local: message.local,
            remote: message.remote,
            retransmission: message.retransmission,
            size: message.bytes.len(),
            kind,
            title: title.into(),
            gist: gist.into(),
            fingerprint: fingerprint(&message.bytes),
            body: body.to_owned(),
            headers,
            spans,
            raw,
        }
    }

    /// The first header of that name, long or compact (RFC 3261 §7.3.3).
    pub fn header(&self, name: &str, compact: &str) -> Option<&str> {
        first(&self.headers, name, compact)
    }

    /// The place of that header.
    pub fn position(&self, name: &str, compact: &str) -> Option<usize> {
        self.headers.iter().position(|(n, _)| n.eq_ignore_ascii_case(name) || n.eq_ignore_ascii_case(compact))
    }

    /// The status that a NOTIFY of a transfer tells: the start line of its sipfrag (RFC 3515 §2.4.5).
    pub fn sipfrag(&self) -> Option<&str> {
        let notify = matches!(&self.kind, Kind::Request(method) if method == "NOTIFY");
        self.body.lines().next().filter(|line| notify && line.starts_with("SIP/2.0 "))
    }
}

/// Views of one call's messages, each made once.
#[derive(Debug, Default)]
pub struct Views(Vec<MessageView>);

impl Views {
    /// Takes over what is new in `messages`, at most so many at once that no frame waits for them; tells whether anything was.
    pub fn refresh(&mut self, messages: &[CapturedMessage]) -> bool {
        let same = self.0.iter().zip(messages).take_while(|(view, m)| view.number == m.number && view.leg == m.leg).count();
        let before = self.0.len();
        self.0.truncate(same);
        self.0.extend(messages.iter().skip(same).take(MOST_AT_ONCE).map(MessageView::new));
        before != same || self.0.len() != same
    }

    pub fn all(&self) -> &[MessageView] {
        &self.0
    }
}

/// Messages that are taken apart in one frame.
pub const MOST_AT_ONCE: usize = 400;

/// A header's full name where `name` is its compact form (RFC 3261 §7.3.3 and the registry), else `name`.
pub fn long_name(name: &str) -> &str {
    let [letter] = name.as_bytes() else { return name };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'n' => "Identity-Info",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => name,
    }
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Controls would be painted as nothing or break the line, so they become a dot.
fn visible(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '·' } else { c }).collect()
}

fn unfolded<'a>(lines: impl Iterator<Item = &'a str>, raw: &str) -> (Vec<(String, String)>, Vec<Range<usize>>) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut spans: Vec<Range<usize>> = Vec::new();
    for line in lines {
        // The lines are slices of `raw`.
        let start = (line.as_ptr() as usize).saturating_sub(raw.as_ptr() as usize);
        let span = start..start + line.len();
        if line.starts_with([' ', '\t']) {
            if let (Some((_, value)), Some(last)) = (headers.last_mut(), spans.last_mut()) {
                value.push(' ');
                value.push_str(line.trim());
                last.end = span.end;
            }
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
        spans.push(span);
    }
    (headers, spans)
}

fn first<'a>(headers: &'a [(String, String)], name: &str, compact: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name) || n.eq_ignore_ascii_case(compact))?;
    Some(&found.1)
}

fn kind_of(start_line: &str, cseq_method: &str) -> Kind {
    let mut words = start_line.split(' ');
    match (words.next(), words.next(), start_line.ends_with("SIP/2.0")) {
        (Some("SIP/2.0"), Some(code), _) if code.len() == 3 => {
            code.parse().map_or(Kind::Other, |code| Kind::Response { code, to: cseq_method.to_owned() })
        }
        (Some(method), Some(_), true) if !method.is_empty() => Kind::Request(method.to_owned()),
        _ => Kind::Other,
    }
}

fn gist_of(kind: &Kind, headers: &[(String, String)], body: &str, size: usize) -> String {
    let starts =
        |prefix: &str| headers.iter().filter(|(n, _)| n.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix))).count();
    let mut parts: Vec<String> = Vec::new();
    match kind {
        Kind::Request(method) => match method.as_str() {
            "INVITE" => {
                let variables = starts("X-GA-iv-") + starts("X-GA-tv-") + starts("X-GA-rv-");
                parts.extend((variables > 0).then(|| count(variables, "variable", "variables")));
                let user = first(headers, "Authorization", "Proxy-Authorization").and_then(|v| parameter(v, "username"));
                parts.push(user.map_or_else(|| format!("{} B", grouped(size as u64)), |user| format!("digest {user}")));
            }
            "REFER" => {
                let payload = first(headers, "Refer-To", "r").and_then(|v| v.split_once('?')).map(|(_, p)| p.trim_end_matches('>'));
                match payload {
                    Some(payload) => {
                        let variables = payload.split('&').filter(|p| p.starts_with("X-GA-tv-") || p.starts_with("X-GA-rv-")).count();
                        parts.push(format!("Refer-To: {}", count(variables, "variable", "variables")));
                        parts.push(format!("{} chars", grouped(payload.len() as u64)));
                    }
                    None => parts.push("Refer-To without a payload".to_owned()),
                }
            }
            "NOTIFY" => parts.extend(body.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)),
            "BYE" => parts.extend(first(headers, "X-GA-transfer", "X-GA-transfer").map(str::to_owned)),
            _ => {}
        },
        Kind::Response { code: 401 | 407, .. } => parts.push("digest".to_owned()),
        Kind::Response { to, .. } if to == "INVITE" => parts.extend(export::picture::codec(body)),
        Kind::Response { to, .. } => parts.push(format!("to {to}")),
        Kind::Other => parts.push(format!("{} B", grouped(size as u64))),
    }
    parts.join(" · ")
}

/// The value of `name="…"` in a credentials header.
fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = value.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> MessageView {
        let address = "127.0.0.1:5060".parse().expect("an address");
        MessageView::new(&CapturedMessage {
            number: 1,
            at: Timestamp(0),
            direction: Direction::In,
            leg: None,
            transport: TransportName::Udp,
            local: address,
            remote: address,
            retransmission: false,
            bytes: text.as_bytes().to_vec().into(),
        })
    }

    #[test]
    fn a_message_tells_its_gist() {
        let invite =
            view("INVITE sip:a@b SIP/2.0\r\nX-GA-iv-a: 1\r\nx-ga-IV-b: 2\r\nAuthorization: Digest username=\"sbc\", uri=\"x\"\r\n\r\n");
        assert_eq!((&*invite.title, &*invite.gist), ("INVITE", "2 variables · digest sbc"));
        let ok = view("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nm=audio 4000 RTP/AVP 8 101\r\na=ptime:20\r\n");
        assert_eq!((&*ok.title, &*ok.gist), ("200 OK", "PCMA 20 ms"));
        let refer = view("REFER sip:a@b SIP/2.0\r\nr: <sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=1>\r\n\r\n");
        assert_eq!(&*refer.gist, "Refer-To: 1 variable · 31 chars");
        let notify = view("NOTIFY sip:a@b SIP/2.0\r\nEvent: refer\r\n\r\nSIP/2.0 180 Ringing\r\n");
        assert_eq!(notify.sipfrag(), Some("SIP/2.0 180 Ringing"));
    }

    #[test]
    fn what_is_no_sip_is_shown_all_the_same() {
        let noise = view("\0\0hello");
        assert_eq!((noise.kind, noise.raw.as_str()), (Kind::Other, "··hello"));
        assert_eq!(view("").kind, Kind::Other);
    }

    #[test]
    fn folded_lines_are_joined() {
        let folded = view("OPTIONS sip:a@b SIP/2.0\r\nSubject: one\r\n  two\r\n\r\n");
        assert_eq!(folded.header("subject", "s"), Some("one two"));
        assert_eq!(folded.raw.get(folded.spans[0].clone()), Some("Subject: one\n  two"));
    }
}
