//! The words that every part of the program shares: plain serde data, nothing of ours imported.
//!
//! A *call* is one hand-over of a customer's call to the agent, from its INVITE to its return
//! (the wire contract calls it a transfer). It is told as a row of [`CallEvent`]s, and
//! [`CallRecord::apply`] is the one place where events become what people see.

mod call_filter;
mod call_transfer;
mod command;
mod desk;
mod e_model;
mod ended;
mod event;
mod finding;
mod ids;
mod message;
mod operator;
mod record;
mod recording;
pub mod script;
pub mod settings;
mod snapshot;
mod sound;
mod test_call;
mod variables;

pub use call_filter::{BadCallPlace, CallFilter, CallPage, CallPlace, FilterFault, PastCall};
pub use call_transfer::{
    CallTransfer, ClaimKey, ClaimRefusal, Claimed, InputContext, NewCallTransfer, OutputContext, PoolFigures, SipReturn, TransferKind,
    TransferStatus, TransferTarget,
};
pub use command::{Command, CommandOutcome, ReturnRequest, SetVariables};
pub use desk::{DeskAnswer, DeskAsk, Keep};
pub use ended::{Ended, Party};
pub use event::{
    Admission, AgentKind, CallEvent, Context, DroppedVariable, Event, LegOpened, LegRole, MediaFigures, Outcome, Payload, PayloadItem,
    PayloadPart, ReturnMethod, ReturnMethodOrAgent, ReturnVerdict,
};
pub use finding::{Finding, Severity};
pub use ids::{CallId, LegId, Timestamp};
pub use message::{CapturedMessage, Direction, LoggedMessage, RtpPacket, TransportName, WholeCall};
pub use operator::{GoesBack, ListenSide, Missed, OperatorPart, OperatorPhase};
pub use record::{CallRecord, CallState, LegRecord, ReturnRecord, SoundMark, SoundMarkKind, TimedNote};
pub use recording::RecordingFile;
pub use snapshot::{Counters, Listener, Snapshot};
pub use sound::{CallSound, LegSound, LossBursts, Opinion, SoundHeard, SoundLevel, SoundMoment, SoundPoint, SoundQuality};
pub use test_call::{AudioSource, InvitePreview, OnReturn, SoundCheck, SoundCheckWay, TestCall, TestCallReport, TestCallStep};
pub use variables::Variables;
