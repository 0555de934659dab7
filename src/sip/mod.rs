//! The SIP protocol core, pure: bytes and `now` in; messages, events and a deadline out.
//!
//! | folder | what | RFC |
//! | --- | --- | --- |
//! | `message` | lexer, header values, URIs, builders | 3261 §7, §19, §20, §25 |
//! | `transport` | framing, Via, choice of target, the words of the wire | 3261 §18, 3263, 3581 |
//! | `transaction` | the four machines, and the layer that owns them | 3261 §17, 6026 |
//! | `dialog` | dialogs, sessions, and the user agent that holds them | 3261 §12–§15, 3262, 3311, 3515, 4028 |
//! | `sdp` | session descriptions and offer/answer | 8866, 3264 |

pub mod dialog;
pub mod digest;
pub mod ids;
pub mod message;
pub mod sdp;
mod small_text;
pub mod timers;
pub mod transaction;
pub mod transport;
