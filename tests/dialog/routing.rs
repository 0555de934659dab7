//! Where messages go: hops, transports, route sets, forks, and who may speak inside a dialog (RFC 3261 §12, §18; RFC 3263).

use std::{net::SocketAddr, time::Duration};

use handback::sip::{
    dialog::{NewInvite, SessionEnd, UaEvent},
    message::{HeaderName, Request, ResponseBuilder},
    transport::Transport,
};

use crate::story::{A, B, Lab, lab::sdp};

fn respond(request: &Request, code: u16, tag: &str, extra: &[(HeaderName, &str)]) -> String {
    let mut builder = ResponseBuilder::to(request, code, "", Some(tag));
    for (name, value) in extra {
        builder = builder.header(*name, value);
    }
    String::from_utf8(builder.build().unwrap().raw().to_vec()).unwrap()
}

fn peer() -> SocketAddr {
    "192.0.2.9:5060".parse().unwrap()
}

#[test]
fn a_large_invite_goes_by_tcp_and_its_via_says_so() {
    let mut lab = Lab::new();
    let invite = NewInvite { headers: vec![("X-GA-iv-long".into(), "x".repeat(1300))], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    assert_eq!(lab.messages(), ["A INVITE by TCP"]);
    assert!(lab.last_request(A, "INVITE").text(HeaderName::Via).unwrap().starts_with("SIP/2.0/TCP"));
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    assert_eq!(lab.messages().last(), Some(&"A ACK by TCP"), "where B's Contact says");
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(B, b);
    lab.is_over();
}

#[test]
fn a_large_request_falls_back_to_udp_where_tcp_is_refused_and_remembers() {
    let mut lab = Lab::new();
    lab.network.without_tcp.insert(lab.address(B));
    let (a, b) = lab.in_a_call();
    lab.forget();
    let long = format!("<sip:c@example.com?X-GA-tv-a={}>", "y".repeat(1200));
    for _ in 0..2 {
        lab.does(A, |ua, now| ua.refer(now, a, &long, &[])).unwrap();
        let UaEvent::Refer { refer, .. } = lab.hears(B, |event| matches!(event, UaEvent::Refer { .. })) else { unreachable!() };
        lab.does(B, |ua, now| ua.refuse_refer(now, b, refer, 603)).unwrap();
        lab.hears(A, |event| matches!(event, UaEvent::ReferResponse { .. }));
    }
    assert_eq!(lab.messages(), ["A REFER by TCP, lost", "A REFER", "B 603 REFER", "A REFER", "B 603 REFER"]);
    assert!(lab.last_request(A, "REFER").text(HeaderName::Via).unwrap().starts_with("SIP/2.0/UDP"));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn hops_are_tried_in_order_on_silence_refusal_and_503() {
    let mut lab = Lab::new();
    let silent: SocketAddr = "192.0.2.100:5060".parse().unwrap();
    let refusing: SocketAddr = "192.0.2.101:5060".parse().unwrap();
    lab.network.dead.insert(silent);
    lab.network.without_tcp.insert(refusing);
    let next_hops = vec![(Transport::Udp, silent), (Transport::Tcp, refusing), (Transport::Udp, peer()), (Transport::Udp, lab.address(B))];
    let invite = NewInvite { next_hops, ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    lab.passes(Duration::from_secs(33));
    let third = lab.last_request(A, "INVITE");
    lab.arrives(A, peer(), &respond(&third, 503, "x", &[]));
    let b = lab.is_called();
    let fourth = lab.last_request(A, "INVITE");
    assert_eq!(third.call_id(), fourth.call_id());
    assert_ne!(third.top_via().unwrap().branch(), fourth.top_via().unwrap().branch());
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.hears(A, |event| matches!(event, UaEvent::Answered { .. }));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(B, b);
    lab.is_over();
}

#[test]
fn the_last_hop_refusing_ends_the_call_as_503() {
    let mut lab = Lab::new();
    lab.network.without_tcp.insert(peer());
    let invite = NewInvite { next_hops: vec![(Transport::Tcp, peer())], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::TransportFailed);
    assert!(lab.has_heard(A, |event| matches!(event, UaEvent::Rejected { code: 503, response: None, .. })));
    lab.is_over();
}

#[test]
fn a_second_phone_that_answers_is_acknowledged_and_hung_up() {
    let mut lab = Lab::new();
    let invite = NewInvite { next_hops: vec![(Transport::Udp, peer())], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let invite = lab.last_request(A, "INVITE");
    for (tag, contact) in [("one", "<sip:one@192.0.2.11>"), ("two", "<sip:two@192.0.2.12>")] {
        lab.arrives(A, peer(), &respond(&invite, 180, tag, &[(HeaderName::Contact, contact)]));
    }
    lab.forget();
    for (tag, contact) in [("one", "<sip:one@192.0.2.11>"), ("two", "<sip:two@192.0.2.12>"), ("two", "<sip:two@192.0.2.12>")] {
        lab.arrives(A, peer(), &respond(&invite, 200, tag, &[(HeaderName::Contact, contact)]));
    }
    assert_eq!(lab.messages(), ["A ACK", "A ACK", "A BYE", "A ACK again"]);
    let bye = lab.last_request(A, "BYE");
    assert_eq!((bye.uri_text(), bye.to_tag().as_deref(), bye.cseq().unwrap().0), ("sip:two@192.0.2.12", Some("two"), 2));
    let answered = lab.nodes[0].events.iter().filter(|event| matches!(event, UaEvent::Answered { .. })).count();
    assert_eq!(answered, 1);
    assert_eq!(lab.ua(A).session(a).unwrap().remote_target, "sip:one@192.0.2.11");
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(A, a);
    lab.is_over();
}

#[test]
fn a_caller_visits_the_proxies_in_reverse_order_and_a_callee_in_order() {
    let mut lab = Lab::new();
    let invite = NewInvite { next_hops: vec![(Transport::Udp, peer())], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let invite = lab.last_request(A, "INVITE");
    let contact = (HeaderName::Contact, "<sip:b@10.9.9.9>");
    let routes = [(HeaderName::RecordRoute, "<sip:192.0.2.22;lr>, <sip:192.0.2.21;lr>"), contact];
    lab.arrives(A, peer(), &respond(&invite, 200, "x", &routes));
    let ack = lab.last_request(A, "ACK");
    let route: Vec<_> = ack.texts(HeaderName::Route).map(|route| route.into_owned()).collect();
    assert_eq!((ack.uri_text(), route.join(" ").as_str()), ("sip:b@10.9.9.9", "<sip:192.0.2.21;lr> <sip:192.0.2.22;lr>"));
    assert_eq!(lab.sent.last().unwrap().1.flow.remote.to_string(), "192.0.2.21:5060");
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.ends(A, a);
    lab.is_over();

    let mut lab = Lab::new();
    let text = "INVITE sip:b@192.0.2.2 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKone\nMax-Forwards: 70\nFrom: <sip:x@y>;tag=x\n\
                To: <sip:b@192.0.2.2>\nCall-ID: one\nCSeq: 1 INVITE\nContact: <sip:x@10.1.1.1>\nRecord-Route: <sip:192.0.2.31>\n\
                Record-Route: <sip:192.0.2.32;lr>\nContent-Length: 0\n\n";
    lab.arrives(B, peer(), text);
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("offer")), &[])).unwrap();
    let routes: Vec<_> = lab.last_response(B, 200).list(HeaderName::RecordRoute).map(|route| route.into_owned()).collect();
    assert_eq!(routes, ["<sip:192.0.2.31>", "<sip:192.0.2.32;lr>"], "copied as they came");
    assert_eq!(lab.ends(B, b), SessionEnd::NoAck);
    // A strict router first: it gets the Request-URI, and the target goes last.
    let bye = lab.last_request(B, "BYE");
    let route: Vec<_> = bye.texts(HeaderName::Route).map(|route| route.into_owned()).collect();
    assert_eq!((bye.uri_text(), route.join(" ").as_str()), ("sip:192.0.2.31", "<sip:192.0.2.32;lr> <sip:x@10.1.1.1>"));
    lab.is_over();
}

#[test]
fn a_caller_behind_nat_is_answered_where_it_came_from() {
    let mut lab = Lab::new();
    let nat: SocketAddr = "198.51.100.7:40123".parse().unwrap();
    let text = "INVITE sip:b@192.0.2.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKone\nMax-Forwards: 70\nFrom: <sip:x@y>;tag=x\n\
                To: <sip:b@192.0.2.2>\nCall-ID: one\nCSeq: 1 INVITE\nContact: <sip:x@10.0.0.5>\nContent-Length: 0\n\n";
    lab.arrives(B, nat, text);
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("offer")), &[])).unwrap();
    assert_eq!(lab.sent.last().unwrap().1.flow.remote, nat);
    let via = lab.last_response(B, 200).text(HeaderName::Via).unwrap().into_owned();
    assert!(via.contains("received=198.51.100.7") && via.contains("rport=40123"), "{via}");
    lab.ends(B, b);
    let byes = lab.sent.iter().filter(|(_, transmit)| transmit.bytes.starts_with(b"BYE"));
    assert!(byes.clone().count() > 0 && byes.clone().all(|(_, transmit)| transmit.flow.remote == nat));
    lab.is_over();
}

#[test]
fn a_stranger_who_knows_the_tags_is_not_let_into_the_dialog() {
    let mut lab = Lab::new();
    let (a, b) = lab.in_a_call();
    let bye = super::changes::within(&lab, "BYE", 2, "", "");
    lab.arrives(B, "203.0.113.66:5060".parse().unwrap(), &bye);
    assert!(lab.has_heard(B, |event| matches!(event, UaEvent::Note { rule: "stranger-in-dialog", .. })));
    lab.last_response(B, 481);
    assert!(lab.ua(B).session(b).is_some());
    lab.does(B, |ua, _| ua.set_trusted(Box::new(|_, ip| ip.to_string().starts_with("203.0.113."))));
    let bye = bye.replace("z9hG4bKBYE", "z9hG4bKagain");
    lab.arrives(B, "203.0.113.66:5060".parse().unwrap(), &bye);
    assert_eq!(lab.ends(B, b), SessionEnd::RemoteBye);
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_connection_that_breaks_is_opened_anew() {
    let mut lab = Lab::new();
    let invite = NewInvite { next_hops: vec![(Transport::Tcp, lab.address(B))], ..lab.invitation() };
    let a = lab.does(A, |ua, now| ua.invite(now, invite)).unwrap();
    let b = lab.is_called();
    lab.does(B, |ua, now| ua.answer(now, b, Some(sdp("answer")), &[])).unwrap();
    lab.hears(B, |event| matches!(event, UaEvent::Established { .. }));
    let flow = lab.ua(B).session(b).unwrap().flow;
    assert!(flow.connection.is_some());
    lab.does(B, |ua, now| ua.handle_transport_failed(now, flow));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.sent.last().unwrap().1.flow.connection, None);
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    lab.is_over();
}

#[test]
fn a_contact_that_is_a_name_is_looked_up_and_requests_go_where_it_leads() {
    let mut lab = Lab::with(1, |config| config.advertise = Some("sbc.example".into()));
    let (a, b) = lab.in_a_call();
    let UaEvent::NextHop { id, uri } = lab.hears(B, |event| matches!(event, UaEvent::NextHop { .. })) else { unreachable!() };
    assert_eq!((id, uri.as_str()), (b, "sip:a@sbc.example:5060"));
    assert!(!lab.has_heard(B, |event| matches!(event, UaEvent::NextHop { .. })), "asked for once");
    lab.does(B, |ua, _| ua.aim_at(b, &[(Transport::Udp, peer())]));
    lab.does(B, |ua, now| ua.refer(now, b, "<sip:c@example.com>", &[])).unwrap();
    assert_eq!(lab.sent.last().unwrap().1.flow.remote, peer());
    // One of several addresses that the peer's messages do come from is the best of them.
    let established = lab.address(B);
    lab.does(A, |ua, _| ua.aim_at(a, &[(Transport::Udp, peer()), (Transport::Udp, established)]));
    lab.does(A, |ua, now| ua.hang_up(now, a, &[], None)).unwrap();
    assert_eq!(lab.ends(B, b), SessionEnd::RemoteBye);
    lab.is_over();
}

#[test]
fn a_contact_whose_name_leads_nowhere_changes_nothing() {
    let mut lab = Lab::with(1, |config| config.advertise = Some("sbc.example".into()));
    let (a, b) = lab.in_a_call();
    lab.does(B, |ua, _| ua.aim_at(b, &[]));
    lab.does(B, |ua, now| ua.hang_up(now, b, &[], None)).unwrap();
    assert_eq!(lab.ends(A, a), SessionEnd::RemoteBye);
    lab.is_over();
}
