//! Typed settings, parsed once.
