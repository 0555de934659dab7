//! The operator as the agent, acting through the control API; the customer is a test call of another program.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{
    bridge::{Bridge, LOOPBACK_BY_REFER},
    http, until,
};

fn bridge(more: &str) -> Bridge {
    Bridge::start(&format!("{LOOPBACK_BY_REFER}[agent]\nkind = \"operator\"\n{more}"))
}

/// A customer that stays on the line until it is sent back.
fn customer(bridge: &Bridge) -> Child {
    Command::new(env!("CARGO_BIN_EXE_handback"))
        .args(["call", &format!("sip:bridge@{}", bridge.udp), "--json", "--task", "billing", "--conversation", "c-77"])
        .args(["--iv", "accountNumber=acct-4711-blue", "--hang-up-after", "60s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[track_caller]
fn asks(bridge: &Bridge, call: &Value, what: &str, body: &Value) -> u16 {
    let id = call["id"].as_str().unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    http::post(bridge.control, &format!("/v1/calls/{id}/{what}"), &body).status
}

#[test]
fn a_call_is_answered_held_and_handed_back_through_the_api() {
    let bridge = bridge("");
    let customer = customer(&bridge);
    let call = bridge.only_call_in_state("ringing");
    assert_eq!((&call["operator"]["phase"], &call["agent_kind"]), (&json!("waiting"), &json!("operator")));
    assert_eq!(asks(&bridge, &call, "hold", &json!({ "on": true })), 409, "nobody talks yet");
    assert_eq!(asks(&bridge, &call, "answer", &Value::Null), 202);
    let call = bridge.only_call_in_state("with_agent");
    let phase = |wanted: &str| {
        until(wanted, || {
            let call = bridge.calls().into_iter().next()?;
            (call["operator"]["phase"] == wanted).then_some(call)
        })
    };
    phase("talking");
    until("the customer can be put on hold", || (asks(&bridge, &call, "hold", &json!({ "on": true })) == 202).then_some(()));
    until("it is held", || bridge.calls()[0]["operator"]["held_since"].is_u64().then_some(()));
    assert_eq!(asks(&bridge, &call, "hold", &json!({ "on": false })), 202);
    assert_eq!(asks(&bridge, &call, "hold", &json!({ "of": false })), 400);
    let set = json!({ "transferVariables": { "z": "1", "a": "2" }, "referenceVariables": { "r": "3" } });
    assert_eq!(asks(&bridge, &call, "variables", &set), 202);
    assert_eq!(asks(&bridge, &call, "variables", &json!({ "transferVariables": { "a b": "1" } })), 409);
    assert_eq!(asks(&bridge, &call, "listen", &json!({ "side": "both" })), 202);
    assert_eq!(asks(&bridge, &call, "listen", &json!({ "side": "nobody" })), 400);
    assert_eq!(asks(&bridge, &call, "return", &json!({ "outcome": "SYSTEM" })), 202);

    let output = customer.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let text = told.to_string();
    assert!(text.contains("X-GA-tv-z=1&X-GA-tv-a=2&X-GA-rv-r=3"), "in the order in which they were set: {text}");
    let call = phase("wrap_up");
    assert_eq!(asks(&bridge, &call, "done", &Value::Null), 202);
    assert_eq!(asks(&bridge, &call, "done", &Value::Null), 409);
    let call = phase("done");
    for time in ["waited_ms", "talked_ms", "held_ms", "wrapped_up_ms"] {
        assert!(call["operator"][time].is_u64(), "{time}: {call:#}");
    }
    assert_eq!(call["outcome"], "SYSTEM");
    // What is kept has the end of the wrap-up, too.
    let id = call["id"].as_str().unwrap().to_owned();
    let bridge = Bridge::start_in(bridge.stop_and_keep(), &format!("{LOOPBACK_BY_REFER}[agent]\nkind = \"operator\"\n"));
    assert_eq!(bridge.call(&id)["operator"]["phase"], "done");
}

#[test]
fn a_declined_call_goes_back_as_agent() {
    let bridge = bridge("ring_timeout_secs = 30\nringing_tone = true\n");
    let mut customer = customer(&bridge);
    let call = bridge.only_call_in_state("ringing");
    assert!(call["timeline"].to_string().contains("183"), "{call:#}");
    assert_eq!(asks(&bridge, &call, "decline", &Value::Null), 202);
    let call = bridge.only_call_when_over();
    assert_eq!((&call["outcome"], &call["operator"]["phase"]), (&json!("AGENT"), &json!("missed")));
    customer.wait().unwrap();
}

#[test]
fn a_call_that_nobody_answers_in_time_goes_back_as_agent() {
    let bridge = bridge("ring_timeout_secs = 1\n");
    let mut customer = customer(&bridge);
    let call = bridge.only_call_when_over();
    assert_eq!((&call["outcome"], &call["operator"]["phase"]), (&json!("AGENT"), &json!("missed")));
    assert!(call["operator"]["waited_ms"].as_u64().is_some_and(|ms| (900..5_000).contains(&ms)), "{call:#}");
    customer.wait().unwrap();
}
