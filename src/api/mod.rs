//! HTTP, thin: the control API over the engine's handle, and the call transfers API over the store's.

pub mod call_transfers;
mod calls;
mod control;
mod events;
mod fault;
mod history;
mod http_server;
mod metrics;
mod operator;
mod recording;

pub use control::{ControlError, ControlServer};
