//! The running engine as the window's backend.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::backend::{Backend, CommandTicket, Facts, Waker};
use crate::{
    engine::{EngineHandle, Pending},
    model::{CallId, CapturedMessage, Command, CommandOutcome, Snapshot},
};

/// Hands commands to the engine and keeps their answers until the window takes them.
pub struct Live {
    engine: EngineHandle,
    facts: Facts,
    next: AtomicU64,
    waiting: Mutex<Vec<(CommandTicket, Answer)>>,
}

enum Answer {
    Coming(Pending),
    Refused(String),
}

impl Live {
    pub fn new(engine: EngineHandle, facts: Facts) -> Self {
        Self { engine, facts, next: AtomicU64::new(1), waiting: Mutex::new(Vec::new()) }
    }
}

impl Backend for Live {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.engine.snapshot()
    }

    fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        self.engine.messages(call)
    }

    fn command(&self, command: Command) -> CommandTicket {
        let ticket = CommandTicket(self.next.fetch_add(1, Ordering::Relaxed));
        let answer = self.engine.try_command(command).map_or_else(Answer::Refused, Answer::Coming);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((ticket, answer));
        ticket
    }

    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut done = Vec::new();
        waiting.retain_mut(|(ticket, answer)| {
            let outcome = match answer {
                Answer::Refused(why) => Err(std::mem::take(why)),
                Answer::Coming(pending) => match pending.take() {
                    Some(outcome) => outcome,
                    None => return true,
                },
            };
            done.push((*ticket, outcome));
            false
        });
        done
    }

    fn set_waker(&self, waker: Waker) {
        self.engine.on_snapshot(move || waker());
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}
