//! The call transfers API of a real `handback serve` that is held on one core: creates and reads a second, and how long they take.
//!
//! Every create is committed to a file before its answer. The askers have the other cores; connections are kept open.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::process::{Handback, pause};

const SETTINGS: &str = r#"
[api]
listen = "127.0.0.1:0"
keys = [{ id = "demo", secret = "swordfish" }]
requests_per_second = 1000000
"#;

/// Asking as fast as answers come.
const CONNECTIONS: usize = 64;
const REQUESTS: usize = 40_000;
/// Asking at a fixed rate, whatever the answers do.
const STEADY_CONNECTIONS: usize = 25;
const STEADY_PER_SECOND: usize = 1_000;
const STEADY_SECS: usize = 20;

pub fn measure() {
    let handback = Handback::serve_quietly(SETTINGS);
    let api = handback.api.expect("the settings have [api]");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    hold_on_cores(handback.process.id(), "0");
    if cores > 1 {
        hold_on_cores(std::process::id(), &format!("1-{}", cores - 1));
    }

    println!("\n== call transfers API, `handback serve` held on one core, {CONNECTIONS} connections, every create committed to a file");
    for (what, request) in [("create", create as fn(usize) -> String), ("get", read)] {
        let cpu = handback.process.cpu();
        let started = Instant::now();
        let times = closed_loop(api, request);
        let (took, cpu) = (started.elapsed(), handback.process.cpu() - cpu);
        println!(
            "{what:>7}: {:>7.0} a second, {:.0} µs of CPU each; {}",
            REQUESTS as f64 / took.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / REQUESTS as f64,
            percentiles(times)
        );
    }
    println!("== the same at {STEADY_PER_SECOND} a second for {STEADY_SECS} s, from the moment at which each was due");
    for (what, request) in [("create", create_more as fn(usize) -> String), ("get", read)] {
        println!("{what:>7}: {}", percentiles(steady(api, request)));
    }
    hold_on_cores(std::process::id(), &format!("0-{}", cores - 1));
}

fn create(number: usize) -> String {
    let body = format!(
        r#"{{"id":"t-{number}","externalConversationId":"c-{number}","type":"SIP","sip":{{"returnTransferType":"INVITE","returnUri":"sip:return@192.0.2.1","returnInviteAuthentication":{{"username":"u","password":"p"}}}},"inputContext":{{"taskName":"billing","inputVariables":{{"accountNumber":"{number}","customerName":"Zoë"}}}}}}"#
    );
    request("POST", "", &body)
}

fn create_more(number: usize) -> String {
    create(number + REQUESTS)
}

fn read(number: usize) -> String {
    request("GET", &format!("/t-{}", number % REQUESTS), "")
}

fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} /generativeagent/v1/call-transfers{path} HTTP/1.1\r\nHost: h\r\nasapp-api-id: demo\r\nasapp-api-secret: swordfish\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The time that each request took.
fn closed_loop(api: SocketAddr, request: fn(usize) -> String) -> Vec<Duration> {
    by_connection(CONNECTIONS, |connection| {
        let mut stream = connect(api);
        let mine = (connection..REQUESTS).step_by(CONNECTIONS);
        mine.map(|number| {
            let asked = Instant::now();
            exchange(&mut stream, &request(number));
            asked.elapsed()
        })
        .collect()
    })
}

/// Each connection asks when it is its turn; an answer that comes late makes the next ones late, and that counts.
fn steady(api: SocketAddr, request: fn(usize) -> String) -> Vec<Duration> {
    let start = Instant::now() + Duration::from_millis(100);
    by_connection(STEADY_CONNECTIONS, |connection| {
        let mut stream = connect(api);
        let mine = (connection..STEADY_PER_SECOND * STEADY_SECS).step_by(STEADY_CONNECTIONS);
        mine.map(|number| {
            let due = start + Duration::from_secs(1) / STEADY_PER_SECOND as u32 * number as u32;
            pause(due.saturating_duration_since(Instant::now()));
            exchange(&mut stream, &request(number));
            due.elapsed()
        })
        .collect()
    })
}

fn by_connection(connections: usize, work: impl Fn(usize) -> Vec<Duration> + Sync) -> Vec<Duration> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|connection| {
                scope.spawn({
                    let work = &work;
                    move || work(connection)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn connect(api: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(api).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn exchange(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = [0; 4096];
    let mut length = 0;
    loop {
        length += match stream.read(&mut bytes[length..]).unwrap() {
            0 => panic!("the connection was closed"),
            read => read,
        };
        let text = std::str::from_utf8(&bytes[..length]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let announced: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap();
        if body.len() == announced {
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            return;
        }
    }
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, longest {:.2} ms", at(0.5), at(0.99), at(0.999), at(1.0))
}

/// All threads of a process, those to come included.
fn hold_on_cores(process: u32, cores: &str) {
    let held = Command::new("taskset").args(["-a", "-c", "-p", cores, &process.to_string()]).output().unwrap();
    assert!(held.status.success(), "{}", String::from_utf8_lossy(&held.stderr));
}
