//! What stands in a row of the list of messages.

use jiff::tz::TimeZone;

use crate::{
    console::{
        log::{LogRow, LogView},
        panels::calls::data::title_of,
        text::{self, count, grouped},
        theme::{Leg, Tone},
        widgets::{Cell, Column, TableRow},
        wire_text::Kind,
    },
    model::{CallRecord, LegRole, Timestamp},
};

pub const COLUMNS: [Column; 10] = [
    Column::fixed("Time", 104.0),
    Column::fixed("Since before", 88.0).right(),
    Column::growing("Source", 132.0, 0.6),
    Column::growing("Destination", 132.0, 0.6),
    Column::fixed("Over", 44.0),
    Column::growing("Message", 200.0, 2.2),
    Column::growing("CSeq", 76.0, 0.2),
    Column::growing("Call-ID", 110.0, 1.0),
    Column::fixed("Bytes", 58.0).right(),
    Column::growing("Call", 90.0, 0.6),
];

/// `before`: when the row above crossed the wire.
pub fn row(row: &LogRow, before: Option<Timestamp>, call: Option<&CallRecord>, zone: &TimeZone, chosen: bool) -> TableRow {
    let message = &row.message;
    let time = text::clock_millis(message.at, zone);
    let since = before.map_or_else(String::new, |before| text::since(message.at.micros_since(before)));
    let (source, target) = (row.source().to_string(), row.target().to_string());
    let again = if message.retransmission { "again · " } else { "" };
    let gist = format!("{again}{}", row.gist);
    let name = format!("{time} {source} → {target} {} {gist}", row.title);
    let of = call.map_or_else(|| ("—".to_owned(), Tone::Faint), |call| (title_of(call), Tone::Soft));
    TableRow {
        cells: vec![
            Cell::Wire(time, Tone::Soft),
            Cell::Wire(since, Tone::Faint),
            Cell::Wire(source, Tone::Soft),
            Cell::Wire(target, Tone::Soft),
            Cell::Wire(message.transport.via().to_owned(), Tone::Faint),
            Cell::Pair(row.title.to_string(), tone(row, call), gist),
            Cell::Wire(row.cseq.to_string(), Tone::Soft),
            Cell::Wire(row.call_id.to_string(), Tone::Faint),
            Cell::Wire(grouped(message.bytes.len() as u64), Tone::Soft),
            Cell::Wire(of.0, of.1),
        ],
        name,
        chosen,
    }
}

/// A request in the colour of its leg, an answer in that of its verdict.
fn tone(row: &LogRow, call: Option<&CallRecord>) -> Tone {
    let leg = row.message.leg.zip(call).and_then(|(leg, call)| call.legs.iter().find(|l| l.opened.leg == leg));
    match (&row.kind, leg.map(|l| l.opened.role)) {
        _ if row.message.retransmission => Tone::Faint,
        (Kind::Request(method), _) if method == "REFER" => Tone::Of(Leg::Return),
        (Kind::Request(_), Some(LegRole::Agent)) => Tone::Of(Leg::Agent),
        (Kind::Request(_), Some(LegRole::Return)) => Tone::Of(Leg::Return),
        (Kind::Request(_), Some(LegRole::Customer)) => Tone::Of(Leg::Customer),
        (Kind::Request(_), None) => Tone::Plain,
        (Kind::Response { code: 100..200, .. }, _) => Tone::Soft,
        (Kind::Response { code: 200..300, .. }, _) => Tone::Good,
        (Kind::Response { code: 300..=399 | 401 | 407, .. }, _) => Tone::Warn,
        (Kind::Response { .. } | Kind::Other, _) => Tone::Wrong,
    }
}

/// `1,204 messages`, `38 of 1,204`, `38 of 1,204, looking on…`
pub fn counts(view: &LogView, narrowed: bool) -> String {
    match (narrowed, view.done) {
        (false, _) => count(view.held, "message", "messages"),
        (true, true) => format!("{} of {}", grouped(view.len as u64), grouped(view.held as u64)),
        (true, false) => format!("{} of {}, looking on…", grouped(view.len as u64), grouped(view.held as u64)),
    }
}

/// Why there are fewer than the engine counts.
pub fn counts_hover(view: &LogView) -> String {
    let copies = match view.copies {
        0 => String::new(),
        copies => format!(". {} that both ends of this program saw are listed once", count(copies, "message", "messages")),
    };
    format!("The newest 102,400 messages are listed as long as they are kept{copies}")
}

/// How many came behind what is shown.
pub fn new_behind(shown: &LogView, now: &LogView) -> usize {
    let Some(last) = shown.last() else { return now.len };
    let behind = match now.position(last.number()) {
        Ok(at) => at + 1,
        Err(at) => at,
    };
    now.len.saturating_sub(behind)
}
