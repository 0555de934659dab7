//! The store: what is acknowledged is kept, whatever races, fills up or is killed.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where something is amiss, and its deadlines are real time"
)]

mod calls;
mod child;
mod files;
mod kill;
mod life;
mod races;
mod refused;
mod support;
