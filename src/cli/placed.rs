//! Placing a test call through the engine and waiting for its end.

use std::sync::Arc;

use crate::{
    engine::EngineHandle,
    model::{CallId, CallRecord, Command, TestCall},
};

/// Places a call; its id.
///
/// # Errors
/// One sentence that says why it cannot be placed.
pub async fn place(engine: &EngineHandle, call: TestCall) -> Result<CallId, String> {
    engine.command(Command::PlaceTestCall { call: Box::new(call) }).await
}

/// Waits until a call is over; its record. `None`: the engine ended first.
pub async fn wait_for_end(engine: &EngineHandle, wanted: impl Fn(&CallRecord) -> bool) -> Option<Arc<CallRecord>> {
    let mut news = engine.watch_events();
    loop {
        // Marked as seen before looking: what comes after wakes us up.
        news.borrow_and_update();
        let snapshot = engine.snapshot_now().await;
        if let Some(record) = snapshot.calls.iter().find(|record| record.state.is_final() && wanted(record)) {
            return Some(record.clone());
        }
        tokio::select! {
            changed = news.changed() => changed.ok()?,
            () = engine.ended() => return None,
        }
    }
}
