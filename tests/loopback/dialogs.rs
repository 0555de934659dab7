//! What a dialog must bear, with SIPp on the other end: hold, late offers, PRACK, OPTIONS, methods nobody knows.

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, Bridge, LOOPBACK_BY_REFER},
    sipp::Sipp,
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
