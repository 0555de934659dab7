//! Opens the database, checks and mends what a crash left, starts the writer; and ends it again.

use std::{sync::Arc, thread::JoinHandle};

use tokio::{
    runtime,
    sync::{mpsc, oneshot},
};

use super::{
    batch::Desk,
    checkpoint::Checkpointer,
    fault::StoreError,
    file::Place,
    handle::{Shared, StoreHandle},
    recovery,
    retention::Retention,
    schema,
    sealing::Seal,
    transfers,
    writer::{Writer, wall_now},
};
use crate::model::{DeskAnswer, DeskAsk, settings};

/// The running store. Dropped, it ends as by [`Store::close`].
pub struct Store {
    handle: StoreHandle,
    desk: Option<(mpsc::Sender<DeskAsk>, mpsc::Receiver<DeskAnswer>)>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Its lock goes last.
    _place: Place,
}

impl Store {
    /// Opens the database that the settings name, or makes it. Calls that were running when the last program ended are
    /// closed as interrupted; call transfers that wait for their calls go on waiting.
    ///
    /// # Errors
    /// Another process has it, a newer program made it, or it is damaged; the text says what to do.
    pub fn open(settings: &settings::Store, api: Option<&settings::Api>) -> Result<Self, StoreError> {
        let place = Place::take(settings.path.as_deref())?;
        let mut connection = place.writer()?;
        schema::migrate(&mut connection)?;
        let seal = match place.path() {
            // Nobody is asked for a key that nothing needs.
            Some(path) if api.is_some() || transfers::any_sealed(&connection)? => Seal::for_database(path)?,
            Some(_) | None => Seal::for_memory()?,
        };
        let (registry, backlog) = recovery::recover(&connection, &seal, api, wall_now())?;
        let retention = Retention::new(settings, &connection)?;
        let (quick, slow) = (place.reader()?, place.reader()?);
        let mut desk = Desk::new(connection, registry, seal, retention, backlog);
        desk.heal();
        let shared = Arc::new(Shared::new(quick, slow, desk.health()));
        shared.publish(desk.registry());

        let (asks, asked) = mpsc::channel(ASKS);
        let (answers, answered) = mpsc::channel(ASKS);
        let (creates, to_create) = mpsc::channel(CREATES);
        let (changes, changed) = mpsc::channel(CHANGES);
        let (stop, stopped) = oneshot::channel();
        let checkpointer = place.checkpointer()?.map(Checkpointer::start).transpose().map_err(StoreError::Thread)?;
        let committed_at = tokio::time::Instant::now();
        let writer = Writer {
            desk,
            asks: asked,
            creates: to_create,
            changes: changed,
            answers,
            shared: shared.clone(),
            stop: stopped,
            committed_at,
            checkpointer,
        };
        let thread =
            std::thread::Builder::new().name("handback-store".to_owned()).spawn(move || {
                match runtime::Builder::new_current_thread().enable_time().build() {
                    Ok(runtime) => runtime.block_on(writer.run()),
                    Err(why) => tracing::error!("the store's thread can't run: {why}"),
                }
            });
        let thread = thread.map_err(StoreError::Thread)?;
        let handle = StoreHandle { creates, changes, shared };
        Ok(Self { handle, desk: Some((asks, answered)), stop: Some(stop), thread: Some(thread), _place: place })
    }

    pub fn handle(&self) -> StoreHandle {
        self.handle.clone()
    }

    /// The engine's ends, once: what it asks and tells, and what it is answered.
    pub fn desk(&mut self) -> Option<(mpsc::Sender<DeskAsk>, mpsc::Receiver<DeskAnswer>)> {
        self.desk.take()
    }

    /// Ends it: what was asked and told until now is written first. To be called after the engine has ended.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread panicked");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks that wait: some seconds of a busy bridge. What does not fit waits at the engine.
const ASKS: usize = 8_192;
/// Creates that wait: more would wait for longer than a client does.
const CREATES: usize = 4_096;
/// Settings that wait.
const CHANGES: usize = 4;
