//! Dialogs and INVITE sessions (RFC 3261 §12–§15): one [`UserAgent`] holds all that one party has. One verb to a file.

mod ack;
mod answer;
mod body;
mod bye;
mod cancel;
mod challenge;
mod config;
mod info;
mod invite;
mod local;
mod notify;
mod options;
mod prack;
mod receive;
mod refer;
mod reinvite;
mod reply;
mod request;
mod route_set;
mod screen;
mod session;
mod session_timer;
mod state;
mod update;
mod user_agent;
mod words;

pub use body::sdp_of;
pub use config::{Limits, TrustHook, UserAgentConfig};
pub use user_agent::UserAgent;
pub use words::{
    ClientCredentials, Counts, IncomingRequest, NewInvite, OfferBy, PingId, ReferId, SessionEnd, SessionId, SessionInfo, UaEvent, UaOutput,
    VerbError,
};
