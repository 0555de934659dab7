//! `handback serve`: the engine without a window.

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use tokio::signal::unix::{SignalKind, signal};

use super::ServeArgs;
use crate::{
    config::{self, Applied},
    start,
};

/// Runs until SIGTERM or Ctrl-C. Exit code 0 then; 2 for bad settings, 1 when it can't start.
pub fn run(args: &ServeArgs) -> ExitCode {
    let settings = match config::load(args.config.as_deref()) {
        Ok(loaded) => loaded,
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            return ExitCode::from(2);
        }
    };
    let running = match start::start(settings) {
        Ok(running) => running,
        Err(fault) => {
            eprintln!("handback: {fault}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = announce(&running) {
        eprintln!("handback: cannot print the ready line: {error}");
    }
    let waited = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(wait(&running, args.config.as_deref())));
    match waited {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("handback: cannot listen for signals: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The one line on stdout that says that everything listens.
fn announce(running: &start::Running) -> io::Result<()> {
    let listeners = running.engine.listeners().iter().filter(|listener| !listener.customer_side);
    let sip: Vec<String> = listeners.map(|l| format!("{}:{}", l.transport.name(), l.address)).collect();
    let mut line = serde_json::json!({ "ready": true, "sip": sip, "control": running.control.address().to_string() });
    if let Some(api) = &running.api {
        line["api"] = api.address().to_string().into();
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// The first signal drains, the second ends at once; SIGHUP reads the settings again.
async fn wait(running: &start::Running, config: Option<&Path>) -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            () = running.engine.ended() => return Ok(()),
            _ = terminate.recv() => running.engine.stop(),
            _ = interrupt.recv() => running.engine.stop(),
            _ = hang_up.recv() => reload(running, config).await,
        }
    }
}

/// Reads files and waits for the engine, so on a thread for such things.
async fn reload(running: &start::Running, config: Option<&Path>) {
    let (reloader, path) = (running.reloader.clone(), config.map(Path::to_owned));
    let told = tokio::task::spawn_blocking(move || match config::load(path.as_deref()) {
        Ok(settings) => match reloader.apply(&settings) {
            Ok(applied) => tell(&applied),
            Err(why) => tracing::error!("the settings can't be changed: {why}"),
        },
        Err(faults) => {
            faults.iter().for_each(|fault| tracing::error!("{fault}"));
            tracing::error!("the settings have faults: those from before stay in force");
        }
    });
    if told.await.is_err() {
        tracing::error!("reading the settings again failed: those from before stay in force");
    }
}

fn tell(applied: &Applied) {
    if applied.now.is_empty() && applied.at_restart.is_empty() {
        tracing::info!("settings read again: nothing has changed");
    }
    if !applied.now.is_empty() {
        tracing::info!("settings read again, in force for new calls: {}", applied.now.join(", "));
    }
    if !applied.at_restart.is_empty() {
        tracing::warn!("in force after the next start only: {}", applied.at_restart.join(", "));
    }
}
