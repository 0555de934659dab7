//! What is typed to narrow the log: `method:INVITE status:4xx host:10.4. header:x-ga-extconid=conv has:X-GA-tv words`.
//!
//! All terms must hold; a `-` before one turns it round. What has no colon is a word that must stand somewhere in the message.

use std::{net::SocketAddr, ops::Range};

use super::{FilterFault, LogRow, row::holds};
use crate::{
    console::wire_text::{Kind, long_name},
    model::TransportName,
};

/// A filter as it was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Word(Vec<u8>),
    Method(String),
    /// `200`, `4xx`, `18x`: `None` is any digit.
    Status([Option<u8>; 3]),
    Host(String),
    From(String),
    To(String),
    Port(u16),
    Transport(TransportName),
    Call(String),
    CallId(Vec<u8>),
    Cseq(Vec<u8>),
    Size(std::cmp::Ordering, usize),
    Header {
        name: String,
        value: Vec<u8>,
    },
    Has(String),
    Body(Vec<u8>),
    Is(Is),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Request,
    Response,
    Again,
    Broken,
    In,
    Out,
}

/// A part of what was typed, for its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub span: Range<usize>,
    pub kind: TokenKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Key,
    Value,
    Bad,
}

/// What may stand before a colon, each with an example.
pub const KEYS: [(&str, &str); 15] = [
    ("method", "method:INVITE"),
    ("status", "status:4xx"),
    ("host", "host:10.4."),
    ("src", "src:10.4.2.11"),
    ("dst", "dst:10.9.0.5:5060"),
    ("port", "port:5060"),
    ("transport", "transport:tcp"),
    ("call", "call:conv-12345"),
    ("call-id", "call-id:12345@"),
    ("cseq", "cseq:REFER"),
    ("size", "size:>1300"),
    ("header", "header:x-ga-extconid=conv"),
    ("has", "has:X-GA-tv"),
    ("body", "body:PCMU"),
    ("is", "is:again"),
];

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads what was typed; the tokens are there even where it can't be read.
    pub fn parse(text: &str) -> (Result<Self, FilterFault>, Vec<Token>) {
        let (mut terms, mut tokens, mut fault) = (Vec::new(), Vec::new(), None);
        for span in words(text) {
            let Some(word) = text.get(span.clone()) else { continue };
            match term(word) {
                Ok((term, key)) => {
                    let colon = span.start + key;
                    if key > 0 {
                        tokens.push(Token { span: span.start..colon, kind: TokenKind::Key });
                    }
                    tokens.push(Token { span: colon..span.end, kind: TokenKind::Value });
                    terms.push(term);
                }
                Err(text) => {
                    tokens.push(Token { span: span.clone(), kind: TokenKind::Bad });
                    fault = fault.or(Some(FilterFault { span, text }));
                }
            }
        }
        (fault.map_or(Ok(Self(terms)), Err), tokens)
    }

    pub fn matches(&self, row: &LogRow) -> bool {
        self.0.iter().all(|term| term.what.holds_for(row) != term.negated)
    }
}

/// Split at blanks, but not within quotes.
fn words(text: &str) -> Vec<Range<usize>> {
    let (mut words, mut start, mut quoted) = (Vec::new(), None, false);
    for (at, c) in text.char_indices() {
        match c {
            c if c.is_whitespace() && !quoted => words.extend(start.take().map(|start| start..at)),
            c => {
                quoted ^= c == '"';
                start = start.or(Some(at));
            }
        }
    }
    words.extend(start.map(|start| start..text.len()));
    words
}

/// The term, and how long its key is with its colon; or why it can't be read.
fn term(word: &str) -> Result<(Term, usize), String> {
    let (negated, bare) = match word.strip_prefix(['-', '!']) {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, word),
    };
    let before = word.len() - bare.len();
    let plain = |text: &str| text.replace('"', "").to_lowercase().into_bytes();
    let Some((key, value)) = bare.split_once(':').filter(|(key, _)| is_key(key)) else {
        return Ok((Term { negated, what: What::Word(plain(bare)) }, before));
    };
    let what = what(&key.to_ascii_lowercase(), &value.replace('"', ""))?;
    Ok((Term { negated, what }, before + key.len() + 1))
}

/// Not a URI, an address or a quoted text: those are words, colon or not.
fn is_key(key: &str) -> bool {
    let schemes = ["sip", "sips", "tel", "urn", "http", "https"];
    !schemes.contains(&key.to_ascii_lowercase().as_str())
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '_')
}

fn what(key: &str, value: &str) -> Result<What, String> {
    let lower = || value.to_lowercase();
    if value.is_empty() {
        let example = KEYS.iter().find(|(name, _)| *name == key).map_or("method:INVITE", |(_, example)| example);
        return if KEYS.iter().any(|(name, _)| *name == key) {
            Err(format!("{key}: needs a value, for example {example}"))
        } else {
            Err(no_key(key))
        };
    }
    Ok(match key {
        "method" => What::Method(value.to_uppercase()),
        "status" => {
            What::Status(status(value).ok_or_else(|| format!("“{value}” is no status: three digits, with x for any, such as 4xx"))?)
        }
        "host" => What::Host(lower()),
        "src" => What::From(lower()),
        "dst" => What::To(lower()),
        "port" => What::Port(value.parse().map_err(|_| format!("“{value}” is no port: a number up to 65535"))?),
        "transport" => What::Transport(match lower().as_str() {
            "udp" => TransportName::Udp,
            "tcp" => TransportName::Tcp,
            "tls" => TransportName::Tls,
            _ => return Err(format!("“{value}” is no transport: udp, tcp or tls")),
        }),
        "call" => What::Call(lower()),
        "call-id" => What::CallId(lower().into_bytes()),
        "cseq" => What::Cseq(lower().into_bytes()),
        "size" => size(value).ok_or_else(|| format!("“{value}” is no size: bytes, with > or < before them, such as >1300"))?,
        "header" => {
            let (name, value) = value.split_once('=').unwrap_or((value, ""));
            What::Header { name: long_name(name).to_lowercase(), value: value.to_lowercase().into_bytes() }
        }
        "has" => What::Has(long_name(value).to_lowercase()),
        "body" => What::Body(lower().into_bytes()),
        "is" => What::Is(match lower().as_str() {
            "request" => Is::Request,
            "response" => Is::Response,
            "again" | "retransmission" => Is::Again,
            "broken" | "malformed" => Is::Broken,
            "in" => Is::In,
            "out" => Is::Out,
            _ => return Err(format!("“{value}”: is:request, is:response, is:again, is:broken, is:in or is:out")),
        }),
        _ => return Err(no_key(key)),
    })
}

fn no_key(key: &str) -> String {
    let near = KEYS.iter().map(|(name, _)| (strsim::osa_distance(name, key), *name)).min();
    match near.filter(|(distance, _)| *distance <= 2) {
        Some((_, near)) => format!("“{key}:” is no filter. Did you mean {near}:?"),
        None => format!("“{key}:” is no filter. {} are; put a text with a colon in quotes", KEYS.map(|(name, _)| name).join(", ")),
    }
}

fn status(value: &str) -> Option<[Option<u8>; 3]> {
    let digits: Vec<Option<u8>> = value
        .bytes()
        .map(|b| match b {
            b'0'..=b'9' => Some(Some(b - b'0')),
            b'x' | b'X' | b'?' | b'*' => Some(None),
            _ => None,
        })
        .collect::<Option<_>>()?;
    digits.try_into().ok()
}

fn size(value: &str) -> Option<What> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let (order, digits) = match value.split_at_checked(1)? {
        (">", rest) => (Greater, rest),
        ("<", rest) => (Less, rest),
        _ => (Equal, value),
    };
    Some(What::Size(order, digits.replace(',', "").parse().ok()?))
}

impl What {
    fn holds_for(&self, row: &LogRow) -> bool {
        let message = &row.message;
        match self {
            Self::Word(word) => holds(&message.bytes, word),
            Self::Method(method) => match &row.kind {
                Kind::Request(is) | Kind::Response { to: is, .. } => is.eq_ignore_ascii_case(method),
                Kind::Other => false,
            },
            Self::Status(digits) => matches!(row.kind, Kind::Response { code, .. } if is_status(code, digits)),
            Self::Host(host) => is_at(message.local, host) || is_at(message.remote, host),
            Self::From(host) => is_at(row.source(), host),
            Self::To(host) => is_at(row.target(), host),
            Self::Port(port) => message.local.port() == *port || message.remote.port() == *port,
            Self::Transport(transport) => message.transport == *transport,
            Self::Call(call) => {
                row.call.is_some_and(|id| id.to_string().starts_with(call))
                    || row
                        .headers()
                        .any(|(name, value)| name.eq_ignore_ascii_case(b"X-GA-extConversationId") && holds(value, call.as_bytes()))
            }
            Self::CallId(id) => holds(row.call_id.as_bytes(), id),
            Self::Cseq(cseq) => holds(row.cseq.as_bytes(), cseq),
            Self::Size(order, size) => message.bytes.len().cmp(size) == *order,
            Self::Header { name, value } => row.headers().any(|(is, there)| is_named(is, name) && holds(there, value)),
            Self::Has(prefix) => row.headers().any(|(name, _)| {
                long_of(name).as_bytes().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
            }),
            Self::Body(text) => holds(row.body(), text),
            Self::Is(is) => match is {
                Is::Request => matches!(row.kind, Kind::Request(_)),
                Is::Response => matches!(row.kind, Kind::Response { .. }),
                Is::Again => message.retransmission,
                Is::Broken => row.kind == Kind::Other,
                Is::In => message.direction == crate::model::Direction::In,
                Is::Out => message.direction == crate::model::Direction::Out,
            },
        }
    }
}

fn is_status(code: u16, digits: &[Option<u8>; 3]) -> bool {
    let places = [code / 100, code / 10 % 10, code % 10];
    digits.iter().zip(places).all(|(digit, is)| digit.is_none_or(|digit| u16::from(digit) == is))
}

/// `10.4` is the beginning of `10.4.2.11:5060`, and not of `10.40.0.1`.
fn is_at(address: SocketAddr, host: &str) -> bool {
    let text = address.to_string();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    address.ip().to_string() == bare
        || text.strip_prefix(host).is_some_and(|rest| rest.is_empty() || host.ends_with(['.', ':']) || rest.starts_with(['.', ':']))
}

fn long_of(name: &[u8]) -> &str {
    long_name(std::str::from_utf8(name).unwrap_or_default())
}

fn is_named(name: &[u8], wanted: &str) -> bool {
    long_of(name).eq_ignore_ascii_case(wanted)
}

#[cfg(test)]
mod tests {
    use super::{super::row::tests::logged, *};

    fn row() -> LogRow {
        LogRow::new(logged(
            1,
            "INVITE sip:a@b SIP/2.0\ni: call-12@sbc\nCSeq: 1 INVITE\nx-ga-EXTCONID: Conv-12\nX-GA-tv-a: b\n\nv=0\nm=audio 4000 RTP/AVP 0\n",
        ))
    }

    fn parsed(text: &str) -> Result<Filter, FilterFault> {
        Filter::parse(text).0
    }

    #[test]
    fn all_terms_must_hold() {
        let row = row();
        for text in [
            "",
            "conv",
            "method:invite host:10.4. header:x-ga-extconid=conv has:X-GA-tv m=audio",
            "src:10.4.2.11 dst:10.9.0.5:5060 port:5070 transport:udp size:>50 cseq:INVITE call-id:call-12@",
            "header:Call-ID=sbc has:call-id -status:4xx -is:response is:in body:audio",
            "sip:a@b \"sip/2.0\"",
        ] {
            assert!(parsed(text).unwrap().matches(&row), "{text}");
        }
        for text in ["nobody", "method:BYE", "status:4xx", "host:10.40", "host:10.4.2.1", "-conv", "has:X-GA-rv", "size:<50", "is:again"] {
            assert!(!parsed(text).unwrap().matches(&row), "{text}");
        }
        let ok = LogRow::new(logged(2, "SIP/2.0 486 Busy Here\nCSeq: 1 INVITE\n\n"));
        for text in ["status:486", "status:4xx", "status:48x method:INVITE"] {
            assert!(parsed(text).unwrap().matches(&ok), "{text}");
        }
    }

    #[test]
    fn a_bad_word_is_named_with_its_place_and_the_cure() {
        let fault = |text: &str| parsed(text).unwrap_err();
        assert_eq!(fault("conv metod:INVITE").to_string(), "“metod:” is no filter. Did you mean method:?");
        assert_eq!(fault("conv metod:INVITE").span, 5..17);
        assert!(fault("status:40").text.contains("three digits"));
        assert!(fault("size:big").text.contains(">1300"));
        assert!(fault("transport:sctp").text.contains("udp, tcp or tls"));
        assert!(fault("is:odd").text.contains("is:again"));
        assert_eq!(fault("method:").text, "method: needs a value, for example method:INVITE");
        assert!(fault("colour:blue").text.contains("method, status"));
    }

    #[test]
    fn tokens_cover_what_was_typed() {
        let (filter, tokens) = Filter::parse("-status:4xx \"a b\" bad:1");
        assert!(filter.is_err());
        let kinds: Vec<_> = tokens.into_iter().map(|t| (t.span, t.kind)).collect();
        let expected = [(0..8, TokenKind::Key), (8..11, TokenKind::Value), (12..17, TokenKind::Value), (18..23, TokenKind::Bad)];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn every_example_can_be_read() {
        for (_, example) in KEYS {
            assert!(parsed(example).is_ok(), "{example}");
        }
    }
}
