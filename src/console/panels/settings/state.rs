//! What is being edited, and what is known of it.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::PathBuf};

use super::form::PageData;
use crate::{
    config::{
        Draft, Fault,
        desk::{AdmittedCall, Caller, Trial},
    },
    engine::sound_desk::{Levels, SoundSnapshot},
    model::{
        Outcome,
        settings::{Agent, Secret},
    },
};

/// A page, which is a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Page {
    Listeners,
    Who,
    Return,
    Agent,
    Api,
    Sound,
    Storage,
    Limits,
    Appearance,
}

impl Page {
    pub const ALL: [Self; 9] =
        [Self::Listeners, Self::Who, Self::Return, Self::Agent, Self::Api, Self::Sound, Self::Storage, Self::Limits, Self::Appearance];

    pub fn title(self) -> &'static str {
        match self {
            Self::Listeners => "Listeners",
            Self::Who => "Who may call",
            Self::Return => "Return",
            Self::Agent => "Agent",
            Self::Api => "Call transfers API",
            Self::Sound => "Sound devices",
            Self::Storage => "Storage",
            Self::Limits => "Limits",
            Self::Appearance => "Appearance",
        }
    }

    pub fn lead(self) -> &'static str {
        match self {
            Self::Listeners => "Where calls, sound and requests of scripts come in",
            Self::Who => "A call must pass as one of these peers. With none every call is refused",
            Self::Return => "How a finished call goes back",
            Self::Agent => "Who talks with the caller",
            Self::Api => "Customers announce calls here before they place them, and fetch what came of them",
            Self::Sound => "What you speak into and hear with, as the customer and as the agent",
            Self::Storage => "Where calls, messages and call transfers are kept, and for how long",
            Self::Limits => "Each has a default that holds on a laptop",
            Self::Appearance => "How this window looks. It is remembered at once, and not part of the settings file",
        }
    }

    /// The page on which a key of the file is found.
    pub fn of_key(key: &str) -> Self {
        let section = key.split(['.', '[']).next().unwrap_or_default();
        match section {
            "peers" if key.contains("].return") => Self::Return,
            "peers" => Self::Who,
            "agent" => Self::Agent,
            "api" => Self::Api,
            "store" | "recording" => Self::Storage,
            "sound" => Self::Sound,
            "limits" => Self::Limits,
            _ => Self::Listeners,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub page: Page,
    /// `None` until the file was read.
    pub file: Option<Edited>,
    /// The peer whose settings are shown.
    pub peer: usize,
    /// The secret that is being set.
    pub secret: Option<SecretEdit>,
    pub caller: CallerForm,
    /// What the door says to the caller of the form.
    pub trial: Option<Trial>,
    /// What was asked last: which draft, which caller.
    pub tried: Option<(u64, Caller)>,
    /// It is not answered for yet.
    pub trying: bool,
    pub sample: Sample,
    /// Keys that are saved, and in force after the next start.
    pub at_restart: Vec<&'static str>,
    /// What is on screen, and of what it was made.
    pub shown: PageData,
    pub saving: bool,
    /// Something that was asked could not be answered.
    pub failed: bool,
    /// Calls that were let in today, and whether there are more than could be counted.
    pub today: Option<(Vec<AdmittedCall>, bool)>,
    /// The devices, where this program looks after them.
    pub sound: Option<std::sync::Arc<SoundSnapshot>>,
    pub levels: Levels,
    /// The microphone is open for its meter.
    pub tries_microphone: bool,
}

/// The file that is being edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    pub path: Option<PathBuf>,
    pub is_demo: bool,
    /// As on disk.
    pub saved: Draft,
    pub draft: Draft,
    /// Counts the changes of the draft.
    pub revision: u64,
    /// The draft that was asked about last, and the one that the faults are of.
    pub asked: u64,
    pub judged: u64,
    pub faults: Vec<Fault>,
    pub warnings: Vec<Fault>,
    /// Who would talk by the draft that was judged last.
    pub agent: Option<Agent>,
    /// Keys whose values differ from what is saved.
    pub changed: Vec<String>,
    /// Somebody else has written the file.
    pub changed_on_disk: bool,
}

/// A secret that is being typed. Never printed.
#[derive(Clone, PartialEq)]
pub struct SecretEdit {
    /// The table that it belongs to, for example `peers[0].users[1]`.
    pub table: String,
    pub kept: Kept,
    /// The secret, or the name of where it is.
    pub text: String,
    /// What is to be put there; empty: it is there already.
    pub put: String,
}

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In the settings file, for its owner alone.
    Here,
    /// Its SHA-256 only: enough for the API.
    Hash,
    Environment,
    File,
    Keyring,
}

/// The caller of *Would this caller pass?*.
#[derive(Clone, PartialEq)]
pub struct CallerForm {
    pub source: String,
    pub has_credentials: bool,
    pub username: String,
    pub password: String,
}

/// What *Try a payload* hands back.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub conversation: String,
    pub outcome: Outcome,
    pub transfer: Vec<(String, String)>,
    pub reference: Vec<(String, String)>,
}

impl Default for State {
    fn default() -> Self {
        let rows = |rows: &[(&str, &str)]| rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self {
            page: Page::Who,
            file: None,
            peer: 0,
            secret: None,
            caller: CallerForm { source: String::new(), has_credentials: false, username: String::new(), password: String::new() },
            trial: None,
            tried: None,
            trying: false,
            sample: Sample {
                conversation: "conv-12345".to_owned(),
                outcome: Outcome::System,
                transfer: rows(&[("next_action", "schedule_callback"), ("priority", "high")]),
                reference: rows(&[("account_balance", "1250.00")]),
            },
            at_restart: Vec::new(),
            shown: PageData::default(),
            saving: false,
            failed: false,
            today: None,
            sound: None,
            levels: Levels::default(),
            tries_microphone: false,
        }
    }
}

impl State {
    /// Something is not saved.
    pub fn is_changed(&self) -> bool {
        self.file.as_ref().is_some_and(Edited::is_changed)
    }
}

impl Edited {
    pub fn new(path: Option<PathBuf>, is_demo: bool, draft: Draft) -> Self {
        Self {
            path,
            is_demo,
            saved: draft.clone(),
            draft,
            revision: 1,
            asked: 0,
            judged: 0,
            faults: Vec::new(),
            warnings: Vec::new(),
            agent: None,
            changed: Vec::new(),
            changed_on_disk: false,
        }
    }

    /// Changes the draft.
    pub fn edit(&mut self, change: impl FnOnce(&mut Draft)) {
        change(&mut self.draft);
        self.revision += 1;
        self.compare();
    }

    /// What differs from what is saved.
    pub fn compare(&mut self) {
        let (saved, draft): (BTreeMap<_, _>, BTreeMap<_, _>) = (self.saved.leaves(), self.draft.leaves());
        let keys = saved.keys().chain(draft.keys().filter(|key| !saved.contains_key(*key)));
        self.changed = keys.filter(|key| saved.get(*key) != draft.get(*key)).cloned().collect();
    }

    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The faults are those of the draft as it is.
    pub fn is_judged(&self) -> bool {
        self.judged == self.revision
    }
}

impl CallerForm {
    /// What is typed, or what is wrong with it: one sentence, empty where nothing is typed yet.
    ///
    /// # Errors
    /// See above.
    pub fn caller(&self) -> Result<Caller, String> {
        let typed = self.source.trim();
        if typed.is_empty() {
            return Err(String::new());
        }
        let source: IpAddr = typed.parse().map_err(|_| format!("“{typed}” is no IP address, such as 10.4.2.11 or 2001:db8:4::7"))?;
        let credentials = self.has_credentials.then(|| (self.username.clone(), Secret::new(self.password.as_str())));
        Ok(Caller { source, credentials })
    }
}

impl fmt::Debug for SecretEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretEdit").field("table", &self.table).field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl fmt::Debug for CallerForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerForm").field("source", &self.source).field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_on_the_page_of_its_subject() {
        let pages = ["peers[0].return.uri", "peers[0].users[1].username", "sip.listen[0]", "control.token", "medai", "api.keys[0].id"];
        let found = pages.map(Page::of_key);
        assert_eq!(found, [Page::Return, Page::Who, Page::Listeners, Page::Listeners, Page::Listeners, Page::Api]);
    }

    #[test]
    fn a_secret_is_never_printed() {
        let edit = SecretEdit { table: "t".to_owned(), kept: Kept::Here, text: "hush".to_owned(), put: "hush".to_owned() };
        let form = CallerForm { password: "hush".to_owned(), ..State::default().caller };
        assert!(!format!("{edit:?}{form:?}").contains("hush"));
    }

    #[test]
    fn a_change_that_is_taken_back_is_none() {
        let draft = Draft::parse("[sip]\nrealm = \"a\"\n").expect("it is TOML");
        let mut edited = Edited::new(None, false, draft);
        edited.edit(|draft| draft.set_text("sip.realm", "b"));
        assert_eq!(edited.changed, ["sip.realm"]);
        edited.edit(|draft| draft.set_text("sip.realm", "a"));
        assert!(!edited.is_changed());
    }
}
