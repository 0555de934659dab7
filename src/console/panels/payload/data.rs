//! The return payload variable by variable: cost, what was dropped, and what would make it fit.

use std::ops::Range;

use crate::{
    console::{
        text::{count, grouped},
        theme::{Leg, Tone},
        widgets::{Cell, Column, Segment, TableRow},
    },
    contract::payload::decode,
    model::{Payload, PayloadItem, PayloadPart},
};

pub const COLUMNS: [Column; 5] = [
    Column::fixed("#", 28.0),
    Column::fixed("Parameter", 118.0),
    Column::growing("Variable", 90.0, 1.0),
    Column::growing("Value", 90.0, 2.0),
    Column::fixed("Chars", 56.0).right(),
];

pub const STEP_COLUMNS: [Column; 4] = [
    Column::growing("URI header as written", 140.0, 1.6),
    Column::growing("Name", 110.0, 1.0),
    Column::growing("Value, unescaped once", 110.0, 1.3),
    Column::fixed("Escapes", 60.0).right(),
];

#[derive(Debug, Clone, PartialEq)]
pub struct PayloadData {
    /// `Return payload: 1,011 of 1,024 characters`
    pub title: String,
    pub segments: Vec<Segment>,
    pub limit: usize,
    /// Words under the bar, each in the colour of its segments.
    pub legend: Vec<(String, Tone)>,
    pub rows: Vec<TableRow>,
    /// What was dropped, and what to do about it.
    pub advice: Option<Advice>,
    /// The whole value as sent, cut where its colour changes.
    pub raw: Vec<(String, Tone)>,
    /// Where each kept row stands in it.
    pub spans: Vec<Range<usize>>,
    /// Whom the new call goes to: the URI without its headers.
    pub target: String,
    /// Each URI header as written and as it is meant, in the order of `spans`.
    pub steps: Vec<TableRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    pub title: String,
    pub cure: String,
    /// What else would help, and what the others need.
    pub more: Vec<String>,
}

pub fn payload(payload: &Payload) -> PayloadData {
    let used = grouped(payload.used as u64);
    let limit = grouped(payload.limit as u64);
    let cost_of = |part| payload.items.iter().filter(|i| i.part == part).map(|i| i.cost).sum::<usize>();
    let mut legend = Vec::new();
    for (part, word) in [(PayloadPart::Transfer, "transfer (tv)"), (PayloadPart::Reference, "reference (rv)")] {
        let cost = cost_of(part);
        legend.extend((cost > 0).then(|| (format!("{word} {}", grouped(cost as u64)), tone(part))));
    }
    if !payload.dropped.is_empty() {
        let cost: usize = payload.dropped.iter().map(|d| d.cost).sum();
        let variables = count(payload.dropped.len(), "variable", "variables");
        legend.push((format!("dropped: {variables}, {} chars", grouped(cost as u64)), Tone::Wrong));
    }
    let mut shaded = false;
    let mut last = None;
    let segments = payload.items.iter().map(|item| {
        shaded = last == Some(item.part) && !shaded;
        last = Some(item.part);
        Segment { name: item.parameter.clone(), cost: item.cost, tone: tone(item.part), shaded }
    });
    let segments = segments.collect();
    let kept = payload.items.iter().enumerate().map(|(index, item)| kept_row(index + 1, item));
    let dropped = payload.dropped.iter().map(|d| {
        let (prefix, name) = split(&d.parameter, d.part);
        TableRow {
            name: format!("dropped {} {} {}", d.parameter, d.value, d.cost),
            cells: vec![
                Cell::Wire("—".to_owned(), Tone::Wrong),
                Cell::Wire(prefix, Tone::Wrong),
                Cell::Struck(name, Tone::Wrong),
                Cell::Text(format!("would need {}, {} left", d.cost, d.left), Tone::Faint),
                Cell::Wire(d.cost.to_string(), Tone::Wrong),
            ],
            chosen: false,
        }
    });
    PayloadData {
        title: format!("Return payload: {used} of {limit} characters"),
        segments,
        limit: payload.limit,
        legend,
        rows: kept.chain(dropped).collect(),
        advice: advice(payload),
        raw: raw(payload),
        spans: payload.items.iter().map(|item| item.start..item.end).collect(),
        target: decode(&payload.refer_to).target,
        steps: payload.items.iter().map(|item| step(payload, item)).collect(),
    }
}

fn kept_row(number: usize, item: &PayloadItem) -> TableRow {
    let (prefix, name) = split(&item.parameter, item.part);
    let value = match item.part {
        PayloadPart::Outcome => Cell::Pill(item.value.clone(), if item.value == "SYSTEM" { Tone::Good } else { Tone::Of(Leg::Agent) }),
        _ => Cell::Wire(item.value.clone(), Tone::Soft),
    };
    let prefix_tone = match item.part {
        PayloadPart::Transfer | PayloadPart::Reference => tone(item.part),
        _ => Tone::Soft,
    };
    TableRow {
        name: format!("{} {} {}", item.parameter, item.value, item.cost),
        cells: vec![
            Cell::Wire(number.to_string(), Tone::Soft),
            Cell::Wire(prefix, prefix_tone),
            Cell::Wire(name, Tone::Soft),
            value,
            Cell::Wire(item.cost.to_string(), Tone::Soft),
        ],
        chosen: false,
    }
}

/// The parameter without its variable, and the variable.
fn split(parameter: &str, part: PayloadPart) -> (String, String) {
    let prefix = match part {
        PayloadPart::Transfer => "X-GA-tv-",
        PayloadPart::Reference => "X-GA-rv-",
        PayloadPart::ConversationId | PayloadPart::Outcome => return (parameter.to_owned(), String::new()),
    };
    (format!("{prefix}*"), parameter.strip_prefix(prefix).unwrap_or(parameter).to_owned())
}

/// One URI header: as written between `?` and `&`, and unescaped.
fn step(payload: &Payload, item: &PayloadItem) -> TableRow {
    let written = payload.refer_to.get(item.start..item.end).unwrap_or_default();
    let escapes = escapes(payload, item);
    let cost = if escapes == 0 { String::new() } else { format!("+{}", 2 * escapes) };
    TableRow {
        name: format!("{written} means {}: {}", item.parameter, item.value),
        cells: vec![
            Cell::Wire(written.to_owned(), tone_of_name(item.part)),
            Cell::Wire(item.parameter.clone(), Tone::Soft),
            Cell::Wire(item.value.clone(), Tone::Plain),
            Cell::Wire(cost, Tone::Warn),
        ],
        chosen: false,
    }
}

/// Characters that take three.
fn escapes(payload: &Payload, item: &PayloadItem) -> usize {
    payload.refer_to.get(item.start..item.end).unwrap_or_default().matches('%').count()
}

fn tone_of_name(part: PayloadPart) -> Tone {
    match part {
        PayloadPart::Transfer | PayloadPart::Reference => tone(part),
        PayloadPart::ConversationId | PayloadPart::Outcome => Tone::Plain,
    }
}

fn tone(part: PayloadPart) -> Tone {
    match part {
        PayloadPart::ConversationId | PayloadPart::Outcome => Tone::Faint,
        PayloadPart::Transfer => Tone::Of(Leg::Return),
        PayloadPart::Reference => Tone::Accent,
    }
}

/// Shortening the longest variable that was sent makes room for the first that was not.
fn advice(payload: &Payload) -> Option<Advice> {
    let first = payload.dropped.first()?;
    let dropped = count(payload.dropped.len(), "variable", "variables");
    let (_, wanted) = split(&first.parameter, first.part);
    let need = first.cost.saturating_sub(first.left);
    let variables = payload.items.iter().filter(|i| matches!(i.part, PayloadPart::Transfer | PayloadPart::Reference));
    let cure = match variables.max_by_key(|i| i.cost).filter(|i| i.cost > need) {
        Some(longest) => {
            let (_, name) = split(&longest.parameter, longest.part);
            format!("Shorten {name} by {} to make {wanted} fit", count(need, "character", "characters"))
        }
        None => format!("{wanted} alone needs {} more than are left", count(need, "character", "characters")),
    };
    let own = first.cost.saturating_sub(first.parameter.len() + 2);
    let mut more = Vec::new();
    more.extend((own > need).then(|| format!("Or {wanted} itself by as much")));
    let escapes: usize = payload.items.iter().map(|i| escapes(payload, i)).sum();
    let spent = count(escapes, "character is", "characters are");
    more.extend((escapes > 0).then(|| format!("{spent} escaped and cost three instead of one: a space, a comma, a letter with an accent")));
    more.extend(payload.dropped.iter().skip(1).map(|d| {
        let (_, name) = split(&d.parameter, d.part);
        format!("{name} comes after it and needs {}", count(d.cost, "character", "characters"))
    }));
    Some(Advice { more, title: format!("{dropped} dropped at the {}-character limit", grouped(payload.limit as u64)), cure })
}

fn raw(payload: &Payload) -> Vec<(String, Tone)> {
    let mut pieces = Vec::new();
    let mut done = 0;
    for item in &payload.items {
        let (Some(before), Some(own)) = (payload.refer_to.get(done..item.start), payload.refer_to.get(item.start..item.end)) else { break };
        pieces.push((before.to_owned(), Tone::Faint));
        let plain = matches!(item.part, PayloadPart::ConversationId | PayloadPart::Outcome);
        pieces.push((own.to_owned(), if plain { Tone::Plain } else { tone(item.part) }));
        done = item.end;
    }
    pieces.extend(payload.refer_to.get(done..).map(|rest| (rest.to_owned(), Tone::Faint)));
    pieces.retain(|(text, _)| !text.is_empty());
    pieces
}
