//! All calls of the window by id, with what is searched of each: made when a record is new, kept as long as it is the same.

use std::{collections::HashMap, sync::Arc};

use super::{data::customer_call_id, headers::HeaderValues};
use crate::{
    console::search::{Search, text_of},
    model::{CallId, CallRecord, Snapshot},
};

#[derive(Default)]
pub struct Book {
    /// In the snapshot's order: oldest first.
    entries: Vec<Entry>,
    by_id: HashMap<CallId, usize>,
    /// By the customer leg's Call-ID: the bridge's record, and the record of the call that this console placed.
    by_sip_call_id: HashMap<Arc<str>, Sides>,
    /// By the Call-IDs of other legs.
    by_leg: HashMap<Box<str>, CallId>,
    /// Grows with each change.
    version: u64,
    live: usize,
    any_live: bool,
    search: String,
    /// What it was made of: shared, never changed.
    of: Option<Arc<[Arc<CallRecord>]>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sides {
    bridge: Option<CallId>,
    caller: Option<CallId>,
}

pub struct Entry {
    pub record: Arc<CallRecord>,
    /// What a word is looked for in, in lower case.
    text: Box<str>,
    sip_call_id: Option<Arc<str>>,
    pub headers: HeaderValues,
    matches: bool,
}

impl Entry {
    fn new(record: &Arc<CallRecord>, search: &Search) -> Self {
        let text = text_of(record);
        let matches = search.matches(record, &text);
        Self {
            record: record.clone(),
            text: text.into(),
            sip_call_id: customer_call_id(record).map(Into::into),
            headers: HeaderValues::default(),
            matches,
        }
    }
}

impl Book {
    /// Takes a snapshot in; what did not change costs a look at its address.
    pub fn refresh(&mut self, snapshot: &Snapshot, search: &str) {
        let is_other = self.search != search;
        if !is_other && self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, &snapshot.calls)) {
            return;
        }
        self.of = Some(snapshot.calls.clone());
        let parsed = Search::parse(search);
        if is_other {
            search.clone_into(&mut self.search);
            for entry in &mut self.entries {
                entry.matches = parsed.matches(&entry.record, &entry.text);
            }
            self.version += 1;
        }
        let mut changed = false;
        let same_ids = self.entries.len() == snapshot.calls.len()
            && self
                .entries
                .iter()
                .zip(snapshot.calls.iter())
                .all(|(entry, record)| Arc::ptr_eq(&entry.record, record) || entry.record.id == record.id);
        if same_ids {
            for (entry, record) in self.entries.iter_mut().zip(snapshot.calls.iter()) {
                if !Arc::ptr_eq(&entry.record, record) {
                    let known = entry.record.legs.len();
                    *entry = Entry::new(record, &parsed);
                    changed = true;
                    if known != record.legs.len() {
                        Self::file(&mut self.by_sip_call_id, &mut self.by_leg, entry);
                    }
                }
            }
        } else {
            self.rebuild(snapshot, &parsed);
            changed = true;
        }
        if changed {
            self.version += 1;
            let running = self.entries.iter().filter(|entry| !entry.record.state.is_final());
            let (placed, own): (Vec<_>, Vec<_>) = running.partition(|entry| entry.record.test_call);
            (self.live, self.any_live) = (own.len(), !own.is_empty() || !placed.is_empty());
        }
    }

    fn rebuild(&mut self, snapshot: &Snapshot, search: &Search) {
        let mut old: Vec<Option<Entry>> = std::mem::take(&mut self.entries).into_iter().map(Some).collect();
        self.entries = Vec::with_capacity(snapshot.calls.len());
        for record in snapshot.calls.iter() {
            let known = self.by_id.get(&record.id).and_then(|at| old.get_mut(*at)).and_then(Option::take);
            let entry = known.filter(|entry| Arc::ptr_eq(&entry.record, record)).unwrap_or_else(|| Entry::new(record, search));
            self.entries.push(entry);
        }
        self.by_id = self.entries.iter().enumerate().map(|(at, entry)| (entry.record.id, at)).collect();
        self.by_sip_call_id.clear();
        self.by_leg.clear();
        for entry in &self.entries {
            Self::file(&mut self.by_sip_call_id, &mut self.by_leg, entry);
        }
    }

    /// The newest of each side is the one.
    fn file(sides: &mut HashMap<Arc<str>, Sides>, legs: &mut HashMap<Box<str>, CallId>, entry: &Entry) {
        for leg in entry.record.legs.iter().skip(1) {
            legs.insert(leg.opened.sip_call_id.as_str().into(), entry.record.id);
        }
        let Some(id) = &entry.sip_call_id else { return };
        let sides = sides.entry(id.clone()).or_default();
        let side = if entry.record.test_call { &mut sides.caller } else { &mut sides.bridge };
        *side = Some(entry.record.id);
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// Calls of the bridge that are not over.
    pub fn live(&self) -> usize {
        self.live
    }

    /// Whether any goes on, placed ones too.
    pub fn any_live(&self) -> bool {
        self.any_live
    }

    pub fn find(&self, id: CallId) -> Option<&CallRecord> {
        self.entry(id).map(|entry| &*entry.record)
    }

    pub fn entry(&self, id: CallId) -> Option<&Entry> {
        self.entries.get(*self.by_id.get(&id)?)
    }

    pub fn entry_mut(&mut self, id: CallId) -> Option<&mut Entry> {
        self.entries.get_mut(*self.by_id.get(&id)?)
    }

    /// The call with that Call-ID: the bridge's, else the one that was placed with it, else one with such a leg.
    pub fn of_sip_call_id(&self, id: &str) -> Option<CallId> {
        let sides = self.by_sip_call_id.get(id).copied().unwrap_or_default();
        sides.bridge.or(sides.caller).or_else(|| self.by_leg.get(id).copied())
    }

    /// The bridge's and the customer's record of one call, where both are here.
    pub fn both_sides(&self, id: CallId) -> Option<(CallId, CallId)> {
        let sides = self.by_sip_call_id.get(self.entry(id)?.sip_call_id.as_deref()?)?;
        Some((sides.bridge?, sides.caller?))
    }

    /// What is listed, oldest first: calls that this console placed to its own bridge are here twice, and the bridge's
    /// record is the one.
    pub fn matching(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.matches && !self.is_twin(entry))
    }

    fn is_twin(&self, entry: &Entry) -> bool {
        let sides = || self.by_sip_call_id.get(entry.sip_call_id.as_deref()?);
        entry.record.test_call && sides().is_some_and(|sides| sides.bridge.is_some())
    }

    /// Those in whose text all words stand, the newest first; words are in lower case.
    pub fn holding<'a>(&'a self, words: &'a [&'a str]) -> impl Iterator<Item = &'a Arc<CallRecord>> {
        let holds = |entry: &&Entry| words.iter().all(|word| memchr::memmem::find(entry.text.as_bytes(), word.as_bytes()).is_some());
        self.entries.iter().rev().filter(|entry| !self.is_twin(entry)).filter(holds).map(|entry| &entry.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        console::{
            Backend as _,
            sample::{self, PLACED, PLACED_BRIDGE, RETURNING, SampleBackend},
        },
        model::Command,
    };

    #[test]
    fn only_what_changed_is_made_anew() {
        let backend = SampleBackend::filled();
        let mut book = Book::default();
        book.refresh(&backend.snapshot(), "");
        let (version, count) = (book.version(), book.matching().count());
        book.refresh(&backend.snapshot(), "");
        assert_eq!((book.version(), count, book.live()), (version, 6, 3));
        backend.command(Command::PlaceTestCall { call: Box::default() });
        book.refresh(&backend.snapshot(), "");
        assert_eq!(book.both_sides(PLACED), Some((PLACED_BRIDGE, PLACED)));
        assert_eq!(book.matching().count(), 7, "a call that is here twice is listed once");
        backend.change(sample::finish_placed);
        book.refresh(&backend.snapshot(), "");
        assert!(book.version() > version && book.find(PLACED).unwrap().state.is_final());
        book.refresh(&backend.snapshot(), "conv-12345 state:returning");
        assert_eq!(book.matching().map(|e| e.record.id).collect::<Vec<_>>(), [RETURNING]);
        assert_eq!(book.of_sip_call_id("call-12345@your-sbc.example.com"), Some(RETURNING));
        assert_eq!(book.holding(&["john doe", "conv-12344"]).count(), 1);
        assert!(book.find(CallId(1)).is_none());
    }
}
