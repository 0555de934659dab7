//! Handback.
pub mod cli;
pub mod model;
pub mod sip;
