//! A voice agent on a SIP leg, played by SIPp: context out, outcome back, and the agents that never come.

use serde_json::Value;

use crate::support::{
    bridge::{Bridge, LOOPBACK_BY_REFER},
    free_port,
    sipp::Sipp,
};

fn bridge_with_agent_at(port: u16) -> Bridge {
    Bridge::start(&format!("{LOOPBACK_BY_REFER}[agent]\nkind = \"sip\"\nuri = \"sip:agent@127.0.0.1:{port}\"\n"))
}

/// Caller and agent play their scenarios through the bridge; what the control API says of the call afterwards.
fn journey(caller: &str, agent: &str) -> Value {
    let agent = Sipp::called(agent);
    let bridge = bridge_with_agent_at(agent.port);
    let agent = agent.start();
    Sipp::caller(caller, bridge.udp).key("task", "billing").plays();
    agent.ends_well();
    bridge.only_call_when_over()
}

#[test]
fn an_agent_gets_the_context_and_ends_with_bye() {
    let call = journey("customer_takes_refer", "agent_ends_with_bye");
    assert_eq!(call["state"], "returned", "{call:#}");
    assert_eq!(call["outcome"], "SYSTEM");
    assert_eq!(call["transfer_variables"]["next_action"], "schedule callback");
    assert_eq!(call["reference_variables"]["account"], "acct-4711-blue");
    assert_eq!(call["legs"].as_array().map(Vec::len), Some(2), "{call:#}");
}

#[test]
fn an_agent_ends_with_refer() {
    let call = journey("customer_takes_refer", "agent_ends_with_refer");
    assert_eq!(call["outcome"], "SYSTEM", "{call:#}");
    assert_eq!(call["transfer_variables"]["next_action"], "schedule callback");
}

#[test]
fn an_agent_that_just_hangs_up_means_a_person_takes_over() {
    let call = journey("customer_takes_refer", "agent_ends_with_plain_bye");
    assert_eq!(call["outcome"], "AGENT", "{call:#}");
    assert_eq!(call["transfer_variables"], serde_json::json!({}));
}

#[test]
fn a_busy_agent_means_a_person_takes_over() {
    let call = journey("customer_takes_refer", "agent_is_busy");
    assert_eq!(call["outcome"], "AGENT", "{call:#}");
    assert_eq!(call["state"], "returned", "{call:#}");
}

#[test]
fn an_absent_agent_means_a_person_takes_over() {
    let bridge = bridge_with_agent_at(free_port());
    Sipp::caller("customer_takes_refer", bridge.udp).key("task", "billing").plays();
    let call = bridge.only_call_when_over();
    assert_eq!(call["outcome"], "AGENT", "{call:#}");
}

#[test]
fn the_sound_of_ringing_reaches_the_caller_before_the_answer() {
    let call = journey("customer_takes_refer", "agent_sends_early_media");
    assert_eq!(call["state"], "returned", "{call:#}");
    let timeline = call["timeline"].to_string();
    assert!(timeline.contains("183"), "{timeline}");
}

#[test]
fn a_caller_that_gives_up_stops_the_agents_ringing() {
    let call = journey("caller_cancels", "agent_only_rings");
    assert_eq!(call["state"], "ended", "{call:#}");
    assert_eq!(call["ended"]["by"], "customer", "{call:#}");
}

#[test]
fn a_customer_that_hangs_up_releases_the_agent() {
    let call = journey("customer_hangs_up", "agent_stays");
    assert_eq!(call["state"], "ended", "{call:#}");
    assert_eq!(call["ended"]["by"], "customer", "{call:#}");
}
