//! A call as a ladder: one column a party, one time axis over all legs.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use super::layout::Layout;
use crate::{
    console::{
        text::{self, since},
        theme::{Leg, Tone},
        widgets::Track,
        wire_text::{Kind, MessageView},
    },
    export::words::before_its_effect,
    model::{CallRecord, Direction, LegId, LegRole, Party, ReturnMethod, SoundMarkKind, Timestamp},
};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ladder {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// Sound between two columns, over its time.
    pub bands: Vec<Band>,
    /// Where everything stands.
    pub layout: Layout,
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
    /// Room for the words of the bands that begin here.
    Sound,
    /// Something in the sound of one leg: a digit, a hold.
    Mark(Mark),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    pub title: Arc<str>,
    pub gist: Arc<str>,
    /// The colour of the line.
    pub line: Leg,
    /// The colour of the title: an answer's is its verdict.
    pub tone: Tone,
    /// `None`: no message of its own, it follows from others.
    pub message: Option<u64>,
    pub retransmission: bool,
    /// The message that this one repeats, where that is kept.
    pub again_of: Option<u64>,
    /// How often it crossed the wire.
    pub times: u32,
    /// Seen only through what another party told.
    pub hearsay: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub left: usize,
    pub right: usize,
    pub leg: Leg,
    /// `Digit 1`, `On hold`, `Resumed`.
    pub text: String,
    pub digit: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    pub left: usize,
    pub right: usize,
    pub leg: Leg,
    pub from: Timestamp,
    pub until: Timestamp,
    pub text: String,
    /// From when to when it was on hold.
    pub holds: Vec<(Timestamp, Timestamp)>,
    /// The leg whose sound it is.
    pub of: Option<LegId>,
    /// Both voices on it, over its time.
    pub voices: Vec<Track>,
}

/// The ladder of `call`. `now` ends what still goes on.
pub fn ladder(call: &CallRecord, messages: &[MessageView], now: Timestamp) -> Ladder {
    let parties = Parties::of(call, messages);
    let start = messages.first().map_or(call.started_at, |m| m.at.min(call.started_at));
    let mut rows: Vec<Row> = Vec::with_capacity(messages.len() + 8);
    let mut firsts: HashMap<(Direction, Option<LegId>, u64), usize> = HashMap::new();
    for message in messages {
        let mut arrow = parties.arrow(call, message);
        let key = (message.direction, message.leg, message.fingerprint);
        let first = firsts.get(&key).and_then(|row| rows.get_mut(*row)).filter(|_| message.retransmission);
        if let Some(Row { what: What::Arrow(first), .. }) = first {
            first.times += 1;
            arrow.again_of = first.message;
        } else {
            firsts.insert(key, rows.len());
        }
        rows.push(Row { at: message.at, time: String::new(), what: What::Arrow(arrow) });
        rows.extend(parties.hearsay(message));
    }
    let answer = messages
        .iter()
        .find(|m| m.direction == Direction::Out && matches!(&m.kind, Kind::Response { code: 200..300, to } if to == "INVITE"));
    rows.extend(parties.agent_without_leg(call).into_iter().map(|row| {
        // However late its event is noted: the customer is answered because the agent was.
        let is_answer = Some(row.at) == call.agent_answered_at;
        let caused = answer.filter(|answer| is_answer && answer.at <= row.at).map(|answer| Timestamp(answer.at.0.saturating_sub(1)));
        Row { at: caused.unwrap_or_else(|| before_its_effect(row.at, sent(messages))), ..row }
    }));
    let bands = super::sound::bands(call, &parties, now);
    rows.extend(bands.iter().map(|band| band.from).min().map(|at| Row { at, time: String::new(), what: What::Sound }));
    rows.extend(call.marks.iter().filter_map(|mark| {
        let (left, right, leg) = parties.between(call, mark.leg)?;
        let (text, digit) = match mark.kind {
            SoundMarkKind::Digit { digit } => (format!("Digit {digit}"), true),
            SoundMarkKind::Held => ("On hold".to_owned(), false),
            SoundMarkKind::Resumed => ("Resumed".to_owned(), false),
        };
        // The digit that ends the agent's part stands above that end, and that above its REFER.
        let effect = before_its_effect(mark.at, sent(messages));
        let at = if effect == mark.at { mark.at } else { Timestamp(effect.0.saturating_sub(1)) };
        Some(Row { at, time: String::new(), what: What::Mark(Mark { left, right, leg, text, digit }) })
    }));
    // Stable: what was captured at the same moment keeps its order.
    rows.sort_by_key(|row| row.at);
    let mut last = String::new();
    for (index, row) in rows.iter_mut().enumerate() {
        let time = since(row.at.micros_since(start));
        let time = if index == 0 || time == "+0 ms" { "0 ms".to_owned() } else { time };
        if time != last && !matches!(row.what, What::Sound) {
            row.time.clone_from(&time);
            last = time;
        }
    }
    Ladder { columns: parties.columns, rows, bands, layout: Layout::default() }
}

pub(super) struct Parties {
    pub(super) columns: Vec<Column>,
    pub local: usize,
    pub(super) customer: usize,
    /// Whom the customer leg of a test call reaches.
    pub far: usize,
    pub agent: Option<usize>,
    pub(super) returned: Option<usize>,
    /// Of a call out of a capture: who stands in each column.
    pub(super) captured: Vec<Party>,
}

impl Parties {
    fn of(call: &CallRecord, messages: &[MessageView]) -> Self {
        if call.legs.iter().any(|l| l.ends.is_some()) {
            return super::captured::parties(call, messages);
        }
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
            return Self { columns, local: 0, customer: 0, far: 1, agent: None, returned, captured: Vec::new() };
        }
        let source = remote(LegRole::Customer).unwrap_or_else(|| call.source.clone());
        let mut columns = vec![column("Customer", source, Leg::Customer), column("Bridge", local, Leg::Bridge)];
        let agent = (call.agent_kind.is_some() || leg(LegRole::Agent).is_some()).then_some(columns.len());
        let agent_address = remote(LegRole::Agent).or_else(|| call.agent_target.clone()).unwrap_or_default();
        columns.extend(agent.map(|_| column("Agent", agent_address, Leg::Agent)));
        let returned = (leg(LegRole::Return).is_some() || heard).then_some(columns.len());
        columns.extend(returned.map(|_| column("Return URI", return_address, Leg::Return)));
        Self { columns, local: 1, customer: 0, far: 0, agent, returned, captured: Vec::new() }
    }

    fn arrow(&self, call: &CallRecord, message: &MessageView) -> Arrow {
        let role = message.leg.and_then(|id| call.legs.iter().find(|l| l.opened.leg == id)).map_or(LegRole::Customer, |l| l.opened.role);
        let (remote, line) = match role {
            LegRole::Customer => (self.far, Leg::Customer),
            LegRole::Agent => (self.agent.unwrap_or(self.far), Leg::Agent),
            LegRole::Return => (self.returned.unwrap_or(self.far), Leg::Return),
        };
        let (near, remote) = self.ends(call, message.leg).unwrap_or((self.local, remote));
        let (from, to) = match message.direction {
            Direction::In => (remote, near),
            Direction::Out => (near, remote),
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
            again_of: None,
            times: 1,
            hearsay: false,
        }
    }

    /// The columns of a leg's sound, and its colour.
    pub fn between(&self, call: &CallRecord, leg: LegId) -> Option<(usize, usize, Leg)> {
        let (there, colour) = match call.legs.iter().find(|l| l.opened.leg == leg)?.opened.role {
            LegRole::Customer => (self.far, Leg::Customer),
            LegRole::Agent => (self.agent.unwrap_or(self.far), Leg::Agent),
            LegRole::Return => (self.returned.unwrap_or(self.far), Leg::Return),
        };
        let (here, there) = self.ends(call, Some(leg)).unwrap_or((self.local, there));
        Some((here.min(there), here.max(there), colour))
    }

    /// The columns of a captured leg, the near one first.
    fn ends(&self, call: &CallRecord, leg: Option<LegId>) -> Option<(usize, usize)> {
        let place = |party| self.captured.iter().position(|who| *who == party);
        let (near, far) = call.ends_of(leg);
        Some((place(near)?, place(far)?))
    }

    /// A return call that the customer tells of in a NOTIFY, while we see nothing of it.
    fn hearsay(&self, message: &MessageView) -> Option<Row> {
        let returned = self.returned.filter(|_| !message.retransmission && self.local != self.customer && self.captured.is_empty())?;
        let status = message.sipfrag()?.strip_prefix("SIP/2.0 ")?;
        let code: u16 = status.get(..3)?.parse().ok()?;
        let (from, to, title) = match code {
            100 => (self.customer, returned, Arc::from("INVITE")),
            _ => (returned, self.customer, status.into()),
        };
        let arrow = Arrow {
            from,
            to,
            title,
            gist: "seen only through NOTIFY".into(),
            line: Leg::Return,
            tone: Tone::Of(Leg::Return),
            message: None,
            retransmission: false,
            again_of: None,
            times: 1,
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
                title: title.into(),
                gist: gist.into(),
                line: Leg::Agent,
                tone: if towards_agent { Tone::Plain } else { Tone::Of(Leg::Agent) },
                message: None,
                retransmission: false,
                again_of: None,
                times: 1,
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

/// When messages left.
fn sent(messages: &[MessageView]) -> impl Iterator<Item = Timestamp> {
    messages.iter().filter(|message| message.direction == Direction::Out).map(|message| message.at)
}

/// The host of a URI: all that a column's head has room for.
fn host(uri: &str) -> &str {
    let short = text::short_uri(uri);
    short.rsplit_once('@').map_or(short, |(_, host)| host)
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
                What::Sound => {
                    for band in &self.bands {
                        let _ = writeln!(text, "{:>10}  {} ↔ {}: {}", "", name(band.left), name(band.right), band.text);
                    }
                }
                What::Mark(mark) => {
                    let _ = writeln!(text, "{:>10}  {} ↔ {}: {}", row.time, name(mark.left), name(mark.right), mark.text);
                }
            }
        }
        text
    }
}
