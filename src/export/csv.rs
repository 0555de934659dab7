//! Calls as CSV (RFC 4180): a row a call, a column for every variable that any of them has.

use std::collections::BTreeSet;

use jiff::Timestamp as Instant;

use crate::model::{CallRecord, LegRole, ReturnVerdict, Timestamp, Variables};

/// The rows with their header. A cell that a spreadsheet would take for a formula begins with an apostrophe.
pub fn calls<'a>(records: impl IntoIterator<Item = &'a CallRecord>) -> String {
    let records: Vec<&CallRecord> = records.into_iter().collect();
    let variables: Vec<(&str, Vec<&str>)> = KINDS.iter().map(|(prefix, of)| (*prefix, names(&records, *of))).collect();
    let mut out = String::new();
    let named = variables.iter().flat_map(|(prefix, names)| names.iter().map(move |name| format!("{prefix}{name}")));
    line(&mut out, FIXED.iter().map(|name| (*name).to_owned()).chain(named));
    for record in &records {
        let values = KINDS.iter().zip(&variables).flat_map(|((_, of), (_, names))| {
            let set = of(record);
            names.iter().map(|name| set.get(*name).cloned().unwrap_or_default())
        });
        line(&mut out, fixed(record).into_iter().chain(values));
    }
    out
}

type Of = fn(&CallRecord) -> &Variables;

/// Input, transfer and reference variables, under the names that they have on the wire.
const KINDS: [(&str, Of); 3] = [
    ("X-GA-iv-", |record| &record.context.input_variables),
    ("X-GA-tv-", |record| &record.transfer_variables),
    ("X-GA-rv-", |record| &record.reference_variables),
];

const FIXED: [&str; 33] = [
    "id",
    "started_at",
    "answered_at",
    "ended_at",
    "state",
    "test_call",
    "peer",
    "source",
    "from",
    "to",
    "request_uri",
    "task",
    "conversation",
    "customer",
    "call_transfer",
    "outcome",
    "current_task",
    "return_method",
    "return_uri",
    "return_verdict",
    "payload_characters",
    "dropped_variables",
    "end_reason",
    "ended_by",
    "code",
    "findings",
    "mos",
    "mos_customer_received",
    "mos_customer_sent",
    "mos_agent_received",
    "mos_agent_sent",
    "mos_return_received",
    "mos_return_sent",
];

fn fixed(record: &CallRecord) -> [String; 33] {
    let context = &record.context;
    let back = record.returns.last();
    let payload = record.returns.iter().rev().find_map(|attempt| attempt.payload.as_ref());
    let verdict = back.and_then(|attempt| attempt.verdict.as_ref()).map(|verdict| match verdict {
        ReturnVerdict::Succeeded => "succeeded",
        ReturnVerdict::Failed { .. } => "failed",
        ReturnVerdict::Unknown { .. } => "unknown",
    });
    let findings: Vec<&str> = record.findings.iter().map(|finding| &*finding.rule).collect();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let rated = |mos: Option<f32>| mos.map(|mos| format!("{mos:.2}")).unwrap_or_default();
    let [[from_customer, to_customer], [from_agent, to_agent], [from_return, to_return]] =
        [LegRole::Customer, LegRole::Agent, LegRole::Return].map(|role| mos_of(record, role).map(rated));
    [
        record.id.to_string(),
        time(Some(record.started_at)),
        time(record.answered_at),
        time(record.ended_at),
        word(&record.state),
        record.test_call.to_string(),
        text(&record.peer),
        record.source.clone(),
        record.from.clone(),
        record.to.clone(),
        record.request_uri.clone(),
        text(&context.task_name),
        text(&context.ext_conversation_id),
        text(&context.customer_id),
        text(&context.call_transfer_id),
        record.outcome.map(|outcome| outcome.wire().to_owned()).unwrap_or_default(),
        text(&record.current_task),
        back.map(|attempt| attempt.method.name().to_owned()).unwrap_or_default(),
        back.map(|attempt| attempt.uri.clone()).unwrap_or_default(),
        verdict.unwrap_or_default().to_owned(),
        payload.map(|payload| payload.used.to_string()).unwrap_or_default(),
        payload.map(|payload| payload.dropped.iter().map(|d| d.parameter.as_str()).collect::<Vec<_>>().join(" ")).unwrap_or_default(),
        record.ended.as_ref().map(|ended| ended.reason.clone()).unwrap_or_default(),
        record.ended.as_ref().map(|ended| word(&ended.by)).unwrap_or_default(),
        record.ended.as_ref().and_then(|ended| ended.code).map(|code| code.to_string()).unwrap_or_default(),
        findings.join(" "),
        rated(record.mos()),
        from_customer,
        to_customer,
        from_agent,
        to_agent,
        from_return,
        to_return,
    ]
}

/// How well the last leg of that role was heard by the E-model: what was received, and what was sent.
fn mos_of(record: &CallRecord, role: LegRole) -> [Option<f32>; 2] {
    let media = record.legs.iter().rev().filter(|leg| leg.opened.role == role).find_map(|leg| leg.media.as_ref());
    media.map_or([None, None], |media| [media.received_quality, media.sent_quality].map(|quality| quality.map(|quality| quality.mos)))
}

fn names<'a>(records: &[&'a CallRecord], of: Of) -> Vec<&'a str> {
    let all: BTreeSet<&str> = records.iter().flat_map(|record| of(record).keys()).map(String::as_str).collect();
    all.into_iter().collect()
}

/// A word as JSON has it, for example `with_agent`.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// RFC 3339, UTC, to the microsecond.
fn time(at: Option<Timestamp>) -> String {
    let instant = at.and_then(|at| Instant::from_microsecond(i64::try_from(at.0).ok()?).ok());
    instant.map(|instant| format!("{instant:.6}")).unwrap_or_default()
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_cell(out, &cell);
    }
    out.push_str("\r\n");
}

fn push_cell(out: &mut String, cell: &str) {
    // What a caller sends must not run in the spreadsheet of whoever opens the export.
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !formula && !cell.contains([',', '"', '\r', '\n']) {
        return out.push_str(cell);
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    out.push_str(&cell.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        export::ladder::sample,
        model::{CallEvent, LegId, MediaFigures, SoundQuality},
    };

    #[test]
    fn a_row_has_every_variable_of_the_selection() {
        let (first, _) = sample::transfer();
        let mut second = first.clone();
        second.transfer_variables.insert("only,here".to_owned(), "a \"b\"".to_owned());
        let csv = calls([&first, &second]);
        let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("id,started_at,") && lines[0].contains("\"X-GA-tv-only,here\""));
        assert!(lines[2].contains("\"a \"\"b\"\"\""));
    }

    #[test]
    fn each_direction_has_its_mos() {
        let (mut record, _) = sample::transfer();
        let rated = |mos| Some(SoundQuality { mos, ..SoundQuality::default() });
        let figures = MediaFigures { received_quality: rated(4.386), sent_quality: rated(3.1), ..MediaFigures::default() };
        record.apply(Timestamp(0), &CallEvent::MediaMeasured { leg: LegId(0), figures: figures.into() });
        let csv = calls([&record]);
        let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        let cell = |name: &str| lines[1][lines[0].iter().position(|column| *column == name).expect("a column")];
        let cells = ["mos", "mos_customer_received", "mos_customer_sent", "mos_agent_received"].map(cell);
        assert_eq!(cells, ["3.10", "4.39", "3.10", ""]);
    }

    #[test]
    fn no_cell_runs_as_a_formula() {
        let (mut record, _) = sample::transfer();
        std::sync::Arc::make_mut(&mut record.context).task_name = Some("=HYPERLINK(\"http://x\")".to_owned());
        std::sync::Arc::make_mut(&mut record.context).customer_id = Some("+1999".to_owned());
        let csv = calls([&record]);
        assert!(csv.contains("\"'=HYPERLINK(\"\"http://x\"\")\"") && csv.contains("\"'+1999\""), "{csv}");
    }
}
