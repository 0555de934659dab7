//! The SIP protocol core, pure: bytes and `now` in; messages, events and a deadline out.
//!
//! | folder | what | RFC |
//! | --- | --- | --- |
//! | `message` | lexer, header values, URIs, builders | 3261 §7, §19, §20, §25 |
//! | `transport` | framing, Via, choice of target, the words of the wire | 3261 §18, 3263, 3581 |
//! | `sdp` | session descriptions and offer/answer | 8866, 3264 |

pub mod digest;
pub mod message;
pub mod transport;
