//! Rows of calls: a narrow one to filter by, the whole record beside it, and the messages with the sound's outline.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, named_params, params};

use super::{fault::ReadFault, messages, sounds};
use crate::model::{CallId, CallRecord, CallSound, CapturedMessage, OutputContext, PastCall, Timestamp, Variables, WholeCall};

/// A conversation as earlier calls left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownConversation {
    pub id: String,
    pub attempts: u32,
    /// Its latest attempt.
    pub last: CallId,
}

/// Keeps what is known of a call that runs.
pub fn began(connection: &Connection, record: &CallRecord) -> rusqlite::Result<()> {
    put(connection, record, None, None)
}

/// Keeps a call that is over, with its messages and its sound; told again without any, it keeps those it had. Gives the bytes
/// that they take.
pub fn ended(connection: &Connection, whole: &WholeCall) -> rusqlite::Result<u64> {
    let record = &whole.record;
    let call = record.id.0 as i64;
    let mut size = 0;
    let mut row = None;
    let sound = whole.sound.as_ref().and_then(|sound| sounds::encode(sound));
    if !whole.messages.is_empty() || sound.is_some() {
        // Told twice (by a backlog, say) they are kept once.
        let mut earlier = connection.prepare_cached("DELETE FROM messages WHERE seq = (SELECT messages FROM calls WHERE id = ?)")?;
        earlier.execute([call])?;
        let blob = messages::encode(&whole.messages);
        size = (blob.len() + sound.as_ref().map_or(0, Vec::len)) as u64;
        let mut insert = connection.prepare_cached("INSERT INTO messages (call, size, data, sound) VALUES (?, ?, ?, ?)")?;
        row = Some(insert.insert(params![call, size as i64, blob, sound])?);
    }
    put(connection, record, Some(record.ended_at.unwrap_or(record.started_at)), row)?;
    Ok(size)
}

/// Keeps what the agent handed back, before anything of it leaves; the call's end brings it again.
pub fn kept(connection: &Connection, call: CallId, output: &OutputContext) -> rusqlite::Result<()> {
    let Ok(json) = serde_json::to_string(output) else { return Ok(()) };
    let mut update = connection.prepare_cached("UPDATE calls SET kept = ? WHERE id = ? AND ended_at IS NULL")?;
    update.execute(params![json, call.0 as i64])?;
    Ok(())
}

/// Forgets a call.
pub fn forget(connection: &Connection, call: CallId) -> rusqlite::Result<()> {
    let call = call.0 as i64;
    for sql in [
        "DELETE FROM messages WHERE seq = (SELECT messages FROM calls WHERE id = ?)",
        "DELETE FROM records WHERE call = ?",
        "DELETE FROM calls WHERE id = ?",
    ] {
        connection.prepare_cached(sql)?.execute([call])?;
    }
    Ok(())
}

/// A call with its whole record.
pub fn read(connection: &Connection, call: CallId) -> Result<Option<PastCall>, ReadFault> {
    let mut statement = connection.prepare_cached(
        "SELECT record, EXISTS (SELECT 1 FROM messages WHERE seq = calls.messages)
         FROM calls JOIN records ON records.call = calls.id WHERE calls.id = ?",
    )?;
    let found = statement.query_row([call.0 as i64], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).optional()?;
    found.map(|(json, has_messages)| Ok(PastCall { record: record(&json)?, has_messages })).transpose()
}

/// The messages of an ended call; `None` where none are kept.
pub fn messages_of(connection: &Connection, call: CallId) -> Result<Option<Vec<CapturedMessage>>, ReadFault> {
    let mut statement = connection.prepare_cached("SELECT data FROM messages WHERE seq = (SELECT messages FROM calls WHERE id = ?)")?;
    let blob: Option<Vec<u8>> = statement.query_row([call.0 as i64], |row| row.get(0)).optional()?;
    blob.map(|blob| messages::decode(&blob).ok_or_else(|| ReadFault::new(format!("the messages of call {call} are damaged")))).transpose()
}

/// How an ended call sounded; `None` where that is not kept.
pub fn sound_of(connection: &Connection, call: CallId) -> Result<Option<CallSound>, ReadFault> {
    let mut statement = connection.prepare_cached("SELECT sound FROM messages WHERE seq = (SELECT messages FROM calls WHERE id = ?)")?;
    let blob: Option<Vec<u8>> = statement.query_row([call.0 as i64], |row| row.get(0)).optional()?.flatten();
    blob.map(|blob| sounds::decode(&blob).ok_or_else(|| ReadFault::new(format!("the sound of call {call} is damaged")))).transpose()
}

/// Calls that were running when the program ended: their records, and what their agents had handed back.
pub fn running(connection: &Connection) -> rusqlite::Result<Vec<(CallRecord, Option<OutputContext>)>> {
    let mut statement = connection
        .prepare("SELECT record, kept FROM calls JOIN records ON records.call = calls.id WHERE calls.ended_at IS NULL ORDER BY calls.id")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (json, kept) = row?;
        match record(&json) {
            Ok(record) => found.push((record, kept.and_then(|json| serde_json::from_str(&json).ok()))),
            Err(why) => tracing::warn!("a call that was running: {why}"),
        }
    }
    Ok(found)
}

/// The conversations of the last `most` calls that had one, the latest last.
pub fn conversations(connection: &Connection, most: usize) -> Result<Vec<KnownConversation>, ReadFault> {
    let mut statement = connection.prepare(
        "SELECT conversation, attempt, id FROM calls INDEXED BY calls_started
         WHERE conversation IS NOT NULL ORDER BY started_at DESC LIMIT ?",
    )?;
    let rows = statement.query_map([most as i64], |row| {
        Ok(KnownConversation { id: row.get(0)?, attempts: row.get(1)?, last: CallId(row.get::<_, i64>(2)? as u64) })
    })?;
    let mut seen = std::collections::HashSet::new();
    let mut found = Vec::new();
    for row in rows {
        let conversation = row?;
        if seen.insert(conversation.id.clone()) {
            found.push(conversation);
        }
    }
    found.reverse();
    Ok(found)
}

/// A record as it is kept.
pub fn record(json: &str) -> Result<CallRecord, ReadFault> {
    serde_json::from_str(json).map_err(|why| ReadFault::new(format!("a record that can't be read: {why}")))
}

/// How a variable stands in the column `variables`, where `instr` finds it.
pub fn variable_text(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{UNIT}{}{RECORD}{}{UNIT}", plain(name), plain(value)),
        None => format!("{UNIT}{}{RECORD}", plain(name)),
    }
}

fn put(connection: &Connection, record: &CallRecord, ended_at: Option<Timestamp>, messages: Option<i64>) -> rusqlite::Result<()> {
    let json = serde_json::to_string(record).map_err(|why| rusqlite::Error::ToSqlConversionFailure(Box::new(why)))?;
    put_statement(connection)?.execute(named_params! {
        ":id": record.id.0 as i64,
        ":started": record.started_at.0 as i64,
        ":ended": ended_at.map(|at| at.0 as i64),
        ":state": state_name(record),
        ":peer": record.peer,
        ":task": record.context.task_name.as_ref().or(record.current_task.as_ref()),
        ":conversation": record.context.ext_conversation_id,
        ":customer": record.context.customer_id,
        ":outcome": record.outcome.map(crate::model::Outcome::wire),
        ":transfer": record.call_transfer,
        ":attempt": record.attempt,
        ":previous": record.previous_call.map(|call| call.0 as i64),
        ":variables": variables(record),
        ":messages": messages,
    })?;
    let mut records = connection.prepare_cached("INSERT OR REPLACE INTO records (call, record) VALUES (?, ?)")?;
    records.execute(params![record.id.0 as i64, json])?;
    Ok(())
}

fn put_statement(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(
        "INSERT INTO calls (id, started_at, ended_at, state, peer, task, conversation, customer, outcome, call_transfer, attempt,
             previous, variables, messages)
         VALUES (:id, :started, :ended, :state, :peer, :task, :conversation, :customer, :outcome, :transfer, :attempt, :previous,
             :variables, :messages)
         ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, state = excluded.state, peer = excluded.peer, task = excluded.task,
             conversation = excluded.conversation, customer = excluded.customer, outcome = excluded.outcome,
             call_transfer = excluded.call_transfer, attempt = excluded.attempt, previous = excluded.previous,
             variables = excluded.variables, messages = coalesce(excluded.messages, messages), kept = NULL",
    )
}

/// As the control API says it.
fn state_name(record: &CallRecord) -> &'static str {
    use crate::model::CallState;
    match record.state {
        CallState::Arriving => "arriving",
        CallState::Ringing => "ringing",
        CallState::WithAgent => "with_agent",
        CallState::Returning => "returning",
        CallState::Returned => "returned",
        CallState::Ended => "ended",
        CallState::Refused => "refused",
        CallState::Failed => "failed",
    }
}

fn variables(record: &CallRecord) -> Option<String> {
    let all: [&Variables; 3] = [&record.context.input_variables, &record.transfer_variables, &record.reference_variables];
    let mut text = String::new();
    for (name, value) in all.into_iter().flatten() {
        // One separator between two: each stands between its own all the same.
        text.push(UNIT);
        text.push_str(&plain(name));
        text.push(RECORD);
        text.push_str(&plain(value));
    }
    if text.is_empty() {
        return None;
    }
    text.push(UNIT);
    Some(text)
}

fn plain(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains([UNIT, RECORD]) { text.replace([UNIT, RECORD], " ").into() } else { text.into() }
}

/// ASCII's own separators: no variable holds them, since controls are refused wherever one is set.
const UNIT: char = '\u{1f}';
const RECORD: char = '\u{1e}';
