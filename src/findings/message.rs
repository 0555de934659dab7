//! Rules over one message.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use crate::{
    contract::{context, payload},
    model::{Finding, Party, Severity, TransportName},
    sip::{
        message::{HeaderName, Message, Method, Request},
        sdp::SessionDescription,
    },
};

/// How a message was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Who sent it.
    pub sender: Party,
    pub transport: Option<TransportName>,
    /// Where its packet came from, as far as that says something: `None` for what this program sent.
    pub source: Option<SocketAddr>,
}

/// All rules over one message. Their `messages` are left for the caller to fill.
pub fn of_message(bytes: &Bytes, seen: &Seen) -> Vec<Finding> {
    match Message::parse(bytes.clone()) {
        Ok(message) => of_parsed(&message, seen),
        Err(error) => vec![malformed(seen, format!("{} bytes: {error}", bytes.len()))],
    }
}

/// As [`of_message`], of a message that was read already.
pub(super) fn of_parsed(message: &Message, seen: &Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Message::Request(request) = message {
        findings.extend(invalid(request, seen));
        findings.extend(large_over_udp(request, seen));
        findings.extend(refer(request, seen));
        findings.extend(invite_context(request, seen));
        findings.extend(notify(request, seen));
    }
    findings.extend(private_contact(message, seen));
    findings.extend(sdp(message, seen));
    findings
}

/// The whole is no SIP message, or a request that is answered with an error for its form.
fn malformed(seen: &Seen, what: String) -> Finding {
    Finding::new(
        "malformed-message",
        Severity::Error,
        seen.sender,
        what,
        "What does not follow the grammar (RFC 3261 §25.1) is answered with 400 where it can be answered, and is otherwise dropped",
        "Look at the message's bytes; if nothing of this deployment sent it, close the port to its source",
    )
}

fn invalid(request: &Request, seen: &Seen) -> Option<Finding> {
    let fault = request.verdict().err()?;
    Some(malformed(seen, format!("{}: {fault}", request.method().as_str())))
}

fn large_over_udp(request: &Request, seen: &Seen) -> Option<Finding> {
    let length = request.raw().len();
    (seen.transport == Some(TransportName::Udp) && length > 1_300).then(|| {
        Finding::new(
            "large-over-udp",
            Severity::Warning,
            seen.sender,
            format!("{} of {length} bytes over UDP", request.method().as_str()),
            "A request within 200 bytes of the path's MTU, or above 1,300 bytes, goes over TCP (RFC 3261 §18.1.1): its fragments are dropped by many firewalls",
            "Use TCP between the two sides, or send fewer headers",
        )
    })
}

/// Refer-To and Contact of a REFER (RFC 3515 §2).
fn refer(request: &Request, seen: &Seen) -> Vec<Finding> {
    if *request.method() != Method::REFER {
        return Vec::new();
    }
    let mut findings = Vec::new();
    match request.count(HeaderName::ReferTo) {
        1 => {}
        count => findings.push(Finding::new(
            "refer-to-count",
            Severity::Error,
            seen.sender,
            format!("{count} Refer-To headers"),
            "A REFER has exactly one Refer-To; any other number is answered with 400 (RFC 3515 §2.4.1)",
            "Send one Refer-To",
        )),
    }
    if request.contact().is_none() {
        findings.push(Finding::new(
            "refer-without-contact",
            Severity::Error,
            seen.sender,
            "REFER without Contact",
            "A REFER can make a dialog, so it has a Contact, else it is answered with 400 (RFC 3515 §2.2, §2.4.4)",
            "Send a Contact",
        ));
    }
    for value in request.texts(HeaderName::ReferTo).take(1) {
        let judged = payload::decode(&value).findings;
        findings.extend(judged.into_iter().map(|f| Finding { side: if f.side == Party::Bridge { seen.sender } else { f.side }, ..f }));
    }
    findings
}

/// The context of an INVITE that opens a call, where the customer sends it (contract §2).
fn invite_context(request: &Request, seen: &Seen) -> Vec<Finding> {
    if *request.method() != Method::INVITE || request.to_tag().is_some() || seen.sender != Party::Customer {
        return Vec::new();
    }
    let headers: Vec<(&str, String)> =
        request.iter().filter(|(_, name, _)| *name == HeaderName::Other).map(|(name, _, value)| (name, value.into_owned())).collect();
    // A return INVITE carries the payload's names, which are no context.
    if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(payload::OUTCOME)) {
        return Vec::new();
    }
    context::read(headers.iter().map(|(name, value)| (*name, value.as_str()))).1
}

/// NOTIFY of a REFER (RFC 3515 §2.4.5, RFC 6665 §4.1.3).
fn notify(request: &Request, seen: &Seen) -> Option<Finding> {
    let event = request.text(HeaderName::Event)?;
    if *request.method() != Method::NOTIFY || !event.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("refer") {
        return None;
    }
    let state = request.text(HeaderName::SubscriptionState).unwrap_or_default();
    let ends = state.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("terminated");
    if request.body().is_empty() {
        return ends.then(|| {
            Finding::new(
                "notify-terminated-without-sipfrag",
                Severity::Warning,
                seen.sender,
                format!("Subscription-State: {state}, and no body"),
                "The last NOTIFY of a REFER carries the final status as message/sipfrag (RFC 3515 §2.4.5); without it nobody knows how the transfer ended",
                "Send the final status line in the last NOTIFY",
            )
        });
    }
    let line_end = request.body().iter().position(|&b| b == b'\n')?;
    let bare = line_end == 0 || request.body().get(line_end - 1) != Some(&b'\r');
    bare.then(|| {
        Finding::new(
            "sipfrag-bare-lf",
            Severity::Note,
            seen.sender,
            "a sipfrag whose lines end in LF alone",
            "Lines of a sipfrag end in CR LF (RFC 3420 §2.1); it was read all the same",
            "Send CR LF",
        )
    })
}

/// A private address where the packet came from a public one.
fn private_contact(message: &Message, seen: &Seen) -> Option<Finding> {
    let source = seen.source?;
    let contact = message.fields().contact()?.ok()?;
    let ip = contact.uri.host()?.ip()?;
    hidden(ip, source.ip()).then(|| {
        Finding::new(
            "private-address-in-contact",
            Severity::Warning,
            seen.sender,
            format!("Contact {ip}, and the packet came from {}", source.ip()),
            "Requests within the dialog go to the Contact (RFC 3261 §12.2.1.1), which can't be reached from here: BYE and REFER get lost",
            "Have the SBC or its NAT write the public address into Contact",
        )
    })
}

fn sdp(message: &Message, seen: &Seen) -> Vec<Finding> {
    let fields = message.fields();
    if fields.body().is_empty() || fields.content_type().as_deref() != Some("application/sdp") {
        return Vec::new();
    }
    let session = match SessionDescription::parse(fields.body()) {
        Ok(session) => session,
        Err(error) => {
            return vec![Finding::new(
                "malformed-sdp",
                Severity::Error,
                seen.sender,
                error.to_string(),
                "A session description that can't be read (RFC 8866 §5) is answered with 400 or 488: there is no sound",
                "Look at the body's lines",
            )];
        }
    };
    let audio = session.media.iter().filter(|m| &*m.kind == "audio" && m.port != 0).filter_map(|m| session.remote(m));
    let mut findings = Vec::new();
    for address in audio {
        if let Some(source) = seen.source.filter(|s| hidden(address.ip(), s.ip())) {
            findings.push(Finding::new(
                "private-address-in-sdp",
                Severity::Warning,
                seen.sender,
                format!("c= {}, and the packet came from {}", address.ip(), source.ip()),
                "Sound sent to a private address does not arrive; symmetric RTP (RFC 4961) mends it only once the other side has sent its first packet",
                "Have the SBC or its NAT write the public address into the SDP",
            ));
        }
        if address.ip().is_unspecified() {
            findings.push(Finding::new(
                "hold-by-zero-address",
                Severity::Note,
                seen.sender,
                format!("c= {}", address.ip()),
                "Hold by a zero address is the way of RFC 2543; today it is a=sendonly or a=inactive (RFC 3264 §8.4). It was taken as hold",
                "Hold with a=sendonly",
            ));
        }
    }
    findings
}

/// Whether `told` can't be reached by somebody who sees `source`.
fn hidden(told: IpAddr, source: IpAddr) -> bool {
    told.to_canonical() != source.to_canonical() && private(told.to_canonical()) && !private(source.to_canonical())
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
