//! What the band says, and which entries of a folder are offered.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::{
    console::{
        files::{Dialog, Entry, Opened},
        text::{count, grouped},
        theme::Tone,
        widgets::{Cell, Column, TableRow},
    },
    model::Timestamp,
};

pub const COLUMNS: [Column; 3] =
    [Column::growing("Name", 200.0, 1.0), Column::fixed("Size", 90.0).right(), Column::fixed("Changed", 150.0).right()];

/// The band below the top bar.
#[derive(Debug, Clone, PartialEq)]
pub enum Band {
    /// A file is being read; how much of it, of 1.
    Reading {
        name: String,
        share: Option<f32>,
    },
    Open {
        name: String,
        path: String,
        words: String,
        notes: Vec<String>,
    },
}

pub fn open(opened: &Opened) -> Band {
    let mut words =
        format!("{}, {}", count(opened.snapshot.calls.len(), "call", "calls"), count(opened.messages_all(), "message", "messages"));
    if opened.others > 0 {
        words.push_str(&format!(" ({} of no call)", grouped(opened.others as u64)));
    }
    let name = opened.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Band::Open { name, path: opened.path.display().to_string(), words, notes: opened.notes.clone() }
}

/// The folder that a typed path is in.
pub fn folder_of(typed: &str) -> PathBuf {
    let typed = typed.trim();
    if typed.is_empty() {
        return PathBuf::from(".");
    }
    if typed.ends_with(std::path::is_separator) {
        return PathBuf::from(typed);
    }
    let parent = Path::new(typed).parent().map(Path::to_owned).unwrap_or_default();
    if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent }
}

/// The entries that go on as the typed path does; the way up first.
pub fn shown(dialog: &Dialog) -> Vec<Entry> {
    let typed = dialog.path.trim();
    let start =
        if typed.ends_with(std::path::is_separator) { "" } else { Path::new(typed).file_name().and_then(|n| n.to_str()).unwrap_or("") };
    let start = start.to_lowercase();
    let up = dialog.listed.folder.parent().filter(|_| start.is_empty() && dialog.listed.fault.is_none());
    let up = up.map(|_| Entry { name: "..".to_owned(), is_folder: true, bytes: 0, changed: Timestamp(0) });
    let listed = dialog.listed.entries.iter().filter(|entry| entry.name.to_lowercase().starts_with(&start)).cloned();
    up.into_iter().chain(listed).collect()
}

pub fn row(entry: &Entry, zone: &TimeZone, chosen: bool) -> TableRow {
    let name = if entry.is_folder { format!("{}{}", entry.name, std::path::MAIN_SEPARATOR) } else { entry.name.clone() };
    let size = if entry.is_folder { String::new() } else { size(entry.bytes) };
    let changed = if entry.changed.0 == 0 { String::new() } else { moment(entry.changed, zone) };
    let tone = if entry.is_folder { Tone::Accent } else { Tone::Plain };
    TableRow {
        name: format!("{name} {size}").trim_end().to_owned(),
        cells: vec![Cell::Text(name, tone), Cell::Wire(size, Tone::Soft), Cell::Wire(changed, Tone::Faint)],
        chosen,
    }
}

/// What Tab makes of the typed path: as much as all that is offered have in common.
pub fn completed(dialog: &Dialog) -> Option<String> {
    let entries: Vec<Entry> = shown(dialog).into_iter().filter(|entry| entry.name != "..").collect();
    let first = entries.first()?;
    let common = entries.iter().skip(1).fold(first.name.len(), |length, entry| {
        let same = first.name.chars().zip(entry.name.chars()).take_while(|(a, b)| a.to_lowercase().eq(b.to_lowercase()));
        same.map(|(a, _)| a.len_utf8()).sum::<usize>().min(length)
    });
    let mut path = dialog.listed.folder.join(first.name.get(..common)?).display().to_string();
    if entries.len() == 1 && first.is_folder {
        path.push(std::path::MAIN_SEPARATOR);
    }
    (path != dialog.path).then_some(path)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn moment(at: Timestamp, zone: &TimeZone) -> String {
    let instant = i64::try_from(at.0).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    instant.map(|at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::files::Listed;

    fn dialog(path: &str) -> Dialog {
        let entry = |name: &str, is_folder| Entry { name: name.to_owned(), is_folder, bytes: 1_234, changed: Timestamp(0) };
        let entries = vec![entry("traces", true), entry("Trace-1.pcap", false), entry("trace-2.pcapng", false), entry("other.cap", false)];
        Dialog { path: path.to_owned(), listed: Listed { folder: "/home/a".into(), entries, fault: None }, ..Dialog::default() }
    }

    #[test]
    fn what_is_typed_narrows_the_folder_and_tab_completes_it() {
        let names = |path: &str| shown(&dialog(path)).into_iter().map(|entry| entry.name).collect::<Vec<_>>();
        assert_eq!(names("/home/a/"), ["..", "traces", "Trace-1.pcap", "trace-2.pcapng", "other.cap"]);
        assert_eq!(names("/home/a/TRACE-"), ["Trace-1.pcap", "trace-2.pcapng"]);
        assert_eq!(completed(&dialog("/home/a/o")).as_deref(), Some("/home/a/other.cap"));
        assert_eq!(completed(&dialog("/home/a/t")).as_deref(), Some("/home/a/trace"));
        assert_eq!(completed(&dialog("/home/a/traces")).as_deref(), Some("/home/a/traces/"));
        assert_eq!(completed(&dialog("/home/a/x")), None);
    }

    #[test]
    fn a_typed_path_has_its_folder() {
        for (typed, folder) in [("/home/a/", "/home/a/"), ("/home/a", "/home"), ("x.pcap", "."), ("", ".")] {
            assert_eq!(folder_of(typed), PathBuf::from(folder), "{typed}");
        }
    }
}
