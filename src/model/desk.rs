//! What the engine and the desk tell each other: the desk owns the call transfers and keeps what must last.
//!
//! The engine never waits for the desk: it asks, goes on, and takes the answer as an input. Where the contract
//! says *durable* the answer comes after the commit, so nothing leaves before.

use std::sync::Arc;

use super::{CallId, CallRecord, ClaimKey, ClaimRefusal, Claimed, OutputContext, Timestamp, WholeCall};

/// What the engine asks of the desk, or tells it. In order.
#[derive(Debug, Clone)]
pub enum DeskAsk {
    /// Make this call transfer ONGOING for the call; answered by [`DeskAnswer::Claimed`] after the commit.
    Claim { party: u8, query: u32, call: CallId, key: ClaimKey, at: Timestamp },
    /// Keep what the agent hands back; answered by [`DeskAnswer::Kept`] after the commit.
    Keep { party: u8, call: CallId, kept: Box<Keep>, at: Timestamp },
    /// The call went back; its call transfer is COMPLETED.
    Returned { call_transfer: String, at: Timestamp },
    /// A call was admitted, and is worth finding again after a crash.
    Began(Arc<CallRecord>),
    /// A call is over. Its call transfer, if any, is COMPLETED.
    Ended(WholeCall),
}

/// The end of the agent's part, before any return message has left.
#[derive(Debug, Clone, PartialEq)]
pub struct Keep {
    pub call_transfer: Option<String>,
    pub output: OutputContext,
    /// The return is a BYE: the customer fetches the context, so the transfer is COMPLETED with it.
    pub completes: bool,
}

/// What the desk answers.
#[derive(Debug, Clone)]
pub enum DeskAnswer {
    Claimed {
        party: u8,
        query: u32,
        outcome: Result<Box<Claimed>, ClaimRefusal>,
    },
    /// `stored`: committed. Else the disk refuses, and it will be written once that has healed.
    Kept {
        party: u8,
        call: CallId,
        stored: bool,
    },
}
