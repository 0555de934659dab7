//! An opened file as the window's backend, with the engine behind it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    capture::Reading,
    config::desk,
    console::backend::{ApiAnswer, Backend, CommandTicket, Facts, Kept, PastAnswer, PastAsk, TransfersView, Waker},
    engine::sound_desk::{Levels, SoundCommand, SoundSnapshot},
    model::{
        CallId, CallRecord, CallSound, CapturedMessage, Command, CommandOutcome, Counters, Direction, InvitePreview, LoggedMessage,
        RtpPacket, Snapshot, TestCall, Timestamp, WholeCall,
    },
};

/// What was read of a file.
pub struct Opened {
    pub path: PathBuf,
    pub snapshot: Arc<Snapshot>,
    /// What could not be read, a sentence each.
    pub notes: Vec<String>,
    /// Messages of no call.
    pub others: usize,
    calls: HashMap<CallId, WholeCall>,
    /// All messages; their numbers are their places.
    all: Vec<LoggedMessage>,
}

impl Opened {
    pub fn of_capture(path: &Path, reading: Reading) -> Self {
        let mut all: Vec<LoggedMessage> = Vec::new();
        for call in &reading.calls {
            all.extend(call.messages.iter().map(|message| LoggedMessage { call: Some(call.record.id), message: message.clone() }));
        }
        let other = |(place, wired): &(usize, crate::capture::Wired)| LoggedMessage {
            call: None,
            message: CapturedMessage {
                number: *place as u64,
                at: wired.at,
                direction: Direction::In,
                leg: None,
                transport: wired.transport,
                local: wired.destination,
                remote: wired.source,
                retransmission: false,
                bytes: wired.bytes.clone(),
            },
        };
        all.extend(reading.others.iter().map(other));
        all.sort_by_key(|logged| logged.message.number);
        let notes = reading.notes.iter().map(crate::capture::Note::words).collect();
        Self::new(path, reading.calls, all, notes, reading.others.len(), reading.last_at)
    }

    pub fn of_case(path: &Path, mut calls: Vec<WholeCall>) -> Self {
        // Each call has numbers of its own: they are counted through, in order of time.
        let mut order: Vec<(Timestamp, usize, usize)> = Vec::new();
        for (call, whole) in calls.iter().enumerate() {
            order.extend(whole.messages.iter().enumerate().map(|(index, message)| (message.at, call, index)));
        }
        order.sort_unstable();
        let mut all = Vec::with_capacity(order.len());
        for (number, (_, call, index)) in order.into_iter().enumerate() {
            let Some(whole) = calls.get_mut(call) else { continue };
            let id = whole.record.id;
            let Some(message) = whole.messages.get_mut(index) else { continue };
            message.number = number as u64;
            all.push(LoggedMessage { call: Some(id), message: message.clone() });
        }
        calls.sort_by_key(|call| call.record.started_at);
        let last = all.last().map(|logged| logged.message.at).unwrap_or_default();
        let last = calls.iter().filter_map(|call| call.record.ended_at).fold(last, Timestamp::max);
        Self::new(path, calls, all, Vec::new(), 0, last)
    }

    fn new(path: &Path, calls: Vec<WholeCall>, all: Vec<LoggedMessage>, notes: Vec<String>, others: usize, at: Timestamp) -> Self {
        let records: Vec<Arc<CallRecord>> = calls.iter().map(|call| call.record.clone()).collect();
        let counters = Counters { messages_kept: all.len() as u64, calls_total: records.len() as u64, ..Counters::default() };
        let snapshot = Snapshot { at, seq: 1, calls: records.into(), listeners: Arc::default(), counters };
        let calls = calls.into_iter().map(|call| (call.record.id, call)).collect();
        Self { path: path.to_owned(), snapshot: Arc::new(snapshot), notes, others, calls, all }
    }

    pub fn messages_all(&self) -> usize {
        self.all.len()
    }

    fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        let start = usize::try_from(from).unwrap_or(usize::MAX).min(self.all.len());
        let end = start.saturating_add(most).min(self.all.len());
        (self.all.get(start..end).unwrap_or_default().to_vec(), end as u64)
    }
}

/// The engine, or an opened file before it. Whatever is no reading of calls goes to the engine all the same.
pub struct Switch {
    pub engine: Arc<dyn Backend>,
    opened: Mutex<Option<Arc<Opened>>>,
}

impl Switch {
    pub fn new(engine: Arc<dyn Backend>) -> Self {
        Self { engine, opened: Mutex::default() }
    }

    /// Shows this, or the engine.
    pub fn show(&self, opened: Option<Arc<Opened>>) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = opened;
    }

    pub fn opened(&self) -> Option<Arc<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Backend for Switch {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.opened().map_or_else(|| self.engine.snapshot(), |opened| opened.snapshot.clone())
    }

    fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        match self.opened() {
            Some(opened) => opened.calls.get(&call).map(|call| call.messages.clone()).unwrap_or_default(),
            None => self.engine.messages(call),
        }
    }

    fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        match self.opened() {
            Some(opened) => opened.messages_from(from, most),
            None => self.engine.messages_from(from, most),
        }
    }

    fn kept(&self, call: CallId) -> Kept {
        match self.opened() {
            Some(_) => Kept { messages: self.messages(call), sound: self.sound_of(call) },
            None => self.engine.kept(call),
        }
    }

    fn rtp(&self, call: CallId) -> Vec<RtpPacket> {
        // A capture is read for its calls; its sound is still in the file itself.
        if self.opened().is_some() { Vec::new() } else { self.engine.rtp(call) }
    }

    fn sound_of(&self, call: CallId) -> Option<Arc<CallSound>> {
        match self.opened() {
            Some(opened) => opened.calls.get(&call).and_then(|call| call.sound.clone()),
            None => self.engine.sound_of(call),
        }
    }

    fn command(&self, command: Command) -> CommandTicket {
        self.engine.command(command)
    }

    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)> {
        self.engine.take_outcomes()
    }

    fn set_waker(&self, waker: Waker) {
        self.engine.set_waker(waker);
    }

    fn facts(&self) -> Facts {
        self.engine.facts()
    }

    fn preview(&self, call: &TestCall) -> Result<InvitePreview, String> {
        self.engine.preview(call)
    }

    fn ask_past(&self, ask: PastAsk) -> Option<CommandTicket> {
        if self.opened().is_some() { None } else { self.engine.ask_past(ask) }
    }

    fn take_past(&self) -> Vec<(CommandTicket, PastAnswer)> {
        self.engine.take_past()
    }

    fn transfers(&self) -> Option<Arc<TransfersView>> {
        self.engine.transfers()
    }

    fn judge_transfer(&self, body: &str) -> ApiAnswer {
        self.engine.judge_transfer(body)
    }

    fn create_transfer(&self, body: &str) -> CommandTicket {
        self.engine.create_transfer(body)
    }

    fn take_created(&self) -> Vec<(CommandTicket, ApiAnswer)> {
        self.engine.take_created()
    }

    fn ask_settings(&self, ask: desk::Ask) {
        self.engine.ask_settings(ask);
    }

    fn take_settings(&self) -> Vec<desk::Answer> {
        self.engine.take_settings()
    }

    fn devices(&self) -> Option<Arc<SoundSnapshot>> {
        self.engine.devices()
    }

    fn levels(&self) -> Levels {
        self.engine.levels()
    }

    fn tell_sound(&self, command: SoundCommand) {
        self.engine.tell_sound(command);
    }

    fn restart_when_closed(&self, restart: bool) {
        self.engine.restart_when_closed(restart);
    }
}
