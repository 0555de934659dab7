//! URIs (RFC 3261 §19.1, RFC 3966 for `tel:`): kept exactly as given, taken apart by position.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::host::{Host, has_alphanumeric, is_host_byte, split_host_port};
use super::params::Params;
use super::text::Text;

/// A URI. Cheap to clone; prints exactly as it came.
#[derive(Clone)]
pub struct Uri {
    text: Text,
    scheme: Scheme,
    scheme_end: u16,
    user: Option<Span>,
    password: Option<Span>,
    host: Option<Host>,
    port: Option<u16>,
    params: Span,
    headers: Span,
}

/// From where to where. A message's head is at most 64 KiB, and so is a URI.
type Span = (u16, u16);

/// What kind of URI it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    Sip,
    Sips,
    Tel,
    /// Any other: its text is one opaque piece to us.
    Other,
}

/// Why a text is no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    #[error("no scheme")]
    Scheme,
    #[error("longer than 64 KiB")]
    TooLong,
    #[error("a character that no URI may contain")]
    Character,
    #[error("a percent sign that begins no escape")]
    Escape,
    #[error("an empty user")]
    User,
    #[error("no valid host")]
    Host,
    #[error("no valid port")]
    Port,
    #[error("text after the host that is neither port, parameter nor header")]
    Trailing,
}

impl Uri {
    /// Reads a URI out of a text of its own.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        Self::from_text(Text::from(text))
    }

    /// Reads a URI that goes on sharing the bytes it lies in.
    pub fn from_text(text: Text) -> Result<Self, UriError> {
        let uri = Self::read(&text, |host| Host::parse_with(host, |name| text.share(name)).map(Some))?;
        Ok(Self { text, ..uri })
    }

    /// Whether it is one; of which scheme, and whether it has headers. Nothing is kept.
    pub(super) fn check(text: &str) -> Result<(Scheme, bool), UriError> {
        if is_plain(text) {
            return Ok((Scheme::Sip, false));
        }
        Self::read(text, |host| Host::is_one(host).then_some(None)).map(|uri| (uri.scheme, uri.has_headers()))
    }

    /// Takes it apart; `read_host` judges the host and says how it is kept, and the text itself is the caller's to put in.
    fn read(whole: &str, read_host: impl Fn(&str) -> Option<Option<Host>>) -> Result<Self, UriError> {
        if whole.len() > usize::from(u16::MAX) {
            return Err(UriError::TooLong);
        }
        let scheme_end = memchr::memchr(b':', whole.as_bytes()).ok_or(UriError::Scheme)?;
        let name = &whole[..scheme_end];
        let scheme = scheme_of(name).ok_or(UriError::Scheme)?;
        // No early end: so the compiler looks at many bytes at once.
        let bad = |byte: u8| (byte <= b' ') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == 0x7f);
        if whole.bytes().fold(false, |found, byte| found | bad(byte)) {
            return Err(UriError::Character);
        }
        let start = scheme_end + 1;
        let mut uri = Self {
            scheme,
            scheme_end: scheme_end as u16,
            user: None,
            password: None,
            host: None,
            port: None,
            params: (0, 0),
            headers: (0, 0),
            text: Text::default(),
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => uri.read_sip(whole, start, read_host)?,
            Scheme::Tel => uri.read_tel(whole, start)?,
            Scheme::Other if start == whole.len() => return Err(UriError::Trailing),
            Scheme::Other => {}
        }
        Ok(uri)
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The scheme as written.
    pub fn scheme_text(&self) -> &str {
        self.at((0, self.scheme_end))
    }

    /// The user part as written, still escaped; of a `tel:` URI its number.
    pub fn user(&self) -> Option<&str> {
        self.user.map(|span| self.at(span))
    }

    /// The user part, unescaped once.
    pub fn user_unescaped(&self) -> Option<Cow<'_, str>> {
        self.user().map(unescape)
    }

    /// The password as written, still escaped.
    pub fn password(&self) -> Option<&str> {
        self.password.map(|span| self.at(span))
    }

    /// The host of a `sip:` or `sips:` URI.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The port, where one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The first parameter of this name (compared without regard to case), as written; `Some("")` for a flag.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(name)
    }

    pub fn params(&self) -> Params<'_> {
        Params::new(self.params_text())
    }

    /// All parameters with their leading semicolon, as written; empty when there are none.
    pub fn params_text(&self) -> &str {
        self.at(self.params)
    }

    /// The headers as written: split on `&` first, each still escaped (unescape each once, with [`unescape`]).
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers_text().split('&').filter(|item| !item.is_empty()).map(|item| item.split_once('=').unwrap_or((item, "")))
    }

    /// What follows the question mark, as written.
    pub fn headers_text(&self) -> &str {
        self.at(self.headers)
    }

    pub fn has_headers(&self) -> bool {
        self.headers.0 > 0
    }

    /// The URI without `?` and what follows: what becomes a Request-URI (§19.1.5).
    pub fn without_headers(&self) -> Self {
        if !self.has_headers() {
            return self.clone();
        }
        Self { text: self.text.cut(0..usize::from(self.headers.0) - 1), headers: (0, 0), ..self.clone() }
    }

    /// The URI's equality of §19.1.4.
    pub fn matches(&self, other: &Self) -> bool {
        if self.scheme != other.scheme || !self.scheme_text().eq_ignore_ascii_case(other.scheme_text()) {
            return false;
        }
        match self.scheme {
            Scheme::Sip | Scheme::Sips => {
                same_escaped(self.user(), other.user())
                    && same_escaped(self.password(), other.password())
                    && self.port == other.port
                    && self.host.as_ref().zip(other.host.as_ref()).is_some_and(|(a, b)| a.matches(b))
                    && self.params_match(other)
                    && self.headers_match(other)
            }
            // RFC 3966 §4: visual separators do not count.
            Scheme::Tel => digits(self.user()).eq(digits(other.user())) && self.params_match(other),
            Scheme::Other => self.opaque() == other.opaque(),
        }
    }

    fn read_sip(&mut self, whole: &str, start: usize, read_host: impl Fn(&str) -> Option<Option<Host>>) -> Result<(), UriError> {
        // The user part may hold `;`, `?` and `/`, so the at sign is looked for before everything else (§25.1 `user-unreserved`).
        let host_start = match memchr::memchr(b'@', &whole.as_bytes()[start..]) {
            None => start,
            Some(at) => {
                let end = start + at;
                let user_end = memchr::memchr(b':', &whole.as_bytes()[start..end]).map_or(end, |colon| start + colon);
                if user_end == start {
                    return Err(UriError::User);
                }
                check_escapes(&whole[start..end])?;
                self.user = Some(span(start, user_end));
                self.password = (user_end < end).then(|| span(user_end + 1, end));
                end + 1
            }
        };
        let (host, port, rest) = split_host_port(&whole[host_start..], false).ok_or(UriError::Port)?;
        self.host = read_host(host).ok_or(UriError::Host)?;
        self.port = port;
        self.read_tail(whole, whole.len() - rest.len())
    }

    fn read_tel(&mut self, whole: &str, start: usize) -> Result<(), UriError> {
        let end = whole[start..].find([';', '?']).map_or(whole.len(), |end| start + end);
        let number = &whole[start..end];
        let digits = number.strip_prefix('+').unwrap_or(number);
        let valid = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#' | b'-' | b'.' | b'(' | b')');
        if digits.is_empty() || !digits.bytes().all(valid) {
            return Err(UriError::User);
        }
        self.user = Some(span(start, end));
        self.read_tail(whole, end)
    }

    fn read_tail(&mut self, whole: &str, start: usize) -> Result<(), UriError> {
        let tail = &whole[start..];
        if !tail.is_empty() && !tail.starts_with([';', '?']) {
            return Err(UriError::Trailing);
        }
        let params_end = memchr::memchr(b'?', tail.as_bytes()).map_or(whole.len(), |mark| start + mark);
        self.params = span(start, params_end);
        if params_end < whole.len() {
            self.headers = span(params_end + 1, whole.len());
        }
        check_escapes(tail)
    }

    fn params_match(&self, other: &Self) -> bool {
        // §19.1.4: these count even where only one URI has them; any other only where both have it.
        const ALWAYS: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
        let same = |name: &str| match (self.param(name), other.param(name)) {
            (Some(a), Some(b)) => unescape(a).eq_ignore_ascii_case(&unescape(b)),
            (a, b) => a.is_none() && b.is_none(),
        };
        ALWAYS.into_iter().all(same) && self.params().all(|(name, _)| other.param(name).is_none() || same(name))
    }

    fn headers_match(&self, other: &Self) -> bool {
        let within = |a: &Self, b: &Self| {
            a.headers()
                .all(|(name, value)| b.headers().any(|(other, same)| name.eq_ignore_ascii_case(other) && unescape(value) == unescape(same)))
        };
        within(self, other) && within(other, self)
    }

    /// What follows the scheme's colon.
    fn opaque(&self) -> &str {
        self.text.get(usize::from(self.scheme_end)..).unwrap_or("")
    }

    fn at(&self, (start, end): Span) -> &str {
        self.text.get(usize::from(start)..usize::from(end)).unwrap_or("")
    }
}

/// Takes percent-escapes off, once; `+` stays a plus (field use of form-decoding corrupts numbers). Invalid UTF-8 becomes U+FFFD,
/// a percent sign that begins no escape stays.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    match String::from_utf8(unescape_bytes(text)) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// As [`unescape`], before any judgement of what the bytes mean.
pub fn unescape_bytes(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        match (byte, bytes.get(index + 1).and_then(hex), bytes.get(index + 2).and_then(hex)) {
            (b'%', Some(high), Some(low)) => {
                plain.push(high << 4 | low);
                index += 3;
            }
            _ => {
                plain.push(byte);
                index += 1;
            }
        }
    }
    plain
}

impl PartialEq for Uri {
    /// The same text. [`Uri::matches`] is the equality of §19.1.4.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Uri {}

impl FromStr for Uri {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({})", self.text)
    }
}

/// Within a text whose length was checked.
/// `sip:host`, `sip:user@host`, and either with a port, of nothing but letters, digits, `-`, `.` and `_`, and a number's `+`. Most
/// URIs are, and those need no look at what the grammar has besides.
fn is_plain(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("sip:") else { return false };
    let number = rest.strip_prefix('+');
    let (user, rest) = split_word(number.unwrap_or(rest));
    let (host, rest) = match rest.strip_prefix('@') {
        Some(_) if user.is_empty() => return false,
        Some(rest) => split_word(rest),
        None if number.is_some() => return false,
        None => (user, rest),
    };
    // Four digits are always a port's number.
    let port = |port: &str| (1..=4).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    has_alphanumeric(host) && (rest.is_empty() || rest.strip_prefix(':').is_some_and(port))
}

/// Cuts behind the characters that may stand in a host's name, all of which may stand in a user, too.
fn split_word(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !is_host_byte(byte)).unwrap_or(text.len()))
}

fn span(start: usize, end: usize) -> Span {
    (start as u16, end as u16)
}

fn scheme_of(name: &str) -> Option<Scheme> {
    match name {
        "sip" => return Some(Scheme::Sip),
        "sips" => return Some(Scheme::Sips),
        _ => {}
    }
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    valid.then(|| {
        [("sip", Scheme::Sip), ("sips", Scheme::Sips), ("tel", Scheme::Tel)]
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or(Scheme::Other, |(_, scheme)| scheme)
    })
}

fn check_escapes(text: &str) -> Result<(), UriError> {
    let bytes = text.as_bytes();
    let whole = |at: usize| bytes.get(at + 1).and_then(hex).is_some() && bytes.get(at + 2).and_then(hex).is_some();
    if memchr::memchr_iter(b'%', bytes).all(whole) { Ok(()) } else { Err(UriError::Escape) }
}

fn hex(byte: &u8) -> Option<u8> {
    (*byte as char).to_digit(16).map(|digit| digit as u8)
}

fn same_escaped(a: Option<&str>, b: Option<&str>) -> bool {
    a.map(unescape) == b.map(unescape)
}

fn digits(number: Option<&str>) -> impl Iterator<Item = u8> {
    number.unwrap_or("").bytes().filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')')).map(|byte| byte.to_ascii_lowercase())
}

#[cfg(test)]
#[path = "uri_tests.rs"]
mod tests;
