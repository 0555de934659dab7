//! How a call sounded: told by the control API while it is known, by the store after a restart, and drawn into its ladder.

use std::process::Command;

use serde_json::Value;

use crate::support::{
    bridge::{Bridge, LOOPBACK_BY_REFER},
    http,
};

/// A call of five seconds whose agent sends back what it hears.
fn checks_the_sound(bridge: &Bridge) {
    let uri = format!("sip:bridge@{}", bridge.udp);
    let output = Command::new(env!("CARGO_BIN_EXE_handback")).args(["call", &uri, "--sound-check"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn told(bridge: &Bridge, path: &str) -> (u16, Value) {
    let answer = http::get(bridge.control, path);
    (answer.status, answer.json())
}

#[test]
fn it_is_the_same_before_and_after_a_restart() {
    let settings = format!("{LOOPBACK_BY_REFER}[agent]\nkind = \"script\"\nscript = \"demo\"\n");
    let bridge = Bridge::start(&settings);
    checks_the_sound(&bridge);
    let id = bridge.only_call_when_over()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/calls/{id}/sound");
    let (status, before) = told(&bridge, &path);
    assert_eq!(status, 200, "{before:#}");
    let leg = &before["legs"][0];
    assert_eq!((&leg["leg"], leg["bar_ms"].as_u64(), leg["point_secs"].as_u64()), (&Value::from(0), Some(100), Some(1)), "{leg:#}");
    let loud = |track: &str| leg[track].as_array().expect("bars").iter().filter(|bar| bar.as_u64() > Some(20)).count();
    // Two chirps and a tone of a second; and the beep before them.
    assert!((12..25).contains(&loud("received")) && loud("sent") > loud("received"), "{leg:#}");
    let points = leg["points"].as_array().expect("points");
    assert!(points.len() >= 4 && points.iter().all(|point| point["at"].as_u64() >= leg["began"].as_u64()), "{leg:#}");
    for figure in ["loss_percent", "jitter_ms", "delay_ms", "mos"] {
        assert!(points[1]["received"][figure].as_f64().is_some_and(|value| value >= 0.0), "{figure}: {leg:#}");
    }
    let drawing = bridge.text(&format!("/v1/calls/{id}/ladder.svg"));
    assert_eq!(drawing.matches("stroke-width=\"2\"/>").count(), 2 + 3, "two voices, three lifelines");

    let bridge = Bridge::start_in(bridge.stop_and_keep(), &settings);
    assert_eq!(told(&bridge, &path), (200, before));
    assert_eq!(bridge.text(&format!("/v1/calls/{id}/ladder.svg")), drawing);
}

#[test]
fn a_call_without_sound_and_a_call_that_is_none_are_not_found() {
    let bridge = Bridge::start("");
    let refused = Command::new(env!("CARGO_BIN_EXE_handback")).args(["call", &format!("sip:bridge@{}", bridge.udp)]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let id = bridge.only_call_when_over()["id"].as_str().unwrap().to_owned();
    let (status, why) = told(&bridge, &format!("/v1/calls/{id}/sound"));
    assert!(status == 404 && why.to_string().contains("No sound is kept"), "{why}");
    let (status, why) = told(&bridge, "/v1/calls/0000000000000/sound");
    assert!(status == 404 && why.to_string().contains("There is no call"), "{why}");
}
