//! All rules over a finished call: its messages, then its record.

use std::collections::{HashMap, hash_map::Entry};

use indexmap::IndexMap;

use super::{
    context,
    exchange::{Exchange, of_exchange},
    form, media, path, payload,
    read::{Item, Seen},
    refer, sdp,
};
use crate::{
    model::{CallRecord, CapturedMessage, Direction, Finding, LegRole, Party, Timestamp},
    sip::message::Message,
};

/// Everything that the rules find in a call and that its record does not hold yet; to be asked when the call is over.
pub fn of_call(record: &CallRecord, messages: &[CapturedMessage]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut items = Vec::with_capacity(messages.len().min(MOST_MESSAGES));
    for (index, captured) in (0_u32..).zip(messages).take(MOST_MESSAGES) {
        let (sender, receiver) = parties(record, captured);
        let ours = captured.direction == Direction::Out;
        let seen = Seen { sender, receiver, transport: Some(captured.transport), far: Some(captured.remote), ours, at: Some(captured.at) };
        match Item::read(index, &captured.bytes, seen) {
            Ok(item) => {
                // A copy has the first one's faults; that it is a copy is said of the exchange.
                if !captured.retransmission {
                    judge(&item, &mut found);
                }
                items.push(item);
            }
            Err(malformed) => found.push(*malformed),
        }
    }
    judge_exchanges(&items, record.ended_at, true, &mut found);
    payload::of_record(record, &mut found);
    media::of_record(record, &mut found);
    once(found, &record.findings)
}

/// The same of a call that others made, read from a capture: nothing in it was written by this program. What `is_cut`
/// says the capture left a part of is not judged for its form.
pub fn of_capture(record: &CallRecord, messages: &[CapturedMessage], is_cut: impl Fn(&CapturedMessage) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut items = Vec::with_capacity(messages.len().min(MOST_MESSAGES));
    for (index, captured) in (0_u32..).zip(messages).take(MOST_MESSAGES) {
        let (sender, receiver) = parties(record, captured);
        let source = if captured.direction == Direction::In { captured.remote } else { captured.local };
        let seen = Seen { sender, receiver, transport: Some(captured.transport), far: Some(source), ours: false, at: Some(captured.at) };
        match Item::read(index, &captured.bytes, seen) {
            Ok(item) => {
                if !captured.retransmission && !is_cut(captured) {
                    found.extend(form::invalid(&item));
                    judge(&item, &mut found);
                }
                items.push(item);
            }
            Err(malformed) => found.push(*malformed),
        }
    }
    let of_messages = found.len();
    judge_exchanges(&items, record.ended_at, false, &mut found);
    if messages.iter().any(is_cut) {
        // The session description that seems to be missing may lie in the part that was cut off.
        let exchanges = found.split_off(of_messages);
        found.extend(exchanges.into_iter().filter(|finding| !OF_DESCRIPTIONS.contains(&finding.rule.as_ref())));
    }
    payload::of_record(record, &mut found);
    media::of_record(record, &mut found);
    once(found, &record.findings)
}

/// All rules over one message.
pub fn of_item(item: &Item) -> Vec<Finding> {
    let mut found = Vec::from_iter(form::invalid(item));
    judge(item, &mut found);
    found
}

/// All rules over messages that belong together, of any number of dialogs, in the order in which they crossed the wire.
/// `over_at`: when the last of them was over, where that is later than the last message.
pub fn of_items(items: &[Item], over_at: Option<Timestamp>) -> Vec<Finding> {
    let mut found = Vec::new();
    judge_exchanges(items, over_at, false, &mut found);
    once(found, &[])
}

fn judge(item: &Item, found: &mut Vec<Finding>) {
    form::of_message(item, found);
    path::of_message(item, found);
    if item.session.is_some() {
        sdp::of_message(item, found);
    }
    if let Message::Request(request) = &item.message {
        context::of_request(item, request, found);
        refer::of_request(item, request, found);
    }
}

/// `by_effect`: whether the form of messages is judged by what became of them, which only their receiver knows.
fn judge_exchanges(items: &[Item], over_at: Option<Timestamp>, by_effect: bool, found: &mut Vec<Finding>) {
    // Most calls have one leg, and need no map.
    let first = items.first().and_then(|item| item.fields().call_id());
    if items.iter().all(|item| item.fields().call_id() == first) {
        let all: Vec<&Item> = items.iter().collect();
        return judge_exchange(&Exchange::new(&all, over_at), by_effect, found);
    }
    let mut by_call_id: IndexMap<&str, Vec<&Item>> = IndexMap::new();
    for item in items {
        by_call_id.entry(item.fields().call_id().unwrap_or_default()).or_default().push(item);
    }
    for items in by_call_id.values() {
        judge_exchange(&Exchange::new(items, over_at), by_effect, found);
    }
}

fn judge_exchange(exchange: &Exchange<'_>, by_effect: bool, found: &mut Vec<Finding>) {
    if by_effect {
        // A request that was answered well was well; only of the others the form is worth the time.
        found.extend(exchange.doubtful().filter_map(form::invalid));
    }
    of_exchange(exchange, found);
}

/// Each finding once, with all messages that it was seen in; `known` ones only where they had none.
fn once(found: Vec<Finding>, known: &[Finding]) -> Vec<Finding> {
    if found.is_empty() {
        return found;
    }
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let mut new: Vec<Finding> = Vec::new();
    for finding in found {
        if known.iter().any(|known| known.says_as(&finding) && (!known.messages.is_empty() || finding.messages.is_empty())) {
            continue;
        }
        match places.entry((finding.rule.to_string(), finding.seen.clone())) {
            Entry::Occupied(first) => {
                if let Some(first) = new.get_mut(*first.get()) {
                    first.messages.extend(finding.messages);
                }
            }
            // Somebody who floods a call with faults is known after the first hundreds.
            Entry::Vacant(_) if new.len() >= MOST_FINDINGS => {}
            Entry::Vacant(place) => {
                place.insert(new.len());
                new.push(finding);
            }
        }
    }
    new
}

/// Who sent a message, and to whom.
fn parties(record: &CallRecord, message: &CapturedMessage) -> (Party, Party) {
    let (local, remote) = record.ends_of(message.leg);
    if message.direction == Direction::In { (remote, local) } else { (local, remote) }
}

pub(super) fn side(role: LegRole) -> Party {
    match role {
        LegRole::Customer => Party::Customer,
        LegRole::Agent => Party::Agent,
        LegRole::Return => Party::ReturnEndpoint,
    }
}

/// Rules about what two session descriptions say to each other.
const OF_DESCRIPTIONS: [&str; 10] = [
    "answer-missing",
    "media-lines-differ",
    "codec-mismatch",
    "payload-type-differs",
    "dtmf-refused",
    "direction-contradicts",
    "sdp-session-changed",
    "sdp-version-not-raised",
    "answer-not-taken",
    "offer-not-taken",
];
/// Messages of a call that are judged: at its end nothing else happens on this thread.
const MOST_MESSAGES: usize = 4_096;
const MOST_FINDINGS: usize = 256;
