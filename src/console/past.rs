//! Past calls in the window: pages of them join the live ones, and the search narrows both.

use std::{collections::HashSet, sync::Arc};

use super::{
    app::App,
    backend::{CommandTicket, Kept, PastAnswer, PastAsk},
    search::Search,
    state::Notice,
};
use crate::model::{CallFilter, CallId, CallPlace, CallRecord, Snapshot};

/// What of the past was read.
#[derive(Default)]
pub(super) struct Past {
    /// The newest first.
    calls: Vec<Arc<CallRecord>>,
    next: Option<CallPlace>,
    /// What the pages were asked with; `None` before the first.
    filter: Option<CallFilter>,
    asked: Option<CommandTicket>,
    /// What is kept of the past call that was chosen last.
    kept: Option<(CallId, Kept)>,
    kept_asked: Option<CallId>,
    /// Counts what came, so that what is made of it is made anew.
    pub(super) came: u64,
    /// What the list was made for last.
    listed: (u64, String),
}

impl Past {
    /// Nothing was read yet.
    pub fn anew(came: u64) -> Self {
        Self { came, ..Self::default() }
    }

    pub fn has_older(&self) -> bool {
        self.next.is_some()
    }

    pub fn is_reading(&self) -> bool {
        self.asked.is_some()
    }

    /// The messages and the sound of this past call, once they were read.
    pub fn kept(&self, call: CallId) -> Option<&Kept> {
        self.kept.as_ref().filter(|(of, _)| *of == call).map(|(_, kept)| kept)
    }

    /// Past calls before the live ones, in the order of a snapshot: oldest first.
    pub fn joined(&self, live: &Arc<Snapshot>) -> Arc<Snapshot> {
        if self.calls.is_empty() {
            return live.clone();
        }
        let past: HashSet<CallId> = self.calls.iter().map(|call| call.id).collect();
        let both: HashSet<CallId> = live.calls.iter().map(|call| call.id).filter(|id| past.contains(id)).collect();
        let past = self.calls.iter().rev().filter(|call| !both.contains(&call.id)).cloned();
        Arc::new(Snapshot { calls: past.chain(live.calls.iter().cloned()).collect(), ..(**live).clone() })
    }
}

impl App {
    /// Takes what was read, and asks for the first page of another search.
    pub(super) fn drain_past(&mut self) {
        for (ticket, answer) in self.backend.take_past() {
            match answer {
                PastAnswer::Page(page) if self.past.asked == Some(ticket) => {
                    self.past.asked = None;
                    self.past.next = page.next;
                    self.past.calls.extend(page.calls.into_iter().map(|past| Arc::new(past.record)));
                    self.past.came += 1;
                }
                PastAnswer::Page(_) => {}
                PastAnswer::Kept(call, kept) => {
                    self.past.kept = Some((call, kept));
                    self.past.came += 1;
                }
                PastAnswer::Failed(why) => {
                    self.past.asked = self.past.asked.filter(|asked| *asked != ticket);
                    self.state.notice = Some(Notice { text: why, wrong: true });
                }
            }
        }
        let filter = Search::parse(&self.state.search).filter;
        if self.past.filter.as_ref() != Some(&filter) {
            let came = self.past.came + 1;
            self.past = Past::anew(came);
            self.ask_page(filter, None);
        }
    }

    /// A list that is being read stays still, but not when its reader searches or asks for more.
    pub(super) fn keep_list_still_unless_asked(&mut self) {
        if self.past.listed != (self.past.came, self.state.search.clone()) {
            self.past.listed = (self.past.came, self.state.search.clone());
            self.state.reading = false;
        }
    }

    /// The next page of what is searched.
    pub(super) fn show_older(&mut self) {
        if let (Some(next), Some(filter), None) = (self.past.next, self.past.filter.clone(), self.past.asked) {
            self.ask_page(filter, Some(next));
        }
    }

    fn ask_page(&mut self, filter: CallFilter, before: Option<CallPlace>) {
        self.past.asked = self.backend.ask_past(PastAsk::Page { filter: Box::new(filter.clone()), before, most: PAGE });
        self.past.filter = Some(filter);
    }

    /// What is kept of a past call is asked for once it is chosen.
    pub(super) fn ask_past_kept(&mut self) {
        let Some(call) = self.state.call else { return };
        if self.past.kept_asked != Some(call) && self.past.calls.iter().any(|past| past.id == call) && !self.is_live(call) {
            self.past.kept_asked = Some(call);
            self.backend.ask_past(PastAsk::Kept(call));
        }
    }

    fn is_live(&self, call: CallId) -> bool {
        self.live.calls.iter().any(|live| live.id == call)
    }
}

/// Calls that are read at once.
const PAGE: usize = 200;
