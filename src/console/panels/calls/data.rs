//! What stands in a row of the table of calls.

use jiff::tz::TimeZone;

use super::{
    book::Entry,
    columns::{Columns, Kind},
};
#[cfg(test)]
use crate::model::{CallId, Snapshot};
use crate::{
    console::{
        panels::media::data::tone_of,
        state::State,
        text::{self, grouped},
        theme::{Leg, Tone},
        widgets::{Cell, TableRow},
    },
    model::{Admission, CallRecord, CallState, LegRole, Severity, Timestamp},
};

#[cfg(test)]
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

pub fn row(entry: &Entry, columns: &Columns, now: Timestamp, zone: &TimeZone, chosen: bool) -> TableRow {
    let call = &*entry.record;
    let (state, _) = state_of(call);
    let or_dash = |value: Option<&str>| value.unwrap_or("—").to_owned();
    let (task, conversation) = (or_dash(call.context.task_name.as_deref()), or_dash(call.context.ext_conversation_id.as_deref()));
    let name = format!("{} {state} {} {task} {conversation}", text::clock(call.started_at, zone), text::short_uri(&call.from));
    let mut headers = 0;
    let cells = columns.shown.iter().map(|shown| {
        let header = matches!(shown.kind, Kind::Header(_)).then(|| {
            headers += 1;
            entry.headers.get(headers - 1)
        });
        cell(call, &shown.kind, header.flatten(), now, zone)
    });
    TableRow { cells: cells.collect(), name, chosen }
}

fn cell(call: &CallRecord, kind: &Kind, header: Option<&str>, now: Timestamp, zone: &TimeZone) -> Cell {
    let dash = || Cell::Text("—".to_owned(), Tone::Faint);
    match kind {
        Kind::Started => Cell::Wire(text::clock(call.started_at, zone), Tone::Soft),
        Kind::State => {
            let (state, tone) = state_of(call);
            Cell::Pill(state, tone)
        }
        Kind::From => Cell::Text(text::short_uri(&call.from).to_owned(), Tone::Plain),
        Kind::AdmittedBy => {
            let (admitted, tone) = admitted_by(call);
            Cell::Text(admitted, tone)
        }
        Kind::Payload => match call.returns.iter().rev().find_map(|r| r.payload.as_ref()) {
            Some(p) => {
                let tone = if p.dropped.is_empty() { Tone::Soft } else { Tone::Warn };
                Cell::Wire(format!("{} / {}", grouped(p.used as u64), grouped(p.limit as u64)), tone)
            }
            None => dash(),
        },
        Kind::Length => Cell::Wire(text::length(call.ended_at.unwrap_or(now).micros_since(call.started_at)), Tone::Soft),
        Kind::Mos => call.mos().map_or_else(dash, |mos| Cell::Wire(format!("{mos:.2}"), tone_of(mos))),
        Kind::Findings => {
            let of = |severity| call.findings.iter().filter(|f| f.severity == severity).count();
            Cell::Findings { errors: of(Severity::Error), warnings: of(Severity::Warning), notes: of(Severity::Note) }
        }
        Kind::To | Kind::Task | Kind::Peer | Kind::Return | Kind::Outcome => {
            value(call, kind, None).map_or_else(dash, |value| Cell::Text(value.to_owned(), Tone::Soft))
        }
        _ => value(call, kind, header).map_or_else(dash, |value| Cell::Wire(value.to_owned(), Tone::Soft)),
    }
}

/// The text of a column, where the call has one. `header`: the value where the column is a header's.
pub fn value<'a>(call: &'a CallRecord, kind: &Kind, header: Option<&'a str>) -> Option<&'a str> {
    let context = &call.context;
    let filled = |text: &'a str| Some(text).filter(|text| !text.is_empty());
    match kind {
        Kind::From => filled(text::short_uri(&call.from)),
        Kind::To => filled(text::short_uri(&call.to)),
        Kind::Source => filled(&call.source),
        Kind::Peer => call.peer.as_deref(),
        Kind::Task => context.task_name.as_deref(),
        Kind::Conversation => context.ext_conversation_id.as_deref(),
        Kind::Customer => context.customer_id.as_deref(),
        Kind::Return => call.returns.last().map(|r| r.method.name()),
        Kind::Outcome => call.outcome.map(|outcome| outcome.wire()),
        Kind::SipCallId => customer_call_id(call),
        Kind::Input(name) => context.input_variables.get(name).map(String::as_str),
        Kind::Transfer(name) => call.transfer_variables.get(name).map(String::as_str),
        Kind::Reference(name) => call.reference_variables.get(name).map(String::as_str),
        Kind::Header(_) => header,
        Kind::State => Some(state_word(call.state)),
        Kind::AdmittedBy => match &call.admission {
            Some(Admission::Network(network) | Admission::Both { network, .. }) => Some(network),
            Some(Admission::Digest { user, .. }) => Some(user),
            Some(Admission::TestCall) => Some("this console"),
            None => None,
        },
        Kind::Started | Kind::Payload | Kind::Length | Kind::Mos | Kind::Findings => None,
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
    let word = state_word(call.state);
    match call.state {
        CallState::Ringing => (word.to_owned(), Tone::Good),
        CallState::WithAgent => (word.to_owned(), Tone::Of(Leg::Agent)),
        CallState::Returning => (word.to_owned(), Tone::Of(Leg::Return)),
        CallState::Arriving | CallState::Returned | CallState::Ended => (word.to_owned(), Tone::Soft),
        CallState::Refused | CallState::Failed => (format!("{word}{code}"), Tone::Wrong),
    }
}

fn state_word(state: CallState) -> &'static str {
    match state {
        CallState::Arriving => "Arriving",
        CallState::Ringing => "Ringing",
        CallState::WithAgent => "With agent",
        CallState::Returning => "Returning",
        CallState::Returned => "Returned",
        CallState::Ended => "Ended",
        CallState::Refused => "Refused",
        CallState::Failed => "Failed",
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
