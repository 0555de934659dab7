//! Handback.
pub mod cli;
pub mod media;
pub mod model;
pub mod party;
pub mod sip;
