//! The chart: who stands in which column, and one row for each message and each note.

use std::fmt::Write as _;

use super::{WIDTH, clipped, gist, printable};
use crate::model::{AgentKind, CallRecord, CapturedMessage, Direction, LegRole, Timestamp};

/// Draws the head and all rows.
pub fn draw(out: &mut String, record: &CallRecord, messages: &[CapturedMessage]) {
    let columns = Columns::of(record, messages);
    columns.draw_head(out);

    let begin = messages.iter().map(|m| m.at).chain([record.started_at]).min().unwrap_or_default();
    let mut rows: Vec<(Timestamp, Row<'_>)> = messages.iter().map(|m| (m.at, Row::Message(m))).collect();
    rows.extend(record.timeline.iter().filter(|n| !told_by_an_arrow(&n.text)).map(|n| (n.at, Row::Note(n.text.as_str()))));
    // Stable: at the same moment, messages before what is said about them.
    rows.sort_by_key(|(at, _)| *at);

    for (at, row) in rows {
        let line = match row {
            Row::Message(message) => columns.arrow(message),
            Row::Note(note) => columns.note(note),
        };
        let micros = at.micros_since(begin);
        let _ = writeln!(out, "{:>4}.{:06}{}", micros / 1_000_000, micros % 1_000_000, line);
    }
    out.push('\n');
}

enum Row<'a> {
    Message(&'a CapturedMessage),
    Note(&'a str),
}

/// Notes that an arrow, or the findings below, say already.
fn told_by_an_arrow(note: &str) -> bool {
    ["INVITE from ", "Finding: ", "NOTIFY says ", "Return endpoint says ", "Agent rings "].iter().any(|p| note.starts_with(p))
        || note.contains(" leg opened to ")
        || note.starts_with("Leg ") && note.contains(" ended: ")
}

struct Columns<'a> {
    record: &'a CallRecord,
    list: Vec<Column>,
    /// Where this program's own lifeline stands.
    local_x: usize,
}

struct Column {
    who: Who,
    name: &'static str,
    below: String,
    x: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Local,
    Leg(LegRole),
    /// Messages of no leg.
    Elsewhere,
}

impl<'a> Columns<'a> {
    fn of(record: &'a CallRecord, messages: &[CapturedMessage]) -> Self {
        let order = [Who::Leg(LegRole::Customer), Who::Local, Who::Leg(LegRole::Agent), Who::Leg(LegRole::Return), Who::Elsewhere];
        let mut list: Vec<Column> = order
            .into_iter()
            .filter_map(|who| {
                let below = match who {
                    Who::Local => local_text(record, messages),
                    Who::Leg(role) => record.legs.iter().find(|l| l.opened.role == role)?.opened.remote.to_string(),
                    Who::Elsewhere => messages.iter().find(|m| far_side(record, m) == Who::Elsewhere)?.remote.to_string(),
                };
                Some(Column { who, name: name(who, record.test_call), below, x: 0 })
            })
            .collect();
        let (first, last) = (TIME + EDGE, WIDTH - EDGE);
        let step = ((last - first) / list.len().saturating_sub(1).max(1)).min(WIDEST_STEP);
        let mut local_x = first;
        for (i, column) in list.iter_mut().enumerate() {
            column.x = first + i * step;
            if column.who == Who::Local {
                local_x = column.x;
            }
        }
        Self { record, list, local_x }
    }

    fn draw_head(&self, out: &mut String) {
        let (mut names, mut belows) = (Line::blank(), Line::blank());
        for column in &self.list {
            names.put_centred(column.x, column.name);
            belows.put_centred(column.x, &column.below);
        }
        for line in [names, belows, self.lifelines()] {
            let _ = writeln!(out, "{}", line.text_from(0));
        }
    }

    fn lifelines(&self) -> Line {
        let mut line = Line::blank();
        for column in &self.list {
            line.put(column.x, "│");
        }
        line
    }

    fn arrow(&self, message: &CapturedMessage) -> String {
        let who = far_side(self.record, message);
        let there = self.list.iter().find(|c| c.who == who).map_or(self.local_x, |c| c.x);
        let (left, right) = (self.local_x.min(there), self.local_x.max(there));
        let room = (right - left).saturating_sub(1);
        let stroke = if message.retransmission { '╌' } else { '─' };
        let mut shaft: Vec<char> = vec![stroke; room];
        let to_the_right = (message.direction == Direction::Out) == (there > self.local_x);
        let head = if to_the_right { shaft.last_mut().map(|c| (c, '▶')) } else { shaft.first_mut().map(|c| (c, '◀')) };
        if let Some((place, head)) = head {
            *place = head;
        }
        let again = if message.retransmission { " (again)" } else { "" };
        // A stroke on both sides stays, and the head.
        let label = format!(" {}{again} ", clipped(&gist(&message.bytes), room.saturating_sub(4 + again.len())));

        let mut line = self.lifelines();
        line.put(left + 1, &shaft.iter().collect::<String>());
        line.put(left + 1 + room.saturating_sub(label.chars().count()) / 2, &label);
        line.text_from(TIME)
    }

    fn note(&self, text: &str) -> String {
        let mut line = self.lifelines();
        line.put(self.local_x, &format!("● {} ", clipped(&printable(text), WIDTH - self.local_x - 4)));
        line.text_from(TIME)
    }
}

/// On which side of this program a message came or went.
fn far_side(record: &CallRecord, message: &CapturedMessage) -> Who {
    let by_id = record.legs.iter().find(|l| Some(l.opened.leg) == message.leg);
    let leg = by_id.or_else(|| record.legs.iter().find(|l| l.opened.remote == message.remote));
    leg.map_or(Who::Elsewhere, |l| Who::Leg(l.opened.role))
}

fn name(who: Who, test_call: bool) -> &'static str {
    match who {
        Who::Local if test_call => "Test caller",
        Who::Local => "Bridge",
        // A test call sees the bridge from the customer's side.
        Who::Leg(LegRole::Customer) if test_call => "Called side",
        Who::Leg(LegRole::Customer) => "Customer",
        Who::Leg(LegRole::Agent) => "Agent",
        Who::Leg(LegRole::Return) => "Return endpoint",
        Who::Elsewhere => "Elsewhere",
    }
}

/// The address that the first message crossed; a script agent has no leg, so it is told here.
fn local_text(record: &CallRecord, messages: &[CapturedMessage]) -> String {
    let address = messages.first().map(|m| m.local.to_string()).unwrap_or_default();
    match (record.agent_kind, &record.agent_target) {
        (Some(AgentKind::Script), Some(script)) => clipped(&format!("{address} · {}", printable(script)), WIDEST_STEP - 2),
        _ => address,
    }
}

/// One line in the making, a character a cell.
struct Line(Vec<char>);

impl Line {
    fn blank() -> Self {
        Self(vec![' '; WIDTH])
    }

    /// Writes from `x` on, as far as the line goes.
    fn put(&mut self, x: usize, text: &str) {
        for (cell, c) in self.0.iter_mut().skip(x).zip(text.chars()) {
            *cell = c;
        }
    }

    fn put_centred(&mut self, x: usize, text: &str) {
        let width = text.chars().count();
        self.put(x.saturating_sub(width / 2).min(WIDTH.saturating_sub(width)), text);
    }

    fn text_from(&self, start: usize) -> String {
        let text: String = self.0.iter().skip(start).collect();
        text.trim_end().to_owned()
    }
}

/// The column of times: `9999.000000`.
const TIME: usize = 11;
/// From the time, and from the right border, to the nearest lifeline.
const EDGE: usize = 9;
/// Two parties need no more room between them.
const WIDEST_STEP: usize = 46;
