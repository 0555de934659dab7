//! The customer's side, for test calls.
