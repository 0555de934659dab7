//! Recordings are as long as their calls, and both sides of them in time, whatever happens to the packets. The benchmark
//! `sound -- recorded-minutes` does the same with 500 minutes of calls.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    dead_code,
    reason = "a test stops where something is amiss; virtual time begins somewhere; the benchmark tells more"
)]

#[path = "../benches/sound/recorded/mod.rs"]
mod recorded;

#[test]
fn recordings_are_as_long_as_their_calls_and_both_sides_are_in_time() {
    let found = recorded::trial(16, 12.0);
    let table: Vec<String> = found.iter().map(|f| format!("{:+.3} ms, {:?} ms late: {}", f.longer_ms, f.late_ms, f.words)).collect();
    let in_time = |f: &recorded::Found| f.longer_ms.abs() <= 20.0 && f.apart_ms() <= 20.0 && (-10.0..=40.0).contains(&f.latest_ms());
    assert!(found.iter().all(in_time), "to within a packet:\n{}", table.join("\n"));
}
