//! Findings, worst first.

use crate::{
    console::theme::Tone,
    model::{CallRecord, Finding, Severity},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCard {
    pub tone: Tone,
    pub title: String,
    pub sentences: Vec<String>,
}

pub fn findings(call: &CallRecord) -> Vec<FindingCard> {
    let mut findings: Vec<&Finding> = call.findings.iter().collect();
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    findings.into_iter().map(card).collect()
}

/// Those that were seen in this message: its place among the call's messages.
pub fn of_message(call: &CallRecord, index: u32) -> Vec<FindingCard> {
    call.findings.iter().filter(|f| f.messages.contains(&index)).map(card).collect()
}

/// How many, and the colour of the worst.
pub fn tally(call: &CallRecord) -> Option<(usize, Tone)> {
    let worst = call.findings.iter().map(|f| f.severity).max()?;
    Some((call.findings.len(), tone(worst)))
}

fn card(finding: &Finding) -> FindingCard {
    let severity = match finding.severity {
        Severity::Note => "Note",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    };
    FindingCard {
        tone: tone(finding.severity),
        title: finding.seen.clone(),
        sentences: vec![
            finding.why.clone().into_owned(),
            finding.cure.clone().into_owned(),
            format!("{severity} · {}'s side · {}", finding.side.name(), finding.rule),
        ],
    }
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Note => Tone::Soft,
        Severity::Warning => Tone::Warn,
        Severity::Error => Tone::Wrong,
    }
}
