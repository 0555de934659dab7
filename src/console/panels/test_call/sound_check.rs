//! A test call that checks the sound, as plain data: what was heard each way, how late, and whether that is as asked.

use crate::{
    console::theme::{Leg, Tone},
    model::{CallRecord, SoundCheck, SoundCheckWay, TestCallReport, Timestamp},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// `As asked`, or how far it is.
    pub verdict: String,
    pub tone: Tone,
    pub ways: [Way; 2],
    /// `62 ms round trip`
    pub delay: String,
    /// What failed besides the ways, a sentence each.
    pub faults: Vec<String>,
}

/// One direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    pub name: &'static str,
    /// Whose voice it carries.
    pub leg: Leg,
    pub heard: &'static str,
    pub tone: Tone,
    /// From 0 (−60 dBFS) to 1 (full scale).
    pub level: f32,
    pub detail: String,
}

/// `placed`: the call of the check, once there is one.
pub fn checked(placed: Option<&CallRecord>, now: Timestamp) -> Checked {
    let report = placed.and_then(|call| call.test_report.as_deref());
    let found = report.and_then(|report| report.sound_check);
    let (verdict, tone) = verdict(placed, report, now);
    Checked {
        verdict,
        tone,
        ways: ways(found),
        delay: match found.map(|found| found.round_trip_ms) {
            Some(Some(trip)) => format!("{trip:.0} ms round trip"),
            Some(None) => "no echo to measure it by".to_owned(),
            None => "—".to_owned(),
        },
        faults: faults(report, found),
    }
}

fn verdict(placed: Option<&CallRecord>, report: Option<&TestCallReport>, now: Timestamp) -> (String, Tone) {
    match (placed, report) {
        (_, Some(report)) if report.ok => ("As asked".to_owned(), Tone::Good),
        (_, Some(_)) => ("Not as asked".to_owned(), Tone::Wrong),
        (Some(call), None) if call.state.is_final() => ("Over".to_owned(), Tone::Soft),
        (Some(CallRecord { answered_at: Some(since), .. }), None) => {
            let secs = (now.micros_since(*since) as f64 / 1e6).min(SoundCheck::LENGTH_SECS);
            (format!("Tones, {secs:.0} of {:.0} s", SoundCheck::LENGTH_SECS), Tone::Accent)
        }
        (Some(_), None) | (None, None) => ("Not answered yet".to_owned(), Tone::Soft),
    }
}

fn ways(found: Option<SoundCheck>) -> [Way; 2] {
    let way = |name, leg, way: Option<SoundCheckWay>, lost: &str, unknown: &str| {
        let (heard, tone, detail) = match way.map(|way| (way, way.heard)) {
            None => ("—", Tone::Faint, String::new()),
            Some((way, Some(true))) if way.clipped == Some(true) => ("Heard, clipped", Tone::Warn, measured(&way)),
            Some((way, Some(true))) => ("Heard", Tone::Good, measured(&way)),
            Some((_, Some(false))) => ("Not heard", Tone::Wrong, lost.to_owned()),
            Some((_, None)) => ("Can't be told", Tone::Warn, unknown.to_owned()),
        };
        let level = way.and_then(|way| way.level_dbfs).map_or(0.0, |dbfs| ((dbfs + 60.0) / 60.0).clamp(0.0, 1.0));
        Way { name, leg, heard, tone, level, detail }
    };
    [
        way(
            "Caller to agent",
            Leg::Customer,
            found.map(|found| found.to_agent),
            "an echo was announced, and none came back",
            "the agent sends nothing of it back",
        ),
        way("Agent to caller", Leg::Agent, found.map(|found| found.from_agent), "nothing came from the agent", "nothing came back"),
    ]
}

fn measured(way: &SoundCheckWay) -> String {
    let level = way.level_dbfs.map_or_else(|| "level unknown".to_owned(), |level| format!("{level:.1} dBFS"));
    let clipped = match way.clipped {
        Some(true) => "cut off at the limit",
        Some(false) => "not clipped",
        None => "clipping can't be told",
    };
    let delay = way.delay_ms.map(|ms| format!(" · ≈ {ms:.0} ms")).unwrap_or_default();
    format!("{level} · {clipped}{delay}")
}

fn faults(report: Option<&TestCallReport>, found: Option<SoundCheck>) -> Vec<String> {
    let ways = found.map(|found| found.words()).unwrap_or_default();
    let failed = report.map(|report| report.steps.as_slice()).unwrap_or_default().iter().filter(|step| !step.ok);
    failed.map(|step| step.text.clone()).filter(|text| !ways.contains(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CallEvent, CallId, CallState, Ended, Party, TestCallStep};

    fn call(report: Option<TestCallReport>) -> CallRecord {
        let mut call = CallRecord::new(CallId(1), Timestamp(0));
        call.apply(Timestamp(1_000_000), &CallEvent::CallAnswered { codec: "PCMU".to_owned() });
        if let Some(report) = report {
            call.apply(Timestamp(6_000_000), &CallEvent::TestCallReported { report: Box::new(report) });
            let why = Ended::new("Hung up as asked", Party::Customer, None);
            call.apply(Timestamp(6_000_000), &CallEvent::CallEnded { state: CallState::Ended, why });
        }
        call
    }

    fn words(checked: &Checked) -> String {
        let ways = checked.ways.iter().map(|way| format!("{}: {} ({})", way.name, way.heard, way.detail));
        [checked.verdict.clone(), checked.delay.clone()]
            .into_iter()
            .chain(ways)
            .chain(checked.faults.clone())
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn way(heard: Option<bool>, level_dbfs: Option<f32>, clipped: Option<bool>) -> SoundCheckWay {
        SoundCheckWay { heard, level_dbfs, clipped, delay_ms: None }
    }

    #[test]
    fn a_check_tells_each_way_its_delay_and_the_verdict() {
        let found = SoundCheck {
            to_agent: SoundCheckWay { delay_ms: Some(31.2), ..way(Some(true), Some(-12.34), Some(false)) },
            from_agent: way(Some(true), Some(-0.2), Some(true)),
            round_trip_ms: Some(62.4),
        };
        let report = TestCallReport { ok: true, sound_check: Some(found), ..TestCallReport::default() };
        let shown = checked(Some(&call(Some(report))), Timestamp(9_000_000));
        assert_eq!(
            words(&shown),
            "As asked\n62 ms round trip\nCaller to agent: Heard (-12.3 dBFS · not clipped · ≈ 31 ms)\n\
             Agent to caller: Heard, clipped (-0.2 dBFS · cut off at the limit)"
        );
        assert_eq!((shown.tone, shown.ways[1].tone), (Tone::Good, Tone::Warn));
        assert!((shown.ways[0].level - 0.794).abs() < 0.001);
    }

    #[test]
    fn an_agent_without_echo_and_a_call_that_never_came_to_be_say_what_failed() {
        let found = SoundCheck { from_agent: way(Some(true), Some(-20.0), Some(false)), ..SoundCheck::default() };
        let step = |text: &str| TestCallStep { at_us: 1, text: text.to_owned(), ok: false };
        let steps = vec![step(&found.words()[0]), step("The far side hung up too early")];
        let report = TestCallReport { steps, sound_check: Some(found), ..TestCallReport::default() };
        let shown = checked(Some(&call(Some(report))), Timestamp(9_000_000));
        assert_eq!(
            words(&shown),
            "Not as asked\nno echo to measure it by\nCaller to agent: Can't be told (the agent sends nothing of it back)\n\
             Agent to caller: Heard (-20.0 dBFS · not clipped)\nThe far side hung up too early"
        );
        let refused = TestCallReport { steps: vec![step("Refused: 403 Forbidden")], ..TestCallReport::default() };
        let shown = checked(Some(&call(Some(refused))), Timestamp(9_000_000));
        assert_eq!((shown.verdict.as_str(), shown.faults.as_slice()), ("Not as asked", &["Refused: 403 Forbidden".to_owned()][..]));
        assert_eq!(shown.ways[0].heard, "—");
    }

    #[test]
    fn while_tones_are_sent_it_says_how_long() {
        assert_eq!(checked(Some(&call(None)), Timestamp(3_400_000)).verdict, "Tones, 2 of 5 s");
        assert_eq!(checked(None, Timestamp(0)).verdict, "Not answered yet");
    }
}
