//! 100 recorded calls of five minutes: the worst of their lengths and places, by what the network did.

use std::time::Instant;

use super::recorded::{Found, trial};

pub fn run() {
    let began = Instant::now();
    let found = trial(CALLS, SECS);
    println!("{:<28} {:>7} {:>15} {:>14} {:>17}", "recorded", "minutes", "length off, ms", "sides, ms", "place, ms");
    let mut networks: Vec<&str> = found.iter().map(|found| &*found.network).collect();
    networks.sort_unstable();
    networks.dedup();
    for network in networks {
        print(network, &found.iter().filter(|found| found.network == network).collect::<Vec<_>>());
    }
    print("all", &found.iter().collect::<Vec<_>>());
    let worst = found.iter().max_by(|a, b| a.apart_ms().total_cmp(&b.apart_ms()));
    if let Some(worst) = worst {
        println!("furthest apart: {} ({:?} ms)", worst.words, worst.late_ms);
    }
    println!("length off: beside the call's; sides: between what both said at once; place: after it was said, the network's 5 ms among it");
    println!("virtual time; {:.0} s on the clock", began.elapsed().as_secs_f64());
}

fn print(what: &str, of: &[&Found]) {
    let most = |value: &dyn Fn(&Found) -> f64| of.iter().map(|found| value(found)).max_by(f64::total_cmp).unwrap_or(f64::NAN);
    let minutes = of.iter().map(|found| found.secs).sum::<f64>() / 60.0;
    let (length, apart, late) = (most(&|f| f.longer_ms.abs()), most(&Found::apart_ms), most(&|f| f.latest_ms().abs()));
    println!("{what:<28} {minutes:>7.1} {length:>15.3} {apart:>14.1} {late:>17.1}");
}

const CALLS: usize = 100;
const SECS: f64 = 300.0;
