//! Every message of every leg, as the bytes that crossed the wire.
//!
//! Messages are filed by Call-ID, read off the raw bytes, so that what cannot be parsed, what a
//! transaction absorbs and what is answered without state is kept all the same. A call claims its
//! Call-IDs when its legs open; what came before (a challenge, say) is its own then too.
//! Within the memory budget the oldest conversation goes first, and a running call's last.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
};

use bytes::Bytes;

use crate::model::{CallId, CapturedMessage, LegId, LoggedMessage, Timestamp};

/// The messages kept, of all parties.
pub struct Capture {
    budget: usize,
    used: usize,
    kept: u64,
    next: u64,
    /// By party, since in a test call both ends of a dialog are in this process; then by Call-ID.
    conversations: Vec<HashMap<Arc<str>, Conversation>>,
    /// Oldest first: the number that the conversation began with, and its key.
    order: BTreeMap<u64, Key>,
    calls: HashMap<CallId, Vec<Key>>,
    /// The conversation of each message in the order in which they came, for readers of everything; the oldest go first.
    log: VecDeque<(u64, Key)>,
    /// Calls that were over and got messages all the same (a BYE again, whose answer was lost), each with the last one's time.
    late: HashMap<CallId, Timestamp>,
}

type Key = (u8, Arc<str>);

struct Conversation {
    id: Arc<str>,
    /// Its key in [`Capture::order`].
    first: u64,
    messages: Vec<CapturedMessage>,
    bytes: usize,
    /// Legs that have this Call-ID: two where the party calls itself (a test call's return point).
    owners: Vec<Owner>,
    live: bool,
}

struct Owner {
    call: CallId,
    leg: LegId,
    remote: SocketAddr,
}

impl Capture {
    /// Keeps up to `budget` bytes of messages.
    pub fn new(budget: usize) -> Self {
        Self {
            budget,
            used: 0,
            kept: 0,
            next: 0,
            conversations: Vec::new(),
            order: BTreeMap::new(),
            calls: HashMap::new(),
            log: VecDeque::new(),
            late: HashMap::new(),
        }
    }

    /// Keeps one message of `party`. Its number and, where known, its leg are filled in here.
    pub fn keep(&mut self, party: u8, mut message: CapturedMessage) {
        message.number = self.number();
        let bytes = message.bytes.clone();
        let budget = self.budget;
        let number = message.number;
        let conversation = self.conversation(party, call_id_of(&bytes).unwrap_or_default(), number);
        let owner = conversation.owner_of(&message).map(|owner| (owner.call, owner.leg));
        message.leg = owner.map(|(_, leg)| leg);
        message.retransmission = message.retransmission || conversation.holds(&message);
        let late = owner.filter(|_| !conversation.live).map(|(call, _)| (call, message.at));
        let size = bytes.len() + OVERHEAD;
        // One conversation may not push everything else out.
        if conversation.bytes + size > budget / 4 {
            return;
        }
        conversation.messages.push(message);
        conversation.bytes += size;
        let key = (party, conversation.id.clone());
        self.late.extend(late);
        self.used += size;
        self.kept += 1;
        if self.log.len() >= MOST_LOGGED {
            self.log.pop_front();
        }
        self.log.push_back((number, key));
        self.evict();
    }

    /// Keeps up to `budget` bytes from now on.
    pub fn set_budget(&mut self, budget: usize) {
        self.budget = budget;
        self.evict();
    }

    /// Up to `most` messages that are kept of all calls and of none, with numbers from `from` on, in order; and the number to
    /// go on from, which is `from` where there are no more.
    pub fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        let start = self.log.partition_point(|(number, _)| *number < from);
        let mut messages = Vec::new();
        let mut next = from;
        for (number, key) in self.log.range(start..).take(most) {
            next = number + 1;
            let Some(conversation) = self.filed(key) else { continue };
            let Ok(index) = conversation.messages.binary_search_by_key(number, |m| m.number) else { continue };
            let Some(message) = conversation.messages.get(index) else { continue };
            let call = conversation.owner_of(message).map(|owner| owner.call);
            messages.push(LoggedMessage { call, message: message.clone() });
        }
        (messages, next)
    }

    /// `call` takes the Call-ID as its own leg; what was captured before belongs to it too.
    pub fn claim(&mut self, party: u8, sip_call_id: &str, remote: SocketAddr, call: CallId, leg: LegId) {
        let number = self.number();
        let conversation = self.conversation(party, sip_call_id, number);
        conversation.owners.push(Owner { call, leg, remote });
        conversation.live = true;
        let mut messages = std::mem::take(&mut conversation.messages);
        for message in &mut messages {
            message.leg = conversation.owner_of(message).map(|owner| owner.leg);
        }
        conversation.messages = messages;
        let keys = self.calls.entry(call).or_default();
        if !keys.iter().any(|(p, id)| *p == party && &**id == sip_call_id) {
            keys.push((party, sip_call_id.into()));
        }
    }

    /// The call of another party that has this Call-ID: the other end of the same dialog.
    pub fn other_end(&self, party: u8, sip_call_id: &str) -> Option<CallId> {
        let others = (0_u8..).zip(&self.conversations).filter(|(other, _)| *other != party);
        others.filter_map(|(_, conversations)| conversations.get(sip_call_id)?.owners.first()).map(|owner| owner.call).next()
    }

    /// The call is over: its messages may go when room is needed.
    pub fn release(&mut self, call: CallId) {
        for (party, id) in self.calls.get(&call).into_iter().flatten() {
            if let Some(conversation) = self.conversations.get_mut(usize::from(*party)).and_then(|c| c.get_mut(id)) {
                conversation.live = false;
            }
        }
    }

    /// The call is no longer shown: its messages go now.
    pub fn forget(&mut self, call: CallId) {
        self.late.remove(&call);
        for key in self.calls.remove(&call).into_iter().flatten() {
            self.remove(&key);
        }
    }

    /// Whether all that was kept of the call's legs is still there: the oldest conversations go when room is needed.
    pub fn is_whole(&self, call: CallId) -> bool {
        let mut keys = self.calls.get(&call).into_iter().flatten();
        keys.all(|key| self.filed(key).is_some_and(|conversation| conversation.owners.iter().any(|owner| owner.call == call)))
    }

    /// Whether a call that was over has got messages that [`Capture::take_late`] has not told of.
    pub fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// The calls that were over and got messages all the same, where the last one came before that.
    pub fn take_late(&mut self, before: Timestamp) -> Vec<CallId> {
        self.late.extract_if(|_, last| *last < before).map(|(call, _)| call).collect()
    }

    /// All messages of a call's legs, in the order in which they crossed the wire.
    pub fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        let keys = self.calls.get(&call).into_iter().flatten();
        let conversations = keys.filter_map(|key| self.filed(key));
        let mut messages = Vec::with_capacity(conversations.clone().map(|conversation| conversation.messages.len()).sum());
        for conversation in conversations {
            let of_call = |message: &&CapturedMessage| conversation.owner_of(message).is_some_and(|owner| owner.call == call);
            messages.extend(conversation.messages.iter().filter(of_call).cloned());
        }
        messages.sort_by_key(|m| m.number);
        messages
    }

    /// Messages kept now.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn filed(&self, (party, id): &Key) -> Option<&Conversation> {
        self.conversations.get(usize::from(*party))?.get(id)
    }

    /// The conversation of that Call-ID; a new one is filed under `number`.
    fn conversation(&mut self, party: u8, call_id: &str, number: u64) -> &mut Conversation {
        let index = usize::from(party);
        if self.conversations.len() <= index {
            self.conversations.resize_with(index + 1, HashMap::new);
        }
        let conversations = &mut self.conversations[index];
        if !conversations.contains_key(call_id) {
            let id: Arc<str> = call_id.into();
            self.order.insert(number, (party, id.clone()));
            conversations.insert(id.clone(), Conversation::new(number, id));
        }
        conversations.get_mut(call_id).expect("it was there, or has just been made")
    }

    fn evict(&mut self) {
        while self.used > self.budget {
            let live = |key: &Key| self.filed(key).is_some_and(|conversation| conversation.live);
            let idle = self.order.values().take(MOST_LIVE_SKIPPED).find(|key| !live(key));
            let Some(key) = idle.or_else(|| self.order.values().next()).cloned() else { return };
            self.remove(&key);
        }
    }

    fn remove(&mut self, (party, id): &Key) {
        let Some(gone) = self.conversations.get_mut(usize::from(*party)).and_then(|c| c.remove(id)) else { return };
        self.order.remove(&gone.first);
        self.used -= gone.bytes;
        self.kept -= gone.messages.len() as u64;
    }
}

impl Conversation {
    fn new(first: u64, id: Arc<str>) -> Self {
        Self { id, first, messages: Vec::with_capacity(4), bytes: 0, owners: Vec::new(), live: false }
    }

    /// Whose message it is. A socket at a leg's remote address sees the other side's copy, not the leg's:
    /// the customer's side calls its own return point, and its ladder shows each message once.
    fn owner_of(&self, message: &CapturedMessage) -> Option<&Owner> {
        let exact = self.owners.iter().find(|owner| owner.remote == message.remote && owner.remote != message.local);
        exact
            .or_else(|| self.owners.iter().find(|owner| owner.remote != message.local))
            .or_else(|| self.owners.first().filter(|_| message.local == message.remote))
    }

    /// Whether the same bytes went the same way not long before.
    fn holds(&self, message: &CapturedMessage) -> bool {
        self.messages.iter().rev().take(LOOK_BACK).any(|m| m.direction == message.direction && m.bytes == message.bytes)
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
/// Messages that readers of everything find, as long as they are kept; 32 bytes each.
const MOST_LOGGED: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, TransportName};

    fn peer() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 5070))
    }

    fn message(text: &str) -> CapturedMessage {
        CapturedMessage {
            number: 0,
            at: Timestamp(0),
            direction: Direction::In,
            leg: None,
            transport: TransportName::Udp,
            local: SocketAddr::from(([127, 0, 0, 1], 5060)),
            remote: peer(),
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
        capture.claim(0, "a", peer(), CallId(7), LegId(0));
        capture.keep(0, message("INVITE x SIP/2.0\r\nCall-ID: a\r\n\r\n"));
        let messages = capture.messages(CallId(7));
        assert_eq!(
            messages.iter().map(|m| (m.number, m.leg, m.retransmission)).collect::<Vec<_>>(),
            [(0, Some(LegId(0)), false), (3, Some(LegId(0)), true)]
        );
    }

    #[test]
    fn what_comes_after_the_end_is_told_of_once_and_when_no_more_comes() {
        let mut capture = Capture::new(1 << 20);
        let bye = |at| CapturedMessage { at: Timestamp(at), ..message("BYE x SIP/2.0\r\nCall-ID: a\r\n\r\n") };
        capture.claim(0, "a", peer(), CallId(7), LegId(0));
        capture.keep(0, bye(1));
        capture.release(CallId(7));
        assert!(!capture.has_late());
        capture.keep(0, bye(5));
        capture.keep(0, bye(9));
        assert_eq!((capture.has_late(), capture.take_late(Timestamp(9))), (true, Vec::new()));
        assert_eq!((capture.take_late(Timestamp(10)), capture.has_late()), (vec![CallId(7)], false));
        assert_eq!(capture.messages(CallId(7)).len(), 3);
    }

    #[test]
    fn a_call_is_whole_until_one_of_its_legs_has_gone() {
        let mut capture = Capture::new(20 * (OVERHEAD + 40));
        let text = |id: &str| format!("OPTIONS x SIP/2.0\r\nCall-ID: {id}\r\n\r\n");
        for (id, leg) in [("a", LegId(0)), ("b", LegId(1))] {
            capture.claim(0, id, peer(), CallId(7), leg);
            capture.keep(0, message(&text(id)));
        }
        capture.release(CallId(7));
        assert!(capture.is_whole(CallId(7)));
        let mut others = 0;
        while capture.messages(CallId(7)).len() == 2 {
            others += 1;
            capture.keep(0, message(&text(&others.to_string())));
        }
        // A message with the same Call-ID is not what has gone.
        capture.keep(0, message(&text("a")));
        assert!(!capture.is_whole(CallId(7)));
    }

    #[test]
    fn a_message_between_two_sockets_of_one_party_is_its_legs_once() {
        let mut capture = Capture::new(1 << 20);
        let (sbc, return_point) = ("127.0.0.1:5060".parse().expect("an address"), "127.0.0.1:5090".parse().expect("an address"));
        capture.claim(0, "a", return_point, CallId(7), LegId(1));
        for (text, from, to) in [("INVITE x SIP/2.0", sbc, return_point), ("SIP/2.0 200 OK", return_point, sbc)] {
            let sent = message(&format!("{text}\r\nCall-ID: a\r\n\r\n"));
            capture.keep(0, CapturedMessage { direction: Direction::Out, local: from, remote: to, ..sent.clone() });
            capture.keep(0, CapturedMessage { direction: Direction::In, local: to, remote: from, ..sent });
        }
        let messages = capture.messages(CallId(7));
        assert_eq!(messages.iter().map(|m| (m.local, m.direction)).collect::<Vec<_>>(), [(sbc, Direction::Out), (sbc, Direction::In)]);
    }

    #[test]
    fn the_oldest_goes_first_and_a_running_call_last() {
        let mut capture = Capture::new(20 * (OVERHEAD + 40));
        let text = |i: usize| format!("OPTIONS x SIP/2.0\r\nCall-ID: {i}\r\n\r\n");
        capture.keep(0, message(&text(0)));
        capture.claim(0, "0", peer(), CallId(1), LegId(0));
        for i in 1..100 {
            capture.keep(0, message(&text(i)));
        }
        assert_eq!(capture.messages(CallId(1)).len(), 1, "the running call's message is still there");
        assert!(capture.kept() <= 21);
        capture.forget(CallId(1));
        assert!(capture.messages(CallId(1)).is_empty());
    }

    #[test]
    fn a_reader_of_everything_meets_each_message_once_and_in_order() {
        let mut capture = Capture::new(1 << 20);
        let text = |i: usize| format!("OPTIONS x SIP/2.0\r\nCall-ID: {i}\r\n\r\n");
        for i in [0, 1, 0] {
            capture.keep(0, message(&text(i)));
        }
        capture.claim(0, "0", peer(), CallId(7), LegId(0));
        let (first, next) = capture.messages_from(0, 2);
        assert_eq!(first.iter().map(|m| (m.message.number, m.call)).collect::<Vec<_>>(), [(0, Some(CallId(7))), (1, None)]);
        let (rest, next) = capture.messages_from(next, 10);
        assert_eq!(rest.iter().map(|m| m.message.number).collect::<Vec<_>>(), [2]);
        assert_eq!(capture.messages_from(next, 10), (Vec::new(), next));
        capture.forget(CallId(7));
        assert_eq!(capture.messages_from(0, 10).0.len(), 1, "what is not kept any more is not met");
    }
}
