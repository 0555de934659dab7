//! Via values (RFC 3261 §20.42, RFC 3581, RFC 5118 §4.5).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::host::{Host, has_alphanumeric, is_host_byte, parse_ip, port_number, split_host_port};
use super::params::Params;
use super::text::{is_token, is_token_byte, split_at_byte, trim_lws};
use crate::sip::transport::Transport;

/// One Via value: who sent, by what, and which transaction. It borrows the message's text, unless that is folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via<'a> {
    text: Cow<'a, str>,
    at: ViaAt,
}

/// Where the parts of a Via value lie in it. [`Fields::note_via`](super::Fields::note_via) keeps those of the top value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ViaAt {
    transport: Span,
    sent_by: Span,
    /// Where the host ends, which sent-by begins with.
    host_end: u16,
    port: Option<u16>,
    params: Span,
    known: Known,
}

/// Where the values of those parameters lie that each Via is asked for, the first of each name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    branch: Option<Span>,
    /// Of the value, or the empty end of the name where it has none.
    rport: Option<Span>,
    maddr: Option<Span>,
    has_received: bool,
}

impl Known {
    fn take(&mut self, name: &str, value: Span) {
        let place = match name.len() {
            6 if name.eq_ignore_ascii_case("branch") => &mut self.branch,
            5 if name.eq_ignore_ascii_case("rport") => &mut self.rport,
            5 if name.eq_ignore_ascii_case("maddr") => &mut self.maddr,
            8 => return self.has_received |= name.eq_ignore_ascii_case("received"),
            _ => return,
        };
        place.get_or_insert(value);
    }
}

type Span = (u16, u16);

/// Why a value is no Via.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ViaError {
    #[error("no Via at all")]
    Missing,
    #[error("no sent-protocol SIP/2.0/TRANSPORT")]
    Protocol,
    #[error("no valid sent-by")]
    SentBy,
    #[error("text after sent-by that is no parameter")]
    Trailing,
    #[error("longer than 64 KiB")]
    TooLong,
}

impl<'a> Via<'a> {
    /// Reads one value.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, ViaError> {
        let text = text.into();
        Ok(Self { at: ViaAt::of(&text)?, text })
    }

    /// A value that has been taken apart before.
    pub(super) fn noted(text: &'a str, at: ViaAt) -> Self {
        Self { text: Cow::Borrowed(text), at }
    }

    /// The transport, when it is one that we speak.
    pub fn transport(&self) -> Option<Transport> {
        self.transport_text().parse().ok()
    }

    pub fn transport_text(&self) -> &str {
        self.part(self.at.transport)
    }

    /// `host[:port]` as written.
    pub fn sent_by(&self) -> &str {
        self.part(self.at.sent_by)
    }

    /// The host of sent-by as written.
    pub fn host_text(&self) -> &str {
        self.part((self.at.sent_by.0, self.at.host_end))
    }

    /// Who sent-by names; reading the value has looked at it.
    pub fn host(&self) -> Option<Host> {
        Host::parse(self.host_text())
    }

    /// The port, where sent-by has one.
    pub fn port(&self) -> Option<u16> {
        self.at.port
    }

    pub fn branch(&self) -> Option<&str> {
        self.at.known.branch.map(|branch| self.part(branch)).filter(|branch| !branch.is_empty())
    }

    /// The branch, where RFC 3261 made it (§8.1.1.7: it begins with the cookie and has something after it).
    pub fn rfc3261_branch(&self) -> Option<&str> {
        self.branch().filter(|branch| branch.len() > 7 && branch.get(..7).is_some_and(|cookie| cookie.eq_ignore_ascii_case("z9hG4bK")))
    }

    pub fn has_rfc3261_branch(&self) -> bool {
        self.rfc3261_branch().is_some()
    }

    pub fn received(&self) -> Option<IpAddr> {
        self.param("received").and_then(parse_ip)
    }

    /// Whether there is a `received`, whatever it says.
    pub(crate) fn has_received(&self) -> bool {
        self.at.known.has_received
    }

    /// `Some(None)`: the sender asks for it; `Some(Some(port))`: filled in (RFC 3581).
    pub fn rport(&self) -> Option<Option<u16>> {
        self.at.known.rport.map(|port| self.part(port).parse().ok())
    }

    /// What stands before and behind the value of `rport`: `…;rport` and `;branch=…`, or `…;rport=` where it has been filled in.
    pub(crate) fn around_rport(&self) -> Option<(&str, &str)> {
        let (start, end) = self.at.known.rport?;
        Some((self.text.get(..usize::from(start))?, self.text.get(usize::from(end)..)?))
    }

    pub fn maddr(&self) -> Option<&str> {
        self.at.known.maddr.map(|maddr| self.part(maddr))
    }

    /// The first parameter of this name, as written; `Some("")` for a flag.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(name)
    }

    pub fn params(&self) -> Params<'_> {
        Params::new(self.part(self.at.params))
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn part(&self, (start, end): Span) -> &str {
        self.text.get(usize::from(start)..usize::from(end)).unwrap_or("")
    }
}

impl ViaAt {
    /// Takes a value apart.
    pub fn of(text: &str) -> Result<Self, ViaError> {
        if text.len() > usize::from(u16::MAX) {
            return Err(ViaError::TooLong);
        }
        Self::of_plain(text).map_or_else(|| Self::of_any(text), Ok)
    }

    /// A value as nearly everybody writes it, in one look: a single blank, a host that is no IPv6 address, and parameters of nothing
    /// but a token's characters. None for any other.
    fn of_plain(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let run = |from: usize, is_one: fn(u8) -> bool| {
            let rest = bytes.get(from..).unwrap_or_default();
            from + rest.iter().position(|byte| !is_one(*byte)).unwrap_or(rest.len())
        };
        if !matches!(bytes.get(..12)?, b"SIP/2.0/UDP " | b"SIP/2.0/TCP " | b"SIP/2.0/TLS ") {
            return None;
        }
        let host_end = run(12, is_host_byte);
        let (mut at, mut port) = (host_end, None);
        if bytes.get(at) == Some(&b':') {
            at = run(at + 1, |byte| byte.is_ascii_digit());
            port = Some(port_number(text.get(host_end + 1..at)?)?);
        }
        if !has_alphanumeric(text.get(12..host_end)?) {
            return None;
        }
        let (sent_by_end, mut known) = (at, Known::default());
        while at < bytes.len() {
            if bytes.get(at) != Some(&b';') {
                return None;
            }
            let (name_start, name_end) = (at + 1, run(at + 1, is_token_byte));
            // A flag's value lies, empty, where its name ends.
            let value_start = if bytes.get(name_end) == Some(&b'=') { name_end + 1 } else { name_end };
            at = run(value_start, is_token_byte);
            known.take(text.get(name_start..name_end)?, (value_start as u16, at as u16));
        }
        Some(Self {
            transport: (8, 11),
            sent_by: (12, sent_by_end as u16),
            host_end: host_end as u16,
            port,
            params: (sent_by_end as u16, text.len() as u16),
            known,
        })
    }

    fn of_any(text: &str) -> Result<Self, ViaError> {
        let (transport, sent_by) = Self::of_protocol(trim_lws(text))?;
        let (host, port, params) = split_host_port(sent_by, true).ok_or(ViaError::SentBy)?;
        if !params.is_empty() && !params.starts_with(';') {
            return Err(ViaError::Trailing);
        }
        if !Host::is_one(host) {
            return Err(ViaError::SentBy);
        }
        let sent_by = trim_lws(&sent_by[..sent_by.len() - params.len()]);
        // Parts of the text, so 16 bits hold what the text whole.
        let start_of = |part: &str| (part.as_ptr() as usize - text.as_ptr() as usize) as u16;
        let span = |part: &str| (start_of(part), start_of(part) + part.len() as u16);
        let mut known = Known::default();
        for (name, value) in Params::new(params) {
            known.take(name, span(value.unwrap_or(&name[name.len()..])));
        }
        let (_, host_end) = span(host);
        Ok(Self { transport: span(transport), sent_by: span(sent_by), host_end, port, params: span(params), known })
    }

    /// The transport, and what follows it.
    fn of_protocol(text: &str) -> Result<(&str, &str), ViaError> {
        // As nearly everybody writes it.
        if let Some((transport, sent_by)) = text.strip_prefix("SIP/2.0/").and_then(|rest| rest.split_at_checked(3))
            && matches!(transport, "UDP" | "TCP" | "TLS")
            && let Some(sent_by) = sent_by.strip_prefix(' ')
        {
            return Ok((transport, trim_lws(sent_by)));
        }
        // §25.1: blanks may stand around the slashes.
        let (name, rest) = split_at_byte(text, b'/').ok_or(ViaError::Protocol)?;
        let (version, rest) = split_at_byte(rest, b'/').ok_or(ViaError::Protocol)?;
        let (name, version, rest) = (trim_lws(name), trim_lws(version), trim_lws(rest));
        let blank = rest.bytes().position(|byte| matches!(byte, b' ' | b'\t')).ok_or(ViaError::Protocol)?;
        let (transport, sent_by) = rest.split_at(blank);
        // The version is the start line's to judge: even a 505 must find its way back.
        if !name.eq_ignore_ascii_case("SIP") || !is_token(version.as_bytes()) || !is_token(transport.as_bytes()) {
            return Err(ViaError::Protocol);
        }
        Ok((transport, trim_lws(sent_by)))
    }
}

impl fmt::Display for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_via_with_everything() {
        let via = Via::parse("SIP/2.0/UDP 192.0.2.1:5066;branch=z9hG4bKx;rport=4711;received=198.51.100.9").unwrap();
        assert_eq!((via.transport(), via.port(), via.sent_by()), (Some(Transport::Udp), Some(5066), "192.0.2.1:5066"));
        assert_eq!((via.branch(), via.rport(), via.received()), (Some("z9hG4bKx"), Some(Some(4711)), "198.51.100.9".parse().ok()));
        assert!(via.has_rfc3261_branch());
    }

    #[test]
    fn the_quick_look_sees_what_the_long_one_sees() {
        let read = |text: &str| (ViaAt::of_plain(text), ViaAt::of_any(text));
        for plain in [
            "SIP/2.0/UDP 192.0.2.1:5066;branch=z9hG4bKx;rport=4711;received=198.51.100.9",
            "SIP/2.0/TCP h",
            "SIP/2.0/TLS a-b.c_d:1",
            "SIP/2.0/UDP h;rport;BRANCH=a;branch=b;Maddr=c;x;;y=",
        ] {
            let (quick, long) = read(plain);
            assert_eq!(quick, long.ok(), "{plain}");
            assert!(quick.is_some(), "{plain}");
        }
        for other in [
            "SIP/2.0/UDP [2001:db8::1];branch=a",
            "SIP/2.0/UDP h ;branch=a",
            "SIP/2.0/UDP h;branch=\"a\"",
            "SIP/2.0/UDP h;received=2001:db8::1",
            "SIP/2.0/UDP ..",
            "SIP/2.0/UDP h:",
            "SIP/2.0/UDP h:70000",
            "SIP/2.0/UDP h x",
            "SIP/2.0/WS h",
            "SIP/2.0/UDP",
        ] {
            assert_eq!(read(other).0, None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn both_looks_agree_on_anything(host in "[a-z0-9.:_-]{0,6}", params in "[;=a-z .:\"]{0,24}") {
            let text = format!("SIP/2.0/UDP {host}{params}");
            if let Some(quick) = ViaAt::of_plain(&text) {
                proptest::prop_assert_eq!(Ok(quick), ViaAt::of_any(&text));
            }
        }
    }

    #[test]
    fn blanks_may_stand_around_slashes_and_colons() {
        let via = Via::parse("SIP  / 2.0\t/ TCP     spindle.example.com : 5060  ;\tbranch  =   z9hG4bK9ikj8").unwrap();
        assert_eq!((via.transport_text(), via.port(), via.branch()), ("TCP", Some(5060), Some("z9hG4bK9ikj8")));
    }

    #[test]
    fn received_with_and_without_brackets() {
        for received in ["2001:db8::9:255", "[2001:db8::9:255]"] {
            let via = Via::parse(format!("SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3")).unwrap();
            assert_eq!(via.received(), "2001:db8::9:255".parse().ok());
        }
    }

    #[test]
    fn the_cookie_alone_is_no_branch_of_rfc3261() {
        assert!(!Via::parse("SIP/2.0/UDP h;branch=z9hG4bK").unwrap().has_rfc3261_branch());
        assert!(!Via::parse("SIP/2.0/UDP h;branch=390skdjuw").unwrap().has_rfc3261_branch());
    }

    #[test]
    fn what_is_no_via() {
        for (text, why) in [
            ("", ViaError::Protocol),
            ("SIP/2.0/UDP", ViaError::Protocol),
            ("HTTP/1.1/UDP h", ViaError::Protocol),
            ("SIP//UDP h", ViaError::Protocol),
            ("SIP/2.0/U,P h", ViaError::Protocol),
            ("SIP/2.0/UDP ;branch=a", ViaError::SentBy),
            ("SIP/2.0/UDP h:port", ViaError::SentBy),
            ("SIP/2.0/UDP h x", ViaError::Trailing),
        ] {
            assert_eq!(Via::parse(text), Err(why), "{text}");
        }
    }
}
