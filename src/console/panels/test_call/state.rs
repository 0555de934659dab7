//! What the place *Test call* holds beside its form, and what one can do there.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::preview::Preview;
use crate::console::{action::Face, state::TestForm, theme::Icon};

/// What the middle shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Middle {
    /// The INVITE as it will be sent.
    #[default]
    Invite,
    /// The call's ladder.
    Wire,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    pub middle: Middle,
    /// The INVITE of this form, made anew when the form changes.
    pub preview: Option<(TestForm, Preview)>,
    /// The call that was placed last checks the sound.
    pub checks_sound: bool,
    /// The name of the preset that is about to be saved.
    pub naming: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The form's call, with tones in the place of its sound, to an agent that sends them back.
    CheckSound,
    /// A key of the phone.
    Press(char),
    /// Nothing is heard of the person at the phone.
    Mute(bool),
    /// The far side waits.
    Hold(bool),
    /// How loud the far side is, 0 to 1.
    Volume(f32),
    /// A tone instead of the microphone.
    UseTone,
    /// Ask for a name.
    NamePreset,
    SavePreset,
    /// Put a preset's values into the form.
    UsePreset(usize),
    ForgetPreset(usize),
    CopyCommand,
    CopySipp,
}

impl Act {
    pub fn face(&self) -> Face {
        let face = |label, tooltip, icon| Face { label, tooltip, icon, shortcut: None };
        match self {
            Self::CheckSound => {
                face("Sound check", "The same call with the task sound_check: tones go both ways, and what was heard is told", None)
            }
            Self::Press(_) => face("Press", "Send this key (RFC 4733)", None),
            Self::Mute(true) => face("Mute", "The far side does not hear you", None),
            Self::Mute(false) => face("Unmute", "The far side hears you again", None),
            Self::Hold(true) => face("Hold", "Have the far side wait: a re-INVITE with a=sendonly", None),
            Self::Hold(false) => face("Take back", "End the hold: a re-INVITE with a=sendrecv", None),
            Self::Volume(_) => face("Volume", "How loud you hear the far side", None),
            Self::UseTone => face("Send the tone instead", "A steady tone in the place of your voice", None),
            Self::NamePreset => face("Save as preset…", "Keep this form under a name, without its password", None),
            Self::SavePreset => {
                Face { shortcut: Some(KeyboardShortcut::new(Modifiers::NONE, Key::Enter)), ..face("Save", "Keep it", None) }
            }
            Self::UsePreset(_) => face("Use", "Put these values into the form", None),
            Self::ForgetPreset(_) => face("Forget", "Remove this preset", Some(Icon::Close)),
            Self::CopyCommand => face("As handback call", "The same call for a shell", Some(Icon::Terminal)),
            Self::CopySipp => face("As SIPp scenario", "The same INVITE, and its return, for SIPp", Some(Icon::Copy)),
        }
    }
}

/// The keys in the order of a phone.
pub const KEYS: [char; 12] = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
