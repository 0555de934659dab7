//! The backend: calls and settings that a test changes by hand, and what the window asked of it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use super::{
    NOON, PLACED,
    calls::{refused_return, rejected, returned, returning, ringing, with_agent},
    placed::placed,
    script::Script,
    settings, sound, transfers,
};
use crate::{
    console::{ApiAnswer, Backend, CommandTicket, Facts, Kept, PastAnswer, PastAsk, TransfersView, Waker},
    engine::sound_desk::{SoundCommand, SoundSnapshot},
    model::{
        CallEvent, CallFilter, CallId, CallPage, CallPlace, CallRecord, CallSound, CallState, CapturedMessage, Command, CommandOutcome,
        Counters, Ended, InvitePreview, LegRole, Listener, LoggedMessage, Party, PastCall, Snapshot, TestCall, Timestamp, TransportName,
    },
};

pub struct SampleBackend {
    state: Mutex<Snapshot>,
    published: Mutex<Arc<Snapshot>>,
    messages: Mutex<HashMap<CallId, Vec<CapturedMessage>>>,
    commands: Mutex<Vec<Command>>,
    outcomes: Mutex<Vec<(CommandTicket, CommandOutcome)>>,
    tickets: AtomicU64,
    /// The next command is refused with this.
    refusal: Mutex<Option<String>>,
    transfers: Mutex<Arc<TransfersView>>,
    /// Past calls, the newest first.
    archive: Mutex<Vec<CallRecord>>,
    past: Mutex<Vec<(CommandTicket, PastAnswer)>>,
    created: Mutex<Vec<(CommandTicket, ApiAnswer)>>,
    pub settings: settings::SampleSettings,
    /// Microphones and speakers, where there are any.
    pub devices: Mutex<Option<Arc<SoundSnapshot>>>,
    /// What the sound desk was told.
    pub sounds: Mutex<Vec<SoundCommand>>,
}

impl SampleBackend {
    /// No calls at all.
    pub fn empty() -> Arc<Self> {
        let at = Timestamp(NOON + 62_500_000);
        let listen = |transport, address: &str, customer_side| Listener {
            transport,
            address: address.parse().expect("a socket address"),
            customer_side,
        };
        let listeners = [
            listen(TransportName::Udp, "10.9.0.5:5060", false),
            listen(TransportName::Tcp, "10.9.0.5:5060", false),
            listen(TransportName::Udp, "127.0.0.1:5090", true),
        ];
        let counters = Counters { messages_kept: 12_480, messages_in: 7_100, messages_out: 5_380, calls_total: 214, ..Counters::default() };
        let state = Snapshot { at, seq: 1, calls: Arc::default(), listeners: listeners.into(), counters };
        Arc::new(Self {
            published: Mutex::new(Arc::new(state.clone())),
            state: Mutex::new(state),
            messages: Mutex::default(),
            commands: Mutex::default(),
            outcomes: Mutex::default(),
            tickets: AtomicU64::new(1),
            refusal: Mutex::default(),
            transfers: Mutex::new(transfers::empty()),
            archive: Mutex::default(),
            past: Mutex::default(),
            created: Mutex::default(),
            settings: settings::SampleSettings::default(),
            devices: Mutex::default(),
            sounds: Mutex::default(),
        })
    }

    /// The calls of the design's picture.
    pub fn filled() -> Arc<Self> {
        let backend = Self::empty();
        for (call, messages) in [rejected(), refused_return(), returned(), ringing(), returning(), with_agent()] {
            backend.add(call, messages);
        }
        *lock(&backend.transfers) = transfers::filled();
        backend
    }

    pub fn add(&self, call: CallRecord, messages: Vec<CapturedMessage>) {
        lock(&self.messages).insert(call.id, messages);
        self.change(|snapshot| {
            let mut calls = snapshot.calls.to_vec();
            calls.push(Arc::new(call));
            snapshot.calls = calls.into();
        });
    }

    pub fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut state = lock(&self.state);
        change(&mut state);
        state.seq += 1;
        *lock(&self.published) = Arc::new(state.clone());
    }

    /// `count` calls of long ago.
    pub fn archive(&self, count: u64) {
        let call = |age: u64| {
            let mut script = Script::new(1_000 - age, 86_400 + 60 * age as i64, "archived@your-sbc.example.com", "10.4.2.11:5060", false);
            script.leg(0, 0, LegRole::Customer, "archived@10.4.2.11", "10.4.2.11:5060", true);
            script.context(400, "billing_help", "conv-archived");
            script.agent(1_000, 31_000);
            script.media(30_000_000);
            let why = Ended::new("Customer hung up", Party::Customer, None);
            script.event(30_000_000, CallEvent::CallEnded { state: CallState::Returned, why });
            script.done().0
        };
        *lock(&self.archive) = (0..count).map(call).collect();
    }

    pub fn commands(&self) -> Vec<Command> {
        lock(&self.commands).clone()
    }

    pub fn refuse_next(&self, why: &str) {
        *lock(&self.refusal) = Some(why.to_owned());
    }
}

impl Backend for SampleBackend {
    fn devices(&self) -> Option<Arc<SoundSnapshot>> {
        lock(&self.devices).clone()
    }

    fn tell_sound(&self, command: SoundCommand) {
        lock(&self.sounds).push(command);
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        lock(&self.published).clone()
    }

    fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        lock(&self.messages).get(&call).cloned().unwrap_or_default()
    }

    fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        let calls = lock(&self.messages);
        let mut all: Vec<LoggedMessage> = calls
            .iter()
            .flat_map(|(call, messages)| messages.iter().map(|m| LoggedMessage { call: Some(*call), message: m.clone() }))
            .filter(|logged| logged.message.number >= from)
            .collect();
        all.sort_by_key(|logged| logged.message.number);
        all.truncate(most);
        let next = all.last().map_or(from, |last| last.message.number + 1);
        (all, next)
    }

    fn sound_of(&self, call: CallId) -> Option<Arc<CallSound>> {
        let snapshot = self.snapshot();
        let call = snapshot.calls.iter().find(|known| known.id == call && known.legs.iter().any(|leg| leg.media.is_some()))?;
        let until = call.agent_ended_at.unwrap_or(snapshot.at);
        Some(sound::sound(call.answered_at?, until.micros_since(call.answered_at?) / 1_000_000))
    }

    fn command(&self, command: Command) -> CommandTicket {
        let ticket = CommandTicket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let outcome = match (lock(&self.refusal).take(), &command) {
            (Some(why), _) => Err(why),
            (None, Command::PlaceTestCall { .. }) => {
                let [(bridge, bridge_messages), (placed, placed_messages)] = placed();
                self.add(bridge, bridge_messages);
                self.add(placed, placed_messages);
                Ok(PLACED)
            }
            (None, Command::HangUp { call } | Command::Return { call, .. }) => Ok(*call),
            (None, _) => Ok(CallId(0)),
        };
        lock(&self.commands).push(command);
        lock(&self.outcomes).push((ticket, outcome));
        ticket
    }

    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)> {
        std::mem::take(&mut lock(&self.outcomes))
    }

    fn set_waker(&self, _waker: Waker) {}

    fn ask_past(&self, ask: PastAsk) -> Option<CommandTicket> {
        let ticket = CommandTicket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let answer = match ask {
            PastAsk::Page { filter, before, most } => PastAnswer::Page(past_page(&lock(&self.archive), &filter, before, most)),
            PastAsk::Kept(call) => {
                let answered = lock(&self.archive).iter().find(|past| past.id == call).and_then(|past| past.answered_at);
                PastAnswer::Kept(call, Kept { messages: Vec::new(), sound: answered.map(|at| sound::sound(at, 29)) })
            }
        };
        lock(&self.past).push((ticket, answer));
        Some(ticket)
    }

    fn take_past(&self) -> Vec<(CommandTicket, PastAnswer)> {
        std::mem::take(&mut lock(&self.past))
    }

    fn transfers(&self) -> Option<Arc<TransfersView>> {
        Some(lock(&self.transfers).clone())
    }

    fn judge_transfer(&self, body: &str) -> ApiAnswer {
        transfers::answer(&lock(&self.transfers), body)
    }

    fn create_transfer(&self, body: &str) -> CommandTicket {
        let ticket = CommandTicket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let mut view = lock(&self.transfers);
        let answer = transfers::answer(&view, body);
        if answer.status == 200 {
            *view = transfers::with(&view, &answer.message);
        }
        lock(&self.created).push((ticket, answer));
        ticket
    }

    fn take_created(&self) -> Vec<(CommandTicket, ApiAnswer)> {
        std::mem::take(&mut lock(&self.created))
    }

    fn ask_settings(&self, ask: crate::config::desk::Ask) {
        self.settings.ask(ask);
    }

    fn restart_when_closed(&self, _restart: bool) {}

    fn take_settings(&self) -> Vec<crate::config::desk::Answer> {
        self.settings.take()
    }

    fn preview(&self, call: &TestCall) -> Result<InvitePreview, String> {
        let task = call.task.as_deref().map(|task| format!("X-GA-taskName: {task}\r\n")).unwrap_or_default();
        let variables: String = call.iv.iter().map(|(name, value)| format!("X-GA-iv-{name}: {value}\r\n")).collect();
        let bytes = Bytes::from(format!("INVITE sip:bridge@127.0.0.1:5060 SIP/2.0\r\n{task}{variables}\r\nv=0\r\n"));
        let fits_udp = bytes.len() <= 1_300;
        Ok(InvitePreview { transport: if fits_udp { TransportName::Udp } else { TransportName::Tcp }, bytes, fits_udp })
    }

    fn facts(&self) -> Facts {
        Facts {
            control: Some("127.0.0.1:8081".to_owned()),
            api: Some("127.0.0.1:8080".to_owned()),
            agent: "demo script".to_owned(),
            bridge_uri: "sip:agent@10.9.0.5:5060".to_owned(),
            return_uri: "sip:return@127.0.0.1:5090".to_owned(),
            return_method: "REFER".to_owned(),
        }
    }
}

fn past_page(archive: &[CallRecord], filter: &CallFilter, before: Option<CallPlace>, most: usize) -> CallPage {
    let wanted = |call: &&CallRecord| filter.matches(call) && before.is_none_or(|before| CallPlace::of(call) < before);
    let mut found = archive.iter().filter(wanted).cloned().map(|record| PastCall { record, has_messages: false });
    let calls: Vec<PastCall> = found.by_ref().take(most).collect();
    let next = calls.last().map(|past| CallPlace::of(&past.record)).filter(|_| found.next().is_some());
    CallPage { calls, next }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
