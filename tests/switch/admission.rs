//! Who gets in, and what those hear that do not (contract §1).

use std::time::Duration;

use handback::{
    model::{
        CallEvent, CallState, Command,
        settings::{Policy, Secret, Settings, User},
    },
    sip::dialog::SessionEnd,
};

use crate::lab::{Customer, Lab, credentials, settings};

fn stranger(method: &str, from: &str, call_id: &str) -> String {
    format!(
        "{method} sip:bridge@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{call_id}{method}\nMax-Forwards: 70\n\
         From: <sip:x@{from}>;tag=1\nTo: <sip:bridge@192.0.2.1>\nCall-ID: {call_id}\nCSeq: 1 {method}\n\
         Contact: <sip:x@{from}>\nContent-Length: 0\n\n"
    )
}

fn by_digest() -> Settings {
    let mut settings = settings();
    settings.peers[0].networks.clear();
    settings.peers[0].users = vec![User { username: "sbc".into(), secret: Secret::new("secret") }];
    settings
}

#[test]
fn an_address_that_no_peer_holds_gets_403_and_a_record_with_the_nearest_rule() {
    let mut lab = Lab::new(settings());
    let far = "192.0.2.77:5060";
    lab.arrives(far, &stranger("INVITE", far, "one"));
    assert_eq!(lab.lines.iter().filter(|l| l.contains("403 INVITE")).count(), 1, "{}", lab.ladder());
    let record = lab.is_over();
    assert_eq!((record.state, record.ended.as_ref().unwrap().code), (CallState::Refused, Some(403)));
    assert!(record.ended.unwrap().reason.contains("192.0.2.10/32 of peer SBC lab"));
    assert_eq!(record.findings[0].rule, "source-not-admitted");
}

#[test]
fn an_invite_that_can_not_be_taken_is_answered_and_recorded() {
    let mut lab = Lab::new(settings());
    // A peer's own address, but an extension that nobody here speaks.
    let from = "192.0.2.10:5060";
    lab.arrives(from, &stranger("INVITE", from, "req").replace("Contact:", "Require: frobnicate\nContact:"));
    assert_eq!(lab.lines.iter().filter(|l| l.contains("420 INVITE")).count(), 1, "{}", lab.ladder());
    let record = lab.is_over();
    assert_eq!((record.state, record.ended.as_ref().unwrap().code), (CallState::Refused, Some(420)));
    assert!(record.ended.unwrap().reason.contains("Require"));
}

#[test]
fn a_repeated_refused_invite_is_one_call() {
    let mut lab = Lab::new(settings());
    let far = "192.0.2.77:5060";
    for _ in 0..3 {
        lab.arrives(far, &stranger("INVITE", far, "same"));
    }
    let arrived = lab.events.iter().filter(|(_, e)| matches!(e, handback::model::CallEvent::CallArrived { .. })).count();
    assert_eq!(arrived, 1);
    lab.is_over();
}

#[test]
fn nothing_configured_admits_nobody_with_any_method() {
    let mut settings = settings();
    settings.peers.clear();
    let mut lab = Lab::new(settings);
    for (n, method) in ["INVITE", "OPTIONS", "REGISTER", "SUBSCRIBE", "MESSAGE", "REFER", "PUBLISH", "FROB"].into_iter().enumerate() {
        let from = format!("192.0.2.{}:5060", 100 + n);
        lab.arrives(&from, &stranger(method, &from, method));
        assert!(lab.ladder().contains(&format!("403 {method}")), "{method}: {}", lab.ladder());
    }
    lab.is_over();
}

#[test]
fn what_a_peer_may_not_ask_is_refused_by_its_own_code() {
    let mut lab = Lab::new(settings());
    let peer = "192.0.2.10:5060";
    for (method, code) in
        [("OPTIONS", 200), ("REGISTER", 405), ("MESSAGE", 405), ("SUBSCRIBE", 489), ("REFER", 603), ("FROB", 501), ("BYE", 481)]
    {
        lab.arrives(peer, &stranger(method, peer, method));
        assert!(lab.ladder().contains(&format!("{code} {method}")), "{method}: {}", lab.ladder());
    }
}

#[test]
fn options_is_answered_to_anyone_where_the_settings_say_so() {
    let mut settings = settings();
    settings.sip.options_for_anyone = true;
    let mut lab = Lab::new(settings);
    let far = "198.51.100.7:5060";
    lab.arrives(far, &stranger("OPTIONS", far, "ping"));
    assert!(lab.ladder().contains("200 OPTIONS"));
}

#[test]
fn digest_admits_after_a_challenge() {
    let mut lab = Lab::new(by_digest());
    let call = lab.calls_with(|invite| invite.credentials = Some(credentials("secret")));
    lab.passes(Duration::from_secs(1));
    lab.presses('1');
    assert_eq!(lab.told(Customer)[..2], ["401 INVITE", "200 INVITE"]);
    let admission = serde_json::to_string(&lab.record().admission).unwrap();
    assert!(admission.contains("SHA-256"), "{admission}");
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_wrong_password_is_challenged_again_and_told_to_the_operator() {
    let mut lab = Lab::new(by_digest());
    let call = lab.calls_with(|invite| invite.credentials = Some(credentials("guess")));
    assert!(matches!(lab.ends(Customer, call), SessionEnd::Rejected { code: 401, .. }));
    let record = lab.is_over();
    assert_eq!(record.state, CallState::Refused);
    assert!(record.ended.unwrap().reason.contains("password is wrong"));
}

#[test]
fn with_both_a_refused_address_is_never_challenged() {
    let mut settings = by_digest();
    settings.peers[0].policy = Policy::Both;
    settings.peers[0].networks = vec!["192.0.2.10/32".parse().unwrap()];
    let mut lab = Lab::new(settings);
    let far = "192.0.2.77:5060";
    lab.arrives(far, &stranger("INVITE", far, "far"));
    assert!(lab.ladder().contains("403 INVITE") && !lab.ladder().contains("401"));
    lab.calls_with(|invite| invite.credentials = Some(credentials("secret")));
    lab.passes(Duration::from_secs(1));
    lab.presses('1');
    assert!(lab.told(Customer).contains(&"200 INVITE".to_owned()));
}

#[test]
fn repeated_failures_fall_silent_and_running_calls_go_on() {
    let mut lab = Lab::new(settings());
    let far = "192.0.2.77:5060";
    for n in 0..100 {
        lab.arrives(far, &stranger("INVITE", far, &format!("guess{n}")));
    }
    assert_eq!(lab.lines.iter().filter(|l| l.contains("403 INVITE")).count(), 10);
    assert!(handback::party::Party::gauges(&lab.switch).dropped >= 80);
    assert!(lab.events.iter().any(|(_, e)| matches!(e, CallEvent::FindingRaised { finding } if finding.rule == "source-silenced")));
    let call = lab.in_a_call();
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn overload_is_503_and_running_calls_come_first() {
    let mut settings = settings();
    settings.limits.calls = 1;
    let mut lab = Lab::new(settings);
    let first = lab.in_a_call();
    let second = lab.calls();
    assert!(matches!(lab.ends(Customer, second), SessionEnd::Rejected { code: 503, .. }));
    assert!(lab.sent.iter().any(|(_, t)| String::from_utf8_lossy(&t.bytes).contains("Retry-After:")));
    lab.does(Customer, |ua, now| ua.hang_up(now, first, &[], None)).unwrap();
    lab.is_over();

    let mut settings = self::settings();
    settings.limits.calls_per_second = 2;
    let mut lab = Lab::new(settings);
    let calls: Vec<_> = (0..4).map(|_| lab.calls()).collect();
    lab.passes(Duration::from_secs(2));
    assert_eq!(lab.told(Customer).iter().filter(|l| *l == "503 INVITE").count(), 2);
    for call in calls {
        let _ = lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None));
    }
    lab.is_over();
}

#[test]
fn draining_takes_no_new_calls() {
    let mut lab = Lab::new(settings());
    let running = lab.in_a_call();
    lab.commands(Command::Drain).unwrap();
    let refused = lab.calls();
    assert!(matches!(lab.ends(Customer, refused), SessionEnd::Rejected { code: 503, .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, running, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn without_an_rtp_port_a_call_is_refused_and_with_one_it_waits_for_it() {
    let mut lab = Lab::new(settings());
    lab.ports = 0..0;
    let mut calls = Vec::new();
    for _ in 0..40 {
        calls.push(lab.calls());
    }
    lab.passes(Duration::from_secs(1));
    let told = lab.told(Customer);
    assert_eq!(told.iter().filter(|l| *l == "200 INVITE").count(), 32, "those kept ready");
    assert_eq!(told.iter().filter(|l| *l == "503 INVITE").count(), 8);
    for call in calls {
        let _ = lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None));
    }
    lab.is_over();
}

#[test]
fn a_call_that_comes_back_to_us_is_482_and_one_that_may_go_no_further_483() {
    let mut settings = crate::lab::with_agent(settings());
    settings.agent = handback::model::settings::Agent::Sip { uri: "sip:agent@192.0.2.1:5060".into(), ring_timeout_secs: 20 };
    settings.peers[0].networks.push("192.0.2.1/32".parse().unwrap());
    let mut lab = Lab::new(settings);
    lab.calls();
    lab.passes(Duration::from_secs(2));
    assert!(lab.ladder().contains("482 INVITE"), "{}", lab.ladder());
    lab.passes(Duration::from_secs(2));

    let mut lab = Lab::new(self::settings());
    let call = lab.calls_with(|invite| invite.max_forwards = 0);
    assert!(matches!(lab.ends(Customer, call), SessionEnd::Rejected { code: 483, .. }));
}
