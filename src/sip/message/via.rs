//! Via values (RFC 3261 §20.42, RFC 3581, RFC 5118 §4.5).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use super::host::{Host, parse_ip, split_host_port};
use super::params::Params;
use super::text::{is_token, split_at_byte, trim_lws};
use crate::sip::transport::Transport;

/// One Via value: who sent, by what, and which transaction. It borrows the message's text, unless that is folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via<'a> {
    text: Cow<'a, str>,
    transport: Range<usize>,
    sent_by: Range<usize>,
    params: Range<usize>,
    // The parameters that each Via is asked for.
    branch: Option<Range<usize>>,
    rport: Option<Range<usize>>,
    maddr: Option<Range<usize>>,
    /// The port, where sent-by has one.
    pub port: Option<u16>,
}

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
}

impl<'a> Via<'a> {
    /// Reads one value.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, ViaError> {
        let text = text.into();
        let parts = ViaParts::of(&text)?;
        if !Host::is_one(parts.host) {
            return Err(ViaError::SentBy);
        }
        let start = text.as_ptr() as usize;
        let range = |part: &str| {
            let start = part.as_ptr() as usize - start;
            start..start + part.len()
        };
        let (mut branch, mut rport, mut maddr) = (None, None, None);
        for (name, value) in parts.params() {
            let known = match name.len() {
                6 if name.eq_ignore_ascii_case("branch") => &mut branch,
                5 if name.eq_ignore_ascii_case("rport") => &mut rport,
                5 if name.eq_ignore_ascii_case("maddr") => &mut maddr,
                _ => continue,
            };
            known.get_or_insert(value.map_or(0..0, range));
        }
        let (transport, sent_by, params) = (range(parts.transport), range(parts.sent_by), range(parts.params));
        Ok(Self { transport, sent_by, params, branch, rport, maddr, port: parts.port, text })
    }

    /// Whether it is one. Nothing is kept.
    pub(super) fn check(text: &str) -> Result<(), ViaError> {
        let parts = ViaParts::of(text)?;
        if Host::is_one(parts.host) { Ok(()) } else { Err(ViaError::SentBy) }
    }

    /// The transport, when it is one that we speak.
    pub fn transport(&self) -> Option<Transport> {
        self.transport_text().parse().ok()
    }

    pub fn transport_text(&self) -> &str {
        self.at(&self.transport)
    }

    /// `host[:port]` as written.
    pub fn sent_by(&self) -> &str {
        self.at(&self.sent_by)
    }

    /// Who sent-by names; reading the value has looked at it.
    pub fn host(&self) -> Option<Host> {
        let (host, ..) = split_host_port(self.sent_by(), true)?;
        Host::parse(host)
    }

    pub fn branch(&self) -> Option<&str> {
        self.branch.as_ref().map(|branch| self.at(branch)).filter(|branch| !branch.is_empty())
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

    /// `Some(None)`: the sender asks for it; `Some(Some(port))`: filled in (RFC 3581).
    pub fn rport(&self) -> Option<Option<u16>> {
        self.rport.as_ref().map(|port| self.at(port).parse().ok())
    }

    pub fn maddr(&self) -> Option<&str> {
        self.maddr.as_ref().map(|maddr| self.at(maddr))
    }

    /// The first parameter of this name, as written; `Some("")` for a flag.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(name)
    }

    pub fn params(&self) -> Params<'_> {
        Params::new(self.at(&self.params))
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn at(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or("")
    }
}

/// A Via value taken apart where it lies; its host not read yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ViaParts<'a> {
    pub transport: &'a str,
    /// `host[:port]` as written.
    pub sent_by: &'a str,
    pub host: &'a str,
    pub port: Option<u16>,
    params: &'a str,
}

impl<'a> ViaParts<'a> {
    pub fn of(text: &'a str) -> Result<Self, ViaError> {
        let (transport, sent_by) = Self::of_protocol(trim_lws(text))?;
        let (host, port, params) = split_host_port(sent_by, true).ok_or(ViaError::SentBy)?;
        if !params.is_empty() && !params.starts_with(';') {
            return Err(ViaError::Trailing);
        }
        Ok(Self { transport, sent_by: trim_lws(&sent_by[..sent_by.len() - params.len()]), host, port, params })
    }

    pub fn params(&self) -> Params<'a> {
        Params::new(self.params)
    }

    /// The transport, and what follows it.
    fn of_protocol(text: &'a str) -> Result<(&'a str, &'a str), ViaError> {
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
        assert_eq!((via.transport(), via.port, via.sent_by()), (Some(Transport::Udp), Some(5066), "192.0.2.1:5066"));
        assert_eq!((via.branch(), via.rport(), via.received()), (Some("z9hG4bKx"), Some(Some(4711)), "198.51.100.9".parse().ok()));
        assert!(via.has_rfc3261_branch());
    }

    #[test]
    fn blanks_may_stand_around_slashes_and_colons() {
        let via = Via::parse("SIP  / 2.0\t/ TCP     spindle.example.com : 5060  ;\tbranch  =   z9hG4bK9ikj8").unwrap();
        assert_eq!((via.transport_text(), via.port, via.branch()), ("TCP", Some(5060), Some("z9hG4bK9ikj8")));
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
