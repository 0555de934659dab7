//! The figures of each leg's sound, a row a direction.

use crate::{
    console::{
        text::grouped,
        theme::{Leg, Tone},
        widgets::{Cell, Column, TableRow},
    },
    model::{CallRecord, LegRole, MediaFigures},
};

pub const COLUMNS: [Column; 9] = [
    Column::fixed("Leg", 84.0),
    Column::growing("Direction", 84.0, 1.0),
    Column::fixed("Codec", 70.0),
    Column::fixed("Packets", 82.0).right(),
    Column::fixed("Lost", 84.0).right(),
    Column::fixed("Reordered", 82.0).right(),
    Column::fixed("Doubled", 72.0).right(),
    Column::fixed("Jitter", 76.0).right(),
    Column::fixed("Round trip", 88.0).right(),
];

#[derive(Debug, Clone, Default, PartialEq)]
pub struct MediaData {
    pub rows: Vec<TableRow>,
    /// Facts that are no row: digits, strangers, when sound began.
    pub remarks: Vec<String>,
}

pub fn media(call: &CallRecord) -> MediaData {
    let mut data = MediaData::default();
    for leg in &call.legs {
        let Some(figures) = &leg.media else { continue };
        let (name, colour) = match leg.opened.role {
            LegRole::Customer => ("Customer", Leg::Customer),
            LegRole::Agent => ("Agent", Leg::Agent),
            LegRole::Return => ("Return", Leg::Return),
        };
        data.rows.push(received(name, colour, figures));
        data.rows.push(sent(name, colour, figures));
        data.remarks.extend(remarks(name, figures));
    }
    data
}

fn received(name: &str, leg: Leg, f: &MediaFigures) -> TableRow {
    let expected = f.packets_received + f.packets_lost;
    let loss = if expected == 0 { 0.0 } else { 100.0 * f.packets_lost as f64 / expected as f64 };
    let lost_tone = if f.packets_lost > 0 { Tone::Warn } else { Tone::Soft };
    row(
        name,
        leg,
        "received",
        &f.codec,
        [
            (grouped(f.packets_received), Tone::Soft),
            (format!("{} · {loss:.1} %", grouped(f.packets_lost)), lost_tone),
            (grouped(f.packets_reordered), Tone::Soft),
            (grouped(f.packets_duplicated), Tone::Soft),
            (format!("{:.1} ms", f.jitter_ms), Tone::Soft),
            (f.round_trip_ms.map_or_else(|| "—".to_owned(), |ms| format!("{ms:.1} ms")), Tone::Soft),
        ],
    )
}

fn sent(name: &str, leg: Leg, f: &MediaFigures) -> TableRow {
    let dash = || ("—".to_owned(), Tone::Faint);
    let lost = f.remote_lost.map_or_else(dash, |n| (n.to_string(), if n > 0 { Tone::Warn } else { Tone::Soft }));
    let jitter = f.remote_jitter_ms.map_or_else(dash, |ms| (format!("{ms:.1} ms"), Tone::Soft));
    row(name, leg, "sent", &f.codec, [(grouped(f.packets_sent), Tone::Soft), lost, dash(), dash(), jitter, dash()])
}

fn row(name: &str, leg: Leg, direction: &str, codec: &str, figures: [(String, Tone); 6]) -> TableRow {
    let mut words = format!("{name} {direction} {codec}");
    let mut cells = vec![
        Cell::Text(name.to_owned(), Tone::Of(leg)),
        Cell::Text(direction.to_owned(), Tone::Soft),
        Cell::Wire(if codec.is_empty() { "—".to_owned() } else { codec.to_owned() }, Tone::Soft),
    ];
    for (text, tone) in figures {
        words.push(' ');
        words.push_str(&text);
        cells.push(Cell::Wire(text, tone));
    }
    TableRow { cells, name: words, chosen: false }
}

fn remarks(name: &str, f: &MediaFigures) -> Vec<String> {
    let mut remarks = Vec::new();
    remarks.extend(f.first_packet_us.map(|us| format!("{name}: first packet {:.1} ms after the answer", us as f64 / 1_000.0)));
    if !f.dtmf_received.is_empty() {
        remarks.push(format!("{name}: digits received {}", f.dtmf_received));
    }
    if f.strangers > 0 {
        remarks.push(format!("{name}: {} packets from addresses that the leg does not know, neither relayed nor answered", f.strangers));
    }
    remarks
}
