//! Arguments, logging, start.

use std::{io::IsTerminal as _, process::ExitCode};

use clap::Parser as _;
use handback::cli::{self, Cli, CommandLine};
use tracing_subscriber::EnvFilter;

/// A sixth less of a call's cost than with the system's, and no more memory for a call at rest. mimalloc is as quick, and took
/// three times the memory.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("HANDBACK_LOG").unwrap_or_else(|_| EnvFilter::new("warn,handback=info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let line = Cli::parse();
    match &line.command {
        Some(CommandLine::Serve(args)) => cli::serve::run(args),
        Some(CommandLine::Demo(args)) => cli::demo::run(args),
        Some(CommandLine::Call(args)) => cli::call::run(args),
        Some(CommandLine::Decode(args)) => cli::decode::run(args),
        Some(CommandLine::Encode(args)) => cli::encode::run(args),
        #[cfg(feature = "console")]
        None => cli::window::run(line.config.as_deref()),
        #[cfg(not(feature = "console"))]
        None => {
            eprintln!("handback: built without the console; `handback serve`, `demo`, `call`, `decode` and `encode` are there");
            ExitCode::from(2)
        }
    }
}
