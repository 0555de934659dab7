//! A call as a text ladder: parties as columns, one time axis over all legs, the payload decoded below.

use std::fmt::Write as _;

use crate::model::{CallRecord, CapturedMessage, Finding, Payload};

mod below;
mod chart;
mod gist;
#[cfg(test)]
pub(super) mod sample;
mod wire;

pub use below::severity;
pub use gist::gist;
pub use wire::{Hop, of_hops};

/// Lines stay within this many characters, wide values of the payload apart.
const WIDTH: usize = 120;

/// The whole ladder of one call. Plain UTF-8, readable at 120 columns; control characters from the wire are shown, not written.
pub fn text(record: &CallRecord, messages: &[CapturedMessage]) -> String {
    let mut out = String::new();
    let kind = if record.test_call { "Test call" } else { "Call" };
    let _ = writeln!(out, "{kind} {}  {} → {}  {}", record.id, printable(&record.from), printable(&record.to), date(record));
    out.push('\n');
    chart::draw(&mut out, record, messages);
    below::write(&mut out, record);
    out
}

/// A payload with each item's cost, what was dropped, and the budget as a bar.
pub fn payload_text(payload: &Payload) -> String {
    let mut out = String::new();
    below::payload(&mut out, payload);
    out
}

/// Findings with what was seen, why it matters, and the cure; nothing where there are none.
pub fn findings_text(findings: &[Finding]) -> String {
    let mut out = String::new();
    below::findings(&mut out, findings);
    out
}

fn date(record: &CallRecord) -> String {
    let micros = i64::try_from(record.started_at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).map(|t| format!("{t:.6}")).unwrap_or_default()
}

/// Text from outside as one line that can't steer a terminal.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Besides the controls: marks that turn the direction of what follows.
        if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// At most `width` characters, the last one `…` where some are missing.
fn clipped(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests;
