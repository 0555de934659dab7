//! Questions about past calls: pages, the newest first, with filters.

use rusqlite::{Connection, named_params};

use super::{
    calls::{self, variable_text},
    fault::ReadFault,
};
use crate::model::{CallFilter, CallId, CallPage, CallPlace, Outcome, PastCall, Timestamp};

/// Which calls, and which page of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    pub filter: CallFilter,
    /// Calls that run are in it, too.
    pub running: bool,
    /// Where the page before ended ([`CallPage::next`]).
    pub before: Option<CallPlace>,
    /// At most 1,000 are given.
    pub most: usize,
}

/// See [`HistoryQuery`]. What has an index (time, conversation, customer) is found at once; other filters read the
/// narrow rows, a million in about a second.
pub fn page(connection: &Connection, query: &HistoryQuery) -> Result<CallPage, ReadFault> {
    let most = query.most.clamp(1, MOST_LISTED);
    let mut sql = "SELECT record, EXISTS (SELECT 1 FROM messages WHERE seq = calls.messages), started_at, id
        FROM calls JOIN records ON records.call = calls.id WHERE (started_at, id) < (:before_at, :before_id)"
        .to_owned();
    let filter = &query.filter;
    let state = filter.state.and_then(|state| serde_json::to_value(state).ok());
    let from = filter.from.map(|at| at.0 as i64);
    let until = filter.until.map(|at| at.0 as i64);
    let (before_at, before_id) = query.before.map_or((i64::MAX, i64::MAX), |place| (place.started_at.0 as i64, place.id.0 as i64));
    let most_and_one = most as i64 + 1;
    let outcome = filter.outcome.map(Outcome::wire);
    let state = state.as_ref().and_then(|state| state.as_str());
    let variables: Vec<String> = filter.variables.iter().map(|(name, value)| variable_text(name, value.as_deref())).collect();

    let mut values: Vec<(&str, &dyn rusqlite::ToSql)> = named_params! {
        ":before_at": before_at, ":before_id": before_id, ":most": most_and_one,
    }
    .to_vec();
    // Only filters that are set are in the text, so that the planner sees which index serves.
    let texts: [(&str, &Option<String>); 5] = [
        (" AND peer = :peer", &filter.peer),
        (" AND task = :task", &filter.task),
        (" AND conversation = :conversation", &filter.conversation),
        (" AND customer = :customer", &filter.customer),
        (" AND call_transfer = :call_transfer", &filter.call_transfer),
    ];
    for (condition, value) in &texts {
        if value.is_some() {
            sql.push_str(condition);
            values.push((parameter_of(condition), *value));
        }
    }
    if state.is_some() {
        sql.push_str(" AND state = :state");
        values.push((":state", &state));
    }
    if outcome.is_some() {
        sql.push_str(" AND outcome = :outcome");
        values.push((":outcome", &outcome));
    }
    if from.is_some() {
        sql.push_str(" AND started_at >= :from");
        values.push((":from", &from));
    }
    if until.is_some() {
        sql.push_str(" AND started_at < :until");
        values.push((":until", &until));
    }
    if !query.running {
        sql.push_str(" AND ended_at IS NOT NULL");
    }
    let names: Vec<String> = (0..variables.len()).map(|index| format!(":variable_{index}")).collect();
    for (name, text) in names.iter().zip(&variables) {
        sql.push_str(" AND instr(variables, ");
        sql.push_str(name);
        sql.push_str(") > 0");
        values.push((name, text));
    }
    sql.push_str(" ORDER BY started_at DESC, id DESC LIMIT :most");

    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(&values[..], |row| {
        let place = CallPlace { started_at: Timestamp(row.get::<_, i64>(2)? as u64), id: CallId(row.get::<_, i64>(3)? as u64) };
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, place))
    })?;
    let mut page = CallPage::default();
    let mut last = None;
    for (count, row) in rows.enumerate() {
        let (json, has_messages, place) = row?;
        if count == most {
            page.next = last;
            break;
        }
        last = Some(place);
        match calls::record(&json) {
            Ok(record) => page.calls.push(PastCall { record, has_messages }),
            // One that can't be read must not hide the others.
            Err(why) => tracing::warn!("call {}: {why}", place.id),
        }
    }
    Ok(page)
}

/// ` AND peer = :peer` → `:peer`.
fn parameter_of(condition: &str) -> &str {
    condition.find(':').map_or("", |at| &condition[at..])
}

const MOST_LISTED: usize = 1_000;
