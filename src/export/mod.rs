//! Calls as people and other programs take them out: ladders as text, SVG and PNG, a capture for Wireshark, JSON, CSV, and a
//! case file with all of them.
//!
//! All of it works on the bytes that crossed the wire, so a message that is none is exported too. Secrets
//! are blanked here, where messages leave the program, and not where they arrive ([`redact`]).

pub mod case;
pub mod csv;
pub mod json;
pub mod ladder;
mod lines;
pub mod pcap;
pub mod picture;
pub mod test_call;
pub mod words;
pub use crate::contract::redact;
