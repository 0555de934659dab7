//! Which calls are listed, in which order, and what stands in a row.

use std::collections::HashSet;

use jiff::tz::TimeZone;

use crate::{
    console::{
        search::Search,
        state::State,
        text::{self, grouped},
        theme::{Leg, Tone},
        widgets::{Cell, Column, TableRow},
    },
    model::{Admission, CallId, CallRecord, CallState, LegRole, Severity, Snapshot, Timestamp},
};

pub const COLUMNS: [Column; 11] = [
    Column::fixed("Started", 84.0),
    Column::fixed("State", 118.0),
    Column::growing("From", 130.0, 2.0),
    Column::growing("Task", 90.0, 1.0),
    Column::growing("Conversation", 90.0, 1.2),
    Column::growing("Admitted by", 90.0, 1.2),
    Column::fixed("Return", 68.0),
    Column::fixed("Outcome", 80.0),
    Column::fixed("Payload", 106.0).right(),
    Column::fixed("Length", 64.0).right(),
    Column::fixed("Findings", 86.0),
];

/// Brings the list of `state` up to date: newest first. While it is being read nothing moves in it; what is new is counted.
pub fn refresh(state: &mut State, snapshot: &Snapshot) {
    let twins = customer_sides(snapshot);
    let search = Search::parse(&state.search);
    let wanted = snapshot.calls.iter().rev().filter(|call| !twins.contains(&call.id) && search.matches(call));
    let mut newest: Vec<CallId> = wanted.map(|call| call.id).collect();
    if state.reading {
        let there: HashSet<CallId> = newest.iter().copied().collect();
        state.listed.retain(|id| there.contains(id));
        let listed: HashSet<CallId> = state.listed.iter().copied().collect();
        state.unlisted = newest.iter().filter(|id| !listed.contains(id)).count();
    } else {
        std::mem::swap(&mut state.listed, &mut newest);
        state.unlisted = 0;
    }
}

/// Calls that this console placed to its own bridge are here twice. The bridge's record is listed; this is the other one.
fn customer_sides(snapshot: &Snapshot) -> HashSet<CallId> {
    if snapshot.calls.iter().all(|call| !call.test_call) {
        return HashSet::new();
    }
    let own: HashSet<&str> = snapshot.calls.iter().filter(|call| !call.test_call).filter_map(|call| customer_call_id(call)).collect();
    let placed = snapshot.calls.iter().filter(|call| call.test_call);
    placed.filter(|call| customer_call_id(call).is_some_and(|id| own.contains(id))).map(|call| call.id).collect()
}

/// The bridge's record of a call that this console placed, or the record that was placed itself.
pub fn bridge_side(snapshot: &Snapshot, placed: CallId) -> Option<CallId> {
    let call = find(snapshot, placed)?;
    let id = customer_call_id(call);
    let bridge = snapshot.calls.iter().rev().find(|c| !c.test_call && id.is_some() && customer_call_id(c) == id);
    bridge.map(|c| c.id)
}

/// The bridge's and the customer's record of one call, where both are here.
pub fn both_sides(snapshot: &Snapshot, id: CallId) -> Option<(CallId, CallId)> {
    let sip_call_id = customer_call_id(find(snapshot, id)?)?;
    let side = |test_call| snapshot.calls.iter().rev().find(|c| c.test_call == test_call && customer_call_id(c) == Some(sip_call_id));
    Some((side(false)?.id, side(true)?.id))
}

pub fn find(snapshot: &Snapshot, id: CallId) -> Option<&CallRecord> {
    snapshot.calls.iter().rev().find(|call| call.id == id).map(|call| &**call)
}

/// The SIP Call-ID of the customer's leg.
pub fn customer_call_id(call: &CallRecord) -> Option<&str> {
    call.legs.iter().find(|l| l.opened.role == LegRole::Customer).map(|l| l.opened.sip_call_id.as_str())
}

/// What a call is called: its conversation, or who called.
pub fn title_of(call: &CallRecord) -> String {
    call.context.ext_conversation_id.clone().unwrap_or_else(|| text::short_uri(&call.from).to_owned())
}

pub fn row(call: &CallRecord, now: Timestamp, zone: &TimeZone, chosen: bool) -> TableRow {
    let (state, tone) = state_of(call);
    let from = text::short_uri(&call.from).to_owned();
    let or_dash = |value: Option<&str>| value.map_or_else(|| ("—".to_owned(), Tone::Faint), |v| (v.to_owned(), Tone::Soft));
    let (task, task_tone) = or_dash(call.context.task_name.as_deref());
    let (conversation, conversation_tone) = or_dash(call.context.ext_conversation_id.as_deref());
    let (admitted, admitted_tone) = admitted_by(call);
    let (method, method_tone) = or_dash(call.returns.last().map(|r| r.method.name()));
    let (outcome, outcome_tone) = or_dash(call.outcome.map(|o| o.wire()));
    let (payload, payload_tone) = match call.returns.iter().rev().find_map(|r| r.payload.as_ref()) {
        Some(p) if p.dropped.is_empty() => (format!("{} / {}", grouped(p.used as u64), grouped(p.limit as u64)), Tone::Soft),
        Some(p) => (format!("{} / {}", grouped(p.used as u64), grouped(p.limit as u64)), Tone::Warn),
        None => ("—".to_owned(), Tone::Faint),
    };
    let length = text::length(call.ended_at.unwrap_or(now).micros_since(call.started_at));
    let started = text::clock(call.started_at, zone);
    let of = |severity| call.findings.iter().filter(|f| f.severity == severity).count();
    let name = format!("{started} {state} {from} {task} {conversation}");
    TableRow {
        cells: vec![
            Cell::Wire(started, Tone::Soft),
            Cell::Pill(state, tone),
            Cell::Text(from, Tone::Plain),
            Cell::Text(task, task_tone),
            Cell::Wire(conversation, conversation_tone),
            Cell::Text(admitted, admitted_tone),
            Cell::Text(method, method_tone),
            Cell::Text(outcome, outcome_tone),
            Cell::Wire(payload, payload_tone),
            Cell::Wire(length, Tone::Soft),
            Cell::Findings { errors: of(Severity::Error), warnings: of(Severity::Warning), notes: of(Severity::Note) },
        ],
        name,
        chosen,
    }
}

/// The last row where there are older calls.
pub fn older_row(reading: bool) -> TableRow {
    let text = if reading { "Reading…" } else { "Show older calls" };
    let mut cells = vec![Cell::Text(String::new(), Tone::Faint); 2];
    cells.push(Cell::Text(text.to_owned(), Tone::Accent));
    TableRow { cells, name: text.to_owned(), chosen: false }
}

/// The state in the operator's words.
pub fn state_of(call: &CallRecord) -> (String, Tone) {
    let code = call.ended.as_ref().and_then(|e| e.code).map(|code| format!(" {code}")).unwrap_or_default();
    match call.state {
        CallState::Arriving => ("Arriving".to_owned(), Tone::Soft),
        CallState::Ringing => ("Ringing".to_owned(), Tone::Good),
        CallState::WithAgent => ("With agent".to_owned(), Tone::Of(Leg::Agent)),
        CallState::Returning => ("Returning".to_owned(), Tone::Of(Leg::Return)),
        CallState::Returned => ("Returned".to_owned(), Tone::Soft),
        CallState::Ended => ("Ended".to_owned(), Tone::Soft),
        CallState::Refused => (format!("Refused{code}"), Tone::Wrong),
        CallState::Failed => (format!("Failed{code}"), Tone::Wrong),
    }
}

fn admitted_by(call: &CallRecord) -> (String, Tone) {
    match &call.admission {
        Some(Admission::Network(network)) => (network.clone(), Tone::Soft),
        Some(Admission::Digest { user, .. }) => (format!("digest · {user}"), Tone::Soft),
        Some(Admission::Both { network, user, .. }) => (format!("{network} · {user}"), Tone::Soft),
        Some(Admission::TestCall) => ("this console".to_owned(), Tone::Soft),
        None if call.state == CallState::Refused => {
            (call.ended.as_ref().map_or_else(|| "nobody".to_owned(), |e| e.reason.clone()), Tone::Wrong)
        }
        None => ("—".to_owned(), Tone::Faint),
    }
}

/// What stands at the top right of the table.
pub fn unlisted(state: &State) -> Option<String> {
    (state.unlisted > 0).then(|| format!("{} new", state.unlisted))
}
