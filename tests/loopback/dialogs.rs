//! What a dialog must bear, with SIPp on the other end: hold, late offers, PRACK, OPTIONS, methods nobody knows.

use std::net::UdpSocket;

use serde_json::Value;

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, Bridge, LOOPBACK_BY_REFER},
    sipp::Sipp,
    until,
};

const LOOPBACK_BY_BYE: &str = "[[peers]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n[peers.return]\nmethod = \"BYE\"\n";

#[test]
fn a_caller_that_holds_gets_recvonly_and_can_come_back() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}"));
    Sipp::caller("caller_holds", bridge.udp).key("task", "patient").plays();
    let call = bridge.only_call_when_over();
    let timeline = call["timeline"].to_string();
    assert!(timeline.contains("on hold") && timeline.contains("resumed"), "{timeline}");
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_BYE}{AGENT_THAT_ENDS_AT_ONCE}"));
    Sipp::caller("caller_offers_late", bridge.udp).key("task", "billing").plays();
    assert_eq!(bridge.only_call_when_over()["state"], "returned");
}

#[test]
fn a_required_reliable_response_is_sent_and_acknowledged() {
    let agent = Sipp::called("agent_stays");
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_BYE}[agent]\nkind = \"sip\"\nuri = \"sip:agent@127.0.0.1:{}\"\n", agent.port));
    let agent = agent.start();
    Sipp::caller("caller_requires_prack", bridge.udp).key("task", "billing").plays();
    agent.ends_well();
}

#[test]
fn options_says_what_the_bridge_can_do() {
    let bridge = Bridge::start(LOOPBACK_BY_BYE);
    Sipp::caller("caller_asks_options", bridge.udp).plays();
}

#[test]
fn an_unknown_method_is_told_so() {
    let bridge = Bridge::start(LOOPBACK_BY_BYE);
    Sipp::caller("caller_sends_unknown_method", bridge.udp).plays();
}

#[test]
fn what_comes_after_the_end_is_judged_and_kept() {
    let settings = format!("{LOOPBACK_BY_BYE}{AGENT_THAT_ENDS_AT_ONCE}");
    let bridge = Bridge::start(&settings);
    Sipp::caller("customer_hangs_up", bridge.udp).key("task", "patient").plays();
    let call = bridge.only_call_when_over();
    let id = call["id"].as_str().unwrap();
    let messages = bridge.messages(&call);
    let bye = messages.iter().filter_map(|message| message["raw"].as_str()).find(|raw| raw.starts_with("BYE ")).unwrap();
    // As if its answers had been lost.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..2 {
        socket.send_to(bye.as_bytes(), bridge.udp).unwrap();
    }
    let found = until("the repeated BYE is a finding", || {
        bridge.call(id)["findings"].as_array()?.iter().find(|finding| finding["rule"] == "retransmitted").cloned()
    });
    assert_eq!((&found["side"], &found["seen"]), (&Value::from("network"), &Value::from("BYE: 3 times, sent by the customer")));
    let messages = bridge.messages(&call);

    let bridge = Bridge::start_in(bridge.stop_and_keep(), &settings);
    assert_eq!(bridge.messages(&call), messages);
    assert!(bridge.call(id)["findings"].as_array().unwrap().contains(&found));
}
