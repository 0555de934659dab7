//! What stands in a row of the list, and what is told of the chosen call transfer.

use jiff::tz::TimeZone;

use crate::{
    console::{
        backend::TransfersView,
        text::{self, count},
        theme::{Leg, Tone},
        widgets::{Cell, Column, KeyValue, TableRow},
    },
    export::test_call::shell_word,
    model::{CallTransfer, ReturnMethod, Timestamp, TransferKind, TransferStatus, TransferTarget},
};

pub const COLUMNS: [Column; 7] = [
    Column::fixed("Created", 84.0),
    Column::fixed("Status", 104.0),
    Column::growing("Id", 90.0, 1.3),
    Column::growing("Conversation", 90.0, 1.2),
    Column::growing("Reached by", 120.0, 1.0),
    Column::growing("Comes back by", 110.0, 1.4),
    Column::fixed("Expires in", 84.0).right(),
];

pub fn row(transfer: &CallTransfer, now: Timestamp, zone: &TimeZone, chosen: bool) -> TableRow {
    let (status, tone) = status_of(transfer);
    let created = text::clock(transfer.created_at, zone);
    let left = remaining(transfer, now);
    let urgent = transfer.status == TransferStatus::Active && transfer.expires_at.micros_since(now) < URGENT_US;
    TableRow {
        name: format!("{created} {status} {}", transfer.id),
        cells: vec![
            Cell::Wire(created, Tone::Soft),
            Cell::Pill(status.to_owned(), tone),
            Cell::Wire(transfer.id.clone(), Tone::Plain),
            Cell::Wire(transfer.external_conversation_id.clone(), Tone::Soft),
            Cell::Wire(reached_by(transfer), Tone::Soft),
            Cell::Text(comes_back(transfer), Tone::Soft),
            match left {
                Some(left) => Cell::Wire(left, if urgent { Tone::Warn } else { Tone::Soft }),
                None => Cell::Text("—".to_owned(), Tone::Faint),
            },
        ],
        chosen,
    }
}

/// The status as the API says it, and the colour of whose turn it is.
pub fn status_of(transfer: &CallTransfer) -> (&'static str, Tone) {
    let tone = match transfer.status {
        TransferStatus::Active => Tone::Good,
        TransferStatus::Ongoing => Tone::Of(Leg::Agent),
        TransferStatus::Completed => Tone::Soft,
        TransferStatus::Expired => Tone::Warn,
    };
    (transfer.status.wire(), tone)
}

fn remaining(transfer: &CallTransfer, now: Timestamp) -> Option<String> {
    (transfer.status == TransferStatus::Active).then(|| text::length(transfer.expires_at.micros_since(now)))
}

fn reached_by(transfer: &CallTransfer) -> String {
    match &transfer.number {
        Some(number) => number.clone(),
        None => "SIP header".to_owned(),
    }
}

fn comes_back(transfer: &CallTransfer) -> String {
    match &transfer.target {
        TransferTarget::Sip(back) => match &back.uri {
            Some(uri) if back.method != ReturnMethod::Bye => format!("{} to {}", back.method.name(), text::short_uri(uri)),
            _ => back.method.name().to_owned(),
        },
        TransferTarget::PhoneNumber { .. } => ReturnMethod::Bye.name().to_owned(),
    }
}

/// All that is known of one call transfer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detail {
    pub about: Vec<KeyValue>,
    pub input: Vec<KeyValue>,
    /// What the agent handed back; `None` while there is nothing.
    pub output: Option<Vec<KeyValue>>,
    /// Why there is no output context.
    pub no_output: &'static str,
}

pub fn detail(transfer: &CallTransfer, now: Timestamp) -> Detail {
    let mut about = vec![
        KeyValue::wire("id", &transfer.id),
        KeyValue::wire("externalConversationId", &transfer.external_conversation_id),
        KeyValue::wire("createdAt", text::rfc3339(transfer.created_at)),
    ];
    match transfer.target.kind() {
        TransferKind::PhoneNumber => {
            about.extend(transfer.number.as_ref().map(|number| KeyValue::wire("transferNumber", number).tone(Tone::Accent)));
            if let TransferTarget::PhoneNumber { country } = &transfer.target {
                about.push(KeyValue::wire("country", country));
            }
        }
        TransferKind::Sip => about.push(KeyValue::wire("X-ASAPP-CallTransferId", &transfer.id).tone(Tone::Accent)),
    }
    if let TransferTarget::Sip(back) = &transfer.target {
        about.push(KeyValue::wire("returnTransferType", back.method.name()));
        about.extend(back.uri.as_ref().map(|uri| KeyValue::wire("returnUri", uri)));
        about.extend(back.auth.as_ref().map(|auth| KeyValue::wire("username", &auth.username)));
    }
    about.extend(remaining(transfer, now).map(|left| KeyValue::new("Expires in", left)));
    about.extend(transfer.call_received_at.map(|at| KeyValue::wire("callReceivedAt", text::rfc3339(at))));
    about.extend(transfer.completed_at.map(|at| KeyValue::wire("completedAt", text::rfc3339(at))));

    let mut input = Vec::new();
    if let Some(context) = &transfer.input_context {
        input.extend(context.task_name.as_ref().map(|task| KeyValue::wire("taskName", task)));
        input.extend(context.input_variables.iter().map(|(name, value)| KeyValue::wire(name, value)));
    }
    let output = transfer.output_context.as_ref().map(|context| {
        let mut rows = vec![KeyValue::wire("transferType", context.transfer_type.wire())];
        rows.extend(context.current_task_name.as_ref().map(|task| KeyValue::wire("currentTaskName", task)));
        rows.extend(context.transfer_variables.iter().map(|(n, v)| KeyValue::wire(n, v).tone(Tone::Of(Leg::Return))));
        rows.extend(context.reference_variables.iter().map(|(n, v)| KeyValue::wire(n, v).tone(Tone::Accent)));
        rows
    });
    let no_output = match transfer.status {
        TransferStatus::Active => "Waits for its call",
        TransferStatus::Ongoing => "The agent has not ended its part yet",
        TransferStatus::Completed => "The customer hung up before the agent had ended its part",
        TransferStatus::Expired => "No call came in time",
    };
    Detail { about, input, output, no_output }
}

/// `3 waiting, 1 ongoing` above the list.
pub fn tally(view: &TransfersView) -> String {
    let of = |status| view.transfers.iter().filter(|transfer| transfer.status == status).count();
    format!("{} waiting, {} ongoing, {} listed", of(TransferStatus::Active), of(TransferStatus::Ongoing), view.transfers.len())
}

/// One pool as words and as the share that is leased.
pub fn pools(view: &TransfersView) -> Vec<(String, f32)> {
    let words = |pool: &crate::model::PoolFigures| {
        let share = if pool.total == 0 { 0.0 } else { pool.leased as f32 / pool.total as f32 };
        (format!("{}  {} of {} leased", pool.country, pool.leased, count(pool.total, "number", "numbers")), share)
    };
    view.pools.iter().map(words).collect()
}

/// A `curl` line that creates; the secret stays in the shell's environment.
pub fn curl_create(view: &TransfersView, body: &str) -> String {
    format!("curl -sS {} \\\n  -H 'Content-Type: application/json' \\\n  -d {}", head(view, ""), shell_word(body))
}

/// A `curl` line that fetches one.
pub fn curl_get(view: &TransfersView, id: &str) -> String {
    format!("curl -sS {}", head(view, &format!("/{}", escaped(id))))
}

fn head(view: &TransfersView, path: &str) -> String {
    let url = shell_word(&format!("{}/generativeagent/v1/call-transfers{path}", view.url));
    let id = shell_word(&format!("asapp-api-id: {}", view.key_id));
    format!("{url} \\\n  -H {id} \\\n  -H \"asapp-api-secret: $HANDBACK_API_SECRET\"")
}

/// One segment of a path (RFC 3986 §3.3).
fn escaped(segment: &str) -> String {
    segment.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// The countdown turns amber below this.
const URGENT_US: u64 = 15_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curl_line_survives_the_shell() {
        let view = TransfersView { url: "http://127.0.0.1:8080".to_owned(), key_id: "demo".to_owned(), ..TransfersView::default() };
        let line = curl_create(&view, r#"{"id":"it's"}"#);
        assert!(line.ends_with(r#"-d '{"id":"it'\''s"}'"#), "{line}");
        assert!(curl_get(&view, "a/b c").contains("/call-transfers/a%2Fb%20c "), "{}", curl_get(&view, "a/b c"));
    }
}
