//! All that the window knows of the program behind it.

use std::sync::Arc;

use crate::{
    config::desk::{Answer, Ask},
    engine::sound_desk::{Levels, SoundCommand, SoundSnapshot},
    model::{
        CallFilter, CallId, CallPage, CallPlace, CallSound, CallTransfer, CapturedMessage, Command, CommandOutcome, InvitePreview,
        LoggedMessage, PoolFigures, RtpPacket, Snapshot, TestCall,
    },
};

/// What the console paints from and asks of. No method waits for more than a copy of pointers.
pub trait Backend: Send + Sync {
    /// The state as last published.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Every message of a call's legs, in the order in which they crossed the wire.
    fn messages(&self, call: CallId) -> Vec<CapturedMessage>;

    /// Up to `most` messages of all calls and of none, with numbers from `from` on and in order, and the number to go on from:
    /// `from` itself where there are no more. May be called from any thread.
    fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64);

    /// The messages and the sound of a call, past ones read from the store. Waits: to be asked from a thread of its own only.
    fn kept(&self, call: CallId) -> Kept {
        Kept { messages: self.messages(call), sound: self.sound_of(call) }
    }

    /// The sound kept of a call. Waits for the media thread: to be asked from a thread of its own only.
    fn rtp(&self, _call: CallId) -> Vec<RtpPacket> {
        Vec::new()
    }

    /// How a call sounded over its time, where that is known.
    fn sound_of(&self, _call: CallId) -> Option<Arc<CallSound>> {
        None
    }

    /// Hands a command on. Its answer comes out of [`Backend::take_outcomes`] under the same ticket.
    fn command(&self, command: Command) -> CommandTicket;

    /// The answers that came since the last time.
    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)>;

    /// Keeps `waker`, to be called whenever there is something new to paint. It may be called from any thread,
    /// as often as one likes.
    fn set_waker(&self, waker: Waker);

    /// What changes with the settings only.
    fn facts(&self) -> Facts;

    /// The INVITE that this test call would begin with, or why it can't be placed.
    fn preview(&self, call: &TestCall) -> Result<InvitePreview, String>;

    /// Asks about past calls; `None` where none are kept. The answer comes out of [`Backend::take_past`].
    fn ask_past(&self, ask: PastAsk) -> Option<CommandTicket>;

    /// What was read of the past since the last time.
    fn take_past(&self) -> Vec<(CommandTicket, PastAnswer)>;

    /// The call transfers as last read; `None` where the API is not served.
    fn transfers(&self) -> Option<Arc<TransfersView>>;

    /// How `POST …/call-transfers` would answer this body now. Nothing is made.
    fn judge_transfer(&self, body: &str) -> ApiAnswer;

    /// Makes a call transfer as the API would. The answer comes out of [`Backend::take_created`] under the same ticket.
    fn create_transfer(&self, body: &str) -> CommandTicket;

    /// The answers to creates that came since the last time.
    fn take_created(&self) -> Vec<(CommandTicket, ApiAnswer)>;

    /// Asks about the settings file. The answers come out of [`Backend::take_settings`], in the order of asking.
    fn ask_settings(&self, ask: Ask);

    /// What was answered about the settings since the last time.
    fn take_settings(&self) -> Vec<Answer>;

    /// The microphones and speakers of this machine; `None`: nobody looks after them.
    fn devices(&self) -> Option<Arc<SoundSnapshot>> {
        None
    }

    /// How loud it is now.
    fn levels(&self) -> Levels {
        Levels::default()
    }

    /// Tells the sound desk something; nothing comes back but another [`Backend::devices`].
    fn tell_sound(&self, _command: SoundCommand) {}

    /// Whether the program starts anew once the window is closed.
    fn restart_when_closed(&self, restart: bool);
}

/// A question about past calls.
#[derive(Debug, Clone, PartialEq)]
pub enum PastAsk {
    Page { filter: Box<CallFilter>, before: Option<CallPlace>, most: usize },
    Kept(CallId),
}

#[derive(Debug, Clone, PartialEq)]
pub enum PastAnswer {
    Page(CallPage),
    Kept(CallId, Kept),
    /// One sentence.
    Failed(String),
}

/// What is kept of a call beside its record: nothing, where that was forgotten.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    pub messages: Vec<CapturedMessage>,
    pub sound: Option<Arc<CallSound>>,
}

/// The past calls behind the window, where they are kept. No method waits.
pub trait Archive: Send + Sync {
    /// `done` is called once, from any thread.
    fn ask(&self, ask: PastAsk, done: Box<dyn FnOnce(PastAnswer) + Send>);
}

/// Call transfers as people list them, at most half a second old.
#[derive(Debug, Clone, Default)]
pub struct TransfersView {
    /// Where the API is served, for example `http://127.0.0.1:8080`.
    pub url: String,
    /// The first key's id, for examples.
    pub key_id: String,
    /// Newest first.
    pub transfers: Arc<[Arc<CallTransfer>]>,
    pub pools: Arc<[PoolFigures]>,
}

/// An answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAnswer {
    pub status: u16,
    /// For example `200 OK` or `409-01`.
    pub line: String,
    /// Why not, where it is no 200; else the id.
    pub message: String,
}

/// Tells the window that something is new.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Names a command until its answer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandTicket(pub u64);

/// What changes with the settings only, as people read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where the control API listens, for example `127.0.0.1:8081`.
    pub control: Option<String>,
    /// Where the call transfers API listens.
    pub api: Option<String>,
    /// Who talks, for example `demo script` or `sip:agent@127.0.0.1:5080`.
    pub agent: String,
    /// `sip:` URI of this program's own bridge, which a test call goes to when nothing else is said.
    pub bridge_uri: String,
    /// Where the bridge hands a test call back to.
    pub return_uri: String,
    /// `REFER`, `INVITE` or `BYE`: how a test call comes back.
    pub return_method: String,
}

/// The call transfers behind the window, where they are served. No method waits.
pub trait TransferDesk: Send + Sync {
    fn view(&self) -> Arc<TransfersView>;

    /// How a create would be answered now.
    fn judge(&self, body: &str) -> ApiAnswer;

    /// Creates; `done` is called once, from any thread.
    fn create(&self, body: &str, done: Box<dyn FnOnce(ApiAnswer) + Send>);
}

/// The settings file behind the window. No method waits.
pub trait SettingsKeeper: Send + Sync {
    /// `done` is called once, from any thread, in the order of asking.
    fn ask(&self, ask: Ask, done: Box<dyn FnOnce(Answer) + Send>);
}
