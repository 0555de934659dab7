//! Calls on their way out: what is written, under which name, and where to.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::work::Meter;
use crate::{
    console::backend::Backend,
    export::{
        self,
        case::{Contents, Values},
        picture::Theme,
    },
    model::{CapturedMessage, Timestamp, WholeCall},
};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pcap,
    Text,
    Svg,
    Png,
    Json,
    Case { as_is: bool, rtp: bool },
}

impl Kind {
    pub const PLAIN: [Self; 5] = [Self::Pcap, Self::Text, Self::Svg, Self::Png, Self::Json];

    pub fn label(self) -> &'static str {
        match self {
            Self::Pcap => "Capture (pcap)",
            Self::Text => "Ladder as text",
            Self::Svg => "Ladder as SVG",
            Self::Png => "Ladder as PNG",
            Self::Json => "JSON",
            Self::Case { .. } => "Save case file",
        }
    }

    pub fn tooltip(self) -> &'static str {
        match self {
            Self::Pcap => "Messages and sound, for Wireshark; credentials blanked",
            Self::Text => "With the payload and the findings below it",
            Self::Svg => "The picture, scalable, its text as text",
            Self::Png => "The picture, for a ticket",
            Self::Json => "All that is known, with every message",
            Self::Case { .. } => "Write the archive",
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::Text => "txt",
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Json => "json",
            Self::Case { .. } => export::case::ENDING,
        }
    }
}

/// One export.
pub(super) struct Outgoing {
    pub kind: Kind,
    /// Messages and sound of past calls are not among them yet.
    pub calls: Vec<WholeCall>,
    pub theme: Theme,
    pub now: Timestamp,
    pub folder: PathBuf,
    /// Asked for the sound, where it belongs to the export.
    pub backend: Arc<dyn Backend>,
}

impl Outgoing {
    /// Writes it, under a name that no file has yet. Pictures of several calls go into a folder of their own.
    pub fn save(mut self, meter: &Meter) -> Result<PathBuf, String> {
        for call in self.calls.iter_mut().filter(|call| call.messages.is_empty()) {
            (call.messages, call.sound) = {
                let kept = self.backend.kept(call.record.id);
                (kept.messages, kept.sound)
            };
        }
        if self.calls.len() == 1 || !matches!(self.kind, Kind::Svg | Kind::Png) {
            return self.save_one(meter);
        }
        let all = std::mem::take(&mut self.calls);
        self.folder = self.folder.join(format!("{}-ladders", all.len()));
        let count = all.len() as u64;
        for (done, call) in all.into_iter().enumerate() {
            if meter.at(done as u64, count).is_break() {
                return Err("The export was stopped".to_owned());
            }
            self.calls = vec![call];
            self.save_one(meter)?;
        }
        Ok(self.folder)
    }

    fn save_one(&self, meter: &Meter) -> Result<PathBuf, String> {
        let bytes = self.bytes(meter)?;
        let fail = |error: &std::io::Error| {
            let cure = match error.kind() {
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "make the folder writable",
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some room",
                _ => "check the folder",
            };
            format!("{} can't be written to: {error}; {cure}, then export again", self.folder.display())
        };
        fs::create_dir_all(&self.folder).map_err(|error| fail(&error))?;
        for attempt in 1..=MOST_NAMES {
            let path = self.folder.join(self.name(attempt));
            match fs::File::create_new(&path) {
                Ok(mut file) => {
                    if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_all()) {
                        // Half a file is worse than none.
                        let _ = fs::remove_file(&path);
                        return Err(fail(&error));
                    }
                    return Ok(path);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(fail(&error)),
            }
        }
        Err(format!("{} holds {MOST_NAMES} files of that name: remove some, then export again", self.folder.display()))
    }

    fn bytes(&self, meter: &Meter) -> Result<Vec<u8>, String> {
        let first = self.calls.first().ok_or("Choose a call to export")?;
        Ok(match self.kind {
            Kind::Pcap => {
                let messages: Vec<CapturedMessage> = self.calls.iter().flat_map(|call| call.messages.iter().cloned()).collect();
                let sound: Vec<_> = self.calls.iter().flat_map(|call| self.backend.rtp(call.record.id)).collect();
                export::pcap::file(&messages, &sound, false)
            }
            Kind::Text => {
                let texts: Vec<String> = self.calls.iter().map(|call| export::ladder::text(&call.record, &call.messages)).collect();
                texts.join("\n").into_bytes()
            }
            Kind::Svg => export::picture::svg(first, self.now, self.theme).into_bytes(),
            Kind::Png => export::picture::png(first, self.now, self.theme).map_err(|why| why.to_string())?,
            Kind::Json => {
                let call = |call: &WholeCall| serde_json::json!({ "call": call.record, "messages": export::json::messages(&call.record, &call.messages, false) });
                let list: Vec<_> = self.calls.iter().map(call).collect();
                serde_json::to_vec_pretty(&list).map_err(|why| why.to_string())?
            }
            Kind::Case { as_is, rtp } => {
                let sound: Vec<_> = if rtp { self.calls.iter().map(|call| self.backend.rtp(call.record.id)).collect() } else { Vec::new() };
                let values = if as_is { Values::AsIs } else { Values::Tokens };
                let contents = Contents { calls: &self.calls, rtp: rtp.then_some(sound.as_slice()), values, made_at: self.now };
                let all = self.calls.len() as u64;
                export::case::write(&contents, |done| meter.at(done as u64, all)).map_err(|why| why.to_string())?
            }
        })
    }

    /// `conv-12345-20261121-140209.svg`: what people call it, and when it was (UTC).
    fn name(&self, attempt: usize) -> String {
        let stem = match self.calls.as_slice() {
            [call] => {
                let record = &call.record;
                let name = record.context.ext_conversation_id.as_deref().map(plain).filter(|name| !name.is_empty());
                let at = i64::try_from(record.started_at.0).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
                let at = at.map(|at| at.strftime("%Y%m%d-%H%M%S").to_string()).unwrap_or_default();
                format!("{}-{at}", name.unwrap_or_else(|| "call".to_owned()))
            }
            calls => format!("{}-calls", calls.len()),
        };
        let again = if attempt > 1 { format!("-{attempt}") } else { String::new() };
        format!("{stem}{again}.{}", self.kind.ending())
    }
}

/// What every file system takes.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(60).collect()
}

/// Where exports go: the downloads, else the home folder.
pub(super) fn folder() -> PathBuf {
    let user = directories::UserDirs::new();
    let place = user.as_ref().map(|dirs| dirs.download_dir().unwrap_or_else(|| dirs.home_dir()));
    place.unwrap_or(Path::new(".")).join("Handback")
}

const MOST_NAMES: usize = 1_000;
