//! What stories are told with: a simulated network in virtual time, and two user agents at its ends.
#![allow(dead_code, reason = "each test binary uses the part that it needs")]

pub mod lab;
pub mod network;

pub use lab::{A, B, Lab, Who};
