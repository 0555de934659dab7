//! One thing to write that must not be lost: done in a transaction, or put off until the disk takes it.

use std::sync::Arc;

use rusqlite::Connection;

use super::{calls, transfers};
use crate::model::{CallId, CallRecord, CallTransfer, OutputContext, WholeCall};

#[derive(Debug, Clone)]
pub enum Write {
    /// A transfer as it stands now.
    Transfer(Box<CallTransfer>),
    Began(Arc<CallRecord>),
    Kept(CallId, Box<OutputContext>),
    Ended(WholeCall),
}

impl Write {
    /// Writes it. Gives the bytes of messages and sound that it adds.
    ///
    /// # Errors
    /// The database refuses; the transaction is to be rolled back.
    pub fn execute(&self, connection: &Connection, keeps_calls: bool) -> rusqlite::Result<u64> {
        match self {
            Self::Transfer(transfer) => transfers::update(connection, transfer).map(|()| 0),
            Self::Began(record) => calls::began(connection, record).map(|()| 0),
            Self::Kept(call, output) => calls::kept(connection, *call, output).map(|()| 0),
            Self::Ended(whole) if keeps_calls => calls::ended(connection, whole),
            Self::Ended(whole) => calls::forget(connection, whole.record.id).map(|()| 0),
        }
    }

    /// Bytes of messages and sound that wait with it.
    pub fn size(&self) -> usize {
        match self {
            Self::Ended(whole) => {
                let sound = whole.sound.as_ref().map_or(0, |sound| sound.size());
                whole.messages.iter().map(|message| message.bytes.len()).sum::<usize>() + sound
            }
            Self::Transfer(_) | Self::Began(_) | Self::Kept(..) => 0,
        }
    }
}
