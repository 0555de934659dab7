//! After a start: what was left open is closed as interrupted by the bridge, and what waits goes on waiting.

use std::sync::Arc;

use rusqlite::Connection;

use super::{backlog::Backlog, calls, sealing::Seal, transfers, write::Write};
use crate::{
    contract::registry::Registry,
    model::{CallEvent, CallRecord, CallState, Ended, OutputContext, Party, Timestamp, WholeCall, settings},
};

/// The live call transfers, and what is to be written before all else.
///
/// # Errors
/// The database can't be read.
pub fn recover(connection: &Connection, seal: &Seal, api: Option<&settings::Api>, now: Timestamp) -> rusqlite::Result<(Registry, Backlog)> {
    let mut registry = Registry::new(api);
    let mut backlog = Backlog::default();
    for transfer in transfers::live(connection, seal)? {
        registry.restore(transfer, now);
    }
    registry.remember_numbers(transfers::released_numbers(connection)?.into_iter());
    while let Some(interrupted) = registry.poll_change() {
        tracing::warn!(call_transfer = interrupted.id, "its call was interrupted by the bridge's end");
        backlog.push(Write::Transfer(Box::new(interrupted)));
    }
    for (record, kept) in calls::running(connection)? {
        tracing::warn!(call = %record.id, "it was running when the bridge ended");
        backlog.push(Write::Ended(WholeCall::new(Arc::new(interrupted(record, kept, now)), Vec::new())));
    }
    Ok((registry, backlog))
}

fn interrupted(mut record: CallRecord, kept: Option<OutputContext>, now: Timestamp) -> CallRecord {
    if let Some(kept) = kept {
        record.outcome = Some(kept.transfer_type);
        record.current_task = kept.current_task_name.or(record.current_task);
        record.transfer_variables = kept.transfer_variables;
        record.reference_variables = kept.reference_variables;
    }
    let why = Ended::new("Interrupted: the bridge ended while this call was running", Party::Bridge, None);
    record.apply(now, &CallEvent::CallEnded { state: CallState::Failed, why });
    record
}
