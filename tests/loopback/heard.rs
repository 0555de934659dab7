//! Sound, with baresip on both ends: each side hears the other's tone, whatever codecs the two legs speak.

use crate::support::{
    baresip::Baresip,
    bridge::{AGENT_THAT_PLAYS_A_TONE, Bridge, LOOPBACK_BY_REFER},
    tone::purity,
};

/// Two seconds at 8 kHz.
const LONG_ENOUGH: u64 = 16_000;

fn two_phones_hear_each_other(settings: &str, caller_codec: &str, agent_codec: &str) {
    let mut agent = Baresip::start(440, agent_codec, true);
    let bridge = Bridge::start_with(
        settings,
        &format!("{LOOPBACK_BY_REFER}[agent]\nkind = \"sip\"\nuri = \"sip:phone@127.0.0.1:{}\"\n", agent.port),
    );
    let mut caller = Baresip::start(1000, caller_codec, false);
    caller.dials(&format!("sip:bridge@{}", bridge.udp));
    caller.sees("CALL_ESTABLISHED");
    agent.sees("CALL_ESTABLISHED");
    caller.listens_for(LONG_ENOUGH);
    agent.listens_for(LONG_ENOUGH);
    caller.hangs_up();
    caller.sees("CALL_CLOSED");
    agent.sees("CALL_CLOSED");

    let (heard, rate) = caller.heard();
    assert!(purity(&heard, rate, 440.0) > 0.9, "the caller hears the agent's 440 Hz: {}", purity(&heard, rate, 440.0));
    let (heard, rate) = agent.heard();
    assert!(purity(&heard, rate, 1000.0) > 0.9, "the agent hears the caller's 1000 Hz: {}", purity(&heard, rate, 1000.0));

    let call = bridge.only_call_when_over();
    for leg in call["legs"].as_array().unwrap() {
        assert!(leg["media"]["packets_received"].as_u64().unwrap_or(0) >= 90, "{leg:#}");
        assert_eq!(leg["media"]["packets_lost"], 0, "{leg:#}");
    }
}

#[test]
fn caller_and_agent_hear_each_other() {
    two_phones_hear_each_other("", "pcmu", "pcmu");
}

#[test]
fn caller_and_agent_hear_each_other_across_codecs() {
    two_phones_hear_each_other("", "pcma", "pcmu");
}

#[test]
fn caller_and_agent_hear_each_other_in_g722() {
    two_phones_hear_each_other(WIDEBAND, "g722/16000/1", "g722/16000/1");
}

#[test]
fn caller_and_agent_hear_each_other_in_opus() {
    two_phones_hear_each_other(WIDEBAND, "opus/48000/2", "opus/48000/2");
}

#[test]
fn an_opus_phone_and_one_of_g711_hear_each_other() {
    two_phones_hear_each_other(WIDEBAND, "opus/48000/2", "pcmu");
}

#[test]
fn a_g722_phone_and_one_of_opus_hear_each_other() {
    two_phones_hear_each_other(WIDEBAND, "g722/16000/1", "opus/48000/2");
}

const WIDEBAND: &str = "[media]\naddress = \"127.0.0.1\"\ncodecs = [\"opus\", \"G722\", \"PCMU\", \"PCMA\"]\n";

#[test]
fn a_caller_hears_what_the_script_plays() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_PLAYS_A_TONE}"));
    let mut caller = Baresip::start(1000, "pcmu", false);
    caller.dials(&format!("sip:bridge@{}", bridge.udp));
    caller.sees("CALL_ESTABLISHED");
    caller.listens_for(LONG_ENOUGH);
    caller.hangs_up();
    caller.sees("CALL_CLOSED");
    let (heard, rate) = caller.heard();
    assert!(purity(&heard, rate, 440.0) > 0.9, "{}", purity(&heard, rate, 440.0));
}
