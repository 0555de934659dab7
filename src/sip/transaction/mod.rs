//! Transactions (RFC 3261 §17): four machines, each with its figure, and the layer that owns them.

pub mod client_invite;
pub mod client_non_invite;
mod effect;
mod key;
pub mod server_invite;
pub mod server_non_invite;

pub use effect::{ClientInput, Effect, Effects, ServerInput, Timer};
pub use key::ServerKey;
