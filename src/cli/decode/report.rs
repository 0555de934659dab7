//! What was decoded: messages, context, payloads and findings; as text and as JSON.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    contract::{context, payload},
    export::{
        ladder::{self, Hop, gist, printable},
        redact,
    },
    findings::{self, Item, Seen},
    model::{Context, Finding, Outcome, Party, Payload, Timestamp, TransportName, Variables},
    sip::message::{HeaderName, Message, Method},
};

/// One message, with what the capture says of it.
#[derive(Debug, Clone)]
pub struct Wired {
    pub at: Option<Timestamp>,
    /// Source and destination.
    pub addresses: Option<(SocketAddr, SocketAddr)>,
    pub transport: Option<TransportName>,
    pub bytes: Bytes,
}

/// Everything that `decode` prints.
pub struct Report {
    messages: Vec<Wired>,
    /// Packets of a capture that are no SIP.
    others: usize,
    contexts: Vec<(usize, Context)>,
    payloads: Vec<Returned>,
    pub findings: Vec<Finding>,
}

/// A payload on its way back, and what carried it.
struct Returned {
    /// Its message; `None` for a bare value.
    message: Option<usize>,
    by: &'static str,
    return_uri: Option<String>,
    conversation: Option<String>,
    outcome: Option<Outcome>,
    transfer: Variables,
    reference: Variables,
    other_headers: Vec<(String, String)>,
    /// With its budget, where it is a URI's.
    payload: Option<Payload>,
}

impl Report {
    /// Bare Refer-To values.
    pub fn of_values(values: Vec<String>) -> Self {
        let mut report = Self { messages: Vec::new(), others: 0, contexts: Vec::new(), payloads: Vec::new(), findings: Vec::new() };
        for value in values {
            let decoded = payload::decode(&value);
            report.findings.extend(findings::of_refer_to(&decoded));
            report.payloads.push(Returned::of_refer_to(None, decoded));
        }
        report
    }

    /// Messages in their order, with the number of packets that are none.
    pub fn of_messages(messages: Vec<Wired>, others: usize) -> Self {
        let parsed: Vec<Option<Message>> = messages.iter().map(|m| Message::parse(m.bytes.clone()).ok()).collect();
        let parties = Parties::guess(&messages, &parsed);
        let mut report = Self { messages, others, contexts: Vec::new(), payloads: Vec::new(), findings: Vec::new() };
        let mut items = Vec::with_capacity(report.messages.len());
        let mut known = HashSet::new();
        for (index, (wired, message)) in report.messages.iter().zip(parsed).enumerate() {
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            let (sender, receiver) = parties.sides(wired, message.as_ref());
            let far = wired.addresses.map(|(source, _)| source);
            let seen = Seen { sender, receiver, transport: wired.transport, far, ours: false, at: wired.at };
            let copy = !known.insert((wired.addresses, wired.bytes.clone()));
            let item = match Item::read(number, &wired.bytes, seen) {
                Ok(item) => item,
                Err(malformed) => {
                    report.findings.push(*malformed);
                    continue;
                }
            };
            if !copy || wired.addresses.is_none() {
                report.findings.extend(findings::of_item(&item));
            }
            if let Some(message) = message.filter(|_| !copy) {
                read_contract(index, &message, &mut report.contexts, &mut report.payloads);
            }
            items.push(item);
        }
        // A handful of messages in a text file is no whole exchange: nothing is missing from it.
        if report.messages.iter().any(|m| m.addresses.is_some()) {
            report.findings.extend(findings::of_items(&items, None));
        }
        report
    }

    pub fn as_text(&self) -> String {
        let mut out = String::new();
        let hops: Vec<Hop<'_>> = self
            .messages
            .iter()
            .filter_map(|m| Some(Hop { at: m.at?, source: m.addresses?.0, destination: m.addresses?.1, bytes: &m.bytes }))
            .collect();
        if !hops.is_empty() {
            out.push_str(&ladder::of_hops(&hops));
        } else {
            for (index, message) in self.messages.iter().enumerate() {
                let _ = writeln!(out, "{index:>4}  {}", gist(&message.bytes));
            }
        }
        if self.others > 0 {
            let _ = writeln!(out, "\n{} SIP messages, {} other packets", self.messages.len(), self.others);
        }
        for (index, context) in &self.contexts {
            let _ = writeln!(out, "\nContext in message {index}");
            push_context(&mut out, context);
        }
        for returned in &self.payloads {
            let place = returned.message.map(|m| format!(" in message {m}")).unwrap_or_default();
            let _ = writeln!(out, "{}Payload by {}{place}", if out.is_empty() { "" } else { "\n" }, returned.by);
            returned.push_text(&mut out);
        }
        if self.findings.is_empty() {
            out.push_str(if out.ends_with("\n\n") { "No findings\n" } else { "\nNo findings\n" });
        } else {
            if !out.ends_with("\n\n") {
                out.push('\n');
            }
            out.push_str(ladder::findings_text(&self.findings).trim_end());
            out.push('\n');
        }
        out
    }

    pub fn as_json(&self) -> Value {
        let messages: Vec<Value> = self.messages.iter().enumerate().map(|(index, m)| message_json(index, m)).collect();
        let contexts: Vec<Value> = self.contexts.iter().map(|(index, context)| json!({ "message": index, "context": context })).collect();
        let payloads: Vec<Value> = self.payloads.iter().map(Returned::as_json).collect();
        json!({
            "messages": messages,
            "otherPackets": self.others,
            "contexts": contexts,
            "payloads": payloads,
            "findings": self.findings,
        })
    }
}

/// All rules that findings come from, a line each.
pub fn rules(as_json: bool) -> String {
    if as_json {
        let rules = findings::RULES.iter();
        let list: Vec<Value> =
            rules.map(|r| json!({ "rule": r.name, "severity": r.severity, "about": r.gist, "source": r.source })).collect();
        return format!("{:#}\n", Value::Array(list));
    }
    let width = findings::RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    let line =
        |rule: &findings::Rule| format!("{:<width$}  {:<7}  {} ({})\n", rule.name, ladder::severity(rule.severity), rule.gist, rule.source);
    findings::RULES.iter().map(line).collect()
}

fn read_contract(index: usize, message: &Message, contexts: &mut Vec<(usize, Context)>, payloads: &mut Vec<Returned>) {
    let Message::Request(request) = message else { return };
    let headers: Vec<(&str, String)> =
        request.iter().filter(|(_, name, _)| *name == HeaderName::Other).map(|(name, _, value)| (name, value.into_owned())).collect();
    let pairs = || headers.iter().map(|(name, value)| (*name, value.as_str()));
    let hands_back = pairs().any(|(name, _)| name.eq_ignore_ascii_case(payload::OUTCOME));
    match *request.method() {
        Method::INVITE if hands_back => payloads.push(Returned::of_headers(index, "INVITE", &headers)),
        Method::BYE if hands_back => payloads.push(Returned::of_headers(index, "BYE", &headers)),
        Method::INVITE => {
            let context = context::read(pairs()).0;
            if context != Context::default() {
                contexts.push((index, context));
            }
        }
        Method::REFER => {
            for value in request.texts(HeaderName::ReferTo) {
                payloads.push(Returned::of_refer_to(Some(index), payload::decode(&value)));
            }
        }
        _ => {}
    }
}

impl Returned {
    fn of_refer_to(message: Option<usize>, decoded: payload::Decoded) -> Self {
        Self {
            message,
            by: if message.is_some() { "REFER" } else { "Refer-To" },
            return_uri: Some(decoded.return_uri),
            conversation: decoded.conversation,
            outcome: decoded.outcome,
            transfer: decoded.transfer,
            reference: decoded.reference,
            other_headers: decoded.other_headers,
            payload: Some(decoded.payload),
        }
    }

    fn of_headers(message: usize, by: &'static str, headers: &[(&str, String)]) -> Self {
        let end = payload::from_agent_headers(headers.iter().map(|(name, value)| (*name, value.as_str())));
        let conversation = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(payload::CONVERSATION_ID)).map(|(_, id)| id.clone());
        Self {
            message: Some(message),
            by,
            return_uri: None,
            conversation,
            outcome: Some(end.outcome),
            transfer: end.transfer,
            reference: end.reference,
            other_headers: Vec::new(),
            payload: None,
        }
    }

    fn push_text(&self, out: &mut String) {
        if let Some(uri) = &self.return_uri {
            let _ = writeln!(out, "  return URI    {}", printable(uri));
        }
        if let Some(id) = &self.conversation {
            let _ = writeln!(out, "  conversation  {}", printable(id));
        }
        let _ = writeln!(out, "  outcome       {}", self.outcome.map_or("none", Outcome::wire));
        for (kind, variables) in [("tv", &self.transfer), ("rv", &self.reference)] {
            for (name, value) in variables {
                let _ = writeln!(out, "  {kind} {}  {}", printable(name), printable(value));
            }
        }
        for (name, value) in &self.other_headers {
            let _ = writeln!(out, "  header {}  {}", printable(name), printable(value));
        }
        if let Some(payload) = self.payload.as_ref().filter(|p| !p.items.is_empty()) {
            out.push_str(&ladder::payload_text(payload));
        }
    }

    fn as_json(&self) -> Value {
        json!({
            "message": self.message,
            "by": self.by,
            "returnUri": self.return_uri,
            "extConversationId": self.conversation,
            "outcome": self.outcome,
            "transferVariables": self.transfer,
            "referenceVariables": self.reference,
            "otherHeaders": self.other_headers.iter().map(|(n, v)| json!({ "name": n, "value": v })).collect::<Vec<_>>(),
            "used": self.payload.as_ref().map(|p| p.used),
            "limit": self.payload.as_ref().map(|p| p.limit),
            "items": self.payload.as_ref().map(|p| &p.items),
        })
    }
}

fn push_context(out: &mut String, context: &Context) {
    let named = [
        ("task", &context.task_name),
        ("conversation", &context.ext_conversation_id),
        ("customer", &context.customer_id),
        ("call transfer", &context.call_transfer_id),
    ];
    for (what, value) in named {
        if let Some(value) = value {
            let _ = writeln!(out, "  {what:<13} {}", printable(value));
        }
    }
    for (name, value) in &context.input_variables {
        let _ = writeln!(out, "  iv {}  {}", printable(name), printable(value));
    }
}

fn message_json(index: usize, message: &Wired) -> Value {
    let start: String = String::from_utf8_lossy(&message.bytes).lines().find(|l| !l.is_empty()).unwrap_or_default().to_owned();
    json!({
        "index": index,
        "at": message.at,
        "source": message.addresses.map(|(source, _)| source),
        "destination": message.addresses.map(|(_, destination)| destination),
        "transport": message.transport,
        "start_line": start,
        "raw": String::from_utf8_lossy(&redact::message(&message.bytes)),
    })
}

/// Who is who, as far as the INVITEs tell: the first to bring context calls the bridge.
#[derive(Default)]
struct Parties {
    by_address: HashMap<SocketAddr, Party>,
    by_host: HashMap<IpAddr, Party>,
}

impl Parties {
    fn guess(messages: &[Wired], parsed: &[Option<Message>]) -> Self {
        let mut parties = Self::default();
        for (wired, message) in messages.iter().zip(parsed) {
            let (Some((source, destination)), Some(Message::Request(request))) = (wired.addresses, message) else { continue };
            if *request.method() != Method::INVITE || request.to_tag().is_some() {
                continue;
            }
            let returns = request.other(payload::OUTCOME).is_some();
            if returns {
                parties.name(destination, Party::ReturnEndpoint);
            } else if parties.of(source) == Party::Bridge {
                parties.name(destination, Party::Agent);
            } else {
                parties.name(source, Party::Customer);
                parties.name(destination, Party::Bridge);
            }
        }
        parties
    }

    fn name(&mut self, address: SocketAddr, party: Party) {
        self.by_address.entry(address).or_insert(party);
        self.by_host.entry(address.ip()).or_insert(party);
    }

    fn of(&self, address: SocketAddr) -> Party {
        let known = self.by_address.get(&address).or_else(|| self.by_host.get(&address.ip()));
        known.copied().unwrap_or(Party::Network)
    }

    /// Who sent a message, and to whom. Without addresses the message itself is all there is to tell by.
    fn sides(&self, wired: &Wired, message: Option<&Message>) -> (Party, Party) {
        match (wired.addresses, message) {
            (Some((source, destination)), _) => (self.of(source), self.of(destination)),
            (None, Some(Message::Request(request))) => match *request.method() {
                Method::REFER => (Party::Bridge, Party::Customer),
                Method::INVITE if request.other(payload::OUTCOME).is_some() => (Party::Bridge, Party::ReturnEndpoint),
                _ => (Party::Customer, Party::Bridge),
            },
            (None, _) => (Party::Network, Party::Network),
        }
    }
}
