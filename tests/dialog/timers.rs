//! Session timers (RFC 4028), as the one who asks and as the one who is asked.

use std::time::Duration;

use handback::sip::{
    dialog::{NewInvite, SessionEnd, SessionId, UaEvent},
    message::HeaderName,
};

use super::changes::within;
use crate::story::{A, B, Lab, lab::sdp};

fn in_a_timed_call(lab: &mut Lab, secs: u32, headers: &[(&str, &str)]) -> (SessionId, SessionId) {
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let invite = NewInvite { session_expires: Some(secs), headers, ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    lab.hears(B, |event| matches!(event, UaEvent::Established { .. }));
    (a, b)
}

#[test]
fn the_caller_refreshes_at_half_time_by_update() {
    let mut lab = Lab::new();
    let (a, b) = in_a_timed_call(&mut lab, 1800, &[]);
    let ok = lab.last_response(B, 200);
    assert_eq!(ok.text(HeaderName::SessionExpires).as_deref(), Some("1800;refresher=uac"));
    assert!(ok.has_token(HeaderName::Require, "timer"));
    lab.forget();
    lab.passes(Duration::from_secs(2000));
    assert_eq!(lab.messages(), ["A UPDATE", "B 200 UPDATE", "A UPDATE", "B 200 UPDATE"]);
    assert_eq!(lab.last_request(A, "UPDATE").text(HeaderName::SessionExpires).as_deref(), Some("1800;refresher=uac"));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(B, b);
    lab.is_over();
}

#[test]
fn the_callee_refreshes_where_it_is_asked_to() {
    let mut lab = Lab::new();
    let invite = NewInvite { headers: vec![("Session-Expires".into(), "600;refresher=uas".into())], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    assert_eq!(lab.last_response(B, 200).text(HeaderName::SessionExpires).as_deref(), Some("600;refresher=uas"));
    lab.passes(Duration::from_secs(400));
    assert!(lab.messages().ends_with(&["B UPDATE", "A 200 UPDATE"]));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_session_that_nobody_refreshes_is_hung_up_a_little_before_its_end() {
    let mut lab = Lab::new();
    let (a, b) = in_a_timed_call(&mut lab, 90, &[]);
    let start = lab.now;
    lab.loses(A, "UPDATE", 100);
    assert_eq!(lab.ends(B, b), SessionEnd::SessionExpired);
    assert!((59..=60).contains(&(lab.now - start).as_secs()));
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    lab.is_over();
}

#[test]
fn a_short_interval_is_refused_with_422_and_asked_for_longer() {
    let mut lab = Lab::with(1, |config| config.min_session_expires = 300);
    let (a, b) = in_a_timed_call(&mut lab, 120, &[]);
    assert_eq!(lab.messages(), ["A INVITE", "B 422 INVITE", "A ACK", "A INVITE", "B 200 INVITE", "A ACK"]);
    assert_eq!(lab.last_response(B, 422).number(HeaderName::MinSe), Some(300));
    let again = lab.last_request(A, "INVITE");
    assert_eq!((again.number(HeaderName::SessionExpires), again.number(HeaderName::MinSe)), (Some(300), Some(300)));
    assert_eq!(again.cseq().unwrap().0, 2);
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(B, b);
    lab.is_over();
}

#[test]
fn a_refresh_by_reinvite_repeats_our_description_where_the_peer_takes_no_update() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let invite = lab.hears_request(B);
    lab.does(B, |ua, now| ua.respond(now, invite, 486, "", &[])).unwrap();
    lab.ends(A, a);
    lab.is_over();

    let mut lab = Lab::new();
    let text = "INVITE sip:b@192.0.2.2 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKone\nMax-Forwards: 70\nFrom: <sip:x@y>;tag=x\n\
                To: <sip:b@192.0.2.2>\nCall-ID: one\nCSeq: 1 INVITE\nContact: <sip:x@192.0.2.9>\nSession-Expires: 200\n\
                Content-Type: application/sdp\nContent-Length: 5\n\noffer";
    let peer = "192.0.2.9:5060".parse().unwrap();
    lab.arrives(B, peer, text);
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("ours")), &[])).unwrap();
    // A peer without timers leaves the refreshing to us.
    assert_eq!(lab.last_response(B, 200).text(HeaderName::SessionExpires).as_deref(), Some("200;refresher=uas"));
    let tag = lab.ua(B).session(b).unwrap().local_tag.to_owned();
    lab.arrives(
        B,
        peer,
        &format!(
            "ACK sip:b@192.0.2.2 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKtwo\nMax-Forwards: 70\nFrom: <sip:x@y>;tag=x\n\
             To: <sip:b@192.0.2.2>;tag={tag}\nCall-ID: one\nCSeq: 1 ACK\nContent-Length: 0\n\n"
        ),
    );
    lab.passes(Duration::from_secs(101));
    let refresh = lab.last_request(B, "INVITE");
    assert_eq!(refresh.body(), b"ours");
    assert_eq!(refresh.text(HeaderName::SessionExpires).as_deref(), Some("200;refresher=uac"));
    assert_eq!(lab.ends(B, b), SessionEnd::Timeout);
    lab.is_over();
}

#[test]
fn a_refresh_from_the_peer_starts_the_interval_anew() {
    let mut lab = Lab::new();
    let (_, b) = in_a_timed_call(&mut lab, 90, &[]);
    lab.loses(A, "UPDATE", 100);
    lab.loses(A, "BYE", 100);
    lab.passes(Duration::from_secs(40));
    let text = within(&lab, "UPDATE", 2, "Contact: <sip:a@192.0.2.1>\nSupported: timer\nSession-Expires: 90;refresher=uac\n", "");
    let (from, start) = (lab.address(A), lab.now);
    lab.arrives(B, from, &text);
    assert_eq!(lab.last_response(B, 200).text(HeaderName::SessionExpires).as_deref(), Some("90;refresher=uac"));
    assert_eq!(lab.ends(B, b), SessionEnd::SessionExpired);
    assert_eq!((lab.now - start).as_secs(), 60);
    lab.is_over();
}
