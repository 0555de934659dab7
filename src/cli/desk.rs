//! The store for the window: past calls and call transfers, read off its thread, and creates as the API makes them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use crate::{
    console::{ApiAnswer, Archive, Kept, PastAnswer, PastAsk, TransferDesk, TransfersView},
    contract::{api_fault::ApiFault, create_refusal::CreateRefusal, new_transfer},
    model::settings::{Api, NumberRange},
    store::{HistoryQuery, ReadFault, StoreHandle, TransferQuery},
};

/// Reads the store on a thread of its own, and only while the window asks.
pub struct Desk {
    store: StoreHandle,
    pools: Arc<ArcSwap<Vec<NumberRange>>>,
    view: Arc<ArcSwap<TransfersView>>,
    asked: Arc<AtomicBool>,
    creates: mpsc::Sender<Create>,
}

struct Create {
    body: String,
    done: Box<dyn FnOnce(ApiAnswer) + Send>,
}

impl Desk {
    /// `address`: where the API is served.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(api: &Api, address: std::net::SocketAddr, store: StoreHandle) -> std::io::Result<Self> {
        let empty = TransfersView {
            url: format!("http://{address}"),
            key_id: api.keys.first().map(|key| key.id.clone()).unwrap_or_default(),
            ..TransfersView::default()
        };
        let (creates, wanted) = mpsc::channel(CREATES);
        let desk = Self {
            store: store.clone(),
            pools: Arc::new(ArcSwap::from_pointee(api.numbers.clone())),
            view: Arc::new(ArcSwap::from_pointee(empty)),
            asked: Arc::new(AtomicBool::new(true)),
            creates,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let worker = Worker { store, pools: desk.pools.clone(), view: desk.view.clone(), asked: desk.asked.clone() };
        std::thread::Builder::new().name("handback-desk".to_owned()).spawn(move || runtime.block_on(worker.run(wanted)))?;
        Ok(desk)
    }

    /// Other numbers from now on; and the first key's id, for examples.
    pub fn apply(&self, api: &Api) {
        self.pools.store(Arc::new(api.numbers.clone()));
        let key_id = api.keys.first().map(|key| key.id.clone()).unwrap_or_default();
        self.view.rcu(|view| TransfersView { key_id: key_id.clone(), ..(**view).clone() });
    }
}

impl TransferDesk for Desk {
    fn view(&self) -> Arc<TransfersView> {
        self.asked.store(true, Ordering::Relaxed);
        self.view.load_full()
    }

    fn judge(&self, body: &str) -> ApiAnswer {
        let judged = new_transfer::read(body.as_bytes(), &self.pools.load())
            .and_then(|new| self.store.check(&new).map(|()| new.id.clone()).map_err(|refusal| refusal.fault(new.target.country())));
        answer(judged)
    }

    fn create(&self, body: &str, done: Box<dyn FnOnce(ApiAnswer) + Send>) {
        let full = match self.creates.try_send(Create { body: body.to_owned(), done }) {
            Ok(()) => return,
            Err(mpsc::error::TrySendError::Full(create) | mpsc::error::TrySendError::Closed(create)) => create,
        };
        (full.done)(answer(Err(CreateRefusal::Busy.fault(""))));
    }
}

/// Past calls, read on a thread of its own.
pub struct PastCalls {
    asks: std::sync::mpsc::SyncSender<Ask>,
}

type Ask = (PastAsk, Box<dyn FnOnce(PastAnswer) + Send>);

impl PastCalls {
    /// # Errors
    /// No thread can be started.
    pub fn start(store: StoreHandle) -> std::io::Result<Self> {
        let (asks, asked) = std::sync::mpsc::sync_channel::<Ask>(ASKS);
        std::thread::Builder::new().name("handback-past".to_owned()).spawn(move || {
            for (ask, done) in asked {
                done(look_up(&store, ask).unwrap_or_else(|why| PastAnswer::Failed(format!("Past calls can't be read: {why}"))));
            }
        })?;
        Ok(Self { asks })
    }
}

impl Archive for PastCalls {
    fn ask(&self, ask: PastAsk, done: Box<dyn FnOnce(PastAnswer) + Send>) {
        if let Err(std::sync::mpsc::TrySendError::Full((_, done)) | std::sync::mpsc::TrySendError::Disconnected((_, done))) =
            self.asks.try_send((ask, done))
        {
            done(PastAnswer::Failed("Past calls are being read still; try again".to_owned()));
        }
    }
}

fn look_up(store: &StoreHandle, ask: PastAsk) -> Result<PastAnswer, ReadFault> {
    Ok(match ask {
        PastAsk::Page { filter, before, most } => {
            PastAnswer::Page(store.history(&HistoryQuery { filter: *filter, before, most, ..HistoryQuery::default() })?)
        }
        PastAsk::Kept(call) => {
            let (messages, sound) = (store.messages(call)?.unwrap_or_default(), store.sound(call)?.map(Arc::new));
            PastAnswer::Kept(call, Kept { messages, sound })
        }
    })
}

struct Worker {
    store: StoreHandle,
    pools: Arc<ArcSwap<Vec<NumberRange>>>,
    view: Arc<ArcSwap<TransfersView>>,
    asked: Arc<AtomicBool>,
}

impl Worker {
    /// Ends with the window, which holds the other end of the creates.
    async fn run(self, mut wanted: mpsc::Receiver<Create>) {
        let mut tick = tokio::time::interval(REFRESH);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                create = wanted.recv() => match create {
                    Some(create) => {
                        self.create(create).await;
                        self.refresh();
                    }
                    None => return,
                },
                _ = tick.tick() => {
                    if self.asked.swap(false, Ordering::Relaxed) {
                        self.refresh();
                    }
                }
            }
        }
    }

    async fn create(&self, create: Create) {
        let made = match new_transfer::read(create.body.as_bytes(), &self.pools.load()) {
            Ok(new) => {
                let country = new.target.country().to_owned();
                self.store.create(new).await.map(|made| made.id).map_err(|refusal| refusal.fault(&country))
            }
            Err(fault) => Err(fault),
        };
        (create.done)(answer(made));
    }

    /// A new view only where something changed: the window looks at the pointer.
    fn refresh(&self) {
        let Ok(page) = self.store.transfers(&TransferQuery { most: MOST_LISTED, ..TransferQuery::default() }) else { return };
        let (old, pools) = (self.view.load(), self.store.pools());
        let same = old.transfers.len() == page.transfers.len()
            && old.transfers.iter().zip(&page.transfers).all(|(old, new)| **old == *new)
            && *old.pools == *pools;
        if !same {
            let transfers = page.transfers.into_iter().map(Arc::new).collect();
            self.view.store(Arc::new(TransfersView { transfers, pools: pools.into(), ..(**old).clone() }));
        }
    }
}

fn answer(made: Result<String, ApiFault>) -> ApiAnswer {
    match made {
        Ok(id) => ApiAnswer { status: 200, line: "200 OK".to_owned(), message: id },
        Err(fault) => ApiAnswer { status: fault.cause.status(), line: fault.cause.code(), message: fault.message },
    }
}

/// Call transfers in the list, the newest.
const MOST_LISTED: usize = 500;
/// Creates that wait for the store.
const CREATES: usize = 16;
/// Questions about the past that wait.
const ASKS: usize = 16;
const REFRESH: Duration = Duration::from_millis(250);
