//! The dialog over time: CSeq, session timer, glare, requests that the other side no longer knows, and why it hung up.

use super::{
    exchange::{Exchange, Transaction},
    read::{Item, clip},
};
use crate::{
    model::{Finding, Party, Severity},
    sip::message::{HeaderName, Method, Params},
};

pub(super) fn of_exchange(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    cseq_not_rising(exchange, found);
    found.extend(session_not_refreshed(exchange));
    for transaction in &exchange.transactions {
        found.extend(glare(transaction));
        found.extend(dialog_unknown(exchange, transaction));
        found.extend(hung_up_with_cause(transaction));
    }
}

/// Within a dialog each side counts up (RFC 3261 §12.2.1.1).
fn cseq_not_rising(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    // A handful of sides speak with one Call-ID.
    let mut highest: Vec<(Party, u32)> = Vec::new();
    for Transaction { request, .. } in &exchange.transactions {
        // Both carry the number of their INVITE.
        if matches!(request.method, Method::CANCEL | Method::ACK) || request.number == 0 {
            continue;
        }
        match highest.iter_mut().find(|(party, _)| *party == request.seen.sender) {
            None => highest.push((request.seen.sender, request.number)),
            Some((_, last)) if request.number > *last => *last = request.number,
            // Out of a dialog each request is its own (a forked or proxied INVITE, say).
            Some(_) if request.fields().to_tag().is_none() => {}
            Some((_, last)) => found.push(request.finding(
                "cseq-not-rising",
                Severity::Warning,
                format!("{} with CSeq {} after {last}", request.title(), request.number),
                "Each request of a side has a higher CSeq than the one before (RFC 3261 §12.2.1.1); another is taken for an old one and answered with 500 (§12.2.2)",
                "Have the sender count CSeq up within the dialog; behind a cluster, share it between its nodes",
            )),
        }
    }
}

/// Nobody refreshed the session in time, and the other side had to hang up (RFC 4028 §10).
fn session_not_refreshed(exchange: &Exchange<'_>) -> Option<Finding> {
    let refreshes = |t: &&Transaction<'_>| matches!(t.request.method, Method::INVITE | Method::UPDATE) && t.succeeded();
    let last = exchange.transactions.iter().rfind(refreshes)?;
    let end = last.end()?;
    let text = end.fields().text(HeaderName::SessionExpires)?;
    let secs = end.fields().number(HeaderName::SessionExpires)?;
    let bye = exchange.of(Method::BYE).next()?.request;
    // It is sent min(32, a third) seconds before the time is up.
    let limit = u64::from(secs - (secs / 3).min(32)) * 1_000;
    let passed = end.millis_to(bye);
    if passed < limit {
        return None;
    }
    let by_caller =
        Params::new(text.split_once(';').map_or("", |parts| parts.1)).find("refresher").is_some_and(|who| who.eq_ignore_ascii_case("uac"));
    let refresher = if by_caller { last.request.seen.sender } else { end.seen.sender };
    Some(
        Finding::new(
            "session-not-refreshed",
            Severity::Warning,
            refresher,
            format!("Session-Expires: {}, and no re-INVITE or UPDATE in {} s", clip(&text), passed / 1_000),
            "The refresher renews the session after half of its time (RFC 4028 §7.2, §10); else the other side hangs up shortly before the end",
            "Have the refresher send UPDATE or re-INVITE, and let these through; or switch session timers off on the SBC",
        )
        .at(end.index)
        .at(bye.index),
    )
}

fn glare(transaction: &Transaction<'_>) -> Option<Finding> {
    let end = transaction.end().filter(|end| end.code() == Some(491))?;
    Some(
        end.finding(
            "offers-crossed",
            Severity::Note,
            format!("491 to {}", transaction.request.title()),
            "Both sides changed the session at the same time; each waits a random time and the loser tries again (RFC 3261 §14.1)",
            "Nothing to do where a second try succeeds",
        )
        .at(transaction.request.index),
    )
}

/// 481: the other side has no such dialog (RFC 3261 §12.2.2).
fn dialog_unknown(exchange: &Exchange<'_>, transaction: &Transaction<'_>) -> Option<Finding> {
    let end = transaction.end().filter(|end| end.code() == Some(481))?;
    let method = transaction.request.title();
    let byes = exchange.of(Method::BYE).map(|bye| bye.request.seen.sender);
    let crossed = matches!(transaction.request.method, Method::BYE | Method::CANCEL | Method::NOTIFY)
        && byes.into_iter().any(|sender| sender == end.seen.sender);
    let (severity, why, cure) = if crossed {
        (
            Severity::Note,
            "The side that answers had ended the call already: its BYE and this request crossed (RFC 3261 §15.1.2, RFC 5057)",
            "Nothing to do",
        )
    } else {
        (
            Severity::Warning,
            "The answering side has no call of this Call-ID and these tags (RFC 3261 §12.2.2): it has ended it, was restarted, or another node than the one with the call got the request",
            "Compare the tags with the 200's; behind a load balancer, have requests of one Call-ID go to one node, by Contact or Record-Route",
        )
    };
    Some(
        end.finding("dialog-unknown", severity, format!("481 to {method} of the {}", transaction.request.seen.sender.name()), why, cure)
            .at(transaction.request.index),
    )
}

/// A BYE or CANCEL that says that something went wrong (RFC 3326, ITU-T Q.850).
fn hung_up_with_cause(transaction: &Transaction<'_>) -> Option<Finding> {
    let request: &Item = transaction.request;
    if !matches!(request.method, Method::BYE | Method::CANCEL) || request.seen.ours || !request.fields().has(HeaderName::Reason) {
        return None;
    }
    let value = request.fields().list(HeaderName::Reason).find(|reason| reason.trim_start().to_ascii_lowercase().starts_with("q.850"))?;
    let cause: u16 = Params::new(value.split_once(';').map_or("", |parts| parts.1)).find("cause")?.parse().ok()?;
    let meaning = CAUSES.iter().find(|(code, _)| *code == cause)?.1;
    Some(
        request
            .finding(
                "hung-up-with-cause",
                Severity::Warning,
                format!("{} with Reason: {}", request.title(), clip(&value)),
                "The cause is the telephone network's (RFC 3326, ITU-T Q.850), and not that of a caller who hangs up",
                "Ask the carrier or the SBC's log about this call",
            )
            .cured_by(format!("{meaning}: ask the carrier or the SBC's log about this call")),
    )
}

/// Q.850 causes that mean a fault; 16 (normal), 17 (busy), 18, 19 (no answer), 21 (rejected) and 31 are people's doing.
const CAUSES: &[(u16, &str)] = &[
    (1, "The number is not assigned"),
    (2, "No route to the network"),
    (3, "No route to the destination"),
    (27, "The destination is out of order"),
    (28, "The number is incomplete or malformed"),
    (34, "No circuit is free"),
    (38, "The network is out of order"),
    (41, "A temporary failure of the network"),
    (42, "The switch is congested"),
    (44, "The channel is not available"),
    (47, "No resource is available"),
    (58, "The bearer capability is not available"),
    (65, "The bearer capability is not implemented"),
    (79, "The service is not implemented"),
    (88, "The destination is incompatible, most often its codecs"),
    (102, "A timer expired, most often for want of an answer or a refresh"),
    (111, "A protocol error"),
    (127, "An error of interworking"),
];
