//! The host part of URIs and Via (RFC 3261 §25.1 `host`, RFC 5118).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::text::Text;

/// A literal address, or a name to look up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    Ip(IpAddr),
    Name(Text),
}

impl Host {
    /// Reads a host as it stands before port and parameters; None when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_with(text, |name| name.into())
    }

    /// As [`Host::parse`], a name kept as `name` says.
    pub(super) fn parse_with(text: &str, name: impl Fn(&str) -> Text) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            return parse_ipv6(inner.strip_suffix(']')?).map(|ip| Self::Ip(ip.into()));
        }
        if text.as_bytes().last().is_some_and(u8::is_ascii_digit)
            && let Ok(ip) = text.parse::<Ipv4Addr>()
        {
            return Some(Self::Ip(ip.into()));
        }
        is_host_name(text).then(|| Self::Name(name(text)))
    }

    /// Whether [`Host::parse`] would take it.
    pub(super) fn is_one(text: &str) -> bool {
        match text.strip_prefix('[') {
            Some(_) => Self::literal(text).is_some(),
            // An IPv4 address is written as names may be.
            None => is_host_name(text),
        }
    }

    /// The address that a host as written names literally.
    pub fn literal(text: &str) -> Option<IpAddr> {
        Self::parse_with(text, |_| Text::default())?.ip()
    }

    /// The address, when it is a literal one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }

    /// Hosts compare without regard to case, addresses by value (§19.1.4).
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Name(a), Self::Name(b)) => a.trim_end_matches('.').eq_ignore_ascii_case(b.trim_end_matches('.')),
            _ => false,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

/// `host[:port]`, as it stands in a Via's sent-by and a URI: (host, port, what follows).
///
/// Blanks around the colon are allowed in a Via only (§25.1 `COLON`), so the caller says.
pub(crate) fn split_host_port(text: &str, blanks: bool) -> Option<(&str, Option<u16>, &str)> {
    let host_end = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        text.bytes().position(|byte| AFTER_HOST[byte as usize]).unwrap_or(text.len())
    };
    let (host, rest) = text.split_at(host_end);
    let after_host = if blanks { rest.trim_start_matches([' ', '\t']) } else { rest };
    let Some(after_colon) = after_host.strip_prefix(':') else { return Some((host, None, after_host)) };
    let after_colon = if blanks { after_colon.trim_start_matches([' ', '\t']) } else { after_colon };
    let digits = after_colon.bytes().take_while(u8::is_ascii_digit).count();
    let (port, rest) = after_colon.split_at(digits);
    let rest = if blanks { rest.trim_start_matches([' ', '\t']) } else { rest };
    Some((host, Some(port_number(port)?), rest))
}

/// What may follow a host.
const AFTER_HOST: [bool; 256] = {
    let mut table = [false; 256];
    table[b':' as usize] = true;
    table[b';' as usize] = true;
    table[b'?' as usize] = true;
    table[b' ' as usize] = true;
    table[b'\t' as usize] = true;
    table
};

pub(super) fn port_number(digits: &str) -> Option<u16> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.bytes().fold(0, |number: u32, digit| number * 10 + u32::from(digit - b'0')).try_into().ok()
}

/// An IPv6 address, with or without brackets; RFC 5118 §4.5 has peers write `received` both ways.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(inner) => parse_ipv6(inner.strip_suffix(']')?).map(IpAddr::V6),
        None => text.parse().ok().or_else(|| parse_ipv6(text).map(IpAddr::V6)),
    }
}

/// Writes `address:port` as sent-by and URIs need it.
pub fn host_port(address: SocketAddr) -> String {
    address.to_string()
}

fn parse_ipv6(text: &str) -> Option<Ipv6Addr> {
    // RFC 5118 §4.10: the grammar of RFC 3261 led some to write `2001:db8:::192.0.2.1`.
    text.parse().ok().or_else(|| if text.contains(":::") { text.replacen(":::", "::", 1).parse().ok() } else { None })
}

fn is_host_name(text: &str) -> bool {
    // §25.1 has letters, digits and hyphens; underscores are no host names, but DNS serves them.
    text.bytes().all(is_host_byte) && has_alphanumeric(text)
}

/// Whether what looks like a host's name is one: dots and hyphens alone are none.
pub(super) fn has_alphanumeric(text: &str) -> bool {
    text.len() <= 255 && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

pub(super) const fn is_host_byte(byte: u8) -> bool {
    HOST_NAME[byte as usize]
}

const HOST_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.' | b'_');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_names() {
        assert_eq!(Host::parse("192.0.2.1").and_then(|host| host.ip()), "192.0.2.1".parse().ok());
        assert_eq!(Host::parse("[2001:db8::1]").map(|host| host.to_string()).as_deref(), Some("[2001:db8::1]"));
        assert_eq!(Host::parse("example.com."), Some(Host::Name("example.com.".into())));
        for bad in ["", "[", "[]", "[::1", "a b", "a@b", "ü", "..", "2001:db8::1"] {
            assert_eq!(Host::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn ports() {
        assert_eq!(split_host_port("h:5060;x", false), Some(("h", Some(5060), ";x")));
        assert_eq!(split_host_port("[::1]:5:6", false), Some(("[::1]", Some(5), ":6")));
        assert_eq!(split_host_port("h : 5060 ;x", true), Some(("h", Some(5060), ";x")));
        for bad in ["h:", "h:x", "h:65536", "[::1"] {
            assert_eq!(split_host_port(bad, false), None, "{bad}");
        }
    }
}
