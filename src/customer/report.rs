//! What came of a test call: its steps with their times, and the judgement whether it went as asked.

use std::time::Instant;

use crate::model::{CallRecord, Ended, Payload, PayloadPart, ReturnMethod, SoundCheck, TestCallReport, TestCallStep};

/// Writes a [`TestCallReport`] while the call runs.
#[derive(Debug)]
pub(super) struct Journal {
    placed_at: Instant,
    report: TestCallReport,
}

impl Journal {
    pub fn new(placed_at: Instant) -> Self {
        Self { placed_at, report: TestCallReport::default() }
    }

    /// Something went as it should.
    pub fn step(&mut self, now: Instant, text: impl Into<String>) {
        self.push(now, text.into(), true);
    }

    /// Something that was asked for did not happen.
    pub fn fault(&mut self, now: Instant, text: impl Into<String>) {
        self.push(now, text.into(), false);
    }

    /// What came back, and how.
    pub fn returned(&mut self, by: ReturnMethod, payload: Option<Payload>) {
        self.report.returned_by = Some(by);
        if payload.is_some() {
            self.report.returned = payload;
        }
    }

    /// How each way of the call sounded; a way that was not heard is a fault.
    pub fn sound_checked(&mut self, now: Instant, check: SoundCheck) {
        for (words, way) in check.words().into_iter().zip([check.to_agent, check.from_agent]) {
            self.push(now, words, way.heard == Some(true));
        }
        if let Some(trip) = check.round_trip_ms {
            self.step(now, format!("Round trip of the sound: {trip:.0} ms"));
        }
        self.report.sound_check = Some(check);
    }

    pub fn has_sound_check(&self) -> bool {
        self.report.sound_check.is_some()
    }

    pub fn returned_by(&self) -> Option<ReturnMethod> {
        self.report.returned_by
    }

    pub fn has_fault(&self) -> bool {
        self.report.steps.iter().any(|step| !step.ok)
    }

    /// The call went as asked where no step says otherwise.
    pub fn close(mut self, why: Ended) -> TestCallReport {
        self.report.ok = !self.has_fault();
        self.report.ended = Some(why);
        self.report
    }

    fn push(&mut self, now: Instant, text: String, ok: bool) {
        if self.report.steps.len() < MOST_STEPS {
            let at_us = now.saturating_duration_since(self.placed_at).as_micros() as u64;
            self.report.steps.push(TestCallStep { at_us, text, ok });
        }
    }
}

/// Far more than a call takes; a peer that repeats itself cannot fill the memory.
const MOST_STEPS: usize = 200;

/// Where what came back differs from what the bridge says that the agent set: one sentence each.
/// `bridge` is the bridge's own record of the call that the customer's side placed.
pub fn differences(report: &TestCallReport, bridge: &CallRecord) -> Vec<String> {
    let Some(payload) = &report.returned else {
        return match bridge.returns.iter().any(|r| r.payload.is_some()) {
            true => vec!["the bridge sent a payload that did not arrive".to_owned()],
            false => Vec::new(),
        };
    };
    let mut differences = Vec::new();
    let mut expect = |what: &str, part: PayloadPart, set: Vec<(String, String)>| {
        let arrived: Vec<_> =
            payload.items.iter().filter(|item| item.part == part).map(|i| (i.parameter.clone(), i.value.clone())).collect();
        for (name, value) in &set {
            match arrived.iter().find(|(n, _)| n == name) {
                None => differences.push(format!("{what} {name} was set and did not arrive")),
                Some((_, v)) if v != value => differences.push(format!("{name} was set as '{value}' and arrived as '{v}'")),
                Some(_) => {}
            }
        }
        for (name, _) in arrived.iter().filter(|(n, _)| !set.iter().any(|(s, _)| s == n)) {
            differences.push(format!("{what} {name} arrived and was never set"));
        }
        let order = |list: &[(String, String)]| list.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        if arrived.len() == set.len() && order(&arrived) != order(&set) && arrived.iter().all(|a| set.contains(a)) {
            differences.push(format!("{what}s arrived in another order than they were set"));
        }
    };
    let dropped = |parameter: &str| {
        bridge.returns.iter().filter_map(|r| r.payload.as_ref()).any(|p| p.dropped.iter().any(|d| d.parameter == parameter))
    };
    let variables = |prefix: &str, set: &crate::model::Variables| -> Vec<(String, String)> {
        set.iter().map(|(n, v)| (format!("{prefix}{n}"), v.clone())).filter(|(n, _)| !dropped(n)).collect()
    };
    expect("conversation", PayloadPart::ConversationId, one("X-GA-extConId", bridge.context.ext_conversation_id.as_deref()));
    expect("outcome", PayloadPart::Outcome, one("X-GA-transfer", bridge.outcome.map(|o| o.wire())));
    expect("transfer variable", PayloadPart::Transfer, variables("X-GA-tv-", &bridge.transfer_variables));
    expect("reference variable", PayloadPart::Reference, variables("X-GA-rv-", &bridge.reference_variables));
    differences
}

fn one(name: &str, value: Option<&str>) -> Vec<(String, String)> {
    value.map(|v| (name.to_owned(), v.to_owned())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CallId, Outcome, PayloadItem, Timestamp};

    fn item(part: PayloadPart, parameter: &str, value: &str) -> PayloadItem {
        PayloadItem { part, parameter: parameter.into(), value: value.into(), cost: 0, start: 0, end: 0 }
    }

    fn returned(items: Vec<PayloadItem>) -> TestCallReport {
        TestCallReport { returned: Some(Payload { items, ..Payload::default() }), ..TestCallReport::default() }
    }

    fn bridge() -> CallRecord {
        let mut record = CallRecord::new(CallId(1), Timestamp(0));
        std::sync::Arc::make_mut(&mut record.context).ext_conversation_id = Some("c 1".into());
        record.outcome = Some(Outcome::System);
        record.transfer_variables.insert("a".into(), "1".into());
        record.transfer_variables.insert("b".into(), "2".into());
        record
    }

    #[test]
    fn the_same_payload_has_no_differences() {
        let report = returned(vec![
            item(PayloadPart::ConversationId, "X-GA-extConId", "c 1"),
            item(PayloadPart::Outcome, "X-GA-transfer", "SYSTEM"),
            item(PayloadPart::Transfer, "X-GA-tv-a", "1"),
            item(PayloadPart::Transfer, "X-GA-tv-b", "2"),
        ]);
        assert_eq!(differences(&report, &bridge()), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_a_sentence() {
        let report = returned(vec![
            item(PayloadPart::Outcome, "X-GA-transfer", "AGENT"),
            item(PayloadPart::Transfer, "X-GA-tv-b", "2"),
            item(PayloadPart::Transfer, "X-GA-tv-z", "9"),
        ]);
        let told = differences(&report, &bridge());
        assert_eq!(told.len(), 4, "{told:?}");
        let swapped = returned(vec![
            item(PayloadPart::ConversationId, "X-GA-extConId", "c 1"),
            item(PayloadPart::Outcome, "X-GA-transfer", "SYSTEM"),
            item(PayloadPart::Transfer, "X-GA-tv-b", "2"),
            item(PayloadPart::Transfer, "X-GA-tv-a", "1"),
        ]);
        assert_eq!(differences(&swapped, &bridge()), ["transfer variables arrived in another order than they were set"]);
    }
}
