//! What findings say: whose side, which value, which messages, and a cure that can be carried out.

use super::lab::*;
use crate::{
    findings::{dropped, refused_source},
    model::{
        CallEvent, DroppedVariable, Finding, LegRole, MediaFigures, Party, Payload, PayloadItem, PayloadPart, ReturnMethod,
        ReturnMethodOrAgent, Severity,
        settings::{Peer, Policy, Return},
    },
};

#[track_caller]
fn only(call: &Call) -> Finding {
    let mut findings = call.findings();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

#[test]
fn who_owes_the_ack_is_named_with_the_contact_that_it_goes_to() {
    let invite = request("INVITE", 1).sdp(SDP);
    let ok = answer(&invite, "200 OK").sdp(&our_sdp());
    let finding = only(&Call::new().then(&invite).then(&ok).then(&ok));
    assert_eq!((finding.side, finding.severity, finding.messages.as_slice()), (Party::Customer, Severity::Error, &[1, 2][..]));
    assert!(finding.cure.contains("sip:bridge@192.0.2.1"), "{}", finding.cure);
}

#[test]
fn one_loss_is_a_note_and_four_copies_are_a_warning() {
    let bye = ours("BYE", 1);
    let repeated = |times: usize| only(&(0..times).fold(Call::new().up(), |call, _| call.then(&bye)).then(&answer(&bye, "200 OK")));
    assert_eq!((repeated(2).severity, repeated(4).severity), (Severity::Note, Severity::Warning));
    assert_eq!(repeated(4).messages, [4, 5, 6, 7]);
    let late = Call::new().up().then(&bye).then(&answer(&bye, "200 OK")).then(&bye);
    assert!(only(&late).why.contains("its answers were lost"), "it was answered, and came again");
}

#[test]
fn a_bye_that_nobody_answers_is_the_other_sides() {
    let bye = ours("BYE", 1);
    let finding = only(&Call::new().up().then(&bye).then(&bye).then(&bye).then(&bye));
    assert_eq!((finding.side, finding.seen.as_str()), (Party::Customer, "BYE to 192.0.2.9:5060 sent 4 times, and no answer"));
}

#[test]
fn the_cure_for_a_late_notify_is_a_number() {
    let refer = refer(1);
    let call = Call::new().up().then(&refer).then(&answer(&refer, "202 Accepted")).after(30_000).done(&ours("BYE", 2));
    let finding = only(&call.after(2_400).done(&notify(2, "408 Request Timeout", true)));
    assert_eq!(finding.side, Party::Operator);
    assert_eq!(finding.cure, "Set notify_timeout_secs of this peer above 33, or have the SBC give up on the return URI sooner");
}

#[test]
fn a_failed_transfer_says_why_and_what_to_look_at() {
    let refer = refer(1);
    let call = Call::new().up().then(&refer).then(&answer(&refer, "202 Accepted")).done(&notify(2, "404 Not Found", true));
    let finding = only(&call);
    assert_eq!((finding.seen.as_str(), finding.messages.as_slice()), ("202 to the REFER, then NOTIFY with 404 Not Found", &[4, 5, 6][..]));
    assert!(finding.cure.contains("user part"), "{}", finding.cure);
}

#[test]
fn a_wrong_realm_is_cured_by_the_right_one() {
    let first = request("INVITE", 1).sdp(SDP);
    let refused = answer(&first, "401 Unauthorized").line("WWW-Authenticate", "Digest realm=\"handback\", nonce=\"n\", qop=\"auth\"");
    let credentials = "Digest username=\"u\", realm=\"asterisk\", nonce=\"n\", uri=\"sip:bridge@192.0.2.1\", response=\"5ec2e7\"";
    let again = request("INVITE", 2).sdp(SDP).line("Authorization", credentials);
    let call = Call::new().then(&first).then(&refused).then(&ack(&first).branch("z9hG4bKcINVITE1")).up_with(&again);
    let finding = only(&call);
    assert_eq!(finding.seen, "credentials for realm \"asterisk\", asked for \"handback\"");
    assert!(finding.cure.contains("\"handback\""));
    assert!(!format!("{finding:?}").contains("5ec2e7"), "no digest in a finding");
}

#[test]
fn an_offer_that_nobody_wants_is_told_with_its_codecs_and_the_warning() {
    let asked = ours("INVITE", 1).to("<sip:customer@192.0.2.9>").sdp(&our_sdp().replace(" 0 101", " 18 101"));
    let refused = answer(&asked, "488 Not Acceptable Here").line("Warning", "305 sbc \"G.711 only\"");
    let finding = only(&Call::new().then(&asked).then(&refused).then(&ack(&asked).branch("z9hG4bKbINVITE1")));
    assert_eq!(
        finding.seen,
        "488 Not Acceptable Here to INVITE sip:customer@192.0.2.9 from the customer; offered G729 (RTP/AVP); Warning: 305 sbc \"G.711 only\""
    );
    assert_eq!(finding.side, Party::Customer);
}

#[test]
fn what_was_refused_and_then_worked_is_a_note() {
    let first = ours("INVITE", 1).sdp(&our_sdp());
    let second = ours("INVITE", 2).sdp(&our_sdp()).to("<sip:customer@192.0.2.9>");
    let first = first.to("<sip:customer@192.0.2.9>");
    let refused = answer(&first, "503 Service Unavailable");
    let call = Call::new().then(&first).then(&refused).then(&ack(&first).branch("z9hG4bKbINVITE1"));
    let finding = only(&call.then(&second).then(&answer(&second, "200 OK").sdp(SDP)).then(&ack(&second)));
    assert_eq!((finding.rule.as_ref(), finding.severity), ("server-failure", Severity::Note));
}

#[test]
fn the_fault_of_a_large_message_is_counted() {
    let invite = request("INVITE", 1).sdp(SDP).line("X-Long", &"x".repeat(1_300));
    let finding = only(&Call::new().up_with(&invite));
    let size: usize = finding.seen.split(' ').nth(2).and_then(|n| n.parse().ok()).expect("a size");
    assert_eq!(finding.cure, format!("Send over TCP, or {} bytes less", size - 1_300));
}

#[test]
fn findings_name_their_messages_and_come_once() {
    let invite = request("INVITE", 1).line("X-GA-iv-a", "1").line("X-GA-iv-a", "2").sdp(SDP);
    let mut call = Call::new().up_with(&invite).then(&invite);
    let found = call.findings();
    assert_eq!(rules(&found), ["context-header-repeated", "retransmitted"]);
    assert_eq!((found[0].messages.as_slice(), found[0].side), (&[0][..], Party::Customer));
    // The switch tells of the context while the call arrives, and knows no messages then.
    let live = Finding { messages: vec![], ..found[0].clone() };
    call.record.apply(crate::model::Timestamp(START), &CallEvent::FindingRaised { finding: live });
    for finding in call.findings() {
        call.record.apply(crate::model::Timestamp(START), &CallEvent::FindingRaised { finding });
    }
    assert_eq!(rules(&call.record.findings), ["context-header-repeated", "retransmitted"]);
    assert_eq!(call.record.findings[0].messages, [0]);
    assert_eq!(call.findings(), [], "all in the record by now");
}

#[test]
fn a_flood_of_faults_is_cut() {
    let call = (2..1_000).fold(Call::new().up(), |call, number| call.then(&request("INFO", number).from(&format!("<sip:a{number}@h>"))));
    assert_eq!(call.findings().len(), 256);
}

#[test]
fn a_test_call_that_hears_nothing_is_the_bridges() {
    let mut call = Call::new().heard(MediaFigures { packets_sent: 100, ..MediaFigures::default() });
    assert_eq!(only(&call).side, Party::Customer);
    call.record.test_call = true;
    assert_eq!(only(&call).side, Party::Bridge);
    let agent = Call::new();
    assert_eq!(agent.told(&opened(LegRole::Agent)).findings(), []);
}

#[test]
fn a_variable_that_was_dropped_is_cured_in_characters() {
    let item = |name: &str, value: &str, cost| PayloadItem {
        part: PayloadPart::Transfer,
        parameter: format!("X-GA-tv-{name}"),
        value: value.to_owned(),
        cost,
        start: 0,
        end: 0,
    };
    let gone = |name: &str, value: &str, cost, left| DroppedVariable {
        part: PayloadPart::Reference,
        parameter: format!("X-GA-rv-{name}"),
        value: value.to_owned(),
        cost,
        left,
    };
    let payload = Payload {
        items: vec![item("summary", &"x".repeat(500), 520), item("id", "1", 12)],
        dropped: vec![gone("full_address", "Main Street 1", 95, 12), gone("b", "2", 11, 12)],
        ..Payload::default()
    };
    let finding = dropped(&payload).expect("a finding");
    assert_eq!(finding.seen, "X-GA-rv-full_address, X-GA-rv-b (the first needs 95 characters, and 12 were left)");
    assert_eq!(finding.cure, "Shorten summary by 83 characters to make full_address fit, or set first what matters most");
    let alone = Payload { items: vec![], dropped: vec![gone("notes", &"é ".repeat(500), 4_000, 1_000)], ..Payload::default() };
    assert!(dropped(&alone).expect("a finding").cure.starts_with("notes alone needs 3000 characters more"), "shortening can't do it");
    assert_eq!(dropped(&Payload::default()), None);
}

#[test]
fn a_refused_source_names_the_nearest_rule() {
    let peer = |name: &str, networks: &[&str]| Peer {
        name: name.to_owned(),
        networks: networks.iter().map(|n| n.parse().expect("a network")).collect(),
        policy: Policy::Either,
        users: Vec::new(),
        allow_md5: true,
        record: None,
        returns: Return {
            method: ReturnMethod::Bye,
            uri: None,
            fallback: ReturnMethodOrAgent::Bye,
            notify_timeout_secs: 30,
            auth: None,
            hosts: Vec::new(),
        },
    };
    let peers = [peer("east", &["10.4.0.0/16", "2001:db8::/32"]), peer("west", &["192.0.2.0/29"])];
    let seen = |ip: &str| refused_source(ip.parse().expect("an address"), &peers).seen;
    assert_eq!(seen("192.0.2.9"), "192.0.2.9; the nearest rule is 192.0.2.0/29 of west");
    assert_eq!(seen("::ffff:10.5.0.1"), "10.5.0.1; the nearest rule is 10.4.0.0/16 of east");
    assert_eq!(seen("2001:db9::1"), "2001:db9::1; the nearest rule is 2001:db8::/32 of east");
    assert!(refused_source("10.0.0.1".parse().expect("an address"), &[]).seen.contains("no peer is configured"));
}
