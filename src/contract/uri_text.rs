//! The text of a SIP URI: escaping of header names and values, and where its parts begin (RFC 3261 §19.1, §25.1).

use std::{borrow::Cow, net::Ipv6Addr};

/// What a header name or value inside a URI may hold unescaped (RFC 3261 §25.1):
/// `hnv-unreserved` = `[ ] / ? : + $`, and `unreserved` = alphanum and the marks `- _ . ! ~ * ' ( )`.
pub const fn is_unescaped(byte: u8) -> bool {
    UNESCAPED[byte as usize]
}

const UNESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let mark =
            matches!(b, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')');
        table[byte] = b.is_ascii_alphanumeric() || mark;
        byte += 1;
    }
    table
};

/// A `token` (RFC 3261 §25.1), of which header names are made.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}

/// Percent-encodes `text` as UTF-8 at the end of `out`. A space becomes `%20`, never `+`.
pub fn escape_into(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    // What stays is copied in runs, and is ASCII, so that a run never ends within a character.
    let mut run = 0;
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| !is_unescaped(*byte)) {
        out.push_str(text.get(run..at).unwrap_or_default());
        out.extend(['%', char::from(HEX[usize::from(byte >> 4)]), char::from(HEX[usize::from(byte & 15)])]);
        run = at + 1;
    }
    out.push_str(text.get(run..).unwrap_or_default());
}

/// How many characters `text` takes once escaped.
pub fn escaped_len(text: &str) -> usize {
    text.bytes().map(|b| if is_unescaped(b) { 1 } else { 3 }).sum()
}

/// What [`unescape`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unescaped<'a> {
    pub text: Cow<'a, str>,
    /// A `%` that no two hex digits follow; it stayed as it was.
    pub broken_escape: bool,
    /// The bytes were no UTF-8; each wrong one became U+FFFD.
    pub not_utf8: bool,
}

/// Undoes percent-escapes, exactly once (RFC 3261 §19.1.2). `+` is a plus.
pub fn unescape(text: &str) -> Unescaped<'_> {
    if !text.contains('%') {
        return Unescaped { text: Cow::Borrowed(text), broken_escape: false, not_utf8: false };
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut broken_escape = false;
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        match after {
            [high, low, further @ ..] if let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low)) => {
                bytes.push(high << 4 | low);
                rest = further;
            }
            _ => {
                broken_escape = true;
                bytes.push(b'%');
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Unescaped { text: Cow::Owned(text), broken_escape, not_utf8: false },
        Err(error) => {
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            Unescaped { text: Cow::Owned(text), broken_escape, not_utf8: true }
        }
    }
}

/// Whether `text` holds something that looks like a percent-escape.
pub fn holds_escape(text: &str) -> bool {
    text.as_bytes().windows(3).any(|w| matches!(w, [b'%', high, low] if hex_digit(*high).is_some() && hex_digit(*low).is_some()))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|d| d as u8)
}

/// The byte position of the `?` that opens a URI's headers.
///
/// A user part may hold a `?` of its own (RFC 3261 §25.1 `user-unreserved`), and only a user part can be
/// followed by `@`. But senders forget to escape an `@` in a value: where the text before the `@` already
/// holds `?X-GA-`, that is the headers' beginning.
pub fn headers_start(uri: &str) -> Option<usize> {
    // Most URIs have no headers.
    memchr::memchr(b'?', uri.as_bytes())?;
    let host_from = match uri.find('@') {
        Some(at) => match contract_header_start(&uri[..at]) {
            Some(question) => return Some(question),
            None => at,
        },
        None => 0,
    };
    uri[host_from..].find('?').map(|i| host_from + i)
}

fn contract_header_start(text: &str) -> Option<usize> {
    const OPENING: &[u8] = b"?X-GA-";
    text.as_bytes().windows(OPENING.len()).position(|w| w.eq_ignore_ascii_case(OPENING))
}

/// The URI's parameters (`name=value`, without their `;`).
pub fn parameters(uri: &str) -> impl Iterator<Item = &str> {
    let end = headers_start(uri).unwrap_or(uri.len());
    split_parameters(&uri[..end]).1
}

/// What comes before a URI's headers, in two: up to the host with its port, and the parameters.
pub fn split_parameters(before_headers: &str) -> (&str, impl Iterator<Item = &str>) {
    // A user part may hold `;` too: parameters come after the host.
    let host_from = before_headers.find('@').map_or(0, |at| at + 1);
    let start = before_headers[host_from..].find(';').map_or(before_headers.len(), |semicolon| host_from + semicolon);
    let (bare, parameters) = before_headers.split_at(start);
    (bare, parameters.split(';').skip(1))
}

/// Why a text cannot be a return URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReturnUriFault {
    #[error("a return URI begins with sip: or sips:")]
    Scheme,
    #[error("a return URI names a host")]
    NoHost,
    #[error("a return URI's host is a name, an IPv4 address, or an IPv6 address in brackets")]
    Host,
    #[error("a return URI's port is a number from 1 to 65535")]
    Port,
    #[error("in a return URI two hexadecimal digits follow a %")]
    Escape,
    #[error("a return URI carries no method= parameter")]
    Method,
    #[error("a return URI holds no spaces, line breaks, quotes or angle brackets; found {0:?}")]
    Character(char),
}

/// Whether `uri` may be returned to: `sip:`/`sips:` only, with a host, no `method=`, nothing that could end the header.
pub fn check_return_uri(uri: &str) -> Result<(), ReturnUriFault> {
    if let Some(bad) = uri.bytes().position(|byte| !is_uri_byte(byte)).and_then(|at| uri.get(at..)?.chars().next()) {
        return Err(ReturnUriFault::Character(bad));
    }
    let rest = super::strip_prefix_ignoring_case(uri, "sip:")
        .or_else(|| super::strip_prefix_ignoring_case(uri, "sips:"))
        .ok_or(ReturnUriFault::Scheme)?;
    let before_headers = &rest[..headers_start(rest).unwrap_or(rest.len())];
    let host = before_headers.rsplit_once('@').map_or(before_headers, |(_, host)| host);
    if before_headers.matches('@').nth(1).is_some() {
        return Err(ReturnUriFault::Host);
    }
    check_host_and_port(host.split(';').next().unwrap_or_default())?;
    if unescape(uri).broken_escape {
        return Err(ReturnUriFault::Escape);
    }
    if parameters(uri).any(names_method) || headers(uri).any(names_method) {
        return Err(ReturnUriFault::Method);
    }
    Ok(())
}

/// What may stand in a return URI; a byte of a character beyond ASCII may not, and the first of them is found first.
const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`')
}

/// `hostport` (RFC 3261 §25.1); names may hold `_` too, since some networks have such.
fn check_host_and_port(text: &str) -> Result<(), ReturnUriFault> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(ReturnUriFault::Host)?;
            host.parse::<Ipv6Addr>().map_err(|_| ReturnUriFault::Host)?;
            match after.strip_prefix(':') {
                None if !after.is_empty() => return Err(ReturnUriFault::Host),
                port => (host, port),
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err(ReturnUriFault::NoHost);
    }
    if !text.starts_with('[') && !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
        return Err(ReturnUriFault::Host);
    }
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0);
    if port.is_some_and(|port| !is_port(port)) { Err(ReturnUriFault::Port) } else { Ok(()) }
}

/// The URI's headers as written, `name=value` each.
pub fn headers(uri: &str) -> impl Iterator<Item = &str> {
    headers_start(uri).map(|q| &uri[q + 1..]).into_iter().flat_map(|h| h.split('&')).filter(|h| !h.is_empty())
}

fn names_method(item: &str) -> bool {
    let name = item.split('=').next().unwrap_or_default();
    unescape(name).text.eq_ignore_ascii_case("method")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape_into(&mut out, text);
        assert_eq!(out.len(), escaped_len(text));
        out
    }

    #[test]
    fn only_what_the_grammar_allows_stays_unescaped() {
        assert_eq!(escaped("aZ09-_.!~*'()[]/?:+$"), "aZ09-_.!~*'()[]/?:+$");
        assert_eq!(escaped("; , = & @ \" < > % # `"), "%3B%20%2C%20%3D%20%26%20%40%20%22%20%3C%20%3E%20%25%20%23%20%60");
        assert_eq!(escaped("Grüße\r\n\0"), "Gr%C3%BC%C3%9Fe%0D%0A%00");
    }

    #[test]
    fn unescaping_happens_once_and_plus_is_a_plus() {
        assert_eq!(unescape("a%2520b+c").text, "a%20b+c");
        let broken = unescape("100%zz%4");
        assert_eq!((broken.text.as_ref(), broken.broken_escape), ("100%zz%4", true));
        assert!(unescape("caf%E9").not_utf8);
        assert_eq!(unescape("%67").text, "g", "lower and upper case hex");
    }

    #[test]
    fn headers_begin_after_the_host() {
        assert_eq!(headers_start("sip:a?b@h?X=1"), Some(9));
        assert_eq!(headers_start("sip:a?b@h"), None);
        assert_eq!(headers_start("sip:h?X-GA-tv-mail=a@b"), Some(5), "an @ that a sender forgot to escape");
        assert_eq!(parameters("sip:a;x=y@h;transport=tcp;lr?X=1;2").collect::<Vec<_>>(), ["transport=tcp", "lr"]);
    }

    #[test]
    fn a_return_uri_is_sip_with_a_host_and_without_method() {
        for good in
            ["sip:transfer@your-company.com:5060", "sips:h", "SIP:r@[2001:db8::1]:5061;transport=tls?Subject=a", "sip:+1555@h;user=phone"]
        {
            assert_eq!(check_return_uri(good), Ok(()), "{good}");
        }
        assert_eq!(check_return_uri("tel:+1555"), Err(ReturnUriFault::Scheme));
        assert_eq!(check_return_uri("http://h"), Err(ReturnUriFault::Scheme));
        assert_eq!(check_return_uri("sip:"), Err(ReturnUriFault::NoHost));
        assert_eq!(check_return_uri("sip:a@:5060"), Err(ReturnUriFault::NoHost));
        assert_eq!(check_return_uri("sip:a@h:0"), Err(ReturnUriFault::Port));
        assert_eq!(check_return_uri("sip:a@[::1]:70000"), Err(ReturnUriFault::Port));
        assert_eq!(check_return_uri("sip:a@[::1]x"), Err(ReturnUriFault::Host));
        assert_eq!(check_return_uri("sip:a@[1.2.3.4]"), Err(ReturnUriFault::Host));
        assert_eq!(check_return_uri("sip:a@h,sip:b@h"), Err(ReturnUriFault::Host));
        assert_eq!(check_return_uri("sip:a%4@h"), Err(ReturnUriFault::Escape));
        assert_eq!(check_return_uri("sip:r@h;Method=BYE"), Err(ReturnUriFault::Method));
        assert_eq!(check_return_uri("sip:r@h;m%65thod=BYE"), Err(ReturnUriFault::Method));
        assert_eq!(check_return_uri("sip:r@h?method=BYE"), Err(ReturnUriFault::Method));
        assert_eq!(check_return_uri("sip:r@h\r\nX: y"), Err(ReturnUriFault::Character('\r')));
        assert_eq!(check_return_uri("<sip:r@h>"), Err(ReturnUriFault::Character('<')));
    }
}
