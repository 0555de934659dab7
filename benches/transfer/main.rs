//! A whole transfer through the pure core: challenge, digest, agent, REFER, NOTIFY, BYE. Target: 20,000 a second, so 50 µs each.
//!
//! `switch_alone` is the figure that counts: what a call's inputs cost the switch, its outputs drained and dropped. The inputs are
//! recorded beside it: a second switch with the same seed and the same clock says word for word the same, so that the customer can
//! talk to that one. `both_sides` adds that customer: written text, our messages read, and a digest computed anew for every call.
//!
//! The clock goes on by 4 ms a call: 8,000 calls are in the 32 s for which transactions linger, and as many end as begin.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time, and stops where something is amiss")]

mod journey;

/// As the program has it.
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    divan::main();
}
