//! A page as plain data: cards of rows, each with its value, its fault and when it takes force.

use std::cell::RefCell;

use super::{
    act::{Act, Kind, What},
    state::Page,
};
use crate::{
    config::{Draft, Fault, desk::Trial, needs_restart},
    console::{
        panels::payload::data::PayloadData,
        text,
        theme::{Leg, Tone},
        widgets::KeyValue,
    },
    model::ReturnMethod,
};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageData {
    pub title: String,
    pub lead: String,
    pub left: Vec<Card>,
    pub right: Vec<Card>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    pub title: String,
    /// At the right of the title.
    pub aside: Option<(String, Tone)>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// Side by side.
    Fields(Vec<Field>),
    Choice(Choice),
    Flag(Flag),
    List(List),
    Records(Records),
    Secret(SecretRow),
    /// `can_be_edited`: named, moved and removed, else chosen only.
    Peers {
        peers: Vec<PeerRow>,
        can_be_edited: bool,
    },
    /// The three ways back as cards, and the one that is chosen.
    Methods {
        key: String,
        chosen: ReturnMethod,
    },
    Flow(ReturnMethod),
    /// The editor of the sample variables.
    Sample,
    Payload(Box<PayloadData>),
    /// The form of the caller who may or may not pass.
    Caller {
        fault: String,
    },
    Trial(Trial),
    Note(Tone, String),
    Device(Box<DeviceRow>),
    /// Side by side.
    Buttons(Vec<Act>),
    /// What is known, and not to be changed here.
    Facts(Vec<KeyValue>),
    Add(Act),
}

/// One value that is typed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Field {
    pub key: String,
    pub label: String,
    pub value: String,
    /// What holds where nothing is typed.
    pub hint: String,
    pub is_number: bool,
    pub unit: &'static str,
    pub told: Told,
    /// Its share of the row.
    pub share: f32,
}

/// What is to be said at a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    pub fault: Option<String>,
    pub warning: Option<String>,
    /// It is in force after the next start only.
    pub at_restart: bool,
    pub changed: bool,
}

/// One of a few.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub label: String,
    /// What happens when it is pressed, and its word.
    pub choices: Vec<(Act, String)>,
    pub chosen: Option<usize>,
    pub told: Told,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    pub label: String,
    pub note: String,
    pub on: bool,
    /// When it is switched.
    pub switch: Act,
    pub told: Told,
}

/// A microphone or a speaker.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceRow {
    pub key: String,
    pub label: String,
    /// What is chosen, as a word.
    pub chosen: String,
    pub choices: Vec<(Act, String)>,
    /// What holds now.
    pub note: (String, Tone),
    pub told: Told,
    /// Its name, level, peak and colour.
    pub meter: Option<(String, f32, f32, Leg)>,
}

/// Strings in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    pub key: String,
    pub label: String,
    pub items: Vec<Item>,
    /// In the empty row in which the next is typed.
    pub hint: String,
    /// What one item is called.
    pub one: &'static str,
    /// The title of the column beside them; empty: none.
    pub aside: String,
    pub told: Told,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub key: String,
    pub value: String,
    pub aside: String,
    pub told: Told,
}

/// Tables of one form, a row each.
#[derive(Debug, Clone, PartialEq)]
pub struct Records {
    pub key: String,
    pub what: What,
    /// Titles and shares of the columns.
    pub columns: Vec<(&'static str, f32)>,
    pub rows: Vec<Record>,
    /// What is said where there are none.
    pub empty: String,
    pub told: Told,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub key: String,
    pub cells: Vec<RecordCell>,
    /// What is wrong with it, its cells' faults included.
    pub faults: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RecordCell {
    Field(Field),
    Secret(SecretRow),
    Choice(Choice),
    Text(String),
}

/// A secret: where it is kept, never what it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretRow {
    /// The table that it belongs to.
    pub table: String,
    pub label: String,
    /// `in this file`; empty: there is none.
    pub kept: String,
    pub fault: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRow {
    /// The key of its name.
    pub key: String,
    /// As the file has it, and as it is called where that is empty.
    pub typed: String,
    pub name: String,
    /// `2 networks · 1 user`
    pub summary: String,
    pub chosen: bool,
    pub is_faulty: bool,
    /// Its name is not saved.
    pub is_changed: bool,
}

/// Makes rows of a draft and what the validator says of it; notes what has been said.
pub struct Form<'a> {
    pub draft: &'a Draft,
    faults: &'a [Fault],
    warnings: &'a [Fault],
    changed: &'a [String],
    told: RefCell<Vec<&'a Fault>>,
}

impl<'a> Form<'a> {
    pub fn new(draft: &'a Draft, faults: &'a [Fault], warnings: &'a [Fault], changed: &'a [String]) -> Self {
        Self { draft, faults, warnings, changed, told: RefCell::default() }
    }

    pub fn value(&self, key: &str) -> String {
        self.draft.value(key).unwrap_or_default()
    }

    pub fn field(&self, key: impl Into<String>, label: &str, hint: impl Into<String>) -> Field {
        let key = key.into();
        let (value, told) = (self.value(&key), self.told(&key));
        Field { value, told, label: label.to_owned(), hint: hint.into(), is_number: false, unit: "", share: 1.0, key }
    }

    pub fn number(&self, key: impl Into<String>, label: &str, default: impl ToString, unit: &'static str) -> Field {
        Field { is_number: true, unit, ..self.field(key, label, default.to_string()) }
    }

    /// Words of the file, and what they are called; the first holds where the file says nothing.
    pub fn choice(&self, key: &str, label: &str, words: &[(&str, &str)]) -> Choice {
        let value = self.draft.value(key);
        let chosen = match &value {
            None => Some(0),
            Some(value) => words.iter().position(|(word, _)| word == value),
        };
        let act = |word: &str| Act::Set { key: key.to_owned(), kind: Kind::Text, text: word.to_owned() };
        let choices = words.iter().map(|(word, name)| (act(word), (*name).to_owned())).collect();
        Choice { label: label.to_owned(), choices, chosen, told: self.told(key) }
    }

    pub fn flag(&self, key: &str, label: &str, note: &str, default: bool) -> Flag {
        let on = self.draft.value(key).map_or(default, |value| value == "true");
        let switch = Act::Set { key: key.to_owned(), kind: Kind::Flag, text: (!on).to_string() };
        Flag { label: label.to_owned(), note: note.to_owned(), on, switch, told: self.told(key) }
    }

    pub fn list(&self, key: impl Into<String>, label: &str, one: &'static str, hint: &str) -> List {
        let key = key.into();
        let item = |index| {
            let key = format!("{key}[{index}]");
            Item { value: self.value(&key), told: self.told(&key), aside: String::new(), key }
        };
        let items = (0..self.draft.len(&key)).map(item).collect();
        let (label, hint, told) = (label.to_owned(), hint.to_owned(), self.told(&key));
        List { label, items, hint, one, aside: String::new(), told, key }
    }

    /// The secret of a table: `secret` with its kin, or `token`.
    pub fn secret(&self, table: &str, label: &str) -> SecretRow {
        let stem = secret_stem(table);
        let at = |suffix: &str| format!("{table}.{stem}{suffix}");
        let name = |suffix: &str| self.draft.value(&at(suffix));
        let kept = if name("").is_some() {
            "in this file".to_owned()
        } else if let Some(variable) = name("_env") {
            format!("in ${variable}")
        } else if let Some(path) = name("_file") {
            format!("in {path}")
        } else if let Some(entry) = name("_keyring") {
            format!("in the keyring as {entry}")
        } else if name("_sha256").is_some() {
            "as a hash in this file".to_owned()
        } else {
            String::new()
        };
        let fault = ["", "_env", "_file", "_keyring", "_sha256"].iter().find_map(|suffix| self.told(&at(suffix)).fault);
        SecretRow { table: table.to_owned(), label: label.to_owned(), kept, fault }
    }

    /// What the validator says at this key; it counts as said.
    pub fn told(&self, key: &str) -> Told {
        let say = |faults: &'a [Fault]| {
            let of_key: Vec<&Fault> = faults.iter().filter(|fault| fault.key == key).collect();
            self.told.borrow_mut().extend(&of_key);
            let sentences: Vec<String> = of_key.iter().map(|fault| text::sentence(&fault.text)).collect();
            (!sentences.is_empty()).then(|| sentences.join(". "))
        };
        Told {
            fault: say(self.faults),
            warning: say(self.warnings),
            at_restart: needs_restart(key),
            changed: self.changed.iter().any(|changed| changed == key),
        }
    }

    /// Whether something is wrong at a key or below it that this page is to show.
    pub fn is_faulty(&self, key: &str, page: Page) -> bool {
        self.faults.iter().any(|fault| is_at_or_below(&fault.key, key) && Page::of_key(&fault.key) == page)
    }

    /// What is wrong below `prefixes` and stands at no field: unknown keys, above all.
    pub fn leftovers(&self, is_of_page: impl Fn(&str) -> bool) -> Vec<Row> {
        let told = self.told.borrow();
        let row = |faults: &'a [Fault], tone| {
            let left = faults.iter().filter(|fault| !told.iter().any(|known| std::ptr::eq(*known, *fault)) && is_of_page(&fault.key));
            left.map(|fault| Row::Note(tone, place(fault))).collect::<Vec<_>>()
        };
        let mut rows = row(self.faults, Tone::Wrong);
        rows.extend(row(self.warnings, Tone::Warn));
        rows
    }
}

impl Field {
    pub fn share(self, share: f32) -> Self {
        Self { share, ..self }
    }
}

impl Card {
    pub fn new(title: &str, rows: Vec<Row>) -> Self {
        Self { title: title.to_owned(), aside: None, rows }
    }
}

/// What the keys of a table's secret begin with.
pub fn secret_stem(table: &str) -> &'static str {
    if table == "control" { "token" } else { "secret" }
}

fn is_at_or_below(key: &str, of: &str) -> bool {
    key.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// `line 7, sip.realmm: unknown key; …`
fn place(fault: &Fault) -> String {
    let line = fault.line.map(|line| format!("Line {line}, ")).unwrap_or_default();
    format!("{line}{}: {}", fault.key, fault.text)
}

#[cfg(test)]
mod as_text {
    //! Pages as text, for tests.

    use super::*;

    impl PageData {
        pub fn to_text(&self) -> String {
            let mut text = format!("{}\n", self.title);
            for (side, cards) in [("", &self.left), ("right: ", &self.right)] {
                for card in cards {
                    let aside = card.aside.as_ref().map(|(text, _)| format!("  ({text})")).unwrap_or_default();
                    text.push_str(&format!("{side}[{}]{aside}\n", card.title));
                    card.rows.iter().for_each(|row| row.write(&mut text));
                }
            }
            text
        }
    }

    impl Row {
        fn write(&self, out: &mut String) {
            let mut line = |text: String| out.push_str(&format!("  {text}\n"));
            match self {
                Self::Fields(fields) => line(fields.iter().map(Field::to_text).collect::<Vec<_>>().join(" | ")),
                Self::Choice(choice) => line(choice.to_text()),
                Self::Flag(flag) => line(format!("{}: {}{}", flag.label, if flag.on { "on" } else { "off" }, flag.told.to_text())),
                Self::List(list) => {
                    line(format!("{}{}", list.label, list.told.to_text()));
                    list.items.iter().for_each(|item| line(format!("- {} {}{}", item.value, item.aside, item.told.to_text())));
                }
                Self::Records(records) => {
                    line(records.columns.iter().map(|(title, _)| *title).collect::<Vec<_>>().join(" | "));
                    for record in &records.rows {
                        let cell = |cell: &RecordCell| match cell {
                            RecordCell::Field(field) => field.value.clone(),
                            RecordCell::Secret(secret) => secret.kept.clone(),
                            RecordCell::Choice(choice) => choice.chosen_word(),
                            RecordCell::Text(text) => text.clone(),
                        };
                        line(format!("- {}", record.cells.iter().map(cell).collect::<Vec<_>>().join(" | ")));
                        record.faults.iter().for_each(|fault| line(format!("  !! {fault}")));
                    }
                }
                Self::Secret(secret) => line(format!("{}: {}", secret.label, secret.kept)),
                Self::Device(device) => line(format!("{}: {} – {}{}", device.label, device.chosen, device.note.0, device.told.to_text())),
                Self::Buttons(acts) => line(acts.iter().map(|act| act.face().label).collect::<Vec<_>>().join(" | ")),
                Self::Peers { peers, .. } => peers.iter().for_each(|peer| {
                    line(format!("{} {}: {}", if peer.chosen { ">" } else { "-" }, peer.name, peer.summary));
                }),
                Self::Methods { chosen, .. } => line(format!("method: {}", chosen.name())),
                Self::Flow(method) => line(format!("flow of {}", method.name())),
                Self::Sample => line("sample".to_owned()),
                Self::Payload(payload) => line(payload.title.clone()),
                Self::Caller { fault } => line(format!("caller {fault}")),
                Self::Trial(trial) => line(format!("{:?} {}", trial.passes, trial.verdict)),
                Self::Facts(facts) => facts.iter().for_each(|fact| line(format!("{}: {}", fact.key, fact.value))),
                Self::Note(_, text) => line(format!("note: {text}")),
                Self::Add(act) => line(format!("+ {}", act.face().label)),
            }
        }
    }

    impl Field {
        fn to_text(&self) -> String {
            let value = if self.value.is_empty() { format!("({})", self.hint) } else { self.value.clone() };
            format!("{}: {value}{}{}", self.label, self.unit, self.told.to_text())
        }
    }

    impl Choice {
        fn to_text(&self) -> String {
            format!("{}: {}{}", self.label, self.chosen_word(), self.told.to_text())
        }

        fn chosen_word(&self) -> String {
            self.chosen.and_then(|chosen| Some(self.choices.get(chosen)?.1.clone())).unwrap_or_default()
        }
    }

    impl Told {
        fn to_text(&self) -> String {
            let mut text = String::new();
            let said = [
                (self.changed.then(String::new), "*"),
                (self.at_restart.then(String::new), " (restart)"),
                (self.fault.clone(), " !! "),
                (self.warning.clone(), " ! "),
            ];
            said.into_iter().for_each(|(said, mark)| text.extend(said.map(|said| format!("{mark}{said}"))));
            text
        }
    }
}
