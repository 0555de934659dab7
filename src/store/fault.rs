//! Why the store does not do what it is asked.

use std::path::PathBuf;

/// The store can't be opened. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{} is used by another handback ({holder}): stop it, or give this one a database of its own by [store] url", path.display())]
    InUse { path: PathBuf, holder: String },
    #[error("the database is of version {found}, and this handback knows versions up to {current}: a newer handback made it; use that one")]
    Newer { found: i64, current: usize },
    #[error("{} is damaged ({what}): move it aside with its -wal file and restore a copy, or start with a new one", path.display())]
    Damaged { path: PathBuf, what: String },
    #[error("{} can't be opened: {why}", path.display())]
    File { path: PathBuf, why: std::io::Error },
    #[error("{}: {why}", path.display())]
    Key { path: PathBuf, why: String },
    #[error("the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    #[error("the store's thread can't be started: {0}")]
    Thread(std::io::Error),
}

/// The store can't be read now. The text is for the log; nothing in it is for the other side.
#[derive(Debug, thiserror::Error)]
#[error("the database can't be read: {0}")]
pub struct ReadFault(String);

impl From<rusqlite::Error> for ReadFault {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl ReadFault {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}
