//! The wire contract as pure code.
