//! The running engine as the window's backend.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::backend::{ApiAnswer, Backend, CommandTicket, Facts, TransferDesk, TransfersView, Waker};
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
    desk: Option<Arc<dyn TransferDesk>>,
    created: Arc<Mutex<Vec<(CommandTicket, ApiAnswer)>>>,
    waker: Arc<OnceLock<Waker>>,
}

enum Answer {
    Coming(Pending),
    Refused(String),
}

impl Live {
    /// `desk`: the call transfers, where they are served.
    pub fn new(engine: EngineHandle, facts: Facts, desk: Option<Arc<dyn TransferDesk>>) -> Self {
        Self { engine, facts, next: AtomicU64::new(1), waiting: Mutex::default(), desk, created: Arc::default(), waker: Arc::default() }
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
        lock(&self.waiting).push((ticket, answer));
        ticket
    }

    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)> {
        let mut waiting = lock(&self.waiting);
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
        let _ = self.waker.set(waker.clone());
        self.engine.on_snapshot(move || waker());
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn transfers(&self) -> Option<Arc<TransfersView>> {
        self.desk.as_ref().map(|desk| desk.view())
    }

    fn judge_transfer(&self, body: &str) -> ApiAnswer {
        self.desk.as_ref().map_or_else(not_served, |desk| desk.judge(body))
    }

    fn create_transfer(&self, body: &str) -> CommandTicket {
        let ticket = CommandTicket(self.next.fetch_add(1, Ordering::Relaxed));
        let (created, waker) = (self.created.clone(), self.waker.clone());
        let done = move |answer| {
            lock(&created).push((ticket, answer));
            if let Some(waker) = waker.get() {
                waker();
            }
        };
        match &self.desk {
            Some(desk) => desk.create(body, Box::new(done)),
            None => done(not_served()),
        }
        ticket
    }

    fn take_created(&self) -> Vec<(CommandTicket, ApiAnswer)> {
        std::mem::take(&mut lock(&self.created))
    }
}

fn not_served() -> ApiAnswer {
    ApiAnswer { status: 404, line: "404".to_owned(), message: "The call transfers API is not served".to_owned() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
