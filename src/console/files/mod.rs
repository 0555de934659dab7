//! Files in and out of the window: captures and case files opened, calls written.
//!
//! Whatever touches the disk, reads, draws or packs runs on a thread of its own (`work.rs`). An opened file stands before the
//! engine as the window's backend (`opened.rs`), so that every place shows it as it shows live calls.

pub mod act;
mod apply;
mod opened;
mod outgoing;
mod show;
#[cfg(test)]
mod tests;
mod work;

pub use act::Act;
pub(super) use apply::Files;
pub use opened::{Opened, Switch};
pub use outgoing::Kind;
pub use work::Entry;

use std::path::PathBuf;

/// What the operator has open or typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub dialog: Option<Dialog>,
    pub case: Option<CaseForm>,
    /// The folder that was looked into last.
    pub folder: Option<PathBuf>,
}

impl State {
    /// Something is open that has the keyboard.
    pub fn is_open(&self) -> bool {
        self.dialog.is_some() || self.case.is_some()
    }
}

/// The dialog of *Open*.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dialog {
    /// As typed.
    pub path: String,
    pub chosen: Option<usize>,
    /// The field shall have the keyboard.
    pub focus: bool,
    /// The chosen row shall be seen.
    pub reveal: bool,
    pub listed: Listed,
}

/// What stands in the folder of the typed path.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    pub folder: PathBuf,
    pub entries: Vec<Entry>,
    /// Why there is nothing.
    pub fault: Option<String>,
}

/// The form of *Case file…*.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseForm {
    pub as_is: bool,
    pub rtp: bool,
}
