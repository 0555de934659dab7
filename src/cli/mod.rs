//! The command line: what can be typed, and one file for each command that does it.

mod args;
pub mod call;
pub mod demo;
mod placed;
mod told;
mod values;

pub use args::{CallArgs, Cli, CommandLine, DecodeArgs, DemoArgs, EncodeArgs, ServeArgs};
