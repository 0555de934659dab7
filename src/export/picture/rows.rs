//! The rows of a ladder: messages, what is known through NOTIFY only, the agent's part, digits and holds, and sound.

use std::collections::HashMap;

use super::{
    Column, Side,
    parties::Parties,
    words::{self, Kind, Words},
};
use crate::{
    export::words::{before_its_effect, short_uri, since, sound as sound_words},
    model::{AgentKind, CallRecord, CallSound, CapturedMessage, Direction, LegId, LegRole, Party, SoundMarkKind, Timestamp, WholeCall},
};

/// Everything that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub title: String,
    pub subtitle: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub bands: Vec<Band>,
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
    Arrow {
        from: usize,
        to: usize,
        title: String,
        gist: String,
        line: Side,
        tone: Tone,
        /// How often it crossed the wire.
        times: u32,
        /// Known only through what another party told.
        hearsay: bool,
    },
    /// Room for the words of the sound that begins here.
    Sound,
    Mark {
        left: usize,
        right: usize,
        side: Side,
        text: String,
    },
}

/// The colour of a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Soft,
    Good,
    Warn,
    Wrong,
    Of(Side),
}

/// Sound between two columns, over its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    pub left: usize,
    pub right: usize,
    pub side: Side,
    pub from: Timestamp,
    pub until: Timestamp,
    pub text: String,
    /// Both voices, a peak of 255 a bar; none where nothing was heard.
    pub voices: Vec<(LegRole, Vec<u8>)>,
}

impl Picture {
    /// The picture of a call; `now` ends what still goes on.
    pub fn new(call: &WholeCall, now: Timestamp) -> Self {
        let (record, messages) = (&*call.record, call.messages.as_slice());
        let words: Vec<Words> = messages.iter().map(|message| words::words(&message.bytes)).collect();
        let parties = Parties::of(record, messages, &words);
        let start = messages.first().map_or(record.started_at, |message| message.at.min(record.started_at));
        let mut rows = arrows(record, messages, &words, &parties);
        rows.extend(agents_part(record, messages, &parties));
        let bands = bands(record, call.sound.as_deref(), &parties, now);
        rows.extend(bands.iter().map(|band| band.from).min().map(|at| Row { at, time: String::new(), what: What::Sound }));
        rows.extend(marks(record, messages, &parties));
        // Stable: what was captured at the same moment keeps its order.
        rows.sort_by_key(|row| row.at);
        let mut last = String::new();
        for (index, row) in rows.iter_mut().enumerate() {
            let time = since(row.at.micros_since(start));
            let time = if index == 0 || time == "+0 ms" { "0 ms".to_owned() } else { time };
            if time != last && row.what != What::Sound {
                row.time.clone_from(&time);
                last = time;
            }
        }
        let title = record.context.ext_conversation_id.clone().unwrap_or_else(|| short_uri(&record.from).to_owned());
        let subtitle = format!("{} → {} · {} · call {}", short_uri(&record.from), short_uri(&record.to), utc(start), record.id);
        let printable = crate::export::ladder::printable;
        Self { title: printable(&title), subtitle: printable(&subtitle), columns: parties.columns, rows, bands }
    }
}

fn arrows(record: &CallRecord, messages: &[CapturedMessage], words: &[Words], parties: &Parties) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::with_capacity(messages.len() + 8);
    let mut firsts: HashMap<(bool, Option<LegId>, &[u8]), usize> = HashMap::new();
    for (message, words) in messages.iter().zip(words) {
        let key = (message.direction == Direction::Out, message.leg, message.bytes.as_ref());
        let known = firsts.get(&key).and_then(|row| rows.get_mut(*row)).filter(|_| message.retransmission);
        // Sent again: said on the first one, as the window folds them.
        if let Some(Row { what: What::Arrow { times, .. }, .. }) = known {
            *times += 1;
            continue;
        }
        firsts.insert(key, rows.len());
        let (from, to, leg) = parties.of_message(record, message);
        let is_refer = words.kind == Kind::Request("REFER".to_owned());
        let tone = match words.kind {
            Kind::Request(_) if is_refer => Tone::Of(Side::Of(LegRole::Return)),
            Kind::Request(_) => Tone::Plain,
            Kind::Response(100..200) => Tone::Soft,
            Kind::Response(200..300) => Tone::Good,
            Kind::Response(300..=399 | 401 | 407) => Tone::Warn,
            Kind::Response(_) | Kind::Other => Tone::Wrong,
        };
        let line = if is_refer { Side::Of(LegRole::Return) } else { leg };
        let (title, gist) = (words.title.clone(), words.gist.clone());
        rows.push(Row {
            at: message.at,
            time: String::new(),
            what: What::Arrow { from, to, title, gist, line, tone, times: 1, hearsay: false },
        });
        rows.extend(hearsay(record, message, words, parties));
    }
    rows
}

/// A return call that the customer tells of in a NOTIFY, while nothing of it was seen.
fn hearsay(record: &CallRecord, message: &CapturedMessage, words: &Words, parties: &Parties) -> Option<Row> {
    let seen = record.legs.iter().any(|leg| leg.opened.role == LegRole::Return && leg.ends.is_some());
    let returned = parties.place(Party::ReturnEndpoint).filter(|_| !message.retransmission && !parties.test_call && !seen)?;
    let customer = parties.place(Party::Customer)?;
    let status = words.sipfrag.as_ref()?.trim();
    let code: u16 = status.get(..3)?.parse().ok()?;
    let (from, to, title) = if code == 100 {
        (customer, returned, "INVITE".to_owned())
    } else {
        (returned, customer, crate::export::ladder::printable(status))
    };
    let side = Side::Of(LegRole::Return);
    let what = What::Arrow {
        from,
        to,
        title,
        gist: "seen only through NOTIFY".to_owned(),
        line: side,
        tone: Tone::Of(side),
        times: 1,
        hearsay: true,
    };
    Some(Row { at: message.at, time: String::new(), what })
}

/// An agent within this program has no messages; its part is drawn from the record.
fn agents_part(record: &CallRecord, messages: &[CapturedMessage], parties: &Parties) -> Vec<Row> {
    let own = record.legs.iter().all(|leg| leg.opened.role != LegRole::Agent) && record.agent_kind != Some(AgentKind::Sip);
    let (Some(agent), Some(bridge), true) = (parties.place(Party::Agent), parties.place(Party::Bridge), own) else { return Vec::new() };
    let side = Side::Of(LegRole::Agent);
    let row = |at: Timestamp, towards: bool, title: &str, gist: String| Row {
        at: before_its_effect(at, sent(messages)),
        time: String::new(),
        what: What::Arrow {
            from: if towards { bridge } else { agent },
            to: if towards { agent } else { bridge },
            title: title.to_owned(),
            gist,
            line: side,
            tone: if towards { Tone::Plain } else { Tone::Of(side) },
            times: 1,
            hearsay: false,
        },
    };
    let task = record.context.task_name.clone().unwrap_or_default();
    let invited = record.agent_invited_at.map(|at| row(at, true, "invite agent", task));
    let answered = record.agent_answered_at.map(|at| row(at, false, "answered", String::new()));
    let ended = record.agent_ended_at.zip(record.outcome).map(|(at, outcome)| {
        let count = record.transfer_variables.len() + record.reference_variables.len();
        row(at, false, outcome.wire(), if count == 1 { "1 variable".to_owned() } else { format!("{count} variables") })
    });
    [invited, answered, ended].into_iter().flatten().collect()
}

fn marks(record: &CallRecord, messages: &[CapturedMessage], parties: &Parties) -> Vec<Row> {
    let row = |mark: &crate::model::SoundMark| {
        let (near, far, side) = parties.ends(record, Some(mark.leg));
        let text = match mark.kind {
            SoundMarkKind::Digit { digit } => format!("Digit {digit}"),
            SoundMarkKind::Held => "On hold".to_owned(),
            SoundMarkKind::Resumed => "Resumed".to_owned(),
        };
        let effect = before_its_effect(mark.at, sent(messages));
        let at = if effect == mark.at { mark.at } else { Timestamp(effect.0.saturating_sub(1)) };
        Row { at, time: String::new(), what: What::Mark { left: near.min(far), right: near.max(far), side, text } }
    };
    record.marks.iter().map(row).collect()
}

/// The sound between the legs, from the answer until it is handed back or over.
fn bands(record: &CallRecord, sound: Option<&CallSound>, parties: &Parties, now: Timestamp) -> Vec<Band> {
    let Some(answered) = record.answered_at else { return Vec::new() };
    let from = Timestamp(answered.0 + 1);
    let end = record.ended_at.unwrap_or(now);
    let until = record.returns.first().map_or(end, |attempt| attempt.started_at);
    let mut bands = Vec::new();
    for leg in record.legs.iter().filter(|leg| leg.opened.role != LegRole::Return) {
        let Some(figures) = &leg.media else { continue };
        let (near, far, side) = parties.ends(record, Some(leg.opened.leg));
        let text = sound_words(Some(figures), from, until);
        let heard = sound.and_then(|sound| sound.of(leg.opened.leg)).map(|sound| sound.outline(from, until));
        let heard = heard.filter(|tracks| tracks.iter().flatten().any(|peak| *peak > 0));
        let voices = heard.map(|tracks| record.voices_of(leg).into_iter().zip(tracks).collect()).unwrap_or_default();
        bands.push(Band { left: near.min(far), right: near.max(far), side, from, until, text, voices });
    }
    // Of a call out of a capture nobody knows of sound that is not in it.
    if bands.is_empty() && parties.columns.len() > 1 && (record.admission.is_some() || record.test_call) {
        let (near, far, side) = parties.ends(record, Some(LegId(0)));
        let text = sound_words(None, from, until);
        bands.push(Band { left: near.min(far), right: near.max(far), side, from, until, text, voices: Vec::new() });
    }
    bands
}

/// When messages left.
fn sent(messages: &[CapturedMessage]) -> impl Iterator<Item = Timestamp> {
    messages.iter().filter(|message| message.direction == Direction::Out).map(|message| message.at)
}

fn utc(at: Timestamp) -> String {
    let instant = i64::try_from(at.0).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    instant.map(|instant| instant.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()).unwrap_or_default()
}
