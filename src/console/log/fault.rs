//! What is wrong with a filter, and where.

use std::ops::Range;

/// A filter can't be read. The text says why and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FilterFault {
    /// The bad word within what was typed.
    pub span: Range<usize>,
    pub text: String,
}
