//! Transactions (RFC 3261 §17): four machines, each with its figure, and the layer that owns them.

mod ack;
pub mod client_invite;
pub mod client_non_invite;
mod effect;
mod key;
mod layer;
pub mod server_invite;
pub mod server_non_invite;

pub use effect::{ClientInput, Effect, Effects, ServerInput, Timer};
pub use key::ServerKey;
pub use layer::{Failure, Happened, Heard, Layer, Matched, TransactionId, TransactionReport};
