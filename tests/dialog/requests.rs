//! Requests that are refused, challenged, repeated or strange (RFC 3261 §8.2, §17.2.3, §22; RFC 2543).

use std::{net::SocketAddr, time::Duration};

use handback::sip::{
    dialog::{ClientCredentials, NewInvite, SessionEnd, UaEvent},
    message::HeaderName,
};

use super::changes::within;
use crate::story::{A, B, Lab, lab::sdp};

fn peer() -> SocketAddr {
    "192.0.2.9:5060".parse().unwrap()
}

/// A request from outside of any dialog.
fn request(method: &str, headers: &str) -> String {
    format!(
        "{method} sip:b@192.0.2.2 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{}\nMax-Forwards: 70\nFrom: <sip:x@y>;tag=x\n\
         To: <sip:b@192.0.2.2>\nCall-ID: one\nCSeq: 7 {method}\nContact: <sip:x@192.0.2.9>\n{headers}Content-Length: 0\n\n",
        headers.len()
    )
}

fn answer(text: &str) -> handback::sip::message::Response {
    let mut lab = Lab::new();
    lab.arrives(B, peer(), text);
    let bytes = lab.sent.last().unwrap_or_else(|| panic!("no answer to\n{text}")).1.bytes.clone();
    let response = match handback::sip::message::Message::parse(bytes) {
        Ok(handback::sip::message::Message::Response(response)) => response,
        other => panic!("{other:?}"),
    };
    assert!(response.to_tag().is_some());
    assert!(!lab.has_heard(B, |event| matches!(event, UaEvent::Request(_))));
    lab.is_over();
    response
}

#[test]
fn what_cannot_be_taken_is_refused_with_what_could_be() {
    let ok = answer(&request("MESSAGE", ""));
    assert!((ok.code(), ok.has_token(HeaderName::Allow, "INVITE")) == (405, true));
    assert_eq!(answer(&request("REGISTER", "")).code(), 405);
    assert_eq!(answer(&request("FROBNICATE", "")).code(), 501);
    assert_eq!(answer(&request("SUBSCRIBE", "")).code(), 489);
    assert_eq!(answer(&request("REFER", "Refer-To: <sip:c@d>\n")).code(), 603);
    assert_eq!(answer(&request("BYE", "")).code(), 481);
    assert_eq!(answer(&request("CANCEL", "")).code(), 481);
    let extension = answer(&request("INVITE", "Require: 100rel, foo\nRequire: bar\n"));
    assert_eq!((extension.code(), extension.text(HeaderName::Unsupported).as_deref()), (420, Some("foo, bar")));
    let body = answer(&request("INVITE", "Content-Type: text/plain\n").replace("Content-Length: 0\n\n", "Content-Length: 2\n\nhi"));
    assert_eq!((body.code(), body.text(HeaderName::Accept).as_deref()), (415, Some("application/sdp")));
    assert_eq!(answer(&request("INVITE", "").replace("Max-Forwards: 70", "Max-Forwards: 0")).code(), 483);
    assert_eq!(answer(&request("INVITE", "").replace("INVITE sip:b@192.0.2.2", "INVITE foo:bar")).code(), 416);
    assert_eq!(answer(&request("INVITE", "").replace("b@192.0.2.2 SIP/2.0", "b@192.0.2.2 SIP/7.0")).code(), 505);
    assert_eq!(answer(&request("INVITE", "Supported: timer\nSession-Expires: 60\n")).number(HeaderName::MinSe), Some(90));
    assert_eq!(answer(&request("INVITE", "").replace("CSeq: 7 INVITE", "CSeq: 7 OPTIONS")).code(), 400);
}

#[test]
fn a_stranger_is_judged_before_anything_is_said_about_its_request() {
    let mut lab = Lab::with(1, |config| config.screens_itself = false);
    lab.arrives(B, peer(), &request("MESSAGE", ""));
    assert!(lab.messages().is_empty());
    let incoming = lab.hears_request(B);
    assert!(lab.does(B, |ua, now| ua.screen(now, incoming)).is_none());
    lab.last_response(B, 405);
    lab.arrives(B, peer(), &request("INVITE", ""));
    let incoming = lab.hears_request(B);
    lab.does(B, |ua, now| ua.respond_stateless(now, incoming, 403, "", &[])).unwrap();
    lab.last_response(B, 403);
    lab.is_over();
}

#[test]
fn options_is_answered_with_what_we_can_do_also_with_no_hops_left() {
    let mut lab = Lab::new();
    lab.arrives(B, peer(), &request("OPTIONS", "").replace("Max-Forwards: 70", "Max-Forwards: 0"));
    let incoming = lab.hears_request(B);
    lab.does(B, |ua, now| ua.respond(now, incoming, 200, "", &[])).unwrap();
    let ok = lab.last_response(B, 200);
    assert!(ok.has_token(HeaderName::Allow, "REFER") && ok.has_token(HeaderName::Accept, "application/sdp"));
    lab.is_over();
}

#[test]
fn the_same_request_over_two_paths_is_answered_once() {
    let mut lab = Lab::new();
    lab.arrives(B, peer(), &request("INVITE", ""));
    let b = lab.is_called();
    lab.arrives(B, peer(), &request("INVITE", "").replace("z9hG4bK0", "z9hG4bKother"));
    lab.last_response(B, 482);
    lab.does(B, |ua, now| ua.reject(now, b, 486, "", &[])).unwrap();
    lab.is_over();
}

#[test]
fn a_call_that_comes_back_to_us_is_a_loop() {
    let mut lab = Lab::new();
    let a = lab.calls();
    let ours = lab.last_request(A, "INVITE");
    let text = String::from_utf8_lossy(ours.raw()).into_owned();
    let looped = text.replacen("Via: ", "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKproxy\r\nVia: ", 1);
    let before = lab.sent.len();
    lab.arrives(A, peer(), &looped);
    assert!(lab.sent[before].1.bytes.starts_with(b"SIP/2.0 482"));
    // A B2BUA has its own Via, but kept the Call-ID.
    let via = text.lines().find(|line| line.starts_with("Via")).unwrap();
    lab.arrives(A, peer(), &text.replace(via, "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKb2bua").replace("CSeq: 1 ", "CSeq: 9 "));
    assert!(lab.sent.last().unwrap().1.bytes.starts_with(b"SIP/2.0 482"));
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.reject(now, b, 486, "", &[])).unwrap();
    lab.ends(A, a);
    lab.is_over();
}

#[test]
fn inside_a_dialog_everything_has_its_answer() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    let from = lab.address(A);
    for (cseq, method, headers, code) in [
        (2, "OPTIONS", "", 200),
        (3, "INFO", "Content-Type: application/dtmf-relay\n", 200),
        (4, "MESSAGE", "", 405),
        (5, "FROBNICATE", "", 501),
        (6, "SUBSCRIBE", "Event: refer\n", 489),
        (7, "OPTIONS", "Require: nothing-known\n", 420),
        (6, "OPTIONS", "", 500),
        (8, "PRACK", "RAck: 1 1 INVITE\n", 481),
    ] {
        let text = within(&lab, method, cseq, headers, "");
        lab.arrives(B, from, &text);
        let response = lab.last_response(B, code);
        assert_eq!(response.cseq().unwrap(), (cseq, handback::sip::message::Method::parse(method.as_bytes()).unwrap()));
    }
    assert!(lab.has_heard(B, |event| matches!(event, UaEvent::Info { .. })));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    lab.ends(A, a);
    lab.is_over();
}

#[test]
fn a_request_for_a_dialog_that_is_gone_gets_481_and_its_ack_nothing() {
    let mut lab = Lab::new();
    let gone = request("INFO", "").replace("To: <sip:b@192.0.2.2>", "To: <sip:b@192.0.2.2>;tag=000000000123456789abcdef");
    lab.arrives(B, peer(), &gone);
    lab.last_response(B, 481);
    assert!(lab.has_heard(B, |event| matches!(event, UaEvent::DialogUnknown { call_id, .. } if call_id == "one")));
    lab.forget();
    lab.arrives(B, peer(), &gone.replace("INFO", "ACK"));
    assert!(lab.messages().is_empty());
    lab.is_over();
}

#[test]
fn too_many_calls_get_503_with_retry_after() {
    let mut lab = Lab::with(1, |config| config.limits.transactions = 2);
    for number in 0..3 {
        lab.arrives(
            B,
            peer(),
            &request("INVITE", "").replace("Call-ID: one", &format!("Call-ID: {number}")).replace("z9hG4bK0", &format!("z9hG4bKn{number}")),
        );
        if number < 2 {
            lab.is_called();
        }
    }
    assert!(lab.last_response(B, 503).has(HeaderName::RetryAfter));
}

#[test]
fn a_caller_of_rfc_2543_is_served() {
    let mut lab = Lab::new();
    let text = include_str!("../data/rfc4475/inv2543.dat");
    lab.arrives(B, peer(), text);
    let b = lab.is_called();
    lab.arrives(B, peer(), text);
    assert!(!lab.has_heard(B, |event| matches!(event, UaEvent::Request(_))), "the repetition is known without a branch");
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    let to = lab.last_response(B, 200).text(HeaderName::To).unwrap().into_owned();
    let head = text.split_once("\r\n\r\n").map_or_else(|| text.split_once("\n\n").unwrap().0, |parts| parts.0).replace("INVITE", "ACK");
    let old = head.lines().find(|line| line.starts_with("To:")).unwrap().to_owned();
    let ack: Vec<_> =
        head.replace(&old, &format!("To: {to}")).lines().filter(|line| !line.starts_with("Content")).map(str::to_owned).collect();
    lab.arrives(B, peer(), &format!("{}\n\n", ack.join("\n")));
    lab.hears(B, |event| matches!(event, UaEvent::Established { .. }));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::LocalBye);
    assert!(lab.last_request(B, "BYE").uri_text().starts_with("sip:"), "with no Contact, From says where");
    lab.is_over();
}

fn credentials(in_dialog: bool) -> Option<ClientCredentials> {
    Some(ClientCredentials { username: "sip_user".into(), password: "secret".into(), in_dialog })
}

const CHALLENGE: &str = "Digest realm=\"b\", nonce=\"n1\", qop=\"auth\", algorithm=MD5";

#[test]
fn a_challenged_invite_is_sent_again_with_credentials_at_most_twice() {
    let mut lab = Lab::with(1, |config| config.screens_itself = false);
    let invite = NewInvite { credentials: credentials(false), ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let challenge = |lab: &mut Lab, value: &str| {
        let incoming = lab.hears_request(B);
        let headers = [("WWW-Authenticate".to_owned(), value.to_owned())];
        lab.does(B, |ua, now| ua.respond_stateless(now, incoming, 401, "", &headers)).unwrap();
    };
    challenge(&mut lab, CHALLENGE);
    challenge(&mut lab, &format!("{}, stale=true", CHALLENGE.replace("n1", "n2")));
    lab.passes(Duration::from_secs(1));
    let third = lab.last_request(A, "INVITE");
    assert_eq!(third.cseq().unwrap().0, 3);
    assert_eq!(third.count(HeaderName::Authorization), 1);
    assert!(third.text(HeaderName::Authorization).unwrap().contains("nonce=\"n2\""));
    assert!(!lab.last_request(A, "ACK").has(HeaderName::Authorization));
    challenge(&mut lab, &format!("{}, stale=true", CHALLENGE.replace("n1", "n3")));
    assert!(matches!(lab.ends(A, a), SessionEnd::Rejected { code: 401, .. }));
    lab.is_over();
}

#[test]
fn a_wrong_password_is_not_tried_again() {
    let mut lab = Lab::with(1, |config| config.screens_itself = false);
    let invite = NewInvite { credentials: credentials(false), ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    for _ in 0..2 {
        let incoming = lab.hears_request(B);
        let headers = [("Proxy-Authenticate".to_owned(), CHALLENGE.to_owned())];
        lab.does(B, |ua, now| ua.respond_stateless(now, incoming, 407, "", &headers)).unwrap();
    }
    assert!(matches!(lab.ends(A, a), SessionEnd::Rejected { code: 407, .. }));
    assert_eq!(lab.messages().iter().filter(|line| line.starts_with("A INVITE")).count(), 2);
    lab.is_over();
}

#[test]
fn a_challenge_without_credentials_is_a_refusal() {
    let mut lab = Lab::with(1, |config| config.screens_itself = false);
    let a = lab.calls();
    let incoming = lab.hears_request(B);
    let headers = [("WWW-Authenticate".to_owned(), CHALLENGE.to_owned())];
    lab.does(B, |ua, now| ua.respond_stateless(now, incoming, 401, "", &headers)).unwrap();
    assert!(matches!(lab.ends(A, a), SessionEnd::Rejected { code: 401, .. }));
    lab.is_over();
}

#[test]
fn a_refer_may_be_challenged_inside_the_dialog_and_its_notifys_name_the_second_cseq() {
    let mut lab = Lab::new();
    let invite = NewInvite { credentials: credentials(true), ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    lab.hears(B, |event| matches!(event, UaEvent::Established { .. }));
    lab.loses(A, "REFER", 1);
    let ours = lab.does(A, |ua, now| ua.refer(now, a, "<sip:c@d>", &[])).unwrap();
    let refer = lab.last_request(A, "REFER");
    let challenge =
        handback::sip::message::ResponseBuilder::to(&refer, 401, "", None).header(HeaderName::WwwAuthenticate, CHALLENGE).build().unwrap();
    let from = lab.address(B);
    lab.arrives(A, from, std::str::from_utf8(challenge.raw()).unwrap());
    let UaEvent::Refer { refer, request, .. } = lab.hears(B, |event| matches!(event, UaEvent::Refer { .. })) else { unreachable!() };
    assert!(request.has(HeaderName::Authorization));
    lab.does(B, |ua, now| ua.accept_refer(now, b, refer, 202)).unwrap();
    lab.does(B, |ua, now| ua.notify(now, b, refer, "SIP/2.0 200 OK", true)).unwrap();
    let notify = lab.hears(A, |event| matches!(event, UaEvent::Notify { .. }));
    assert!(matches!(notify, UaEvent::Notify { refer, sipfrag: Some((200, _)), .. } if refer == ours));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_ping_is_answered_or_not() {
    let mut lab = Lab::new();
    let hop = (handback::sip::transport::Transport::Udp, lab.address(B));
    let ping = lab.does(A, |ua, now| ua.ping(now, "sip:192.0.2.2", hop)).unwrap();
    let incoming = lab.hears_request(B);
    lab.does(B, |ua, now| ua.respond(now, incoming, 200, "", &[])).unwrap();
    let pong = lab.hears(A, |event| matches!(event, UaEvent::Pong { .. }));
    assert!(matches!(pong, UaEvent::Pong { ping: heard, code: Some(200) } if heard == ping));
    lab.network.dead.insert(hop.1);
    lab.does(A, |ua, now| ua.ping(now, "sip:192.0.2.2", hop)).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Pong { code: None, .. }));
    lab.is_over();
}
