//! The only loop: sockets in, parties asked, sockets out, and everyone else told.
//!
//! [`Engine::start`] binds everything and runs the parties on a thread of its own, each with a media
//! thread; [`EngineHandle`] is what the console, the control API and the command line hold.

pub mod capture;
pub mod clock;
mod desk;
mod driver;
mod handle;
pub mod line_ends;
pub mod media_loop;
mod node;
mod publish;
pub mod recorder;
mod records;
mod rtp_capture;
mod setup;
#[cfg(feature = "console")]
pub mod sound_desk;

pub use desk::DeskEnds;
pub use handle::{EngineHandle, Pending};
pub use publish::Shared;
pub use setup::{Bound, EngineSetup, PartySetup, StartError};

/// The engine itself, named for [`Engine::start`].
pub struct Engine;
