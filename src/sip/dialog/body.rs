//! Bodies: finding the SDP in them, and judging what we cannot take (RFC 3261 §8.2.3, RFC 5621).

use bytes::Bytes;

use crate::sip::message::{Fields, HeaderName, Params, unquote};

/// The session description of a message, also when it is one part of several.
pub fn sdp_of(message: &Fields) -> Option<Bytes> {
    if message.body().is_empty() {
        return None;
    }
    let content_type = message.text(HeaderName::ContentType)?;
    if is_type(&content_type, "application/sdp") {
        return Some(message.body_bytes());
    }
    if !has_parts(&content_type) {
        return None;
    }
    let body = message.body_bytes();
    let part = Parts::new(&body, &content_type)?.find(|part| part.content_type.is_some_and(|found| is_type(found, "application/sdp")))?;
    Some(body.slice_ref(part.content))
}

/// The body of this type, or the first part of it.
pub(super) fn body_of<'a>(message: &'a Fields, media_type: &str) -> Option<&'a [u8]> {
    let content_type = message.text(HeaderName::ContentType)?;
    if is_type(&content_type, media_type) {
        return Some(message.body()).filter(|body| !body.is_empty());
    }
    if !has_parts(&content_type) {
        return None;
    }
    let part = Parts::new(message.body(), &content_type)?.find(|part| part.content_type.is_some_and(|found| is_type(found, media_type)))?;
    Some(part.content)
}

/// Whether an INVITE's body is one that we can take; one whose handling is optional may be anything.
pub(super) fn judge_body(message: &Fields) -> Result<(), Refused> {
    if message.body().is_empty() {
        return Ok(());
    }
    let optional = message.text(HeaderName::ContentDisposition).is_some_and(|text| {
        Params::new(text.split_once(';').map_or("", |parts| parts.1))
            .find("handling")
            .is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    });
    if optional {
        return Ok(());
    }
    let content_type = message.text(HeaderName::ContentType).unwrap_or_default();
    if !is_type(&content_type, "application/sdp") && !has_parts(&content_type) {
        return Err(Refused::Type);
    }
    if message.list(HeaderName::ContentEncoding).any(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Refused::Encoding);
    }
    Ok(())
}

/// What about a body we cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Type,
    Encoding,
}

fn is_type(content_type: &str, wanted: &str) -> bool {
    // As nearly everybody writes it.
    if content_type.eq_ignore_ascii_case(wanted) {
        return true;
    }
    let found = content_type.split(';').next().unwrap_or("");
    let mut sides = found.split('/').map(str::trim);
    let mut wanted = wanted.split('/');
    (0..2).all(|_| matches!((sides.next(), wanted.next()), (Some(found), Some(wanted)) if found.eq_ignore_ascii_case(wanted)))
}

fn has_parts(content_type: &str) -> bool {
    content_type.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

/// The parts of a multipart body (RFC 2046 §5.1).
struct Parts<'a> {
    rest: &'a [u8],
    delimiter: Vec<u8>,
}

struct Part<'a> {
    content_type: Option<&'a str>,
    content: &'a [u8],
}

impl<'a> Parts<'a> {
    fn new(body: &'a [u8], content_type: &str) -> Option<Self> {
        let boundary = Params::new(content_type.split_once(';')?.1).find("boundary")?;
        let delimiter = format!("--{}", unquote(boundary)).into_bytes();
        let start = find(body, &delimiter)? + delimiter.len();
        Some(Self { rest: body.get(start..)?, delimiter })
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        // What follows the delimiter on its line is padding, or the dashes that end it all.
        if self.rest.starts_with(b"--") {
            return None;
        }
        let start = find(self.rest, b"\n")? + 1;
        let end = find(self.rest.get(start..)?, &self.delimiter)? + start;
        let part = self.rest.get(start..end)?;
        self.rest = self.rest.get(end + self.delimiter.len()..)?;
        // The line end before the delimiter belongs to it.
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        let part = part.strip_suffix(b"\r").unwrap_or(part);
        let (head, content) = if let Some(content) = part.strip_prefix(b"\r\n") {
            (&b""[..], content)
        } else {
            match (find(part, b"\r\n\r\n"), find(part, b"\n\n")) {
                (Some(end), _) => (part.get(..end)?, part.get(end + 4..)?),
                (None, Some(end)) => (part.get(..end)?, part.get(end + 2..)?),
                (None, None) => (part, &b""[..]),
            }
        };
        let lines = std::str::from_utf8(head).unwrap_or("").lines();
        let content_type = lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.trim().eq_ignore_ascii_case("Content-Type"));
        Some(Part { content_type: content_type.map(|(_, value)| value.trim()), content })
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::{Method, RequestBuilder};

    fn invite(content_type: &str, body: &'static str) -> crate::sip::message::Request {
        RequestBuilder::new(&Method::INVITE, "sip:a@b").body(content_type, body).build().unwrap()
    }

    #[test]
    fn sdp_is_found_whole_or_as_a_part() {
        assert_eq!(sdp_of(&invite("Application/SDP ; charset=utf-8", "v=0\r\n")).as_deref(), Some(&b"v=0\r\n"[..]));
        let parts = "preamble\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n\r\n--b1--\r\n";
        assert_eq!(sdp_of(&invite("multipart/mixed; boundary=\"b1\"", parts)).as_deref(), Some(&b"v=0\r\ns=-\r\n"[..]));
        assert_eq!(sdp_of(&invite("multipart/mixed", parts)), None);
        assert_eq!(sdp_of(&invite("multipart/mixed;boundary=b2", parts)), None);
        assert_eq!(sdp_of(&invite("text/plain", "v=0")), None);
    }

    #[test]
    fn an_unknown_body_is_refused_unless_it_is_optional() {
        assert_eq!(judge_body(&invite("application/unknown", "x")), Err(Refused::Type));
        assert_eq!(judge_body(&invite("application/sdp", "v=0")), Ok(()));
        let optional = RequestBuilder::new(&Method::INVITE, "sip:a@b").header(HeaderName::ContentDisposition, "session;handling=optional");
        assert_eq!(judge_body(&optional.body("application/unknown", "x").build().unwrap()), Ok(()));
        let zipped = RequestBuilder::new(&Method::INVITE, "sip:a@b").header(HeaderName::ContentEncoding, "gzip");
        assert_eq!(judge_body(&zipped.body("application/sdp", "x").build().unwrap()), Err(Refused::Encoding));
    }
}
