//! TCP streams put back in order and cut into messages: out of order, sent again, overlapping, with gaps (RFC 9293).
//!
//! A gap that nothing fills is stepped over, and the next message is looked for behind it. So is a beginning that the
//! capture missed.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

use bytes::Bytes;

use super::{look, notes::Notes};
use crate::{
    model::Timestamp,
    sip::transport::framing::{Frame, StreamFramer},
};

/// Both directions of all connections, each by itself.
#[derive(Default)]
pub struct Streams {
    streams: HashMap<(SocketAddr, SocketAddr), Stream>,
    /// Bytes that wait for what comes before them, of all streams.
    early_bytes: usize,
}

/// A segment as it crossed the wire.
pub struct Segment<'a> {
    pub at: Timestamp,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub sequence: u32,
    pub synchronizes: bool,
    pub payload: &'a [u8],
    /// Bytes at its end that the capture left out.
    pub missing: usize,
}

struct Stream {
    next: u32,
    /// Segments before their turn, by their place in the stream.
    early: Vec<(u32, Vec<u8>)>,
    early_since: Timestamp,
    last: Timestamp,
    framer: StreamFramer,
    mode: Mode,
    /// It has carried SIP: what can't be read in it is worth a note.
    is_sip: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The framer stands where a message begins, or in it.
    InStep,
    /// Where the next message begins is not known.
    Searching,
}

impl Streams {
    /// Takes a segment; whole messages go to `found`. True: the stream is one that carries SIP.
    pub fn take(&mut self, segment: &Segment<'_>, notes: &mut Notes, found: &mut Vec<Bytes>) -> bool {
        let key = (segment.source, segment.destination);
        if segment.synchronizes {
            if let Some(old) = self.streams.remove(&key) {
                self.early_bytes -= old.waiting();
            }
            if segment.payload.is_empty() {
                self.make_room();
                self.streams.insert(key, Stream::new(segment.sequence.wrapping_add(1), Mode::InStep, segment.at));
                return false;
            }
        }
        if segment.payload.is_empty() && segment.missing == 0 {
            return self.streams.get(&key).is_some_and(|stream| stream.is_sip);
        }
        if !self.streams.contains_key(&key) {
            self.make_room();
            let first = if segment.synchronizes { segment.sequence.wrapping_add(1) } else { segment.sequence };
            let mode = if look::may_begin(segment.payload) { Mode::InStep } else { Mode::Searching };
            self.streams.insert(key, Stream::new(first, mode, segment.at));
        }
        let Some(stream) = self.streams.get_mut(&key) else { return false };
        stream.last = segment.at;
        if segment.missing > 0 && stream.is_sip {
            notes.add("segment cut", Some(segment.at), || {
                format!(
                    "A segment from {} to {} is cut by the capture's snap length: {} bytes of it are missing",
                    segment.source, segment.destination, segment.missing
                )
            });
        }
        let before = stream.waiting();
        stream.place(segment, notes, found);
        let crowded = self.early_bytes + stream.waiting() - before > MOST_EARLY_BYTES;
        if stream.is_stuck(segment.at) || crowded {
            stream.step_over(segment, notes, found);
        }
        self.early_bytes = self.early_bytes + stream.waiting() - before;
        stream.is_sip
    }

    /// The file is over: what waits behind a gap is read all the same.
    pub fn finish(mut self, notes: &mut Notes, mut found: impl FnMut(Timestamp, SocketAddr, SocketAddr, Bytes)) {
        // In an order that does not hang on the hasher.
        let streams: BTreeMap<_, _> = self.streams.drain().collect();
        for ((source, destination), mut stream) in streams {
            let at = stream.last;
            let end = Segment { at, source, destination, sequence: 0, synchronizes: false, payload: &[], missing: 0 };
            let mut messages = Vec::new();
            while !stream.early.is_empty() {
                stream.step_over(&end, notes, &mut messages);
            }
            if stream.is_sip && stream.mode == Mode::InStep && stream.framer.is_waiting() {
                notes.add("stream ends", Some(at), || {
                    format!("The stream from {source} to {destination} ends within a message; its part was left out")
                });
            }
            messages.into_iter().for_each(|message| found(at, source, destination, message));
        }
    }

    /// Many connections at once: those that never carried SIP go first, then the older half.
    fn make_room(&mut self) {
        if self.streams.len() < MOST_STREAMS {
            return;
        }
        self.streams.retain(|_, stream| stream.is_sip);
        if self.streams.len() >= MOST_STREAMS / 2 {
            let mut times: Vec<Timestamp> = self.streams.values().map(|stream| stream.last).collect();
            times.sort_unstable();
            let middle = times.get(times.len() / 2).copied().unwrap_or_default();
            self.streams.retain(|_, stream| stream.last > middle);
        }
        self.early_bytes = self.streams.values().map(Stream::waiting).sum();
    }
}

impl Stream {
    fn new(next: u32, mode: Mode, at: Timestamp) -> Self {
        Self { next, early: Vec::new(), early_since: at, last: at, framer: StreamFramer::new(LARGEST_MESSAGE), mode, is_sip: false }
    }

    fn waiting(&self) -> usize {
        self.early.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Segments wait for one that does not come.
    fn is_stuck(&self, now: Timestamp) -> bool {
        !self.early.is_empty() && (self.early.len() > MOST_EARLY || now.micros_since(self.early_since) > PATIENCE_US)
    }

    fn place(&mut self, segment: &Segment<'_>, notes: &mut Notes, found: &mut Vec<Bytes>) {
        let sequence = if segment.synchronizes { segment.sequence.wrapping_add(1) } else { segment.sequence };
        let ahead = sequence.wrapping_sub(self.next) as i32;
        if ahead.unsigned_abs() > FAR {
            // Another connection between the same ports, whose beginning was missed.
            *self = Self { is_sip: self.is_sip, ..Self::new(sequence, Mode::Searching, segment.at) };
            return self.read(segment.payload, segment, notes, found);
        }
        if ahead > 0 {
            if self.early.is_empty() {
                self.early_since = segment.at;
            }
            self.early.push((sequence, segment.payload.to_vec()));
            return;
        }
        // Sent again, perhaps with more at its end.
        if let Some(new) = segment.payload.get(ahead.unsigned_abs() as usize..).filter(|new| !new.is_empty()) {
            self.read(new, segment, notes, found);
            self.drain(segment, notes, found);
        }
    }

    /// Reads what waited, as far as it goes on without a gap.
    fn drain(&mut self, segment: &Segment<'_>, notes: &mut Notes, found: &mut Vec<Bytes>) {
        while let Some(index) = self.early.iter().position(|(sequence, _)| sequence.wrapping_sub(self.next) as i32 <= 0) {
            let (sequence, bytes) = self.early.swap_remove(index);
            let known = self.next.wrapping_sub(sequence) as usize;
            if let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) {
                self.read(new, segment, notes, found);
            }
        }
        self.early_since = segment.at;
    }

    /// What is missing will not come: goes on with the nearest of what waits.
    fn step_over(&mut self, segment: &Segment<'_>, notes: &mut Notes, found: &mut Vec<Bytes>) {
        let Some(nearest) = self.early.iter().map(|(sequence, _)| *sequence).min_by_key(|sequence| sequence.wrapping_sub(self.next)) else {
            return;
        };
        if self.is_sip {
            let (missing, source, destination) = (nearest.wrapping_sub(self.next), segment.source, segment.destination);
            notes.add("gap", Some(segment.at), || {
                format!("{missing} bytes are missing in the stream from {source} to {destination}; reading goes on with the next message")
            });
        }
        self.next = nearest;
        self.lose_step();
        self.drain(segment, notes, found);
    }

    fn lose_step(&mut self) {
        self.framer = StreamFramer::new(LARGEST_MESSAGE);
        self.mode = Mode::Searching;
    }

    /// The next bytes of the stream.
    fn read(&mut self, bytes: &[u8], segment: &Segment<'_>, notes: &mut Notes, found: &mut Vec<Bytes>) {
        self.next = self.next.wrapping_add(bytes.len() as u32);
        let mut rest = bytes;
        if self.mode == Mode::InStep {
            self.framer.push(rest);
            let count = found.len();
            match self.cut(found) {
                Ok(()) => return,
                Err(error) => {
                    if self.is_sip {
                        let (source, destination) = (segment.source, segment.destination);
                        notes.add("framing", Some(segment.at), || {
                            format!("The stream from {source} to {destination} can't be cut into messages here: {error}; reading goes on with the next one")
                        });
                    }
                    self.lose_step();
                    // What was cut out of these bytes must not be found again.
                    if found.len() > count {
                        return;
                    }
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
        }
        if let Some(start) = look::next_start(rest) {
            self.mode = Mode::InStep;
            self.framer.push(rest.get(start..).unwrap_or_default());
            if self.cut(found).is_err() {
                self.lose_step();
            }
        }
    }

    fn cut(&mut self, found: &mut Vec<Bytes>) -> Result<(), crate::sip::transport::framing::FramingError> {
        while let Some(frame) = self.framer.next()? {
            if let Frame::Message(bytes) = frame {
                self.is_sip = true;
                // A copy: what the framer hands out holds on to the whole buffer.
                found.push(Bytes::copy_from_slice(&bytes));
            }
        }
        Ok(())
    }
}

/// Further away than any window: it is no part of this stream.
const FAR: u32 = 1 << 26;
const MOST_EARLY: usize = 512;
const MOST_EARLY_BYTES: usize = 64 << 20;
const MOST_STREAMS: usize = 20_000;
const LARGEST_MESSAGE: usize = 65_535;
/// A sender that lost a segment has sent it again by then.
const PATIENCE_US: u64 = 10_000_000;
