//! The engine's end of the desk: it asks without ever waiting, and answers itself where the desk can't (see [`DeskAsk`]).

use std::{
    collections::VecDeque,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::model::{ClaimRefusal, DeskAnswer, DeskAsk};

/// The channels to whoever owns the call transfers and keeps what must last.
pub struct DeskEnds {
    pub asks: mpsc::Sender<DeskAsk>,
    pub answers: mpsc::Receiver<DeskAnswer>,
}

/// See the module. Without a desk nothing is known, and nothing need be kept.
pub(super) struct Desk {
    ends: Option<DeskEnds>,
    /// What did not fit into the channel, in order.
    backlog: VecDeque<DeskAsk>,
    /// Records of ended calls that were given up.
    lost: u64,
}

impl Desk {
    pub fn new(ends: Option<DeskEnds>) -> Self {
        Self { ends, backlog: VecDeque::new(), lost: 0 }
    }

    /// Whether anybody wants to be told of calls.
    pub fn is_there(&self) -> bool {
        self.ends.is_some()
    }

    /// Asks. An answer that comes back is all that there will be: the desk is not there, or has too much to do.
    pub fn ask(&mut self, ask: DeskAsk) -> Option<DeskAnswer> {
        let Some(ends) = &self.ends else { return without_desk(ask) };
        // One that waits goes first.
        if !self.backlog.is_empty() {
            return self.put_off(ask);
        }
        match ends.asks.try_send(ask) {
            Ok(()) => None,
            Err(TrySendError::Full(ask)) => self.put_off(ask),
            Err(TrySendError::Closed(ask)) => self.give_up(ask),
        }
    }

    /// The next answer.
    pub fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<DeskAnswer> {
        match self.ends.as_mut().map(|ends| ends.answers.poll_recv(cx)) {
            Some(Poll::Ready(Some(answer))) => Poll::Ready(answer),
            // Gone, or not there: what is asked from now on is answered here.
            Some(Poll::Ready(None) | Poll::Pending) | None => Poll::Pending,
        }
    }

    /// Hands on what has waited, as far as there is room.
    pub fn catch_up(&mut self) {
        while let Some(ask) = self.backlog.pop_front() {
            let Some(ends) = &self.ends else { return };
            match ends.asks.try_send(ask) {
                Ok(()) => {}
                Err(TrySendError::Full(ask)) => return self.backlog.push_front(ask),
                // Whoever waits for an answer gives up by itself.
                Err(TrySendError::Closed(ask)) => drop(self.give_up(ask)),
            }
        }
    }

    /// When [`Desk::catch_up`] should be tried again.
    pub fn wake_at(&self, now: Instant) -> Option<Instant> {
        (!self.backlog.is_empty()).then(|| now + TRY_AGAIN)
    }

    /// The end: what waits is handed on, as long as the desk takes it. Dropping the ends then tells it that no more comes.
    pub async fn finish(mut self) {
        let Some(ends) = self.ends.take() else { return };
        let rest = async {
            while let Some(ask) = self.backlog.pop_front() {
                if ends.asks.send(ask).await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
    }

    fn put_off(&mut self, ask: DeskAsk) -> Option<DeskAnswer> {
        // Of all that can be lost, the record of a call is what nobody can ask for again.
        let most = if matches!(ask, DeskAsk::Ended(_)) { MOST_ENDED } else { MOST_WAITING };
        if self.backlog.len() >= most {
            return self.give_up(ask);
        }
        self.backlog.push_back(ask);
        None
    }

    fn give_up(&mut self, ask: DeskAsk) -> Option<DeskAnswer> {
        match ask {
            DeskAsk::Claim { party, query, .. } => Some(DeskAnswer::Claimed { party, query, outcome: Err(ClaimRefusal::Unavailable) }),
            DeskAsk::Keep { party, call, .. } => Some(DeskAnswer::Kept { party, call, stored: false }),
            // What these say comes again with the call's end.
            DeskAsk::Began(_) | DeskAsk::Returned { .. } => None,
            DeskAsk::Ended(whole) => {
                self.lost += 1;
                tracing::error!(call = %whole.record.id, lost = self.lost, "the store takes nothing: the record of a call is lost");
                None
            }
        }
    }
}

fn without_desk(ask: DeskAsk) -> Option<DeskAnswer> {
    match ask {
        DeskAsk::Claim { party, query, .. } => Some(DeskAnswer::Claimed { party, query, outcome: Err(ClaimRefusal::Unknown) }),
        DeskAsk::Keep { party, call, .. } => Some(DeskAnswer::Kept { party, call, stored: true }),
        DeskAsk::Began(_) | DeskAsk::Returned { .. } | DeskAsk::Ended(_) => None,
    }
}

/// Asks that wait for room in the channel.
const MOST_WAITING: usize = 1_024;
/// As above, for the records of ended calls.
const MOST_ENDED: usize = 8_192;
const TRY_AGAIN: Duration = Duration::from_millis(5);
/// How long the end of the program waits for a desk that has much to do.
const LAST_WORDS: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{CallId, CallRecord, ClaimKey, Keep, Outcome, OutputContext, Timestamp, Variables, WholeCall};

    fn claim(query: u32) -> DeskAsk {
        DeskAsk::Claim { party: 0, query, call: CallId(1), key: ClaimKey::Id("t".into()), at: Timestamp(0) }
    }

    fn keep() -> DeskAsk {
        let output = OutputContext {
            transfer_type: Outcome::Agent,
            current_task_name: None,
            reference_variables: Variables::new(),
            transfer_variables: Variables::new(),
        };
        let kept = Box::new(Keep { call_transfer: None, output, completes: false });
        DeskAsk::Keep { party: 0, call: CallId(1), kept, at: Timestamp(0) }
    }

    fn ended(call: u64) -> DeskAsk {
        DeskAsk::Ended(WholeCall::new(Arc::new(CallRecord::new(CallId(call), Timestamp(0))), Vec::new()))
    }

    #[test]
    fn without_a_desk_nothing_is_known_and_nothing_is_waited_for() {
        let mut desk = Desk::new(None);
        assert!(matches!(desk.ask(claim(1)), Some(DeskAnswer::Claimed { query: 1, outcome: Err(ClaimRefusal::Unknown), .. })));
        assert!(matches!(desk.ask(keep()), Some(DeskAnswer::Kept { stored: true, .. })));
        assert!(desk.ask(ended(1)).is_none());
    }

    #[test]
    fn a_full_desk_gets_everything_later_in_order() {
        let (asks, mut received) = mpsc::channel(1);
        let (_answers, answers) = mpsc::channel(1);
        let mut desk = Desk::new(Some(DeskEnds { asks, answers }));
        for call in 1..=3 {
            assert!(desk.ask(ended(call)).is_none());
        }
        assert!(desk.wake_at(Instant::now()).is_some());
        let mut order = Vec::new();
        while let Ok(DeskAsk::Ended(WholeCall { record, .. })) = received.try_recv() {
            order.push(record.id.0);
            desk.catch_up();
        }
        assert_eq!(order, [1, 2, 3]);
        assert!(desk.wake_at(Instant::now()).is_none());
    }

    #[test]
    fn beyond_the_bound_questions_are_answered_and_records_are_the_last_to_go() {
        let (asks, _received) = mpsc::channel(1);
        let (_answers, answers) = mpsc::channel(1);
        let mut desk = Desk::new(Some(DeskEnds { asks, answers }));
        for call in 0..=MOST_WAITING as u64 {
            desk.ask(ended(call));
        }
        assert!(matches!(desk.ask(claim(7)), Some(DeskAnswer::Claimed { outcome: Err(ClaimRefusal::Unavailable), .. })));
        assert!(matches!(desk.ask(keep()), Some(DeskAnswer::Kept { stored: false, .. })));
        for call in 0..MOST_ENDED as u64 {
            desk.ask(ended(call));
        }
        assert_eq!((desk.backlog.len(), desk.lost), (MOST_ENDED, MOST_WAITING as u64));
    }

    #[test]
    fn a_desk_that_has_gone_is_told_of_at_once() {
        let (asks, received) = mpsc::channel(1);
        let (_answers, answers) = mpsc::channel(1);
        let mut desk = Desk::new(Some(DeskEnds { asks, answers }));
        desk.ask(ended(1));
        desk.ask(ended(2));
        drop(received);
        desk.catch_up();
        assert!(desk.wake_at(Instant::now()).is_none());
        assert!(matches!(desk.ask(claim(1)), Some(DeskAnswer::Claimed { outcome: Err(ClaimRefusal::Unavailable), .. })));
    }
}
