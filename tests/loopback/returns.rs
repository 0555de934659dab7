//! Contract §3 with SIPp as the customer: the three ways back, and what happens when they fail.

use serde_json::Value;

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, Bridge, LOOPBACK_BY_REFER},
    program,
    sipp::Sipp,
};

fn bridge_by_refer() -> Bridge {
    Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}"))
}

#[test]
fn a_customer_takes_the_refer_and_reports_success() {
    let bridge = bridge_by_refer();
    let trace = Sipp::caller("customer_takes_refer", bridge.udp).key("task", "billing").plays();
    let call = bridge.only_call_when_over();
    assert_eq!(call["state"], "returned", "{call:#}");
    assert_eq!(call["context"]["taskName"], "billing");
    assert_eq!(call["context"]["customerId"], "customer-7");
    assert_eq!(call["context"]["inputVariables"]["accountNumber"], "acct-4711-blue");
    assert_eq!(call["returns"][0]["verdict"]["verdict"], "succeeded", "{call:#}");
    assert_eq!(findings_that_matter(&call), Vec::<&Value>::new());

    // Order and escaping as the contract says, on the wire.
    let refer_to = "<sip:transfer@127.0.0.1:5999;user=phone?X-GA-extConId=conversation-1&X-GA-transfer=SYSTEM\
                    &X-GA-tv-next_action=schedule%20callback&X-GA-rv-account=acct-4711-blue>";
    assert!(trace.contains(refer_to), "{trace}");

    // The same journey as text, and as a capture that Wireshark reads without complaint.
    let id = call["id"].as_str().unwrap();
    let ladder = bridge.text(&format!("/v1/calls/{id}/ladder.txt"));
    for word in ["INVITE", "REFER", "202", "NOTIFY", "BYE"] {
        assert!(ladder.contains(word), "no {word} in\n{ladder}");
    }
    let capture = bridge.folder.path().join("call.pcap");
    std::fs::write(&capture, bridge.bytes(&format!("/v1/calls/{id}/capture.pcap"))).unwrap();
    let told = program("tshark")
        .arg("-r")
        .arg(&capture)
        .args([
            "-d",
            &format!("udp.port=={},sip", bridge.udp.port()),
            "-T",
            "fields",
            "-e",
            "sip.Method",
            "-e",
            "_ws.malformed",
            "-Y",
            "sip.Method",
        ])
        .output()
        .unwrap();
    let methods = String::from_utf8_lossy(&told.stdout).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for method in ["INVITE", "ACK", "REFER", "NOTIFY", "BYE"] {
        assert!(methods.iter().any(|seen| seen == method), "no {method} in {methods:?}: {}", String::from_utf8_lossy(&told.stderr));
    }
    assert!(!methods.iter().any(|seen| seen.contains("alformed")), "{methods:?}");
}

#[test]
fn every_message_of_the_call_is_kept_as_it_crossed_the_wire() {
    let bridge = bridge_by_refer();
    Sipp::caller("customer_takes_refer", bridge.udp).key("task", "billing").plays();
    let call = bridge.only_call_when_over();
    let lines: Vec<String> =
        bridge.messages(&call).iter().map(|message| message["start_line"].as_str().unwrap_or_default().to_owned()).collect();
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    for start in ["INVITE ", "SIP/2.0 200", "ACK ", "REFER ", "SIP/2.0 202", "NOTIFY ", "BYE "] {
        assert!(has(start), "no {start} in {lines:#?}");
    }
}

#[test]
fn the_same_journey_over_tcp() {
    let bridge = bridge_by_refer();
    Sipp::caller("customer_takes_refer", bridge.tcp).over_tcp().key("task", "billing").plays();
    let call = bridge.only_call_when_over();
    assert_eq!(call["state"], "returned", "{call:#}");
}

#[test]
fn a_refused_refer_falls_back_to_bye() {
    let bridge = bridge_by_refer();
    Sipp::caller("customer_refuses_refer", bridge.udp).key("task", "billing").plays();
    let call = bridge.only_call_when_over();
    assert_eq!(call["returns"][0]["method"], "REFER", "{call:#}");
    assert_eq!(call["returns"][0]["verdict"]["verdict"], "failed", "{call:#}");
    assert_eq!(call["returns"][1]["method"], "BYE", "{call:#}");
}

#[test]
fn a_failure_after_202_is_no_success() {
    let bridge = bridge_by_refer();
    Sipp::caller("customer_fails_after_202", bridge.udp).key("task", "billing").plays();
    let call = bridge.only_call_when_over();
    assert_eq!(call["returns"][0]["verdict"]["verdict"], "failed", "{call:#}");
    assert_eq!(call["returns"][0]["last_code"], 503, "{call:#}");
    assert_eq!(call["returns"][1]["method"], "BYE", "{call:#}");
}

#[test]
fn a_customer_is_sent_back_by_bye() {
    let peer = "[[peers]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n[peers.return]\nmethod = \"BYE\"\n";
    let bridge = Bridge::start(&format!("{peer}{AGENT_THAT_ENDS_AT_ONCE}"));
    Sipp::caller("customer_gets_bye", bridge.udp).key("task", "billing").plays();
    let call = bridge.only_call_when_over();
    assert_eq!(call["state"], "returned", "{call:#}");
    assert_eq!(call["outcome"], "SYSTEM");
    assert_eq!(call["transfer_variables"]["next_action"], "schedule callback");
}

#[test]
fn a_return_endpoint_that_challenges_gets_the_invite_with_credentials() {
    let endpoint = Sipp::called("return_endpoint_challenges").key("task", "-");
    let peer = format!(
        "[[peers]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n[peers.return]\nmethod = \"INVITE\"\nuri = \"sip:transfer@127.0.0.1:{}\"\n\
         auth = {{ username = \"returner\", secret = \"open sesame\" }}\n",
        endpoint.port
    );
    let bridge = Bridge::start(&format!("{peer}{AGENT_THAT_ENDS_AT_ONCE}"));
    let endpoint = endpoint.start();
    Sipp::caller("customer_gets_bye", bridge.udp).key("task", "billing").plays();
    let trace = endpoint.ends_well();
    assert!(trace.contains("X-GA-tv-next_action: schedule callback"), "{trace}");
    let call = bridge.only_call_when_over();
    assert_eq!(call["returns"][0]["method"], "INVITE", "{call:#}");
    assert_eq!(call["returns"][0]["verdict"]["verdict"], "succeeded", "{call:#}");
}

#[test]
fn a_return_endpoint_that_declines_makes_the_fallback_a_bye() {
    let endpoint = Sipp::called("return_endpoint_refuses");
    let peer = format!(
        "[[peers]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n[peers.return]\nmethod = \"INVITE\"\nuri = \"sip:transfer@127.0.0.1:{}\"\n",
        endpoint.port
    );
    let bridge = Bridge::start(&format!("{peer}{AGENT_THAT_ENDS_AT_ONCE}"));
    let endpoint = endpoint.start();
    Sipp::caller("customer_gets_bye", bridge.udp).key("task", "billing").plays();
    endpoint.ends_well();
    let call = bridge.only_call_when_over();
    assert_eq!(call["returns"][0]["verdict"]["verdict"], "failed", "{call:#}");
    assert_eq!(call["returns"][1]["method"], "BYE", "{call:#}");
}

#[test]
fn a_customer_that_hangs_up_first_is_not_returned() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}"));
    Sipp::caller("customer_hangs_up", bridge.udp).key("task", "patient").plays();
    let call = bridge.only_call_when_over();
    assert_eq!(call["state"], "ended", "{call:#}");
    assert_eq!(call["ended"]["by"], "customer", "{call:#}");
    assert_eq!(call["returns"].as_array().map(Vec::len), Some(0), "{call:#}");
}

#[test]
fn the_operator_ends_the_agents_part_over_the_control_api() {
    let bridge = bridge_by_refer();
    let customer = Sipp::caller("customer_takes_refer", bridge.udp).key("task", "patient").start();
    let call = bridge.only_call_in_state("with_agent");
    let path = format!("/v1/calls/{}/return", call["id"].as_str().unwrap());
    let body = r#"{"outcome":"AGENT","transferVariables":{"why":"operator & friends"},"referenceVariables":{}}"#;
    let answer = crate::support::http::post(bridge.control, &path, body);
    assert!(answer.status / 100 == 2, "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    let trace = customer.ends_well();
    assert!(trace.contains("X-GA-transfer=AGENT&X-GA-tv-why=operator%20%26%20friends"), "{trace}");
}

/// Notes are merely unusual; a clean call has nothing above.
fn findings_that_matter(call: &Value) -> Vec<&Value> {
    call["findings"].as_array().into_iter().flatten().filter(|finding| finding["severity"] != "note").collect()
}
