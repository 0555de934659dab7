//! Stories of two user agents, in virtual time (RFC 3261 §9–§17 and its extensions). Each reads as a ladder.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a story starts at some real instant, and stops where it goes wrong")]

#[path = "../story/mod.rs"]
mod story;

mod calls;
mod changes;
mod loss;
mod refer;
mod reliable;
mod requests;
mod routing;
mod timers;
