//! How the call of a call transfer goes back: by its own words, and nothing leaves before what it hands back is kept (contract §3).

use std::time::Duration;

use handback::{
    model::{
        CallEvent, CallState, Command, NewCallTransfer, Outcome, ReturnMethod, ReturnMethodOrAgent, ReturnRequest, ReturnVerdict,
        SipReturn, TransferStatus, TransferTarget, Variables,
        settings::{Secret, Settings, User},
    },
    sip::{
        dialog::{SessionEnd, SessionId, UaEvent},
        digest::server::{Answer, Asked, Authenticator},
        message::HeaderName,
    },
};

use crate::{
    call_transfers::{lab, names, number_transfer, sip_transfer, with_api},
    lab::{Agent, Customer, Lab, Return, settings, with_agent},
    loss::{OnRefer, play_with},
};

const OWN: &str = "sip:desk@192.0.2.30:5060;x=1?X-Team=blue%20one";

/// A call for `t-1`, with the script, up to the customer's key.
fn pressed(lab: &mut Lab, transfer: NewCallTransfer) -> SessionId {
    lab.desk.creates(lab.now, transfer);
    let call = lab.calls_with(names("t-1"));
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.happens(|e| matches!(e, CallEvent::AgentAnswered { .. }));
    lab.presses('1');
    call
}

fn refer_to(lab: &mut Lab) -> (String, handback::sip::dialog::ReferId) {
    let UaEvent::Refer { refer, request, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    (request.text(HeaderName::ReferTo).unwrap().into_owned(), refer)
}

#[test]
fn by_refer_to_its_own_uri_exactly_as_provided() {
    let mut lab = lab();
    let call = pressed(&mut lab, sip_transfer("t-1", ReturnMethod::Refer, Some(OWN)));
    let (target, refer) = refer_to(&mut lab);
    assert_eq!(target, format!("<{OWN}>"));
    let transfer = lab.desk.shows(lab.now, "t-1");
    assert_eq!(transfer.status, TransferStatus::Ongoing, "during the return");
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    lab.does(Customer, |ua, now| ua.notify(now, call, refer, "SIP/2.0 200 OK", true)).unwrap();
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!((record.state, &record.returns[0].payload), (CallState::Returned, &None));
    let transfer = lab.desk.shows(lab.now, "t-1");
    assert_eq!(transfer.status, TransferStatus::Completed);
    assert_eq!(transfer.output_context.unwrap().transfer_variables["next_action"], "schedule_callback");
}

#[test]
fn by_invite_to_its_own_uri_with_its_own_credentials() {
    let mut settings = with_api();
    settings.peers[0].returns.auth = Some(User { username: "peer".into(), secret: Secret::new("other") });
    let mut lab = Lab::new(settings);
    let auth = Some(User { username: "api_user".into(), secret: Secret::new("pw") });
    let mut transfer = sip_transfer("t-1", ReturnMethod::Invite, Some(OWN));
    transfer.target = TransferTarget::Sip(SipReturn { method: ReturnMethod::Invite, uri: Some(OWN.into()), auth });
    let call = pressed(&mut lab, transfer);
    let mut door = Authenticator::new("customer", [1; 32], lab.now);
    let incoming = lab.hears_request(Return);
    assert_eq!(incoming.request.uri_text(), "sip:desk@192.0.2.30:5060;x=1");
    assert_eq!(incoming.request.other("X-Team").as_deref(), Some("blue one"), "headers of the URI itself are headers of the INVITE");
    assert_eq!(incoming.request.others_with_prefix("X-GA-").count(), 0, "the context is fetched");
    let source = incoming.flow.remote.ip();
    let headers: Vec<_> = door.challenges(lab.now, source, false, true).into_iter().map(|v| ("WWW-Authenticate".to_owned(), v)).collect();
    lab.does(Return, |ua, now| ua.respond(now, incoming, 401, "", &headers)).unwrap();

    let incoming = lab.hears_request(Return);
    let value = incoming.request.auth(HeaderName::Authorization).next().unwrap();
    let answer = Answer::read(value.params()).unwrap();
    let asked = Asked { method: "INVITE", request_uri: incoming.request.uri_text(), source };
    assert!(door.check(lab.now, asked, &answer, |user| (user == "api_user").then_some("pw"), true).is_ok());
    let back = lab.does(Return, |ua, now| ua.accept_invite(now, incoming)).unwrap();
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.desk.shows(lab.now, "t-1").status, TransferStatus::Completed, "it is back, though the call goes on");
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.is_over().state, CallState::Returned);
}

#[test]
fn by_bye_where_it_names_no_method_and_completed_before_the_bye_leaves() {
    let mut lab = lab();
    let call = pressed(&mut lab, sip_transfer("t-1", ReturnMethod::Bye, None));
    let transfer = lab.desk.shows(lab.now, "t-1");
    assert_eq!(transfer.status, TransferStatus::Completed, "the customer fetches it the moment that BYE arrives");
    assert!(transfer.output_context.is_some());
    assert_eq!(lab.ends(Customer, call), SessionEnd::RemoteBye);
    assert_eq!(lab.is_over().returns[0].method, ReturnMethod::Bye, "not the peer's REFER");
}

#[test]
fn a_host_that_the_settings_do_not_list_gets_no_call() {
    let mut lab = lab();
    let call = pressed(&mut lab, sip_transfer("t-1", ReturnMethod::Refer, Some("sip:desk@192.0.2.66")));
    assert_eq!(lab.ends(Customer, call), SessionEnd::RemoteBye);
    let record = lab.is_over();
    assert_eq!(record.returns.iter().map(|r| r.method).collect::<Vec<_>>(), [ReturnMethod::Bye]);
    let finding = record.findings.iter().find(|f| f.rule == "return-host-not-allowed").expect("it says why");
    assert!(finding.seen.contains("192.0.2.66") && finding.cure.contains("return.hosts"));
    assert!(lab.desk.shows(lab.now, "t-1").output_context.is_some());

    let mut settings = with_api();
    settings.peers[0].returns.hosts = vec!["192.0.2.66".into()];
    let mut lab = Lab::new(settings);
    let call = pressed(&mut lab, sip_transfer("t-1", ReturnMethod::Refer, Some("sip:desk@192.0.2.66")));
    assert_eq!(refer_to(&mut lab).0, "<sip:desk@192.0.2.66>");
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_refused_refer_falls_back_as_the_peer_wishes_with_the_transfers_own_uri() {
    let mut settings = with_api();
    settings.peers[0].returns.fallback = ReturnMethodOrAgent::Invite;
    let mut lab = Lab::new(settings);
    let call = pressed(&mut lab, sip_transfer("t-1", ReturnMethod::Refer, Some(OWN)));
    let (_, refer) = refer_to(&mut lab);
    lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 405)).unwrap();
    let incoming = lab.hears_request(Return);
    assert_eq!(incoming.request.uri_text(), "sip:desk@192.0.2.30:5060;x=1");
    let back = lab.does(Return, |ua, now| ua.accept_invite(now, incoming)).unwrap();
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    lab.does(Return, |ua, now| ua.hang_up(now, back, &[], None)).unwrap();
    assert_eq!(lab.is_over().state, CallState::Returned);
    assert_eq!(lab.desk.keeps.len(), 1, "the same is not kept twice");
}

#[test]
fn the_output_is_whole_where_the_payload_drops_variables() {
    let mut settings = with_agent(with_api());
    settings.api.as_mut().unwrap().payload_in_return = true;
    let mut lab = Lab::new(settings);
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Refer, Some("sip:desk@192.0.2.30:5060")));
    let call = lab.calls_with(names("t-1"));
    let agent = lab.is_called(Agent);
    lab.answers(Agent, agent);
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.passes(Duration::from_millis(100));
    let long = "x".repeat(1_100);
    let headers = [("X-GA-transfer", "SYSTEM"), ("X-GA-tv-first", "1"), ("X-GA-tv-long", &long), ("X-GA-rv-last", "2")];
    let headers = headers.map(|(n, v)| (n.to_owned(), v.to_owned()));
    lab.does(Agent, |ua, now| ua.hang_up(now, agent, &headers, None)).unwrap();
    let (target, refer) = refer_to(&mut lab);
    assert_eq!(target, "<sip:desk@192.0.2.30:5060?X-GA-extConId=api-conversation&X-GA-transfer=SYSTEM&X-GA-tv-first=1>");
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    lab.does(Customer, |ua, now| ua.notify(now, call, refer, "SIP/2.0 200 OK", true)).unwrap();
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!(record.returns[0].payload.as_ref().unwrap().dropped.len(), 2);
    let output = lab.desk.shows(lab.now, "t-1").output_context.unwrap();
    assert_eq!(output.transfer_variables["long"], long);
    assert_eq!(output.reference_variables["last"], "2");
}

#[test]
fn an_operator_cannot_send_a_number_back_by_anything_but_bye() {
    let mut lab = lab();
    lab.desk.creates(lab.now, number_transfer("t-1"));
    let call = lab.calls_with(|invite| invite.target = "sip:+19995550100@192.0.2.1".into());
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    let id = lab.record().id;
    let request = |method, uri: Option<&str>| ReturnRequest {
        outcome: Outcome::Agent,
        transfer_variables: Variables::new(),
        reference_variables: Variables::new(),
        method,
        uri: uri.map(Into::into),
    };
    let wish = request(Some(ReturnMethod::Refer), Some("sip:r@192.0.2.30"));
    let why = lab.commands(Command::Return { call: id, request: wish }).unwrap_err();
    assert!(why.contains("BYE only"), "{why}");
    lab.commands(Command::Return { call: id, request: request(None, None) }).unwrap();
    lab.ends(Customer, call);
    assert_eq!(lab.is_over().returns[0].method, ReturnMethod::Bye);
}

#[test]
fn nothing_leaves_before_what_goes_back_is_kept() {
    for method in [ReturnMethod::Bye, ReturnMethod::Refer, ReturnMethod::Invite] {
        let mut settings = settings();
        settings.peers[0].returns.method = method;
        let mut lab = Lab::new(settings);
        lab.desk.delay = Duration::from_secs(3);
        let call = lab.in_a_call();
        lab.presses('1');
        let (customer, back) = (lab.told(Customer).len(), lab.told(Return).len());
        lab.passes(Duration::from_millis(2_900));
        assert_eq!((lab.told(Customer).len(), lab.told(Return).len()), (customer, back), "{method:?}");
        lab.passes(Duration::from_millis(200));
        assert_eq!(lab.told(Customer).len() + lab.told(Return).len(), customer + back + 1, "{method:?}: {}", lab.ladder());
        let _ = lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None));
        let record = lab.is_over();
        assert!(!record.findings.iter().any(|f| f.rule == "output-not-durable"));
        assert_eq!(lab.desk.keeps[0].1.completes, method == ReturnMethod::Bye);
    }
}

#[test]
fn a_full_disk_or_a_silent_desk_delays_the_return_and_is_told() {
    for silent in [false, true] {
        let mut lab = Lab::new(settings());
        (lab.desk.silent, lab.desk.full) = (silent, !silent);
        let call = lab.in_a_call();
        let before = lab.now;
        lab.presses('1');
        let (_, refer) = refer_to(&mut lab);
        assert_eq!((lab.now - before).as_secs(), if silent { 5 } else { 0 });
        lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
        lab.does(Customer, |ua, now| ua.notify(now, call, refer, "SIP/2.0 200 OK", true)).unwrap();
        lab.ends(Customer, call);
        let record = lab.is_over();
        assert_eq!(record.returns[0].verdict, Some(ReturnVerdict::Succeeded));
        assert!(record.findings.iter().any(|f| f.rule == "output-not-durable"));
    }
}

#[test]
fn a_customer_that_hangs_up_while_it_is_being_kept_gets_no_return_and_no_output() {
    let mut lab = lab();
    lab.desk.delay = Duration::from_secs(2);
    let call = pressed(&mut lab, sip_transfer("t-1", ReturnMethod::Refer, Some(OWN)));
    lab.passes(Duration::from_secs(1));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    let record = lab.is_over();
    assert_eq!((record.state, record.returns.len()), (CallState::Ended, 0));
    let transfer = lab.desk.shows(lab.now, "t-1");
    assert_eq!((transfer.status, transfer.output_context), (TransferStatus::Completed, None));
    assert!(transfer.completed_at.is_some());
}

fn cases() -> Vec<(Settings, NewCallTransfer, OnRefer)> {
    let with = |fallback, agent: bool| {
        let mut settings = with_api();
        settings.peers[0].returns.fallback = fallback;
        if agent { with_agent(settings) } else { settings }
    };
    use ReturnMethodOrAgent as F;
    vec![
        (with(F::Bye, false), sip_transfer("t-1", ReturnMethod::Refer, Some(OWN)), OnRefer::Accept),
        (with(F::Invite, false), sip_transfer("t-1", ReturnMethod::Refer, Some(OWN)), OnRefer::AcceptThenFail),
        (with(F::Agent, true), sip_transfer("t-1", ReturnMethod::Invite, Some(OWN)), OnRefer::Accept),
        (with(F::Bye, true), sip_transfer("t-1", ReturnMethod::Bye, None), OnRefer::Accept),
        (with(F::Bye, false), sip_transfer("t-1", ReturnMethod::Refer, Some("sip:x@evil.example")), OnRefer::Refuse),
    ]
}

#[test]
fn with_messages_lost_every_call_transfer_ends_once_and_nothing_is_left_over() {
    let mut returned = 0;
    for (loss, lucks) in [(0, 1), (100, 20), (300, 20)] {
        for luck in 0..lucks {
            for (settings, transfer, on_refer) in cases() {
                let (state, transfer) = play_with(settings, luck, loss, on_refer, Some(transfer));
                let transfer = transfer.unwrap();
                // An INVITE that never arrived leaves it to its expiry.
                assert!(matches!(transfer.status, TransferStatus::Completed | TransferStatus::Expired), "{state:?}: {transfer:?}");
                if state == CallState::Returned {
                    assert!(transfer.output_context.is_some(), "{transfer:?}");
                    returned += 1;
                }
            }
        }
    }
    assert!(returned > 90, "most calls complete: {returned}");
}
