//! Sample calls behind the window, so that it is tested without an engine.

mod backend;
mod calls;
pub mod operator;
mod placed;
mod script;
pub mod settings;
mod sound;
mod transfers;

pub use backend::SampleBackend;
pub use placed::{check_placed, finish_placed};

use crate::model::CallId;

/// 2026-11-21 14:02:09 UTC.
pub const NOON: u64 = 1_795_269_729_000_000;

/// What the sample's calls are called.
pub const WITH_AGENT: CallId = CallId(12_352);
pub const RETURNING: CallId = CallId(12_345);
pub const PLACED: CallId = CallId(20_001);
pub const PLACED_BRIDGE: CallId = CallId(20_000);
