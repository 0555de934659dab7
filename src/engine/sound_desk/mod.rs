//! Microphones and speakers of the person at this machine: which they are, what they hear and play, and how loud.
//!
//! [`SoundDesk::start`] runs them on a thread of their own; [`SoundHandle`] is what the window and the command line hold. The
//! samples themselves go from the device's thread to the media thread and back by rings that nobody waits for.

mod bent;
mod choice;
mod controls;
mod desk;
mod handle;
mod meter;
mod microphone;
mod pace;
mod speaker;
mod stand;
mod tones;
mod wav;

pub use controls::Controls;
pub use desk::SoundDesk;
pub use handle::{Device, End, Levels, Playback, SoundCommand, SoundHandle, SoundSnapshot};
pub use meter::Level;
pub use microphone::{Microphone, Mouth};
pub use speaker::Speaker;
pub use tones::{Tone, rings_silently, sounds_busy};

pub use super::line_ends::LinePorts;
pub use crate::media::Line;
