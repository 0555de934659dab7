//! The notes of a call with local time and distance from its start.

use jiff::tz::TimeZone;

use crate::{
    console::{
        text,
        theme::Tone,
        widgets::{Cell, Column, TableRow},
    },
    model::CallRecord,
};

pub const COLUMNS: [Column; 3] =
    [Column::fixed("Time", 112.0), Column::fixed("Since start", 100.0), Column::growing("What happened", 200.0, 1.0)];

pub fn timeline(call: &CallRecord, zone: &TimeZone) -> Vec<TableRow> {
    let rows = call.timeline.iter().map(|note| {
        let since = text::since(note.at.micros_since(call.started_at));
        TableRow {
            name: format!("{since} {}", note.text),
            cells: vec![
                Cell::Wire(text::clock_millis(note.at, zone), Tone::Faint),
                Cell::Wire(since, Tone::Faint),
                Cell::Text(note.text.clone(), tone(&note.text)),
            ],
            chosen: false,
        }
    });
    rows.collect()
}

fn tone(note: &str) -> Tone {
    if note.starts_with("Return failed") || note.starts_with("Finding") { Tone::Warn } else { Tone::Plain }
}
