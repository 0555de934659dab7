//! A call as a ladder: one column a party, one time axis over all legs.

use std::fmt::Write as _;

use crate::{
    console::{
        text::{self, since},
        theme::{Leg, Tone},
        wire_text::{Kind, MessageView},
    },
    model::{CallRecord, Direction, LegRole, ReturnMethod, Timestamp},
};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ladder {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// A party.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: &'static str,
    pub address: String,
    pub leg: Leg,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub at: Timestamp,
    /// As it stands on the time axis; empty where it is the row above's.
    pub time: String,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Arrow(Arrow),
    /// Sound between two columns, until the next row.
    Media(Vec<Band>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    pub title: String,
    pub gist: String,
    /// The colour of the line.
    pub line: Leg,
    /// The colour of the title: an answer's is its verdict.
    pub tone: Tone,
    /// `None`: no message of its own, it follows from others.
    pub message: Option<u64>,
    pub retransmission: bool,
    /// Seen only through what another party told.
    pub hearsay: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    pub left: usize,
    pub right: usize,
    pub leg: Leg,
    pub text: String,
}

/// The ladder of `call`. `now` ends what still goes on.
pub fn ladder(call: &CallRecord, messages: &[MessageView], now: Timestamp) -> Ladder {
    let parties = Parties::of(call, messages);
    let start = messages.first().map_or(call.started_at, |m| m.at.min(call.started_at));
    let mut rows: Vec<Row> = Vec::with_capacity(messages.len() + 8);
    for message in messages {
        rows.push(Row { at: message.at, time: String::new(), what: What::Arrow(parties.arrow(call, message)) });
        rows.extend(parties.hearsay(message));
    }
    rows.extend(parties.agent_without_leg(call).into_iter().map(|row| Row { at: before_its_effect(row.at, messages), ..row }));
    rows.extend(media(call, &parties, now));
    // Stable: what was captured at the same moment keeps its order.
    rows.sort_by_key(|row| row.at);
    let mut last = String::new();
    for (index, row) in rows.iter_mut().enumerate() {
        let time = since(row.at.micros_since(start));
        let time = if index == 0 || time == "+0 ms" { "0 ms".to_owned() } else { time };
        if time != last && matches!(row.what, What::Arrow(_)) {
            row.time.clone_from(&time);
            last = time;
        }
    }
    Ladder { columns: parties.columns, rows }
}

struct Parties {
    columns: Vec<Column>,
    local: usize,
    customer: usize,
    /// Whom the customer leg of a test call reaches.
    far: usize,
    agent: Option<usize>,
    returned: Option<usize>,
}

impl Parties {
    fn of(call: &CallRecord, messages: &[MessageView]) -> Self {
        let leg = |role| call.legs.iter().find(|l| l.opened.role == role);
        let remote = |role| leg(role).map(|l| l.opened.remote.to_string());
        let local = messages.first().map(|m| m.local.to_string()).unwrap_or_default();
        let column = |name, address, leg| Column { name, address, leg };
        let attempt = call.returns.last();
        let heard = messages.iter().any(|m| m.sipfrag().is_some());
        let return_address = remote(LegRole::Return)
            .or_else(|| attempt.filter(|a| a.method != ReturnMethod::Bye).map(|a| host(&a.uri).to_owned()))
            .unwrap_or_default();
        if call.test_call {
            let bridge = remote(LegRole::Customer).unwrap_or_else(|| call.source.clone());
            let mut columns = vec![column("Test caller", local, Leg::Customer), column("Bridge", bridge, Leg::Bridge)];
            let returned = leg(LegRole::Return).map(|_| columns.len());
            columns.extend(returned.map(|_| column("Return URI", return_address, Leg::Return)));
            return Self { columns, local: 0, customer: 0, far: 1, agent: None, returned };
        }
        let source = remote(LegRole::Customer).unwrap_or_else(|| call.source.clone());
        let mut columns = vec![column("Customer", source, Leg::Customer), column("Bridge", local, Leg::Bridge)];
        let agent = (call.agent_kind.is_some() || leg(LegRole::Agent).is_some()).then_some(columns.len());
        let agent_address = remote(LegRole::Agent).or_else(|| call.agent_target.clone()).unwrap_or_default();
        columns.extend(agent.map(|_| column("Agent", agent_address, Leg::Agent)));
        let returned = (leg(LegRole::Return).is_some() || heard).then_some(columns.len());
        columns.extend(returned.map(|_| column("Return URI", return_address, Leg::Return)));
        Self { columns, local: 1, customer: 0, far: 0, agent, returned }
    }

    fn arrow(&self, call: &CallRecord, message: &MessageView) -> Arrow {
        let role = message.leg.and_then(|id| call.legs.iter().find(|l| l.opened.leg == id)).map_or(LegRole::Customer, |l| l.opened.role);
        let (remote, line) = match role {
            LegRole::Customer => (self.far, Leg::Customer),
            LegRole::Agent => (self.agent.unwrap_or(self.far), Leg::Agent),
            LegRole::Return => (self.returned.unwrap_or(self.far), Leg::Return),
        };
        let (from, to) = match message.direction {
            Direction::In => (remote, self.local),
            Direction::Out => (self.local, remote),
        };
        let is_refer = matches!(&message.kind, Kind::Request(method) if method == "REFER");
        let tone = match &message.kind {
            Kind::Request(_) if is_refer => Tone::Of(Leg::Return),
            Kind::Request(_) => Tone::Plain,
            Kind::Response { code: 100..200, .. } => Tone::Soft,
            Kind::Response { code: 200..300, .. } => Tone::Good,
            Kind::Response { code: 300..=399 | 401 | 407, .. } => Tone::Warn,
            Kind::Response { .. } | Kind::Other => Tone::Wrong,
        };
        Arrow {
            from,
            to,
            title: message.title.clone(),
            gist: message.gist.clone(),
            line: if is_refer { Leg::Return } else { line },
            tone,
            message: Some(message.number),
            retransmission: message.retransmission,
            hearsay: false,
        }
    }

    /// A return call that the customer tells of in a NOTIFY, while we see nothing of it.
    fn hearsay(&self, message: &MessageView) -> Option<Row> {
        let returned = self.returned.filter(|_| !message.retransmission && self.local != self.customer)?;
        let status = message.sipfrag()?.strip_prefix("SIP/2.0 ")?;
        let code: u16 = status.get(..3)?.parse().ok()?;
        let (from, to, title) = match code {
            100 => (self.customer, returned, "INVITE".to_owned()),
            _ => (returned, self.customer, status.to_owned()),
        };
        let arrow = Arrow {
            from,
            to,
            title,
            gist: "seen only through NOTIFY".to_owned(),
            line: Leg::Return,
            tone: Tone::Of(Leg::Return),
            message: None,
            retransmission: false,
            hearsay: true,
        };
        Some(Row { at: message.at, time: String::new(), what: What::Arrow(arrow) })
    }

    /// An agent within this program has no messages; its part is drawn from the record.
    fn agent_without_leg(&self, call: &CallRecord) -> Vec<Row> {
        let Some(agent) = self.agent.filter(|_| call.legs.iter().all(|l| l.opened.role != LegRole::Agent)) else { return Vec::new() };
        let row = |at, towards_agent, title: &str, gist: String| Row {
            at,
            time: String::new(),
            what: What::Arrow(Arrow {
                from: if towards_agent { self.local } else { agent },
                to: if towards_agent { agent } else { self.local },
                title: title.to_owned(),
                gist,
                line: Leg::Agent,
                tone: if towards_agent { Tone::Plain } else { Tone::Of(Leg::Agent) },
                message: None,
                retransmission: false,
                hearsay: false,
            }),
        };
        let task = call.context.task_name.clone().unwrap_or_default();
        let invited = call.agent_invited_at.map(|at| row(at, true, "invite agent", task));
        let answered = call.agent_answered_at.map(|at| row(at, false, "answered", String::new()));
        let ended = call.agent_ended_at.zip(call.outcome).map(|(at, outcome)| {
            let variables = call.transfer_variables.len() + call.reference_variables.len();
            row(at, false, outcome.wire(), text::count(variables, "variable", "variables"))
        });
        [invited, answered, ended].into_iter().flatten().collect()
    }
}

/// An event is noted a moment after the messages that it causes have left; it stands above them all the same.
fn before_its_effect(at: Timestamp, messages: &[MessageView]) -> Timestamp {
    let mut caused = messages.iter().filter(|m| m.direction == Direction::Out && m.at <= at && at.micros_since(m.at) < EFFECT_US);
    caused.next().map_or(at, |m| Timestamp(m.at.0.saturating_sub(1)))
}

/// Well below any round trip, well above what handing an event on takes.
const EFFECT_US: u64 = 3_000;

/// The host of a URI: all that a column's head has room for.
fn host(uri: &str) -> &str {
    let short = text::short_uri(uri);
    short.rsplit_once('@').map_or(short, |(_, host)| host)
}

/// The sound between the legs, as one band from the answer to the return or the end.
fn media(call: &CallRecord, parties: &Parties, now: Timestamp) -> Option<Row> {
    let answered = call.answered_at?;
    let end = call.returns.first().map(|r| r.started_at).or(call.ended_at).unwrap_or(now);
    let length = end.micros_since(answered) as f64 / 1_000_000.0;
    let mut bands: Vec<Band> = Vec::new();
    for leg in &call.legs {
        let (right, colour) = match leg.opened.role {
            LegRole::Customer => (parties.far, Leg::Customer),
            LegRole::Agent => (parties.agent.unwrap_or(parties.far), Leg::Agent),
            LegRole::Return => continue,
        };
        let Some(figures) = &leg.media else { continue };
        let expected = figures.packets_received + figures.packets_lost;
        let loss = if expected == 0 { 0.0 } else { 100.0 * figures.packets_lost as f64 / expected as f64 };
        bands.push(Band {
            left: parties.local.min(right),
            right: parties.local.max(right),
            leg: colour,
            text: format!("{} · {length:.1} s · loss {loss:.1} % · jitter {:.1} ms", figures.codec, figures.jitter_ms),
        });
    }
    if bands.is_empty() {
        bands.push(Band {
            left: parties.local.min(parties.far),
            right: parties.local.max(parties.far),
            leg: Leg::Customer,
            text: format!("sound · {length:.1} s"),
        });
    }
    Some(Row { at: Timestamp(answered.0 + 1), time: String::new(), what: What::Media(bands) })
}

impl Ladder {
    /// The ladder in words, a line a row: for the clipboard and for tests.
    pub fn to_text(&self) -> String {
        let name = |column: usize| self.columns.get(column).map_or("?", |c| c.name);
        let mut text = String::new();
        for row in &self.rows {
            match &row.what {
                What::Arrow(arrow) => {
                    let mark = match (arrow.retransmission, arrow.hearsay) {
                        (true, _) => " (retransmission)",
                        (_, true) => " (hearsay)",
                        _ => "",
                    };
                    let gap = if arrow.gist.is_empty() { "" } else { "  " };
                    let (from, to) = (name(arrow.from), name(arrow.to));
                    let _ = writeln!(text, "{:>10}  {from} → {to}: {}{gap}{}{mark}", row.time, arrow.title, arrow.gist);
                }
                What::Media(bands) => {
                    for band in bands {
                        let _ = writeln!(text, "{:>10}  {} ↔ {}: {}", "", name(band.left), name(band.right), band.text);
                    }
                }
            }
        }
        text
    }
}
