//! Whole processes, measured beside the software that people know: `cargo bench --bench whole -- [api] [calls] [relay] [rest]`.
//!
//! `api`: creates and reads a second of the call transfers API, and how long they take.
//! `calls`: CPU time per call of `handback serve` and of Kamailio as a stateful proxy, between the same SIPp ends.
//! `relay`: 200 two-way G.711 calls through `handback serve` and through rtpengine in userspace: loss, delay, CPU.
//! `rest`: the time until `serve` is ready, and the memory of calls that do nothing.
//! All traffic stays on 127.0.0.1; every process is a child of this one.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time, and stops where something is amiss")]

mod api;
mod calls;
mod ends;
mod process;
mod relay;
mod rest;
mod rtpengine;

fn main() {
    // `cargo bench` adds `--bench`; `cargo test --benches` must not run for minutes.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("whole: run by `make bench` only");
        return;
    }
    let asked = |name: &str| {
        let mut names = arguments.iter().filter(|argument| !argument.starts_with("--")).peekable();
        names.peek().is_none() || names.any(|argument| argument == name)
    };
    if asked("rest") {
        rest::measure();
    }
    if asked("api") {
        api::measure();
    }
    if asked("calls") {
        calls::measure();
    }
    if asked("relay") {
        relay::measure();
    }
}
