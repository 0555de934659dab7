//! The messages of one call and its ladder, made anew only where something of this call changed.

use std::sync::Arc;

use super::{
    backend::Backend,
    panels::{
        calls,
        ladder::{
            data::{Ladder, ladder},
            layout::{View, layout},
        },
    },
    past::Past,
    wire_text::{MOST_AT_ONCE, Views},
};
use crate::model::{CallId, CallRecord, CallSound, Timestamp};

#[derive(Default)]
pub(super) struct CallMessages {
    call: Option<CallId>,
    read_at: (u64, u64),
    /// Window time, in tenths of a second, of the last reading and of the last drawing.
    read_tenth: u64,
    drawn_tenth: u64,
    pub views: Views,
    pub ladder: Ladder,
    /// How it sounded so far.
    pub sound: Option<Arc<CallSound>>,
    view: View,
    /// The record that the ladder was made of, by its address: records are shared, never changed.
    record: usize,
    /// There are messages that were not taken apart yet.
    more: bool,
}

/// Where messages come from, and how new that is.
pub(super) struct Source<'a> {
    pub backend: &'a dyn Backend,
    pub past: &'a Past,
    pub book: &'a calls::Book,
    /// Changes when anything may have.
    pub key: (u64, u64),
    pub now: Timestamp,
}

impl CallMessages {
    /// Tells whether there is more to do in the next frame.
    pub fn read(&mut self, source: &Source<'_>, call: Option<CallId>, view: &View) -> bool {
        if self.call != call {
            *self = Self { call, ..Self::default() };
        }
        let Some(record) = call.and_then(|id| source.book.find(id)) else { return false };
        let tenth = source.now.0 / 100_000;
        // A long call's messages are many to look through: a few times a second are enough for it.
        let is_long = self.views.all().len() > LONG;
        let is_stale = self.read_at != source.key && (!is_long || tenth >= self.read_tenth + 3);
        let mut changed = false;
        if is_stale || self.more {
            changed = match source.past.kept(record.id) {
                Some(kept) => self.take(&kept.messages) | (self.sound.is_none() && kept.sound.is_some()),
                None => self.take(&source.backend.messages(record.id)),
            };
            (self.read_at, self.read_tenth) = (source.key, tenth);
        }
        let address = std::ptr::from_ref::<CallRecord>(record) as usize;
        // What still goes on grows.
        let grows = !record.state.is_final() && (tenth > self.drawn_tenth + if is_long { 10 } else { 0 });
        if changed || grows || self.record != address {
            self.sound = match source.past.kept(record.id) {
                Some(kept) => kept.sound.clone(),
                None => source.backend.sound_of(record.id),
            };
            self.ladder = ladder(record, self.views.all(), source.now);
            self.ladder.draw_sound(record, self.sound.as_deref());
            (self.record, self.drawn_tenth) = (address, tenth);
            self.place(view);
        } else if self.view != *view {
            self.place(view);
        }
        self.more || self.read_at != source.key
    }

    fn take(&mut self, messages: &[crate::model::CapturedMessage]) -> bool {
        let changed = self.views.refresh(messages);
        self.more = changed && messages.len() > self.views.all().len();
        debug_assert!(!self.more || messages.len() > MOST_AT_ONCE);
        changed
    }

    fn place(&mut self, view: &View) {
        self.ladder.layout = layout(&self.ladder, view);
        self.view = view.clone();
    }
}

/// Messages from which on a call is long.
const LONG: usize = 2_000;
