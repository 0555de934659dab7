//! One message of the log: what its row says, and its headers without a copy of them.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    console::wire_text::{Kind, MessageView},
    model::{CallId, CapturedMessage, Direction, Listener, LoggedMessage},
};

#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    pub call: Option<CallId>,
    pub message: CapturedMessage,
    pub kind: Kind,
    /// `INVITE`, or `200 OK`.
    pub title: Arc<str>,
    pub gist: Arc<str>,
    pub cseq: Box<str>,
    pub call_id: Box<str>,
}

impl LogRow {
    pub fn new(logged: LoggedMessage) -> Self {
        let view = MessageView::new(&logged.message);
        let header = |name, compact| view.header(name, compact).unwrap_or_default().into();
        Self {
            call: logged.call,
            cseq: header("CSeq", "CSeq"),
            call_id: header("Call-ID", "i"),
            kind: view.kind,
            title: view.title,
            gist: view.gist,
            message: logged.message,
        }
    }

    pub fn number(&self) -> u64 {
        self.message.number
    }

    pub fn source(&self) -> SocketAddr {
        if self.message.direction == Direction::In { self.message.remote } else { self.message.local }
    }

    pub fn target(&self) -> SocketAddr {
        if self.message.direction == Direction::In { self.message.local } else { self.message.remote }
    }

    /// Names and values as written; a folded value with its line ends.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        Headers(self.after_start_line())
    }

    pub fn body(&self) -> &[u8] {
        let bytes = &self.message.bytes;
        let end = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4);
        let end = end.or_else(|| memchr::memmem::find(bytes, b"\n\n").map(|at| at + 2));
        end.and_then(|end| bytes.get(end..)).unwrap_or_default()
    }

    fn after_start_line(&self) -> &[u8] {
        let bytes = self.message.bytes.trim_ascii_start();
        memchr::memchr(b'\n', bytes).and_then(|end| bytes.get(end + 1..)).unwrap_or_default()
    }
}

struct Headers<'a>(&'a [u8]);

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0;
        let mut end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if rest.get(..end)?.trim_ascii().is_empty() {
            return None;
        }
        // RFC 3261 §7.3.1: a line that begins with a blank goes on with the one before.
        while matches!(rest.get(end + 1), Some(b' ' | b'\t')) {
            end = memchr::memchr(b'\n', rest.get(end + 1..)?).map_or(rest.len(), |at| end + 1 + at);
        }
        self.0 = rest.get(end + 1..).unwrap_or_default();
        let line = rest.get(..end)?;
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        Some((line.get(..colon)?.trim_ascii(), line.get(colon + 1..).unwrap_or_default().trim_ascii()))
    }
}

/// Whether the other end of this message is in this program too and shows it: each is listed once, as the bridge saw it.
pub fn is_copy(message: &CapturedMessage, listeners: &[Listener]) -> bool {
    let ours = |address: SocketAddr| listeners.iter().find(|l| l.transport == message.transport && l.address == address);
    match (ours(message.local).map(|l| l.customer_side), ours(message.remote).map(|l| l.customer_side)) {
        // The bridge has it. A stream's own end is at a port that nobody listens at.
        (Some(true) | None, Some(false)) => true,
        // Between two places of the customer's side: as it was sent.
        (Some(true), Some(true)) => message.direction == Direction::In,
        _ => false,
    }
}

/// Whether `text` holds `lower`, which is in lower case, whatever the case of its ASCII letters.
pub fn holds(text: &[u8], lower: &[u8]) -> bool {
    let Some((&first, rest)) = lower.split_first() else { return true };
    let tail = |at: usize| text.get(at + 1..at + lower.len()).is_some_and(|there| there.eq_ignore_ascii_case(rest));
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text).any(tail)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::model::{Timestamp, TransportName};

    pub fn logged(number: u64, text: &str) -> LoggedMessage {
        let message = CapturedMessage {
            number,
            at: Timestamp(number * 1_000),
            direction: Direction::In,
            leg: None,
            transport: TransportName::Udp,
            local: "10.9.0.5:5060".parse().expect("an address"),
            remote: "10.4.2.11:5070".parse().expect("an address"),
            retransmission: false,
            bytes: text.replace('\n', "\r\n").into_bytes().into(),
        };
        LoggedMessage { call: Some(CallId(7)), message }
    }

    #[test]
    fn headers_are_read_where_they_lie_folded_ones_too() {
        let row = LogRow::new(logged(1, "INVITE sip:a@b SIP/2.0\nSubject: one\n  two\ni: x@y\n\nv=0\n"));
        let headers: Vec<_> = row.headers().map(|(n, v)| (String::from_utf8_lossy(n), String::from_utf8_lossy(v))).collect();
        assert_eq!(headers.len(), 2, "{headers:?}");
        assert_eq!((&*headers[0].1, &*headers[1].0), ("one\r\n  two", "i"));
        assert_eq!((&*row.call_id, row.body()), ("x@y", b"v=0\r\n".as_slice()));
    }

    #[test]
    fn any_bytes_have_a_row() {
        for text in ["", "\n", "\0\0", "INVITE", "INVITE sip:a SIP/2.0\n:", ":\n\n:"] {
            let row = LogRow::new(logged(1, text));
            assert!(row.headers().count() < 3 && row.body().len() < 3, "{text:?}");
        }
    }

    #[test]
    fn a_message_that_both_ends_of_this_program_saw_is_listed_once() {
        let listener = |address: &str, customer_side| Listener {
            transport: TransportName::Udp,
            address: address.parse().expect("an address"),
            customer_side,
        };
        let listeners = [listener("10.9.0.5:5060", false), listener("10.4.2.11:5070", true), listener("10.4.2.11:5090", true)];
        let bridges = logged(1, "BYE x SIP/2.0\n\n").message;
        let callers = CapturedMessage { direction: Direction::Out, local: bridges.remote, remote: bridges.local, ..bridges.clone() };
        assert_eq!([is_copy(&bridges, &listeners), is_copy(&callers, &listeners)], [false, true]);
        let point = "10.4.2.11:5090".parse().expect("an address");
        let sent = CapturedMessage { remote: point, ..callers.clone() };
        let heard = CapturedMessage { direction: Direction::In, local: point, remote: callers.local, ..callers };
        assert_eq!([is_copy(&sent, &listeners), is_copy(&heard, &listeners)], [false, true]);
    }

    #[test]
    fn words_are_found_whatever_their_case() {
        assert!(holds(b"X-GA-extConId: Conv-12", b"conv") && holds(b"abc", b"") && !holds(b"abab", b"abc"));
    }
}
