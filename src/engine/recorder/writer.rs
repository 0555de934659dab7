//! The recorder's thread: one open file for each recording.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::mpsc as std_mpsc,
    time::{Duration, SystemTime},
};

use tokio::sync::mpsc;

use super::{Fault, Job, Source, file::RecordingFile, folder, retention};
use crate::model::{CallId, settings};

pub(super) struct Writer {
    inbox: std_mpsc::Receiver<Job>,
    faults: mpsc::Sender<Fault>,
    open: HashMap<Source, Recording>,
    settings: settings::Recording,
}

struct Recording {
    call: CallId,
    path: PathBuf,
    offset_secs: f64,
    /// Made with the first second, which tells the rate.
    file: Option<RecordingFile>,
}

impl Writer {
    pub fn new(inbox: std_mpsc::Receiver<Job>, faults: mpsc::Sender<Fault>, settings: settings::Recording) -> Self {
        Self { inbox, faults, open: HashMap::new(), settings }
    }

    pub fn run(mut self) {
        self.forget();
        loop {
            match self.inbox.recv_timeout(TIDY_EVERY) {
                Ok(job) => self.take(job),
                Err(std_mpsc::RecvTimeoutError::Timeout) => self.forget(),
                Err(std_mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        for (_, recording) in self.open.drain() {
            // The header is whole after each second: an error here loses nothing.
            let _ = recording.file.map(RecordingFile::finish);
        }
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Begin { source, call, path, offset_secs } => {
                self.open.insert(source, Recording { call, path, offset_secs, file: None });
            }
            Job::Second { source, second, last } => {
                let Some(recording) = self.open.get_mut(&source) else { return };
                let done = recording.write(&second, last);
                if last || done.is_err() {
                    let ended = self.open.remove(&source);
                    if let (Some(recording), Err(error)) = (ended, done) {
                        let why = format!("{}: {error}", recording.path.display());
                        tracing::warn!("a recording ends: {why}");
                        let _ = self.faults.try_send(Fault { source, call: recording.call, why });
                    }
                }
            }
            Job::Settings(settings) => {
                self.settings = settings;
                self.forget();
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the edge: a file's age is told by the clock on the wall")]
    fn forget(&self) {
        let forgotten = retention::forget(&folder(&self.settings), self.settings.days, SystemTime::now());
        if forgotten > 0 {
            tracing::info!("{forgotten} recordings older than {} days were deleted", self.settings.days);
        }
    }
}

impl Recording {
    fn write(&mut self, second: &crate::media::Second, last: bool) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            place => place.insert(RecordingFile::open(&self.path, second.rate, self.offset_secs)?),
        };
        file.write(second)?;
        match self.file.take_if(|_| last) {
            Some(file) => file.finish(),
            None => Ok(()),
        }
    }
}

const TIDY_EVERY: Duration = Duration::from_secs(3_600);
