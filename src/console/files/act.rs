//! What one can do with files.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::Kind;
use crate::console::{action::Face, theme::Icon};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Show the dialog.
    AskOpen,
    /// A row of the dialog.
    Choose(usize),
    /// Open what is typed or chosen.
    OpenTyped,
    /// Stop the reading or the writing.
    Stop,
    /// Back to the live calls.
    Close,
    CopyNotes,
    Export(Kind),
    /// The form of a case.
    AskCase,
    CopySaved,
    DismissSaved,
    /// Close the dialog or the form.
    Cancel,
}

impl Act {
    pub fn face(&self) -> Face {
        match self {
            Self::AskOpen => Face {
                shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::O)),
                ..Face::new("Open capture…", "Read a pcap, a pcapng or a case file; or drop it here").icon(Icon::FolderOpen)
            },
            Self::Choose(_) => Face::new("Choose", "Into this folder, or this file"),
            Self::OpenTyped => Face::new("Open", "Read this file").icon(Icon::FolderOpen),
            Self::Stop => Face::new("Stop", "Leave it at that").icon(Icon::Stop),
            Self::Close => Face::new("Close", "Back to the live calls, which went on meanwhile").icon(Icon::Close),
            Self::CopyNotes => Face::new("Copy notes", "What could not be read, as text").icon(Icon::Copy),
            Self::Export(kind) => Face::new(kind.label(), kind.tooltip()),
            Self::AskCase => Face::new("Case file…", "One archive with all of these, to be sent to somebody"),
            Self::CopySaved => Face::new("Copy path", "Where the file is").icon(Icon::Copy),
            Self::DismissSaved => Face::new("Dismiss", "Close this note").icon(Icon::Close),
            Self::Cancel => Face::new("Cancel", "Close this").key(Key::Escape),
        }
    }
}
