//! A case is whole, keeps no secret, and is read back.

use std::{
    io::{Cursor, Read as _, Write as _},
    ops::ControlFlow,
};

use super::{CaseError, Contents, Values, is_case, read, write};
use crate::{
    export::ladder::{self, sample},
    model::{Timestamp, WholeCall},
};

fn call() -> WholeCall {
    let (mut record, mut messages) = sample::transfer();
    std::sync::Arc::make_mut(&mut record.context).input_variables.insert("pin".to_owned(), "call back".to_owned());
    let invite = String::from_utf8_lossy(&messages[0].bytes).replace(
        "X-GA-iv-a: 1\r\n",
        "X-GA-iv-a: 1\r\nX-GA-iv-pin: call\r\n  back\r\nSubject: please call back soon\r\nP-Hint: sip:u:hunter2@h\r\n",
    );
    messages[0].bytes = invite.into();
    record.timeline.push(crate::model::TimedNote { at: record.started_at, text: "Said \"call back\" twice".to_owned() });
    WholeCall::new(record.into(), messages)
}

fn archive(values: Values) -> Vec<u8> {
    let calls = [call()];
    let contents = Contents { calls: &calls, rtp: None, values, made_at: Timestamp(7) };
    write(&contents, |_| ControlFlow::Continue(())).expect("writes")
}

fn files(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).expect("a file");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("reads");
            (file.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

#[test]
fn a_case_holds_every_export_and_no_value_or_secret() {
    let bytes = archive(Values::Tokens);
    assert!(is_case(&bytes));
    let files = files(&bytes);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.trim_start_matches("calls/0000000000007/")).collect();
    assert_eq!(
        names,
        [
            "call.json",
            "messages.json",
            "ladder.txt",
            "ladder-light.svg",
            "ladder-dark.svg",
            "capture.pcap",
            "ladder.png",
            "calls.csv",
            "README.txt",
            "manifest.json"
        ]
    );
    let token = "v1---------";
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        for secret in ["call back", "call%20back", "response=", "hunter2", "xxxxxxxx"] {
            assert!(!text.contains(secret), "{secret} in {name}");
        }
        if ["call.json", "messages.json", "capture.pcap", "calls.csv"].iter().any(|wanted| name.ends_with(wanted)) {
            assert!(text.contains(token), "no {token} in {name}");
        }
    }
}

#[test]
fn as_is_means_values_and_still_no_secret() {
    let files = files(&archive(Values::AsIs));
    let text: String = files.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes)).collect();
    assert!(text.contains("call%20back") && text.contains("X-GA-iv-pin: call\r\n  back") || text.contains("X-GA-iv-pin: call\\r\\n  back"));
    assert!(!text.contains("response=") && !text.contains("hunter2"));
}

#[test]
fn a_case_is_read_back_as_the_same_ladder_with_budgets_as_they_were() {
    let original = call();
    let read = read(&archive(Values::Tokens)).expect("reads");
    assert_eq!((read.len(), read[0].messages.len()), (1, original.messages.len()));
    let (before, after) =
        (original.record.returns[0].payload.clone().expect("one"), read[0].record.returns[0].payload.clone().expect("one"));
    assert_eq!((before.used, before.items.len(), before.dropped[0].cost), (after.used, after.items.len(), after.dropped[0].cost));
    assert_eq!(before.refer_to.len(), after.refer_to.len(), "tokens are as long as what they stand for");
    for item in &after.items {
        assert!(after.refer_to[item.start..item.end].starts_with(&format!("{}=", item.parameter)), "{item:?}");
    }
    let arrows = |call: &WholeCall| {
        ladder::text(&call.record, &call.messages)
            .lines()
            .filter(|line| line.contains('▶') || line.contains('◀'))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(arrows(&read[0])[1..], arrows(&original)[1..]);
}

#[test]
fn a_case_as_is_is_read_back_whole() {
    let mut original = call();
    original.messages[1].bytes = bytes::Bytes::from_static(b"SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n\xff\x00");
    let contents = Contents { calls: &[original.clone()], rtp: None, values: Values::AsIs, made_at: Timestamp(7) };
    let read = read(&write(&contents, |_| ControlFlow::Continue(())).expect("writes")).expect("reads");
    assert_eq!(read[0].record, original.record);
    assert_eq!(read[0].messages[1..], original.messages[1..]);
}

#[test]
fn what_is_no_case_or_a_newer_one_says_so() {
    let zipped = |manifest: &str| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("manifest.json", zip::write::SimpleFileOptions::default()).expect("starts");
        zip.write_all(manifest.as_bytes()).expect("writes");
        zip.finish().expect("finishes").into_inner()
    };
    for (manifest, says) in [
        ("{}", "no case file"),
        ("{\"format\":\"other\",\"version\":1,\"calls\":[]}", "no case file"),
        ("{\"format\":\"handback-case\",\"version\":9,\"calls\":[]}", "newer Handback"),
        ("{\"format\":\"handback-case\",\"version\":1,\"calls\":[{\"folder\":\"calls/x\"}]}", "damaged"),
    ] {
        let error = read(&zipped(manifest)).expect_err("is refused").to_string();
        assert!(error.contains(says), "{manifest}: {error}");
    }
    assert!(read(b"PK\x03\x04 broken").is_err());
    let whole = archive(Values::Tokens);
    for at in (0..whole.len()).step_by(997) {
        let mut bent = whole.clone();
        bent[at] ^= 0xff;
        let _ = read(&bent);
    }
}

#[test]
fn writing_can_be_stopped() {
    let calls = [call()];
    let contents = Contents { calls: &calls, rtp: None, values: Values::Tokens, made_at: Timestamp(7) };
    assert!(matches!(write(&contents, |_| ControlFlow::Break(())), Err(CaseError::Stopped)));
}
