//! Values of any header in the table of calls: read from a call's first INVITE, a few calls a frame.

use std::sync::Arc;

use super::book::Book;
use crate::{
    console::{
        Backend,
        wire_text::{Kind, MessageView, long_name},
    },
    model::CallId,
};

/// What the header columns say of one call; `None` before its messages were looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeaderValues {
    /// Which columns they are of.
    of: u64,
    values: Option<Vec<Option<Arc<str>>>>,
}

impl HeaderValues {
    /// The value of the header column number `index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        self.values.as_ref()?.get(index)?.as_deref()
    }
}

/// Looks at the messages of calls that were not looked at yet; tells whether there are more.
pub fn read_headers(book: &mut Book, backend: &dyn Backend, listed: &[CallId], names: &[String], version: u64) -> bool {
    if names.is_empty() {
        return false;
    }
    let is_unread = |id: &&CallId| book.entry(**id).is_some_and(|entry| entry.headers.of != version || entry.headers.values.is_none());
    let unread: Vec<CallId> = listed.iter().filter(is_unread).take(AT_ONCE).copied().collect();
    for id in &unread {
        let values = values(backend, *id, names);
        if let Some(entry) = book.entry_mut(*id) {
            entry.headers = HeaderValues { of: version, values: Some(values) };
        }
    }
    unread.len() == AT_ONCE
}

fn values(backend: &dyn Backend, id: CallId, names: &[String]) -> Vec<Option<Arc<str>>> {
    let messages = backend.messages(id);
    let invite = messages.iter().find(|message| message.bytes.starts_with(b"INVITE ")).map(MessageView::new);
    let invite = invite.filter(|view| matches!(view.kind, Kind::Request(_)));
    let value = |name: &String| -> Option<Arc<str>> {
        let headers = &invite.as_ref()?.headers;
        headers.iter().find(|(is, _)| long_name(is).eq_ignore_ascii_case(long_name(name))).map(|(_, value)| value.as_str().into())
    };
    names.iter().map(value).collect()
}

/// Calls whose messages are looked at in one frame: a fraction of a millisecond.
const AT_ONCE: usize = 32;
