//! What the engine told while the disk refused, to be written once it takes it again. Bounded: messages and sound go first,
//! then the beginnings and ends of calls, the oldest before the others; what call transfers came to is kept to the last.

use std::collections::VecDeque;

use super::write::Write;

#[derive(Debug, Default)]
pub struct Backlog {
    writes: VecDeque<Write>,
    /// Bytes of messages in it.
    bytes: usize,
    /// What was given up: messages of calls, and calls.
    lost: Lost,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    pub messages_of_calls: u64,
    pub writes: u64,
}

impl Backlog {
    pub fn push(&mut self, write: Write) {
        self.bytes += write.size();
        self.writes.push_back(write);
        if self.bytes > MOST_BYTES {
            self.drop_messages();
        }
        if self.writes.len() > MOST_WRITES {
            let spare = self.writes.iter().position(|write| !matches!(write, Write::Transfer(_))).unwrap_or(0);
            if let Some(given_up) = self.writes.remove(spare) {
                self.bytes -= given_up.size();
                self.lost.writes += 1;
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Write> {
        self.writes.iter()
    }

    pub fn len(&self) -> usize {
        self.writes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// All is written. Tells what was lost since the last time.
    pub fn clear(&mut self) -> Lost {
        std::mem::take(self).lost
    }

    /// Of the oldest ones, until three quarters are left: not with each push again.
    fn drop_messages(&mut self) {
        for write in &mut self.writes {
            if self.bytes <= MOST_BYTES / 4 * 3 {
                return;
            }
            self.bytes -= write.size();
            if let Write::Ended(whole) = write
                && (!whole.messages.is_empty() || whole.sound.is_some())
            {
                (whole.messages, whole.sound) = (Vec::new(), None);
                self.lost.messages_of_calls += 1;
            }
        }
    }
}

const MOST_WRITES: usize = 20_000;
const MOST_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{CallId, CallRecord, CapturedMessage, Direction, Timestamp, TransportName, WholeCall};

    fn ended(call: u64, bytes: usize) -> Write {
        let message = CapturedMessage {
            number: 0,
            at: Timestamp(0),
            direction: Direction::In,
            leg: None,
            transport: TransportName::Udp,
            local: ([127, 0, 0, 1], 1).into(),
            remote: ([127, 0, 0, 1], 2).into(),
            retransmission: false,
            bytes: vec![0; bytes].into(),
        };
        Write::Ended(WholeCall::new(Arc::new(CallRecord::new(CallId(call), Timestamp(0))), vec![message]))
    }

    #[test]
    fn the_oldest_messages_go_first_and_the_calls_stay() {
        let mut backlog = Backlog::default();
        for call in 0..70 {
            backlog.push(ended(call, 1 << 20));
        }
        assert_eq!(backlog.len(), 70);
        assert!(backlog.bytes <= MOST_BYTES && backlog.bytes >= MOST_BYTES / 2);
        let sizes: Vec<usize> = backlog.iter().map(Write::size).collect();
        assert_eq!((sizes[0], sizes[69]), (0, 1 << 20));
        assert!(backlog.clear().messages_of_calls > 0);
        assert_eq!((backlog.len(), backlog.bytes), (0, 0));
    }

    #[test]
    fn too_many_calls_lose_the_oldest() {
        let mut backlog = Backlog::default();
        for call in 0..=MOST_WRITES as u64 {
            backlog.push(ended(call, 1));
        }
        assert_eq!((backlog.len(), backlog.lost.writes), (MOST_WRITES, 1));
        assert!(matches!(backlog.iter().next(), Some(Write::Ended(whole)) if whole.record.id == CallId(1)));
    }
}
