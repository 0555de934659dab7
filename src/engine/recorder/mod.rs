//! Recordings: what the media threads hand out each second goes to files, on a thread of its own, so that nobody waits for a disk.
//!
//! Its queue is bounded. A second that finds no room is a second of silence in the file; a disk that refuses ends the
//! recording and never the call.

mod file;
mod retention;
mod writer;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::mpsc as std_mpsc,
    thread::JoinHandle,
};

use tokio::sync::mpsc;

use crate::{
    media::{Second, StreamId},
    model::{CallId, Timestamp, settings},
};

/// The engine's end of the recorder. Dropping it finishes all files.
pub struct Recorder {
    settings: settings::Recording,
    jobs: Option<std_mpsc::SyncSender<Job>>,
    /// What may not get lost, and found no room.
    waiting: VecDeque<Job>,
    faults: mpsc::Receiver<Fault>,
    thread: Option<JoinHandle<()>>,
}

/// Which stream is recorded: party and number.
pub type Source = (u8, StreamId);

/// A recording that could not go on.
pub struct Fault {
    pub source: Source,
    pub call: CallId,
    /// What failed, with the file.
    pub why: String,
}

enum Job {
    Begin { source: Source, call: CallId, path: PathBuf, offset_secs: f64 },
    Second { source: Source, second: Second, last: bool },
    Settings(settings::Recording),
}

impl Recorder {
    pub fn start(settings: settings::Recording) -> std::io::Result<Self> {
        let (jobs, inbox) = std_mpsc::sync_channel(JOBS);
        let (told, faults) = mpsc::channel(FAULTS);
        let writer = writer::Writer::new(inbox, told, settings.clone());
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run())?;
        Ok(Self { settings, jobs: Some(jobs), waiting: VecDeque::new(), faults, thread: Some(thread) })
    }

    /// Other settings for recordings that begin from now on.
    pub fn apply(&mut self, settings: settings::Recording) {
        self.settings = settings.clone();
        self.must(Job::Settings(settings));
    }

    /// A recording begins, `at` by the wall clock, or goes on in the call's file `known`, which began when that says. The file comes back.
    pub fn begin(&mut self, source: Source, call: CallId, at: Timestamp, known: Option<(&Path, Timestamp)>) -> PathBuf {
        let (path, offset_secs) = match known {
            Some((path, began)) => (path.to_owned(), at.0.saturating_sub(began.0) as f64 / 1e6),
            None => (folder(&self.settings).join(retention::name(call, at)), 0.0),
        };
        self.must(Job::Begin { source, call, path: path.clone(), offset_secs });
        path
    }

    /// A second of a recording, or its rest.
    pub fn take(&mut self, source: Source, second: Second, last: bool) {
        let job = Job::Second { source, second, last };
        if last {
            self.must(job);
        } else {
            self.catch_up();
            // No room: silence, told by the place of the next one.
            let _ = self.jobs.as_ref().map(|jobs| jobs.try_send(job));
        }
    }

    pub fn poll_fault(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Fault>> {
        self.faults.poll_recv(cx)
    }

    /// Beginnings and ends wait until there is room: no more of them than there are calls.
    fn must(&mut self, job: Job) {
        self.waiting.push_back(job);
        self.catch_up();
    }

    fn catch_up(&mut self) {
        let Some(jobs) = &self.jobs else { return };
        while let Some(job) = self.waiting.pop_front() {
            match jobs.try_send(job) {
                Ok(()) => {}
                Err(std_mpsc::TrySendError::Full(job)) => {
                    self.waiting.push_front(job);
                    return;
                }
                Err(std_mpsc::TrySendError::Disconnected(_)) => self.waiting.clear(),
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(jobs) = self.jobs.take() {
            waiting.into_iter().for_each(|job| drop(jobs.send(job)));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where recordings go: as set, or the platform's folder for a program's data.
fn folder(settings: &settings::Recording) -> PathBuf {
    let default = || {
        let project = directories::ProjectDirs::from("", "", "handback");
        project.map_or_else(std::env::temp_dir, |project| project.data_local_dir().to_owned()).join("recordings")
    };
    settings.folder.clone().unwrap_or_else(default)
}

/// Eight seconds of 500 calls.
const JOBS: usize = 4_096;
const FAULTS: usize = 1_024;

#[cfg(test)]
mod tests;
