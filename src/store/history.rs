//! Questions about past calls: pages, the newest first, with filters.

use rusqlite::{Connection, named_params};

use super::{
    calls::{self, PastCall, variable_text},
    fault::ReadFault,
};
use crate::model::{CallId, CallState, Outcome, Timestamp};

/// Which calls. Every filter that is set must hold; texts compare exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    pub state: Option<CallState>,
    pub peer: Option<String>,
    /// The entry task, or the agent's where the customer named none.
    pub task: Option<String>,
    pub conversation: Option<String>,
    pub customer: Option<String>,
    pub outcome: Option<Outcome>,
    pub call_transfer: Option<String>,
    /// Started then or later.
    pub from: Option<Timestamp>,
    /// Started before.
    pub until: Option<Timestamp>,
    /// Name and value of an input, transfer or reference variable; without a value: the name alone.
    pub variables: Vec<(String, Option<String>)>,
    /// Calls that run are in it, too.
    pub running: bool,
    /// Where the page before ended ([`HistoryPage::next`]).
    pub before: Option<(Timestamp, CallId)>,
    /// At most 1,000 are given.
    pub most: usize,
}

/// Calls, the newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryPage {
    pub calls: Vec<PastCall>,
    /// Where the next page goes on; `None`: these were the last.
    pub next: Option<(Timestamp, CallId)>,
}

/// See [`HistoryQuery`]. What has an index (time, conversation, customer) is found at once; other filters read the
/// narrow rows, a million in about a second.
pub fn page(connection: &Connection, query: &HistoryQuery) -> Result<HistoryPage, ReadFault> {
    let most = query.most.clamp(1, MOST_LISTED);
    let mut sql = "SELECT record, EXISTS (SELECT 1 FROM messages WHERE seq = calls.messages), started_at, id
        FROM calls JOIN records ON records.call = calls.id WHERE (started_at, id) < (:before_at, :before_id)"
        .to_owned();
    let state = query.state.and_then(|state| serde_json::to_value(state).ok());
    let from = query.from.map(|at| at.0 as i64);
    let until = query.until.map(|at| at.0 as i64);
    let (before_at, before_id) = query.before.map_or((i64::MAX, i64::MAX), |(at, id)| (at.0 as i64, id.0 as i64));
    let most_and_one = most as i64 + 1;
    let outcome = query.outcome.map(Outcome::wire);
    let state = state.as_ref().and_then(|state| state.as_str());
    let variables: Vec<String> = query.variables.iter().map(|(name, value)| variable_text(name, value.as_deref())).collect();

    let mut values: Vec<(&str, &dyn rusqlite::ToSql)> = named_params! {
        ":before_at": before_at, ":before_id": before_id, ":most": most_and_one,
    }
    .to_vec();
    // Only filters that are set are in the text, so that the planner sees which index serves.
    let texts: [(&str, &Option<String>); 5] = [
        (" AND peer = :peer", &query.peer),
        (" AND task = :task", &query.task),
        (" AND conversation = :conversation", &query.conversation),
        (" AND customer = :customer", &query.customer),
        (" AND call_transfer = :call_transfer", &query.call_transfer),
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
        let key = (Timestamp(row.get::<_, i64>(2)? as u64), CallId(row.get::<_, i64>(3)? as u64));
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, key))
    })?;
    let mut page = HistoryPage::default();
    let mut last = None;
    for (count, row) in rows.enumerate() {
        let (json, has_messages, key) = row?;
        if count == most {
            page.next = last;
            break;
        }
        last = Some(key);
        match calls::record(&json) {
            Ok(record) => page.calls.push(PastCall { record, has_messages }),
            // One that can't be read must not hide the others.
            Err(why) => tracing::warn!("call {}: {why}", key.1),
        }
    }
    Ok(page)
}

/// ` AND peer = :peer` → `:peer`.
fn parameter_of(condition: &str) -> &str {
    condition.find(':').map_or("", |at| &condition[at..])
}

const MOST_LISTED: usize = 1_000;
