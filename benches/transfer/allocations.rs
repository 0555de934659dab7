//! What the journey of `main.rs` takes from the allocator. Counting costs time, so the time is measured there.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time, and stops where something is amiss")]

mod journey;

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}
