//! All that the window knows of the program behind it.

use std::sync::Arc;

use crate::model::{CallId, CapturedMessage, Command, CommandOutcome, Snapshot};

/// What the console paints from and asks of. No method waits for more than a copy of pointers.
pub trait Backend: Send + Sync {
    /// The state as last published.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Every message of a call's legs, in the order in which they crossed the wire.
    fn messages(&self, call: CallId) -> Vec<CapturedMessage>;

    /// Hands a command on. Its answer comes out of [`Backend::take_outcomes`] under the same ticket.
    fn command(&self, command: Command) -> CommandTicket;

    /// The answers that came since the last time.
    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)>;

    /// Keeps `waker`, to be called whenever there is something new to paint. It may be called from any thread,
    /// as often as one likes.
    fn set_waker(&self, waker: Waker);

    /// What does not change while the program runs.
    fn facts(&self) -> Facts;
}

/// Tells the window that something is new.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Names a command until its answer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandTicket(pub u64);

/// What does not change while the program runs, as people read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where the control API listens, for example `127.0.0.1:8081`.
    pub control: Option<String>,
    /// Who talks, for example `demo script` or `sip:agent@127.0.0.1:5080`.
    pub agent: String,
    /// `sip:` URI of this program's own bridge, which a test call goes to when nothing else is said.
    pub bridge_uri: String,
    /// Where the bridge hands a test call back to.
    pub return_uri: String,
    /// `REFER`, `INVITE` or `BYE`: how a test call comes back.
    pub return_method: String,
}
