//! The form of one message: mandatory headers, Via, Max-Forwards, Contact (RFC 3261 §8.1.1, §20).

use super::read::{Item, clip, far_ip, malformed};
use crate::{
    model::{Finding, Party, Severity, TransportName},
    sip::{
        message::{Fault, HeaderName, Message, Method, NameAddr, Request, Scheme, Via},
        transport::Transport,
    },
};

/// Rules over a message that this program did not write.
pub(super) fn of_message(item: &Item, found: &mut Vec<Finding>) {
    if item.seen.ours {
        return;
    }
    found.extend(trailing_bytes(item));
    contact(item, found);
    found.extend(strict_router(item));
    found.extend(clock(item));
    match &item.message {
        Message::Request(request) => {
            found.extend(from_without_tag(item));
            found.extend(few_hops_left(item, request));
            via(item, found);
            found.extend(scanner(item));
            if *request.method() == Method::INVITE {
                found.extend(invite_without_contact(item));
                found.extend(uri_of(item, request));
                found.extend(session_timer_too_short(item));
            }
        }
        Message::Response(response) => {
            found.extend(to_without_tag(item, response.code()));
            found.extend(answer_without_contact(item, response.code()));
            found.extend(reliable_without_rseq(item, response.code()));
        }
    }
}

/// A request that is answered with an error for its form, a response that is dropped.
pub(super) fn invalid(item: &Item) -> Option<Finding> {
    if item.seen.ours {
        return None;
    }
    let fault = match &item.message {
        Message::Request(request) => request.verdict(),
        Message::Response(response) => response.verdict(),
    }
    .err()?;
    // In a capture taken behind a proxy a response has its further Vias still.
    let elsewhere = matches!(&fault, Fault::Discard { reason: "More Than One Via" });
    (!elsewhere).then(|| malformed(&item.seen, format!("{}: {fault}", item.title())).at(item.index))
}

fn trailing_bytes(item: &Item) -> Option<Finding> {
    let (raw, body) = (item.fields().raw(), item.fields().body());
    let end = body.as_ptr() as usize - raw.as_ptr() as usize + body.len();
    let rest = raw.get(end..).filter(|_| !body.is_empty())?.trim_ascii();
    (!rest.is_empty()).then(|| {
        item.finding(
            "trailing-bytes",
            Severity::Warning,
            format!("{} bytes behind the body of {}", rest.len(), item.title()),
            "A body ends where Content-Length says; what comes after it is thrown away (RFC 3261 §18.3)",
            "Have the sender count the body's bytes, not its characters, into Content-Length",
        )
    })
}

fn from_without_tag(item: &Item) -> Option<Finding> {
    let from = item.fields().text(HeaderName::From).unwrap_or_default();
    // Nearly all look so; the others are taken apart.
    (!from.contains(">;tag=") && item.fields().from_tag().is_none()).then(|| {
        item.finding(
            "from-tag-missing",
            Severity::Warning,
            format!("{} with From: {}", item.title(), clip(&from)),
            "A request's From has a tag (RFC 3261 §8.1.1.3); without one its dialog can't be told from others",
            "Have the SBC write a tag into From",
        )
    })
}

fn to_without_tag(item: &Item, code: u16) -> Option<Finding> {
    // 100 has none, and what a server answers without state may be any.
    (code > 100 && code < 300 && item.fields().to_tag().is_none()).then(|| {
        item.finding(
            "to-tag-missing",
            Severity::Error,
            format!("{} with To: {}", item.title(), clip(&item.fields().text(HeaderName::To).unwrap_or_default())),
            "A response above 100 has a tag in its To (RFC 3261 §8.2.6.2): it is what makes the dialog, and BYE or REFER need it",
            "Have the sender of the response write a tag into To",
        )
    })
}

fn few_hops_left(item: &Item, request: &Request) -> Option<Finding> {
    let left = request.max_forwards().filter(|left| *left < 5)?;
    Some(item.finding(
        "max-forwards-low",
        Severity::Warning,
        format!("{} with Max-Forwards: {left}", item.title()),
        "A request begins with 70 and loses one at each hop (RFC 3261 §8.1.1.6, §16.6): so few left mean a loop or a wrong start, and 483 is near",
        "Set Max-Forwards to 70 where the call begins, and look for a routing loop before the bridge",
    ))
}

/// The top Via. One that has all that it should is looked at as text and not taken apart.
fn via(item: &Item, found: &mut Vec<Finding>) {
    let Some(text) = item.fields().text(HeaderName::Via) else { return };
    let well = item.seen.transport.is_none_or(|transport| sent_by(&text, transport));
    let cookie = item.branch().strip_prefix(b"z9hG4bK").is_some_and(|rest| !rest.is_empty());
    if well && cookie && text.split(';').any(|param| param == "rport") {
        return;
    }
    let Ok(via) = item.fields().top_via() else { return };
    found.extend(via_of_rfc2543(item, &via));
    found.extend(via_names_another_transport(item, &via));
    found.extend(nat_without_rport(item, &via));
}

fn sent_by(via: &str, transport: TransportName) -> bool {
    via.strip_prefix("SIP/2.0/").and_then(|rest| rest.strip_prefix(transport.via())).is_some_and(|rest| rest.starts_with(' '))
}

fn via_of_rfc2543(item: &Item, via: &Via<'_>) -> Option<Finding> {
    if via.has_rfc3261_branch() {
        return None;
    }
    Some(item.finding(
        "via-branch-of-rfc2543",
        Severity::Note,
        format!("{} with branch {:?}", item.title(), clip(via.branch().unwrap_or_default())),
        "A branch begins with z9hG4bK and is unique (RFC 3261 §8.1.1.7); others are matched by the rules of RFC 2543, which confuse requests more easily",
        "Bring the sender up to RFC 3261",
    ))
}

fn via_names_another_transport(item: &Item, via: &Via<'_>) -> Option<Finding> {
    let transport = item.seen.transport?;
    let same = match via.transport() {
        Some(Transport::Udp) => transport == TransportName::Udp,
        Some(Transport::Tcp) => transport == TransportName::Tcp,
        // Behind whatever ends TLS, and in captures that were decrypted, it looks like TCP.
        Some(Transport::Tls) => transport != TransportName::Udp,
        None => return None,
    };
    (!same).then(|| {
        item.finding(
            "via-names-another-transport",
            Severity::Warning,
            format!("Via says {}, and {} came over {}", via.transport_text(), item.title(), transport.via()),
            "The response goes the way that the Via names (RFC 3261 §18.2.2), so this one may never arrive",
            "Have the sender write the transport that it uses into Via",
        )
    })
}

/// Behind a NAT, and no rport asks for the answer where it can be had (RFC 3581 §4).
fn nat_without_rport(item: &Item, via: &Via<'_>) -> Option<Finding> {
    let far = item.seen.far?;
    let told = via.host()?.ip()?.to_canonical();
    let elsewhere = told != far.ip().to_canonical() && via.port().unwrap_or(5060) != far.port();
    (item.seen.transport == Some(TransportName::Udp) && elsewhere && via.rport().is_none()).then(|| {
        item.finding(
            "nat-without-rport",
            Severity::Warning,
            format!("Via {} without rport, and {} came from {far}", via.sent_by(), item.title()),
            "Without rport the answer goes to the source address, but to the port of the Via (RFC 3261 §18.2.2), which the NAT does not map back",
            "Set rport in the SBC's Via (RFC 3581)",
        )
    })
}

/// The Contact. In brackets and without a zero in its address there is nothing to take apart.
fn contact(item: &Item, found: &mut Vec<Finding>) {
    let Some(text) = item.fields().text(HeaderName::Contact) else { return };
    if text.contains('<') && !text.contains("@0.0.0.0") && !text.contains(":0.0.0.0") && !text.contains("::") {
        return;
    }
    let Some(contact) = item.contact() else { return };
    found.extend(contact_without_brackets(item, &contact));
    found.extend(contact_unspecified(item, &contact));
}

fn contact_without_brackets(item: &Item, contact: &NameAddr) -> Option<Finding> {
    if !contact.bare {
        return None;
    }
    let lost = contact.params().map(|(name, _)| name).find(|name| URI_PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name)))?;
    Some(item.finding(
        "contact-without-brackets",
        Severity::Warning,
        format!("Contact: {}{}", contact.uri.as_str(), clip(contact.params_text())),
        "Without angle brackets what follows a semicolon is the header's and not the URI's (RFC 3261 §20.10), so requests within the dialog go out without it",
        "Write Contact: <sip:…;…>",
    ).cured_by(format!("Write the Contact in angle brackets, {lost} inside them")))
}

fn contact_unspecified(item: &Item, contact: &NameAddr) -> Option<Finding> {
    let ip = contact.uri.host()?.ip().filter(std::net::IpAddr::is_unspecified)?;
    Some(item.finding(
        "contact-unspecified",
        Severity::Error,
        format!("Contact {ip} in {}", item.title()),
        "ACK, BYE and REFER go to the Contact (RFC 3261 §12.2.1.1), and nobody is at this address",
        "Set the address by which the sender can be reached as its SIP interface",
    ))
}

fn invite_without_contact(item: &Item) -> Option<Finding> {
    (!item.fields().has(HeaderName::Contact)).then(|| {
        item.finding(
            "invite-without-contact",
            Severity::Error,
            "INVITE without Contact",
            "An INVITE has a Contact (RFC 3261 §8.1.1.8): it is where BYE and REFER go",
            "Send a Contact",
        )
    })
}

fn answer_without_contact(item: &Item, code: u16) -> Option<Finding> {
    let opens = (200..300).contains(&code) && item.method == Method::INVITE;
    (opens && !item.fields().has(HeaderName::Contact)).then(|| {
        item.finding(
            "answer-without-contact",
            Severity::Error,
            format!("{} without Contact", item.title()),
            "A 2xx to INVITE has a Contact (RFC 3261 §12.1.1, §13.3.1.4): it is where ACK, BYE and REFER go",
            "Send a Contact",
        )
    })
}

/// Of an INVITE's Request-URI: a password for all to see, or a number that only its sender can place.
fn uri_of(item: &Item, request: &Request) -> Option<Finding> {
    let uri = request.uri().ok()?;
    if uri.password().is_some() {
        return Some(item.finding(
            "password-in-uri",
            Severity::Warning,
            "A password in the Request-URI (not shown here)",
            "A URI travels and is logged in the clear (RFC 3261 §19.1.1 advises against it)",
            "Use digest credentials",
        ));
    }
    let local = uri.scheme() == Scheme::Tel && !uri.user().unwrap_or_default().starts_with('+') && uri.param("phone-context").is_none();
    local.then(|| {
        item.finding(
            "local-number-without-context",
            Severity::Warning,
            clip(uri.as_str()),
            "A number without + names its phone-context (RFC 3966 §5.1.5); without one nobody else knows which number it is",
            "Dial in E.164, with +",
        )
    })
}

fn session_timer_too_short(item: &Item) -> Option<Finding> {
    let short = |name| item.fields().number(name).filter(|secs| *secs < 90).map(|secs| format!("{}: {secs}", HeaderName::canonical(name)));
    let seen = short(HeaderName::SessionExpires).or_else(|| short(HeaderName::MinSe))?;
    Some(item.finding(
        "session-timer-too-short",
        Severity::Warning,
        seen,
        "A session timer is at least 90 s (RFC 4028 §4, §5); a shorter one is refused with 422",
        "Set Session-Expires to 1800 and Min-SE to 90 on the SBC",
    ))
}

fn reliable_without_rseq(item: &Item, code: u16) -> Option<Finding> {
    let fields = item.fields();
    let reliable = (101..200).contains(&code) && fields.has(HeaderName::Require) && fields.has_token(HeaderName::Require, "100rel");
    (reliable && fields.number(HeaderName::RSeq).is_none()).then(|| {
        item.finding(
            "reliable-without-rseq",
            Severity::Error,
            format!("{} requires 100rel, and has no RSeq", item.title()),
            "The PRACK names the response by its RSeq (RFC 3262 §3); without one it can't be acknowledged and comes again",
            "Send RSeq, or don't require 100rel",
        )
    })
}

fn strict_router(item: &Item) -> Option<Finding> {
    if !item.fields().has(HeaderName::RecordRoute) {
        return None;
    }
    let route = item.fields().addresses(HeaderName::RecordRoute).filter_map(Result::ok).find(|route| route.uri.param("lr").is_none())?;
    Some(item.finding(
        "strict-router",
        Severity::Warning,
        format!("Record-Route: {}", clip(route.uri.as_str())),
        "A proxy without ;lr is one of RFC 2543 and takes its own address for the Request-URI (RFC 3261 §16.12.1.1); few user agents still send to it rightly",
        "Have the proxy write ;lr into Record-Route",
    ))
}

fn clock(item: &Item) -> Option<Finding> {
    let text = item.fields().text(HeaderName::Date)?;
    let theirs = jiff::fmt::rfc2822::parse(&text).ok()?.timestamp().as_second();
    let ours = i64::try_from(item.seen.at?.0 / 1_000_000).ok()?;
    let (behind, minutes) = (theirs < ours, ours.abs_diff(theirs) / 60);
    (minutes >= 5).then(|| {
        item.finding(
            "clock-differs",
            Severity::Warning,
            format!("Date: {text}, {minutes} minutes {} this machine's clock", if behind { "behind" } else { "ahead of" }),
            "Certificates, nonces and logs are compared by clock (RFC 5280 §4.1.2.5, RFC 7616 §3.3); one of the two clocks is wrong",
            "Set both machines' clocks by NTP",
        )
    })
}

fn scanner(item: &Item) -> Option<Finding> {
    let agent = item.fields().text(HeaderName::UserAgent)?;
    if item.fields().to_tag().is_some() {
        return None;
    }
    let lower = agent.to_ascii_lowercase();
    SCANNERS.iter().any(|name| lower.contains(name)).then(|| {
        let from = far_ip(item).map_or_else(|| "an unknown address".to_owned(), |ip| ip.to_string());
        Finding::new(
            "scanner",
            Severity::Warning,
            Party::Network,
            format!("User-Agent: {} from {from}", clip(&agent)),
            "It is the name of a tool that tries addresses and passwords (RFC 3261 §26.1 names such attacks); it is refused like everybody who is no peer",
            "Let the firewall pass SIP from the peers' networks only",
        )
        .at(item.index)
    })
}

/// Parameters that mean something in a URI only (RFC 3261 §19.1.1).
const URI_PARAMETERS: [&str; 6] = ["transport", "lr", "maddr", "user", "ttl", "ob"];

const SCANNERS: [&str; 7] = ["friendly-scanner", "sipvicious", "sipsak", "sip-scan", "sundayddr", "pplsip", "vaxasip"];
