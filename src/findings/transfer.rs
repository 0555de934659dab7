//! A REFER's way: its response, then its NOTIFYs until a final status (RFC 3515 §2.4, RFC 5589).

use super::{
    exchange::{Exchange, Transaction},
    read::{Item, clip, status},
    refer::{package, sipfrag},
};
use crate::{
    model::{Finding, Party, Severity},
    sip::message::{HeaderName, Method, Request},
};

pub(super) fn of_exchange(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    let refers: Vec<&Transaction<'_>> = exchange.of(Method::REFER).collect();
    if refers.is_empty() {
        return;
    }
    for refer in refers.iter().take(MOST_REFERS) {
        found.extend(outcome(exchange, refer));
    }
    found.extend(notify_of_no_refer(exchange, &refers));
    found.extend(notify_id_missing(exchange, &refers));
}

/// A NOTIFY about this REFER.
struct Told<'a> {
    item: &'a Item,
    /// The status of its sipfrag.
    status: Option<(u16, &'a str)>,
}

fn outcome(exchange: &Exchange<'_>, refer: &Transaction<'_>) -> Option<Finding> {
    let end = refer.end()?;
    let response = end.response()?;
    if response.code() >= 300 {
        return refused(exchange, refer, end);
    }
    // RFC 4488: both sides agreed on no NOTIFY.
    if response.text(HeaderName::ReferSub).is_some_and(|value| package(&value).eq_ignore_ascii_case("false")) {
        return None;
    }
    let told: Vec<Told<'_>> = notifies(exchange, refer.request)
        .filter(|(_, request)| is_about(request, refer.request.number))
        .map(|(item, request)| Told { item, status: sipfrag(request.body()) })
        .collect();
    let last = told.iter().rev().find_map(|t| Some((t.item, t.status.filter(|(code, _)| *code >= 200)?)));
    let bye = exchange.of(Method::BYE).map(|bye| bye.request).find(|bye| bye.index > refer.request.index);
    let mut finding = match (last, bye) {
        (Some((item, _)), Some(bye)) if bye.index < item.index && bye.seen.sender == refer.request.seen.sender => notify_too_late(end, item, bye),
        (Some((item, (code, reason))), _) if code >= 300 => transfer_failed(response.code(), item, code, reason),
        (Some(_), _) => return None,
        (None, Some(bye)) if bye.seen.sender == end.seen.sender => bye_before_final_notify(end, bye),
        (None, _) if told.is_empty() => end.finding(
            "refer-without-notify",
            Severity::Warning,
            format!("{} to the REFER, and no NOTIFY", response.code()),
            "Whoever accepts a REFER sends a NOTIFY at once and one with the final status (RFC 3515 §2.4.4); without them the transfer's outcome is unknown",
            "Let NOTIFY through, or have the SBC answer with Refer-Sub: false (RFC 4488)",
        ),
        (None, _) => end.finding(
            "transfer-outcome-unknown",
            Severity::Warning,
            match told.iter().rev().find_map(|t| t.status) {
                Some((code, reason)) => format!("{} NOTIFYs, none with a final status; the last told {code} {}", told.len(), clip(reason)),
                None => format!("{} NOTIFYs, none with a final status", told.len()),
            },
            "The last NOTIFY carries the final status as sipfrag (RFC 3515 §2.4.5); without it the transfer's outcome is unknown",
            "Have the SBC send the final status",
        ),
    };
    finding.messages.extend([refer.request.index, end.index]);
    finding.messages.sort_unstable();
    finding.messages.dedup();
    Some(finding)
}

fn refused(exchange: &Exchange<'_>, refer: &Transaction<'_>, end: &Item) -> Option<Finding> {
    let response = end.response()?;
    // 401 and 407 ask for credentials, 481 is about the dialog: they are judged there.
    if matches!(response.code(), 401 | 407 | 481) {
        return None;
    }
    // The bridge takes no REFER from a customer: what that one wanted is its own concern.
    let allow = exchange.items.iter().find(|item| item.seen.sender == end.seen.sender && item.fields().has(HeaderName::Allow));
    let unlisted = allow.filter(|item| !item.fields().list(HeaderName::Allow).any(|method| method.eq_ignore_ascii_case("REFER")));
    let finding = match unlisted {
        Some(item) => end
            .finding(
                "refer-not-in-allow",
                Severity::Warning,
                format!(
                    "{}; {} said Allow: {}",
                    status(response),
                    item.title(),
                    clip(&item.fields().text(HeaderName::Allow).unwrap_or_default())
                ),
                "Allow lists what a side takes (RFC 3261 §20.5), and REFER is not among it: the call can't go back by REFER",
                "Allow REFER on the SBC's trunk, or return by INVITE",
            )
            .at(item.index),
        None => end.finding(
            "refer-refused",
            Severity::Warning,
            status(response),
            "The transfer was refused, so the customer did not take the call back by REFER (RFC 3515 §2.4.2)",
            "Allow REFER on the SBC's trunk, or return by INVITE",
        ),
    };
    Some(finding.at(refer.request.index))
}

fn transfer_failed(accepted: u16, item: &Item, code: u16, reason: &str) -> Finding {
    let cure = match code {
        404 | 410 | 484 | 604 => "The return URI is not known where it leads: check its user part and the SBC's routing for it",
        401 | 403 | 407 => "The return URI's side did not admit the SBC: let it in there",
        408 | 480 | 504 => "Nobody answered at the return URI: see that the queue or phone behind it is up and registered",
        486 | 600 | 603 => "The return URI was busy or declined: see whether its queue has room",
        406 | 415 | 488 | 606 => "The return URI's side had no codec in common with the customer: compare their codec lists",
        503 => "The return URI's side had no room or can't be reached: check its address, trunk and channels",
        _ => "Look at why the return URI answered so",
    };
    item.finding(
        "transfer-failed-after-202",
        Severity::Warning,
        format!("{accepted} to the REFER, then NOTIFY with {code} {}", clip(reason)),
        "A 202 says only that the REFER was understood; the NOTIFY tells that the call to the return URI failed (RFC 3515 §2.4.5)",
        cure,
    )
}

/// The verdict came when nobody waited any more.
fn notify_too_late(accepted: &Item, item: &Item, bye: &Item) -> Finding {
    let waited = accepted.millis_to(item) as f64 / 1_000.0;
    Finding::new(
        "notify-too-late",
        Severity::Warning,
        if bye.seen.ours { Party::Operator } else { bye.seen.sender },
        format!(
            "the final NOTIFY came {waited:.1} s after the REFER was accepted, and BYE had gone after {:.1} s",
            accepted.millis_to(bye) as f64 / 1_000.0
        ),
        "The verdict on a transfer is the final NOTIFY (RFC 3515 §2.4.5); whoever hangs up before it has to take the outcome for unknown",
        "",
    )
    .cured_by(format!("Set notify_timeout_secs of this peer above {:.0}, or have the SBC give up on the return URI sooner", waited.ceil()))
    .at(item.index)
    .at(bye.index)
}

/// The other side left before it told how it went (RFC 5057, RFC 5589 §6).
fn bye_before_final_notify(accepted: &Item, bye: &Item) -> Finding {
    bye.finding(
        "bye-before-final-notify",
        Severity::Warning,
        format!("BYE {:.1} s after the REFER was accepted, and no final NOTIFY", accepted.millis_to(bye) as f64 / 1_000.0),
        "The BYE ends the call, and with it most often the subscription: whether the transfer succeeded is not told (RFC 5057, RFC 3515 §2.4.7)",
        "Have the SBC send the final NOTIFY before its BYE, or leave the BYE to the side that sent the REFER",
    )
}

/// A NOTIFY whose id is no REFER's.
fn notify_of_no_refer(exchange: &Exchange<'_>, refers: &[&Transaction<'_>]) -> Option<Finding> {
    let item = exchange.of(Method::NOTIFY).map(|notify| notify.request).find(|item| match item.request().and_then(id_of) {
        Some(Id::Number(id)) => !refers.iter().any(|refer| refer.request.number == id),
        Some(Id::Other) => true,
        Some(Id::None) | None => false,
    })?;
    let event = item.fields().text(HeaderName::Event).unwrap_or_default();
    let numbers: Vec<String> = refers.iter().take(4).map(|refer| refer.request.number.to_string()).collect();
    Some(item.finding(
        "notify-of-another-refer",
        Severity::Warning,
        format!("Event: {}, and the REFER has CSeq {}", clip(&event), numbers.join(", ")),
        "The id of a NOTIFY is the CSeq of its REFER (RFC 3515 §2.4.6); with another the NOTIFY belongs to no transfer, and what it says is not taken",
        "Have the SBC write the REFER's CSeq into Event's id; behind a B2BUA, the one of the REFER that it received on this leg",
    ))
}

/// Two REFERs at one time, and a NOTIFY that does not say which it means.
fn notify_id_missing(exchange: &Exchange<'_>, refers: &[&Transaction<'_>]) -> Option<Finding> {
    let accepted: Vec<&&Transaction<'_>> = refers.iter().filter(|refer| refer.succeeded()).collect();
    let second = accepted.get(1)?;
    let nameless = exchange
        .of(Method::NOTIFY)
        .map(|notify| notify.request)
        .find(|item| item.index > second.request.index && item.request().and_then(id_of) == Some(Id::None))?;
    Some(
        nameless
            .finding(
                "notify-id-missing",
                Severity::Warning,
                format!("Event: refer without id, after {} REFERs", accepted.len()),
                "After the first REFER of a dialog each NOTIFY names its REFER by id (RFC 3515 §2.4.6); without it one transfer's failure is taken for the other's",
                "Have the SBC write ;id= and the REFER's CSeq into Event",
            )
            .at(second.request.index),
    )
}

/// The NOTIFYs that came after this REFER.
fn notifies<'e>(exchange: &'e Exchange<'_>, refer: &Item) -> impl Iterator<Item = (&'e Item, &'e Request)> {
    let from = refer.index;
    exchange.of(Method::NOTIFY).filter(move |notify| notify.request.index > from).filter_map(|n| Some((n.request, n.request.request()?)))
}

/// `Event: refer`, with the REFER's CSeq as id or with none (RFC 3515 §2.4.6).
fn is_about(notify: &Request, cseq: u32) -> bool {
    id_of(notify).is_some_and(|id| id == Id::None || id == Id::Number(cseq))
}

/// The id in the Event of a NOTIFY about a REFER.
#[derive(PartialEq, Eq)]
enum Id {
    None,
    Number(u32),
    /// No number: no REFER's.
    Other,
}

/// `None` of a NOTIFY about something else.
fn id_of(notify: &Request) -> Option<Id> {
    let event = notify.text(HeaderName::Event)?;
    let mut parts = event.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("refer") {
        return None;
    }
    let id =
        parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("id")).map(|(_, id)| id.trim()));
    Some(id.map_or(Id::None, |id| id.parse().map_or(Id::Other, Id::Number)))
}

/// REFERs of one dialog that are followed each to its end.
const MOST_REFERS: usize = 32;
