//! Live sound in figures.
//!
//! `cargo bench --bench sound`: what a device's callback costs and allocates, against its period.
//! `cargo bench --bench sound -- mouth-to-ear`: from a click at the caller's microphone to the operator's speaker, on a virtual card,
//! and the same with baresip on both ends. `cargo bench --bench sound -- underrun --secs 600`: gaps while 50 other calls run.
//! `cargo bench --bench sound -- recorded-minutes`: 500 minutes of calls in virtual time, and how true to time their recordings are.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    dead_code,
    reason = "a benchmark measures real time, stops where something is amiss, and uses a part of what tests share"
)]

mod callback;
mod calls;
mod clicks;
mod recorded;
mod recorded_minutes;
#[path = "../../tests/loopback/support/mod.rs"]
mod support;

use std::process::Command;

use support::sound_card::SoundCard;

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let secs = arguments.iter().skip_while(|argument| *argument != "--secs").nth(1).and_then(|secs| secs.parse().ok());
    if has("recorded-minutes") {
        recorded_minutes::run();
        return;
    }
    if !has("mouth-to-ear") && !has("underrun") {
        divan::main();
        return;
    }
    if std::env::var_os(INSIDE).is_some() {
        if has("underrun") {
            calls::underrun(secs.unwrap_or(60))
        } else {
            calls::mouth_to_ear(secs.unwrap_or(40))
        }
        return;
    }
    // The sound system is found by the environment, which only a new process can be given.
    let card = SoundCard::start();
    for sink in ["spk2", "mic2"] {
        let name = format!("sink_name={sink}");
        card.pactl(&["load-module", "module-null-sink", &name, "rate=48000", "channels=1", "format=s16le", "norewinds=1"]);
    }
    card.pactl(&["load-module", "module-remap-source", "master=mic2.monitor", "source_name=micin2"]);
    let mut command = Command::new(std::env::current_exe().unwrap());
    card.gives(&mut command);
    assert!(command.args(&arguments).env(INSIDE, "1").status().unwrap().success());
}

const INSIDE: &str = "HANDBACK_BENCH_HAS_A_CARD";
