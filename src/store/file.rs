//! The database's file: whose it is, who may read it, and how connections to it behave.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::fault::StoreError;

/// The database's place, held by this process for as long as this value lives.
#[derive(Debug)]
pub struct Place {
    at: At,
    /// The last program that wrote it did not close it.
    torn: bool,
}

#[derive(Debug)]
enum At {
    File {
        path: PathBuf,
        _lock: File,
    },
    /// SQLite's shared memory database of this name; it vanishes with its last connection.
    Memory {
        name: String,
    },
}

impl Place {
    /// Takes the file, or memory without one.
    ///
    /// # Errors
    /// Another process has it, or it can't be made.
    pub fn take(path: Option<&Path>) -> Result<Self, StoreError> {
        let Some(path) = path else {
            static NEXT: AtomicU64 = AtomicU64::new(0);
            let name = format!("file:/handback-{}?vfs=memdb", NEXT.fetch_add(1, Ordering::Relaxed));
            return Ok(Self { at: At::Memory { name }, torn: false });
        };
        let lock = lock(path)?;
        // SQLite gives its -wal and -shm files the permissions of the database.
        private_file(path).map_err(|why| StoreError::File { path: path.to_owned(), why })?;
        let torn = beside(path, "-wal").metadata().is_ok_and(|wal| wal.len() > 0);
        Ok(Self { at: At::File { path: path.to_owned(), _lock: lock }, torn })
    }

    /// The file's path; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        match &self.at {
            At::File { path, .. } => Some(path),
            At::Memory { .. } => None,
        }
    }

    /// The one connection that writes. What a crash left is checked first.
    ///
    /// # Errors
    /// It is no database, or a damaged one.
    pub fn writer(&self) -> Result<Connection, StoreError> {
        let connection = self.connect()?;
        // In this order: a database that is not readable must be told as such, not as a pragma that fails.
        self.check(&connection)?;
        if self.path().is_some() {
            // Heeded while the file is new: a call's messages then mostly fit in one page, which the log takes in one piece.
            connection.pragma_update(None, "page_size", PAGE_BYTES)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "journal_size_limit", MOST_WAL_BYTES)?;
            // See checkpoint.rs.
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        } else {
            connection.pragma_update(None, "journal_mode", "MEMORY")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
        }
        connection.pragma_update(None, "secure_delete", "ON")?;
        Ok(connection)
    }

    /// A connection that reads, beside the writer.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn reader(&self) -> Result<Connection, StoreError> {
        let connection = self.connect()?;
        connection.pragma_update(None, "query_only", "ON")?;
        Ok(connection)
    }

    /// A connection that carries the log over, beside the writer; in memory there is no log.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn checkpointer(&self) -> Result<Option<Connection>, StoreError> {
        self.path().is_some().then(|| self.connect()).transpose()
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.at {
            At::File { path, .. } => Connection::open_with_flags(path, flags)?,
            At::Memory { name } => Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI)?,
        };
        // Only a stranger (a shell, a backup) can hold what we want to write; nobody waits for it longer than this.
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }

    fn check(&self, connection: &Connection) -> Result<(), StoreError> {
        let Some(path) = self.path() else { return Ok(()) };
        let damaged = |what: String| StoreError::Damaged { path: path.to_owned(), what };
        let readable = connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()));
        readable.map_err(|error| damaged(error.to_string()))?;
        if self.torn {
            let verdict: String =
                connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(|e| damaged(e.to_string()))?;
            if verdict != "ok" {
                return Err(damaged(verdict));
            }
        }
        Ok(())
    }
}

/// A file beside the database, as SQLite names its own: `handback.db-wal`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens the file for this user alone; makes it where it is not there, and closes it to others where it was open to them.
///
/// # Errors
/// What the system says.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mut permissions = file.metadata()?.permissions();
        if permissions.mode() & 0o077 != 0 {
            tracing::warn!("{} was open to other users; now it is this user's alone", path.display());
            permissions.set_mode(0o600);
            file.set_permissions(permissions)?;
        }
    }
    Ok(file)
}

/// A lock that the system lets go of with the process, however that ends. In a file of its own: closing any other
/// handle of the database itself would end SQLite's locks on it (POSIX).
fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = beside(path, "-lock");
    let fault = |why| StoreError::File { path: lock_path.clone(), why };
    let mut file = private_file(&lock_path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(why)) => return Err(fault(why)),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.take(32).read_to_string(&mut holder);
            let holder = holder.trim();
            let holder = if holder.is_empty() { "process unknown".to_owned() } else { format!("process {holder}") };
            return Err(StoreError::InUse { path: path.to_owned(), holder });
        }
    }
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    // Only for the other's sentence: a full disk must not keep us from starting.
    if let Err(why) = written {
        tracing::debug!("{}: {why}", lock_path.display());
    }
    Ok(file)
}

const PAGE_BYTES: i64 = 16_384;
const BUSY: Duration = Duration::from_millis(500);
/// The write-ahead log is cut back to this after a checkpoint.
const MOST_WAL_BYTES: i64 = 64 << 20;
