//! A REFER and the NOTIFYs about it, each by itself (RFC 3515, RFC 6665, RFC 3420).

use super::read::{Item, clip, far_ip, hidden, is_type};
use crate::{
    contract::payload,
    model::{Finding, Party, Severity},
    sip::message::{HeaderName, Method, Request, Uri},
};

pub(super) fn of_request(item: &Item, request: &Request, found: &mut Vec<Finding>) {
    match *request.method() {
        Method::REFER => {
            found.extend(refer_to_count(item, request));
            found.extend(refer_without_contact(item, request));
            found.extend(refer_outside_dialog(item, request));
            refer_to(item, request, found);
        }
        Method::NOTIFY => {
            let event = request.text(HeaderName::Event);
            match &event {
                None => found.push(notify_without_event(item)),
                Some(event) if package(event).eq_ignore_ascii_case("refer") => notify(item, request, found),
                Some(_) => {}
            }
        }
        _ => {}
    }
}

fn refer_to_count(item: &Item, request: &Request) -> Option<Finding> {
    let count = request.count(HeaderName::ReferTo);
    (count != 1).then(|| {
        item.finding(
            "refer-to-count",
            Severity::Error,
            format!("{count} Refer-To headers"),
            "A REFER has exactly one Refer-To; any other number is answered with 400 (RFC 3515 §2.4.1)",
            "Send one Refer-To",
        )
    })
}

fn refer_without_contact(item: &Item, request: &Request) -> Option<Finding> {
    (!request.has(HeaderName::Contact)).then(|| {
        item.finding(
            "refer-without-contact",
            Severity::Error,
            "REFER without Contact",
            "A REFER can make a dialog, so it has a Contact, else it is answered with 400 (RFC 3515 §2.2, §2.4.4)",
            "Send a Contact",
        )
    })
}

fn refer_outside_dialog(item: &Item, request: &Request) -> Option<Finding> {
    let outside = request.to_tag().is_none() && !request.has(HeaderName::TargetDialog);
    outside.then(|| {
        item.finding(
            "refer-outside-dialog",
            Severity::Warning,
            "REFER with no tag in To and no Target-Dialog",
            "The REFER of a transfer belongs to the call's dialog (RFC 3515 §2.2, RFC 5589 §6); outside of it nobody knows which call is meant, unless Target-Dialog says so (RFC 4538)",
            "Send the REFER within the dialog of the INVITE",
        )
    })
}

/// The rules over a Refer-To value, as decoded.
pub fn of_refer_to(decoded: &payload::Decoded) -> Vec<Finding> {
    let empty: Vec<&str> = decoded.payload.items.iter().filter(|i| i.value.is_empty()).map(|i| i.parameter.as_str()).collect();
    let empty = (!empty.is_empty()).then(|| variable_empty(&empty));
    decoded.findings.iter().cloned().chain(empty).collect()
}

/// The value, by the contract's rules and by where it leads.
fn refer_to(item: &Item, request: &Request, found: &mut Vec<Finding>) {
    let Some(value) = request.text(HeaderName::ReferTo) else { return };
    let decoded = payload::decode(&value);
    let sender = item.seen.sender;
    let of_sender = |f: Finding| Finding { side: if f.side == Party::Bridge { sender } else { f.side }, ..f }.at(item.index);
    found.extend(of_refer_to(&decoded).into_iter().map(of_sender));
    found.extend(private_return_uri(item, &decoded.target));
}

fn variable_empty(names: &[&str]) -> Finding {
    Finding::new(
        "variable-empty",
        Severity::Note,
        Party::Agent,
        format!("{} with no value", names.join(", ")),
        "An empty variable takes room in the 1,024 characters (contract §3) and tells the return endpoint nothing",
        "Leave the variable out, or see why it is empty: an input variable that the call did not bring leaves {{name}} empty",
    )
}

fn private_return_uri(item: &Item, target: &str) -> Option<Finding> {
    let far = far_ip(item)?;
    let uri = Uri::parse(target).ok()?;
    let ip = uri.host()?.ip().filter(|ip| hidden(*ip, far))?;
    Some(
        Finding::new(
            "private-address-in-refer-to",
            Severity::Warning,
            if item.seen.ours { Party::Operator } else { item.seen.sender },
            format!("Refer-To names {ip}, and the REFER went between here and {far}"),
            "Whoever gets the REFER calls the URI from its own network (RFC 3515 §2.4.2), where a private address is another machine or none",
            "Set a return URI with a host that the customer's SBC can reach",
        )
        .at(item.index),
    )
}

fn notify_without_event(item: &Item) -> Finding {
    item.finding(
        "notify-without-event",
        Severity::Error,
        "NOTIFY without Event",
        "The Event says which subscription a NOTIFY belongs to (RFC 6665 §8.2.1); without one it is answered with 489, and the transfer's outcome is lost",
        "Send Event: refer",
    )
}

/// NOTIFY of a REFER (RFC 3515 §2.4.5, RFC 6665 §4.1.3).
fn notify(item: &Item, request: &Request, found: &mut Vec<Finding>) {
    found.extend(notify_without_state(item, request));
    if request.body().is_empty() {
        found.extend(notify_terminated_without_sipfrag(item, request));
        return;
    }
    found.extend(notify_content_type(item, request));
    found.extend(sipfrag_unreadable(item, request));
    found.extend(sipfrag_bare_lf(item, request));
}

fn notify_without_state(item: &Item, request: &Request) -> Option<Finding> {
    (!request.has(HeaderName::SubscriptionState)).then(|| {
        item.finding(
            "notify-without-subscription-state",
            Severity::Warning,
            "NOTIFY without Subscription-State",
            "A NOTIFY says whether the subscription goes on (RFC 6665 §4.1.3); without that nobody knows which NOTIFY is the last",
            "Send Subscription-State: active, and terminated;reason=noresource in the last",
        )
    })
}

fn notify_terminated_without_sipfrag(item: &Item, request: &Request) -> Option<Finding> {
    let state = request.text(HeaderName::SubscriptionState).unwrap_or_default();
    package(&state).eq_ignore_ascii_case("terminated").then(|| {
        item.finding(
            "notify-terminated-without-sipfrag",
            Severity::Warning,
            format!("Subscription-State: {}, and no body", clip(&state)),
            "The last NOTIFY of a REFER carries the final status as message/sipfrag (RFC 3515 §2.4.5); without it nobody knows how the transfer ended",
            "Send the final status line in the last NOTIFY",
        )
    })
}

fn notify_content_type(item: &Item, request: &Request) -> Option<Finding> {
    if is_type(request, "message/sipfrag") {
        return None;
    }
    let content_type = request.content_type().unwrap_or_default();
    (!content_type.starts_with("multipart/")).then(|| {
        item.finding(
            "notify-content-type",
            Severity::Warning,
            if content_type.is_empty() {
                "NOTIFY with a body and no Content-Type".to_owned()
            } else {
                format!("NOTIFY with Content-Type: {content_type}")
            },
            "The body of a refer NOTIFY is message/sipfrag (RFC 3515 §2.4.5); another type is not read, so the transfer's outcome is lost",
            "Send Content-Type: message/sipfrag;version=2.0",
        )
    })
}

fn sipfrag_unreadable(item: &Item, request: &Request) -> Option<Finding> {
    (sipfrag(request.body()).is_none() && is_type(request, "message/sipfrag")).then(|| {
        let line = String::from_utf8_lossy(request.body().split(|&b| b == b'\n').next().unwrap_or_default()).into_owned();
        item.finding(
            "sipfrag-unreadable",
            Severity::Warning,
            format!("a sipfrag that begins {:?}", clip(line.trim_end())),
            "It begins with a status line, SIP/2.0 CODE REASON (RFC 3515 §2.4.5, RFC 3420); from this one no outcome can be read",
            "Send for example SIP/2.0 200 OK",
        )
    })
}

fn sipfrag_bare_lf(item: &Item, request: &Request) -> Option<Finding> {
    let line_end = request.body().iter().position(|&b| b == b'\n')?;
    let bare = line_end == 0 || request.body().get(line_end - 1) != Some(&b'\r');
    bare.then(|| {
        item.finding(
            "sipfrag-bare-lf",
            Severity::Note,
            "a sipfrag whose lines end in LF alone",
            "Lines of a sipfrag end in CR LF (RFC 3420 §2.1); it was read all the same",
            "Send CR LF",
        )
    })
}

/// The word before the parameters.
pub(super) fn package(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// The status line that a sipfrag body begins with.
pub(super) fn sipfrag(body: &[u8]) -> Option<(u16, &str)> {
    let line = body.split(|&b| b == b'\n').next()?;
    let text = std::str::from_utf8(line).ok()?.trim();
    let rest = text.strip_prefix("SIP/2.0 ")?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((code.parse().ok().filter(|code| (100..700).contains(code))?, reason))
}
