//! The columns of the table: which there are, how wide, by which one it is sorted. They are kept from run to run.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::console::widgets::Column;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    Started,
    State,
    From,
    To,
    Source,
    Peer,
    Task,
    Conversation,
    Customer,
    AdmittedBy,
    Return,
    Outcome,
    Payload,
    Length,
    Mos,
    Findings,
    SipCallId,
    /// An input variable.
    Input(String),
    /// A transfer variable.
    Transfer(String),
    /// A reference variable.
    Reference(String),
    /// A header of the first INVITE.
    Header(String),
}

impl Kind {
    pub const PLAIN: [Self; 17] = [
        Self::Started,
        Self::State,
        Self::From,
        Self::To,
        Self::Source,
        Self::Peer,
        Self::Task,
        Self::Conversation,
        Self::Customer,
        Self::AdmittedBy,
        Self::Return,
        Self::Outcome,
        Self::Payload,
        Self::Length,
        Self::Mos,
        Self::Findings,
        Self::SipCallId,
    ];

    pub fn title(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Started => "Started",
            Self::State => "State",
            Self::From => "From",
            Self::To => "To",
            Self::Source => "Source",
            Self::Peer => "Peer",
            Self::Task => "Task",
            Self::Conversation => "Conversation",
            Self::Customer => "Customer",
            Self::AdmittedBy => "Admitted by",
            Self::Return => "Return",
            Self::Outcome => "Outcome",
            Self::Payload => "Payload",
            Self::Length => "Length",
            Self::Mos => "MOS",
            Self::Findings => "Findings",
            Self::SipCallId => "Call-ID",
            Self::Input(name) | Self::Transfer(name) | Self::Reference(name) | Self::Header(name) => return Cow::Owned(name.clone()),
        })
    }

    fn column(&self) -> Column {
        let fixed = |width| Column { title: self.title(), width, grow: 0.0, right: false };
        let growing = |width, grow| Column { title: self.title(), width, grow, right: false };
        match self {
            Self::Started => fixed(84.0),
            Self::State => fixed(118.0),
            Self::From | Self::To => growing(130.0, 2.0),
            Self::Source => growing(120.0, 0.8),
            Self::Return => fixed(68.0),
            Self::Outcome => fixed(80.0),
            Self::Payload => fixed(106.0).right(),
            Self::Length => fixed(64.0).right(),
            Self::Mos => fixed(52.0).right(),
            Self::Findings => fixed(86.0),
            Self::Task | Self::Peer => growing(90.0, 1.0),
            _ => growing(90.0, 1.2),
        }
    }

    /// The word before the colon of a variable's or header's column.
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Started => ("started", ""),
            Self::State => ("state", ""),
            Self::From => ("from", ""),
            Self::To => ("to", ""),
            Self::Source => ("source", ""),
            Self::Peer => ("peer", ""),
            Self::Task => ("task", ""),
            Self::Conversation => ("conversation", ""),
            Self::Customer => ("customer", ""),
            Self::AdmittedBy => ("admitted_by", ""),
            Self::Return => ("return", ""),
            Self::Outcome => ("outcome", ""),
            Self::Payload => ("payload", ""),
            Self::Length => ("length", ""),
            Self::Mos => ("mos", ""),
            Self::Findings => ("findings", ""),
            Self::SipCallId => ("call_id", ""),
            Self::Input(name) => ("iv", name),
            Self::Transfer(name) => ("tv", name),
            Self::Reference(name) => ("rv", name),
            Self::Header(name) => ("header", name),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (word, "") => f.write_str(word),
            (word, name) => write!(f, "{word}:{name}"),
        }
    }
}

/// What was typed is no column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no column: a header's name, or iv:NAME, tv:NAME, rv:NAME for a variable")]
pub struct NoColumn(String);

impl FromStr for Kind {
    type Err = NoColumn;

    /// `iv:NAME`, `tv:NAME`, `rv:NAME`, `header:NAME`, a plain column's word, `X-GA-iv-NAME`, or the name of any header.
    fn from_str(text: &str) -> Result<Self, NoColumn> {
        let text = text.trim();
        let no_column = || NoColumn(text.to_owned());
        let is_token = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&b));
        let named =
            |name: &str, make: fn(String) -> Self| Some(name).filter(|n| is_token(n)).map(|n| make(n.to_owned())).ok_or_else(no_column);
        if let Some((word, name)) = text.split_once(':') {
            return match word.to_ascii_lowercase().as_str() {
                "iv" => named(name, Self::Input),
                "tv" => named(name, Self::Transfer),
                "rv" => named(name, Self::Reference),
                "header" => named(name, Self::Header),
                _ => Err(no_column()),
            };
        }
        if let Some(plain) = Self::PLAIN.iter().find(|kind| kind.to_string() == text) {
            return Ok(plain.clone());
        }
        let after =
            |prefix: &str| text.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix)).and_then(|_| text.get(prefix.len()..));
        match after("X-GA-iv-") {
            Some(name) => named(name, Self::Input),
            None => named(text, Self::Header),
        }
    }
}

/// A column that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub kind: Kind,
    /// As it was drawn to, in points.
    pub width: Option<f32>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    pub kind: Kind,
    pub descending: bool,
}

/// The table's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    pub shown: Vec<Shown>,
    /// `None`: the newest first.
    pub sort: Option<Sort>,
    /// Grows when other headers are asked for.
    pub version: u64,
}

impl Default for Columns {
    fn default() -> Self {
        use Kind::{AdmittedBy, Conversation, Findings, From, Length, Mos, Outcome, Payload, Return, Started, State, Task};
        let kinds = [Started, State, From, Task, Conversation, AdmittedBy, Return, Outcome, Payload, Length, Mos, Findings];
        Self { shown: kinds.map(|kind| Shown { kind, width: None }).into(), sort: None, version: 1 }
    }
}

impl Columns {
    /// As the table paints them.
    pub fn columns(&self) -> Vec<Column> {
        let column = |shown: &Shown| match shown.width {
            Some(width) => Column { width, grow: 0.0, ..shown.kind.column() },
            None => shown.kind.column(),
        };
        self.shown.iter().map(column).collect()
    }

    /// The headers that are asked for, in the order of their columns.
    pub fn headers(&self) -> Vec<String> {
        self.shown.iter().filter_map(|shown| if let Kind::Header(name) = &shown.kind { Some(name.clone()) } else { None }).collect()
    }

    pub fn has(&self, kind: &Kind) -> bool {
        self.shown.iter().any(|shown| shown.kind == *kind)
    }

    /// Shows the column, in its usual place among the plain ones, or takes it away. One always stays.
    pub fn toggle(&mut self, kind: &Kind) {
        self.version += 1;
        if self.has(kind) {
            if self.shown.len() > 1 {
                self.shown.retain(|shown| shown.kind != *kind);
                self.sort = self.sort.take().filter(|sort| sort.kind != *kind);
            }
            return;
        }
        let rank = |kind: &Kind| Kind::PLAIN.iter().position(|plain| plain == kind);
        let at = rank(kind).and_then(|own| self.shown.iter().position(|shown| rank(&shown.kind).is_none_or(|other| other > own)));
        let shown = Shown { kind: kind.clone(), width: None };
        match at {
            Some(at) => self.shown.insert(at, shown),
            None => self.shown.push(shown),
        }
    }

    /// Up, down, and the newest first again.
    pub fn sort_by(&mut self, index: usize) {
        let Some(kind) = self.shown.get(index).map(|shown| shown.kind.clone()) else { return };
        self.sort = match self.sort.take() {
            Some(sort) if sort.kind == kind && sort.descending => None,
            Some(sort) if sort.kind == kind => Some(Sort { kind, descending: true }),
            _ => Some(Sort { kind, descending: false }),
        };
    }

    /// The column that it is sorted by, and whether the greatest stands first.
    pub fn sorted(&self) -> Option<(usize, bool)> {
        let sort = self.sort.as_ref()?;
        Some((self.shown.iter().position(|shown| shown.kind == sort.kind)?, sort.descending))
    }

    pub fn resize(&mut self, index: usize, width: f32) {
        if let Some(shown) = self.shown.get_mut(index) {
            shown.width = Some(width.clamp(36.0, 900.0));
        }
    }
}

/// `["started", "iv:accountNumber@140", …]`, and `sort` as `-length`: what can't be read is left out.
impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let width = |shown: &Shown| shown.width.map(|width| format!("@{width:.0}")).unwrap_or_default();
        let shown: Vec<String> = self.shown.iter().map(|shown| format!("{}{}", shown.kind, width(shown))).collect();
        let sort = self.sort.as_ref().map(|sort| format!("{}{}", if sort.descending { "-" } else { "" }, sort.kind));
        (shown, sort).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (shown, sort): (Vec<String>, Option<String>) = Deserialize::deserialize(deserializer)?;
        let read = |text: &String| {
            let (kind, width) = text.rsplit_once('@').map_or((text.as_str(), None), |(kind, width)| (kind, width.parse::<f32>().ok()));
            Some(Shown { kind: kind.parse().ok()?, width: width.filter(|width| width.is_finite()).map(|width| width.clamp(36.0, 900.0)) })
        };
        let shown: Vec<Shown> = shown.iter().take(MOST).filter_map(read).collect();
        if shown.is_empty() {
            return Ok(Self::default());
        }
        let sort = sort.and_then(|text| {
            let descending = text.starts_with('-');
            Some(Sort { kind: text.trim_start_matches('-').parse().ok()?, descending })
        });
        Ok(Self { shown, sort, version: 1 })
    }
}

const MOST: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_header_or_variable_can_be_a_column() {
        let kind = |text: &str| text.parse::<Kind>();
        assert_eq!(kind("iv:accountNumber"), Ok(Kind::Input("accountNumber".to_owned())));
        assert_eq!(kind("X-GA-iv-accountNumber"), Ok(Kind::Input("accountNumber".to_owned())));
        assert_eq!(kind("tv:next_action"), Ok(Kind::Transfer("next_action".to_owned())));
        assert_eq!(kind(" User-Agent "), Ok(Kind::Header("User-Agent".to_owned())));
        for bad in ["", "a b", "zz:x", "iv:", "header:a b"] {
            assert!(kind(bad).is_err(), "{bad}");
        }
        for plain in Kind::PLAIN {
            assert_eq!(kind(&plain.to_string()), Ok(plain));
        }
    }

    #[test]
    fn columns_are_read_back_as_kept_and_a_strange_one_is_left_out() {
        let mut columns = Columns::default();
        columns.toggle(&Kind::Customer);
        columns.toggle(&Kind::Header("User-Agent".to_owned()));
        columns.toggle(&Kind::Task);
        columns.sort_by(0);
        columns.sort_by(0);
        columns.resize(1, 140.4);
        let text = serde_json::to_string(&columns).unwrap();
        let expected = r#"[["started","state@140","from","conversation","customer","admitted_by","return","outcome","payload","length","mos","findings","header:User-Agent"],"-started"]"#;
        assert_eq!(text, expected);
        let back: Columns = serde_json::from_str(&text).unwrap();
        assert_eq!((back.shown.len(), back.sort.clone(), back.shown[1].width), (13, columns.sort.clone(), Some(140.0)));
        let strange: Columns = serde_json::from_str(r#"[["a b","from","to@x"],"b c"]"#).unwrap();
        assert_eq!((strange.shown.len(), strange.sort), (2, None));
        assert_eq!(serde_json::from_str::<Columns>(r"[[],null]").unwrap(), Columns::default());
    }

    #[test]
    fn a_third_click_brings_the_newest_first_again() {
        let mut columns = Columns::default();
        columns.sort_by(2);
        assert_eq!(columns.sorted(), Some((2, false)));
        columns.sort_by(2);
        assert_eq!(columns.sorted(), Some((2, true)));
        columns.sort_by(2);
        assert_eq!(columns.sorted(), None);
    }
}
