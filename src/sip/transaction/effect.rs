//! What goes into and comes out of the four transaction machines (RFC 3261 §17).

use std::time::Duration;

use smallvec::SmallVec;

/// The timers of RFC 3261 table 4 and RFC 6026, and the 200 ms before a 100 of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    A,
    B,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
    Trying,
}

impl Timer {
    /// Whether it repeats something, rather than giving up on something. A machine runs at most one of either.
    pub fn repeats(self) -> bool {
        matches!(self, Self::A | Self::E | Self::G | Self::Trying)
    }
}

/// What a machine wants done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send the request, or the latest response, for the first time.
    Send,
    /// Send it again.
    Resend,
    /// Send the ACK for a final response other than 2xx (§17.1.1.3).
    SendAck,
    /// Send 100 Trying on the user's behalf.
    SendTrying,
    /// Hand what came in to the transaction user.
    PassUp,
    Start(Timer, Duration),
    Stop(Timer),
    /// Timer B, F or H: nobody answered.
    TimedOut,
    /// The transport could not deliver.
    TransportFailed,
    /// The transaction is over.
    Terminated,
}

/// The effects of one input.
pub type Effects = SmallVec<[Effect; 4]>;

/// What a client transaction hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientInput {
    Response(u16),
    Timer(Timer),
    TransportError,
}

/// What a server transaction hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerInput {
    /// The same request again.
    Request,
    Ack,
    /// The user's response.
    Respond(u16),
    Timer(Timer),
    TransportError,
}
