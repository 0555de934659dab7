//! `GET /v1/events`: server-sent events, from `?after=SEQ` on.

use std::{collections::VecDeque, convert::Infallible};

use axum::{
    extract::{Query, State},
    response::sse::{self, KeepAlive, Sse},
};
use futures_util::Stream;
use serde::Deserialize;
use tokio::sync::watch;

use super::control::Control;
use crate::{engine::EngineHandle, model::Event};

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
}

/// Each event's id is its number, so that a client that comes back says where it was.
pub(super) async fn stream(
    State(control): State<Control>,
    Query(After { after }): Query<After>,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let reader = Reader { changes: control.engine.watch_events(), engine: control.engine, last: after, read: VecDeque::new() };
    let events = futures_util::stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        let text = serde_json::to_string(&event).unwrap_or_default();
        Some((Ok(sse::Event::default().id(event.seq.to_string()).data(text)), reader))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

struct Reader {
    engine: EngineHandle,
    changes: watch::Receiver<u64>,
    last: u64,
    read: VecDeque<Event>,
}

impl Reader {
    /// The next event; `None` when the engine has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.read.pop_front() {
                self.last = event.seq;
                return Some(event);
            }
            self.changes.mark_unchanged();
            self.read = self.engine.events_after(self.last, AT_ONCE).into();
            if self.read.is_empty() {
                self.changes.changed().await.ok()?;
            }
        }
    }
}

const AT_ONCE: usize = 256;
