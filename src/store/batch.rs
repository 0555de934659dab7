//! The desk itself: decides by the registry, writes what came of it in one transaction, and answers after the commit.
//!
//! While the disk refuses, nothing is promised: creates and claims are refused, what the agent hands back is answered
//! as not stored, and what the engine tells is put off. It tries again until the disk takes it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    backlog::{Backlog, Lost},
    retention::Retention,
    sealing::Seal,
    transfers::{self, PastTransfers},
    write::Write,
};
use crate::{
    contract::{create_refusal::CreateRefusal, registry::Registry},
    model::{CallId, CallTransfer, ClaimRefusal, Claimed, DeskAnswer, DeskAsk, NewCallTransfer, Timestamp, TransferTarget, settings},
};

/// See the module. Owned by the writer's thread.
pub struct Desk {
    connection: Connection,
    registry: Registry,
    seal: Seal,
    retention: Retention,
    backlog: Backlog,
    /// Readers see it too; it is told before any answer that rests on it.
    healthy: Arc<AtomicBool>,
}

/// What reaches the desk.
pub enum Item {
    Ask(DeskAsk),
    Create(Create),
}

/// Settings that are in force from now on.
pub struct Change {
    pub store: settings::Store,
    pub api: Option<settings::Api>,
}

pub struct Create {
    pub new: NewCallTransfer,
    pub answer: oneshot::Sender<Result<CallTransfer, CreateRefusal>>,
}

/// What came of an item, told after the commit.
enum Done {
    Made(Box<CallTransfer>, oneshot::Sender<Result<CallTransfer, CreateRefusal>>),
    NotMade(CreateRefusal, oneshot::Sender<Result<CallTransfer, CreateRefusal>>),
    Claimed { party: u8, query: u32, outcome: Result<Box<Claimed>, ClaimRefusal> },
    Kept { party: u8, call: CallId },
}

/// One transaction as it goes on.
#[derive(Default)]
struct Batch {
    done: Vec<Done>,
    /// What must be written all the same where this transaction is not.
    writes: Vec<Write>,
    /// Bytes of messages that it adds.
    added: u64,
    expired: bool,
}

impl Desk {
    /// With what recovery found still to be written; it is written by the first [`Desk::heal`].
    pub fn new(connection: Connection, registry: Registry, seal: Seal, retention: Retention, backlog: Backlog) -> Self {
        Self { connection, registry, seal, retention, backlog, healthy: Arc::new(AtomicBool::new(true)) }
    }

    /// Carries out all items in one transaction, and answers. Creates come last, so that numbers are free for them.
    pub fn carry_out(&mut self, items: Vec<Item>, now: Timestamp) -> Vec<DeskAnswer> {
        let mut items = items.into_iter();
        if !self.healthy() {
            return items.filter_map(|item| self.put_off(item)).collect();
        }
        let mut batch = Batch::default();
        match self.commit(&mut items, &mut batch, now) {
            Ok(()) => {
                self.retention.added(batch.added);
                batch.done.into_iter().filter_map(Done::succeed).collect()
            }
            Err(why) => {
                self.roll_back(&why);
                let mut answers = self.undo(batch);
                answers.extend(items.filter_map(|item| self.put_off(item)));
                answers
            }
        }
    }

    /// Tries to write what was put off. Tells whether all is well.
    pub fn heal(&mut self) -> bool {
        match self.write_backlog() {
            Ok(added) => {
                self.retention.added(added);
                let count = self.backlog.len();
                let lost = self.backlog.clear();
                if !self.healthy.swap(true, Ordering::Relaxed) {
                    tracing::info!("the database is written again; {count} changes were kept meanwhile{}", told(lost));
                }
            }
            Err(why) => self.roll_back(&why),
        }
        self.healthy()
    }

    /// Forgets a little of what is too old or too much. Tells whether more is to be forgotten.
    pub fn retain(&mut self, now: Timestamp) -> bool {
        if !self.healthy() {
            return false;
        }
        match self.retention.step(&mut self.connection, now) {
            Ok(more) => more,
            Err(why) => {
                self.roll_back(&why);
                false
            }
        }
    }

    /// Other settings for what comes.
    pub fn apply(&mut self, change: &Change) {
        self.retention.apply(&change.store);
        if let Some(api) = &change.api {
            self.registry.apply(api);
        }
    }

    pub fn healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// What [`Desk::healthy`] tells, for others.
    pub fn health(&self) -> Arc<AtomicBool> {
        self.healthy.clone()
    }

    /// When the next call transfer expires.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.registry.deadline()
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Carries the whole log over, and begins it anew.
    pub fn cut_log(&self) {
        if let Err(why) = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::debug!("cutting the log: {why}");
        }
    }

    /// Closes the file with all that it holds: nothing of its log is left, so the next start need not check it.
    pub fn close(self) {
        if !self.backlog.is_empty() {
            tracing::error!("{} changes could not be written before the end", self.backlog.len());
        }
        self.cut_log();
        if let Err((_, why)) = self.connection.close() {
            tracing::warn!("the database did not close cleanly: {why}");
        }
    }

    fn commit(&mut self, items: &mut impl Iterator<Item = Item>, batch: &mut Batch, now: Timestamp) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for item in items {
            match item {
                Item::Ask(ask) => self.ask(ask, batch)?,
                Item::Create(create) => {
                    self.expire(batch, now)?;
                    self.create(create, batch, now)?;
                }
            }
        }
        self.expire(batch, now)?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn create(&mut self, Create { new, answer }: Create, batch: &mut Batch, now: Timestamp) -> rusqlite::Result<()> {
        match self.registry.create(new, now, &PastTransfers(&self.connection)) {
            Ok(made) => {
                let sealed = self.sealed_secret(&made);
                batch.done.push(Done::Made(Box::new(made.clone()), answer));
                transfers::insert(&self.connection, &made, sealed.as_deref())
            }
            Err(refusal) => {
                batch.done.push(Done::NotMade(refusal, answer));
                Ok(())
            }
        }
    }

    fn ask(&mut self, ask: DeskAsk, batch: &mut Batch) -> rusqlite::Result<()> {
        match ask {
            DeskAsk::Claim { party, query, call, key, at } => {
                let outcome = self.registry.claim(&key, call, at, &PastTransfers(&self.connection)).map(Box::new);
                let claimed = outcome.is_ok();
                batch.done.push(Done::Claimed { party, query, outcome });
                if !claimed {
                    return self.write_changes(batch);
                }
                // Taken back where it is not committed, so not to be put off.
                while let Some(changed) = self.registry.poll_change() {
                    transfers::update(&self.connection, &changed)?;
                }
                Ok(())
            }
            DeskAsk::Keep { party, call, kept, at } => {
                batch.done.push(Done::Kept { party, call });
                self.registry.keep(call, &kept, at);
                self.write(Write::Kept(call, Box::new(kept.output)), batch)?;
                self.write_changes(batch)
            }
            DeskAsk::Returned { call_transfer, at } => {
                self.registry.returned(&call_transfer, at);
                self.write_changes(batch)
            }
            DeskAsk::Began(record) => self.write(Write::Began(record), batch),
            DeskAsk::Ended(whole) => {
                let record = &whole.record;
                self.registry.ended(record.id, !record.returns.is_empty(), record.ended_at.unwrap_or(record.started_at));
                // Both are put off where one of them fails.
                let writes = batch.writes.len();
                self.take_changes(batch);
                batch.writes.push(Write::Ended(whole));
                for write in batch.writes.get(writes..).into_iter().flatten() {
                    batch.added += write.execute(&self.connection, self.retention.keeps_calls())?;
                }
                Ok(())
            }
        }
    }

    fn expire(&mut self, batch: &mut Batch, now: Timestamp) -> rusqlite::Result<()> {
        if std::mem::replace(&mut batch.expired, true) {
            return Ok(());
        }
        self.registry.expire_due(now, MOST_EXPIRED);
        self.write_changes(batch)
    }

    fn write_changes(&mut self, batch: &mut Batch) -> rusqlite::Result<()> {
        let writes = batch.writes.len();
        self.take_changes(batch);
        for write in batch.writes.get(writes..).into_iter().flatten() {
            write.execute(&self.connection, self.retention.keeps_calls())?;
        }
        Ok(())
    }

    fn write(&mut self, write: Write, batch: &mut Batch) -> rusqlite::Result<()> {
        batch.writes.push(write);
        let Some(write) = batch.writes.last() else { return Ok(()) };
        batch.added += write.execute(&self.connection, self.retention.keeps_calls())?;
        Ok(())
    }

    fn take_changes(&mut self, batch: &mut Batch) {
        while let Some(changed) = self.registry.poll_change() {
            batch.writes.push(Write::Transfer(Box::new(changed)));
        }
    }

    /// Nothing of the batch is written: what was promised to nobody is taken back, the rest waits.
    fn undo(&mut self, batch: Batch) -> Vec<DeskAnswer> {
        for write in batch.writes {
            self.backlog.push(write);
        }
        while let Some(changed) = self.registry.poll_change() {
            self.backlog.push(Write::Transfer(Box::new(changed)));
        }
        for done in batch.done.iter().rev() {
            match done {
                Done::Made(made, _) => self.registry.revoke_create(&made.id),
                Done::Claimed { outcome: Ok(claimed), .. } => self.registry.revoke_claim(&claimed.id),
                Done::Claimed { outcome: Err(_), .. } | Done::NotMade(..) | Done::Kept { .. } => {}
            }
        }
        batch.done.into_iter().filter_map(Done::fail).collect()
    }

    /// While the disk refuses.
    fn put_off(&mut self, item: Item) -> Option<DeskAnswer> {
        let answer = match item {
            Item::Create(create) => {
                let _ = create.answer.send(Err(CreateRefusal::Unavailable));
                None
            }
            Item::Ask(DeskAsk::Claim { party, query, .. }) => {
                Some(DeskAnswer::Claimed { party, query, outcome: Err(ClaimRefusal::Unavailable) })
            }
            Item::Ask(DeskAsk::Keep { party, call, kept, at }) => {
                self.registry.keep(call, &kept, at);
                self.backlog.push(Write::Kept(call, Box::new(kept.output)));
                Some(DeskAnswer::Kept { party, call, stored: false })
            }
            Item::Ask(DeskAsk::Returned { call_transfer, at }) => {
                self.registry.returned(&call_transfer, at);
                None
            }
            Item::Ask(DeskAsk::Began(record)) => {
                self.backlog.push(Write::Began(record));
                None
            }
            Item::Ask(DeskAsk::Ended(whole)) => {
                let record = &whole.record;
                self.registry.ended(record.id, !record.returns.is_empty(), record.ended_at.unwrap_or(record.started_at));
                self.backlog.push(Write::Ended(whole));
                None
            }
        };
        while let Some(changed) = self.registry.poll_change() {
            self.backlog.push(Write::Transfer(Box::new(changed)));
        }
        answer
    }

    fn write_backlog(&mut self) -> rusqlite::Result<u64> {
        if self.backlog.is_empty() && self.healthy() {
            return Ok(0);
        }
        if !self.healthy() {
            // The log of what is committed may hold the room that is missing.
            self.cut_log();
        }
        let transaction = self.connection.transaction()?;
        let mut added = 0;
        for write in self.backlog.iter() {
            added += write.execute(&transaction, self.retention.keeps_calls())?;
        }
        // Room for what comes next: else the first create would find the disk as full as before.
        transaction.execute("INSERT OR REPLACE INTO messages (seq, call, size, data) VALUES (0, 0, 0, zeroblob(?))", [ROOM])?;
        transaction.commit()?;
        self.connection.execute("DELETE FROM messages WHERE seq = 0", [])?;
        Ok(added)
    }

    fn roll_back(&mut self, why: &rusqlite::Error) {
        if !self.connection.is_autocommit()
            && let Err(why) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::debug!("rolling back: {why}");
        }
        if self.healthy.swap(false, Ordering::Relaxed) {
            tracing::error!("the database can't be written ({why}): call transfers are refused until it can, running calls go on");
        }
    }

    fn sealed_secret(&self, made: &CallTransfer) -> Option<Vec<u8>> {
        let TransferTarget::Sip(returns) = &made.target else { return None };
        let sealed = self.seal.seal(&made.id, &returns.auth.as_ref()?.secret);
        // The call is well served without: only after a restart its return INVITE would go without the password.
        sealed.inspect_err(|why| tracing::warn!(call_transfer = made.id, "its password is kept in memory only: {why}")).ok()
    }
}

impl Done {
    fn succeed(self) -> Option<DeskAnswer> {
        match self {
            // Nobody waits for the answer any more where these fail.
            Self::Made(made, answer) => drop(answer.send(Ok(*made))),
            Self::NotMade(fault, answer) => drop(answer.send(Err(fault))),
            Self::Claimed { party, query, outcome } => return Some(DeskAnswer::Claimed { party, query, outcome }),
            Self::Kept { party, call } => return Some(DeskAnswer::Kept { party, call, stored: true }),
        }
        None
    }

    /// Refusals, too: they may rest on what was not committed.
    fn fail(self) -> Option<DeskAnswer> {
        match self {
            Self::Made(_, answer) | Self::NotMade(_, answer) => drop(answer.send(Err(CreateRefusal::Unavailable))),
            Self::Claimed { party, query, .. } => {
                return Some(DeskAnswer::Claimed { party, query, outcome: Err(ClaimRefusal::Unavailable) });
            }
            Self::Kept { party, call } => return Some(DeskAnswer::Kept { party, call, stored: false }),
        }
        None
    }
}

fn told(lost: Lost) -> String {
    if lost == Lost::default() {
        return String::new();
    }
    format!("; given up: the messages of {} calls and {} records", lost.messages_of_calls, lost.writes)
}

/// Expired in one transaction: each costs some 10 µs.
const MOST_EXPIRED: usize = 1_000;
/// Bytes that must fit before the disk counts as well.
const ROOM: i64 = 64 << 10;
