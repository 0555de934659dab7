//! What went back, and what did not fit (contract §3).

use crate::model::{CallRecord, DroppedVariable, Finding, Party, Payload, PayloadItem, PayloadPart, ReturnRecord, ReturnVerdict, Severity};

pub(super) fn of_record(record: &CallRecord, found: &mut Vec<Finding>) {
    found.extend(record.returns.iter().filter_map(|attempt| dropped(attempt.payload.as_ref()?)));
    found.extend(returned_by_fallback(record));
}

/// Variables that did not fit into the payload.
pub fn dropped(payload: &Payload) -> Option<Finding> {
    let first = payload.dropped.first()?;
    let names: Vec<&str> = payload.dropped.iter().map(|d| d.parameter.as_str()).collect();
    let finding = Finding::new(
        "variable-dropped",
        Severity::Warning,
        Party::Agent,
        format!("{} (the first needs {} characters, and {} were left)", names.join(", "), first.cost, first.left),
        "The payload holds 1,024 characters; adding stops at the first variable that would pass them, and all after it are dropped too (contract §3)",
        "",
    );
    Some(finding.cured_by(how_to_fit(payload, first)))
}

/// Shortening the longest variable makes room for the first that was dropped; else that one itself is too long.
fn how_to_fit(payload: &Payload, first: &DroppedVariable) -> String {
    let need = first.cost.saturating_sub(first.left);
    let is_variable = |item: &&PayloadItem| matches!(item.part, PayloadPart::Transfer | PayloadPart::Reference);
    let longest = payload.items.iter().filter(is_variable).max_by_key(|item| item.cost);
    let wanted = name(&first.parameter);
    let (what, value) = match longest.filter(|item| item.value.len() > need && item.cost >= first.cost) {
        Some(item) => (name(&item.parameter), item.value.as_str()),
        None if first.value.len() > need => (wanted, first.value.as_str()),
        None => {
            return format!(
                "{wanted} alone needs {need} characters more than are left: set what matters first, and leave out what the return endpoint does not read"
            );
        }
    };
    // An escape costs three characters for one byte.
    let escaped = value.bytes().any(|byte| !crate::contract::uri_text::is_unescaped(byte));
    let hint = if escaped { " (a space or letter beyond ASCII costs three or more)" } else { "" };
    format!("Shorten {what} by {need} characters to make {wanted} fit{hint}, or set first what matters most")
}

/// The variable of `X-GA-tv-NAME`.
fn name(parameter: &str) -> &str {
    let prefixes = [crate::contract::payload::TRANSFER_PREFIX, crate::contract::payload::REFERENCE_PREFIX];
    prefixes.iter().find_map(|prefix| parameter.strip_prefix(prefix)).unwrap_or(parameter)
}

/// It came back, but not as it was meant to.
fn returned_by_fallback(record: &CallRecord) -> Option<Finding> {
    let (last, before) = record.returns.split_last()?;
    let failed = before.last()?;
    let why = match &failed.verdict {
        Some(ReturnVerdict::Failed { why }) => why.reason.clone(),
        Some(ReturnVerdict::Unknown { why }) => why.clone(),
        Some(ReturnVerdict::Succeeded) | None => return None,
    };
    let by = |attempt: &ReturnRecord| attempt.method.name();
    Some(Finding::new(
        "returned-by-fallback",
        Severity::Warning,
        match &failed.verdict {
            Some(ReturnVerdict::Failed { why }) => why.by,
            _ => Party::Customer,
        },
        format!("Return by {} failed ({why}); then by {}", by(failed), by(last)),
        "The fallback of the peer's settings took the call (contract §3): with BYE nothing of the payload travels, and the customer fetches it",
        "Mend what the first attempt failed for; the messages of that attempt say what it was",
    ))
}
