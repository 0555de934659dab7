//! The settings file for the window: read, judged, written and brought into force on a thread of its own.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
};

use crate::{
    config::desk::{AdmittedCall, Answer, Apply, Ask, Program, SettingsDesk},
    console::SettingsKeeper,
    model::{CallFilter, PastCall, Timestamp},
    start::{Reloader, trial},
    store::{HistoryQuery, StoreHandle},
};

/// See the module.
pub struct SettingsThread {
    asks: SyncSender<(Ask, Done)>,
}

type Done = Box<dyn FnOnce(Answer) + Send>;

impl SettingsThread {
    /// `path`: where the file is, or will be.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(path: Option<PathBuf>, apply: Apply, reloader: Arc<Reloader>, store: StoreHandle) -> std::io::Result<Arc<Self>> {
        let program = Program {
            apply,
            trial,
            admitted: Box::new(move |since| admitted(&store, since)),
            probe: Box::new(move |settings| reloader.probe(settings)),
        };
        let mut desk = SettingsDesk::new(path, program);
        let (asks, asked) = sync_channel::<(Ask, Done)>(ASKS);
        std::thread::Builder::new().name("handback-settings".to_owned()).spawn(move || {
            for (ask, done) in asked {
                done(desk.answer(ask));
            }
        })?;
        Ok(Arc::new(Self { asks }))
    }
}

impl SettingsKeeper for SettingsThread {
    fn ask(&self, ask: Ask, done: Done) {
        if let Err(TrySendError::Full((_, done)) | TrySendError::Disconnected((_, done))) = self.asks.try_send((ask, done)) {
            done(Answer::Failed("The settings are being worked on still; try again".to_owned()));
        }
    }
}

/// Calls since then that were let in, the newest first; and whether there are more.
fn admitted(store: &StoreHandle, since: Timestamp) -> Result<(Vec<AdmittedCall>, bool), String> {
    let query = HistoryQuery {
        filter: CallFilter { from: Some(since), ..CallFilter::default() },
        running: true,
        most: MOST_COUNTED,
        ..HistoryQuery::default()
    };
    let page = store.history(&query).map_err(|why| format!("Today's calls can't be counted: {why}"))?;
    let more = page.next.is_some();
    let call = |past: PastCall| {
        let record = past.record;
        Some(AdmittedCall { id: record.id, at: record.started_at, peer: record.peer?, by: record.admission?, source: record.source })
    };
    Ok((page.calls.into_iter().filter_map(call).collect(), more))
}

/// What a glance may read.
const MOST_COUNTED: usize = 1_000;
const ASKS: usize = 64;
