//! The switch, pure.
