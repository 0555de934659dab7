//! The torture messages of RFC 4475 and RFC 5118 at the door of a user agent: what it answers, or hands up.
//! `tests/torture.rs` judges the messages by themselves; here the layers above have their say, too.

#![allow(clippy::disallowed_methods, reason = "virtual time starts at some real instant")]

use std::{fs, path::PathBuf, time::Instant};

use bytes::Bytes;
use handback::sip::{
    dialog::{Counts, UaEvent, UaOutput, UserAgent, UserAgentConfig},
    message::{Message, Method},
    transport::{Flow, Received, Transport},
};

/// What came of a message: the code of the answer, `up` where the application was asked, `silence` else.
fn outcome(bytes: Bytes) -> String {
    let now = Instant::now();
    let local = "192.0.2.2:5060".parse().expect("an address");
    let mut config = UserAgentConfig::new("Torture", vec![(Transport::Udp, local)], 1);
    config.screens_itself = true;
    let mut ua = UserAgent::new(config);
    let flow = Flow { transport: Transport::Udp, local, remote: "192.0.2.9:5060".parse().expect("an address"), connection: None };
    ua.handle_received(now, Received { flow, bytes });
    let mut outcome = String::from("silence");
    while let Some(output) = ua.poll_output() {
        match output {
            UaOutput::Transmit(transmit) => match Message::parse(transmit.bytes).expect("we write what can be read") {
                Message::Response(response) => {
                    let verdict = response.verdict();
                    // Requests that came by proxies are answered through them; and a refusal repeats what was bad about a request's Via.
                    let excused = |reason: &str| reason == "More Than One Via" || matches!(response.code(), 400 | 505);
                    assert!(verdict.as_ref().err().is_none_or(|fault| excused(fault.reason())), "{verdict:?}");
                    outcome = response.code().to_string();
                }
                Message::Request(request) => panic!("a request of our own: {:?}", request.raw()),
            },
            UaOutput::Event(UaEvent::Request(request)) => {
                outcome = format!("up {}", request.request.method());
                if *request.request.method() == Method::INVITE {
                    // Whatever it is, it can be taken and refused.
                    let id = ua.accept_invite(now, *request).expect("there is room");
                    ua.reject(now, id, 486, "", &[]).expect("the answer can be written");
                    while ua.poll_output().is_some() {}
                }
            }
            UaOutput::Event(_) => {}
        }
    }
    while let Some(deadline) = ua.deadline() {
        ua.handle_timeout(deadline);
        while ua.poll_output().is_some() {}
    }
    assert_eq!(ua.counts(), Counts::default());
    outcome
}

/// Where the user agent's answer is not what EXPECT.tsv says of a whole stack, or more exact.
const OURS: &[(&str, &str, &str)] = &[
    ("wsinv.dat", "481", "it has a To tag of a dialog that we do not know"),
    ("intmeth.dat", "501", "a method that nobody knows"),
    ("esc01.dat", "up INVITE", ""),
    ("escnull.dat", "405", "we are no registrar"),
    ("esc02.dat", "501", "a method that nobody knows"),
    ("dblreq.dat", "405", "we are no registrar"),
    ("mpart01.dat", "405", "a MESSAGE, which we do not take"),
    ("unreason.dat", "silence", "a response to nothing of ours"),
    ("noreason.dat", "silence", "a response to nothing of ours"),
    ("unksm2.dat", "405", "we are no registrar"),
    ("regaut01.dat", "405", "we are no registrar; credentials are the application's affair"),
    ("zeromf.dat", "up OPTIONS", "a user agent answers it (§16.3)"),
    ("cparam01.dat", "405", "we are no registrar"),
    ("cparam02.dat", "405", "we are no registrar"),
    ("regescrt.dat", "405", "we are no registrar"),
];

#[test]
fn rfc4475_messages_are_answered_rightly() {
    let table = String::from_utf8(read("rfc4475/EXPECT.tsv").to_vec()).expect("the table is UTF-8");
    let mut faults = Vec::new();
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, section, expected, title] = columns[..] else { panic!("not four columns: {row}") };
        let found = outcome(read(&format!("rfc4475/{file}")));
        let right = match OURS.iter().find(|(name, ..)| *name == file) {
            Some((_, ours, _)) => found == *ours,
            None => match expected {
                "accept" | "accept/4xx" => found.starts_with("up "),
                "discard" => found == "silence",
                "reject-400/501" => found == "400" || found == "501",
                _ => expected.strip_prefix("reject-") == Some(&found),
            },
        };
        if !right {
            faults.push(format!("{file} (§{section}, {title}): expected {expected}, found {found}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rfc5118_messages_are_answered_rightly() {
    for (file, expected) in [
        ("ipv6-good", "405"),
        ("ipv6-bad", "400"),
        ("port-ambiguous", "405"),
        ("port-unambiguous", "405"),
        ("via-received-param-with-delim", "481"),
        ("via-received-param-no-delim", "up OPTIONS"),
        ("ipv6-in-sdp", "up INVITE"),
        ("mult-ip-in-header", "481"),
        ("mult-ip-in-sdp", "up INVITE"),
        ("ipv4-mapped-ipv6", "up INVITE"),
        ("ipv6-bug-abnf-3-colons", "up OPTIONS"),
        ("ipv6-correct-abnf-2-colons", "up OPTIONS"),
    ] {
        let mut text = String::from_utf8(read(&format!("rfc5118/{file}")).to_vec()).expect("UTF-8").replace('\n', "\r\n");
        if !text.contains("\r\n\r\n") {
            text.push_str("\r\n");
        }
        // The archive counts its bodies with other line ends than it has.
        let body = text.split_once("\r\n\r\n").map_or(0, |parts| parts.1.len());
        let lines: Vec<_> = text
            .split("\r\n")
            .map(|line| if line.starts_with("Content-Length:") { format!("Content-Length: {body}") } else { line.into() })
            .collect();
        assert_eq!(outcome(lines.join("\r\n").into()), expected, "{file}");
    }
}

fn read(file: &str) -> Bytes {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}
