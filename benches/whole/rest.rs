//! `serve`: how soon it is ready, and what a call at rest weighs.

use std::time::Duration;

use crate::{
    ends::Ends,
    process::{Handback, pause},
};

const STARTS: usize = 9;
const CALLS: usize = 200;

pub fn measure() {
    let peer = "[[peers]]\nname = \"bench\"\nnetworks = [\"127.0.0.1/32\"]\n[peers.return]\nmethod = \"BYE\"\n";
    let mut starts: Vec<Duration> = (0..STARTS).map(|_| Handback::serve(peer).ready_after).collect();
    starts.sort_unstable();
    println!("\n## At rest");
    println!("serve is ready after {:.1} ms (median of {STARTS}; worst {:.1} ms)", millis(starts[STARTS / 2]), millis(starts[STARTS - 1]));

    // Ends that hold from the first word (RFC 3264 §8.4): a script that may be heard sends 50 packets a second, and what grows then is
    // the capture of RTP, which belongs to no call and has a budget of its own (16 MiB).
    let nowhere = ([0, 0, 0, 0], 9).into();
    for (name, agent) in [("two legs, SIP agent", true), ("one leg, scripted agent", false)] {
        let ends = Ends::new(nowhere, nowhere);
        let agent =
            if agent { format!("[agent]\nkind = \"sip\"\nuri = \"sip:agent@127.0.0.1:{}\"\n", ends.agent_port()) } else { String::new() };
        let handback = Handback::serve(&format!("{peer}{agent}"));
        // The first calls pay for what all share.
        ends.call(handback.sip, 0..5);
        pause(Duration::from_millis(500));
        let before = handback.process.resident_kib();
        ends.call(handback.sip, 5..5 + CALLS);
        pause(Duration::from_millis(500));
        let after = handback.process.resident_kib();
        println!(
            "a call at rest ({name}): {:.1} KiB ({before} KiB with 5 calls, {after} KiB with {})",
            (after - before) as f64 / CALLS as f64,
            CALLS + 5
        );
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
