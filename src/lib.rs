//! Handback: a SIP softswitch and its console. A customer's SBC hands a call over with its context;
//! Handback admits it, bridges it to an agent, and hands it back with the agent's variables.
//!
//! The modules stand in the order of a call's journey; ARCHITECTURE.md draws it.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "virtual time starts at some real instant"))]

pub mod api;
pub mod call;
pub mod capture;
pub mod cli;
pub mod config;
#[cfg(feature = "console")]
pub mod console;
pub mod contract;
pub mod customer;
pub mod engine;
pub mod export;
pub mod findings;
pub mod media;
pub mod model;
pub mod party;
pub mod sip;
pub mod start;
pub mod store;
pub mod wire;
