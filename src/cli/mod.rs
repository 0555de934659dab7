//! The command line: what can be typed, and one file for each command that does it.

mod args;
pub mod call;
pub mod decode;
pub mod demo;
#[cfg(feature = "console")]
mod desk;
pub mod encode;
#[cfg(feature = "console")]
mod phone;
mod placed;
pub mod serve;
#[cfg(feature = "console")]
mod settings;
mod told;
mod values;
#[cfg(feature = "console")]
pub mod window;

pub use args::{CallArgs, Cli, CommandLine, DecodeArgs, DemoArgs, EncodeArgs, ServeArgs};
