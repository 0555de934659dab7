//! A finished test call in words: one JSON object, or a ladder with what went wrong under it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{
    export,
    model::{CallRecord, CapturedMessage, Payload, PayloadPart, TestCallReport},
};

/// The object that `handback call --json` prints.
pub fn as_json(record: &CallRecord, messages: &[CapturedMessage]) -> Value {
    let report = record.test_report.as_deref().cloned().unwrap_or_default();
    json!({
        "ok": report.ok,
        "call": record.id,
        "outcome": { "state": record.state, "ended": report.ended, "returned_by": report.returned_by.map(|m| m.name()) },
        "timings": timings(record),
        "returned": report.returned.as_ref().map(payload_json),
        "sound_check": report.sound_check,
        "steps": report.steps,
        "findings": record.findings,
        "legs": record.legs,
        "messages": export::json::messages(record, messages, false),
    })
}

/// The ladder with what came back, and what went wrong.
pub fn as_text(record: &CallRecord, messages: &[CapturedMessage]) -> String {
    let mut text = export::ladder::text(record, messages);
    let report = record.test_report.as_deref().cloned().unwrap_or_default();
    text.push('\n');
    if let Some(check) = &report.sound_check {
        for words in check.words() {
            let _ = writeln!(text, "{words}");
        }
        if let Some(trip) = check.round_trip_ms {
            let _ = writeln!(text, "Round trip: {trip:.0} ms");
        }
    }
    push_verdict(&mut text, &report);
    text
}

fn push_verdict(text: &mut String, report: &TestCallReport) {
    let faults: Vec<_> = report.steps.iter().filter(|step| !step.ok).collect();
    if report.ok {
        text.push_str("The call went as asked.\n");
        return;
    }
    text.push_str("The call did not go as asked.\n");
    for step in faults {
        let _ = writeln!(text, "  {:>9.3} s  {}", step.at_us as f64 / 1e6, printable(&step.text));
    }
}

/// Microseconds since the call was placed.
fn timings(record: &CallRecord) -> Value {
    let mut timings = Map::new();
    let start = record.started_at;
    let mut put = |name: &str, at: Option<crate::model::Timestamp>| {
        if let Some(at) = at {
            timings.insert(name.to_owned(), at.micros_since(start).into());
        }
    };
    put("answered_us", record.answered_at);
    put("return_started_us", record.returns.first().map(|r| r.started_at));
    put("return_settled_us", record.returns.last().and_then(|r| r.settled_at));
    put("ended_us", record.ended_at);
    Value::Object(timings)
}

fn payload_json(payload: &Payload) -> Value {
    let one = |part| payload.items.iter().find(|item| item.part == part).map(|item| item.value.clone());
    let variables = |part, prefix: usize| -> Map<String, Value> {
        let items = payload.items.iter().filter(|item| item.part == part);
        items.map(|item| (item.parameter.get(prefix..).unwrap_or_default().to_owned(), item.value.clone().into())).collect()
    };
    json!({
        "conversation": one(PayloadPart::ConversationId),
        "outcome": one(PayloadPart::Outcome),
        "transferVariables": variables(PayloadPart::Transfer, "X-GA-tv-".len()),
        "referenceVariables": variables(PayloadPart::Reference, "X-GA-rv-".len()),
        "payload": payload,
    })
}

/// Control characters from the wire are shown, never written to the terminal.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CallId, PayloadItem, ReturnMethod, TestCallStep, Timestamp};

    fn record() -> CallRecord {
        let item = |part, parameter: &str, value: &str| PayloadItem {
            part,
            parameter: parameter.into(),
            value: value.into(),
            cost: 0,
            start: 0,
            end: 0,
        };
        let mut record = CallRecord::new(CallId(1), Timestamp(1_000));
        record.answered_at = Some(Timestamp(1_250));
        record.test_report = Some(Box::new(TestCallReport {
            ok: false,
            returned_by: Some(ReturnMethod::Refer),
            returned: Some(Payload {
                items: vec![
                    item(PayloadPart::Outcome, "X-GA-transfer", "SYSTEM"),
                    item(PayloadPart::Transfer, "x-ga-TV-next_action", "call \u{1b}[2Jback"),
                ],
                used: 42,
                limit: 1_024,
                ..Payload::default()
            }),
            steps: vec![TestCallStep { at_us: 1_500_000, text: "no good".into(), ok: false }],
            ended: None,
            sound_check: None,
        }));
        record
    }

    #[test]
    fn the_object_holds_outcome_timings_messages_and_payload() {
        let value = as_json(&record(), &[]);
        assert_eq!(value["returned"]["transferVariables"]["next_action"], "call \u{1b}[2Jback");
        assert_eq!(value["returned"]["outcome"], "SYSTEM");
        assert_eq!(value["timings"]["answered_us"], 250);
        assert_eq!(value["outcome"]["returned_by"], "REFER");
        assert!(value["messages"].is_array());
    }

    #[test]
    fn the_text_says_what_went_wrong() {
        let text = as_text(&record(), &[]);
        assert!(text.contains("1.500 s  no good"), "{text}");
        assert!(!text.contains('\u{1b}'), "no control reaches the terminal");
    }
}
