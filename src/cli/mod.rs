//! The command line: what can be typed, and one file for each command that does it.

mod args;
mod told;
mod values;

pub use args::{CallArgs, Cli, CommandLine, DecodeArgs, DemoArgs, EncodeArgs, ServeArgs};
