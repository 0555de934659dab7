//! Rules over a call's record, and all rules over a finished call.

use super::{Exchanged, Seen, message::of_parsed, of_exchange, of_message};
use crate::{
    model::{CallRecord, CapturedMessage, Direction, Finding, LegRecord, LegRole, Party, Payload, Severity},
    sip::message::Message,
};

/// Everything that the rules find in a call and that its record does not hold yet; to be asked when the call is over.
pub fn of_call(record: &CallRecord, messages: &[CapturedMessage]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut exchanged: Vec<Vec<Exchanged>> = Vec::new();
    for (index, captured) in (0_u32..).zip(messages) {
        let sender = sender(record, captured);
        let source = (captured.direction == Direction::In).then_some(captured.remote);
        let seen = Seen { sender, transport: Some(captured.transport), source };
        let message = Message::parse(captured.bytes.clone());
        // A copy has the first one's faults; that it is a copy is said below.
        if !captured.retransmission {
            let new = message.as_ref().map_or_else(|_| of_message(&captured.bytes, &seen), |message| of_parsed(message, &seen));
            found.extend(new.into_iter().map(|f| f.at(index)));
        }
        if let Ok(message) = message {
            let item = Exchanged { index, sender, message };
            match exchanged
                .iter_mut()
                .find(|list| list.first().is_some_and(|m| m.message.fields().call_id() == item.message.fields().call_id()))
            {
                Some(list) => list.push(item),
                None => exchanged.push(vec![item]),
            }
        }
    }
    found.extend(exchanged.iter().flat_map(|list| of_exchange(list)));
    found.extend(record.returns.iter().filter_map(|r| dropped(r.payload.as_ref()?)));
    found.extend(record.legs.iter().flat_map(|leg| media(leg, record.test_call)));

    let mut new: Vec<Finding> = Vec::new();
    for finding in found {
        let same = |f: &Finding| f.rule == finding.rule && f.seen == finding.seen;
        match new.iter_mut().find(|f| same(f)) {
            // Seen again in another message: one finding, both messages.
            Some(first) => first.messages.extend(finding.messages),
            None if record.findings.iter().any(same) => {}
            None => new.push(finding),
        }
    }
    new
}

/// Variables that did not fit into the payload (contract §3).
pub fn dropped(payload: &Payload) -> Option<Finding> {
    let first = payload.dropped.first()?;
    let names: Vec<&str> = payload.dropped.iter().map(|d| d.parameter.as_str()).collect();
    Some(Finding::new(
        "variable-dropped",
        Severity::Warning,
        Party::Agent,
        format!("{} (the first needs {} characters, and {} were left)", names.join(", "), first.cost, first.left),
        "The payload holds 1,024 characters; adding stops at the first variable that would pass them, and all after it are dropped too (contract §3)",
        "Set the variables that matter first, and shorten values",
    ))
}

fn media(leg: &LegRecord, test_call: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(figures) = &leg.media else { return findings };
    // What a test call doesn't hear is the bridge's not saying.
    let side = if test_call { Party::Bridge } else { side(leg.opened.role) };
    if figures.strangers > 0 {
        findings.push(Finding::new(
            "rtp-from-strangers",
            Severity::Warning,
            Party::Network,
            format!("{} packets on the {} leg from addresses that the SDP does not name", figures.strangers, role(leg.opened.role)),
            "They are neither relayed nor answered: media is taken from the negotiated address only",
            "If they are the other side's own, it changed its address without saying so in SDP; else somebody probes the port",
        ));
    }
    // A second of sound that went out, and nothing came.
    if figures.packets_received == 0 && figures.packets_sent >= 50 {
        findings.push(Finding::new(
            "no-media-received",
            Severity::Warning,
            side,
            format!("{} packets sent on the {} leg, none received", figures.packets_sent, role(leg.opened.role)),
            "Nothing that this side said was heard; most often a firewall or NAT stands between the address in the SDP and its sender (RFC 3264 §5.1)",
            "Check that media.address and media.ports can be reached from there, and sip.advertise",
        ));
    }
    let expected = figures.packets_received + figures.packets_lost;
    if figures.packets_lost * 20 > expected && expected >= 50 {
        findings.push(Finding::new(
            "media-lost",
            Severity::Warning,
            Party::Network,
            format!("{} of {expected} packets lost on the {} leg", figures.packets_lost, role(leg.opened.role)),
            "Above 5 % loss G.711 without concealment is hard to understand (ITU-T G.113)",
            "Look at the path between the two sides",
        ));
    }
    findings
}

fn sender(record: &CallRecord, message: &CapturedMessage) -> Party {
    let leg = record.legs.iter().find(|l| Some(l.opened.leg) == message.leg).map(|l| (l.opened.role, l.opened.incoming));
    let (local, remote) = match (record.test_call, leg) {
        (false, Some((role, _))) => (Party::Bridge, side(role)),
        (false, None) => (Party::Bridge, Party::Network),
        // A test call: this program is the customer, and calls its own return point or is called there by the bridge.
        (true, Some((LegRole::Return, false))) => (Party::Customer, Party::ReturnEndpoint),
        (true, Some((LegRole::Return, true))) => (Party::ReturnEndpoint, Party::Bridge),
        (true, _) => (Party::Customer, Party::Bridge),
    };
    if message.direction == Direction::In { remote } else { local }
}

fn side(role: LegRole) -> Party {
    match role {
        LegRole::Customer => Party::Customer,
        LegRole::Agent => Party::Agent,
        LegRole::Return => Party::ReturnEndpoint,
    }
}

fn role(role: LegRole) -> &'static str {
    match role {
        LegRole::Customer => "customer",
        LegRole::Agent => "agent",
        LegRole::Return => "return",
    }
}
