//! The real binary on loopback, called by software that others wrote: SIPp as caller, agent and customer; baresip that hears.
//!
//! Everything takes a free port, and nothing sleeps: a test waits for a process to end, for the ready line,
//! or for the control API to say so.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where something is amiss, and its deadlines are real time"
)]

mod support;

mod admission;
mod api;
mod bad_input;
mod captures;
mod copied;
mod dialogs;
mod heard;
mod offers;
mod operator;
mod recordings;
mod reload;
mod returns;
mod sip_agent;
#[cfg(feature = "console")]
mod sound;
mod sound_check;
#[cfg(feature = "console")]
mod sound_desk;
mod sound_over_time;
#[cfg(feature = "console")]
mod window;
