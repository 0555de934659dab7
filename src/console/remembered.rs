//! What the window remembers from one run to the next, in a small JSON file of the platform's state folder.
//!
//! Reading is tolerant: a field that can't be read is as if it had never been kept, and the others stay. Where the window
//! stood and how its panels were divided, egui keeps by itself in a file beside it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use super::{panels::calls::Columns, state::TestForm};

/// Add a field with a `Default` and `deserialize_with = "tolerant"`; what is set in it is kept by itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    #[serde(deserialize_with = "tolerant")]
    pub theme: ThemeChoice,
    #[serde(deserialize_with = "tolerant")]
    pub scale: Scale,
    #[serde(deserialize_with = "tolerant")]
    pub times: Times,
    /// The table of calls: which columns, how wide, sorted by which.
    #[serde(deserialize_with = "tolerant")]
    pub calls: Columns,
    /// Test calls to place again.
    #[serde(deserialize_with = "tolerant")]
    pub presets: Vec<Preset>,
}

/// A test call's form under a name, without its password.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Preset {
    pub name: String,
    pub form: TestForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    #[default]
    Dark,
    Light,
    /// As the desktop has it.
    System,
}

/// In which zone times of day are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Times {
    #[default]
    Local,
    Utc,
}

/// How large everything is, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Scale(u16);

impl Scale {
    /// The steps that one chooses from.
    pub const STEPS: [Self; 7] = [Self(75), Self(90), Self(100), Self(110), Self(125), Self(150), Self(200)];

    pub fn percent(self) -> u16 {
        self.0
    }

    pub fn factor(self) -> f32 {
        f32::from(self.0) / 100.0
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self(100)
    }
}

impl<'de> Deserialize<'de> for Scale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(u16::deserialize(deserializer)?.clamp(75, 200)))
    }
}

/// A value that may be of any form: what can't be read is the default.
pub fn tolerant<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(deserializer)?).unwrap_or_default())
}

/// The folder for what is remembered: `~/.local/state/handback` on Linux.
pub fn folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "handback")?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).to_owned())
}

/// Reads what was kept, and keeps what changes, on a thread of its own. Without a folder it only holds it.
pub struct Keeper {
    kept: Remembered,
    writer: Option<(SyncSender<Remembered>, JoinHandle<()>)>,
    /// Why what was kept is not used, one sentence.
    pub note: Option<String>,
}

impl Keeper {
    /// What was kept in `folder`, and who keeps on.
    pub fn open(folder: Option<&Path>) -> (Remembered, Self) {
        let Some(path) = folder.map(|folder| folder.join(FILE)) else {
            return (Remembered::default(), Self { kept: Remembered::default(), writer: None, note: None });
        };
        let (kept, note) = read(&path);
        let (sender, changes) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("handback-remember".to_owned()).spawn(move || write_all(&path, &changes));
        (kept.clone(), Self { kept, writer: thread.ok().map(|thread| (sender, thread)), note })
    }

    /// Keeps it, if it changed. Never waits: what finds the queue full is kept by the next look.
    pub fn keep(&mut self, now: &Remembered) {
        if *now == self.kept {
            return;
        }
        if self.writer.as_ref().is_none_or(|(sender, _)| sender.try_send(now.clone()).is_ok()) {
            self.kept = now.clone();
        }
    }
}

impl Drop for Keeper {
    /// What was asked to be kept is kept before the program ends.
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.writer.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

fn read(path: &Path) -> (Remembered, Option<String>) {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Remembered::default(), None),
        Err(error) => return (Remembered::default(), Some(unread(path, &error))),
    };
    match serde_json::from_str(&text) {
        Ok(kept) => (kept, None),
        Err(error) => (Remembered::default(), Some(unread(path, &error))),
    }
}

fn unread(path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("The window starts as new: what it remembered in {} can't be read ({why})", path.display())
}

fn write_all(path: &Path, changes: &Receiver<Remembered>) {
    while let Ok(change) = changes.recv() {
        // Only the last of several counts.
        let last = changes.try_iter().last().unwrap_or(change);
        if let Err(error) = write(path, &last) {
            tracing::warn!("what the window remembers can't be written to {}: {error}", path.display());
        }
    }
}

/// Beside it and then in its place, so that a crash leaves the old or the new one.
fn write(path: &Path, what: &Remembered) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("json.new");
    fs::write(&beside, serde_json::to_vec_pretty(what)?)?;
    fs::rename(&beside, path)
}

const FILE: &str = "window.json";
const QUEUE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_in_the_next_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, mut keeper) = Keeper::open(Some(folder.path()));
        assert_eq!(first, Remembered::default());
        let light = Remembered {
            theme: ThemeChoice::Light,
            scale: Scale(125),
            times: Times::Utc,
            presets: vec![Preset { name: "bills".to_owned(), ..Preset::default() }],
            ..Remembered::default()
        };
        keeper.keep(&light);
        drop(keeper);
        let (second, keeper) = Keeper::open(Some(folder.path()));
        assert_eq!((second, &keeper.note), (light, &None));
    }

    #[test]
    fn a_field_that_cannot_be_read_costs_only_itself() {
        let read = |text: &str| serde_json::from_str::<Remembered>(text).expect("it is JSON");
        let kept = read(r#"{"theme": 5, "scale": 150, "times": "utc", "unknown": []}"#);
        assert_eq!(kept, Remembered { scale: Scale(150), times: Times::Utc, ..Remembered::default() });
        assert_eq!(read(r#"{"scale": 9}"#).scale.percent(), 75, "too small to be read is not taken");
    }

    #[test]
    fn a_broken_file_is_ignored_with_a_note() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "{ broken").expect("writes");
        let (kept, keeper) = Keeper::open(Some(folder.path()));
        assert_eq!(kept, Remembered::default());
        assert!(keeper.note.as_ref().is_some_and(|note| note.contains(FILE)), "{:?}", keeper.note);
    }
}
