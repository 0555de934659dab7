//! Writes messages (RFC 3261 §7, §8.2.6), indexing them on the way: what comes out is never read again.

use std::cell::Cell;
use std::net::SocketAddr;

use bytes::Bytes;

use super::fields::{Fields, Header, Headers, Tags};
use super::header_name::HeaderName;
use super::list::ListItems;
use super::method::Method;
use super::status::StatusCode;
use super::text::{HeadedBytes, has_control, is_token, trim_lws};
use super::via::Via;
use super::{Request, Response};
use crate::sip::small_text::decimal;
use crate::sip::transport::via::write_received_from;

/// Why a message can not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("{0}: a line break or another control character")]
    Control(String),
    #[error("{0:?} is no header name")]
    Name(String),
    #[error("the start line is malformed")]
    StartLine,
    #[error("the headers are larger than 64 KiB")]
    TooLarge,
}

/// Builds a request.
#[derive(Debug)]
pub struct RequestBuilder {
    method: Method,
    uri: (u16, u16),
    writer: Writer,
}

impl RequestBuilder {
    pub fn new(method: &Method, uri_text: &str) -> Self {
        let mut writer = Writer::new();
        let method_len = method.as_str().len();
        let valid =
            !uri_text.is_empty() && !uri_text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) && is_token(method.as_str().as_bytes());
        if !valid || uri_text.len() > LARGEST_LINE {
            writer.fail(BuildError::StartLine);
            return Self { method: method.clone(), uri: (0, 0), writer };
        }
        writer.put(method.as_str());
        writer.put(" ");
        writer.put(uri_text);
        writer.put(" SIP/2.0\r\n");
        let start = method_len + 1;
        Self { method: method.clone(), uri: (start as u16, (start + uri_text.len()) as u16), writer }
    }

    pub fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        self.writer.header(name, value.as_ref());
        self
    }

    /// A header with a number for its value.
    pub fn number(mut self, name: HeaderName, value: u32) -> Self {
        self.writer.number(name, value);
        self
    }

    /// `CSeq: number METHOD`.
    pub fn cseq(mut self, number: u32) -> Self {
        let open = self.writer.open(HeaderName::CSeq);
        self.writer.put(&decimal(number));
        self.writer.put(" ");
        self.writer.put(self.method.as_str());
        self.writer.close(HeaderName::CSeq, open);
        self
    }

    /// A header by its written name: `X-GA-…`, or any other.
    pub fn other(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.writer.other(name.as_ref(), value.as_ref());
        self
    }

    /// Headers by their written names.
    pub fn others<N: AsRef<str>, V: AsRef<str>>(mut self, headers: impl IntoIterator<Item = (N, V)>) -> Self {
        for (name, value) in headers {
            self.writer.other(name.as_ref(), value.as_ref());
        }
        self
    }

    /// All headers of this name out of another message, in their order, folds joined.
    pub fn copy(mut self, from: &Fields, name: HeaderName) -> Self {
        self.writer.copy(from, name);
        self
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.writer.body(content_type, body.into());
        self
    }

    /// Ends the message with Content-Length and its body.
    pub fn build(self) -> Result<Request, BuildError> {
        Ok(Request { fields: self.writer.finish()?, method: self.method, uri: self.uri })
    }
}

/// Builds a response.
#[derive(Debug)]
pub struct ResponseBuilder {
    code: u16,
    reason: (u16, u16),
    writer: Writer,
}

impl ResponseBuilder {
    /// An empty reason becomes the code's own phrase.
    pub fn new(code: u16, reason: &str) -> Self {
        let mut writer = Writer::new();
        let reason = if reason.is_empty() { StatusCode(code).default_reason() } else { reason };
        if !(100..700).contains(&code) || has_control(reason.as_bytes()) || reason.len() > LARGEST_LINE {
            writer.fail(BuildError::StartLine);
            return Self { code, reason: (0, 0), writer };
        }
        writer.put("SIP/2.0 ");
        writer.put(&decimal(code));
        writer.put(" ");
        writer.put(reason);
        writer.put("\r\n");
        Self { code, reason: (12, (12 + reason.len()) as u16), writer }
    }

    /// The response to a request (§8.2.6.2): Via (with `received` and `rport` where the request's source was noted), From, To (with our
    /// tag, unless it has one), Call-ID, CSeq; Record-Route where it makes a dialog (§12.1.1); Timestamp in a 100 (§8.2.6.1).
    pub fn to(request: &Request, code: u16, reason: &str, to_tag: Option<&str>) -> Self {
        let mut builder = Self::new(code, reason);
        let writer = &mut builder.writer;
        writer.copy_vias(request);
        if (101..300).contains(&code) && request.method().forms_dialog() {
            writer.copy(request, HeaderName::RecordRoute);
        }
        writer.copy(request, HeaderName::From);
        match to_tag {
            Some(tag) if request.to_tag().is_none() && request.has(HeaderName::To) => {
                let to = request.text(HeaderName::To).unwrap_or_default();
                let start = writer.open(HeaderName::To);
                writer.put_clean(&to);
                writer.put(";tag=");
                writer.put_clean(tag);
                writer.close(HeaderName::To, start);
            }
            _ => writer.copy(request, HeaderName::To),
        }
        writer.copy(request, HeaderName::CallId);
        writer.copy(request, HeaderName::CSeq);
        if code == 100 {
            writer.copy(request, HeaderName::Timestamp);
        }
        builder
    }

    pub fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        self.writer.header(name, value.as_ref());
        self
    }

    /// A header with a number for its value.
    pub fn number(mut self, name: HeaderName, value: u32) -> Self {
        self.writer.number(name, value);
        self
    }

    /// A header by its written name: `X-GA-…`, or any other.
    pub fn other(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.writer.other(name.as_ref(), value.as_ref());
        self
    }

    /// Headers by their written names.
    pub fn others<N: AsRef<str>, V: AsRef<str>>(mut self, headers: impl IntoIterator<Item = (N, V)>) -> Self {
        for (name, value) in headers {
            self.writer.other(name.as_ref(), value.as_ref());
        }
        self
    }

    /// All headers of this name out of another message, in their order, folds joined.
    pub fn copy(mut self, from: &Fields, name: HeaderName) -> Self {
        self.writer.copy(from, name);
        self
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.writer.body(content_type, body.into());
        self
    }

    /// Ends the message with Content-Length and its body.
    pub fn build(self) -> Result<Response, BuildError> {
        Ok(Response { fields: self.writer.finish()?, code: self.code, reason: self.reason })
    }
}

/// With blanks in place of controls.
fn cleaned(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii_control() { ' ' } else { char }).collect()
}

const LARGEST_LINE: usize = 8 * 1024;

thread_local! {
    /// Where heads are written, one after the other: it is warm, and what is kept of a message is no larger than the message.
    static ROOM: Cell<String> = const { Cell::new(String::new()) };
}

const MOST_ROOM: usize = 16 * 1024;

#[derive(Debug)]
struct Writer {
    head: String,
    headers: Headers,
    body: Bytes,
    error: Option<BuildError>,
}

/// Where a header under way began: its name, and its value.
#[derive(Clone, Copy)]
struct Open {
    name: usize,
    value: usize,
}

impl Writer {
    fn new() -> Self {
        Self { head: ROOM.take(), headers: Headers::new(), body: Bytes::new(), error: None }
    }

    fn put(&mut self, text: &str) {
        self.head.push_str(text);
    }

    /// Writes what a peer sent: its controls, which must not travel on, become blanks.
    fn put_clean(&mut self, text: &str) {
        if has_control(text.as_bytes()) {
            self.put(&cleaned(text));
        } else {
            self.put(text);
        }
    }

    /// The top Via value as the request has it, and where the packet came from.
    fn put_marked(&mut self, request: &Request, top: &str, source: SocketAddr) {
        let via = if has_control(top.as_bytes()) { Via::parse(cleaned(top)) } else { request.top_via() };
        let Ok(via) = via else { return self.put_clean(top) };
        let marked = write_received_from(&mut self.head, &via, source);
        // Writing into memory can not fail.
        debug_assert!(marked.is_ok());
    }

    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    fn open(&mut self, name: HeaderName) -> Open {
        let start = self.head.len();
        self.put(name.opening());
        Open { name: start, value: self.head.len() }
    }

    fn close(&mut self, name: HeaderName, open: Open) {
        // A head that outgrows 16 bits fails in `finish`; until then the casts may wrap.
        self.headers.push(Header {
            name,
            uneven: false,
            name_start: open.name as u16,
            name_len: (open.value - 2 - open.name) as u16,
            value_start: open.value as u16,
            value_len: (self.head.len() - open.value) as u16,
        });
        self.put("\r\n");
    }

    fn header(&mut self, name: HeaderName, value: &str) {
        if name == HeaderName::Other || name == HeaderName::ContentLength {
            return self.fail(BuildError::Name(name.to_string()));
        }
        if has_control(value.as_bytes()) {
            return self.fail(BuildError::Control(name.to_string()));
        }
        let open = self.open(name);
        self.put(trim_lws(value));
        self.close(name, open);
    }

    fn number(&mut self, name: HeaderName, value: u32) {
        let open = self.open(name);
        self.put(&decimal(value));
        self.close(name, open);
    }

    fn other(&mut self, name: &str, value: &str) {
        let known = HeaderName::parse(name.as_bytes());
        if !is_token(name.as_bytes()) || known == HeaderName::ContentLength {
            return self.fail(BuildError::Name(name.escape_debug().to_string()));
        }
        if has_control(value.as_bytes()) {
            return self.fail(BuildError::Control(name.to_owned()));
        }
        let start = self.head.len();
        self.put(name);
        self.put(": ");
        let open = Open { name: start, value: self.head.len() };
        self.put(trim_lws(value));
        self.close(known, open);
    }

    fn copy(&mut self, from: &Fields, name: HeaderName) {
        for value in from.texts(name) {
            let open = self.open(name);
            self.put_clean(&value);
            self.close(name, open);
        }
    }

    /// §18.2.1, RFC 3581 §4: the top value tells where the packet came from.
    fn copy_vias(&mut self, request: &Request) {
        let Some(source) = request.received_from() else { return self.copy(request, HeaderName::Via) };
        for (index, value) in request.texts(HeaderName::Via).enumerate() {
            let open = self.open(HeaderName::Via);
            if index == 0 {
                let (top, others) = value.split_at(ListItems::first_end(&value));
                self.put_marked(request, top, source);
                self.put_clean(others);
            } else {
                self.put_clean(&value);
            }
            self.close(HeaderName::Via, open);
        }
    }

    fn body(&mut self, content_type: &str, body: Bytes) {
        self.header(HeaderName::ContentType, content_type);
        self.body = body;
    }

    fn finish(mut self) -> Result<Fields, BuildError> {
        let open = self.open(HeaderName::ContentLength);
        self.put(&decimal(self.body.len() as u64));
        self.close(HeaderName::ContentLength, open);
        self.put("\r\n");
        if let Some(error) = self.error {
            return Err(error);
        }
        let body_start = self.head.len();
        if body_start > u16::MAX as usize || self.body.len() > u32::MAX as usize / 2 {
            return Err(BuildError::TooLarge);
        }
        let raw = HeadedBytes::written(&self.head, &self.body);
        if self.head.capacity() <= MOST_ROOM {
            self.head.clear();
            ROOM.set(self.head);
        }
        Ok(Fields {
            body_start: body_start as u32,
            body_end: (body_start + self.body.len()) as u32,
            raw,
            headers: self.headers,
            tags: Tags::default(),
            via: None,
            defect: None,
            received_from: None,
        })
    }
}
