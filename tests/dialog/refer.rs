//! REFER and its NOTIFYs, both ways (RFC 3515, RFC 4488, RFC 5057).

use std::time::Duration;

use handback::sip::{
    dialog::{ReferId, SessionEnd, SessionId, UaEvent},
    message::HeaderName,
};

use super::changes::within;
use crate::story::{A, B, Lab};

/// B asks A to refer; A has it in hand.
fn referred(lab: &mut Lab) -> (SessionId, SessionId, ReferId, ReferId) {
    let (a, b) = lab.in_a_call();
    lab.forget();
    let ours = lab.does(B, |ua, now| ua.refer(now, b, "<sip:return@example.com?X-GA-transfer=SYSTEM>", &[])).unwrap();
    let heard = lab.hears(A, |event| matches!(event, UaEvent::Refer { .. }));
    let UaEvent::Refer { refer, request, .. } = heard else { unreachable!() };
    assert_eq!(request.text(HeaderName::ReferTo).as_deref(), Some("<sip:return@example.com?X-GA-transfer=SYSTEM>"));
    (a, b, refer, ours)
}

fn sipfrag(event: UaEvent) -> (Option<u16>, bool) {
    match event {
        UaEvent::Notify { sipfrag, terminated, .. } => (sipfrag.map(|frag| frag.0), terminated),
        other => panic!("{other:?}"),
    }
}

fn is_notify(event: &UaEvent) -> bool {
    matches!(event, UaEvent::Notify { .. })
}

#[test]
fn a_refer_is_accepted_notified_to_its_end_and_the_call_hung_up() {
    let mut lab = Lab::new();
    let (a, b, refer, _) = referred(&mut lab);
    lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).unwrap();
    lab.does(A, |ua, now| ua.notify(now, a, refer, "SIP/2.0 100 Trying", false)).unwrap();
    lab.does(A, |ua, now| ua.notify(now, a, refer, "SIP/2.0 200 OK", true)).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::ReferResponse { code: 202, .. }));
    assert_eq!(sipfrag(lab.hears(B, is_notify)), (Some(100), false));
    assert_eq!(sipfrag(lab.hears(B, is_notify)), (Some(200), true));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    assert_eq!(lab.ends(B, b), SessionEnd::LocalBye);
    assert_eq!(lab.messages(), ["B REFER", "A 202 REFER", "A NOTIFY", "B 200 NOTIFY", "A NOTIFY", "B 200 NOTIFY", "B BYE", "A 200 BYE"]);
    let notify = lab.last_request(A, "NOTIFY");
    assert_eq!(notify.text(HeaderName::Event).as_deref(), Some("refer;id=1"));
    assert_eq!(notify.body(), b"SIP/2.0 200 OK\r\n");
    lab.is_over();
}

#[test]
fn a_notify_that_overtakes_the_202_is_taken() {
    let mut lab = Lab::new();
    let (a, _, refer, ours) = referred(&mut lab);
    lab.loses(A, "202", 1);
    lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).unwrap();
    lab.does(A, |ua, now| ua.notify(now, a, refer, "SIP/2.0 100 Trying", false)).unwrap();
    assert_eq!(sipfrag(lab.hears(B, is_notify)), (Some(100), false));
    assert!(!lab.has_heard(B, |event| matches!(event, UaEvent::ReferResponse { .. })));
    let response = lab.hears(B, |event| matches!(event, UaEvent::ReferResponse { .. }));
    assert!(matches!(response, UaEvent::ReferResponse { refer, code: 202, .. } if refer == ours));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_refused_refer_keeps_the_call() {
    let mut lab = Lab::new();
    let (a, b, refer, _) = referred(&mut lab);
    lab.does(A, |ua, now| ua.refuse_refer(now, a, refer, 603)).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::ReferResponse { code: 603, .. }));
    assert!(lab.does(A, |ua, now| ua.notify(now, a, refer, "SIP/2.0 200 OK", true)).is_err());
    lab.passes(Duration::from_secs(60));
    assert_eq!(lab.ua(B).session(b).unwrap().state, "Confirmed");
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn notifys_never_overtake_each_other() {
    let mut lab = Lab::with(7, |_| {});
    lab.network.jitter = Duration::from_millis(400);
    let (a, b, refer, _) = referred(&mut lab);
    lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).unwrap();
    for code in [100, 180, 183] {
        lab.does(A, |ua, now| ua.notify(now, a, refer, &format!("SIP/2.0 {code} X"), false)).unwrap();
    }
    lab.does(A, |ua, now| ua.notify(now, a, refer, "SIP/2.0 200 OK", true)).unwrap();
    let codes: Vec<_> = (0..4).map(|_| sipfrag(lab.hears(B, is_notify)).0.unwrap()).collect();
    assert_eq!(codes, [100, 180, 183, 200]);
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_bye_before_the_last_notify_leaves_the_notify_its_200() {
    let mut lab = Lab::new();
    let (a, b, refer, _) = referred(&mut lab);
    lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).unwrap();
    lab.does(A, |ua, now| ua.notify(now, a, refer, "SIP/2.0 200 OK", false)).unwrap();
    assert_eq!(sipfrag(lab.hears(B, is_notify)), (Some(200), false));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::LocalBye);
    // A, hung up on, still owes the last NOTIFY.
    lab.hears(A, |event| matches!(event, UaEvent::Bye { .. }));
    lab.forget();
    lab.does(A, |ua, now| ua.notify(now, a, refer, "SIP/2.0 200 OK", true)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    assert_eq!(lab.messages(), ["A NOTIFY", "B 200 NOTIFY"]);
    assert!(!lab.has_heard(B, is_notify), "nothing comes after the end");
    lab.is_over();
}

#[test]
fn a_peer_that_hangs_up_after_its_202_may_still_tell_the_verdict() {
    let mut lab = Lab::new();
    let (a, b, refer, _) = referred(&mut lab);
    lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::ReferResponse { .. }));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::Bye { .. }));
    assert!(!lab.has_heard(B, |event| matches!(event, UaEvent::Ended { .. })));
    let start = lab.now;
    assert_eq!(lab.ends(B, b), SessionEnd::RemoteBye);
    assert!((lab.now - start).as_secs() >= 31, "it waits for the NOTIFY that never comes");
    lab.is_over();
}

#[test]
fn refer_sub_false_means_no_notify() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.forget();
    lab.does(B, |ua, now| ua.refer(now, b, "<sip:c@example.com>", &[("Refer-Sub".into(), "false".into())])).unwrap();
    let UaEvent::Refer { refer, .. } = lab.hears(A, |event| matches!(event, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).unwrap();
    lab.does(A, |ua, now| ua.notify(now, a, refer, "SIP/2.0 200 OK", true)).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::ReferResponse { code: 202, .. }));
    assert_eq!(lab.last_response(A, 202).text(HeaderName::ReferSub).as_deref(), Some("false"));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.ends(A, a);
    assert_eq!(lab.messages(), ["B REFER", "A 202 REFER", "B BYE", "A 200 BYE"]);
    lab.is_over();
}

#[test]
fn a_refer_without_contact_or_with_two_targets_gets_400() {
    let mut lab = Lab::new();
    let (a, _) = lab.in_a_call();
    let from = lab.address(A);
    let contact = "Contact: <sip:a@192.0.2.1>\n";
    for (cseq, headers) in [
        (2, "Refer-To: <sip:c@d>\n".to_owned()),
        (3, contact.to_owned()),
        (4, format!("{contact}Refer-To: <sip:c@d>\nRefer-To: <sip:e@f>\n")),
    ] {
        let text = within(&lab, "REFER", cseq, &headers, "");
        lab.arrives(B, from, &text);
        assert_eq!(lab.last_response(B, 400).cseq().unwrap().0, cseq);
    }
    assert!(!lab.has_heard(B, |event| matches!(event, UaEvent::Refer { .. })));
    lab.nodes[0].ua.poll_output();
    lab.network.dead.insert(lab.address(B));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(A, a);
}

#[test]
fn a_refer_that_nobody_answers_is_told_as_408() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.network.dead.insert(lab.address(A));
    lab.does(B, |ua, now| ua.refer(now, b, "<sip:c@example.com>", &[])).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::ReferResponse { code: 408, .. }));
    lab.network.dead.clear();
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.ends(A, a);
    lab.is_over();
}

#[test]
fn a_notify_for_nothing_gets_481_and_one_for_another_event_489() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    let from = lab.address(A);
    let text = within(&lab, "NOTIFY", 2, "Contact: <sip:a@192.0.2.1>\nEvent: refer;id=9\nSubscription-State: active\n", "");
    lab.arrives(B, from, &text);
    lab.last_response(B, 481);
    let text = within(&lab, "NOTIFY", 3, "Contact: <sip:a@192.0.2.1>\nEvent: presence\nSubscription-State: active\n", "");
    lab.arrives(B, from, &text);
    lab.last_response(B, 489);
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.ends(A, a);
    lab.is_over();
}

#[test]
fn a_terminated_notify_without_a_body_is_unknown() {
    let mut lab = Lab::new();
    let (a, b, refer, _) = referred(&mut lab);
    lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::ReferResponse { .. }));
    let from = lab.address(A);
    let text = within(&lab, "NOTIFY", 2, "Contact: <sip:a@192.0.2.1>\nEvent: refer\nSubscription-State: terminated;reason=timeout\n", "");
    lab.arrives(B, from, &text);
    assert_eq!(sipfrag(lab.hears(B, is_notify)), (None, true));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Bye { .. }));
    lab.ends(A, a);
    lab.is_over();
}

#[test]
fn two_refers_are_told_apart_by_the_id_of_their_event() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    let first = lab.does(B, |ua, now| ua.refer(now, b, "<sip:one@example.com>", &[])).unwrap();
    let second = lab.does(B, |ua, now| ua.refer(now, b, "<sip:two@example.com>", &[])).unwrap();
    let mut theirs = Vec::new();
    for _ in 0..2 {
        let UaEvent::Refer { refer, .. } = lab.hears(A, |event| matches!(event, UaEvent::Refer { .. })) else { unreachable!() };
        lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).unwrap();
        theirs.push(refer);
    }
    lab.does(A, |ua, now| ua.notify(now, a, theirs[1], "SIP/2.0 200 OK", true)).unwrap();
    let UaEvent::Notify { refer, .. } = lab.hears(B, is_notify) else { unreachable!() };
    assert_eq!(refer, second);
    lab.does(A, |ua, now| ua.notify(now, a, theirs[0], "SIP/2.0 486 Busy", true)).unwrap();
    let UaEvent::Notify { refer, .. } = lab.hears(B, is_notify) else { unreachable!() };
    assert_eq!(refer, first);
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_refer_that_the_application_never_answered_gets_487_when_the_call_ends() {
    let mut lab = Lab::new();
    let (a, b, refer, _) = referred(&mut lab);
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    lab.last_response(A, 487);
    assert!(lab.does(A, |ua, now| ua.accept_refer(now, a, refer, 202)).is_err());
    lab.is_over();
}
