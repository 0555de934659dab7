//! Finds the parts of a message in its bytes (RFC 3261 §7, §25.1): start line, headers, body. Copies nothing, judges little.
//!
//! What can not be read is noted as the message's defect and read over, so that the sender can still be answered;
//! only what is no SIP message at all is an error.

use bytes::Bytes;
use memchr::{memchr, memchr2};

use super::fields::{Fields, Header, Headers, Tags};
use super::header_name::HeaderName;
use super::method::Method;
use super::text::{HeadedBytes, is_token_byte};
use super::verdict::Fault;
use super::{Message, Request, Response};

/// How large a message may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub message: usize,
    /// Start line and headers; never more than 64 KiB whatever is set.
    pub head: usize,
    pub headers: usize,
    pub line: usize,
    pub vias: usize,
}

impl Limits {
    // Via: 32, and the two more that RFC 4475 §3.1.1.7 has in a message which must be taken.
    pub const DEFAULT: Self = Self { message: 64 * 1024, head: 16 * 1024, headers: 128, line: 8 * 1024, vias: 34 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why bytes are no SIP message: there is nobody to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("nothing but line ends")]
    Empty,
    #[error("the first line is neither a request line nor a status line")]
    NotSip,
    #[error("the status line has no code from 100 to 699")]
    StatusCode,
    #[error("the message is too large")]
    TooLarge,
}

/// Reads a message; bytes that are none come back.
pub(super) fn lex(raw: Bytes, limits: &Limits) -> Result<Message, (ParseError, Bytes)> {
    let Lexed { start_line, headers, body_start, body_end, defect } = match read(&raw, limits) {
        Ok(lexed) => lexed,
        Err(error) => return Err((error, raw)),
    };
    let raw = HeadedBytes::read(raw, body_start);
    let (body_start, body_end) = (body_start as u32, body_end as u32);
    let (tags, via) = (Tags::default(), None);
    let mut fields = Fields { headers, tags, via, body_start, body_end, defect, received_from: None, raw };
    fields.note_tags();
    Ok(match start_line {
        StartLine::Request { method, uri, .. } => Message::Request(Request { fields, method, uri }),
        StartLine::Response { code, reason, .. } => Message::Response(Response { fields, code, reason }),
    })
}

struct Lexed {
    start_line: StartLine,
    headers: Headers,
    body_start: usize,
    body_end: usize,
    defect: Option<Fault>,
}

fn read(bytes: &[u8], limits: &Limits) -> Result<Lexed, ParseError> {
    if bytes.len() > limits.message || bytes.len() > u32::MAX as usize {
        return Err(ParseError::TooLarge);
    }
    // §7.5: line ends before the start line are ignored.
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).ok_or(ParseError::Empty)?;
    let line_end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |end| start + end);
    let line = bytes[start..line_end].strip_suffix(b"\r").unwrap_or(&bytes[start..line_end]);
    let head_limit = limits.head.min(u16::MAX as usize);
    if line_end > head_limit {
        return Err(ParseError::TooLarge);
    }
    let start_line = StartLine::read(line, start)?;
    let mut lexer = Lexer { bytes, at: (line_end + 1).min(bytes.len()), head_limit, limits, headers: Headers::new(), defect: None };
    if line_end == bytes.len() {
        lexer.defect = Some(Fault::bad("No Header Fields"));
    }
    lexer.read_headers();
    let Lexer { at: body_start, headers, mut defect, .. } = lexer;
    let mut body_end = bytes.len();
    if let Some(length) = content_length(bytes, &headers) {
        // §18.3: bytes beyond it are dropped; fewer make the message malformed (the verdict says so).
        body_end = body_end.min(body_start.saturating_add(length));
    }
    let line_defect = match &start_line {
        StartLine::Request { defect, .. } => defect.clone(),
        StartLine::Response { .. } => None,
    };
    defect = line_defect.or(defect);
    Ok(Lexed { start_line, headers, body_start, body_end, defect })
}

enum StartLine {
    Request { method: Method, uri: (u16, u16), defect: Option<Fault> },
    Response { code: u16, reason: (u16, u16) },
}

impl StartLine {
    /// `offset` is where the line begins in the message; both it and the line's length are within the head's limit.
    fn read(line: &[u8], offset: usize) -> Result<Self, ParseError> {
        if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            return Self::read_status(line, offset);
        }
        let method_end = memchr(b' ', line).ok_or(ParseError::NotSip)?;
        let trimmed = line.trim_ascii_end();
        let version_start = memchr::memrchr(b' ', trimmed).map_or(0, |blank| blank + 1);
        let (Some(method), Some(version)) = (line.get(..method_end), trimmed.get(version_start..)) else { return Err(ParseError::NotSip) };
        let method = Method::parse(method).ok_or(ParseError::NotSip)?;
        if !version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) || version_start <= method_end + 1 {
            return Err(ParseError::NotSip);
        }
        let uri_range = method_end + 1..version_start - 1;
        let uri = line.get(uri_range.clone()).unwrap_or_default();
        let defect = if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            Some(Fault::answer(505, "Version Not Supported"))
        } else if trimmed.len() != line.len() {
            // RFC 4475 §3.1.2.10, §3.1.2.9: single blanks, and none at the end.
            Some(Fault::bad("Bad Request-Line: Blank At Its End"))
        } else if uri.is_empty() || memchr2(b' ', b'\t', uri).is_some() {
            Some(Fault::bad("Bad Request-Line: Blanks In Request-URI"))
        } else if std::str::from_utf8(uri).is_err() {
            Some(Fault::bad("Bad Request-URI: Not UTF-8"))
        } else {
            None
        };
        let range = ((offset + uri_range.start) as u16, (offset + uri_range.end) as u16);
        Ok(Self::Request { method, uri: range, defect })
    }

    fn read_status(line: &[u8], offset: usize) -> Result<Self, ParseError> {
        let rest = line.get(7..).filter(|_| line.get(..7).is_some_and(|version| version.eq_ignore_ascii_case(b"SIP/2.0")));
        // §25.1 wants a blank after the code even where the phrase is empty; some leave it out.
        let (code, after) = match rest.ok_or(ParseError::NotSip)? {
            [b' ', a, b, c] => ([a, b, c], line.len()),
            [b' ', a, b, c, b' ', ..] => ([a, b, c], 12),
            _ => return Err(ParseError::StatusCode),
        };
        let mut number = 0;
        for digit in code {
            number = number * 10 + (*digit as char).to_digit(10).ok_or(ParseError::StatusCode)? as u16;
        }
        if !(100..700).contains(&number) {
            return Err(ParseError::StatusCode);
        }
        Ok(Self::Response { code: number, reason: ((offset + after) as u16, (offset + line.len()) as u16) })
    }
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    head_limit: usize,
    limits: &'a Limits,
    headers: Headers,
    defect: Option<Fault>,
}

impl Lexer<'_> {
    /// Reads up to and over the empty line; `at` is the body's first byte afterwards.
    fn read_headers(&mut self) {
        loop {
            let start = self.at;
            let after = match self.bytes.get(start..).unwrap_or_default() {
                [b'\r', b'\n', ..] => start + 2,
                [b'\n', ..] => start + 1,
                _ if self.read_header(start) => continue,
                _ => {
                    self.fault(Fault::bad("Header Section Without End"));
                    self.bytes.len()
                }
            };
            self.at = after;
            return;
        }
    }

    /// Reads one header with its continuation lines; false where no line end follows, or the head is too large.
    fn read_header(&mut self, start: usize) -> bool {
        // The name, and the colon behind it (§25.1 `HCOLON`: blanks may stand before it).
        let rest = &self.bytes[start..];
        let name_len = rest.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(rest.len());
        let mut at = start + name_len;
        while matches!(self.bytes.get(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        let well_begun = name_len > 0 && self.bytes.get(at) == Some(&b':');
        let mut value_start = if well_begun { at + 1 } else { start };
        while well_begun && matches!(self.bytes.get(value_start), Some(b' ' | b'\t')) {
            value_start += 1;
        }
        // The value, to the line end that no blank follows (§7.3.1).
        let (mut end, mut uneven) = (value_start, false);
        loop {
            let Some(LineEnd { content, next, stray }) = line_end(self.bytes, end) else { return false };
            uneven |= stray;
            self.at = next;
            if !matches!(self.bytes.get(next), Some(b' ' | b'\t')) {
                end = content;
                break;
            }
            (end, uneven) = (next, true);
        }
        if self.at > self.head_limit {
            self.fault(Fault::answer(513, "Message Too Large: Header Section"));
            return false;
        }
        if end.saturating_sub(start) > self.limits.line {
            self.fault(Fault::answer(513, "Message Too Large: Header Line"));
        } else if self.headers.len() >= self.limits.headers {
            self.fault(Fault::answer(513, "Message Too Large: Too Many Header Fields"));
        } else if !well_begun {
            let line = self.bytes.get(start..end).unwrap_or_default();
            self.fault(Fault::bad(if memchr(b':', line).is_some() { "Bad Header Name" } else { "Header Line Without Colon" }));
        } else {
            let value = self.bytes.get(value_start..end).unwrap_or_default();
            let lead = value.iter().take_while(|byte| is_lws(**byte)).count();
            let trail = value[lead..].iter().rev().take_while(|byte| is_lws(**byte)).count();
            // All of these are within the head's limit, which 16 bits hold.
            self.headers.push(Header {
                name: HeaderName::parse(&self.bytes[start..start + name_len]),
                uneven,
                name_start: start as u16,
                name_len: name_len as u16,
                value_start: (value_start + lead) as u16,
                value_len: (value.len() - lead - trail) as u16,
            });
        }
        true
    }

    fn fault(&mut self, fault: Fault) {
        self.defect.get_or_insert(fault);
    }
}

/// Where a line's text ends, and where the next begins.
struct LineEnd {
    content: usize,
    next: usize,
    /// A CR that ends no line stands in it.
    stray: bool,
}

/// The end of the line that `from` is in. A lone LF ends a line too: some senders end all of theirs so.
fn line_end(bytes: &[u8], from: usize) -> Option<LineEnd> {
    let (mut at, mut stray) = (from, false);
    loop {
        let content = at + memchr2(b'\r', b'\n', bytes.get(at..)?)?;
        match (bytes.get(content), bytes.get(content + 1)) {
            (Some(b'\n'), _) => return Some(LineEnd { content, next: content + 1, stray }),
            (_, Some(b'\n')) => return Some(LineEnd { content, next: content + 2, stray }),
            _ => (at, stray) = (content + 1, true),
        }
    }
}

/// The first readable Content-Length; the verdict refuses a second one, and one that can not be read.
fn content_length(bytes: &[u8], headers: &[Header]) -> Option<usize> {
    let header = headers.iter().find(|header| header.name == HeaderName::ContentLength)?;
    let start = header.value_start as usize;
    let value = bytes.get(start..start + header.value_len as usize)?;
    super::fields::decimal(value)?.try_into().ok()
}

fn is_lws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
