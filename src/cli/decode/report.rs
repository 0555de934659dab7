//! What was decoded: messages, context, payloads and findings; as text and as JSON.

use std::{fmt::Write as _, net::SocketAddr};

use bytes::Bytes;
use serde_json::{Value, json};

use super::captured::Captured;
use crate::{
    contract::{context, payload},
    export::{
        ladder::{self, gist, printable},
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
    pub(super) messages: Vec<Wired>,
    pub(super) contexts: Vec<(usize, Context)>,
    pub(super) payloads: Vec<Returned>,
    pub findings: Vec<Finding>,
    /// Of a capture: its calls.
    pub(super) captured: Option<Captured>,
}

/// A payload on its way back, and what carried it.
pub(super) struct Returned {
    /// Its message; `None` for a bare value.
    pub(super) message: Option<usize>,
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
        let mut report = Self::empty(Vec::new());
        for value in values {
            let decoded = payload::decode(&value);
            report.findings.extend(findings::of_refer_to(&decoded));
            report.payloads.push(Returned::of_refer_to(None, decoded));
        }
        report
    }

    /// Messages in their order, of which nobody says who sent them and when.
    pub fn of_messages(messages: Vec<Wired>) -> Self {
        let mut report = Self::empty(messages);
        for (index, wired) in report.messages.iter().enumerate() {
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            let message = Message::parse(wired.bytes.clone()).ok();
            let (sender, receiver) = sides(message.as_ref());
            let seen = Seen { sender, receiver, transport: wired.transport, far: None, ours: false, at: None };
            match Item::read(number, &wired.bytes, seen) {
                // A handful of messages is no whole exchange: nothing is missing from it.
                Ok(item) => report.findings.extend(findings::of_item(&item)),
                Err(malformed) => report.findings.push(*malformed),
            }
            if let Some(message) = message {
                read_contract(index, &message, &mut report.contexts, &mut report.payloads);
            }
        }
        report
    }

    pub(super) fn empty(messages: Vec<Wired>) -> Self {
        Self { messages, contexts: Vec::new(), payloads: Vec::new(), findings: Vec::new(), captured: None }
    }

    pub fn as_text(&self) -> String {
        if let Some(captured) = &self.captured {
            return captured.as_text(self);
        }
        let mut out = String::new();
        for (index, message) in self.messages.iter().enumerate() {
            let _ = writeln!(out, "{index:>4}  {}", gist(&message.bytes));
        }
        self.push_contract(&mut out);
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

    fn push_contract(&self, out: &mut String) {
        for (index, context) in &self.contexts {
            push_context_in(out, *index, context);
        }
        for returned in &self.payloads {
            returned.push_whole(out);
        }
    }

    /// The context that a message brings, and what it hands back, where that is asked for.
    pub(super) fn push_contract_of(&self, out: &mut String, message: usize, payloads: bool) {
        if let Ok(found) = self.contexts.binary_search_by_key(&message, |(index, _)| *index)
            && let Some((index, context)) = self.contexts.get(found)
        {
            push_context_in(out, *index, context);
        }
        let first = self.payloads.partition_point(|returned| returned.message < Some(message));
        let of_it = self.payloads.iter().skip(first).take_while(|returned| returned.message == Some(message));
        of_it.filter(|_| payloads).for_each(|returned| returned.push_whole(out));
    }

    pub fn as_json(&self) -> Value {
        let messages: Vec<Value> = self.messages.iter().enumerate().map(|(index, m)| message_json(index, m)).collect();
        let contexts: Vec<Value> = self.contexts.iter().map(|(index, context)| json!({ "message": index, "context": context })).collect();
        let payloads: Vec<Value> = self.payloads.iter().map(Returned::as_json).collect();
        let mut json = json!({
            "messages": messages,
            "otherPackets": self.captured.as_ref().map_or(0, |captured| captured.totals.others),
            "contexts": contexts,
            "payloads": payloads,
            "findings": self.findings,
        });
        if let (Some(captured), Some(object)) = (&self.captured, json.as_object_mut()) {
            object.insert("calls".to_owned(), captured.calls_json());
            object.insert("packets".to_owned(), json!(captured.totals));
            object.insert("notes".to_owned(), json!(captured.notes));
        }
        json
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

pub(super) fn read_contract(index: usize, message: &Message, contexts: &mut Vec<(usize, Context)>, payloads: &mut Vec<Returned>) {
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

    fn push_whole(&self, out: &mut String) {
        let place = self.message.map(|m| format!(" in message {m}")).unwrap_or_default();
        let _ = writeln!(out, "{}Payload by {}{place}", if out.is_empty() { "" } else { "\n" }, self.by);
        self.push_text(out);
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

fn push_context_in(out: &mut String, message: usize, context: &Context) {
    let _ = writeln!(out, "\nContext in message {message}");
    push_context(out, context);
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

/// Who sent a message, and to whom: without addresses the message itself is all there is to tell by.
fn sides(message: Option<&Message>) -> (Party, Party) {
    let Some(Message::Request(request)) = message else { return (Party::Network, Party::Network) };
    match *request.method() {
        Method::REFER => (Party::Bridge, Party::Customer),
        Method::INVITE if request.other(payload::OUTCOME).is_some() => (Party::Bridge, Party::ReturnEndpoint),
        _ => (Party::Customer, Party::Bridge),
    }
}
