//! The torture messages of RFC 4475 and RFC 5118, sent to a whole switch by a peer that it trusts: what goes back on the wire.
//!
//! `tests/torture.rs` judges the messages by themselves; here the verdicts of the dialog layer and of admission are there too.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use handback::call::{Switch, SwitchSetup};
use handback::config;
use handback::party::{Input, Output, Party};
use handback::sip::message::Message;
use handback::sip::transport::{Flow, Received, Transport};

/// What a switch says to well-formed requests that it has no use for, and to those that only it can judge.
const ANSWERS: &[(&str, &[u16], &str)] = &[
    // Well-formed, and no business of ours: REGISTER and MESSAGE are refused, unknown methods are not implemented (§8.2.1).
    ("accept", &[100, 180, 183, 200, 405, 481, 488, 501], "understood, whatever comes of it"),
    ("accept/4xx", &[100, 200, 400, 405, 481], "RFC 4475 §3.2.1 leaves it open"),
    ("reject-400/501", &[400, 501], "RFC 4475 §3.1.2.18"),
    ("reject-415", &[415], "§8.2.3"),
    ("reject-420", &[420], "§8.2.2.3"),
    ("challenge-401", &[405], "no scheme helps a REGISTER here; `credentials_of_an_unknown_scheme…` has the 401"),
    ("answer-or-483", &[200, 483], "RFC 4475 §3.3.11"),
];

#[test]
fn rfc4475_messages_are_answered_rightly() {
    let expectations = String::from_utf8(read("rfc4475/EXPECT.tsv").to_vec()).expect("the table is UTF-8");
    let mut faults = Vec::new();
    for row in expectations.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, section, expected, _] = columns[..] else { panic!("not four columns: {row}") };
        let wire = read(&format!("rfc4475/{file}"));
        let is_response = wire.starts_with(b"SIP/2.0 ");
        let codes = answers(wire, trusted());
        let code = expected.strip_prefix("reject-").and_then(|code| code.parse::<u16>().ok());
        let right = match (ANSWERS.iter().find(|(says, ..)| *says == expected), code) {
            _ if is_response || expected == "discard" => codes.is_empty(),
            (Some((_, allowed, _)), _) => !codes.is_empty() && codes.iter().all(|code| allowed.contains(code)),
            (None, Some(code)) => codes == [code],
            (None, None) => false,
        };
        if !right {
            faults.push(format!("{file} (§{section}): expected {expected}, answered {codes:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rfc5118_messages_are_answered_rightly() {
    for file in fs::read_dir(data("rfc5118")).expect("the folder is there") {
        let path = file.expect("the folder can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("LICENSE") {
            continue;
        }
        let text = String::from_utf8(read(&format!("rfc5118/{name}")).to_vec()).expect("the archive is UTF-8");
        let mut wire = text.replace("\r\n", "\n").replace('\n', "\r\n");
        if !wire.contains("\r\n\r\n") {
            wire.push_str("\r\n");
        }
        // One has no IPv6 brackets; one is shorter than its Content-Length says, in the archive (§18.3).
        let malformed = matches!(name, "ipv6-bad" | "ipv6-in-sdp");
        let codes = answers(wire.into(), trusted());
        assert_eq!((codes.is_empty(), codes.contains(&400)), (false, malformed), "{name}: {codes:?}");
    }
}

#[test]
fn credentials_of_an_unknown_scheme_are_answered_with_a_challenge() {
    // RFC 4475 §3.3.7, with a method that a stranger may use once it has shown who it is.
    let register = String::from_utf8(read("rfc4475/regaut01.dat").to_vec()).expect("it is UTF-8");
    let invite = register.replace("REGISTER", "INVITE");
    assert!(invite.contains("Authorization: NoOneKnowsThisScheme"));
    assert_eq!(answers(invite.into(), stranger()), [401]);
}

#[test]
fn no_torture_message_gets_more_than_a_refusal_from_a_stranger() {
    for file in fs::read_dir(data("rfc4475")).expect("the folder is there") {
        let path = file.expect("the folder can be read").path();
        if path.extension().is_some_and(|extension| extension == "dat") {
            let wire: Bytes = fs::read(&path).expect("the file can be read").into();
            let codes = answers(wire, stranger());
            assert!(codes.iter().all(|code| *code >= 400), "{}: {codes:?}", path.display());
        }
    }
}

/// The codes that a fresh switch answers this datagram with.
#[expect(clippy::disallowed_methods, reason = "virtual time starts at some real instant")]
fn answers(bytes: Bytes, source: SocketAddr) -> Vec<u16> {
    let listener = SocketAddr::from(([127, 0, 0, 1], 5060));
    let now = Instant::now();
    let mut switch = Switch::new(SwitchSetup {
        settings: Arc::new(config::demo()),
        listeners: vec![(Transport::Udp, listener), (Transport::Tcp, listener)],
        seed: 7,
        first_call_id: 1,
        conversations: Vec::new(),
        now,
    });
    let flow = Flow { transport: Transport::Udp, local: listener, remote: source, connection: None };
    let mut codes = Vec::new();
    drain(&mut switch, now, &mut codes);
    switch.handle_input(now, Input::Received(Received { flow, bytes }));
    drain(&mut switch, now, &mut codes);
    codes
}

fn drain(switch: &mut Switch, now: Instant, codes: &mut Vec<u16>) {
    let mut next_port = 40_000;
    while let Some(output) = switch.poll_output() {
        match output {
            Output::Transmit(transmit) => match Message::parse(transmit.bytes) {
                Ok(Message::Response(response)) => {
                    codes.push(response.code());
                }
                other => panic!("no answer: {other:?}"),
            },
            Output::PortsWanted(count) => {
                let ports: Vec<u16> = (0..count as u16).map(|index| next_port + 2 * index).collect();
                next_port += 2 * count as u16;
                switch.handle_input(now, Input::PortsOpened(ports));
            }
            _ => {}
        }
    }
}

fn trusted() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5090))
}

fn stranger() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 99], 5060))
}

fn data(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder)
}

fn read(file: &str) -> Bytes {
    let path = data(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}
