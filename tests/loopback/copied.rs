//! A test call copied for others: the scenario plays in SIPp, and the line for a shell places the same call.

use std::{process::Command, time::Instant};

use handback::{
    customer::{CustomerSetup, preview},
    export::test_call::{command_line, sipp_scenario},
    model::{OnReturn, ReturnMethod, TestCall, TransportName},
    sip::transport::Transport,
};
use serde_json::Value;

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, Bridge, LOOPBACK_BY_REFER},
    sipp::Sipp,
};

fn bridge() -> Bridge {
    Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}"))
}

fn test_call(bridge: &Bridge, on_return: OnReturn) -> TestCall {
    TestCall {
        uri: format!("sip:bridge@{}", bridge.udp),
        from: Some("\"[Sales] it's\" <sip:customer@sbc.example.com>".into()),
        task: Some("billing".into()),
        conversation: Some("conversation-1".into()),
        iv: [("accountNumber".to_owned(), "47 [11]".to_owned())].into_iter().collect(),
        headers: vec!["X-Extra: a]]>b".into()],
        on_return,
        ..TestCall::default()
    }
}

fn plays(on_return: OnReturn, over_tcp: bool) -> Value {
    let bridge = bridge();
    let call = TestCall { transport: over_tcp.then_some(TransportName::Tcp), ..test_call(&bridge, on_return) };
    let sbc = "127.0.0.1:5071".parse().unwrap();
    let setup = CustomerSetup::new(Instant::now(), vec![(Transport::Udp, sbc), (Transport::Tcp, sbc)], Vec::new(), 7);
    let invite = preview(&call, &setup).unwrap();
    let scenario = sipp_scenario(std::str::from_utf8(&invite.bytes).unwrap(), &call, ReturnMethod::Refer);
    let sipp = Sipp::caller_with(&scenario, bridge.udp);
    if over_tcp { sipp.over_tcp() } else { sipp }.plays();
    bridge.only_call_when_over()
}

#[test]
fn the_scenario_hands_over_the_same_context_and_takes_the_return() {
    let call = plays(OnReturn::Accept, false);
    assert_eq!(call["state"], "returned", "{call:#}");
    assert_eq!(call["context"]["taskName"], "billing");
    assert_eq!(call["context"]["inputVariables"]["accountNumber"], "47 [11]");
    assert_eq!(call["returns"][0]["verdict"]["verdict"], "succeeded", "{call:#}");
}

#[test]
fn the_scenario_fails_the_return_as_the_form_says() {
    for on_return in [OnReturn::Refuse, OnReturn::AcceptThenFail] {
        assert_eq!(plays(on_return, false)["returns"][0]["verdict"]["verdict"], "failed", "{on_return:?}");
    }
}

#[test]
fn the_scenario_plays_over_tcp() {
    assert_eq!(plays(OnReturn::Accept, true)["state"], "returned");
}

#[test]
fn the_line_for_a_shell_places_the_same_call() {
    let bridge = bridge();
    let line = command_line(&test_call(&bridge, OnReturn::Refuse), "");
    let line = line.replacen("handback", env!("CARGO_BIN_EXE_handback"), 1);
    let told = Command::new("sh").arg("-c").arg(&line).output().unwrap();
    let call = bridge.only_call_when_over();
    assert_eq!(call["context"]["inputVariables"]["accountNumber"], "47 [11]", "{line}\n{}", String::from_utf8_lossy(&told.stderr));
    assert_eq!(call["from"], "sip:customer@sbc.example.com");
}
