//! The settings file for somebody who edits it in a window: asked one thing at a time, on a thread that may wait.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{
    Applied, Fault,
    demo::DEMO_TOML,
    file::{SaveFault, SettingsFile, WhenChanged, write_secret},
    keyring,
};
use crate::model::{
    Admission, CallId, Timestamp,
    settings::{Agent, Secret, Settings},
};

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// The file as it is; what one had not saved is kept beside it.
    Open {
        unsaved: Option<Text>,
    },
    /// Has somebody else written it?
    Look,
    Judge {
        revision: u64,
        text: Text,
    },
    /// Would this caller pass?
    Try {
        text: Text,
        caller: Caller,
    },
    Save {
        revision: u64,
        text: Text,
        when_changed: WhenChanged,
    },
    /// Could the program start with what is saved?
    Probe,
    /// Put a secret where the settings will name it.
    Put {
        place: Place,
        secret: Secret,
    },
    /// The admitted calls since then, as far as they are kept.
    Admitted {
        since: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Opened(Opened),
    /// The file is as it was when it was opened, or not.
    Looked {
        changed: bool,
    },
    /// `agent`: who would talk; `None` where there are faults.
    Judged {
        revision: u64,
        faults: Vec<Fault>,
        warnings: Vec<Fault>,
        agent: Option<Agent>,
    },
    Tried(Trial),
    Saved {
        revision: u64,
        aside: Option<PathBuf>,
        applied: Applied,
    },
    NotSaved(NotSaved),
    /// It could be started, or what would keep it from starting.
    Probed(Result<(), String>),
    /// The secret is there.
    Put,
    /// `more`: there are more than can be counted in a moment.
    Admitted {
        calls: Vec<AdmittedCall>,
        more: bool,
    },
    /// One sentence.
    Failed(String),
}

/// Where a secret is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// As the settings name it: meant from their folder.
    File(String),
    Keyring(String),
}

/// A file's text, which may hold secrets: `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(pub String);

#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// Where it is, or will be; `None`: this account has no configuration folder.
    pub path: Option<PathBuf>,
    pub text: Text,
    /// There is no file yet: this is the demo.
    pub is_demo: bool,
    /// Where one's own unsaved changes were kept.
    pub aside: Option<PathBuf>,
    /// What came into force by reading it anew; `None` the first time, and where it has faults.
    pub applied: Option<Applied>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSaved {
    Faults(Vec<Fault>),
    ChangedOnDisk,
    /// One sentence.
    Failed(String),
}

/// Who may or may not pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    pub source: IpAddr,
    /// `None`: it answers no challenge.
    pub credentials: Option<(String, Secret)>,
}

/// What the door says to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// `None`: it can't be told.
    pub passes: Option<bool>,
    /// `Admitted as peer SBC lab`
    pub verdict: String,
    /// What was looked at, in order; whether it spoke for the caller.
    pub steps: Vec<(bool, String)>,
}

/// A call that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmittedCall {
    pub id: CallId,
    pub at: Timestamp,
    pub peer: String,
    pub by: Admission,
    pub source: String,
}

/// Brings settings into force in the running program.
pub type Apply = Box<dyn FnMut(Settings) -> Result<Applied, String> + Send>;
/// Asks the door.
pub type Try = fn(&Settings, &Caller) -> Trial;
/// Reads calls that were kept.
pub type Admitted = Box<dyn Fn(Timestamp) -> Result<(Vec<AdmittedCall>, bool), String> + Send>;

/// Tells what would keep the program from starting.
pub type Probe = Box<dyn Fn(&Settings) -> Result<(), String> + Send>;

/// The program whose settings these are.
pub struct Program {
    pub apply: Apply,
    pub trial: Try,
    pub admitted: Admitted,
    pub probe: Probe,
}

/// See the module.
pub struct SettingsDesk {
    path: Option<PathBuf>,
    file: Option<SettingsFile>,
    program: Program,
}

impl SettingsDesk {
    /// `path`: where the file is, or will be.
    pub fn new(path: Option<PathBuf>, program: Program) -> Self {
        Self { path, file: None, program }
    }

    /// Answers; may read and write files, and wait for the program.
    pub fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Open { unsaved } => self.open(unsaved.as_ref()),
            Ask::Look => Answer::Looked { changed: self.file.as_ref().is_some_and(SettingsFile::is_changed) },
            Ask::Judge { revision, text } => match self.check(&text) {
                Ok((settings, warnings)) => Answer::Judged { revision, faults: Vec::new(), warnings, agent: Some(settings.agent) },
                Err(faults) => Answer::Judged { revision, faults, warnings: Vec::new(), agent: None },
            },
            Ask::Try { text, caller } => match self.check(&text) {
                Ok((settings, _)) => Answer::Tried((self.program.trial)(&settings, &caller)),
                Err(_) => Answer::Tried(Trial {
                    passes: None,
                    verdict: "It can be told when the settings have no fault".to_owned(),
                    steps: Vec::new(),
                }),
            },
            Ask::Save { revision, text, when_changed } => self.save(revision, &text, when_changed),
            Ask::Probe => Answer::Probed(self.probe()),
            Ask::Put { place, secret } => match self.put(&place, secret.reveal()) {
                Ok(()) => Answer::Put,
                Err(why) => Answer::Failed(format!("The secret is not kept: {why}")),
            },
            Ask::Admitted { since } => match (self.program.admitted)(since) {
                Ok((calls, more)) => Answer::Admitted { calls, more },
                Err(why) => Answer::Failed(why),
            },
        }
    }

    fn open(&mut self, unsaved: Option<&Text>) -> Answer {
        let Some(path) = self.path.clone() else { return Answer::Opened(Opened::demo(None)) };
        let is_anew = self.file.is_some();
        let opened = match &mut self.file {
            Some(file) => file.reload(unsaved.map(|text| text.0.as_str())),
            None => SettingsFile::open(&path).map(|file| {
                self.file = Some(file);
                None
            }),
        };
        match opened {
            Ok(aside) => match self.file.as_ref().and_then(SettingsFile::text).map(|text| Text(text.to_owned())) {
                Some(text) => {
                    // What somebody else wrote shall be in force, too.
                    let settings = self.check(&text).ok().filter(|_| is_anew).map(|(settings, _)| settings);
                    let applied = settings.and_then(|settings| (self.program.apply)(settings).ok());
                    Answer::Opened(Opened { path: Some(path), text, is_demo: false, aside, applied })
                }
                None => Answer::Opened(Opened { aside, ..Opened::demo(Some(path)) }),
            },
            Err(error) => Answer::Failed(format!("{} can't be read: {error}", path.display())),
        }
    }

    fn save(&mut self, revision: u64, text: &Text, when_changed: WhenChanged) -> Answer {
        let settings = match self.check(text) {
            Ok((settings, _)) => settings,
            Err(faults) => return Answer::NotSaved(NotSaved::Faults(faults)),
        };
        let Some(file) = &mut self.file else {
            let why = "There is nowhere to save to: this account has no configuration folder. Start with --config FILE";
            return Answer::NotSaved(NotSaved::Failed(why.to_owned()));
        };
        let aside = match file.save(&text.0, when_changed) {
            Ok(aside) => aside,
            Err(SaveFault::ChangedOnDisk(_)) => return Answer::NotSaved(NotSaved::ChangedOnDisk),
            Err(fault @ SaveFault::Write { .. }) => return Answer::NotSaved(NotSaved::Failed(fault.to_string())),
        };
        match (self.program.apply)(settings) {
            Ok(applied) => Answer::Saved { revision, aside, applied },
            Err(why) => Answer::NotSaved(NotSaved::Failed(format!("It is saved, and in force after the next start: {why}"))),
        }
    }

    fn probe(&self) -> Result<(), String> {
        let text = self.file.as_ref().and_then(SettingsFile::text).map(|text| Text(text.to_owned()));
        let Some(text) = text else { return Ok(()) };
        let (settings, _) = self.check(&text).map_err(|faults| faults.first().map(ToString::to_string).unwrap_or_default())?;
        (self.program.probe)(&settings)
    }

    fn put(&self, place: &Place, secret: &str) -> Result<(), String> {
        match place {
            Place::Keyring(name) => keyring::write(name, secret),
            Place::File(name) => {
                let folder = self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
                let path = folder.join(name);
                write_secret(&path, secret).map_err(|error| format!("{} can't be written: {error}", path.display()))
            }
        }
    }

    fn check(&self, text: &Text) -> Result<(Settings, Vec<Fault>), Vec<Fault>> {
        super::check(self.path.as_deref().unwrap_or(Path::new("handback.toml")), &text.0)
    }
}

impl Opened {
    fn demo(path: Option<PathBuf>) -> Self {
        Self { path, text: Text(DEMO_TOML.to_owned()), is_demo: true, aside: None, applied: None }
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn desk(path: &Path) -> (SettingsDesk, Arc<Mutex<Vec<Settings>>>) {
        let applied: Arc<Mutex<Vec<Settings>>> = Arc::default();
        let kept = applied.clone();
        let apply = move |settings| {
            kept.lock().expect("no panic").push(settings);
            Ok(Applied::default())
        };
        let trial: Try = |_, _| Trial { passes: Some(true), verdict: String::new(), steps: Vec::new() };
        let program =
            Program { apply: Box::new(apply), trial, admitted: Box::new(|_| Ok((Vec::new(), false))), probe: Box::new(|_| Ok(())) };
        (SettingsDesk::new(Some(path.to_owned()), program), applied)
    }

    #[test]
    fn without_a_file_it_is_the_demo_until_something_is_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("handback.toml");
        let (mut desk, applied) = desk(&path);
        let Answer::Opened(opened) = desk.answer(Ask::Open { unsaved: None }) else { panic!("it opens") };
        assert!(opened.is_demo && !path.exists());
        let saved = desk.answer(Ask::Save { revision: 3, text: opened.text, when_changed: WhenChanged::Refuse });
        assert!(matches!(saved, Answer::Saved { revision: 3, aside: None, .. }), "{saved:?}");
        assert!(path.exists());
        assert_eq!(applied.lock().expect("no panic").len(), 1);
    }

    #[test]
    fn what_has_a_fault_is_neither_written_nor_applied() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("handback.toml");
        let (mut desk, applied) = desk(&path);
        desk.answer(Ask::Open { unsaved: None });
        let text = Text("[sip]\nrealmm = \"x\"\n".to_owned());
        let answer = desk.answer(Ask::Save { revision: 1, text, when_changed: WhenChanged::Refuse });
        let Answer::NotSaved(NotSaved::Faults(faults)) = answer else { panic!("{answer:?}") };
        assert_eq!(faults[0].key, "sip.realmm");
        assert!(!path.exists() && applied.lock().expect("no panic").is_empty());
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_told_and_both_versions_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("handback.toml");
        let (mut desk, applied) = desk(&path);
        desk.answer(Ask::Open { unsaved: None });
        std::fs::write(&path, "# theirs\n").expect("writes");
        assert_eq!(desk.answer(Ask::Look), Answer::Looked { changed: true });
        let mine = || Text("# mine\n".to_owned());
        let refused = desk.answer(Ask::Save { revision: 1, text: mine(), when_changed: WhenChanged::Refuse });
        assert_eq!(refused, Answer::NotSaved(NotSaved::ChangedOnDisk));
        let Answer::Opened(opened) = desk.answer(Ask::Open { unsaved: Some(mine()) }) else { panic!("it opens") };
        assert_eq!(opened.text.0, "# theirs\n");
        assert_eq!((opened.applied, applied.lock().expect("no panic").len()), (Some(Applied::default()), 1), "it is in force");
        assert_eq!(std::fs::read_to_string(opened.aside.expect("kept")).expect("reads"), "# mine\n");
    }

    #[test]
    fn a_secret_is_put_into_a_file_that_the_settings_then_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut desk, _) = desk(&folder.path().join("handback.toml"));
        let put = desk.answer(Ask::Put { place: Place::File("east.secret".to_owned()), secret: Secret::new("hush") });
        assert_eq!(put, Answer::Put);
        let text = "[[peers]]\nname = \"a\"\nusers = [{ username = \"u\", secret_file = \"east.secret\" }]\n";
        let (settings, _) = desk.check(&Text(text.to_owned())).expect("no fault");
        assert_eq!(settings.peers[0].users[0].secret.reveal(), "hush");
    }
}
