//! Return by INVITE: a new call to the return URI, bridged to the customer (contract §3).

use std::time::Duration;

use handback::{
    media::MediaCommand,
    model::{
        CallState, ReturnMethod, ReturnMethodOrAgent, ReturnVerdict,
        settings::{Secret, Settings, User},
    },
    sip::{
        dialog::{SessionEnd, SessionId, UaEvent},
        digest::server::{Answer, Asked, Authenticator},
        message::HeaderName,
    },
};

use crate::lab::{Agent, Customer, Lab, Return, settings, with_agent};

fn by_invite() -> Settings {
    let mut settings = settings();
    settings.peers[0].returns.method = ReturnMethod::Invite;
    settings
}

fn returned(lab: &mut Lab) -> (SessionId, SessionId) {
    let call = lab.in_a_call();
    lab.presses('1');
    let back = lab.is_called(Return);
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    (call, back)
}

#[test]
fn the_customer_and_the_return_leg_are_bridged_and_tapped_until_one_hangs_up() {
    let mut lab = Lab::new(by_invite());
    let (call, back) = returned(&mut lab);
    let streams: Vec<_> =
        lab.media.iter().filter_map(|c| if let MediaCommand::Open { stream, .. } = c { Some(*stream) } else { None }).collect();
    assert!(lab.media.contains(&MediaCommand::Connect { a: streams[0], b: streams[1] }));
    assert!(lab.media.contains(&MediaCommand::Tap { stream: streams[0], on: true }));
    assert_eq!(lab.record().returns[0].verdict, Some(ReturnVerdict::Succeeded));

    lab.does(Return, |ua, now| ua.hang_up(now, back, &[], None)).unwrap();
    assert_eq!(lab.ends(Customer, call), SessionEnd::RemoteBye);
    assert_eq!(lab.is_over().state, CallState::Returned);
}

#[test]
fn the_payload_travels_as_headers_and_the_uris_own_headers_before_it() {
    let mut settings = by_invite();
    settings.peers[0].returns.uri = Some("sip:transfer@192.0.2.30:5060;x=1?X-Team=blue%20one&Via=evil&Subject=s".into());
    let mut lab = Lab::new(settings);
    let call = lab.in_a_call();
    lab.presses('1');
    let incoming = lab.hears_request(Return);
    assert_eq!(incoming.request.uri_text(), "sip:transfer@192.0.2.30:5060;x=1");
    assert_eq!(incoming.request.other("X-Team").as_deref(), Some("blue one"));
    assert_eq!(incoming.request.count(HeaderName::Via), 1);
    let ours: Vec<_> = incoming.request.others_with_prefix("X-GA-").map(|(n, v)| format!("{n}: {v}")).collect();
    assert_eq!(ours, ["X-GA-extConId: c-1", "X-GA-transfer: SYSTEM", "X-GA-tv-next_action: schedule_callback", "X-GA-rv-account: 42"]);
    assert!(incoming.request.text(HeaderName::From).unwrap().contains("sip:ann@customer.example"));
    let back = lab.does(Return, |ua, now| ua.accept_invite(now, incoming)).unwrap();
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.ends(Return, back);
    assert_eq!(lab.is_over().state, CallState::Returned);
}

#[test]
fn a_challenge_is_answered_with_the_peers_return_credentials() {
    let mut settings = by_invite();
    settings.peers[0].returns.auth = Some(User { username: "sip_user".into(), secret: Secret::new("pw") });
    let mut lab = Lab::new(settings);
    let call = lab.in_a_call();
    lab.presses('1');
    let mut door = Authenticator::new("customer", [1; 32], lab.now);
    let incoming = lab.hears_request(Return);
    let source = incoming.flow.remote.ip();
    let values = door.challenges(lab.now, source, false, true);
    let headers: Vec<_> = values.into_iter().map(|v| ("WWW-Authenticate".to_owned(), v)).collect();
    lab.does(Return, |ua, now| ua.respond(now, incoming, 401, "", &headers)).unwrap();

    let incoming = lab.hears_request(Return);
    let value = incoming.request.auth(HeaderName::Authorization).next().unwrap();
    let answer = Answer::read(value.params()).unwrap();
    let asked = Asked { method: "INVITE", request_uri: incoming.request.uri_text(), source };
    let algorithm = door.check(lab.now, asked, &answer, |user| (user == "sip_user").then_some("pw"), true).unwrap();
    assert_eq!(algorithm.name(), "SHA-256");
    let back = lab.does(Return, |ua, now| ua.accept_invite(now, incoming)).unwrap();
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.is_over().state, CallState::Returned);
}

#[test]
fn the_agent_is_never_given_the_return_credentials() {
    let mut settings = with_agent(by_invite());
    settings.peers[0].returns.auth = Some(User { username: "sip_user".into(), secret: Secret::new("pw") });
    let mut lab = Lab::new(settings);
    lab.calls();
    let mut door = Authenticator::new("agent", [1; 32], lab.now);
    let incoming = lab.hears_request(Agent);
    let values = door.challenges(lab.now, incoming.flow.remote.ip(), false, true);
    let headers: Vec<_> = values.into_iter().map(|v| ("WWW-Authenticate".to_owned(), v)).collect();
    lab.does(Agent, |ua, now| ua.respond(now, incoming, 401, "", &headers)).unwrap();
    let back = lab.is_called(Return);
    assert!(!lab.has_heard(Agent, |e| matches!(e, UaEvent::Request(_))), "the 401 is a refusal, and the call goes back as AGENT");
    lab.does(Return, |ua, now| ua.reject(now, back, 486, "", &[])).unwrap();
    assert_eq!(lab.is_over().outcome, Some(handback::model::Outcome::Agent));
}

#[test]
fn a_return_endpoint_that_is_busy_leads_to_the_fallback() {
    let mut lab = Lab::new(by_invite());
    let call = lab.in_a_call();
    lab.presses('1');
    let back = lab.is_called(Return);
    lab.does(Return, |ua, now| ua.reject(now, back, 486, "", &[])).unwrap();
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!(record.returns.iter().map(|r| r.method).collect::<Vec<_>>(), [ReturnMethod::Invite, ReturnMethod::Bye]);
    assert!(matches!(&record.returns[0].verdict, Some(ReturnVerdict::Failed { why }) if why.code == Some(486)));
}

#[test]
fn a_refused_refer_can_fall_back_to_invite() {
    let mut settings = settings();
    settings.peers[0].returns.fallback = ReturnMethodOrAgent::Invite;
    let mut lab = Lab::new(settings);
    let call = lab.in_a_call();
    lab.presses('1');
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 405)).unwrap();
    let back = lab.is_called(Return);
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    let record = lab.is_over();
    assert_eq!((record.state, record.returns.len()), (CallState::Returned, 2));
}

#[test]
fn a_customer_that_hangs_up_while_the_return_rings_takes_it_back() {
    let mut lab = Lab::new(by_invite());
    let call = lab.in_a_call();
    lab.presses('1');
    let back = lab.is_called(Return);
    lab.does(Return, |ua, now| ua.ring(now, back, 180, None, &[])).unwrap();
    lab.passes(Duration::from_secs(3));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.ends(Return, back), SessionEnd::Cancelled);
    assert_eq!(lab.is_over().state, CallState::Ended);
}

#[test]
fn a_return_uri_that_does_not_resolve_leads_to_the_fallback() {
    let mut settings = by_invite();
    settings.peers[0].returns.uri = Some("sip:transfer@nowhere.example".into());
    let mut lab = Lab::new(settings);
    let call = lab.in_a_call();
    lab.presses('1');
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert!(matches!(&record.returns[0].verdict, Some(ReturnVerdict::Failed { why }) if why.reason.contains("does not resolve")));
}

#[test]
fn a_name_with_several_addresses_is_tried_in_order() {
    let mut settings = by_invite();
    settings.peers[0].returns.uri = Some("sip:transfer@pool.example".into());
    let mut lab = Lab::new(settings);
    let dead = "192.0.2.99:5060".parse().unwrap();
    lab.network.dead.insert(dead);
    let alive = lab.address(Return);
    let udp = handback::sip::transport::Transport::Udp;
    lab.names.insert("pool.example".into(), vec![(udp, dead), (udp, alive)]);
    let call = lab.in_a_call();
    lab.presses('1');
    let back = lab.is_called(Return);
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.is_over().state, CallState::Returned);
}

#[test]
fn a_return_endpoint_that_never_answers_is_given_up() {
    let mut lab = Lab::new(by_invite());
    let call = lab.in_a_call();
    lab.presses('1');
    let back = lab.is_called(Return);
    lab.does(Return, |ua, now| ua.ring(now, back, 180, None, &[])).unwrap();
    assert_eq!(lab.ends(Return, back), SessionEnd::Cancelled);
    lab.ends(Customer, call);
    assert_eq!(lab.is_over().returns.len(), 2);
}
