//! Handback.
pub mod model;
