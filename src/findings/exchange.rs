//! Rules over messages that belong together: retransmissions, 2xx and ACK, REFER and its NOTIFYs.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use crate::{
    model::{Finding, Party, Severity},
    sip::message::{HeaderName, Message, Method, Request, Response},
};

/// One message of an exchange.
#[derive(Debug, Clone)]
pub struct Exchanged {
    /// Its index among the call's messages.
    pub index: u32,
    pub sender: Party,
    pub message: Message,
}

/// All rules over the messages of one call, in the order in which they crossed the wire.
pub fn of_exchange(messages: &[Exchanged]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let unacknowledged = missing_acks(messages, &mut findings);
    retransmissions(messages, &unacknowledged, &mut findings);
    for refer in messages {
        if let Message::Request(request) = &refer.message
            && *request.method() == Method::REFER
        {
            findings.extend(transfer(refer, request, messages));
        }
    }
    findings
}

/// 2xx to INVITE that were sent again and never acknowledged (RFC 3261 §13.3.1.4). Gives their indices.
fn missing_acks(messages: &[Exchanged], findings: &mut Vec<Finding>) -> HashSet<u32> {
    let acks: HashSet<(&str, u32)> =
        requests(messages).filter(|(_, r)| *r.method() == Method::ACK).filter_map(|(_, r)| key(r.call_id(), r.cseq().ok())).collect();
    let mut unacknowledged: HashMap<(&str, u32), Vec<&Exchanged>> = HashMap::new();
    for (exchanged, response) in responses(messages) {
        let Ok((number, Method::INVITE)) = response.cseq() else { continue };
        if (200..300).contains(&response.code())
            && let Some(key) = key(response.call_id(), Some((number, Method::INVITE)))
            && !acks.contains(&key)
        {
            unacknowledged.entry(key).or_default().push(exchanged);
        }
    }
    let mut indices = HashSet::new();
    let mut lists: Vec<Vec<&Exchanged>> = unacknowledged.into_values().filter(|list| list.len() > 1).collect();
    lists.sort_by_key(|list| list[0].index);
    for list in lists {
        let mut finding = Finding::new(
            "ack-missing",
            Severity::Error,
            other(list[0].sender, messages),
            format!("200 OK sent {} times, and no ACK came", list.len()),
            "The caller acknowledges each 2xx with an ACK to the Contact; without one the call is ended after 32 s (RFC 3261 §13.3.1.4)",
            "Check that the Contact and the Record-Route of the 200 can be reached by the caller, and that its ACK is not filtered",
        );
        finding.messages = list.iter().map(|m| m.index).collect();
        indices.extend(&finding.messages);
        findings.push(finding);
    }
    indices
}

/// The same bytes from the same side more than once.
fn retransmissions(messages: &[Exchanged], told_already: &HashSet<u32>, findings: &mut Vec<Finding>) {
    let mut copies: IndexMap<(Party, &[u8]), Vec<u32>> = IndexMap::new();
    for exchanged in messages.iter().filter(|m| !told_already.contains(&m.index)) {
        copies.entry((exchanged.sender, exchanged.message.raw().as_ref())).or_default().push(exchanged.index);
    }
    for ((sender, bytes), list) in copies.into_iter().filter(|(_, list)| list.len() > 1) {
        let line =
            String::from_utf8_lossy(bytes.split(|&b| b == b'\r' || b == b'\n').find(|l| !l.is_empty()).unwrap_or_default()).into_owned();
        // One loss is the network's daily life; one that goes out four times and more is a fault.
        let severity = if list.len() > 3 { Severity::Warning } else { Severity::Note };
        findings.push(Finding {
            messages: list.clone(),
            ..Finding::new(
                "retransmitted",
                severity,
                Party::Network,
                format!("{line}: {} times, sent by {}", list.len(), name(sender)),
                "Over UDP a message is sent again until it is answered (RFC 3261 §17.1.1.2): it or its answer was lost, or the answer came late",
                "Look for packet loss, or for a firewall that lets one direction through only",
            )
        });
    }
}

/// A REFER's way: its response, then its NOTIFYs until a final status (RFC 3515 §2.4).
fn transfer(refer: &Exchanged, request: &Request, messages: &[Exchanged]) -> Option<Finding> {
    let (number, _) = request.cseq().ok()?;
    let same_call = |call_id: Option<&str>| call_id.is_some() && call_id == request.call_id();
    let (response_at, response) = responses(messages)
        .filter(|(at, r)| at.index > refer.index && same_call(r.call_id()) && r.code() >= 200)
        .find(|(_, r)| matches!(r.cseq(), Ok((n, Method::REFER)) if n == number))?;
    let verdict = |rule, severity, side, seen: String, why, cure| {
        Some(Finding::new(rule, severity, side, seen, why, cure).at(refer.index).at(response_at.index))
    };
    if response.code() >= 300 {
        // 401 and 407 ask for credentials; what follows them is judged itself.
        return match response.code() {
            401 | 407 => None,
            code => verdict(
                "refer-refused",
                Severity::Warning,
                response_at.sender,
                format!("{code} {}", response.reason()),
                "The transfer was refused, so the customer did not take the call back by REFER (RFC 3515 §2.4.2)",
                "Allow REFER on the SBC's trunk, or return by INVITE",
            ),
        };
    }
    if response.text(HeaderName::ReferSub).is_some_and(|v| v.trim().eq_ignore_ascii_case("false")) {
        return None; // RFC 4488: both sides agreed on no NOTIFY.
    }
    let notified: Vec<(&Exchanged, Option<(u16, String)>)> = requests(messages)
        .filter(|(at, r)| at.index > refer.index && *r.method() == Method::NOTIFY && same_call(r.call_id()) && is_about(r, number))
        .map(|(at, r)| (at, sipfrag(r.body())))
        .collect();
    let last = notified.iter().rev().find_map(|(at, status)| Some((at, status.as_ref().filter(|(code, _)| *code >= 200)?)));
    match last {
        Some((at, (code, reason))) if *code >= 300 => verdict(
            "transfer-failed-after-202",
            Severity::Warning,
            at.sender,
            format!("{} to the REFER, then NOTIFY with {code} {reason}", response.code()),
            "A 202 says only that the REFER was understood; the NOTIFY tells that the call to the return URI failed (RFC 3515 §2.4.5)",
            "Look at why the return URI answered so",
        )
        .map(|f| f.at(at.index)),
        Some(_) => None,
        None if notified.is_empty() => verdict(
            "refer-without-notify",
            Severity::Warning,
            response_at.sender,
            format!("{} to the REFER, and no NOTIFY", response.code()),
            "Whoever accepts a REFER sends a NOTIFY at once and one with the final status (RFC 3515 §2.4.4); without them the transfer's outcome is unknown",
            "Let NOTIFY through, or have the SBC answer with Refer-Sub: false (RFC 4488)",
        ),
        None => verdict(
            "transfer-outcome-unknown",
            Severity::Warning,
            response_at.sender,
            format!("{} NOTIFYs, none with a final status", notified.len()),
            "The last NOTIFY carries the final status as sipfrag (RFC 3515 §2.4.5); without it the transfer's outcome is unknown",
            "Have the SBC send the final status",
        ),
    }
}

/// `Event: refer`, with the REFER's CSeq as id or with none (RFC 3515 §2.4.6).
fn is_about(notify: &Request, cseq: u32) -> bool {
    let Some(event) = notify.text(HeaderName::Event) else { return false };
    let mut parts = event.split(';').map(str::trim);
    let package = parts.next().unwrap_or_default();
    let id = parts.find_map(|p| p.split_once('=').filter(|(n, _)| n.trim().eq_ignore_ascii_case("id")).map(|(_, id)| id.trim().to_owned()));
    package.eq_ignore_ascii_case("refer") && id.is_none_or(|id| id.parse() == Ok(cseq))
}

/// The status line that a sipfrag body begins with.
fn sipfrag(body: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let (code, reason) = text.lines().next()?.trim().strip_prefix("SIP/2.0 ")?.split_once(' ').unwrap_or_default();
    Some((code.parse().ok()?, reason.to_owned()))
}

fn requests(messages: &[Exchanged]) -> impl Iterator<Item = (&Exchanged, &Request)> {
    messages.iter().filter_map(|m| if let Message::Request(request) = &m.message { Some((m, request)) } else { None })
}

fn responses(messages: &[Exchanged]) -> impl Iterator<Item = (&Exchanged, &Response)> {
    messages.iter().filter_map(|m| if let Message::Response(response) = &m.message { Some((m, response)) } else { None })
}

fn key(call_id: Option<&str>, cseq: Option<(u32, Method)>) -> Option<(&str, u32)> {
    Some((call_id?, cseq?.0))
}

/// Another side that speaks in this exchange.
fn other(side: Party, messages: &[Exchanged]) -> Party {
    messages.iter().map(|m| m.sender).find(|s| *s != side).unwrap_or(Party::Network)
}

fn name(party: Party) -> &'static str {
    match party {
        Party::Customer => "the customer",
        Party::Agent => "the agent",
        Party::ReturnEndpoint => "the return endpoint",
        Party::Operator => "the operator",
        Party::Bridge => "the bridge",
        Party::Network => "the network",
    }
}
