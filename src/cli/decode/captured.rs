//! A capture's calls as `decode` prints them: a ladder a call, what is of no call, and what could not be read.

use std::{collections::HashSet, fmt::Write as _};

use serde_json::{Value, json};

use super::report::{Report, Wired, read_contract};
use crate::{
    capture::{Note, Reading, Totals},
    export::ladder::{self, Hop},
    findings::{self, Item, Seen},
    model::{Direction, Finding, Party, WholeCall},
    sip::message::Message,
};

/// What a capture holds besides its messages.
pub struct Captured {
    calls: Vec<WholeCall>,
    /// Places of the messages of no call.
    others: Vec<usize>,
    other_findings: Vec<Finding>,
    pub totals: Totals,
    pub notes: Vec<Note>,
}

impl Report {
    /// The calls of a case file, their messages numbered anew.
    pub fn of_calls(mut calls: Vec<WholeCall>) -> Self {
        let mut count = 0;
        for message in calls.iter_mut().flat_map(|call| &mut call.messages) {
            message.number = count;
            count += 1;
        }
        Self::of_reading(Reading { calls, totals: Totals { messages: count, ..Totals::default() }, ..Reading::default() })
    }

    pub fn of_reading(reading: Reading) -> Self {
        let mut places: Vec<(usize, Wired)> = Vec::new();
        for message in reading.calls.iter().flat_map(|call| &call.messages) {
            let addresses = match message.direction {
                Direction::In => (message.remote, message.local),
                Direction::Out => (message.local, message.remote),
            };
            let wired = Wired {
                at: Some(message.at),
                addresses: Some(addresses),
                transport: Some(message.transport),
                bytes: message.bytes.clone(),
            };
            places.push((message.number as usize, wired));
        }
        for (place, wired) in &reading.others {
            let addresses = Some((wired.source, wired.destination));
            places.push((*place, Wired { at: Some(wired.at), addresses, transport: Some(wired.transport), bytes: wired.bytes.clone() }));
        }
        places.sort_by_key(|(place, _)| *place);
        let mut report = Self::empty(places.into_iter().map(|(_, wired)| wired).collect());
        let others: Vec<usize> = reading.others.iter().map(|(place, _)| *place).collect();
        let other_findings = of_others(&reading);
        let mut known = HashSet::new();
        for (index, wired) in report.messages.iter().enumerate() {
            // Most messages bring nothing of the contract, and a copy nothing new.
            if memchr::memmem::find(&wired.bytes, b"X-").is_none() && memchr::memmem::find(&wired.bytes, b"x-").is_none()
                || !known.insert((wired.addresses, wired.bytes.clone()))
            {
                continue;
            }
            if let Ok(message) = Message::parse(wired.bytes.clone()) {
                read_contract(index, &message, &mut report.contexts, &mut report.payloads);
            }
        }
        for call in &reading.calls {
            report.findings.extend(call.record.findings.iter().map(|finding| among_all(finding, call)));
        }
        report.findings.extend(other_findings.iter().cloned());
        report.captured = Some(Captured { calls: reading.calls, others, other_findings, totals: reading.totals, notes: reading.notes });
        report
    }
}

/// The finding with its messages' places among all messages of the capture.
fn among_all(finding: &Finding, call: &WholeCall) -> Finding {
    let place = |index: &u32| call.messages.get(*index as usize).and_then(|message| u32::try_from(message.number).ok());
    Finding { messages: finding.messages.iter().filter_map(place).collect(), ..finding.clone() }
}

fn of_others(reading: &Reading) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut items = Vec::with_capacity(reading.others.len());
    for (place, wired) in &reading.others {
        let far = Some(wired.source);
        let seen = Seen {
            sender: Party::Network,
            receiver: Party::Network,
            transport: Some(wired.transport),
            far,
            ours: false,
            at: Some(wired.at),
        };
        match Item::read(u32::try_from(*place).unwrap_or(u32::MAX), &wired.bytes, seen) {
            Ok(item) => {
                if !wired.cut {
                    found.extend(findings::of_item(&item));
                }
                items.push(item);
            }
            Err(malformed) => found.push(*malformed),
        }
    }
    found.extend(findings::of_items(&items, None));
    found
}

impl Captured {
    pub fn as_text(&self, report: &Report) -> String {
        let mut out = String::new();
        for call in &self.calls {
            out.push_str(&ladder::text(&call.record, &call.messages));
            // What goes back stands below the ladder already, where the record knows of it.
            let payloads = call.record.returns.is_empty();
            for message in &call.messages {
                report.push_contract_of(&mut out, message.number as usize, payloads);
            }
            out.push('\n');
        }
        let hops: Vec<Hop<'_>> = self
            .others
            .iter()
            .filter_map(|place| report.messages.get(*place))
            .filter_map(|m| Some(Hop { at: m.at?, source: m.addresses?.0, destination: m.addresses?.1, bytes: &m.bytes }))
            .collect();
        if !hops.is_empty() {
            let _ = writeln!(out, "Messages of no call\n");
            out.push_str(&ladder::of_hops(&hops));
            out.push('\n');
            out.push_str(&ladder::findings_text(&self.other_findings));
        }
        if report.findings.is_empty() {
            out.push_str("No findings\n");
        }
        let _ = writeln!(out, "{}", self.summary());
        for note in &self.notes {
            let _ = writeln!(out, "Note: {}", ladder::printable(&note.words()));
        }
        out
    }

    /// Each call with the places of its messages among all of them.
    pub fn calls_json(&self) -> Value {
        let call = |call: &WholeCall| {
            let messages: Vec<u64> = call.messages.iter().map(|message| message.number).collect();
            json!({ "call": call.record, "messages": messages })
        };
        Value::Array(self.calls.iter().map(call).collect())
    }

    fn summary(&self) -> String {
        let count = |number: u64, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
        let mut parts = vec![count(self.calls.len() as u64, "call", "calls"), count(self.totals.messages, "SIP message", "SIP messages")];
        if !self.others.is_empty() {
            parts.push(format!("{} of them of no call", self.others.len()));
        }
        if self.totals.rtp > 0 {
            parts.push(count(self.totals.rtp, "RTP packet", "RTP packets"));
        }
        if self.totals.doubled > 0 {
            parts.push(count(self.totals.doubled, "packet captured twice", "packets captured twice"));
        }
        parts.push(count(self.totals.others, "other packet", "other packets"));
        parts.join(", ")
    }
}
