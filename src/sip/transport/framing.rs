//! Cuts whole messages out of a byte stream (RFC 3261 §18.3, §7.5; keep-alives of RFC 5626 §3.5.1).

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::{memchr, memmem};

use crate::sip::message::Limits;

/// What a stream carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, body included.
    Message(Bytes),
    /// A double CRLF between messages: the sender wants a single one back.
    KeepAlivePing,
    /// A single CRLF between messages: the answer to a ping of ours.
    Pong,
}

/// Where the next message begins can't be told any more: the connection is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// §18.3: on a stream every message says its length.
    #[error("a message on a stream has no Content-Length")]
    NoContentLength,
    #[error("a Content-Length is no number, or two differ")]
    BadContentLength,
    #[error("a message on a stream is over the limit of size")]
    TooLarge,
    #[error("what arrives on the stream is no SIP")]
    NotSip,
}

/// Holds what has arrived of one stream; never more than one message's limit and one read beyond.
#[derive(Debug)]
pub struct StreamFramer {
    buffer: BytesMut,
    limits: Limits,
    /// How much of the buffer was searched for the end of the headers.
    searched: usize,
    /// Length of headers and body, once the headers are there.
    whole: Option<usize>,
    failed: Option<FramingError>,
}

impl StreamFramer {
    /// A framer for messages of up to `message_bytes`.
    pub fn new(message_bytes: usize) -> Self {
        let limits = Limits { message: message_bytes, ..Limits::DEFAULT };
        Self { buffer: BytesMut::new(), limits, searched: 0, whole: None, failed: None }
    }

    /// Adds bytes as they arrived. Drain [`StreamFramer::next`] before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame; `None` until more bytes arrive.
    ///
    /// # Errors
    /// The stream can't be read any further; every later call says the same.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end at None; a stream goes on")]
    pub fn next(&mut self) -> Result<Option<Frame>, FramingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.cut().inspect_err(|error| {
            self.failed = Some(*error);
            self.buffer.clear();
        })
    }

    /// Bytes of a message that is not whole yet: a peer that lets one wait for long is given up.
    pub fn is_waiting(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn cut(&mut self) -> Result<Option<Frame>, FramingError> {
        if self.whole.is_none() {
            if let Some(keep_alive) = self.cut_line_ends() {
                return Ok(keep_alive);
            }
            self.whole = self.measure()?;
        }
        match self.whole {
            Some(length) if self.buffer.len() >= length => {
                (self.whole, self.searched) = (None, 0);
                Ok(Some(Frame::Message(self.buffer.split_to(length).freeze())))
            }
            _ => Ok(None),
        }
    }

    /// §7.5: CRLFs before a start line mean nothing, or are keep-alives. `Some(None)`: wait, a ping may be half there.
    fn cut_line_ends(&mut self) -> Option<Option<Frame>> {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.advance(4);
            return Some(Some(Frame::KeepAlivePing));
        }
        if self.buffer.starts_with(b"\r\n") {
            if matches!(self.buffer.get(2..), Some([] | [b'\r'])) {
                // A pong, or half of a ping: what is next tells; a pong may wait, nobody hangs on it.
                return Some(None);
            }
            self.buffer.advance(2);
            return Some(Some(Frame::Pong));
        }
        let stray = self.buffer.iter().take_while(|byte| matches!(byte, b'\n')).count();
        self.buffer.advance(stray);
        match self.buffer.first() {
            None | Some(b'\r') if self.buffer.len() < 2 => Some(None),
            _ => None,
        }
    }

    /// The length of the message at the front, once its headers are whole.
    fn measure(&mut self) -> Result<Option<usize>, FramingError> {
        let from = self.searched.saturating_sub(3);
        let unsearched = self.buffer.get(from..).unwrap_or_default();
        let Some(end) = memmem::find(unsearched, b"\r\n\r\n").map(|at| from + at + 4) else {
            self.searched = self.buffer.len();
            self.refuse_early()?;
            return if self.buffer.len() > self.limits.head { Err(FramingError::TooLarge) } else { Ok(None) };
        };
        self.refuse_early()?;
        let head = self.buffer.get(..end).unwrap_or_default();
        if head.len() > self.limits.head {
            return Err(FramingError::TooLarge);
        }
        let whole = end.saturating_add(content_length(head)?);
        if whole > self.limits.message {
            return Err(FramingError::TooLarge);
        }
        Ok(Some(whole))
    }

    /// A first line that is no SIP. It is judged before the size and within the limit, so that the verdict does not
    /// hang on how the stream was cut.
    fn refuse_early(&self) -> Result<(), FramingError> {
        let within = self.buffer.get(..self.limits.head).unwrap_or(&self.buffer);
        match memchr(b'\n', within) {
            Some(_) if !looks_like_sip(within) => Err(FramingError::NotSip),
            _ => Ok(()),
        }
    }
}

/// The first line begins or ends with a SIP version, whichever.
fn looks_like_sip(head: &[u8]) -> bool {
    let line = head.get(..memchr(b'\n', head).unwrap_or(head.len())).unwrap_or_default();
    let line = line.trim_ascii_end();
    memmem::find(&line.to_ascii_uppercase(), b"SIP/").is_some()
}

/// What Content-Length says; all of them must say the same.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut found = None;
    let mut lines = head.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let Some(colon) = memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        let name = name.trim_ascii_end();
        if !(name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"l")) {
            continue;
        }
        let mut digits = value.get(1..).unwrap_or_default().trim_ascii();
        if digits.is_empty() {
            // §7.3.1: the value may stand on the next line, behind a blank.
            digits = lines.next_if(|line| matches!(line.first(), Some(b' ' | b'\t'))).unwrap_or_default().trim_ascii();
        }
        let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(digits).ok().filter(|_| all_digits).and_then(|text| text.parse::<usize>().ok());
        let number = number.ok_or(FramingError::BadContentLength)?;
        if found.is_some_and(|earlier| earlier != number) {
            return Err(FramingError::BadContentLength);
        }
        found = Some(number);
    }
    found.ok_or(FramingError::NoContentLength)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_over_the_limit_gets_one_verdict_however_it_is_cut() {
        let mut garbage = vec![b'x'; 100];
        garbage.push(b'\n');
        garbage.resize(6_000, b'y');
        garbage.extend_from_slice(b"\r\n\r\n");
        for piece in [1, 64, 5_000, garbage.len()] {
            let mut framer = StreamFramer::new(4_096);
            let verdict = garbage.chunks(piece).find_map(|bytes| {
                framer.push(bytes);
                framer.next().err()
            });
            assert_eq!(verdict, Some(FramingError::NotSip), "in pieces of {piece}");
        }
    }

    const OPTIONS: &[u8] = b"OPTIONS sip:h SIP/2.0\r\nCall-ID: a\r\nContent-Length: 4\r\n\r\nbody";

    fn frames(framer: &mut StreamFramer) -> Result<Vec<Frame>, FramingError> {
        std::iter::from_fn(|| framer.next().transpose()).collect()
    }

    #[test]
    fn a_message_is_whole_at_its_last_byte_however_it_is_cut() {
        for cut in 1..OPTIONS.len() {
            let mut framer = StreamFramer::new(65_535);
            framer.push(&OPTIONS[..cut]);
            assert_eq!(frames(&mut framer), Ok(vec![]), "cut at {cut}");
            framer.push(&OPTIONS[cut..]);
            assert_eq!(frames(&mut framer), Ok(vec![Frame::Message(Bytes::from_static(OPTIONS))]), "cut at {cut}");
            assert!(!framer.is_waiting());
        }
    }

    #[test]
    fn a_folded_length_is_a_length() {
        let mut framer = StreamFramer::new(65_535);
        framer.push(b"OPTIONS sip:h SIP/2.0\r\nl :\r\n\t4\r\n\r\nbody");
        assert!(matches!(framer.next(), Ok(Some(Frame::Message(message))) if message.ends_with(b"body")));
    }

    #[test]
    fn several_messages_and_keep_alives_come_in_order() {
        let mut framer = StreamFramer::new(65_535);
        let message = Frame::Message(Bytes::from_static(OPTIONS));
        framer.push(&[b"\r\n\r\n", OPTIONS, OPTIONS, b"\r\n", OPTIONS].concat());
        assert_eq!(frames(&mut framer), Ok(vec![Frame::KeepAlivePing, message.clone(), message.clone(), Frame::Pong, message]));
    }

    #[test]
    fn a_stream_that_can_not_be_read_stays_so() {
        for (bytes, error) in [
            (&b"OPTIONS sip:h SIP/2.0\r\nCall-ID: a\r\n\r\n"[..], FramingError::NoContentLength),
            (b"OPTIONS sip:h SIP/2.0\r\nl: -1\r\n\r\n", FramingError::BadContentLength),
            (b"OPTIONS sip:h SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\n", FramingError::BadContentLength),
            (b"OPTIONS sip:h SIP/2.0\r\nl: 99999999999999999999999\r\n\r\n", FramingError::BadContentLength),
            (b"OPTIONS sip:h SIP/2.0\r\nl: 65535\r\n\r\n", FramingError::TooLarge),
            (b"GET / HTTP/1.1\r\n", FramingError::NotSip),
            (b"\x16\x03\x01\n", FramingError::NotSip),
        ] {
            let mut framer = StreamFramer::new(65_535);
            framer.push(bytes);
            assert_eq!(framer.next(), Err(error), "{}", String::from_utf8_lossy(bytes));
            framer.push(OPTIONS);
            assert_eq!(framer.next(), Err(error));
        }
    }

    #[test]
    fn headers_without_an_end_are_refused_at_the_limit() {
        let mut framer = StreamFramer::new(65_535);
        framer.push(b"OPTIONS sip:h SIP/2.0\r\n");
        for _ in 0..1000 {
            framer.push(b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
            if framer.next() == Err(FramingError::TooLarge) {
                return;
            }
        }
        panic!("never refused");
    }
}
