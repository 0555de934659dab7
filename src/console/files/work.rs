//! What takes time, on threads of their own: looking into a folder, reading a capture, writing an export.

use std::{
    fs,
    io::{BufReader, Read as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use super::opened::Opened;
use crate::{
    capture::{self, Progress},
    console::backend::Waker,
    export::case,
    model::Timestamp,
};

/// One line of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub is_folder: bool,
    pub bytes: u64,
    pub changed: Timestamp,
}

/// What a thread found, or did.
pub(super) enum Answer {
    Listed(PathBuf, Result<Vec<Entry>, String>),
    Read(u64, Result<Arc<Opened>, String>),
    Saved(u64, Result<PathBuf, String>),
}

/// How far a reading or a writing is, and whether it shall go on.
#[derive(Default)]
pub(in crate::console) struct Meter {
    pub done: AtomicU64,
    pub all: AtomicU64,
    stop: AtomicBool,
}

impl Meter {
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub fn at(&self, done: u64, all: u64) -> ControlFlow<()> {
        self.done.store(done, Ordering::Relaxed);
        self.all.store(all, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Of 1; `None` while nobody knows.
    pub fn share(&self) -> Option<f32> {
        let all = self.all.load(Ordering::Relaxed);
        (all > 0).then(|| (self.done.load(Ordering::Relaxed) as f32 / all as f32).min(1.0))
    }
}

/// Starts threads and keeps their answers until the window takes them.
pub(super) struct Work {
    answers: Arc<Mutex<Vec<Answer>>>,
    waker: Waker,
    threads: bool,
}

impl Work {
    pub fn new(waker: Waker, threads: bool) -> Self {
        Self { answers: Arc::default(), waker, threads }
    }

    pub fn take(&self) -> Vec<Answer> {
        std::mem::take(&mut self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `job` on a thread of this name; it ends with its answer.
    pub fn start(&self, name: &str, job: impl FnOnce() -> Answer + Send + 'static) {
        let (answers, waker) = (self.answers.clone(), self.waker.clone());
        let run = move || {
            let answer = job();
            answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
            waker();
        };
        if !self.threads {
            return run();
        }
        if let Err(error) = std::thread::Builder::new().name(format!("handback-{name}")).spawn(run) {
            tracing::error!(%error, "no thread for {name}");
        }
    }
}

/// Folders and what can be opened, folders first.
pub(super) fn list(folder: &Path) -> Result<Vec<Entry>, String> {
    let fail = |error: std::io::Error| format!("{} can't be looked into: {error}", folder.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)?.take(MOST_ENTRIES).flatten() {
        let Ok(meta) = fs::metadata(entry.path()) else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = ENDINGS.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
        if name.starts_with('.') || !(meta.is_dir() || known) {
            continue;
        }
        let changed = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
        let changed = Timestamp(u64::try_from(changed.as_micros()).unwrap_or_default());
        entries.push(Entry { name, is_folder: meta.is_dir(), bytes: meta.len(), changed });
    }
    entries.sort_by(|a, b| b.is_folder.cmp(&a.is_folder).then_with(|| a.name.to_lowercase().cmp(&b.name.to_lowercase())));
    Ok(entries)
}

/// A capture or a case file, whichever it is.
pub(super) fn read(path: &Path, meter: &Meter) -> Result<Opened, String> {
    let fail = |error: &std::io::Error| {
        let cure = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied => "let this user read it",
            _ => "check the disk",
        };
        format!("{} can't be read: {error}; {cure}", path.display())
    };
    let named = |why: String| format!("{}: {why}", path.display());
    let file = fs::File::open(path).map_err(|error| fail(&error))?;
    let length = file.metadata().map_err(|error| fail(&error))?.len();
    let mut input = BufReader::with_capacity(READ_AHEAD, file);
    let start = std::io::BufRead::fill_buf(&mut input).map_err(|error| fail(&error))?;
    if case::is_case(start) {
        let mut bytes = Vec::new();
        input.take(LARGEST_CASE).read_to_end(&mut bytes).map_err(|error| fail(&error))?;
        return case::read(&bytes).map(|calls| Opened::of_case(path, calls)).map_err(|why| named(why.to_string()));
    }
    let told = |progress: Progress| match progress {
        // About half of the time each.
        Progress::Bytes(bytes) => meter.at(bytes.min(length), 2 * length),
        Progress::Calls { done, all } => meter.at((all + done) as u64, 2 * all as u64),
    };
    capture::read(input, told).map(|reading| Opened::of_capture(path, reading)).map_err(|why| named(why.to_string()))
}

const ENDINGS: [&str; 5] = [".pcap", ".pcapng", ".cap", ".ntar", ".handback-case"];
const MOST_ENTRIES: usize = 20_000;
const READ_AHEAD: usize = 1 << 20;
const LARGEST_CASE: u64 = 1 << 30;
