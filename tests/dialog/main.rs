//! Stories of two user agents, in virtual time (RFC 3261 §9–§17 and its extensions). Each reads as a ladder.

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
