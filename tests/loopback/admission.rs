//! Contract §1 with SIPp as the caller: who gets in, and who does not.

use std::{fs, process::Command};

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, Bridge},
    sipp::Sipp,
};

#[test]
fn a_caller_from_no_known_network_is_refused() {
    let elsewhere = "[[peers]]\nname = \"elsewhere\"\nnetworks = [\"10.0.0.0/8\"]\n";
    let bridge = Bridge::start(&format!("{elsewhere}{AGENT_THAT_ENDS_AT_ONCE}"));
    Sipp::caller("caller_is_refused", bridge.udp).key("task", "any").plays();
    let call = bridge.only_call_when_over();
    assert_eq!(call["state"], "refused", "{call:#}");
    assert_eq!(call["ended"]["code"], 403, "{call:#}");
}

#[test]
fn with_no_peer_nobody_gets_in() {
    let bridge = Bridge::start(AGENT_THAT_ENDS_AT_ONCE);
    Sipp::caller("caller_is_refused", bridge.udp).key("task", "any").plays();
}

const DIGEST_ONLY: &str = r#"
[[peers]]
name = "by digest"
users = [{ username = "sbc-east", secret = "open sesame" }]
[peers.return]
method = "BYE"
"#;

#[test]
fn an_unknown_caller_is_challenged_strongest_first() {
    let bridge = Bridge::start(&format!("{DIGEST_ONLY}{AGENT_THAT_ENDS_AT_ONCE}"));
    Sipp::caller("caller_is_challenged", bridge.udp).key("task", "any").plays();
}

/// `handback call` answers the challenge: Debian's SIPp stops at a first challenge that is not MD5.
#[test]
fn a_caller_with_the_right_password_is_admitted_and_one_with_a_wrong_one_is_not() {
    let bridge = Bridge::start(&format!("{DIGEST_ONLY}{AGENT_THAT_ENDS_AT_ONCE}"));
    let call = |password: &str| {
        let file = bridge.folder.path().join("password");
        fs::write(&file, format!("{password}\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_handback"));
        command.arg("call").arg(format!("sip:bridge@{}", bridge.udp)).args(["--user", "sbc-east", "--json", "--password-file"]).arg(&file);
        command.output().unwrap()
    };
    let right = call("open sesame");
    assert_eq!(right.status.code(), Some(0), "{}", String::from_utf8_lossy(&right.stdout));
    let told = bridge.only_call_when_over();
    assert_eq!(told["state"], "returned", "{told:#}");
    assert_eq!(told["admission"]["digest"]["user"], "sbc-east", "{told:#}");
    assert_eq!(call("open barley").status.code(), Some(1));
}
