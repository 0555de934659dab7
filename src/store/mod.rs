//! The desk's memory: call transfers, calls and their messages in SQLite, so that nothing acknowledged is lost.
//!
//! One thread owns every call transfer. It takes what the API and the engine ask, decides by
//! [`contract::registry`](crate::contract::registry), writes all that waits in one transaction, and answers after the commit.
//! Readers have connections of their own (WAL), and never wait for the writer.
//!
//! | file | |
//! | --- | --- |
//! | `store.rs` | open, and close |
//! | `handle.rs` | what the API and the window ask |
//! | `writer.rs`, `batch.rs`, `backlog.rs` | the writer: group commits, and what happens while the disk refuses |
//! | `checkpoint.rs` | the log, carried over beside the writer |
//! | `write.rs`, `transfers.rs`, `calls.rs`, `messages.rs`, `sounds.rs` | rows |
//! | `history.rs` | questions about the past |
//! | `retention.rs` | what is forgotten, in small steps |
//! | `recovery.rs` | after a crash |
//! | `file.rs`, `schema.rs`, `sealing.rs` | the file, its versions, and what is encrypted in it |
//!
//! **Secrets.** Passwords of call transfers are sealed (ChaCha20-Poly1305) and erased when their transfer ends. Messages
//! are kept with credentials and media keys blanked, so the file never holds them.

mod backlog;
mod batch;
mod calls;
mod checkpoint;
mod fault;
mod file;
mod handle;
mod history;
mod messages;
mod recovery;
mod retention;
mod schema;
mod sealing;
mod sounds;
#[expect(clippy::module_inception, reason = "the type that a reader of the folder comes for")]
mod store;
mod transfers;
mod write;
mod writer;

pub use calls::KnownConversation;
pub use fault::{ReadFault, StoreError};
pub use handle::StoreHandle;
pub use history::HistoryQuery;
pub use store::Store;
pub use transfers::{TransferPage, TransferQuery};
