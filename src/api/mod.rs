//! HTTP, thin: the control API over the engine's handle.

mod calls;
mod control;
mod events;
mod fault;
mod metrics;

pub use control::{ControlError, ControlServer};
