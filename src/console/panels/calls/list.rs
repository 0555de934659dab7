//! Which calls are listed and in which order; made anew only when something of that changed.

use std::{cmp::Ordering, collections::HashSet};

use super::{
    book::{Book, Entry},
    columns::{Columns, Kind, Sort},
    data,
};
use crate::{
    console::state::State,
    model::{CallId, Severity, Timestamp},
};

/// What the list was made of last.
#[derive(Default)]
pub struct Listing {
    of: Option<Of>,
}

#[derive(PartialEq)]
struct Of {
    book: u64,
    sort: Option<Sort>,
    reading: bool,
    /// Lengths of running calls grow, and headers come in.
    tick: u64,
}

impl Listing {
    /// Brings the list of `state` up to date. While it is being read nothing moves in it; what is new is counted.
    pub fn refresh(&mut self, state: &mut State, book: &Book, columns: &Columns, now: Timestamp) {
        let grows = |sort: &Sort| match sort.kind {
            Kind::Length => book.any_live(),
            Kind::Header(_) => true,
            _ => false,
        };
        let tick = if columns.sort.as_ref().is_some_and(grows) { now.0 / 1_000_000 } else { 0 };
        let of = Of { book: book.version(), sort: columns.sort.clone(), reading: state.reading, tick };
        if self.of.as_ref() == Some(&of) {
            return;
        }
        // Who sorts wants to see it sorted, reading or not.
        let sorted_anew = self.of.as_ref().is_none_or(|before| before.sort != of.sort);
        let mut wanted = match &of.sort {
            None => book.matching().rev().map(|entry| entry.record.id).collect(),
            Some(sort) => sorted(book, sort, columns, now),
        };
        if state.reading && !sorted_anew {
            let there: HashSet<CallId> = wanted.iter().copied().collect();
            state.listed.retain(|id| there.contains(id));
            let listed: HashSet<CallId> = state.listed.iter().copied().collect();
            state.unlisted = wanted.iter().filter(|id| !listed.contains(id)).count();
        } else {
            std::mem::swap(&mut state.listed, &mut wanted);
            state.unlisted = 0;
        }
        self.of = Some(of);
    }

    /// Makes the list anew next time, whatever it was made of.
    pub fn forget(&mut self) {
        self.of = None;
    }
}

#[derive(PartialEq, PartialOrd)]
enum Key {
    Number(f64),
    Text(String),
    /// Stands last, whichever way one sorts.
    Nothing,
}

fn sorted(book: &Book, sort: &Sort, columns: &Columns, now: Timestamp) -> Vec<CallId> {
    let header = columns.headers().iter().position(|name| sort.kind == Kind::Header(name.clone()));
    let mut keyed: Vec<(Key, CallId)> = book.matching().rev().map(|entry| (key(entry, &sort.kind, header, now), entry.record.id)).collect();
    keyed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Key::Nothing, Key::Nothing) => Ordering::Equal,
        (Key::Nothing, _) => Ordering::Greater,
        (_, Key::Nothing) => Ordering::Less,
        _ => {
            let order = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            if sort.descending { order.reverse() } else { order }
        }
    });
    keyed.into_iter().map(|(_, id)| id).collect()
}

fn key(entry: &Entry, kind: &Kind, header: Option<usize>, now: Timestamp) -> Key {
    let call = &*entry.record;
    match kind {
        Kind::Started => Key::Number(call.started_at.0 as f64),
        Kind::Mos => Key::Number(call.mos().map_or(0.0, f64::from)),
        Kind::Length => Key::Number(call.ended_at.unwrap_or(now).micros_since(call.started_at) as f64),
        Kind::Payload => {
            let payload = call.returns.iter().rev().find_map(|r| r.payload.as_ref());
            payload.map_or(Key::Nothing, |payload| Key::Number(payload.used as f64))
        }
        Kind::Findings => {
            let of = |severity| call.findings.iter().filter(|f| f.severity == severity).count() as f64;
            Key::Number(of(Severity::Error) * 1e6 + of(Severity::Warning) * 1e3 + of(Severity::Note))
        }
        _ => match data::value(call, kind, header.and_then(|at| entry.headers.get(at))) {
            Some(text) => Key::Text(text.to_lowercase()),
            None => Key::Nothing,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::{Backend as _, sample::SampleBackend};

    fn order(by: &Kind, descending: bool) -> Vec<u64> {
        let backend = SampleBackend::filled();
        let (mut book, mut state, mut listing) = (Book::default(), State::default(), Listing::default());
        book.refresh(&backend.snapshot(), "");
        let columns = Columns { sort: Some(Sort { kind: by.clone(), descending }), ..Columns::default() };
        listing.refresh(&mut state, &book, &columns, backend.snapshot().at);
        state.listed.iter().map(|id| id.0).collect()
    }

    #[test]
    fn calls_are_sorted_by_any_column_and_those_without_a_value_stand_last() {
        assert_eq!(order(&Kind::Payload, false), [12_343, 12_344, 12_345, 12_352, 12_346, 12_342]);
        assert_eq!(order(&Kind::Payload, true), [12_345, 12_344, 12_343, 12_352, 12_346, 12_342]);
        assert_eq!(order(&Kind::Started, false), [12_342, 12_343, 12_344, 12_346, 12_345, 12_352]);
        assert_eq!(order(&Kind::Task, false)[..2], [12_346, 12_352], "billing_help before call_routing");
        assert_eq!(order(&Kind::Findings, true)[0], 12_343);
        assert_eq!(order(&Kind::Transfer("next_action".to_owned()), true)[0], 12_345);
    }
}
