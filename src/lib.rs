//! Handback.
pub mod model;
pub mod sip;
