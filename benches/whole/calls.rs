//! CPU time per call: SIPp → `handback serve` (media anchored) → SIPp, and SIPp → Kamailio (stateful) → SIPp.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::process::{Handback, Host, Running, free_port, until_listening};

const CALLS: u32 = 4_000;
const RATE: u32 = 250;
const ROUNDS: usize = 2;

pub fn measure() {
    println!("\n## Calls: {CALLS} a round at {RATE} a second, INVITE–180–200–ACK–BYE, 8 X-GA-* headers; CPU time per call");
    println!("{:<12} {:>12} {:>12} {:>12}", "", "CPU/call", "failed", "host took");
    for round in 0..=ROUNDS {
        for (name, run) in [("kamailio", through_kamailio as fn(u32) -> (Duration, u32)), ("handback", through_handback)] {
            // The first round warms caches and is short.
            let calls = if round == 0 { CALLS / 8 } else { CALLS };
            let host = Host::watch();
            let (cpu, failed) = run(calls);
            if round > 0 {
                let (millis, took) = (cpu.as_secs_f64() * 1e3 / f64::from(calls), 100.0 * host.took());
                println!("{name:<12} {millis:>9.3} ms {failed:>12} {took:>10.1} %");
            }
        }
    }
}

fn through_handback(calls: u32) -> (Duration, u32) {
    let agent_port = free_port();
    let agent = agent(agent_port, calls);
    let peer = "[[peers]]\nname = \"bench\"\nnetworks = [\"127.0.0.1/32\"]\n[peers.return]\nmethod = \"BYE\"\n";
    let handback = Handback::serve(&format!("{peer}[agent]\nkind = \"sip\"\nuri = \"sip:agent@127.0.0.1:{agent_port}\"\n"));
    let before = handback.process.cpu();
    let failed = call(handback.sip, calls);
    let spent = handback.process.cpu() - before;
    drop(agent);
    (spent, failed)
}

fn through_kamailio(calls: u32) -> (Duration, u32) {
    let agent_port = free_port();
    let agent = agent(agent_port, calls);
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let file = folder.path().join("kamailio.cfg");
    let config = fs::read_to_string(here("kamailio.cfg")).unwrap();
    fs::write(&file, config.replace("LISTEN", &format!("udp:127.0.0.1:{port}")).replace("AGENT", &format!("sip:127.0.0.1:{agent_port}")))
        .unwrap();
    let kamailio = Running::start(
        Command::new("kamailio")
            .args(["-DD", "-E", "-m", "128", "-M", "16", "-Y"])
            .arg(folder.path())
            .arg("-P")
            .arg(folder.path().join("pid"))
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log")).unwrap()),
    );
    until_listening(port);
    let before = kamailio.cpu();
    let failed = call(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), calls);
    let spent = kamailio.cpu() - before;
    drop(agent);
    (spent, failed)
}

fn sipp(scenario: &str, port: u16, calls: u32) -> Command {
    let mut command = Command::new("sipp");
    command
        .arg("-sf")
        .arg(here(scenario))
        .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-m", &calls.to_string(), "-p", &port.to_string(), "-timeout", "180s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn agent(port: u16, calls: u32) -> Running {
    let agent = Running::start(&mut sipp("agent.xml", port, calls));
    until_listening(port);
    agent
}

/// Places all calls; how many failed.
fn call(to: SocketAddr, calls: u32) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let statistics = folder.path().join("calls.csv");
    let mut caller = Running::start(
        sipp("caller.xml", free_port(), calls)
            .args(["-r", &RATE.to_string(), "-l", "2000", "-trace_stat", "-fd", "1000", "-stf"])
            .arg(&statistics)
            .arg(to.to_string()),
    );
    caller.wait();
    let text = fs::read_to_string(&statistics).unwrap_or_default();
    let mut lines = text.lines();
    let column = lines.next().and_then(|head| head.split(';').position(|name| name == "FailedCall(C)"));
    column.and_then(|column| lines.next_back()?.split(';').nth(column)?.parse().ok()).unwrap_or(calls)
}

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/whole").join(file)
}
