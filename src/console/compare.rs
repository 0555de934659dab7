//! Comparing within the window: which two messages, and what differs between them, made when one of them changes.

use std::sync::Arc;

use super::{
    app::App,
    panels::{
        compare::{
            Act, CompareView,
            data::{Comparison, Suggestion, compare, suggestions},
        },
        message::data::route,
    },
    state::{MessageTab, Place},
    text,
    wire_text::MessageView,
};
use crate::model::{CallId, CallRecord};

#[derive(Default)]
pub(super) struct Comparing {
    /// The pinned and the shown message that `comparison` is of.
    of: Option<(u64, u64)>,
    comparison: Option<Comparison>,
    /// The shown message and how many its call had when suggestions were looked for.
    suggested_for: Option<(u64, usize)>,
    suggestions: Vec<Suggestion>,
    pinned: Option<String>,
    shown: String,
}

impl Comparing {
    pub fn view<'a>(&'a self, state: &'a super::panels::compare::State) -> CompareView<'a> {
        CompareView {
            state,
            pinned: self.pinned.as_deref(),
            shown: &self.shown,
            comparison: self.comparison.as_ref(),
            suggestions: &self.suggestions,
        }
    }
}

impl App {
    /// The message that the inspector shows, with its call.
    fn inspected(&self) -> Option<(&MessageView, Option<CallId>)> {
        if self.state.place == Place::Messages {
            return self.messages.inspected();
        }
        let number = self.shown_message()?;
        let view = self.chosen.views.all().iter().find(|view| view.number == number)?;
        Some((view, self.state.call))
    }

    pub(super) fn drain_compare(&mut self) {
        if self.state.message_tab != MessageTab::Compare {
            return;
        }
        let mut comparing = std::mem::take(&mut self.comparing);
        if let Some((shown, call)) = self.inspected() {
            let record = call.and_then(|id| self.book.find(id));
            self.suggest(&mut comparing, shown, record);
            let pinned = self.state.compare.pinned.as_ref();
            let of = pinned.filter(|pinned| pinned.view.number != shown.number).map(|pinned| (pinned.view.number, shown.number));
            if comparing.of != of || pinned.is_none() {
                comparing.comparison = pinned.filter(|_| of.is_some()).map(|pinned| compare(&pinned.view, shown));
                comparing.of = of;
            }
            comparing.pinned = pinned.map(|pinned| self.words(&pinned.view, &pinned.route));
            comparing.shown = self.words(shown, &route(record, shown));
        }
        self.comparing = comparing;
    }

    fn words(&self, view: &MessageView, route: &str) -> String {
        format!("{} · {route} · {}", view.title, text::clock_millis(view.at, &self.options.zone))
    }

    fn suggest(&self, comparing: &mut Comparing, shown: &MessageView, record: Option<&CallRecord>) {
        let Some(record) = record else {
            comparing.suggestions.clear();
            return;
        };
        let all = self.chosen.views.all();
        let is_chosen = self.state.call == Some(record.id);
        let key = Some((shown.number, if is_chosen { all.len() } else { 0 }));
        if comparing.suggested_for == key {
            return;
        }
        comparing.suggested_for = key;
        comparing.suggestions =
            if is_chosen { suggestions(record, shown, all) } else { suggestions(record, shown, &self.views_of(record.id)) };
    }

    fn views_of(&self, call: CallId) -> Vec<MessageView> {
        self.backend.messages(call).iter().take(MOST_LOOKED_AT).map(MessageView::new).collect()
    }

    pub(super) fn apply_compare(&mut self, act: &Act) {
        match act {
            Act::Pin => self.state.compare.pinned = self.pin(None),
            Act::With(number) => self.state.compare.pinned = self.pin(Some(*number)),
            Act::Unpin => self.state.compare.pinned = None,
            Act::ShowAll(all) => self.state.compare.all = *all,
        }
        self.state.message_tab = MessageTab::Compare;
    }

    /// The shown message, or another one of its call.
    fn pin(&self, number: Option<u64>) -> Option<super::panels::compare::Pinned> {
        let (shown, call) = self.inspected()?;
        let record = call.and_then(|id| self.book.find(id));
        let view = match number {
            None => shown.clone(),
            Some(number) => match self.chosen.views.all().iter().find(|view| view.number == number) {
                Some(view) => view.clone(),
                None => self.views_of(call?).into_iter().find(|view| view.number == number)?,
            },
        };
        Some(super::panels::compare::Pinned { route: route(record, &view), view: Arc::new(view) })
    }
}

/// Messages of a call among which others are suggested.
const MOST_LOOKED_AT: usize = 400;
