//! The chart: who stands in which column, and one row for each message and each note.

use std::fmt::Write as _;

use super::{WIDTH, clipped, gist, printable};
use crate::model::{AgentKind, CallRecord, CapturedMessage, Direction, LegOpened, LegRole, Party, Timestamp};

/// Draws the head and all rows.
pub fn draw(out: &mut String, record: &CallRecord, messages: &[CapturedMessage]) {
    let columns = Columns::of(record, messages);
    columns.chart.draw_head(out);

    let begin = messages.iter().map(|m| m.at).chain([record.started_at]).min().unwrap_or_default();
    let mut rows: Vec<(Timestamp, Row<'_>)> = messages.iter().map(|m| (m.at, Row::Message(m))).collect();
    rows.extend(record.timeline.iter().filter(|n| !told_by_an_arrow(&n.text)).map(|n| (n.at, Row::Note(n.text.as_str()))));
    // At the same moment: what came, what it led to, and what went out for it.
    rows.sort_by_key(|(at, row)| {
        let order = match row {
            Row::Message(message) if message.direction == Direction::In => 0,
            Row::Note(_) => 1,
            Row::Message(_) => 2,
        };
        (*at, order)
    });

    for (at, row) in rows {
        let line = match row {
            Row::Message(message) => columns.arrow(message),
            Row::Note(note) => columns.chart.note(columns.local, note),
        };
        let _ = writeln!(out, "{}{line}", clock(begin, at));
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

/// The parties of a call in their columns.
struct Columns<'a> {
    record: &'a CallRecord,
    who: Vec<Who>,
    local: usize,
    chart: Chart,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Local,
    Leg(LegRole),
    /// Messages of no leg; in a capture, whoever else is in the call.
    Elsewhere,
}

impl<'a> Columns<'a> {
    fn of(record: &'a CallRecord, messages: &[CapturedMessage]) -> Self {
        if is_captured(record) {
            return Self::of_captured(record, messages);
        }
        let order = [Who::Leg(LegRole::Customer), Who::Local, Who::Leg(LegRole::Agent), Who::Leg(LegRole::Return), Who::Elsewhere];
        let (mut list, mut heads) = (Vec::new(), Vec::new());
        for who in order {
            let address = match who {
                Who::Local => Some(local_text(record, messages)),
                Who::Leg(role) => record.legs.iter().find(|l| column_role(record, &l.opened) == role).map(|l| l.opened.remote.to_string()),
                Who::Elsewhere => messages.iter().find(|m| far_side(record, m) == Who::Elsewhere).map(|m| m.remote.to_string()),
            };
            if let Some(address) = address {
                list.push(who);
                heads.push((name(who, record.test_call).to_owned(), address));
            }
        }
        let local = list.iter().position(|w| *w == Who::Local).unwrap_or(0);
        Self { record, who: list, local, chart: Chart::new(heads) }
    }

    /// A capture shows also legs between others: each message tells where its two ends are.
    fn of_captured(record: &'a CallRecord, messages: &[CapturedMessage]) -> Self {
        let mut first: Vec<(Who, String)> = Vec::new();
        for message in messages {
            for (who, address) in ends(record, message) {
                if !first.iter().any(|(known, _)| *known == who) {
                    first.push((who, address));
                }
            }
        }
        // Whoever is elsewhere stands where the call comes from, or goes to.
        let comes_from_elsewhere = first.iter().take(2).any(|(who, _)| *who == Who::Elsewhere);
        let order = |who: &Who| match who {
            Who::Elsewhere if comes_from_elsewhere => 0,
            Who::Leg(LegRole::Customer) => 1,
            Who::Local => 2,
            Who::Leg(LegRole::Agent) => 3,
            Who::Leg(LegRole::Return) => 4,
            Who::Elsewhere => 5,
        };
        first.sort_by_key(|(who, _)| order(who));
        let heads = first.iter().map(|(who, address)| (name(*who, false).to_owned(), address.clone())).collect();
        let who: Vec<Who> = first.into_iter().map(|(who, _)| who).collect();
        let local = who.iter().position(|w| *w == Who::Local).unwrap_or(0);
        Self { record, who, local, chart: Chart::new(heads) }
    }

    fn arrow(&self, message: &CapturedMessage) -> String {
        let place = |who: Who| self.who.iter().position(|w| *w == who).unwrap_or(self.local);
        let (here, there) = if is_captured(self.record) {
            let [(near, _), (far, _)] = ends(self.record, message);
            (place(near), place(far))
        } else {
            (self.local, place(far_side(self.record, message)))
        };
        let (from, to) = if message.direction == Direction::Out { (here, there) } else { (there, here) };
        self.chart.arrow(from, to, &gist(&message.bytes), message.retransmission)
    }
}

/// Some leg is between others than the bridge and its far side.
fn is_captured(record: &CallRecord) -> bool {
    record.legs.iter().any(|leg| leg.ends.is_some())
}

/// The near and the far end of a message's leg, with their addresses.
fn ends(record: &CallRecord, message: &CapturedMessage) -> [(Who, String); 2] {
    let (near, far) = record.ends_of(message.leg);
    let who = |party| match party {
        Party::Bridge => Who::Local,
        Party::Customer => Who::Leg(LegRole::Customer),
        Party::Agent => Who::Leg(LegRole::Agent),
        Party::ReturnEndpoint => Who::Leg(LegRole::Return),
        Party::Operator | Party::Network => Who::Elsewhere,
    };
    [(who(near), message.local.to_string()), (who(far), message.remote.to_string())]
}

/// On which side of this program a message came or went.
fn far_side(record: &CallRecord, message: &CapturedMessage) -> Who {
    let by_id = record.legs.iter().find(|l| Some(l.opened.leg) == message.leg);
    let leg = by_id.or_else(|| record.legs.iter().find(|l| l.opened.remote == message.remote));
    leg.map_or(Who::Elsewhere, |l| Who::Leg(column_role(record, &l.opened)))
}

/// In a test call's record a return leg that came in is the bridge calling our own return point: its far side is the called one.
fn column_role(record: &CallRecord, leg: &LegOpened) -> LegRole {
    if record.test_call && leg.role == LegRole::Return && leg.incoming { LegRole::Customer } else { leg.role }
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

/// The address that the first message crossed; a script or an operator has no leg, so it is told here.
fn local_text(record: &CallRecord, messages: &[CapturedMessage]) -> String {
    let address = messages.first().map(|m| m.local.to_string()).unwrap_or_default();
    match (record.agent_kind, &record.agent_target) {
        (Some(AgentKind::Script | AgentKind::Operator), Some(script)) => {
            clipped(&format!("{address} · {}", printable(script)), WIDEST_STEP - 2)
        }
        _ => address,
    }
}

/// Lifelines side by side.
pub struct Chart {
    /// Name and address of each.
    heads: Vec<(String, String)>,
    xs: Vec<usize>,
}

impl Chart {
    pub fn new(heads: Vec<(String, String)>) -> Self {
        let (first, last) = (TIME + EDGE, WIDTH - EDGE);
        let step = ((last - first) / heads.len().saturating_sub(1).max(1)).min(WIDEST_STEP);
        let xs = (0..heads.len()).map(|i| first + i * step).collect();
        Self { heads, xs }
    }

    pub fn draw_head(&self, out: &mut String) {
        let (mut names, mut addresses) = (Line::blank(), Line::blank());
        for (x, (name, address)) in self.xs.iter().zip(&self.heads) {
            names.put_centred(*x, name);
            addresses.put_centred(*x, address);
        }
        for line in [names, addresses, self.lifelines()] {
            let _ = writeln!(out, "{}", line.text_from(0));
        }
    }

    /// A row for a message, dashed where it is a copy.
    pub fn arrow(&self, from: usize, to: usize, gist: &str, again: bool) -> String {
        let x = |column: usize| self.xs.get(column).copied().unwrap_or(TIME);
        let (left, right) = (x(from).min(x(to)), x(from).max(x(to)));
        let room = (right - left).saturating_sub(1);
        let mut shaft: Vec<char> = vec![if again { '╌' } else { '─' }; room];
        let head = if to > from { shaft.last_mut().map(|c| (c, '▶')) } else { shaft.first_mut().map(|c| (c, '◀')) };
        if let Some((place, head)) = head {
            *place = head;
        }
        let again = if again { " (again)" } else { "" };
        // A stroke on both sides stays, and the head.
        let label = format!(" {}{again} ", clipped(gist, room.saturating_sub(4 + again.len())));

        let mut line = self.lifelines();
        line.put(left + 1, &shaft.iter().collect::<String>());
        line.put(left + 1 + room.saturating_sub(label.chars().count()) / 2, &label);
        line.text_from(TIME)
    }

    /// A row for what somebody did, or what is said about it.
    fn note(&self, column: usize, text: &str) -> String {
        let x = self.xs.get(column).copied().unwrap_or(TIME);
        let mut line = self.lifelines();
        line.put(x, &format!("● {} ", clipped(&printable(text), WIDTH - x - 4)));
        line.text_from(TIME)
    }

    fn lifelines(&self) -> Line {
        let mut line = Line::blank();
        for x in &self.xs {
            line.put(*x, "│");
        }
        line
    }
}

/// The time of a row, in seconds since the first.
pub fn clock(begin: Timestamp, at: Timestamp) -> String {
    let micros = at.micros_since(begin);
    format!("{:>4}.{:06}", micros / 1_000_000, micros % 1_000_000)
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
