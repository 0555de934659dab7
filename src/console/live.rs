//! The running engine as the window's backend.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::backend::{
    ApiAnswer, Archive, Backend, CommandTicket, Facts, Kept, PastAnswer, PastAsk, SettingsKeeper, TransferDesk, TransfersView, Waker,
};
use crate::{
    config::desk,
    engine::{
        EngineHandle, Pending,
        sound_desk::{Levels, SoundCommand, SoundHandle, SoundSnapshot},
    },
    model::{
        CallId, CallSound, CapturedMessage, Command, CommandOutcome, InvitePreview, LoggedMessage, RtpPacket, Snapshot, TestCall,
        settings::Sound,
    },
};

/// Hands commands to the engine and keeps their answers until the window takes them.
pub struct Live {
    engine: EngineHandle,
    facts: Mutex<Facts>,
    previewer: Previewer,
    next: AtomicU64,
    waiting: Mutex<Vec<(CommandTicket, Answer)>>,
    desk: Option<Arc<dyn TransferDesk>>,
    created: Arc<Mutex<Vec<(CommandTicket, ApiAnswer)>>>,
    archive: Option<Arc<dyn Archive>>,
    past: Arc<Mutex<Vec<(CommandTicket, PastAnswer)>>>,
    restarts: AtomicBool,
    settings: OnceLock<Arc<dyn SettingsKeeper>>,
    settled: Arc<Mutex<Vec<desk::Answer>>>,
    sound: OnceLock<SoundHandle>,
    waker: Arc<OnceLock<Waker>>,
}

/// The INVITE of a test call, from where they are placed. Takes microseconds.
pub type Previewer = Box<dyn Fn(&TestCall) -> Result<InvitePreview, String> + Send + Sync>;

enum Answer {
    Coming(Pending),
    Refused(String),
}

impl Live {
    /// `previewer`: what a test call would begin with; `desk`: the call transfers, where they are served; `archive`: past calls, where they are kept.
    pub fn new(
        engine: EngineHandle,
        facts: Facts,
        previewer: Previewer,
        desk: Option<Arc<dyn TransferDesk>>,
        archive: Option<Arc<dyn Archive>>,
    ) -> Self {
        Self {
            engine,
            facts: Mutex::new(facts),
            previewer,
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
            desk,
            created: Arc::default(),
            archive,
            past: Arc::default(),
            restarts: AtomicBool::new(false),
            settings: OnceLock::new(),
            settled: Arc::default(),
            sound: OnceLock::new(),
            waker: Arc::default(),
        }
    }
}

impl Live {
    /// Who keeps the settings file; once.
    pub fn keep_settings(&self, keeper: Arc<dyn SettingsKeeper>) {
        let _ = self.settings.set(keeper);
    }

    /// Who looks after the microphones and speakers; once.
    pub fn keep_sound(&self, handle: SoundHandle) {
        let waker = self.waker.clone();
        handle.on_change(move || {
            if let Some(waker) = waker.get() {
                waker();
            }
        });
        let _ = self.sound.set(handle);
    }

    /// Other devices, volume or ring, as saved.
    pub fn set_sound(&self, settings: Sound) {
        self.tell_sound(SoundCommand::Settings(settings));
    }

    /// Somebody wants the program to start anew.
    pub fn restarts(&self) -> bool {
        self.restarts.load(Ordering::Relaxed)
    }

    /// What the settings say of themselves now.
    pub fn set_facts(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut lock(&self.facts));
    }

    /// Puts an answer where the window finds it, and wakes the window.
    fn answering<T: Send + 'static>(
        &self,
        ticket: CommandTicket,
        answers: &Arc<Mutex<Vec<(CommandTicket, T)>>>,
    ) -> Box<dyn FnOnce(T) + Send> {
        let (answers, waker) = (answers.clone(), self.waker.clone());
        Box::new(move |answer| {
            lock(&answers).push((ticket, answer));
            if let Some(waker) = waker.get() {
                waker();
            }
        })
    }
}

impl Backend for Live {
    fn devices(&self) -> Option<Arc<SoundSnapshot>> {
        self.sound.get().map(SoundHandle::snapshot)
    }

    fn levels(&self) -> Levels {
        self.sound.get().map(SoundHandle::levels).unwrap_or_default()
    }

    fn tell_sound(&self, command: SoundCommand) {
        if let Some(sound) = self.sound.get() {
            sound.send(command);
        }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.engine.snapshot()
    }

    fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        self.engine.messages(call)
    }

    fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        self.engine.messages_from(from, most)
    }

    fn kept(&self, call: CallId) -> Kept {
        let kept = Kept { messages: self.engine.messages(call), sound: self.engine.sound_of(call) };
        let Some(archive) = self.archive.as_ref().filter(|_| kept.messages.is_empty()) else { return kept };
        let (answer, answers) = std::sync::mpsc::sync_channel(1);
        archive.ask(PastAsk::Kept(call), Box::new(move |past| drop(answer.send(past))));
        match answers.recv_timeout(PATIENCE) {
            Ok(PastAnswer::Kept(_, kept)) => kept,
            _ => Kept::default(),
        }
    }

    fn rtp(&self, call: CallId) -> Vec<RtpPacket> {
        self.engine.rtp_blocking(call)
    }

    fn sound_of(&self, call: CallId) -> Option<Arc<CallSound>> {
        self.engine.sound_of(call)
    }

    fn command(&self, command: Command) -> CommandTicket {
        let ticket = CommandTicket(self.next.fetch_add(1, Ordering::Relaxed));
        let answer = self.engine.try_command(command).map_or_else(Answer::Refused, Answer::Coming);
        lock(&self.waiting).push((ticket, answer));
        ticket
    }

    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)> {
        let mut waiting = lock(&self.waiting);
        let mut done = Vec::new();
        waiting.retain_mut(|(ticket, answer)| {
            let outcome = match answer {
                Answer::Refused(why) => Err(std::mem::take(why)),
                Answer::Coming(pending) => match pending.take() {
                    Some(outcome) => outcome,
                    None => return true,
                },
            };
            done.push((*ticket, outcome));
            false
        });
        done
    }

    fn set_waker(&self, waker: Waker) {
        let _ = self.waker.set(waker.clone());
        self.engine.on_snapshot(move || waker());
    }

    fn preview(&self, call: &TestCall) -> Result<InvitePreview, String> {
        (self.previewer)(call)
    }

    fn facts(&self) -> Facts {
        lock(&self.facts).clone()
    }

    fn ask_past(&self, ask: PastAsk) -> Option<CommandTicket> {
        let archive = self.archive.as_ref()?;
        let ticket = CommandTicket(self.next.fetch_add(1, Ordering::Relaxed));
        archive.ask(ask, self.answering(ticket, &self.past));
        Some(ticket)
    }

    fn take_past(&self) -> Vec<(CommandTicket, PastAnswer)> {
        std::mem::take(&mut lock(&self.past))
    }

    fn transfers(&self) -> Option<Arc<TransfersView>> {
        self.desk.as_ref().map(|desk| desk.view())
    }

    fn judge_transfer(&self, body: &str) -> ApiAnswer {
        self.desk.as_ref().map_or_else(not_served, |desk| desk.judge(body))
    }

    fn create_transfer(&self, body: &str) -> CommandTicket {
        let ticket = CommandTicket(self.next.fetch_add(1, Ordering::Relaxed));
        let done = self.answering(ticket, &self.created);
        match &self.desk {
            Some(desk) => desk.create(body, done),
            None => done(not_served()),
        }
        ticket
    }

    fn take_created(&self) -> Vec<(CommandTicket, ApiAnswer)> {
        std::mem::take(&mut lock(&self.created))
    }

    fn ask_settings(&self, ask: desk::Ask) {
        let Some(keeper) = self.settings.get() else { return };
        let (settled, waker) = (self.settled.clone(), self.waker.clone());
        let done = move |answer| {
            lock(&settled).push(answer);
            if let Some(waker) = waker.get() {
                waker();
            }
        };
        keeper.ask(ask, Box::new(done));
    }

    fn restart_when_closed(&self, restart: bool) {
        self.restarts.store(restart, Ordering::Relaxed);
    }

    fn take_settings(&self) -> Vec<desk::Answer> {
        std::mem::take(&mut lock(&self.settled))
    }
}

fn not_served() -> ApiAnswer {
    ApiAnswer { status: 404, line: "404".to_owned(), message: "The call transfers API is not served".to_owned() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A store that takes longer than that is not there.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
