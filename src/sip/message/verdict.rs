//! Whether a message may be used, and what to answer if not (RFC 3261 §8.2, §18.3, RFC 4475).

use super::fields::{Fields, decimal};
use super::header_name::HeaderName;
use super::method::Method;
use super::name_addr::NameAddr;
use super::text::has_control;
use super::uri::{Scheme, Uri, UriError};
use super::via::Via;
use super::{Limits, Request, Response};

/// What is wrong with a message, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Answer the request so.
    #[error("{code} {reason}")]
    Answer { code: u16, reason: &'static str },
    /// Drop the message: a response, or an ACK.
    #[error("discarded: {reason}")]
    Discard { reason: &'static str },
}

impl Fault {
    pub(super) const fn answer(code: u16, reason: &'static str) -> Self {
        Self::Answer { code, reason }
    }

    pub(super) const fn bad(reason: &'static str) -> Self {
        Self::Answer { code: 400, reason }
    }

    /// The code to answer with; None when the message is to be dropped.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Answer { code, .. } => Some(*code),
            Self::Discard { .. } => None,
        }
    }

    /// The reason, fit for a status line.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Answer { reason, .. } | Self::Discard { reason } => reason,
        }
    }

    fn discarding(self) -> Self {
        Self::Discard { reason: self.reason() }
    }
}

impl Request {
    /// Judges what one message by itself can show. Extensions, methods, bodies and dialogs are judged by who knows them.
    pub fn verdict(&self) -> Result<(), Fault> {
        // An ACK is never answered (§17.1.1.3).
        self.judge().map_err(|fault| if *self.method() == Method::ACK { fault.discarding() } else { fault })
    }

    fn judge(&self) -> Result<(), Fault> {
        judge_common(self)?;
        let (_, method) = self.cseq().map_err(|_| Fault::bad("Bad CSeq"))?;
        if method != *self.method() {
            return Err(Fault::bad("CSeq Method Does Not Match"));
        }
        if self.has(HeaderName::MaxForwards) && self.max_forwards().is_none() {
            return Err(Fault::bad("Bad Max-Forwards"));
        }
        judge_contacts(self)?;
        judge_routes(self)?;
        self.judge_uri()?;
        if self.text(HeaderName::Date).is_some_and(|date| !date.ends_with(" GMT")) {
            // RFC 4475 §3.1.2.12: SIP dates know one time zone.
            return Err(Fault::bad("Bad Date: Not GMT"));
        }
        if *self.method() == Method::INVITE && !accepts_sdp(self) {
            return Err(Fault::answer(406, "Not Acceptable: No application/sdp"));
        }
        Ok(())
    }

    fn judge_uri(&self) -> Result<(), Fault> {
        match Uri::check(self.uri_text()) {
            Ok((Scheme::Other, _)) => Err(Fault::answer(416, "Unsupported URI Scheme")),
            // §19.1.5: headers are no part of a Request-URI.
            Ok((_, true)) => Err(Fault::bad("Headers In Request-URI")),
            Ok((_, false)) => Ok(()),
            Err(UriError::Port) => Err(Fault::bad("Bad Request-URI: Port")),
            Err(UriError::Host) => Err(Fault::bad("Bad Request-URI: Host")),
            Err(UriError::Escape) => Err(Fault::bad("Bad Request-URI: Escape")),
            Err(_) => Err(Fault::bad("Bad Request-URI")),
        }
    }
}

impl Response {
    /// A response that fails is dropped, as if it had never come (§18.1.2, §8.1.3).
    pub fn verdict(&self) -> Result<(), Fault> {
        self.judge().map_err(Fault::discarding)
    }

    fn judge(&self) -> Result<(), Fault> {
        judge_common(self)?;
        self.cseq().map_err(|_| Fault::bad("Bad CSeq"))?;
        // §8.1.3.3: we are the first hop of all our requests, so a second Via is somebody else's.
        if !self.has_lone_via() && self.list(HeaderName::Via).nth(1).is_some() {
            return Err(Fault::bad("More Than One Via"));
        }
        judge_contacts(self)?;
        judge_routes(self)
    }
}

fn judge_common(fields: &Fields) -> Result<(), Fault> {
    if let Some(defect) = &fields.defect {
        return Err(defect.clone());
    }
    judge_counts(fields)?;
    let clean = |header| !has_stray_control(fields.value_bytes(header));
    // One look at the whole head, many bytes at a time, settles it for nearly every message.
    if fields.may_hold_controls() && !fields.headers.iter().all(clean) {
        return Err(Fault::bad("Control Character In Header"));
    }
    judge_vias(fields)?;
    judge_address(fields, HeaderName::From, Fault::bad("Missing From"), Fault::bad("Bad From"))?;
    judge_address(fields, HeaderName::To, Fault::bad("Missing To"), Fault::bad("Bad To"))?;
    if fields.call_id().is_none() {
        return Err(Fault::bad("Missing Or Bad Call-ID"));
    }
    judge_length(fields)
}

fn judge_address(fields: &Fields, name: HeaderName, missing: Fault, bad: Fault) -> Result<(), Fault> {
    if let Some(uri) = fields.lone_uri(name) {
        return Uri::check(uri).map(|_| ()).map_err(|_| bad);
    }
    let address = fields.text(name).ok_or(missing)?;
    let params = NameAddr::check(&address).map_err(|_| bad)?;
    // §7.3.1: a parameter comes once; of two tags nobody knows which names the dialog.
    let second_tag = params.filter(|(name, _)| name.eq_ignore_ascii_case("tag")).nth(1);
    if second_tag.is_some() { Err(Fault::bad("More Than One Tag")) } else { Ok(()) }
}

/// §7.3.1: headers that are no lists come once.
fn judge_counts(fields: &Fields) -> Result<(), Fault> {
    let mut seen = [0u64; 2];
    for header in fields.headers.iter().filter(|header| header.name.is_single()) {
        let (word, bit) = header.name.bit();
        if seen[word] & bit != 0 {
            return Err(Fault::bad(match header.name {
                HeaderName::From => "More Than One From",
                HeaderName::To => "More Than One To",
                HeaderName::CallId => "More Than One Call-ID",
                HeaderName::CSeq => "More Than One CSeq",
                HeaderName::ContentLength => "More Than One Content-Length",
                _ => "More Than One Of A Single Header",
            }));
        }
        seen[word] |= bit;
    }
    Ok(())
}

fn judge_vias(fields: &Fields) -> Result<(), Fault> {
    if fields.has_lone_via() {
        return Ok(());
    }
    let mut count = 0;
    for via in fields.list(HeaderName::Via) {
        count += 1;
        if count > Limits::DEFAULT.vias {
            return Err(Fault::answer(513, "Message Too Large: Too Many Via"));
        }
        Via::parse(via).map_err(|_| Fault::bad("Bad Via"))?;
    }
    if count == 0 { Err(Fault::bad("Missing Via")) } else { Ok(()) }
}

/// §18.3: a datagram may be longer than it says, never shorter.
fn judge_length(fields: &Fields) -> Result<(), Fault> {
    let Some(text) = fields.text(HeaderName::ContentLength) else { return Ok(()) };
    let length = decimal(text.as_bytes()).ok_or(Fault::bad("Bad Content-Length"))?;
    let there = fields.raw().len() as u64 - u64::from(fields.body_start);
    if length > there { Err(Fault::bad("Content-Length Larger Than Message")) } else { Ok(()) }
}

fn judge_contacts(fields: &Fields) -> Result<(), Fault> {
    let is_bad = |item: &str| item != "*" && NameAddr::check(item).is_err();
    if fields.any_item(HeaderName::Contact, is_bad) { Err(Fault::bad("Bad Contact")) } else { Ok(()) }
}

fn judge_routes(fields: &Fields) -> Result<(), Fault> {
    for (name, fault) in [(HeaderName::Route, "Bad Route"), (HeaderName::RecordRoute, "Bad Record-Route")] {
        if fields.any_item(name, |route| NameAddr::check(route).is_err()) {
            return Err(Fault::bad(fault));
        }
    }
    Ok(())
}

/// §20.1: an INVITE without Accept takes SDP; with one, it takes what is listed.
fn accepts_sdp(request: &Request) -> bool {
    if !request.has(HeaderName::Accept) {
        return true;
    }
    request.any_item(HeaderName::Accept, |item| {
        let range = item.split(';').next().unwrap_or("").trim();
        ["application/sdp", "application/*", "*/*"].iter().any(|known| known.eq_ignore_ascii_case(range))
    })
}

/// Controls other than tabs, the line ends of folding, and what a backslash escapes in a quoted string (§25.1 `quoted-pair`,
/// which may be any octet but CR and LF).
fn has_stray_control(value: &[u8]) -> bool {
    if !has_control(value) {
        return false;
    }
    let (mut quoted, mut escaped) = (false, false);
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => {}
            b'\n' if matches!(bytes.peek(), Some(b' ' | b'\t')) => {}
            b'\t' => {}
            b'\r' | b'\n' => return true,
            0..=0x1f | 0x7f if !escaped => return true,
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && !escaped && byte == b'\\';
    }
    false
}
