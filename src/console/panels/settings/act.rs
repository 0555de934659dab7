//! What one can do in Settings.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::state::Page;
use crate::console::{
    action::Face,
    remembered::{Scale, ThemeChoice, Times},
    theme::Icon,
};

#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Show(Page),
    /// A value as typed.
    Set {
        key: String,
        kind: Kind,
        text: String,
    },
    /// A whole list of strings.
    SetList {
        key: String,
        items: Vec<String>,
    },
    /// Add a string to a list.
    Push {
        key: String,
        text: String,
    },
    /// Add a table to a list, with these strings in it.
    Add {
        key: String,
        what: What,
    },
    Remove(String),
    Move {
        key: String,
        from: usize,
        to: usize,
    },
    ChoosePeer(usize),
    /// Open the editor of the secret of this table.
    AskSecret(String),
    /// What the editor holds becomes the secret.
    SetSecret,
    /// Close the editor.
    KeepSecret,
    ForgetSecret(String),
    Save,
    /// Save although the file was changed; what it held is kept beside it.
    SaveOver,
    /// Read the file anew; what is not saved is kept beside it.
    Reload,
    Discard,
    /// Start the program anew, so that all that is saved is in force.
    Restart,
    /// Play something at the speaker.
    TestTone,
    /// Open the microphone, so that its level is seen.
    TryMicrophone(bool),
    Theme(ThemeChoice),
    Scale(Scale),
    Times(Times),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Flag,
}

/// What is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Peer,
    User,
    Key,
    Numbers,
}

impl What {
    /// What a new one holds to begin with.
    pub fn values(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Peer => &[("name", "")],
            Self::User => &[("username", "")],
            Self::Key => &[("id", "")],
            Self::Numbers => &[("country", ""), ("first", ""), ("last", "")],
        }
    }
}

impl Act {
    pub fn face(&self) -> Face {
        match self {
            Self::Show(page) => Face::new(page.title(), page.lead()),
            Self::Set { .. } | Self::SetList { .. } => Face::new("Change", "Change this value"),
            Self::Push { .. } => Face::new("Add", "Add to this list").icon(Icon::Create),
            Self::Add { what, .. } => match what {
                What::Peer => Face::new("Add a peer", "One more customer deployment, after the others").icon(Icon::Create),
                What::User => Face::new("Add a user", "A user name and a password that let a caller in").icon(Icon::Create),
                What::Key => Face::new("Add a key", "An id and a secret for one customer of the API").icon(Icon::Create),
                What::Numbers => Face::new("Add numbers", "A range of telephone numbers to lease").icon(Icon::Create),
            },
            Self::Remove(_) => Face::new("Remove", "Take it out; until you save it can be had back by Discard").icon(Icon::Close),
            Self::Move { from, to, .. } if to < from => Face::new("Move up", "It is looked at before the one above").icon(Icon::Up),
            Self::Move { .. } => Face::new("Move down", "It is looked at after the one below").icon(Icon::MoveDown),
            Self::ChoosePeer(_) => Face::new("Choose peer", "Show this peer"),
            Self::AskSecret(_) => Face::new("Replace…", "Give another secret; the old one is never shown"),
            Self::SetSecret => Face::new("Set", "Use this from the next save on").icon(Icon::Done),
            Self::KeepSecret => Face::new("Cancel", "Leave the secret as it is"),
            Self::ForgetSecret(_) => Face::new("Forget", "Remove the secret").icon(Icon::Close),
            Self::Save => Face {
                shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::S)),
                ..Face::new("Save", "Write the file, and take it into force").icon(Icon::Save)
            },
            Self::SaveOver => Face::new("Overwrite", "Write yours; what the file holds now is kept beside it").icon(Icon::Save),
            Self::Reload => Face::new("Reload", "Read the file; what you have not saved is kept beside it").icon(Icon::Retransmission),
            Self::Discard => Face::new("Discard", "Back to what is saved"),
            Self::Restart => {
                Face::new("Restart now", "Close the window and open it anew, with all that is saved in force").icon(Icon::Retransmission)
            }
            Self::TestTone => Face::new("Play a test tone", "Two seconds of a rising tone at the speaker"),
            Self::TryMicrophone(true) => Face::new("Try the microphone", "Open it and see its level; nothing is kept or sent"),
            Self::TryMicrophone(false) => Face::new("Close the microphone", "Enough seen"),
            Self::Theme(_) => Face::new("Theme", "Dark, light, or as the desktop has it"),
            Self::Scale(_) => Face::new("Scale", "How large everything is"),
            Self::Times(_) => Face::new("Times", "The zone that times are shown in"),
        }
    }
}
