//! The only loop.

pub mod capture;
pub mod clock;
pub mod publish;
