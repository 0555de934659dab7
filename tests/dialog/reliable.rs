//! Reliable provisional responses and PRACK, both ways (RFC 3262).

use handback::sip::{
    dialog::{NewInvite, OfferBy, SessionEnd, UaEvent},
    message::HeaderName,
};

use crate::story::{A, B, Lab, lab::sdp};

fn calls_and_requires_100rel(lab: &mut Lab) -> (handback::sip::dialog::SessionId, handback::sip::dialog::SessionId) {
    let invite = NewInvite { headers: vec![("Require".into(), "100rel".into())], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    (a, lab.is_called())
}

#[test]
fn a_required_reliable_183_is_repeated_until_its_prack_and_the_200_waits() {
    let mut lab = Lab::new();
    let (a, b) = calls_and_requires_100rel(&mut lab);
    lab.loses(B, "183", 1);
    lab.does(B, |ua, now| ua.ring(now, b, 183, Some(sdp("early")), &[])).unwrap();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("early")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    lab.hears(B, |event| matches!(event, UaEvent::Established { .. }));
    assert_eq!(
        lab.messages(),
        [
            "A INVITE",
            "B 183 INVITE, lost",
            "A INVITE again",
            "B 183 INVITE again",
            "B 183 INVITE again",
            "A PRACK",
            "B 200 PRACK",
            "B 200 INVITE",
            "A ACK"
        ]
    );
    let rack = lab.last_request(A, "PRACK").text(HeaderName::RAck).unwrap().into_owned();
    let rseq = lab.last_response(B, 183).number(HeaderName::RSeq).unwrap();
    assert_eq!(rack, format!("{rseq} 1 INVITE"));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn reliable_responses_go_one_after_the_other() {
    let mut lab = Lab::new();
    let (a, b) = calls_and_requires_100rel(&mut lab);
    for code in [180, 183, 182] {
        lab.does(B, |ua, now| ua.ring(now, b, code, None, &[])).unwrap();
    }
    for expected in [180, 183, 182] {
        lab.hears(A, |event| matches!(event, UaEvent::Progress { code, .. } if *code == expected));
    }
    let lines = lab.messages();
    let pracks: Vec<_> = lines.iter().filter(|line| !line.contains("200")).copied().collect();
    assert_eq!(pracks, ["A INVITE", "B 180 INVITE", "A PRACK", "B 183 INVITE", "A PRACK", "B 182 INVITE", "A PRACK"]);
    lab.does(B, |ua, now| ua.reject(now, b, 486, "", &[])).unwrap();
    lab.ends(A, a);
    lab.is_over();
}

/// Found by SIPp on a busy machine: the agent answers at once, and the 200 overtakes the PRACK.
#[test]
fn a_prack_that_the_200_overtook_is_answered() {
    let mut lab = Lab::new();
    let (a, b) = calls_and_requires_100rel(&mut lab);
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("quick")), &[])).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::Established { .. }));
    let lines = lab.messages();
    assert!(lines.contains(&"A PRACK") && lines.contains(&"B 200 PRACK"), "{lines:?}");
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_prack_that_never_comes_ends_the_call_with_504() {
    let mut lab = Lab::new();
    let (a, b) = calls_and_requires_100rel(&mut lab);
    lab.loses(A, "PRACK", 100);
    let start = lab.now;
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    assert!(matches!(lab.ends(B, b), SessionEnd::Rejected { code: 504, .. }));
    assert_eq!((lab.now - start).as_secs(), 32);
    assert!(matches!(lab.ends(A, a), SessionEnd::Rejected { code: 504, .. }));
    lab.is_over();
}

#[test]
fn an_unrequired_180_is_sent_unreliably() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Progress { code: 180, .. }));
    assert!(!lab.last_response(B, 180).has(HeaderName::RSeq));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(B, b);
    lab.is_over();
}

#[test]
fn a_late_offer_in_a_reliable_183_is_answered_in_the_prack() {
    let mut lab = Lab::new();
    let invite = NewInvite { offer: None, headers: vec![("Require".into(), "100rel".into())], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.ring(now, b, 183, Some(sdp("offer of B")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Progress { sdp: Some(_), .. }));
    lab.does(A, |ua, now| ua.answer_offer(now, a, sdp("answer of A"))).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::OfferAnswered { sdp, .. } if sdp == "answer of A"));
    lab.does(B, |ua, now| ua.answer(now, b, None, &[])).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::Established { answer_sdp: None, .. }));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_200() {
    let mut lab = Lab::new();
    let (a, b) = calls_and_requires_100rel(&mut lab);
    lab.loses(A, "PRACK", 1);
    lab.does(B, |ua, now| ua.ring(now, b, 183, Some(sdp("answer")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Progress { .. }));
    let prack = String::from_utf8_lossy(lab.last_request(A, "PRACK").raw())
        .replace("Content-Length: 0", "Content-Type: application/sdp\r\nContent-Length: 3");
    let from = lab.address(A);
    lab.arrives(B, from, &format!("{prack}new"));
    lab.hears(B, |event| matches!(event, UaEvent::Offer { by: OfferBy::Prack, .. }));
    lab.does(B, |ua, now| ua.answer_offer(now, b, sdp("to new"))).unwrap();
    assert_eq!(lab.last_response(B, 200).body(), b"to new");
    lab.does(B, |ua, now| ua.reject(now, b, 480, "", &[])).unwrap();
    lab.ends(A, a);
    lab.is_over();
}

#[test]
fn a_prack_for_nothing_gets_481() {
    let mut lab = Lab::new();
    let (a, b) = calls_and_requires_100rel(&mut lab);
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Progress { .. }));
    lab.passes(std::time::Duration::from_secs(1));
    let prack = String::from_utf8_lossy(lab.last_request(A, "PRACK").raw()).replace("z9hG4bK", "z9hG4bKx").replace("CSeq: 2", "CSeq: 3");
    let from = lab.address(A);
    lab.arrives(B, from, &prack);
    assert_eq!(lab.last_response(B, 481).cseq().unwrap().0, 3);
    lab.does(B, |ua, now| ua.reject(now, b, 486, "", &[])).unwrap();
    lab.ends(A, a);
    lab.is_over();
}
