//! A message decoded: its context and payload first, then who, where and what else.

use std::{borrow::Cow, ops::Range, sync::Arc};

use super::raw::{colours, is_ours};
use crate::{
    console::{
        panels::{
            findings::data::{self as findings, FindingCard},
            payload::data::{PayloadData, payload},
        },
        text::grouped,
        theme::{Leg, Tone},
        widgets::KeyValue,
        wire_text::{Kind, MessageView},
    },
    contract::payload::decode,
    model::{CallRecord, Direction, LegRole, Party, Payload, ReturnMethod},
};

#[derive(Debug, Clone, PartialEq)]
pub struct MessageData {
    pub title: String,
    pub tone: Tone,
    /// `Bridge → Customer`
    pub route: String,
    /// `UDP · 1,388 B`
    pub wire: String,
    pub payload: Option<PayloadData>,
    /// `X-GA-*` headers in wire order.
    pub context: Vec<KeyValue>,
    pub facts: Vec<KeyValue>,
    pub sound: Vec<KeyValue>,
    pub findings: Vec<FindingCard>,
    pub headers: Vec<KeyValue>,
    /// The whole text.
    pub text: Arc<str>,
    /// Where in it its colour changes.
    pub raw: Vec<(Range<usize>, Tone)>,
    /// Where the payload's value begins in it.
    pub payload_at: usize,
    payload_spans: Vec<Range<usize>>,
}

impl MessageData {
    /// Stretches of the text that rows stand for, the narrowest first.
    pub fn spans(&self) -> impl Iterator<Item = &Range<usize>> {
        let rows = [&self.context, &self.facts, &self.sound, &self.headers].into_iter().flatten();
        self.payload_spans.iter().chain(rows.filter_map(|row| row.span.as_ref()))
    }
}

/// `index` is the message's place among the call's messages, where it has one and that is known.
pub fn message(call: Option<&CallRecord>, view: &MessageView, index: Option<usize>) -> MessageData {
    let (title, tone) = match &view.kind {
        Kind::Request(method) if method == "REFER" => (method.clone(), Tone::Of(Leg::Return)),
        Kind::Request(method) => (method.clone(), Tone::Of(leg_of(call, view))),
        Kind::Response { code: 100..200, .. } => (view.title.to_string(), Tone::Soft),
        Kind::Response { code: 200..300, .. } => (view.title.to_string(), Tone::Good),
        Kind::Response { code: 300..=399 | 401 | 407, .. } => (view.title.to_string(), Tone::Warn),
        Kind::Response { .. } => (view.title.to_string(), Tone::Wrong),
        Kind::Other => ("Not SIP".to_owned(), Tone::Wrong),
    };
    let rows = || view.headers.iter().zip(&view.spans).map(|((name, value), span)| header(name, value, span));
    let payload = payload_of(call, view).as_deref().map(payload);
    let payload_at = payload_at(view).unwrap_or_default();
    let payload_spans: Vec<Range<usize>> = match &payload {
        Some(payload) if payload_at > 0 => payload.spans.iter().map(|s| s.start + payload_at..s.end + payload_at).collect(),
        _ => Vec::new(),
    };
    let tones = payload.iter().flat_map(|p| p.raw.iter()).map(|(_, tone)| *tone).filter(|tone| *tone != Tone::Faint);
    let coloured: Vec<_> = payload_spans.iter().cloned().zip(tones).collect();
    MessageData {
        title,
        tone,
        route: route(call, view),
        wire: format!("{} · {} B", view.transport.via(), grouped(view.size as u64)),
        payload,
        context: rows().filter(|row| row.tone == Tone::Accent).collect(),
        facts: facts(view),
        sound: sound(view),
        findings: call.zip(index.and_then(|i| u32::try_from(i).ok())).map(|(call, i)| findings::of_message(call, i)).unwrap_or_default(),
        headers: rows().collect(),
        raw: colours(view, &coloured),
        text: view.raw.as_str().into(),
        payload_at,
        payload_spans,
    }
}

/// Where the value of Refer-To begins in the text.
fn payload_at(view: &MessageView) -> Option<usize> {
    let index = view.position("Refer-To", "r")?;
    let (_, value) = view.headers.get(index)?;
    let span = view.spans.get(index)?.clone();
    Some(span.start + view.raw.get(span)?.find(value.as_str())?)
}

fn header(name: &str, value: &str, span: &Range<usize>) -> KeyValue {
    KeyValue::wire(name, value).tone(if is_ours(name) { Tone::Accent } else { Tone::Plain }).at(Some(span.clone()))
}

fn role_of(call: Option<&CallRecord>, view: &MessageView) -> Option<LegRole> {
    let leg = view.leg?;
    call?.legs.iter().find(|l| l.opened.leg == leg).map(|l| l.opened.role)
}

fn leg_of(call: Option<&CallRecord>, view: &MessageView) -> Leg {
    match role_of(call, view) {
        Some(LegRole::Agent) => Leg::Agent,
        Some(LegRole::Return) => Leg::Return,
        Some(LegRole::Customer) | None => Leg::Customer,
    }
}

/// `Bridge → Customer`; by addresses where it belongs to no call.
pub fn route(call: Option<&CallRecord>, view: &MessageView) -> String {
    if let Some(captured) = call.filter(|call| call.legs.iter().any(|leg| leg.ends.is_some())) {
        let name = |party| match party {
            Party::Customer => "Customer",
            Party::Agent => "Agent",
            Party::ReturnEndpoint => "Return URI",
            Party::Bridge | Party::Operator => "Bridge",
            Party::Network => "Network",
        };
        let (near, far) = captured.ends_of(view.leg);
        let (from, to) = if view.direction == Direction::Out { (near, far) } else { (far, near) };
        return format!("{} → {}", name(from), name(to));
    }
    let test_call = call.is_some_and(|call| call.test_call);
    let here = if test_call { "Test caller" } else { "Bridge" };
    let there = match role_of(call, view) {
        Some(LegRole::Agent) => "Agent",
        Some(LegRole::Return) => "Return URI",
        _ if test_call => "Bridge",
        _ if call.is_some() => "Customer",
        // Of no call: nobody knows whose it is.
        _ => return format!("{} → {}", source(view), target(view)),
    };
    match view.direction {
        Direction::In => format!("{there} → {here}"),
        Direction::Out => format!("{here} → {there}"),
    }
}

/// The payload that this message carries, as the engine made or decoded it, else as it reads.
fn payload_of<'a>(call: Option<&'a CallRecord>, view: &MessageView) -> Option<Cow<'a, Payload>> {
    if matches!(&view.kind, Kind::Request(method) if method == "INVITE") && role_of(call, view) == Some(LegRole::Return) {
        let placed = call?.returns.iter().rev().find(|r| r.method == ReturnMethod::Invite);
        return placed.and_then(|r| r.payload.as_deref()).map(Cow::Borrowed);
    }
    let refer_to = view.header("Refer-To", "r")?;
    let sent = call.into_iter().flat_map(|call| call.returns.iter().filter_map(|r| r.payload.as_deref()));
    let heard = call.and_then(|call| call.test_report.as_ref()?.returned.as_ref());
    let known = sent.chain(heard).find(|p| p.refer_to == refer_to).map(Cow::Borrowed);
    known.or_else(|| {
        let read = decode(refer_to).payload;
        (!read.items.is_empty()).then_some(Cow::Owned(read))
    })
}

/// The message that says most of a call: what hands it back, else its first.
pub fn telling(call: &CallRecord, views: &[MessageView]) -> Option<u64> {
    let hands_back = |view: &&MessageView| {
        let method = if let Kind::Request(method) = &view.kind { method.as_str() } else { return false };
        method == "REFER" || method == "INVITE" && role_of(Some(call), view) == Some(LegRole::Return)
    };
    views.iter().find(hands_back).or_else(|| views.first()).map(|view| view.number)
}

fn facts(view: &MessageView) -> Vec<KeyValue> {
    let wanted = [
        ("Refer-To", "r"),
        ("Refer-Sub", "Refer-Sub"),
        ("Event", "o"),
        ("Subscription-State", "Subscription-State"),
        ("Reason", "Reason"),
        ("Authorization", "Proxy-Authorization"),
        ("WWW-Authenticate", "Proxy-Authenticate"),
        ("From", "f"),
        ("To", "t"),
        ("Call-ID", "i"),
        ("CSeq", "CSeq"),
        ("Contact", "m"),
        ("Content-Type", "c"),
    ];
    let mut facts: Vec<KeyValue> = Vec::new();
    if view.retransmission {
        facts.push(KeyValue::new("Retransmission", "the same bytes crossed the wire before").tone(Tone::Warn));
    }
    facts.extend(view.sipfrag().map(|status| KeyValue::wire("Return call", status).tone(Tone::Of(Leg::Return))));
    facts.extend(wanted.iter().filter_map(|(name, compact)| {
        let index = view.position(name, compact)?;
        Some(KeyValue::wire(*name, &view.headers.get(index)?.1).at(view.spans.get(index).cloned()))
    }));
    facts.push(KeyValue::wire("From address", source(view)));
    facts.push(KeyValue::wire("To address", target(view)));
    facts
}

fn source(view: &MessageView) -> String {
    if view.direction == Direction::In { view.remote } else { view.local }.to_string()
}

fn target(view: &MessageView) -> String {
    if view.direction == Direction::In { view.local } else { view.remote }.to_string()
}

/// The lines of an SDP that tell where sound goes and as what.
fn sound(view: &MessageView) -> Vec<KeyValue> {
    if !view.body.starts_with("v=0") {
        return Vec::new();
    }
    let mut at = view.raw.len() - view.body.len();
    let lines = view.body.split_inclusive('\n').filter_map(|line| {
        let span = at..at + line.trim_end().len();
        at += line.len();
        let (kind, value) = line.trim_end().split_once('=')?;
        let name = match kind {
            "c" => "Address",
            "m" => "Media",
            "a" if ["sendrecv", "sendonly", "recvonly", "inactive"].contains(&value) => "Direction",
            "a" if value.starts_with("rtpmap:") => "Codec",
            "a" if value.starts_with("ptime:") => "Packet time",
            _ => return None,
        };
        Some(KeyValue::wire(name, value).at(Some(span)))
    });
    lines.collect()
}
