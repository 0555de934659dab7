//! Every message of every leg, as the bytes that crossed the wire.
//!
//! Messages are filed by Call-ID, read off the raw bytes, so that what cannot be parsed, what a
//! transaction absorbs and what is answered without state is kept all the same. A call claims its
//! Call-IDs when its legs open; what came before (a challenge, say) is its own then too.
//! Within the memory budget the oldest conversation goes first, and a running call's last.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;

use crate::model::{CallId, CapturedMessage, LegId};

/// The messages kept, of all parties.
pub struct Capture {
    budget: usize,
    used: usize,
    next: u64,
    conversations: HashMap<Key, Conversation>,
    /// Oldest first: (number of the conversation's first message, its key).
    order: BTreeSet<(u64, Key)>,
    calls: HashMap<CallId, Vec<Key>>,
    kept: u64,
}

/// A Call-ID as one party sees it: in a test call both ends of a dialog are in this process.
type Key = (u8, Arc<str>);

struct Conversation {
    messages: Vec<CapturedMessage>,
    bytes: usize,
    owner: Option<(CallId, LegId)>,
    live: bool,
}

impl Capture {
    /// Keeps up to `budget` bytes of messages.
    pub fn new(budget: usize) -> Self {
        Self { budget, used: 0, next: 0, conversations: HashMap::new(), order: BTreeSet::new(), calls: HashMap::new(), kept: 0 }
    }

    /// Keeps one message of `party`. Its number and, where known, its leg are filled in here.
    pub fn keep(&mut self, party: u8, mut message: CapturedMessage) {
        let number = self.next;
        self.next += 1;
        message.number = number;
        let call_id = call_id_of(&message.bytes).unwrap_or_default();
        let key: Key = match self.conversations.get_key_value(&(party, Arc::from(call_id))) {
            Some((key, _)) => key.clone(),
            None => {
                let key: Key = (party, Arc::from(call_id));
                self.order.insert((number, key.clone()));
                key
            }
        };
        let size = message.bytes.len() + OVERHEAD;
        let conversation = self.conversations.entry(key).or_insert_with(|| Conversation {
            messages: Vec::with_capacity(8),
            bytes: 0,
            owner: None,
            live: false,
        });
        message.leg = conversation.owner.map(|(_, leg)| leg);
        message.retransmission = message.retransmission
            || conversation.messages.iter().rev().take(LOOK_BACK).any(|m| m.direction == message.direction && m.bytes == message.bytes);
        // One conversation may not push everything else out.
        if conversation.bytes + size > self.budget / 4 {
            return;
        }
        conversation.messages.push(message);
        conversation.bytes += size;
        self.used += size;
        self.kept += 1;
        self.evict();
    }

    /// `call` takes the Call-ID as its own leg; what was captured before belongs to it too.
    pub fn claim(&mut self, party: u8, sip_call_id: &str, call: CallId, leg: LegId) {
        let key: Key = (party, Arc::from(sip_call_id));
        let number = self.next;
        if !self.conversations.contains_key(&key) {
            self.order.insert((number, key.clone()));
            self.next += 1;
        }
        let conversation = self.conversations.entry(key.clone()).or_insert_with(|| Conversation {
            messages: Vec::with_capacity(8),
            bytes: 0,
            owner: None,
            live: true,
        });
        conversation.owner = Some((call, leg));
        conversation.live = true;
        for message in &mut conversation.messages {
            message.leg = Some(leg);
        }
        let keys = self.calls.entry(call).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }

    /// The call is over: its messages may go when room is needed.
    pub fn release(&mut self, call: CallId) {
        for key in self.calls.get(&call).into_iter().flatten() {
            if let Some(conversation) = self.conversations.get_mut(key) {
                conversation.live = false;
            }
        }
    }

    /// The call is no longer shown: its messages go now.
    pub fn forget(&mut self, call: CallId) {
        for key in self.calls.remove(&call).into_iter().flatten() {
            self.remove(&key);
        }
    }

    /// All messages of a call's legs, in the order in which they crossed the wire.
    pub fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        let keys = self.calls.get(&call).into_iter().flatten();
        let mut messages: Vec<_> = keys.filter_map(|key| self.conversations.get(key)).flat_map(|c| c.messages.iter().cloned()).collect();
        messages.sort_by_key(|m| m.number);
        messages
    }

    /// Messages kept now.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    fn evict(&mut self) {
        while self.used > self.budget {
            let idle = self.order.iter().take(MOST_LIVE_SKIPPED).find(|(_, key)| self.conversations.get(key).is_none_or(|c| !c.live));
            let Some((_, key)) = idle.or_else(|| self.order.first()).cloned() else { return };
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &Key) {
        let Some(gone) = self.conversations.remove(key) else { return };
        self.used -= gone.bytes;
        self.kept -= gone.messages.len() as u64;
        // A claimed Call-ID without messages stands at the number it was claimed with.
        let first = gone.messages.first().map(|m| m.number);
        match first {
            Some(number) if self.order.remove(&(number, key.clone())) => {}
            _ => self.order.retain(|(_, other)| other != key),
        }
    }
}

/// The Call-ID of a message, without parsing it: the first header line of that name, long or compact (RFC 3261 §7.3.3).
pub fn call_id_of(bytes: &Bytes) -> Option<&str> {
    let mut rest: &[u8] = bytes;
    for _ in 0..MOST_LINES {
        let end = memchr::memchr(b'\n', rest)?;
        let line = rest.get(..end)?;
        if let Some(value) = value_of(line) {
            return std::str::from_utf8(value.trim_ascii()).ok();
        }
        if line.trim_ascii().is_empty() && !std::ptr::eq(rest.as_ptr(), bytes.as_ptr()) {
            return None;
        }
        rest = rest.get(end + 1..)?;
    }
    None
}

fn value_of(line: &[u8]) -> Option<&[u8]> {
    let (name, value) = match line.first()? {
        b'c' | b'C' => line.split_at_checked(7)?,
        b'i' | b'I' => line.split_at_checked(1)?,
        _ => return None,
    };
    let colon = value.trim_ascii_start().strip_prefix(b":")?;
    (name.len() == 1 || name.eq_ignore_ascii_case(b"call-id")).then_some(colon)
}

/// What a kept message costs besides its bytes.
const OVERHEAD: usize = 128;
/// How far back a received message is looked for as a retransmission.
const LOOK_BACK: usize = 24;
/// Conversations of running calls that are stepped over in search of an idle one.
const MOST_LIVE_SKIPPED: usize = 10_000;
const MOST_LINES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Timestamp, TransportName};

    fn message(text: &str) -> CapturedMessage {
        let address = "127.0.0.1:5060".parse().expect("an address");
        CapturedMessage {
            number: 0,
            at: Timestamp(0),
            direction: Direction::In,
            leg: None,
            transport: TransportName::Udp,
            local: address,
            remote: address,
            retransmission: false,
            bytes: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    #[test]
    fn a_call_id_is_found_long_and_compact_in_any_case() {
        for text in ["INVITE x SIP/2.0\r\ncall-ID : a@b\r\n\r\n", "\r\nBYE x SIP/2.0\r\nCSeq: 1 BYE\r\ni:a@b\r\n\r\n"] {
            assert_eq!(call_id_of(&Bytes::copy_from_slice(text.as_bytes())), Some("a@b"), "{text}");
        }
        assert_eq!(call_id_of(&Bytes::from_static(b"INVITE x SIP/2.0\r\nVia: y\r\n\r\nCall-ID: body")), None);
    }

    #[test]
    fn what_came_before_the_leg_belongs_to_the_call() {
        let mut capture = Capture::new(1 << 20);
        capture.keep(0, message("INVITE x SIP/2.0\r\nCall-ID: a\r\n\r\n"));
        capture.keep(0, message("INVITE y SIP/2.0\r\nCall-ID: b\r\n\r\n"));
        capture.claim(0, "a", CallId(7), LegId(0));
        capture.keep(0, message("INVITE x SIP/2.0\r\nCall-ID: a\r\n\r\n"));
        let messages = capture.messages(CallId(7));
        assert_eq!(
            messages.iter().map(|m| (m.number, m.leg, m.retransmission)).collect::<Vec<_>>(),
            [(0, Some(LegId(0)), false), (2, Some(LegId(0)), true)]
        );
    }

    #[test]
    fn the_oldest_goes_first_and_a_running_call_last() {
        let mut capture = Capture::new(20 * (OVERHEAD + 40));
        let text = |i: usize| format!("OPTIONS x SIP/2.0\r\nCall-ID: {i:>3}\r\n\r\n");
        capture.keep(0, message(&text(0)));
        capture.claim(0, "0", CallId(1), LegId(0));
        for i in 1..100 {
            capture.keep(0, message(&text(i)));
        }
        assert_eq!(capture.messages(CallId(1)).len(), 1, "the running call's message is still there");
        assert!(capture.kept() <= 21);
        capture.forget(CallId(1));
        assert!(capture.messages(CallId(1)).is_empty());
    }
}
