//! `handback` alone: the console, with the engine inside it.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Arc,
    time::Duration,
};

use super::{
    desk::{Desk, PastCalls},
    settings::SettingsThread,
};
use crate::{
    config::{self, desk::Apply},
    console::{self, Facts, Live, Options, Previewer, TransferDesk},
    customer,
    engine::sound_desk::SoundDesk,
    model::{
        TransportName,
        settings::{Agent, Settings},
    },
    start::{self, Reloader, Running},
};

/// Opens the window. With no settings file the demo's settings serve.
///
/// Exit code 2 for bad settings, 1 when it can't start.
pub fn run(path: Option<&Path>) -> ExitCode {
    if !has_display() {
        eprintln!(
            "handback: there is no display here. `handback demo` shows the journey in the terminal, `handback serve` runs without a window"
        );
        return ExitCode::FAILURE;
    }
    // Whole, since what it names is meant from its folder, here and in Settings.
    let path = path.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let loaded = match (&path, config::find()) {
        (None, None) => Ok(config::demo()),
        (path, _) => config::load(path.as_deref()),
    };
    let settings = match loaded {
        Ok(settings) => settings,
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            return ExitCode::from(2);
        }
    };
    match show(settings, path.or_else(config::default_path)) {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => again(),
        Err(why) => {
            eprintln!("handback: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the program is to start anew.
fn show(settings: Settings, file: Option<PathBuf>) -> Result<bool, String> {
    let mut facts = facts(&settings);
    let (api, advertise, sound) = (settings.api.clone(), settings.sip.advertise.clone(), settings.sound.clone());
    let running = start::start(settings).map_err(|fault| fault.to_string())?;
    complete(&mut facts, &running);
    let store = running.store.handle();
    let desk = api.zip(running.api.as_ref()).map(|(api, served)| Desk::start(&api, served.address(), store.clone())).transpose();
    let desk = desk.map_err(|why| why.to_string())?.map(Arc::new);
    let archive = PastCalls::start(store.clone()).map_err(|why| why.to_string())?;
    let shown_desk = desk.clone().map(|desk| desk as Arc<dyn TransferDesk>);
    let live = Arc::new(Live::new(running.engine.clone(), facts, previewer(&running, advertise), shown_desk, Some(Arc::new(archive))));
    if let Some(lines) = running.engine.take_lines() {
        live.keep_sound(SoundDesk::start(lines, sound).map_err(|why| why.to_string())?);
    }
    let apply = apply(running.reloader.clone(), &live, desk);
    live.keep_settings(SettingsThread::start(file, apply, running.reloader.clone(), store).map_err(|why| why.to_string())?);
    let shown = console::run(live.clone(), Options { remember_in: console::remembered::folder(), ..Options::default() });
    // The window is gone: nobody is left to wait for calls. Those of the operator go back first, with what was set in them.
    running.engine.operator_leaves(GOING_BACK);
    running.engine.stop();
    running.engine.stop();
    running.engine.wait_ended();
    shown.map(|()| live.restarts()).map_err(|error| error.to_string())
}

/// The same program with the same arguments, now that its sockets and its database are free.
fn again() -> ExitCode {
    let program = env::current_exe().map(|program| {
        let mut command = Command::new(program);
        command.args(env::args_os().skip(1));
        command
    });
    let failed = match program {
        Ok(mut command) => become_(&mut command),
        Err(error) => error,
    };
    eprintln!("handback: it can't be started anew: {failed}");
    ExitCode::FAILURE
}

#[cfg(unix)]
fn become_(command: &mut Command) -> std::io::Error {
    use std::os::unix::process::CommandExt as _;
    command.exec()
}

#[cfg(not(unix))]
fn become_(command: &mut Command) -> std::io::Error {
    match command.spawn() {
        Ok(_) => std::process::exit(0),
        Err(error) => error,
    }
}

/// Brings settings into force in the program, and in what the window says of it.
fn apply(reloader: Arc<Reloader>, live: &Arc<Live>, desk: Option<Arc<Desk>>) -> Apply {
    let live = Arc::downgrade(live);
    Box::new(move |settings| {
        let applied = reloader.apply(&settings)?;
        let current = reloader.current();
        if let (Some(desk), Some(api)) = (&desk, &current.api) {
            desk.apply(api);
        }
        if let Some(live) = live.upgrade() {
            live.set_sound(current.sound.clone());
            live.set_facts(|known| {
                let now = facts(&current);
                // The program's own return point stays where it is.
                let return_uri = if now.return_uri.is_empty() { std::mem::take(&mut known.return_uri) } else { now.return_uri };
                (known.agent, known.return_method, known.return_uri) = (now.agent, now.return_method, return_uri);
            });
        }
        Ok(applied)
    })
}

/// What a test call would begin with, from where this program places them.
fn previewer(running: &Running, advertise: Option<String>) -> Previewer {
    let caller = start::caller(&running.engine, advertise);
    Box::new(move |call| customer::preview(call, &caller))
}

/// What the settings say of themselves.
fn facts(settings: &Settings) -> Facts {
    let returns = settings.peers.first().map(|peer| &peer.returns);
    Facts {
        control: None,
        api: None,
        agent: match &settings.agent {
            Agent::Script(script) => format!("{} script", script.name),
            Agent::Sip { uri, .. } => uri.clone(),
            Agent::Operator { .. } => "operator".to_owned(),
        },
        bridge_uri: String::new(),
        return_uri: returns.and_then(|r| r.uri.clone()).unwrap_or_default(),
        return_method: returns.map(|r| r.method.name().to_owned()).unwrap_or_default(),
    }
}

/// What is known once everything listens.
fn complete(facts: &mut Facts, running: &Running) {
    facts.control = Some(running.control.address().to_string());
    facts.api = running.api.as_ref().map(|api| api.address().to_string());
    let udp = |customer_side: bool| {
        let listeners = running.engine.listeners().iter();
        listeners.filter(move |l| l.customer_side == customer_side && l.transport == TransportName::Udp).map(|l| l.address)
    };
    facts.bridge_uri = udp(false).next().map(|address| format!("sip:bridge@{address}")).unwrap_or_default();
    if facts.return_uri.is_empty() {
        facts.return_uri = udp(true).nth(1).map(|address| format!("sip:return@{address}")).unwrap_or_default();
    }
}

/// How long the operator's calls get to go back when the window closes.
const GOING_BACK: Duration = Duration::from_secs(3);

fn has_display() -> bool {
    cfg!(not(all(unix, not(target_os = "macos")))) || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some())
}
