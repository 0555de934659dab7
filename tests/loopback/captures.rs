//! What the bridge exports, `handback decode` reads back: the same ladder, the same verdict.

use std::process::Command;

use serde_json::Value;

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, Bridge, LOOPBACK_BY_REFER},
    sipp::Sipp,
};

#[test]
fn our_own_capture_reads_back_as_the_same_ladder() {
    for over_tcp in [false, true] {
        let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}"));
        let caller = if over_tcp {
            Sipp::caller("customer_takes_refer", bridge.tcp).over_tcp()
        } else {
            Sipp::caller("customer_takes_refer", bridge.udp)
        };
        caller.key("task", "billing").plays();
        let call = bridge.only_call_when_over();
        let id = call["id"].as_str().unwrap();
        let file = bridge.folder.path().join("call.pcap");
        std::fs::write(&file, bridge.bytes(&format!("/v1/calls/{id}/capture.pcap"))).unwrap();

        let text = decode(&[file.to_str().unwrap()]);
        assert_eq!(arrows(&text), arrows(&bridge.text(&format!("/v1/calls/{id}/ladder.txt"))), "{text}");
        assert!(text.contains("Return by REFER to sip:transfer@127.0.0.1:5999;user=phone: succeeded"), "{text}");
        let json: Value = serde_json::from_str(&decode(&[file.to_str().unwrap(), "--json"])).unwrap();
        let read = &json["calls"][0]["call"];
        for field in ["state", "context", "outcome", "transfer_variables", "reference_variables"] {
            assert_eq!(read[field], call[field], "{field}");
        }
        assert_eq!(json["calls"][0]["messages"].as_array().map(Vec::len), json["messages"].as_array().map(Vec::len));
        assert_eq!(json["notes"], serde_json::json!([]));
    }
}

fn decode(arguments: &[&str]) -> String {
    let told = Command::new(env!("CARGO_BIN_EXE_handback")).arg("decode").args(arguments).output().unwrap();
    String::from_utf8(told.stdout).unwrap()
}

/// The rows that are messages, with their times.
fn arrows(ladder: &str) -> Vec<&str> {
    ladder.lines().filter(|line| line.contains('▶') || line.contains('◀')).collect()
}

#[test]
fn a_call_leaves_as_pictures_and_as_a_case_without_its_values() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}"));
    Sipp::caller("customer_takes_refer", bridge.udp).key("task", "billing").plays();
    let call = bridge.only_call_when_over();
    let id = call["id"].as_str().unwrap();
    let svg = bridge.text(&format!("/v1/calls/{id}/ladder.svg?theme=dark"));
    assert!(svg.starts_with("<svg ") && svg.contains(">REFER</tspan>"), "{svg}");
    assert!(bridge.bytes(&format!("/v1/calls/{id}/ladder.png")).starts_with(b"\x89PNG"));

    let ladder = bridge.text(&format!("/v1/calls/{id}/ladder.txt"));
    let file = bridge.folder.path().join("calls.handback-case");
    std::fs::write(&file, bridge.bytes(&format!("/v1/calls/export?format=case&id={id}"))).unwrap();
    let json = decode(&[file.to_str().unwrap(), "--json"]);
    assert!(!json.contains("acct-4711-blue") && !json.contains("schedule"), "values are tokens");
    assert_eq!(arrows(&decode(&[file.to_str().unwrap()])).len(), arrows(&ladder).len());

    std::fs::write(&file, bridge.bytes(&format!("/v1/calls/export?format=case&values=as-is&id={id}"))).unwrap();
    assert_eq!(arrows(&decode(&[file.to_str().unwrap()])), arrows(&ladder));
    assert!(decode(&[file.to_str().unwrap()]).contains("schedule callback"));
}
