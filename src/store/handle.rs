//! What the API and the window hold: makes call transfers, and looks them and past calls up.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    batch::{Change, Create},
    calls::{self, KnownConversation},
    fault::ReadFault,
    history::{self, HistoryQuery},
    transfers::{self, TransferPage, TransferQuery},
    writer::wall_now,
};
use crate::{
    contract::{create_refusal::CreateRefusal, registry::Registry},
    model::{
        CallId, CallPage, CallSound, CallTransfer, CapturedMessage, NewCallTransfer, PastCall, PoolFigures, Timestamp, TransferTarget,
        settings,
    },
};

/// Cheap to clone; usable from every thread.
#[derive(Clone)]
pub struct StoreHandle {
    pub(super) creates: mpsc::Sender<Create>,
    pub(super) changes: mpsc::Sender<Change>,
    pub(super) shared: Arc<Shared>,
}

/// What readers share with the writer.
pub(super) struct Shared {
    healthy: Arc<AtomicBool>,
    pools: Mutex<Arc<[Pool]>>,
    /// For quick looks at one call transfer: nothing slow may hold it.
    quick: Mutex<Connection>,
    /// For questions about the past, which may read much.
    slow: Mutex<Connection>,
}

#[derive(Debug, PartialEq, Eq)]
struct Pool {
    figures: PoolFigures,
    next_lease_ends_at: Option<Timestamp>,
}

impl StoreHandle {
    /// Makes a call transfer; it is on disk when this answers.
    ///
    /// # Errors
    /// See [`CreateRefusal`]; nothing is made then.
    pub async fn create(&self, new: NewCallTransfer) -> Result<CallTransfer, CreateRefusal> {
        let (answer, made) = oneshot::channel();
        self.creates.try_send(Create { new, answer }).map_err(|fault| match fault {
            mpsc::error::TrySendError::Full(_) => CreateRefusal::Busy,
            mpsc::error::TrySendError::Closed(_) => CreateRefusal::Unavailable,
        })?;
        made.await.map_err(|_| CreateRefusal::Unavailable)?
    }

    /// Brings other settings into force for what comes: retention, and what is made through the API. Where it is kept stays.
    /// Not for a thread that may not wait.
    ///
    /// # Errors
    /// The store has ended.
    pub fn apply(&self, store: settings::Store, api: Option<settings::Api>) -> Result<(), String> {
        let sent = self.changes.blocking_send(Change { store, api });
        sent.map_err(|_| "The store has ended".to_owned())
    }

    /// How [`StoreHandle::create`] would be answered now, were it asked.
    ///
    /// # Errors
    /// As [`StoreHandle::create`].
    pub fn check(&self, new: &NewCallTransfer) -> Result<(), CreateRefusal> {
        if !self.healthy() {
            return Err(CreateRefusal::Unavailable);
        }
        match self.get(&new.id) {
            Ok(None) => {}
            Ok(Some(_)) => return Err(CreateRefusal::IdUsed),
            Err(_) => return Err(CreateRefusal::Unavailable),
        }
        let TransferTarget::PhoneNumber { country } = &new.target else { return Ok(()) };
        let pools = locked(&self.shared.pools).clone();
        let pool = pools.iter().find(|pool| pool.figures.country == *country).ok_or(CreateRefusal::NoPool)?;
        if pool.figures.leased < pool.figures.total {
            return Ok(());
        }
        let wait = pool.next_lease_ends_at.map_or(0, |at| at.micros_since(wall_now()));
        Err(CreateRefusal::NoNumber { retry_after_secs: wait.div_ceil(1_000_000).max(1) })
    }

    /// A call transfer as it was last committed, with its user name and an empty password. Takes some 10 µs.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn get(&self, id: &str) -> Result<Option<CallTransfer>, ReadFault> {
        transfers::read(&locked(&self.shared.quick), id)
    }

    /// Call transfers, the newest first. Up to some milliseconds; not for an async thread.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn transfers(&self, query: &TransferQuery) -> Result<TransferPage, ReadFault> {
        transfers::list(&locked(&self.shared.slow), query)
    }

    /// How the number pools stand, by country.
    pub fn pools(&self) -> Vec<PoolFigures> {
        locked(&self.shared.pools).iter().map(|pool| pool.figures.clone()).collect()
    }

    /// Past calls. Up to a second where many have to be read; not for an async thread.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn history(&self, query: &HistoryQuery) -> Result<CallPage, ReadFault> {
        history::page(&locked(&self.shared.slow), query)
    }

    /// A past call; `None` where it is not known (any more).
    ///
    /// # Errors
    /// The database can't be read.
    pub fn call(&self, call: CallId) -> Result<Option<PastCall>, ReadFault> {
        calls::read(&locked(&self.shared.slow), call)
    }

    /// The messages of a past call, secrets blanked; `None` where they are not kept (any more).
    ///
    /// # Errors
    /// The database can't be read.
    pub fn messages(&self, call: CallId) -> Result<Option<Vec<CapturedMessage>>, ReadFault> {
        calls::messages_of(&locked(&self.shared.slow), call)
    }

    /// How a past call sounded over its time; `None` where that is not kept (any more).
    ///
    /// # Errors
    /// The database can't be read.
    pub fn sound(&self, call: CallId) -> Result<Option<CallSound>, ReadFault> {
        calls::sound_of(&locked(&self.shared.slow), call)
    }

    /// The conversations of the last `most` calls that had one, the latest last.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn conversations(&self, most: usize) -> Result<Vec<KnownConversation>, ReadFault> {
        calls::conversations(&locked(&self.shared.slow), most)
    }

    /// The disk takes what is written.
    pub fn healthy(&self) -> bool {
        self.shared.healthy.load(Ordering::Relaxed)
    }
}

impl Shared {
    pub fn new(quick: Connection, slow: Connection, healthy: Arc<AtomicBool>) -> Self {
        Self { healthy, pools: Mutex::new(Vec::new().into()), quick: Mutex::new(quick), slow: Mutex::new(slow) }
    }

    /// By the writer, after each batch.
    pub fn publish(&self, registry: &Registry) {
        let pools: Vec<Pool> = registry
            .pool_figures()
            .into_iter()
            .map(|figures| Pool { next_lease_ends_at: registry.next_lease_ends_at(&figures.country), figures })
            .collect();
        let mut published = locked(&self.pools);
        if published[..] != pools[..] {
            *published = pools.into();
        }
    }
}

/// A reader that panicked left nothing half done: it only read.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
