//! Calls between two user agents: set up, torn down, and every race on the way (RFC 3261 §9, §13, §15, §17).

mod story;

use std::time::Duration;

use handback::sip::dialog::{SessionEnd, UaEvent};
use story::{A, B, Lab, lab::sdp};

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
fn the_callee_hangs_up() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    lab.forget();
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], Some("Q.850;cause=16"))).unwrap();
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
