//! What everyone outside the engine holds: commands in, snapshots, events and messages out.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

use super::{line_ends::LinePorts, publish::Shared};
use crate::model::{
    AgentKind, CallId, CallRecord, CallSound, CapturedMessage, Command, CommandOutcome, Event, Listener, LoggedMessage, RtpPacket,
    Snapshot, settings::Settings,
};

/// Cheap to clone. The engine stops when [`EngineHandle::stop`] is called, not when handles are dropped.
#[derive(Clone)]
pub struct EngineHandle {
    pub(super) commands: mpsc::Sender<Request>,
    pub(super) shared: Arc<Shared>,
    pub(super) listeners: Arc<[Listener]>,
    pub(super) ended: watch::Receiver<bool>,
    pub(super) lines: Arc<Mutex<Option<LinePorts>>>,
}

/// What reaches the engine's thread.
pub(super) enum Request {
    Command {
        command: Command,
        answer: oneshot::Sender<CommandOutcome>,
    },
    /// Publish now.
    Snapshot(oneshot::Sender<()>),
    /// The RTP packets of a call's streams, for its capture.
    Rtp {
        call: CallId,
        answer: oneshot::Sender<Vec<RtpPacket>>,
    },
    /// Other settings for what comes.
    Settings {
        settings: Arc<Settings>,
        taken: oneshot::Sender<()>,
    },
    /// Wait for running calls, hang up what is left, and end; twice: end at once.
    Stop,
}

impl EngineHandle {
    /// Where the lines end on which people are in calls: for whoever has the devices, and once.
    pub fn take_lines(&self) -> Option<LinePorts> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether somebody at this machine speaks and hears through it.
    pub fn has_devices(&self) -> bool {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Where it listens.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// The state as last published, at most 33 ms old while somebody reads. Never waits.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot()
    }

    /// The state with everything in it that the engine has taken in before this call.
    pub async fn snapshot_now(&self) -> Arc<Snapshot> {
        let (answer, published) = oneshot::channel();
        if self.commands.send(Request::Snapshot(answer)).await.is_ok() {
            let _ = published.await;
        }
        self.shared.snapshot()
    }

    /// Every message of a call's legs, in the order in which they crossed the wire.
    pub fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        self.shared.messages(call)
    }

    /// How a call sounded over its time; while the call is known, and once anything was heard. Never waits.
    pub fn sound_of(&self, call: CallId) -> Option<Arc<CallSound>> {
        self.shared.sound_of(call)
    }

    /// Up to `most` messages of all calls and of none, with numbers from `from` on and in order, and the number to go on from.
    pub fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        self.shared.messages_from(from, most)
    }

    /// Up to `most` events after `seq`.
    pub fn events_after(&self, seq: u64, most: usize) -> Vec<Event> {
        self.shared.events_after(seq, most)
    }

    /// Changes when there are new events; its value is the last event's number.
    pub fn watch_events(&self) -> watch::Receiver<u64> {
        self.shared.watch_events()
    }

    /// Has `waker` called after each new snapshot, from the engine's thread: it must not wait. Only the first one is kept.
    pub fn on_snapshot(&self, waker: impl Fn() + Send + Sync + 'static) {
        self.shared.on_snapshot(Box::new(waker));
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// One sentence that says why it was refused.
    pub async fn command(&self, command: Command) -> CommandOutcome {
        let (answer, outcome) = oneshot::channel();
        self.commands.send(Request::Command { command, answer }).await.map_err(|_| STOPPED.to_owned())?;
        outcome.await.map_err(|_| STOPPED.to_owned())?
    }

    /// Asks for a command without waiting: for the window, which must not. The outcome is asked for later.
    ///
    /// # Errors
    /// The engine has stopped, or is too far behind to take commands.
    pub fn try_command(&self, command: Command) -> Result<Pending, String> {
        let (answer, outcome) = oneshot::channel();
        match self.commands.try_send(Request::Command { command, answer }) {
            Ok(()) => Ok(Pending(outcome)),
            Err(mpsc::error::TrySendError::Full(_)) => Err("The engine is too busy to take this now; try again".to_owned()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(STOPPED.to_owned()),
        }
    }

    /// Brings other settings into force for what comes; running calls keep theirs. Waits until the engine has them, so not
    /// for a thread that may not wait. Where it listens does not change: those values have to be the old ones.
    ///
    /// # Errors
    /// The engine has stopped.
    pub fn apply(&self, settings: Arc<Settings>) -> Result<(), String> {
        let (taken, done) = oneshot::channel();
        self.commands.blocking_send(Request::Settings { settings, taken }).map_err(|_| STOPPED.to_owned())?;
        done.blocking_recv().map_err(|_| STOPPED.to_owned())
    }

    /// The RTP packets kept of a call.
    pub async fn rtp(&self, call: CallId) -> Vec<RtpPacket> {
        let (answer, packets) = oneshot::channel();
        if self.commands.send(Request::Rtp { call, answer }).await.is_err() {
            return Vec::new();
        }
        packets.await.unwrap_or_default()
    }

    /// The same for a thread that may wait and has no runtime.
    pub fn rtp_blocking(&self, call: CallId) -> Vec<RtpPacket> {
        let (answer, packets) = oneshot::channel();
        if self.commands.blocking_send(Request::Rtp { call, answer }).is_err() {
            return Vec::new();
        }
        packets.blocking_recv().unwrap_or_default()
    }

    /// The operator's window is closed: its calls go back, and get so long for it. For a thread that may wait.
    pub fn operator_leaves(&self, patience: Duration) {
        let is_operators = |call: &Arc<CallRecord>| call.agent_kind == Some(AgentKind::Operator) && !call.state.is_final();
        if !self.snapshot().calls.iter().any(is_operators) || self.try_command(Command::OperatorLeaves).is_err() {
            return;
        }
        let step = Duration::from_millis(20);
        let mut left = patience;
        while self.snapshot().calls.iter().any(is_operators) && !left.is_zero() {
            std::thread::park_timeout(step);
            left = left.saturating_sub(step);
        }
    }

    /// No new calls; waits for the running ones as set, then ends. Called twice: ends at once.
    pub fn stop(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
        // A full queue would be read before the end anyway.
        let _ = self.commands.try_send(Request::Stop);
    }

    /// Whether it was told to stop.
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::Relaxed)
    }

    /// Waits until the engine has ended.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        let _ = ended.wait_for(|done| *done).await;
    }

    /// Waits until the engine has ended, on a thread without async.
    pub fn wait_ended(&self) {
        while !*self.ended.borrow() && self.ended.has_changed().is_ok() {
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
    }
}

/// A command's outcome, on its way.
pub struct Pending(oneshot::Receiver<CommandOutcome>);

impl Pending {
    /// The outcome, once it is there. To be asked no more after that.
    pub fn take(&mut self) -> Option<CommandOutcome> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(STOPPED.to_owned())),
        }
    }
}

const STOPPED: &str = "The engine has stopped";
