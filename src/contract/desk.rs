//! The desk with its past in memory: what the store does with SQLite, without it. For virtual time, and for comparison.

use std::collections::HashMap;

use super::{
    create_refusal::CreateRefusal,
    e164,
    registry::{Past, PastUnavailable, Registry},
};
use crate::model::{CallTransfer, DeskAnswer, DeskAsk, NewCallTransfer, Timestamp, TransferStatus, settings};

/// Call transfers for as long as this value lives.
#[derive(Debug)]
pub struct MemoryDesk {
    registry: Registry,
    kept: Kept,
}

impl MemoryDesk {
    pub fn new(api: &settings::Api) -> Self {
        Self { registry: Registry::new(Some(api)), kept: Kept::default() }
    }

    /// What `POST …/call-transfers` does.
    ///
    /// # Errors
    /// The id is used, or no number can be leased.
    pub fn create(&mut self, new: NewCallTransfer, now: Timestamp) -> Result<CallTransfer, CreateRefusal> {
        self.expire_due(now);
        let made = self.registry.create(new, now, &self.kept)?;
        self.kept.insert(made.clone());
        Ok(made)
    }

    /// What `GET …/call-transfers/{id}` shows.
    pub fn transfer(&self, id: &str) -> Option<&CallTransfer> {
        self.kept.by_id.get(id)
    }

    /// Takes what the engine asks or tells, and answers where an answer is due.
    pub fn handle(&mut self, ask: DeskAsk) -> Option<DeskAnswer> {
        let answer = match ask {
            DeskAsk::Claim { party, query, call, key, at } => {
                let outcome = self.registry.claim(&key, call, at, &self.kept).map(Box::new);
                Some(DeskAnswer::Claimed { party, query, outcome })
            }
            DeskAsk::Keep { party, call, kept, at } => {
                self.registry.keep(call, &kept, at);
                Some(DeskAnswer::Kept { party, call, stored: true })
            }
            DeskAsk::Returned { call_transfer, at } => {
                self.registry.returned(&call_transfer, at);
                None
            }
            DeskAsk::Began(_) => None,
            DeskAsk::Ended(whole) => {
                let record = &whole.record;
                self.registry.ended(record.id, !record.returns.is_empty(), record.ended_at.unwrap_or(record.started_at));
                None
            }
        };
        self.take_changes();
        answer
    }

    /// Expires what is due.
    pub fn expire_due(&mut self, now: Timestamp) {
        self.registry.expire_due(now, usize::MAX);
        self.take_changes();
    }

    /// When the next one expires.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.registry.deadline()
    }

    fn take_changes(&mut self) {
        while let Some(changed) = self.registry.poll_change() {
            self.kept.insert(changed);
        }
    }
}

#[derive(Debug, Default)]
struct Kept {
    by_id: HashMap<String, CallTransfer>,
    newest_by_number: HashMap<u64, String>,
}

impl Kept {
    fn insert(&mut self, transfer: CallTransfer) {
        let is_new = !self.by_id.contains_key(&transfer.id);
        if let Some(number) = transfer.number.as_deref().and_then(e164::of_user).filter(|_| is_new) {
            self.newest_by_number.insert(number, transfer.id.clone());
        }
        self.by_id.insert(transfer.id.clone(), transfer);
    }
}

impl Past for Kept {
    fn status_of(&self, id: &str) -> Result<Option<TransferStatus>, PastUnavailable> {
        Ok(self.by_id.get(id).map(|transfer| transfer.status))
    }

    fn newest_with_number(&self, number: u64) -> Result<Option<TransferStatus>, PastUnavailable> {
        Ok(self.newest_by_number.get(&number).and_then(|id| self.by_id.get(id)).map(|transfer| transfer.status))
    }
}
