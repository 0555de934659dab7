//! Calls set up and torn down, and every race on the way (RFC 3261 §9, §13, §15, §17).

use std::time::Duration;

use handback::sip::{
    dialog::{NewInvite, SessionEnd, UaEvent, VerbError},
    message::HeaderName,
    transport::Transport,
};

use crate::story::{
    A, B, Lab,
    lab::{failed, sdp},
};

#[test]
fn a_call_is_answered_and_hung_up() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Progress { code: 180, .. }));
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    let answered = lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    assert!(matches!(answered, UaEvent::Answered { sdp: Some(sdp), .. } if sdp == "answer"));
    lab.hears(B, |event| matches!(event, UaEvent::Established { .. }));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::RemoteBye);
    assert_eq!(lab.ends(A, a), SessionEnd::LocalBye);
    assert_eq!(lab.messages(), ["A INVITE", "B 180 INVITE", "B 200 INVITE", "A ACK", "A BYE", "B 200 BYE"]);
    lab.is_over();
}

#[test]
fn the_callee_hangs_up_and_says_why() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.forget();
    lab.does(B, |ua, now| ua.hang_up(now, b, &[("X-GA-transfer".into(), "AGENT".into())], Some("Q.850;cause=16"))).unwrap();
    let bye = lab.hears(A, |event| matches!(event, UaEvent::Bye { .. }));
    let UaEvent::Bye { request, .. } = bye else { unreachable!() };
    assert_eq!(request.text(HeaderName::Reason).as_deref(), Some("Q.850;cause=16"));
    assert_eq!(request.other("X-GA-Transfer").as_deref(), Some("AGENT"));
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    assert_eq!(lab.ends(B, b), SessionEnd::LocalBye);
    assert_eq!(lab.messages(), ["B BYE", "A 200 BYE"]);
    lab.is_over();
}

#[test]
fn a_silent_callee_sends_100_after_200_ms() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.messages(), ["A INVITE", "B 100 INVITE"]);
    lab.does(B, |ua, now| ua.reject(now, b, 486, "", &[])).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::Rejected { code: 486, reason: "Busy Here".into() });
    assert_eq!(lab.messages(), ["A INVITE", "B 100 INVITE", "B 486 INVITE", "A ACK"]);
    lab.is_over();
}

#[test]
fn a_call_over_tcp_repeats_nothing_and_uses_one_connection() {
    let mut lab = Lab::new();
    let invite = NewInvite { next_hops: vec![(Transport::Tcp, lab.address(B))], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    lab.passes(Duration::from_secs(3));
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    lab.hears(B, |event| matches!(event, UaEvent::Established { .. }));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.ends(A, a);
    lab.ends(B, b);
    let by_tcp = ["A INVITE", "B 100 INVITE", "B 200 INVITE", "A ACK", "B BYE", "A 200 BYE"].map(|line| format!("{line} by TCP"));
    assert_eq!(lab.messages(), by_tcp);
    assert!(lab.sent.iter().skip(1).all(|(_, transmit)| transmit.flow.connection.is_some()), "the caller's connection serves all");
    lab.is_over();
}

#[test]
fn a_lost_invite_is_repeated_and_its_repetition_absorbed() {
    let mut lab = Lab::new();
    lab.loses(A, "INVITE", 1);
    lab.loses(B, "200 INVITE", 1);
    let (a, _) = lab.in_a_call();
    let lines = lab.messages();
    assert_eq!(lines, ["A INVITE, lost", "A INVITE again", "B 200 INVITE, lost", "B 200 INVITE again", "A ACK"]);
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_lost_ack_is_repeated_for_each_repeated_200() {
    let mut lab = Lab::new();
    lab.loses(A, "ACK", 2);
    let (a, b) = lab.in_a_call();
    assert_eq!(
        lab.messages(),
        ["A INVITE", "B 200 INVITE", "A ACK, lost", "B 200 INVITE again", "A ACK again, lost", "B 200 INVITE again", "A ACK again"]
    );
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(B, b);
    lab.is_over();
}

#[test]
fn an_ack_that_never_comes_ends_the_call_with_bye_after_64_t1() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    lab.loses(A, "ACK", 100);
    let start = lab.now;
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::NoAck);
    assert!((lab.now - start).as_secs() == 32, "{:?}", lab.now - start);
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    assert_eq!(lab.messages().iter().filter(|line| line.starts_with("B 200 INVITE again")).count(), 10);
    assert!(lab.last_request(B, "BYE").text(HeaderName::Reason).is_some());
    lab.is_over();
}

#[test]
fn a_callee_that_hangs_up_before_the_ack_waits_for_it() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    lab.loses(A, "ACK", 1);
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::LocalBye);
    lab.ends(A, a);
    assert_eq!(lab.messages(), ["A INVITE", "B 200 INVITE", "A ACK, lost", "B 200 INVITE again", "A ACK again", "B BYE", "A 200 BYE"]);
    lab.is_over();
}

#[test]
fn a_cancel_waits_for_a_provisional_response() {
    let mut lab = Lab::new();
    let a = lab.calls();
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], Some("SIP;cause=487"))).unwrap();
    let b = lab.is_called();
    let cancelled = lab.hears(B, |event| matches!(event, UaEvent::Cancelled { .. }));
    let UaEvent::Cancelled { request, .. } = cancelled else { unreachable!() };
    assert_eq!(request.text(HeaderName::Reason).as_deref(), Some("SIP;cause=487"));
    assert_eq!(lab.ends(B, b), SessionEnd::Cancelled);
    assert_eq!(lab.ends(A, a), SessionEnd::Cancelled);
    assert_eq!(lab.messages(), ["A INVITE", "B 100 INVITE", "A CANCEL", "B 200 CANCEL", "B 487 INVITE", "A ACK"]);
    let (invite, cancel) = (lab.last_request(A, "INVITE"), lab.last_request(A, "CANCEL"));
    for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId] {
        assert_eq!(invite.text(name), cancel.text(name));
    }
    assert_eq!(invite.uri_text(), cancel.uri_text());
    lab.is_over();
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Progress { .. }));
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::RemoteBye);
    assert_eq!(lab.ends(A, a), SessionEnd::Cancelled);
    assert!(!lab.has_heard(A, |event| matches!(event, UaEvent::Answered { .. })));
    assert_eq!(lab.messages(), ["A INVITE", "B 180 INVITE", "B 200 INVITE", "A CANCEL", "A ACK", "A BYE", "B 200 CANCEL", "B 200 BYE"]);
    lab.is_over();
}

#[test]
fn a_cancelled_invite_without_final_response_is_given_up_after_64_t1() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Progress { .. }));
    let start = lab.now;
    lab.network.dead.insert(lab.address(B));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::Cancelled);
    assert_eq!((lab.now - start).as_secs(), 32);
    lab.does(B, |ua, now| ua.reject(now, b, 480, "", &[])).unwrap();
    lab.is_over();
}

#[test]
fn both_hang_up_at_once_and_both_byes_are_answered() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.forget();
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::LocalBye);
    assert_eq!(lab.ends(B, b), SessionEnd::LocalBye);
    assert_eq!(lab.messages(), ["A BYE", "B BYE", "B 200 BYE", "A 200 BYE"]);
    lab.is_over();
}

#[test]
fn a_call_that_rings_long_says_so_every_minute() {
    let mut lab = Lab::new();
    lab.calls();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    lab.passes(Duration::from_secs(150));
    let rings = |lab: &Lab| lab.messages().iter().filter(|line| line.contains("180 INVITE")).count();
    assert_eq!(rings(&lab), 3, "at once, and after one and two minutes:\n{}", lab.ladder());
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    lab.passes(Duration::from_secs(120));
    assert_eq!(rings(&lab), 3, "answered is answered");
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_caller_that_sends_bye_while_it_rings_gets_487_for_its_invite() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.ring(now, b, 180, None, &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Progress { .. }));
    let (call_id, local, remote) = {
        let info = lab.ua(A).session(a).unwrap();
        (info.call_id.to_owned(), info.local.to_owned(), info.remote.to_owned())
    };
    let from = lab.address(A);
    lab.arrives(
        B,
        from,
        &format!(
            "BYE sip:b@192.0.2.2 SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bKbye\nMax-Forwards: 70\nFrom: {local}\nTo: {remote}\n\
             Call-ID: {call_id}\nCSeq: 2 BYE\nContent-Length: 0\n\n"
        ),
    );
    assert_eq!(lab.ends(B, b), SessionEnd::RemoteBye);
    assert!(matches!(lab.ends(A, a), SessionEnd::Rejected { code: 487, .. }));
    lab.is_over();
}

#[test]
fn nobody_answers_and_the_call_times_out_after_64_t1() {
    let mut lab = Lab::new();
    lab.network.dead.insert(lab.address(B));
    let (start, a) = (lab.now, lab.calls());
    assert_eq!(lab.ends(A, a), SessionEnd::Timeout);
    assert_eq!((lab.now - start).as_secs(), 32);
    assert!(lab.has_heard(A, |event| matches!(event, UaEvent::Rejected { code: 408, response: None, .. })));
    assert_eq!(lab.messages().len(), 7, "the INVITE and six repetitions");
    lab.is_over();
}

#[test]
fn a_bye_that_nobody_answers_ends_the_session_all_the_same() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.loses(A, "BYE", 100);
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::LocalBye);
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::LocalBye);
    assert!(lab.messages().contains(&"A 481 BYE"), "A no longer knows the dialog, and says so");
    lab.is_over();
}

#[test]
fn verbs_at_the_wrong_moment_are_refused() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let b = lab.is_called();
    assert!(matches!(failed(lab.does(A, |ua, now| ua.answer(now, a, None, &[]))), VerbError::State(_)));
    assert!(matches!(failed(lab.does(B, |ua, now| ua.refer(now, b, "<sip:c@d>", &[]))), VerbError::State(_)));
    assert!(matches!(failed(lab.does(B, |ua, now| ua.ring(now, b, 200, None, &[]))), VerbError::State(_)));
    lab.does(B, |ua, now| ua.reject(now, b, 603, "No", &[])).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::Rejected { code: 603, reason: "No".into() });
    assert_eq!(failed(lab.does(A, |ua, now| ua.hang_up(now, a, &[], None))), VerbError::NoSession);
    lab.is_over();
}

#[test]
fn a_line_break_in_a_header_never_reaches_the_wire() {
    let mut lab = Lab::new();
    let evil = vec![("X-GA-tv-a".to_owned(), "b\r\nX-Evil: 1".to_owned())];
    let invite = NewInvite { headers: evil.clone(), ..lab.invitation() };
    assert!(matches!(failed(lab.does(A, |ua, now| ua.invite(now, invite))), VerbError::Build(_)));
    let (a, _) = lab.in_a_call();
    lab.forget();
    assert!(matches!(failed(lab.does(A, |ua, now| ua.refer(now, a, "<sip:c@d>\r\nX: y", &[]))), VerbError::Build(_)));
    assert!(matches!(failed(lab.does(A, |ua, now| ua.hang_up(now, a, &evil, None))), VerbError::Build(_)));
    assert!(lab.messages().is_empty());
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}
