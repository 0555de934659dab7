//! The thread `handback-checkpoint`: carries SQLite's write-ahead log over into the database, so that no commit waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;
use tokio::time::Instant;

/// Beside the writer, with a connection of its own. Ends when it is dropped.
pub struct Checkpointer {
    wake: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Pages in the log when it was last carried over without reaching its end.
    left: Arc<AtomicU64>,
    next: Instant,
}

impl Checkpointer {
    /// # Errors
    /// The thread can't be started.
    pub fn start(connection: Connection) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let left = Arc::new(AtomicU64::new(0));
        let seen = left.clone();
        let run = move || {
            for () in woken {
                seen.store(carry_over(&connection), Ordering::Relaxed);
            }
        };
        let thread = std::thread::Builder::new().name("handback-checkpoint".to_owned()).spawn(run)?;
        Ok(Self { wake: Some(wake), thread: Some(thread), left, next: Instant::now() })
    }

    /// There is something new in the log. Tells whether it has grown too long: new pages came faster than old ones went,
    /// so that SQLite never got to begin it anew, and the writer has to stop for that.
    pub fn committed(&mut self, now: Instant) -> bool {
        if now >= self.next
            && let Some(wake) = &self.wake
        {
            self.next = now + EVERY;
            // Full: it is at work.
            let _ = wake.try_send(());
        }
        self.left.swap(0, Ordering::Relaxed) > MOST_PAGES
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Gives the pages of the log where some of them are left. What fails here is tried again, and fails the writer too
/// where it matters.
fn carry_over(connection: &Connection) -> u64 {
    let figures = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], figures) {
        Ok((pages, carried)) if carried < pages => pages.unsigned_abs(),
        Ok(_) => 0,
        Err(why) => {
            tracing::debug!("carrying the log over: {why}");
            0
        }
    }
}

/// Most pages change again and again: the longer the log, the fewer of them are carried over.
const EVERY: Duration = Duration::from_secs(1);
/// 64 MiB, or 16 in a file of an earlier version with its smaller pages: then the writer waits for the rest once.
const MOST_PAGES: u64 = 4_096;
