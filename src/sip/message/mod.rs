//! SIP messages (RFC 3261 §7): read in place over [`bytes::Bytes`], written into the same indexed types.
//!
//! Reading is forgiving and judging is separate: [`Message::parse`] takes whatever looks like SIP, and
//! [`Request::verdict`] and [`Response::verdict`] say whether it may be used, or what to answer.

mod auth;
mod builder;
mod fields;
mod header_name;
mod host;
mod lexer;
mod list;
mod method;
mod name_addr;
mod params;
mod status;
mod text;
mod uri;
mod verdict;
mod via;

use std::ops::{Deref, DerefMut};

use bytes::Bytes;

pub use auth::AuthValue;
pub use builder::{BuildError, RequestBuilder, ResponseBuilder};
pub use fields::{AddressError, FieldError, Fields};
pub use header_name::HeaderName;
pub use host::{Host, host_port, parse_ip};
pub use lexer::{Limits, ParseError};
pub use list::ListItems;
pub use method::Method;
pub use name_addr::{NameAddr, NameAddrError};
pub use params::Params;
pub use status::StatusCode;
pub use text::{Text, has_control, is_token, quote, unquote};
pub use uri::{Scheme, Uri, UriError, unescape, unescape_bytes};
pub use verdict::Fault;
pub use via::{Via, ViaError};

/// A request or a response.
#[derive(Debug, Clone)]
pub enum Message {
    Request(Request),
    Response(Response),
}

impl Message {
    /// Reads one whole message: a datagram, or what framing cut out of a stream.
    pub fn parse(raw: Bytes) -> Result<Self, ParseError> {
        lexer::lex(raw, &Limits::DEFAULT).map_err(|(error, _)| error)
    }

    /// As [`Message::parse`], with limits of one's own.
    ///
    /// # Errors
    /// Bytes that are no message come back with what is wrong with them.
    pub fn parse_within(raw: Bytes, limits: &Limits) -> Result<Self, (ParseError, Bytes)> {
        lexer::lex(raw, limits)
    }

    pub fn fields(&self) -> &Fields {
        match self {
            Self::Request(request) => &request.fields,
            Self::Response(response) => &response.fields,
        }
    }

    pub fn raw(&self) -> &Bytes {
        self.fields().raw()
    }
}

/// A request (§7.1). Its headers and body are those of [`Fields`].
#[derive(Debug, Clone)]
pub struct Request {
    fields: Fields,
    method: Method,
    uri: (u16, u16),
}

impl Request {
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The Request-URI as written; empty when it is not UTF-8 (a defect that the verdict reports).
    pub fn uri_text(&self) -> &str {
        self.fields.start_line_part(self.uri)
    }

    pub fn uri(&self) -> Result<Uri, UriError> {
        let text = self.uri_text();
        Uri::from_text(if self.fields.raw.head().is_empty() { Text::from(text) } else { self.fields.raw.share(text) })
    }
}

impl Deref for Request {
    type Target = Fields;
    fn deref(&self) -> &Fields {
        &self.fields
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }
}

/// A response (§7.2). Its headers and body are those of [`Fields`].
#[derive(Debug, Clone)]
pub struct Response {
    fields: Fields,
    code: u16,
    reason: (u16, u16),
}

impl Response {
    /// From 100 to 699.
    pub fn code(&self) -> u16 {
        self.code
    }

    pub fn status(&self) -> StatusCode {
        StatusCode(self.code)
    }

    /// The phrase as written; empty when it is not UTF-8.
    pub fn reason(&self) -> &str {
        self.fields.start_line_part(self.reason)
    }
}

impl Deref for Response {
    type Target = Fields;
    fn deref(&self) -> &Fields {
        &self.fields
    }
}

impl DerefMut for Response {
    fn deref_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
