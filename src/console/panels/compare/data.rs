//! What differs between two messages, a row a header.

use super::{
    diff::{Item, Pair, pairs},
    words::{Piece, by_word},
};
use crate::{
    console::{
        panels::message::data::route,
        text,
        wire_text::{MessageView, long_name},
    },
    model::CallRecord,
};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    pub rows: Vec<Row>,
    /// `3 changed · 1 added · 14 the same`
    pub summary: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub kind: RowKind,
    pub name: String,
    pub left: Vec<Piece>,
    pub right: Vec<Piece>,
    /// What the values alone do not show.
    pub note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    Same,
    Changed,
    /// Only in the right one.
    Added,
    /// Only in the left one.
    Removed,
    /// The same value elsewhere among the headers.
    Moved,
}

impl RowKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
        }
    }
}

/// A message that would be good to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub number: u64,
    /// `INVITE 5 variables`
    pub title: String,
    /// `Bridge → Agent · +13 ms · the other leg`
    pub detail: String,
}

pub fn compare(left: &MessageView, right: &MessageView) -> Comparison {
    let mut rows = vec![row("Start line", start_line(left), start_line(right), String::new(), false)];
    rows.extend(list(&headers(left), &headers(right), &|name| long_name(name).to_owned()));
    rows.extend(list(&body(left), &body(right), &|name| if name.is_empty() { "Body line".to_owned() } else { format!("SDP {name}=") }));
    let of = |kind| rows.iter().filter(|row| row.kind == kind).count();
    let parts = [
        (of(RowKind::Changed), "changed"),
        (of(RowKind::Added), "added"),
        (of(RowKind::Removed), "removed"),
        (of(RowKind::Moved), "moved"),
        (of(RowKind::Same), "the same"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    Comparison { rows, summary: parts.join(" · ") }
}

fn list(left: &[Item<'_>], right: &[Item<'_>], name: &dyn Fn(&str) -> String) -> Vec<Row> {
    let rows = pairs(left, right).into_iter().filter_map(|pair| match pair {
        Pair::Both { left: l, right: r, moved } => {
            let (l, r) = (left.get(l)?, right.get(r)?);
            // Names are compared without regard to case (RFC 3261 §7.3.1); people who read them are not so patient.
            let note = if l.name == r.name { String::new() } else { format!("written {} and {}", l.name, r.name) };
            Some(row(&name(l.name), l.value, r.value, note, moved))
        }
        Pair::Left(l) => Some(alone(&name(left.get(l)?.name), left.get(l)?.value, RowKind::Removed)),
        Pair::Right(r) => Some(alone(&name(right.get(r)?.name), right.get(r)?.value, RowKind::Added)),
    });
    rows.collect()
}

fn row(name: &str, left: &str, right: &str, note: String, moved: bool) -> Row {
    let plain = |text: &str| vec![Piece { text: text.to_owned(), marked: false }];
    let name = name.to_owned();
    if left == right {
        let kind = match (note.is_empty(), moved) {
            (false, _) => RowKind::Changed,
            (true, true) => RowKind::Moved,
            (true, false) => RowKind::Same,
        };
        return Row { kind, name, left: plain(left), right: plain(right), note };
    }
    let (left, right) = by_word(left, right);
    let note = if moved && note.is_empty() { "and stands elsewhere".to_owned() } else { note };
    Row { kind: RowKind::Changed, name, left, right, note }
}

fn alone(name: &str, value: &str, kind: RowKind) -> Row {
    let piece = vec![Piece { text: value.to_owned(), marked: false }];
    let (left, right) = if kind == RowKind::Removed { (piece, Vec::new()) } else { (Vec::new(), piece) };
    Row { kind, name: name.to_owned(), left, right, note: String::new() }
}

fn start_line(view: &MessageView) -> &str {
    view.raw.lines().find(|line| !line.is_empty()).unwrap_or_default()
}

fn headers(view: &MessageView) -> Vec<Item<'_>> {
    let headers = view.headers.iter().take(MOST);
    headers.map(|(name, value)| Item { key: long_name(name).to_ascii_lowercase(), name, value }).collect()
}

/// An SDP by its letters, and attributes by their names; anything else by lines.
fn body(view: &MessageView) -> Vec<Item<'_>> {
    let is_sdp = view.body.starts_with("v=");
    let lines = view.body.lines().filter(|line| !line.is_empty()).take(MOST);
    lines
        .map(|line| {
            let (name, value) = line.split_once('=').filter(|_| is_sdp).unwrap_or(("", line));
            let attribute = value.split([':', ' ']).next().filter(|_| name == "a").unwrap_or_default();
            Item { key: format!("{name}={attribute}"), name, value }
        })
        .collect()
}

/// What stands in the same place of another leg first, then the same message again in this one.
pub fn suggestions(call: &CallRecord, shown: &MessageView, all: &[MessageView]) -> Vec<Suggestion> {
    let start = all.first().map_or(call.started_at, |m| m.at);
    let role = |view: &MessageView| view.leg.and_then(|leg| call.legs.iter().find(|l| l.opened.leg == leg)).map(|l| l.opened.role);
    let mut near: Vec<(u8, u64, &MessageView)> = all
        .iter()
        .filter(|view| view.number != shown.number && view.title == shown.title && view.fingerprint != shown.fingerprint)
        .map(|view| (u8::from(role(view) == role(shown)), view.at.0.abs_diff(shown.at.0), view))
        .collect();
    near.sort_by_key(|(same_leg, distance, _)| (*same_leg, *distance));
    near.into_iter()
        .take(6)
        .map(|(same_leg, _, view)| Suggestion {
            number: view.number,
            title: format!("{} {}", view.title, view.gist).trim_end().to_owned(),
            detail: format!(
                "{} · {} · {}",
                route(Some(call), view),
                text::since(view.at.micros_since(start)),
                if same_leg == 0 { "the other leg" } else { "this leg" }
            ),
        })
        .collect()
}

impl Comparison {
    /// In words, a line a row: for the clipboard and for tests.
    pub fn to_text(&self, all: bool) -> String {
        let join = |pieces: &[Piece]| -> String {
            pieces.iter().map(|p| if p.marked { format!("[{}]", p.text) } else { p.text.clone() }).collect()
        };
        let mut text = String::new();
        for row in self.rows.iter().filter(|row| all || row.kind != RowKind::Same) {
            let note = if row.note.is_empty() { String::new() } else { format!("  ({})", row.note) };
            let values = match row.kind {
                RowKind::Same | RowKind::Moved => join(&row.left),
                RowKind::Added => join(&row.right),
                RowKind::Removed => join(&row.left),
                RowKind::Changed => format!("{}\n{:>10}  → {}", join(&row.left), "", join(&row.right)),
            };
            text.push_str(&format!("{:>10}  {}: {values}{note}\n", row.kind.word(), row.name));
        }
        text
    }
}

/// Headers and lines that are compared; no message that means well has more.
const MOST: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::{
        Backend as _,
        panels::calls::data::find,
        sample::{RETURNING, SampleBackend},
    };

    fn views() -> Vec<MessageView> {
        SampleBackend::filled().messages(RETURNING).iter().map(MessageView::new).collect()
    }

    #[test]
    fn differences_are_told_by_header() {
        let views = views();
        let comparison = compare(&views[0], &views[2]);
        assert_eq!(comparison.summary, "1 added · 26 the same");
        let expected = "     added  Authorization: Digest username=\"sbc-east\", realm=\"handback\", algorithm=SHA-256\n";
        assert_eq!(comparison.to_text(false), expected);
        let notify = views.iter().position(|v| &*v.title == "NOTIFY").unwrap();
        let comparison = compare(&views[notify], views[notify + 1..].iter().find(|v| &*v.title == "NOTIFY").unwrap());
        let expected = "   changed  Content-Length: [18]\n            → [19]\n   changed  Body line: SIP/2.0 [100] [Trying]\n            → SIP/2.0 [180] [Ringing]\n";
        assert_eq!(comparison.to_text(false), expected);
    }

    #[test]
    fn a_compact_name_is_the_same_header_and_is_told_of() {
        let view = |text: &str| {
            MessageView::new(&crate::model::CapturedMessage {
                bytes: text.as_bytes().to_vec().into(),
                ..SampleBackend::filled().messages(RETURNING)[0].clone()
            })
        };
        let left = view("BYE sip:a SIP/2.0\r\nFrom: a\r\nTo: b\r\nX-GA-extConId: 1\r\n\r\n");
        let right = view("BYE sip:b SIP/2.0\r\nt: b\r\nf: a\r\nx-ga-EXTCONID: 1\r\n\r\n");
        let expected = "   changed  Start line: BYE sip:[a] SIP/2.0
            → BYE sip:[b] SIP/2.0
   changed  From: a
            → a  (written From and f)
   changed  To: b
            → b  (written To and t)
   changed  X-GA-extConId: 1
            → 1  (written X-GA-extConId and x-ga-EXTCONID)
";
        assert_eq!(compare(&left, &right).to_text(false), expected);
    }

    #[test]
    fn a_second_invite_is_suggested_for_the_first() {
        let backend = SampleBackend::filled();
        let views = views();
        let snapshot = backend.snapshot();
        let call = find(&snapshot, RETURNING).unwrap();
        let near = suggestions(call, &views[0], &views);
        assert_eq!(near.iter().map(|s| s.detail.as_str()).collect::<Vec<_>>(), ["Customer → Bridge · +12 ms · this leg"]);
        let again = views.iter().find(|v| &*v.title == "REFER").unwrap();
        assert!(suggestions(call, again, &views).is_empty(), "a retransmission has the same bytes");
    }
}
