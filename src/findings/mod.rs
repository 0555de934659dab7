//! What is wrong or risky in a message or a call: what was seen, why it matters, whose side it is, and the cure.
//!
//! One rule is one function. A clean call gives no finding; what is merely unusual is a note.
//!
//! | rules over | file |
//! | --- | --- |
//! | one message | `message.rs` |
//! | messages that belong together: retransmissions, ACK, REFER and its NOTIFYs | `exchange.rs` |
//! | a call's record: dropped variables, media | `call.rs` |
//! | a source that was refused | `admission.rs` |
//!
//! Context and payload are judged where they are read, in `contract`.

mod admission;
mod call;
mod exchange;
mod message;
#[cfg(test)]
mod tests;

pub use admission::refused_source;
pub use call::{dropped, of_call};
pub use exchange::{Exchanged, of_exchange};
pub use message::{Seen, of_message};
