//! What stands below the chart: the payload with its budget, findings, media, and how it ended.

use std::fmt::Write as _;

use super::{WIDTH, clipped, printable};
use crate::{
    export::words::grouped,
    model::{CallRecord, Finding, LegRole, MediaFigures, Payload, ReturnRecord, ReturnVerdict, Severity},
};

pub fn write(out: &mut String, record: &CallRecord) {
    for attempt in &record.returns {
        return_attempt(out, attempt);
    }
    // A test call has no return of its own: what came back to it is in its report.
    if let Some(report) = record.test_report.as_ref().filter(|_| record.returns.is_empty())
        && let Some(returned) = &report.returned
    {
        let by = report.returned_by.map_or("", |m| m.name());
        let _ = writeln!(out, "Came back by {by}");
        payload(out, returned);
    }
    findings(out, &record.findings);
    media(out, record);
    end(out, record);
}

fn return_attempt(out: &mut String, attempt: &ReturnRecord) {
    let to = if attempt.uri.is_empty() { String::new() } else { format!(" to {}", printable(&attempt.uri)) };
    let verdict = match &attempt.verdict {
        None => "not settled".to_owned(),
        Some(ReturnVerdict::Succeeded) => "succeeded".to_owned(),
        Some(ReturnVerdict::Failed { why }) => format!("failed: {}", printable(&why.reason)),
        Some(ReturnVerdict::Unknown { why }) => format!("outcome unknown: {}", printable(why)),
    };
    let _ = writeln!(out, "Return by {}{to}: {verdict}", attempt.method.name());
    match &attempt.payload {
        Some(what) => payload(out, what),
        None => out.push('\n'),
    }
}

/// The payload with each item's cost, what was dropped, and the budget as a bar.
pub fn payload(out: &mut String, payload: &Payload) {
    let filled = (payload.used * BAR).checked_div(payload.limit).unwrap_or(0).min(BAR);
    let _ = writeln!(
        out,
        "  {}{}  {} of {} characters",
        "█".repeat(filled),
        "░".repeat(BAR - filled),
        grouped(payload.used as u64),
        grouped(payload.limit as u64)
    );
    let width = payload
        .items
        .iter()
        .map(|i| i.parameter.chars().count())
        .chain(payload.dropped.iter().map(|d| d.parameter.chars().count()))
        .max()
        .unwrap_or(0)
        .min(40);
    for item in &payload.items {
        let _ = writeln!(out, "  {:>5}  {:<width$}  {}", grouped(item.cost as u64), printable(&item.parameter), printable(&item.value));
    }
    for (i, dropped) in payload.dropped.iter().enumerate() {
        let why = if i == 0 { format!("dropped: {} left", grouped(dropped.left as u64)) } else { "dropped after it".to_owned() };
        let value = clipped(&printable(&dropped.value), 48);
        let _ = writeln!(out, "  {:>5}  {:<width$}  {value}  ({why})", grouped(dropped.cost as u64), printable(&dropped.parameter));
    }
    out.push('\n');
}

/// Findings with what was seen, why it matters and the cure.
pub fn findings(out: &mut String, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "Findings");
    for finding in findings {
        let _ = writeln!(out, "  {:<7}  {}  ({})", severity(finding.severity), finding.rule, finding.side.name());
        for (label, text) in [("seen", finding.seen.as_str()), ("why", &finding.why), ("cure", &finding.cure)] {
            wrapped(out, &format!("           {label:<6}"), &clipped(&printable(text), 400));
        }
    }
    out.push('\n');
}

/// Words in lines of at most [`WIDTH`] characters; a longer word has a line of its own.
fn wrapped(out: &mut String, first: &str, text: &str) {
    let indent = first.chars().count();
    let mut line = first.to_owned();
    let mut length = indent;
    for word in text.split(' ') {
        let width = word.chars().count();
        if length > indent && length + 1 + width > WIDTH {
            let _ = writeln!(out, "{line}");
            line = " ".repeat(indent);
            length = indent;
        }
        if length > indent {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += width;
    }
    let _ = writeln!(out, "{line}");
}

fn media(out: &mut String, record: &CallRecord) {
    let measured: Vec<(LegRole, &MediaFigures)> = record.legs.iter().filter_map(|l| Some((l.opened.role, l.media.as_deref()?))).collect();
    if measured.is_empty() {
        return;
    }
    let _ = writeln!(out, "Media");
    for (role, figures) in measured {
        let round_trip = figures.round_trip_ms.map(|ms| format!(", round trip {ms:.1} ms")).unwrap_or_default();
        let digits =
            if figures.dtmf_received.is_empty() { String::new() } else { format!(", digits {}", printable(&figures.dtmf_received)) };
        let _ = writeln!(
            out,
            "  {:<8}  {:<5}  {} packets in ({} lost, {} reordered, jitter {:.1} ms), {} out{round_trip}{digits}",
            role_name(role),
            figures.codec,
            grouped(figures.packets_received),
            figures.packets_lost,
            figures.packets_reordered,
            figures.jitter_ms,
            grouped(figures.packets_sent),
        );
    }
    out.push('\n');
}

fn end(out: &mut String, record: &CallRecord) {
    let state = serde_json::to_value(record.state).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let Some(why) = &record.ended else {
        let _ = writeln!(out, "Still {state}");
        return;
    };
    let code = why.code.map(|c| format!(", {c}")).unwrap_or_default();
    let secs = record.ended_at.map(|t| t.micros_since(record.started_at) as f64 / 1e6).unwrap_or_default();
    let _ = writeln!(out, "End: {state} after {secs:.3} s. {} (by {}{code})", printable(&why.reason), why.by.name());
}

pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn role_name(role: LegRole) -> &'static str {
    match role {
        LegRole::Customer => "customer",
        LegRole::Agent => "agent",
        LegRole::Return => "return",
    }
}

/// Cells of the budget's bar: 32 characters of the payload each.
const BAR: usize = 32;
