//! A message of a call, read once for all rules.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
};

use bytes::Bytes;

use crate::{
    model::{Finding, Party, Severity, Timestamp, TransportName},
    sip::{
        dialog::sdp_of,
        message::{Fields, HeaderName, Message, Method, NameAddr, Request, Response},
        sdp::{SdpError, SessionDescription},
    },
};

/// How a message was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Who sent it.
    pub sender: Party,
    pub receiver: Party,
    pub transport: Option<TransportName>,
    /// The far side's address: where its packet came from, or where this program sent it.
    pub far: Option<SocketAddr>,
    /// Written by this program: its form needs no judging.
    pub ours: bool,
    pub at: Option<Timestamp>,
}

/// A message, read.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its index among the call's messages.
    pub index: u32,
    pub seen: Seen,
    pub(super) message: Message,
    /// Of its CSeq; 0 where that can't be read.
    pub(super) number: u32,
    /// Of its CSeq, else of its request line.
    pub(super) method: Method,
    pub(super) session: Option<Result<SessionDescription, SdpError>>,
}

impl Item {
    /// Reads a message.
    ///
    /// # Errors
    /// The finding `malformed-message`, where the bytes are none.
    pub fn read(index: u32, bytes: &Bytes, seen: Seen) -> Result<Self, Box<Finding>> {
        let message = match Message::parse(bytes.clone()) {
            Ok(message) => message,
            Err(error) => return Err(Box::new(malformed(&seen, format!("{} bytes: {error}", bytes.len())).at(index))),
        };
        let fields = message.fields();
        let (number, method) = match (fields.cseq(), &message) {
            (Ok((number, method)), _) => (number, method),
            (Err(_), Message::Request(request)) => (0, request.method().clone()),
            (Err(_), Message::Response(_)) => (0, Method::OPTIONS),
        };
        let session = sdp_of(fields).map(|body| SessionDescription::parse(&body));
        Ok(Self { index, seen, number, method, session, message })
    }

    pub(super) fn fields(&self) -> &Fields {
        self.message.fields()
    }

    pub(super) fn request(&self) -> Option<&Request> {
        if let Message::Request(request) = &self.message { Some(request) } else { None }
    }

    pub(super) fn response(&self) -> Option<&Response> {
        if let Message::Response(response) = &self.message { Some(response) } else { None }
    }

    /// The first Contact, read anew each time: nearly no rule needs it of a sound message.
    pub(super) fn contact(&self) -> Option<NameAddr> {
        self.fields().contact()?.ok()
    }

    /// Its code, of a response.
    pub(super) fn code(&self) -> Option<u16> {
        self.response().map(Response::code)
    }

    /// The session description, where there is one that can be read.
    pub(super) fn sdp(&self) -> Option<&SessionDescription> {
        self.session.as_ref().and_then(|session| session.as_ref().ok())
    }

    /// What the transaction is known by: the branch of its top Via (RFC 3261 §17.1.3).
    pub(super) fn branch(&self) -> &[u8] {
        // Not parsed: only equality counts, and this is asked of every message.
        let Some(Cow::Borrowed(via)) = self.fields().text(HeaderName::Via) else { return b"" };
        let via = via.as_bytes();
        let first = via.split(|&byte| byte == b',').next().unwrap_or(via);
        first.split(|&byte| byte == b';').find_map(|param| param.trim_ascii().strip_prefix(b"branch=")).unwrap_or(first)
    }

    /// Milliseconds from this message to that one; 0 where times are not known.
    pub(super) fn millis_to(&self, later: &Self) -> u64 {
        match (self.seen.at, later.seen.at) {
            (Some(first), Some(last)) => last.micros_since(first) / 1_000,
            _ => 0,
        }
    }

    /// `INVITE`, `200 OK to INVITE`.
    pub(super) fn title(&self) -> String {
        match &self.message {
            Message::Request(request) => request.method().as_str().to_owned(),
            Message::Response(response) => format!("{} to {}", status(response), self.method.as_str()),
        }
    }

    /// A finding about its sender, seen in it.
    pub(super) fn finding(
        &self,
        rule: &'static str,
        severity: Severity,
        seen: impl Into<String>,
        why: &'static str,
        cure: &'static str,
    ) -> Finding {
        Finding::new(rule, severity, self.seen.sender, seen, why, cure).at(self.index)
    }
}

/// `200 OK`
pub(super) fn status(response: &Response) -> String {
    format!("{} {}", response.code(), clip(response.reason())).trim_end().to_owned()
}

/// The whole is no SIP message, or one that is answered with an error for its form.
pub(super) fn malformed(seen: &Seen, what: String) -> Finding {
    Finding::new(
        "malformed-message",
        Severity::Error,
        seen.sender,
        what,
        "What does not follow the grammar (RFC 3261 §25.1) is answered with 400 where it can be answered, and is otherwise dropped",
        "Look at the message's bytes; if nothing of this deployment sent it, close the port to its source",
    )
}

/// Enough of a value to recognise it by, on one line.
pub(super) fn clip(value: &str) -> &str {
    match value.char_indices().nth(120) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}

/// The media type of a message's body, without its parameters, compared without regard to case.
pub(super) fn is_type(fields: &Fields, media_type: &str) -> bool {
    let text = fields.text(HeaderName::ContentType).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}

/// The address of the far side.
pub(super) fn far_ip(item: &Item) -> Option<IpAddr> {
    item.seen.far.map(|far| far.ip().to_canonical())
}

/// The far side's address where it is a public one: only from there anything private is hidden.
pub(super) fn public_far_ip(item: &Item) -> Option<IpAddr> {
    far_ip(item).filter(|far| !private(*far))
}

/// Whether `told` can't be reached by somebody who sees `from`.
pub(super) fn hidden(told: IpAddr, from: IpAddr) -> bool {
    told.to_canonical() != from.to_canonical() && private(told.to_canonical()) && !private(from.to_canonical())
}

/// Addresses that are not routed on the public internet (RFC 1918, 6598, 3927, 4193, 4291).
fn private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || a == 100 && b & 0xc0 == 64
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
