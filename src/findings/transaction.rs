//! One transaction: answered, acknowledged, sent once (RFC 3261 §17, RFC 3262, RFC 6026).

use super::{
    exchange::{Exchange, Transaction},
    read::{Item, status},
};
use crate::{
    model::{Finding, Party, Severity, TransportName},
    sip::message::{HeaderName, Method},
};

pub(super) fn of_exchange(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    for transaction in &exchange.transactions {
        let unanswered = request_unanswered(exchange, transaction);
        let unacknowledged = ack_missing(transaction);
        // What is said to have no answer is not said to be repeated, too.
        if unanswered.is_none() {
            found.extend(repeated(transaction.request, &transaction.copies, transaction));
        }
        if unacknowledged.is_none() {
            for response in &transaction.responses {
                let copies: Vec<&Item> =
                    transaction.response_copies.iter().copied().filter(|copy| copy.code() == response.code()).collect();
                found.extend(repeated(response, &copies, transaction));
            }
        }
        found.extend(unanswered);
        found.extend(unacknowledged);
        if transaction.request.method == Method::INVITE {
            found.extend(prack_missing(exchange, transaction));
            found.extend(answered_twice(transaction));
        }
        if transaction.request.method == Method::CANCEL {
            found.extend(cancel_crossed_answer(exchange, transaction));
            found.extend(cancelled_without_final(exchange, transaction));
        }
    }
}

/// Nothing came back within 5 s, or it was sent three times for nothing.
fn request_unanswered(exchange: &Exchange<'_>, transaction: &Transaction<'_>) -> Option<Finding> {
    let request = transaction.request;
    let waited = exchange.millis_left(request);
    if !transaction.responses.is_empty() || (waited < 5_000 && transaction.copies.len() < 3) {
        return None;
    }
    let name = request.method.as_str();
    let times = transaction.copies.len() + 1;
    let to = request.seen.far.filter(|_| request.seen.ours).map_or(String::new(), |far| format!(" to {far}"));
    let mut finding = Finding::new(
        "request-unanswered",
        if request.method == Method::INVITE { Severity::Error } else { Severity::Warning },
        request.seen.receiver,
        if times == 1 {
            format!("{name}{to}, and no answer in {:.1} s", waited as f64 / 1_000.0)
        } else {
            format!("{name}{to} sent {times} times, and no answer")
        },
        "Every request but ACK is answered; after 32 s without an answer its sender gives up (RFC 3261 §17.1.1.2, §17.1.2.2, timers B and F)",
        "See whether the request arrives there: the address and port, a firewall, and whether its answer goes back to the address that the request came from",
    );
    finding.messages = indices(request, &transaction.copies);
    Some(finding)
}

/// A final response to INVITE that was sent again and never acknowledged (RFC 3261 §13.3.1.4, §17.2.1).
fn ack_missing(transaction: &Transaction<'_>) -> Option<Finding> {
    let end = transaction.end().filter(|_| transaction.request.method == Method::INVITE && transaction.ack.is_none())?;
    let copies: Vec<&Item> = transaction.response_copies.iter().copied().filter(|copy| copy.code() == end.code()).collect();
    let response = end.response().filter(|_| !copies.is_empty())?;
    let mut finding = if transaction.succeeded() {
        let contact =
            end.contact().map_or_else(|| "what the 200 names as its Contact".to_owned(), |contact| contact.uri.as_str().to_owned());
        Finding::new(
            "ack-missing",
            Severity::Error,
            end.seen.receiver,
            format!("{} sent {} times, and no ACK came", status(response), copies.len() + 1),
            "The caller acknowledges each 2xx with an ACK to the Contact; without one the call is ended after 32 s (RFC 3261 §13.3.1.4)",
            "",
        )
        .cured_by(format!(
            "Check that the caller can reach {contact} (and the Record-Route of the 200, if it has one), and that its ACK is not filtered"
        ))
    } else {
        Finding::new(
            "refusal-unacknowledged",
            Severity::Warning,
            end.seen.receiver,
            format!("{} to INVITE sent {} times, and no ACK came", status(response), copies.len() + 1),
            "The next hop acknowledges a refusal, too (RFC 3261 §17.1.1.3); until then it is sent again, for 32 s",
            "Check that responses reach the caller: they go to the address that its INVITE came from",
        )
    };
    finding.messages = indices(end, &copies);
    Some(finding)
}

/// The same bytes from the same side more than once.
fn repeated(first: &Item, copies: &[&Item], transaction: &Transaction<'_>) -> Option<Finding> {
    let last = copies.last()?;
    let times = copies.len() + 1;
    let line = format!("{}: {times} times, sent by the {}", first.title(), first.seen.sender.name());
    // A 2xx is sent again over every transport, until its ACK (RFC 3261 §13.3.1.4).
    let is_success = first.code().is_some_and(|code| (200..300).contains(&code));
    if first.seen.transport.is_some_and(|transport| transport != TransportName::Udp) {
        return (!is_success).then(|| {
            let mut finding = Finding::new(
                "retransmitted-over-tcp",
                Severity::Warning,
                first.seen.sender,
                line,
                "TCP and TLS deliver by themselves: nothing is sent again over them but a 2xx to INVITE (RFC 3261 §17.1.1.2, §17.1.2.2)",
                "Have the sender switch retransmission off for TCP and TLS",
            );
            finding.messages = indices(first, copies);
            finding
        });
    }
    // Answered, and sent again all the same: the answer did not arrive.
    let answer = transaction.responses.first().filter(|answer| first.request().is_some() && answer.index < last.index);
    let (why, cure) = match answer {
        Some(_) => (
            "Over UDP a request is sent again until its answer arrives (RFC 3261 §17.1.1.2): this one was answered, so its answers were lost, or came late",
            "Look for loss on the way back: a firewall that lets one direction through only, or answers that go to another port than they came from",
        ),
        None => (
            "Over UDP a message is sent again until it is answered (RFC 3261 §17.1.1.2): it or its answer was lost, or the answer came late",
            "Look for packet loss, or for a firewall that lets one direction through only",
        ),
    };
    // One loss is the network's daily life; one that goes out four times and more is a fault.
    let severity = if times > 3 { Severity::Warning } else { Severity::Note };
    let mut finding = Finding::new("retransmitted", severity, Party::Network, line, why, cure);
    finding.messages = indices(first, copies);
    Some(finding)
}

/// A reliable provisional response is acknowledged by PRACK (RFC 3262 §3).
fn prack_missing(exchange: &Exchange<'_>, transaction: &Transaction<'_>) -> Option<Finding> {
    let reliable = transaction.responses.iter().find(|response| {
        response.code().is_some_and(|code| (101..200).contains(&code))
            && response.fields().has(HeaderName::RSeq)
            && response.fields().has_token(HeaderName::Require, "100rel")
    })?;
    let number = reliable.fields().number(HeaderName::RSeq)?;
    let names = |item: &Item| {
        item.fields()
            .text(HeaderName::RAck)
            .is_some_and(|rack| rack.split_ascii_whitespace().next().and_then(|n| n.parse().ok()) == Some(number))
    };
    let acknowledged = exchange.of(Method::PRACK).any(|prack| names(prack.request));
    // The call may have been over before there was time.
    (!acknowledged && (exchange.millis_left(reliable) >= 1_000 || !transaction.response_copies.is_empty())).then(|| {
        Finding::new(
            "prack-missing",
            Severity::Warning,
            reliable.seen.receiver,
            format!("{} with RSeq: {number}, and no PRACK", reliable.title()),
            "Who says Supported: 100rel acknowledges each reliable response (RFC 3262 §3); without PRACK it is sent again for 32 s, and the INVITE then refused",
            "Let PRACK through, or take 100rel out of the caller's Supported",
        )
        .at(reliable.index)
    })
}

/// Two that answered: a proxy forked the call, and one of them must be hung up (RFC 3261 §13.2.2.4).
fn answered_twice(transaction: &Transaction<'_>) -> Option<Finding> {
    let mut answers = transaction.responses.iter().filter(|response| response.code().is_some_and(|code| (200..300).contains(&code)));
    let first = answers.next()?;
    let second = answers.find(|other| other.fields().to_tag() != first.fields().to_tag())?;
    Some(
        Finding::new(
            "answered-twice",
            Severity::Warning,
            first.seen.sender,
            format!("two answers, To tags {} and {}", first.fields().to_tag().unwrap_or_default(), second.fields().to_tag().unwrap_or_default()),
            "A proxy rang several phones and two of them answered (RFC 3261 §13.2.2.4): the second call is hung up at once, and its party hears nothing",
            "Let the URI lead to one phone, or have the proxy ring them one after the other",
        )
        .at(first.index)
        .at(second.index),
    )
}

fn cancel_crossed_answer(exchange: &Exchange<'_>, cancel: &Transaction<'_>) -> Option<Finding> {
    let invite = cancelled(exchange, cancel)?;
    let answer = invite.end().filter(|_| invite.succeeded())?;
    Some(
        Finding::new(
            "cancel-crossed-answer",
            Severity::Note,
            cancel.request.seen.sender,
            format!("CANCEL, and {} to the INVITE", answer.response().map(status).unwrap_or_default()),
            "The call was answered before the CANCEL arrived; it is acknowledged and then hung up (RFC 3261 §9.1, §15)",
            "Nothing to do where a BYE follows",
        )
        .at(cancel.request.index)
        .at(answer.index),
    )
}

fn cancelled_without_final(exchange: &Exchange<'_>, cancel: &Transaction<'_>) -> Option<Finding> {
    let invite = cancelled(exchange, cancel)?;
    let waited = cancel.end().filter(|_| cancel.succeeded()).map(|end| exchange.millis_left(end))?;
    (invite.end().is_none() && waited >= 1_000).then(|| {
        Finding::new(
            "cancelled-without-487",
            Severity::Warning,
            invite.request.seen.receiver,
            "200 to CANCEL, and no final response to the INVITE".to_owned(),
            "The 200 to a CANCEL ends the CANCEL only: the INVITE is answered with 487 (RFC 3261 §9.2), else both sides keep it for 32 s",
            "Have the called side answer the cancelled INVITE with 487",
        )
        .at(cancel.request.index)
    })
}

/// The INVITE that a CANCEL means: the one of its branch and number (RFC 3261 §9.1).
fn cancelled<'e, 'a>(exchange: &'e Exchange<'a>, cancel: &Transaction<'_>) -> Option<&'e Transaction<'a>> {
    let branch = cancel.request.branch();
    exchange.of(Method::INVITE).find(|invite| invite.request.number == cancel.request.number && invite.request.branch() == branch)
}

fn indices(first: &Item, copies: &[&Item]) -> Vec<u32> {
    std::iter::once(first.index).chain(copies.iter().map(|copy| copy.index)).collect()
}
