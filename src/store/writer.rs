//! The thread `handback-store`: takes all that waits, has it carried out in one transaction, and answers.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    batch::{Change, Create, Desk, Item},
    checkpoint::Checkpointer,
    handle::Shared,
};
use crate::model::{DeskAnswer, DeskAsk, Timestamp};

/// See the module.
pub struct Writer {
    pub desk: Desk,
    pub asks: mpsc::Receiver<DeskAsk>,
    pub creates: mpsc::Receiver<Create>,
    pub changes: mpsc::Receiver<Change>,
    pub answers: mpsc::Sender<DeskAnswer>,
    pub shared: Arc<Shared>,
    pub stop: oneshot::Receiver<()>,
    pub committed_at: Instant,
    /// In a file there is a log to be carried over.
    pub checkpointer: Option<Checkpointer>,
}

impl Writer {
    /// Runs until it is stopped; what waits then is carried out before.
    pub async fn run(mut self) {
        let mut items = Vec::with_capacity(BATCH);
        let mut retain_at = Instant::now();
        // While the disk refuses: when to try again.
        let mut heal_at = (!self.desk.healthy()).then_some(retain_at);
        while self.gather(&mut items, heal_at.unwrap_or(retain_at)).await {
            let woken = Instant::now();
            if heal_at.is_some_and(|at| woken >= at) {
                heal_at = (!self.desk.heal()).then(|| woken + HEAL_EVERY);
            }
            self.let_others_join(&mut items).await;
            self.carry_out(&mut items).await;
            if woken >= retain_at && self.desk.healthy() {
                let more = self.desk.retain(wall_now());
                retain_at = Instant::now() + if more { RETAIN_ON } else { RETAIN_EVERY };
            }
            if !self.desk.healthy() {
                heal_at.get_or_insert(woken + HEAL_EVERY);
            }
            self.publish();
        }
        self.finish(items).await;
    }

    /// Waits until there is something to do, and takes all that is there, up to a limit. `false`: it is to stop.
    async fn gather(&mut self, items: &mut Vec<Item>, wake_at: Instant) -> bool {
        let expiry = self.desk.deadline().filter(|_| self.desk.healthy());
        let until_expiry = expiry.map_or(IDLE, |at| Duration::from_micros(at.micros_since(wall_now())));
        // The wall clock may be set meanwhile: it is looked at again soon.
        let wake_at = wake_at.min(Instant::now() + until_expiry.min(IDLE));
        tokio::select! {
            biased;
            Some(ask) = self.asks.recv() => items.push(Item::Ask(ask)),
            Some(create) = self.creates.recv() => items.push(Item::Create(create)),
            Some(change) = self.changes.recv() => self.desk.apply(&change),
            _ = &mut self.stop => return false,
            () = tokio::time::sleep_until(wake_at) => {}
        }
        self.take_waiting(items);
        true
    }

    /// A commit costs about as much as ten items, so an item waits a little for company, as its teller can: a call's
    /// beginning, and its end where no call transfer's client looks out for it, some dozens of milliseconds; the end of
    /// a transfer's call, a claim or what an agent hands back only right after a commit, so that a busy bridge commits
    /// at most 50 times a second; a create never, since its client sends the next one only when this one is answered.
    /// What comes meanwhile stays in the channel until it is looked into, since each wake of this thread costs as much as
    /// an item.
    async fn let_others_join(&mut self, items: &mut Vec<Item>) {
        let mut now = Instant::now();
        let patience_ends = now + PATIENCE;
        while items.len() < BATCH {
            let until = match items.iter().map(Waits::of).max() {
                None | Some(Waits::Create) => return,
                Some(Waits::Call) => self.committed_at + SPACING,
                Some(Waits::Nobody) => patience_ends,
            };
            if now >= until {
                return;
            }
            tokio::select! {
                biased;
                Some(create) = self.creates.recv() => items.push(Item::Create(create)),
                () = tokio::time::sleep_until(until.min(now + SPACING)) => {}
            }
            self.take_waiting(items);
            now = Instant::now();
        }
    }

    fn take_waiting(&mut self, items: &mut Vec<Item>) {
        let first_create = items.pop_if(|item| matches!(item, Item::Create(_)));
        while items.len() < BATCH
            && let Ok(ask) = self.asks.try_recv()
        {
            items.push(Item::Ask(ask));
        }
        items.extend(first_create);
        while items.len() < BATCH
            && let Ok(create) = self.creates.try_recv()
        {
            items.push(Item::Create(create));
        }
    }

    async fn carry_out(&mut self, items: &mut Vec<Item>) {
        let now = wall_now();
        if items.is_empty() && self.desk.deadline().is_none_or(|at| at > now) {
            return;
        }
        let answers = self.desk.carry_out(std::mem::replace(items, Vec::with_capacity(BATCH)), now);
        self.committed_at = Instant::now();
        if self.checkpointer.as_mut().is_some_and(|checkpointer| checkpointer.committed(self.committed_at)) {
            self.desk.cut_log();
        }
        for answer in answers {
            // The engine has ended: nobody waits for it.
            if self.answers.send(answer).await.is_err() {
                break;
            }
        }
    }

    async fn finish(mut self, mut items: Vec<Item>) {
        self.asks.close();
        self.creates.close();
        loop {
            self.take_waiting(&mut items);
            if items.is_empty() {
                break;
            }
            // Nobody takes answers at the end; the channel must not hold it up.
            self.desk.carry_out(std::mem::take(&mut items), wall_now());
        }
        if !self.desk.healthy() {
            self.desk.heal();
        }
        self.publish();
        drop(self.checkpointer.take());
        self.desk.close();
    }

    fn publish(&self) {
        self.shared.publish(self.desk.registry());
    }
}

/// Who waits for an item, the most patient first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Waits {
    Nobody,
    Call,
    Create,
}

impl Waits {
    fn of(item: &Item) -> Self {
        match item {
            Item::Create(_) => Self::Create,
            Item::Ask(DeskAsk::Ended(whole)) if whole.record.call_transfer.is_none() => Self::Nobody,
            Item::Ask(DeskAsk::Claim { .. } | DeskAsk::Keep { .. } | DeskAsk::Ended(_)) => Self::Call,
            Item::Ask(DeskAsk::Began(_) | DeskAsk::Returned { .. }) => Self::Nobody,
        }
    }
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the store is an edge: when a transfer is made and expires is wall time")]
pub fn wall_now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_epoch.as_micros()).unwrap_or_default())
}

/// Items in one transaction: some 10 ms of work.
const BATCH: usize = 512;
/// Between two commits, and between two looks at what has come.
const SPACING: Duration = Duration::from_millis(20);
/// What a crash may take of what nobody waits for: a call whose end is not kept is then told as interrupted.
const PATIENCE: Duration = Duration::from_millis(50);
const HEAL_EVERY: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(30);
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// Between two steps where more is to be forgotten.
const RETAIN_ON: Duration = Duration::from_millis(20);
