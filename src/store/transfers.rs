//! Rows of call transfers.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::{fault::ReadFault, sealing::Seal};
use crate::{
    contract::{
        e164,
        registry::{Past, PastUnavailable},
    },
    model::{
        CallId, CallTransfer, ReturnMethod, SipReturn, Timestamp, TransferStatus, TransferTarget,
        settings::{Secret, User},
    },
};

/// Which call transfers to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferQuery {
    pub status: Option<TransferStatus>,
    /// Where the page before ended ([`TransferPage::next`]).
    pub before: Option<i64>,
    /// At most 1,000 are given.
    pub most: usize,
}

/// Call transfers, the newest first. Passwords are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TransferPage {
    pub transfers: Vec<CallTransfer>,
    /// Where the next page goes on; `None`: these were the last.
    pub next: Option<i64>,
}

/// Writes a transfer that was just made.
pub fn insert(connection: &Connection, made: &CallTransfer, sealed_secret: Option<&[u8]>) -> rusqlite::Result<()> {
    let (country, returns) = match &made.target {
        TransferTarget::PhoneNumber { country } => (Some(country.as_str()), None),
        TransferTarget::Sip(returns) => (None, Some(returns)),
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO call_transfers (id, external_conversation_id, status, created_at, expires_at, country, number,
             return_method, return_uri, auth_user, auth_secret, input_context, live)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
    )?;
    statement.execute(params![
        made.id,
        made.external_conversation_id,
        made.status.wire(),
        made.created_at.0 as i64,
        made.expires_at.0 as i64,
        country,
        made.number.as_deref().and_then(e164::of_user).map(|number| number as i64),
        returns.map(|returns| returns.method.name()),
        returns.and_then(|returns| returns.uri.as_deref()),
        returns.and_then(|returns| returns.auth.as_ref()).map(|auth| auth.username.as_str()),
        sealed_secret,
        made.input_context.as_ref().and_then(|context| serde_json::to_string(context).ok()),
    ])?;
    Ok(())
}

/// Writes what has changed since a transfer was made. Its password goes with its end.
pub fn update(connection: &Connection, changed: &CallTransfer) -> rusqlite::Result<()> {
    let live = matches!(changed.status, TransferStatus::Active | TransferStatus::Ongoing);
    let mut statement = connection.prepare_cached(
        "UPDATE call_transfers SET status = :status, call_received_at = :received, completed_at = :completed,
             output_context = :output, call = :call, interrupted = :interrupted, live = :live,
             auth_secret = CASE WHEN :live IS NULL THEN NULL ELSE auth_secret END
         WHERE id = :id",
    )?;
    statement.execute(named_params! {
        ":status": changed.status.wire(),
        ":received": changed.call_received_at.map(|at| at.0 as i64),
        ":completed": changed.completed_at.map(|at| at.0 as i64),
        ":output": changed.output_context.as_ref().and_then(|context| serde_json::to_string(context).ok()),
        ":call": changed.call.map(|call| call.0 as i64),
        ":interrupted": changed.interrupted,
        ":live": live.then_some(1),
        ":id": changed.id,
    })?;
    Ok(())
}

/// One transfer, its password left out.
pub fn read(connection: &Connection, id: &str) -> Result<Option<CallTransfer>, ReadFault> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM call_transfers WHERE id = ?"))?;
    Ok(statement.query_row([id], |row| transfer(row, None)).optional()?)
}

/// See [`TransferQuery`].
pub fn list(connection: &Connection, query: &TransferQuery) -> Result<TransferPage, ReadFault> {
    let live = match query.status {
        None => "",
        Some(TransferStatus::Active | TransferStatus::Ongoing) => "AND live = 1 AND status = :status",
        Some(TransferStatus::Completed | TransferStatus::Expired) => "AND status = :status",
    };
    let most = query.most.clamp(1, MOST_LISTED);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, seq FROM call_transfers WHERE seq < :before AND :status IS :status {live} ORDER BY seq DESC LIMIT :most"
    ))?;
    let rows = statement.query_map(
        named_params! {
            ":before": query.before.unwrap_or(i64::MAX),
            ":status": query.status.map(TransferStatus::wire),
            ":most": most as i64 + 1,
        },
        |row| Ok((transfer(row, None)?, row.get::<_, i64>("seq")?)),
    )?;
    let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().map(|(_, seq)| *seq).filter(|_| more);
    Ok(TransferPage { transfers: found.into_iter().map(|(transfer, _)| transfer).collect(), next })
}

/// ACTIVE and ONGOING ones, the oldest first, with their passwords.
pub fn live(connection: &Connection, seal: &Seal) -> rusqlite::Result<Vec<CallTransfer>> {
    let sql = format!("SELECT {COLUMNS}, auth_secret FROM call_transfers WHERE live IS NOT NULL ORDER BY seq");
    connection.prepare(&sql)?.query_map([], |row| transfer(row, Some(seal)))?.collect()
}

/// Whether any password is kept.
pub fn any_sealed(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM call_transfers WHERE live IS NOT NULL AND auth_secret IS NOT NULL)", [], |row| row.get(0))
}

/// Numbers that were leased and are free again, the one that was longest ago first.
pub fn released_numbers(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut statement = connection.prepare(
        "SELECT number, MAX(COALESCE(call_received_at, expires_at)) AS freed FROM call_transfers
         WHERE number IS NOT NULL GROUP BY number ORDER BY freed",
    )?;
    statement.query_map([], |row| row.get::<_, i64>(0).map(|number| number as u64))?.collect()
}

/// What has ended, as the writer's own connection sees it: with what it has not committed yet.
pub struct PastTransfers<'a>(pub &'a Connection);

impl Past for PastTransfers<'_> {
    fn status_of(&self, id: &str) -> Result<Option<TransferStatus>, PastUnavailable> {
        self.status("SELECT status FROM call_transfers WHERE id = ?", params![id])
    }

    fn newest_with_number(&self, number: u64) -> Result<Option<TransferStatus>, PastUnavailable> {
        self.status("SELECT status FROM call_transfers WHERE number = ? ORDER BY seq DESC LIMIT 1", params![number as i64])
    }
}

impl PastTransfers<'_> {
    fn status(&self, sql: &str, key: impl rusqlite::Params) -> Result<Option<TransferStatus>, PastUnavailable> {
        let read = || self.0.prepare_cached(sql)?.query_row(key, |row| status(row, 0)).optional();
        read().map_err(|why| {
            tracing::warn!("call transfers of the past can't be read: {why}");
            PastUnavailable
        })
    }
}

fn transfer(row: &Row<'_>, seal: Option<&Seal>) -> rusqlite::Result<CallTransfer> {
    let id: String = row.get("id")?;
    let time = |column: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(|at| Timestamp(at as u64)));
    let target = match row.get::<_, Option<String>>("country")? {
        Some(country) => TransferTarget::PhoneNumber { country },
        None => TransferTarget::Sip(SipReturn {
            method: match row.get_ref("return_method")?.as_str_or_null()?.unwrap_or_default() {
                "REFER" => ReturnMethod::Refer,
                "INVITE" => ReturnMethod::Invite,
                _ => ReturnMethod::Bye,
            },
            uri: row.get("return_uri")?,
            auth: auth(row, &id, seal)?,
        }),
    };
    Ok(CallTransfer {
        external_conversation_id: row.get("external_conversation_id")?,
        status: status(row, "status")?,
        created_at: Timestamp(row.get::<_, i64>("created_at")? as u64),
        expires_at: Timestamp(row.get::<_, i64>("expires_at")? as u64),
        call_received_at: time("call_received_at")?,
        completed_at: time("completed_at")?,
        target,
        number: row.get::<_, Option<i64>>("number")?.map(|number| e164::written(number as u64)),
        input_context: json(row, "input_context")?,
        output_context: json(row, "output_context")?,
        call: row.get::<_, Option<i64>>("call")?.map(|call| CallId(call as u64)),
        interrupted: row.get("interrupted")?,
        id,
    })
}

fn auth(row: &Row<'_>, id: &str, seal: Option<&Seal>) -> rusqlite::Result<Option<User>> {
    let Some(username) = row.get::<_, Option<String>>("auth_user")? else { return Ok(None) };
    let Some(seal) = seal else { return Ok(Some(User { username, secret: Secret::new("") })) };
    let sealed = row.get_ref("auth_secret")?.as_blob_or_null()?;
    let secret = sealed.and_then(|sealed| seal.open(id, sealed));
    if secret.is_none() {
        tracing::warn!(call_transfer = id, "its password can't be read with this key: its return INVITE goes without");
    }
    Ok(secret.map(|secret| User { username, secret }))
}

fn status(row: &Row<'_>, column: impl rusqlite::RowIndex) -> rusqlite::Result<TransferStatus> {
    Ok(match row.get_ref(column)?.as_str()? {
        "ACTIVE" => TransferStatus::Active,
        "ONGOING" => TransferStatus::Ongoing,
        "COMPLETED" => TransferStatus::Completed,
        // The schema allows no other.
        _ => TransferStatus::Expired,
    })
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let Some(text) = row.get_ref(column)?.as_str_or_null()? else { return Ok(None) };
    let fault = |why| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(why));
    serde_json::from_str(text).map(Some).map_err(fault)
}

const COLUMNS: &str = "id, external_conversation_id, status, created_at, expires_at, call_received_at, completed_at, country, number, \
                       return_method, return_uri, auth_user, input_context, output_context, call, interrupted";
const MOST_LISTED: usize = 1_000;
