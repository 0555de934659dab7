//! All live call transfers: who may have which, each edge at most once and in order (contract §2, §4).
//!
//! One owner asks one thing at a time, so whatever races outside, there is an order here. After each question the
//! owner takes the transfers that changed by [`Registry::poll_change`] and keeps them before it tells anybody.
//! What has ended is not held here: it is asked for in the [`Past`].

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use super::{
    call_transfer::{Happening, Step, TransferLife, refusal},
    create_refusal::CreateRefusal,
    e164,
    number_pool::{NoLease, NumberPools},
};
use crate::model::{
    CallId, CallTransfer, ClaimKey, ClaimRefusal, Claimed, Keep, NewCallTransfer, PoolFigures, Timestamp, TransferStatus, TransferTarget,
    settings,
};

/// The transfers that have ended, and are kept elsewhere.
pub trait Past {
    /// The status of the transfer with this id; `None` where there never was one.
    ///
    /// # Errors
    /// It can't be looked up now.
    fn status_of(&self, id: &str) -> Result<Option<TransferStatus>, PastUnavailable>;

    /// The status of the newest transfer that had this number (its digits without the `+`).
    ///
    /// # Errors
    /// It can't be looked up now.
    fn newest_with_number(&self, number: u64) -> Result<Option<TransferStatus>, PastUnavailable>;
}

/// The past can't be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("call transfers that have ended can't be looked up now")]
pub struct PastUnavailable;

/// ACTIVE and ONGOING call transfers.
#[derive(Debug)]
pub struct Registry {
    number_lease_micros: u64,
    sip_expiry_micros: u64,
    pools: NumberPools,
    live: HashMap<Arc<str>, TransferLife>,
    /// When ACTIVE ones expire.
    expiries: BTreeSet<(Timestamp, Arc<str>)>,
    /// The newest live transfer that has or had a number.
    by_number: HashMap<u64, Arc<str>>,
    by_call: HashMap<CallId, Arc<str>>,
    changes: VecDeque<CallTransfer>,
}

impl Registry {
    /// Without an API nothing is made, but what was made before lives on.
    pub fn new(api: Option<&settings::Api>) -> Self {
        let secs = |of: fn(&settings::Api) -> u64, default| api.map_or(default, of).saturating_mul(1_000_000);
        Self {
            number_lease_micros: secs(|api| api.number_lease_secs, 60),
            sip_expiry_micros: secs(|api| api.sip_transfer_expiry_secs, 300),
            pools: NumberPools::new(api.map(|api| &api.numbers[..]).unwrap_or_default()),
            live: HashMap::new(),
            expiries: BTreeSet::new(),
            by_number: HashMap::new(),
            by_call: HashMap::new(),
            changes: VecDeque::new(),
        }
    }

    /// Other settings for what is made from now on; what was made keeps its number and its expiry.
    pub fn apply(&mut self, api: &settings::Api) {
        self.number_lease_micros = api.number_lease_secs.saturating_mul(1_000_000);
        self.sip_expiry_micros = api.sip_transfer_expiry_secs.saturating_mul(1_000_000);
        self.pools.replace(&api.numbers);
    }

    /// Takes up a transfer that was kept: at start-up, before all else. One that is ONGOING is interrupted;
    /// one that is overdue expires at the next [`Registry::expire_due`].
    pub fn restore(&mut self, kept: CallTransfer, now: Timestamp) {
        let Some(mut life) = TransferLife::restore(kept) else { return };
        if life.handle(now, Happening::Interrupted) == Step::Changed {
            self.changes.push_back(life.resource());
        } else if life.status() == TransferStatus::Active {
            if let Some(number) = number_of(&life) {
                self.pools.lease_again(number, life.expires_at());
            }
            self.insert(life);
        }
    }

    /// Numbers that were leased before this start, the longest ago first; after the live ones are restored.
    pub fn remember_numbers(&mut self, released: impl Iterator<Item = u64>) {
        self.pools.remember(released);
    }

    /// Makes a call transfer, ACTIVE from `now`.
    ///
    /// # Errors
    /// The id is used, or no number can be leased.
    pub fn create(&mut self, new: NewCallTransfer, now: Timestamp, past: &impl Past) -> Result<CallTransfer, CreateRefusal> {
        if self.live.contains_key(new.id.as_str()) || past.status_of(&new.id).map_err(|_| CreateRefusal::Unavailable)?.is_some() {
            return Err(CreateRefusal::IdUsed);
        }
        if self.live.len() >= MOST_LIVE {
            return Err(CreateRefusal::Busy);
        }
        let (number, expires_at) = match &new.target {
            TransferTarget::Sip(_) => (None, Timestamp(now.0.saturating_add(self.sip_expiry_micros))),
            TransferTarget::PhoneNumber { country } => {
                let expires_at = Timestamp(now.0.saturating_add(self.number_lease_micros));
                let number = self.pools.lease(country, now, expires_at).map_err(|no| match no {
                    NoLease::NoPool => CreateRefusal::NoPool,
                    NoLease::Exhausted { retry_after_secs } => CreateRefusal::NoNumber { retry_after_secs },
                })?;
                (Some(e164::written(number)), expires_at)
            }
        };
        let life = TransferLife::new(new, number, now, expires_at);
        let made = life.resource();
        self.insert(life);
        Ok(made)
    }

    /// The transfer was not kept: as if it had never been asked for. In the reverse order of asking.
    pub fn revoke_create(&mut self, id: &str) {
        let Some(life) = self.live.remove(id) else { return };
        self.expiries.remove(&(life.expires_at(), id.into()));
        if let Some(number) = number_of(&life) {
            self.forget_number(number, id);
            self.pools.revoke(number);
        }
    }

    /// Gives the transfer to a call: it is ONGOING, and its number is free.
    ///
    /// # Errors
    /// There is none, it has expired or ended, or another call has it.
    pub fn claim(&mut self, key: &ClaimKey, call: CallId, now: Timestamp, past: &impl Past) -> Result<Claimed, ClaimRefusal> {
        let id = match key {
            ClaimKey::Id(id) => self.live.get_key_value(id.as_str()).map(|(id, _)| id.clone()),
            ClaimKey::Number(number) => e164::of_user(number).and_then(|number| self.by_number.get(&number).cloned()),
        };
        let Some(id) = id else {
            let ended = match key {
                ClaimKey::Id(id) => past.status_of(id),
                ClaimKey::Number(number) => e164::of_user(number).map_or(Ok(None), |number| past.newest_with_number(number)),
            };
            return Err(ended.map_or(ClaimRefusal::Unavailable, |status| status.map_or(ClaimRefusal::Unknown, refusal)));
        };
        match self.step(&id, now, Happening::Claimed { call }) {
            (Step::Refused(why), _) => Err(why),
            (_, Some(claimed)) => Ok(claimed),
            (_, None) => Err(ClaimRefusal::Expired),
        }
    }

    /// The claim was not kept: as if it had never been asked. In the reverse order of asking.
    pub fn revoke_claim(&mut self, id: &str) {
        let Some((id, life)) = self.live.get_key_value(id) else { return };
        let id = id.clone();
        if let Some(call) = life.call() {
            self.by_call.remove(&call);
        }
        if let Some(life) = self.live.get_mut(&id) {
            life.revoke_claim();
            self.expiries.insert((life.expires_at(), id.clone()));
            if let Some(number) = number_of(life) {
                self.pools.lease_again(number, life.expires_at());
                self.by_number.insert(number, id);
            }
        }
    }

    /// Keeps what the agent of `call` hands back.
    pub fn keep(&mut self, call: CallId, keep: &Keep, now: Timestamp) {
        let Some(id) = keep.call_transfer.as_deref() else { return };
        self.step(id, now, Happening::Kept { call, output: keep.output.clone(), completes: keep.completes });
    }

    /// The transfer's call went back.
    pub fn returned(&mut self, id: &str, now: Timestamp) {
        self.step(id, now, Happening::Returned);
    }

    /// The call is over; `return_began` where it did not end before.
    pub fn ended(&mut self, call: CallId, return_began: bool, now: Timestamp) {
        if let Some(id) = self.by_call.get(&call).cloned() {
            self.step(&id, now, Happening::CallEnded { return_began });
        }
    }

    /// Expires up to `most` of those that are due.
    pub fn expire_due(&mut self, now: Timestamp, most: usize) {
        for _ in 0..most {
            let Some((_, id)) = self.expiries.first().filter(|(at, _)| *at <= now).cloned() else { return };
            self.step(&id, now, Happening::Waited);
        }
    }

    /// When the next one expires.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// A transfer that changed, in the order of the changes; one that was just made is not among them.
    pub fn poll_change(&mut self) -> Option<CallTransfer> {
        self.changes.pop_front()
    }

    /// A live transfer as it stands.
    pub fn live(&self, id: &str) -> Option<CallTransfer> {
        self.live.get(id).map(TransferLife::resource)
    }

    pub fn pool_figures(&self) -> Vec<PoolFigures> {
        self.pools.figures()
    }

    /// When the first lease of the country ends.
    pub fn next_lease_ends_at(&self, country: &str) -> Option<Timestamp> {
        self.pools.next_lease_ends_at(country)
    }

    /// ACTIVE and ONGOING ones.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Lets it happen to one transfer, and keeps the indices true. Where it is ONGOING after a change: what its call needs.
    fn step(&mut self, id: &str, now: Timestamp, what: Happening) -> (Step, Option<Claimed>) {
        let Some(life) = self.live.get_mut(id) else { return (Step::Absorbed, None) };
        let (before, before_call) = (life.status(), life.call());
        let step = life.handle(now, what);
        if step != Step::Changed {
            return (step, None);
        }
        let (after, call, expires_at, number) = (life.status(), life.call(), life.expires_at(), number_of(life));
        let claimed = (before == TransferStatus::Active && after == TransferStatus::Ongoing).then(|| life.claimed());
        self.changes.push_back(life.resource());
        if before == TransferStatus::Active {
            self.expiries.remove(&(expires_at, id.into()));
            if let Some(number) = number {
                self.pools.release(number);
            }
        }
        match after {
            TransferStatus::Active | TransferStatus::Ongoing => {
                if let (Some(call), Some((id, _))) = (call, self.live.get_key_value(id)) {
                    self.by_call.insert(call, id.clone());
                }
            }
            TransferStatus::Completed | TransferStatus::Expired => {
                self.live.remove(id);
                if let Some(call) = before_call {
                    self.by_call.remove(&call);
                }
                if let Some(number) = number {
                    self.forget_number(number, id);
                }
            }
        }
        (step, claimed)
    }

    fn insert(&mut self, life: TransferLife) {
        let id: Arc<str> = life.id().into();
        self.expiries.insert((life.expires_at(), id.clone()));
        if let Some(number) = number_of(&life) {
            self.by_number.insert(number, id.clone());
        }
        self.live.insert(id, life);
    }

    fn forget_number(&mut self, number: u64, id: &str) {
        if self.by_number.get(&number).is_some_and(|newest| &**newest == id) {
            self.by_number.remove(&number);
        }
    }
}

fn number_of(life: &TransferLife) -> Option<u64> {
    life.number().and_then(e164::of_user)
}

/// Live transfers at one time: some 1 KB each. A client that makes more than its calls can follow is stopped here.
const MOST_LIVE: usize = 200_000;

#[cfg(test)]
mod tests;
