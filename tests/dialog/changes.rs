//! Sessions that change: late offers, re-INVITE, UPDATE, and their collisions (RFC 3261 §13.2.1, §14; RFC 3311).

use std::time::Duration;

use handback::sip::{
    dialog::{NewInvite, OfferBy, SessionEnd, UaEvent},
    message::HeaderName,
};

use crate::story::{A, B, Lab, lab::sdp};

fn is_offer(event: &UaEvent) -> bool {
    matches!(event, UaEvent::Offer { .. })
}

#[test]
fn a_late_offer_comes_in_the_200_and_is_answered_in_the_ack() {
    let mut lab = Lab::new();
    let invite = NewInvite { offer: None, ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("offer of B")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { sdp: Some(sdp), .. } if sdp == "offer of B"));
    lab.passes(Duration::from_secs(1));
    assert!(!lab.messages().contains(&"A ACK"), "the ACK waits for the answer");
    lab.loses(A, "ACK", 1);
    lab.does(A, |ua, now| ua.answer_offer(now, a, sdp("answer of A"))).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::Established { answer_sdp: Some(sdp), .. } if sdp == "answer of A"));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_late_offer_that_cannot_be_taken_is_acknowledged_and_hung_up() {
    let mut lab = Lab::new();
    let invite = NewInvite { offer: None, ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("offer of B")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    lab.does(A, |ua, now| ua.refuse_offer(now, a, 488)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::RemoteBye);
    assert_eq!(lab.ends(A, a), SessionEnd::LocalBye);
    lab.is_over();
}

#[test]
fn a_reinvite_is_offered_answered_and_acknowledged() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.forget();
    lab.does(A, |ua, now| ua.offer(now, a, sdp("hold"))).unwrap();
    let offer = lab.hears(B, is_offer);
    assert!(matches!(offer, UaEvent::Offer { by: OfferBy::Reinvite, sdp, .. } if sdp == "hold"));
    lab.loses(A, "ACK", 1);
    lab.does(B, |ua, now| ua.answer_offer(now, b, sdp("held"))).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::OfferAnswered { sdp, .. } if sdp == "held"));
    lab.passes(Duration::from_secs(2));
    assert_eq!(lab.messages(), ["A INVITE", "B 200 INVITE", "A ACK, lost", "B 200 INVITE again", "A ACK again"]);
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_refused_offer_leaves_the_session_as_it_was() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.does(B, |ua, now| ua.offer(now, b, sdp("video"))).unwrap();
    lab.hears(A, is_offer);
    lab.does(A, |ua, now| ua.refuse_offer(now, a, 488)).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::OfferRefused { code: 488, .. }));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::RemoteBye);
    lab.is_over();
}

#[test]
fn offers_that_collide_are_both_refused_and_tried_again_one_after_the_other() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.forget();
    lab.does(A, |ua, now| ua.offer(now, a, sdp("of A"))).unwrap();
    lab.does(B, |ua, now| ua.offer(now, b, sdp("of B"))).unwrap();
    // B does not own the Call-ID, so it tries again within 2 s; A waits for 2.1 s at least.
    let start = lab.now;
    lab.hears(A, is_offer);
    assert!(lab.now - start < Duration::from_millis(2100));
    lab.does(A, |ua, now| ua.answer_offer(now, a, sdp("to B"))).unwrap();
    lab.hears(B, is_offer);
    assert!(lab.now - start >= Duration::from_millis(2100));
    lab.does(B, |ua, now| ua.answer_offer(now, b, sdp("to A"))).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::OfferAnswered { sdp, .. } if sdp == "to A"));
    assert_eq!(lab.messages().iter().filter(|line| line.contains("491")).count(), 2);
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_second_reinvite_before_the_answer_to_the_first_gets_500_with_retry_after() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.does(A, |ua, now| ua.offer(now, a, sdp("one"))).unwrap();
    lab.hears(B, is_offer);
    let first = lab.last_request(A, "INVITE");
    let text = String::from_utf8_lossy(first.raw()).replace("z9hG4bK", "z9hG4bKx").replace("CSeq: 2", "CSeq: 3");
    let from = lab.address(A);
    lab.arrives(B, from, &text);
    let refusal = lab.last_response(B, 500);
    assert!((1..=10).contains(&refusal.number(HeaderName::RetryAfter).unwrap()));
    lab.does(B, |ua, now| ua.answer_offer(now, b, sdp("to one"))).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::OfferAnswered { .. }));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_reinvite_without_sdp_wants_our_offer_and_answers_in_its_ack() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    let text = within(&lab, "INVITE", 2, "Contact: <sip:a@192.0.2.1>\n", "");
    let from = lab.address(A);
    lab.arrives(B, from, &text);
    lab.hears(B, |event| matches!(event, UaEvent::OfferWanted { .. }));
    lab.does(B, |ua, now| ua.answer_offer(now, b, sdp("offer of B"))).unwrap();
    assert_eq!(lab.last_response(B, 200).body(), b"offer of B");
    let ack = within(&lab, "ACK", 2, "Content-Type: application/sdp\n", "answer");
    lab.arrives(B, from, &ack);
    lab.hears(B, |event| matches!(event, UaEvent::OfferAnswered { sdp, .. } if sdp == "answer"));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.ends(A, a);
    lab.is_over();
}

#[test]
fn an_update_with_an_offer_is_answered_in_its_200() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    let text = within(&lab, "UPDATE", 2, "Contact: <sip:a@192.0.2.1:5062>\nContent-Type: application/sdp\n", "moved");
    let from = lab.address(A);
    lab.arrives(B, from, &text);
    lab.hears(B, |event| matches!(event, UaEvent::Offer { by: OfferBy::Update, .. }));
    lab.does(B, |ua, now| ua.answer_offer(now, b, sdp("answer"))).unwrap();
    assert_eq!(lab.last_response(B, 200).body(), b"answer");
    assert_eq!(lab.ua(B).session(b).unwrap().remote_target, "sip:a@192.0.2.1:5062", "the target has moved");
    assert_eq!(lab.ua(B).session(b).unwrap().flow.remote.port(), 5062);
    lab.network.dead.insert("192.0.2.1:5062".parse().unwrap());
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(B, b);
    lab.is_over();
}

#[test]
fn a_cancelled_reinvite_gets_487_and_changes_nothing() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.does(A, |ua, now| ua.offer(now, a, sdp("hold"))).unwrap();
    lab.hears(B, is_offer);
    let invite = lab.last_request(A, "INVITE");
    let cancel = String::from_utf8_lossy(invite.raw()).replace("INVITE", "CANCEL");
    let head = cancel.split_once("\r\n\r\n").unwrap().0;
    let head: Vec<_> = head.lines().filter(|line| !line.starts_with("Content")).collect();
    let from = lab.address(A);
    lab.arrives(B, from, &format!("{}\nContent-Length: 0\n\n", head.join("\n")));
    lab.hears(A, |event| matches!(event, UaEvent::OfferRefused { code: 487, .. }));
    assert!(lab.does(B, |ua, now| ua.answer_offer(now, b, sdp("late"))).is_err());
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_bye_answers_a_pending_reinvite_with_487() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.does(A, |ua, now| ua.offer(now, a, sdp("hold"))).unwrap();
    lab.hears(B, is_offer);
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    assert!(lab.messages().contains(&"B 487 INVITE"));
    lab.is_over();
}

#[test]
fn a_reinvite_that_nobody_answers_ends_the_session() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.network.dead.insert(lab.address(B));
    lab.does(A, |ua, now| ua.offer(now, a, sdp("hold"))).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::Timeout);
    lab.network.dead.clear();
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.is_over();
}

/// A request of A's inside the dialog that A's own user agent would not send.
pub fn within(lab: &Lab, method: &str, cseq: u32, headers: &str, body: &str) -> String {
    let (_, info) = lab.ua(A).report_sessions().next().expect("a session");
    format!(
        "{method} sip:b@192.0.2.2 SIP/2.0\nVia: SIP/2.0/UDP {};branch=z9hG4bK{method}{cseq}\nMax-Forwards: 70\nFrom: {}\nTo: {}\nCall-ID: {}\n\
         CSeq: {cseq} {method}\n{headers}Content-Length: {}\n\n{body}",
        lab.address(A),
        info.local,
        info.remote,
        info.call_id,
        body.len()
    )
}
