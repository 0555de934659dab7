//! A case file: calls in one archive that another console opens, fit to be sent to somebody else.
//!
//! Secrets are never in it. Variables' values stand as tokens unless they are asked for as they are: the same value has
//! the same token in every file of the case, also within URIs, so that a variable can still be followed.
//!
//! | | file |
//! | --- | --- |
//! | tokens in place of values, in records and messages | `tokens.rs`, `wire.rs` |
//! | the archive, with its manifest | `write.rs` |
//! | the same read back, within bounds | `read.rs` |

mod read;
#[cfg(test)]
mod tests;
mod tokens;
mod wire;
mod write;

pub use read::{CaseError, is_case, read};
pub use write::{Contents, Values, write};

/// What the name of a case file ends with.
pub const ENDING: &str = "handback-case";
/// Of the archive's form: a reader refuses a higher one.
const VERSION: u64 = 1;
const FORMAT: &str = "handback-case";
