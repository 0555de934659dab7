//! What is forgotten: calls and ended call transfers by age, messages by their bytes too; a few rows at a time, so that
//! nobody waits for it.
//!
//! Freed pages are used again; the file itself keeps its size.

use rusqlite::{Connection, params};

use super::calls;
use crate::model::{CallId, Timestamp, settings};

#[derive(Debug)]
pub struct Retention {
    days: u32,
    most_bytes: u64,
    /// Bytes of messages kept now.
    bytes: u64,
}

impl Retention {
    /// # Errors
    /// The database can't be read.
    pub fn new(settings: &settings::Store, connection: &Connection) -> rusqlite::Result<Self> {
        let bytes: i64 = connection.query_row("SELECT COALESCE(SUM(size), 0) FROM messages", [], |row| row.get(0))?;
        Ok(Self { days: settings.retention_days, most_bytes: settings.retention_bytes, bytes: bytes as u64 })
    }

    /// Other bounds from the next step on.
    pub fn apply(&mut self, settings: &settings::Store) {
        (self.days, self.most_bytes) = (settings.retention_days, settings.retention_bytes);
    }

    /// Whether an ended call is kept at all.
    pub fn keeps_calls(&self) -> bool {
        self.days > 0
    }

    pub fn added(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Forgets up to [`STEP`] rows of each kind, in a transaction of its own. Tells whether more is to be forgotten.
    pub fn step(&mut self, connection: &mut Connection, now: Timestamp) -> rusqlite::Result<bool> {
        let transaction = connection.transaction()?;
        let by_bytes = self.forget_messages(&transaction)?;
        let oldest = now.0.saturating_sub(u64::from(self.days) * DAY_MICROS) as i64;
        let (by_age, freed) = forget_calls(&transaction, oldest)?;
        // [D] An ended call transfer stays for a day at least: its customer has to fetch what came of it.
        let oldest = now.0.saturating_sub(u64::from(self.days.max(1)) * DAY_MICROS) as i64;
        let transfers = forget_transfers(&transaction, oldest)?;
        transaction.commit()?;
        self.bytes = self.bytes.saturating_sub(by_bytes.1 + freed);
        Ok(by_bytes.0 == STEP || by_age == STEP || transfers == STEP)
    }

    fn forget_messages(&self, connection: &Connection) -> rusqlite::Result<(usize, u64)> {
        let (mut count, mut freed) = (0, 0);
        if self.bytes <= self.most_bytes {
            return Ok((0, 0));
        }
        let mut oldest = connection.prepare_cached("SELECT seq, size FROM messages ORDER BY seq LIMIT ?")?;
        let mut delete = connection.prepare_cached("DELETE FROM messages WHERE seq = ?")?;
        let mut rows = oldest.query([STEP as i64])?;
        let mut gone = Vec::new();
        while let Some(row) = rows.next()? {
            if self.bytes - freed <= self.most_bytes {
                break;
            }
            gone.push(row.get::<_, i64>(0)?);
            freed = (freed + row.get::<_, i64>(1)? as u64).min(self.bytes);
        }
        drop(rows);
        for seq in gone {
            delete.execute([seq])?;
            count += 1;
        }
        Ok((count, freed))
    }
}

fn forget_calls(connection: &Connection, before: i64) -> rusqlite::Result<(usize, u64)> {
    let mut old = connection.prepare_cached(
        "SELECT id, COALESCE((SELECT size FROM messages WHERE seq = calls.messages), 0) FROM calls
         WHERE started_at < ? AND ended_at < ? ORDER BY started_at LIMIT ?",
    )?;
    let found: Vec<(i64, i64)> =
        old.query_map(params![before, before, STEP as i64], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (id, _) in &found {
        calls::forget(connection, CallId(*id as u64))?;
    }
    Ok((found.len(), found.iter().map(|(_, size)| *size as u64).sum()))
}

fn forget_transfers(connection: &Connection, before: i64) -> rusqlite::Result<usize> {
    // In the order of creation: what is older than the first that stays, ended or not, was ended long ago.
    let mut delete = connection.prepare_cached(
        "DELETE FROM call_transfers WHERE seq IN (SELECT seq FROM
             (SELECT seq, live, created_at, completed_at, expires_at FROM call_transfers ORDER BY seq LIMIT ?)
         WHERE live IS NULL AND COALESCE(completed_at, expires_at) < ?)",
    )?;
    delete.execute(params![STEP as i64, before])
}

/// Rows of a kind in one step: about a millisecond.
pub const STEP: usize = 20;
const DAY_MICROS: u64 = 24 * 60 * 60 * 1_000_000;
