//! `handback call --sound-check` against the real bridge: its own echo, an agent that only plays, and nobody.

use std::process::Command;

use serde_json::Value;

use crate::support::bridge::{AGENT_THAT_PLAYS_A_TONE, Bridge, LOOPBACK_BY_REFER};

fn check(uri: &str, more: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_handback")).args(["call", uri, "--sound-check", "--json"]).args(more).output().unwrap();
    let told = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), told)
}

#[test]
fn both_ways_through_the_bridge_are_heard_and_measured() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}[agent]\nkind = \"script\"\nscript = \"demo\"\n"));
    let (code, told) = check(&format!("sip:bridge@{}", bridge.udp), &[]);
    let found = &told["sound_check"];
    assert_eq!((code, &told["ok"]), (Some(0), &Value::Bool(true)), "{:#}", told["steps"]);
    for way in ["to_agent", "from_agent"] {
        let level = found[way]["level_dbfs"].as_f64().expect("a level");
        assert!((-14.0..-10.5).contains(&level), "{way}: {found:#}");
        assert_eq!(found[way]["clipped"], false, "{way}: {found:#}");
        assert_eq!(found[way]["delay_ms"].as_f64(), found["round_trip_ms"].as_f64().map(|trip| trip / 2.0), "{way}: {found:#}");
    }
    assert!(found["round_trip_ms"].as_f64().is_some_and(|ms| (0.0..500.0).contains(&ms)), "{found:#}");
}

#[test]
fn an_agent_that_does_not_echo_fails_the_check() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_PLAYS_A_TONE}"));
    let (code, told) = check(&format!("sip:bridge@{}", bridge.udp), &[]);
    assert_eq!(code, Some(1), "{:#}", told["steps"]);
    let found = &told["sound_check"];
    assert_eq!((&found["from_agent"]["heard"], &found["to_agent"]["heard"]), (&Value::Bool(true), &Value::Null), "{found:#}");
}

#[test]
fn nobody_and_nonsense_have_codes_of_their_own() {
    let (code, told) = check("sip:nobody@127.0.0.1:9", &[]);
    assert_eq!((code, &told["sound_check"]), (Some(1), &Value::Null));
    assert_eq!(check("sip:nobody@127.0.0.1:9", &["--audio", "silence"]).0, Some(2), "it has a sound of its own");
    assert_eq!(check("nonsense", &[]).0, Some(2));
}
