//! Dialogs and INVITE sessions (RFC 3261 §12–§15): one [`UserAgent`] holds all that one party has.

mod config;
mod user_agent;
mod words;

pub use config::{Limits, TrustHook, UserAgentConfig};
pub use user_agent::UserAgent;
pub use words::{
    ClientCredentials, Counts, IncomingRequest, NewInvite, OfferBy, PingId, ReferId, SessionEnd, SessionId, SessionInfo, UaEvent, UaOutput,
    VerbError,
};
