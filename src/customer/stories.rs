//! The customer's side as ladders in virtual time: a scripted bridge at the far end.

use std::time::Duration;

use super::lab::{BRIDGE, Lab, RETURN_POINT, sdp};
use crate::{
    media::{Direction, MediaCommand, Playout},
    model::{
        CallEvent, CallState, Command, LegRole, OnReturn, PayloadPart, ReturnMethod, ReturnVerdict, TestCall,
        settings::{Secret, User},
    },
    sip::{
        dialog::{ClientCredentials, IncomingRequest, SessionEnd, UaEvent},
        digest::server::{Answer, Asked, Authenticator},
        message::{HeaderName, Message},
    },
};

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn on_return(on_return: OnReturn) -> TestCall {
    TestCall { on_return, conversation: Some("c-1".into()), ..TestCall::default() }
}

/// The codes of the NOTIFYs that the bridge gets, with whether the subscription ended.
fn notified(lab: &mut Lab) -> (Option<u16>, bool) {
    lab.bridge_sees(|event| match event {
        UaEvent::Notify { sipfrag, terminated, .. } => Some((sipfrag.as_ref().map(|(code, _)| *code), *terminated)),
        _ => None,
    })
}

fn refer_answered(lab: &mut Lab) -> u16 {
    lab.bridge_sees(|event| match event {
        UaEvent::ReferResponse { code, .. } => Some(*code),
        _ => None,
    })
}

fn hung_up(lab: &mut Lab) -> SessionEnd {
    lab.bridge_sees(|event| match event {
        UaEvent::Ended { why, .. } => Some(why.clone()),
        _ => None,
    })
}

const REFER_TO: &str =
    "<sip:return@192.0.2.1:5090?X-GA-extConId=c-1&X-GA-transfer=SYSTEM&X-GA-tv-next=a%20b%2Bc&X-GA-rv-id=1+2&Via=evil&X-Own=yes>";

#[test]
fn a_call_carries_its_context_and_reports_the_far_hang_up() {
    let mut lab = Lab::new();
    let call = TestCall {
        task: Some("billing".into()),
        conversation: Some("c-1".into()),
        iv: [("name".to_owned(), "Zoë".to_owned())].into_iter().collect(),
        ..TestCall::default()
    };
    let (id, session) = lab.call_up(call);
    let invite = lab.messages("INVITE")[0].fields().clone();
    assert_eq!(invite.other("X-GA-taskName").as_deref(), Some("billing"));
    assert_eq!(invite.other("X-GA-iv-name").as_deref(), Some("Zoë"));
    assert!(lab.media.iter().any(|m| matches!(m, MediaCommand::Play { what: Playout::Tone { .. }, .. })));

    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, state) = lab.over(id);
    assert!(report.ok, "{report:?}");
    assert_eq!((state, report.returned_by, report.returned), (CallState::Ended, Some(ReturnMethod::Bye), None));
    assert_eq!(lab.taken_back, []);
}

#[test]
fn an_accepted_refer_becomes_a_call_with_the_uris_headers_as_headers() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Accept));
    lab.bridge_does(|bridge, now| bridge.refer(now, session, REFER_TO, &[]));
    assert_eq!(refer_answered(&mut lab), 202);
    assert_eq!(notified(&mut lab), (Some(100), false));
    assert_eq!(notified(&mut lab), (Some(180), false));
    assert_eq!(notified(&mut lab), (Some(200), true));
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, state) = lab.over(id);
    assert!(report.ok, "{report:?}");
    assert_eq!((state, report.returned_by), (CallState::Returned, Some(ReturnMethod::Refer)));

    let invites = lab.messages(&format!("INVITE sip:return@{RETURN_POINT} "));
    let invite = invites.first().expect("the return INVITE went to the URI without its headers").fields();
    assert_eq!(invite.other("X-GA-tv-next").as_deref(), Some("a b+c"), "unescaped once");
    assert_eq!(invite.other("X-GA-rv-id").as_deref(), Some("1+2"), "+ is a plus");
    assert_eq!(invite.other("X-Own").as_deref(), Some("yes"));
    assert_eq!(invite.texts(HeaderName::Via).filter(|via| via.contains("evil")).count(), 0);
    let findings: Vec<_> = lab.events.iter().filter_map(|(_, e)| matches!(e, CallEvent::FindingRaised { .. }).then_some(e)).collect();
    assert_eq!(findings.len(), 1, "Via in the URI: {findings:?}");

    let returned = report.returned.expect("a payload");
    let items: Vec<_> = returned.items.iter().map(|i| (i.part, i.value.as_str())).collect();
    assert_eq!(
        items,
        [
            (PayloadPart::ConversationId, "c-1"),
            (PayloadPart::Outcome, "SYSTEM"),
            (PayloadPart::Transfer, "a b+c"),
            (PayloadPart::Reference, "1+2")
        ]
    );
    let legs: Vec<_> = lab
        .events
        .iter()
        .filter_map(|(_, e)| if let CallEvent::LegOpened(leg) = e { Some((leg.role, leg.incoming)) } else { None })
        .collect();
    assert_eq!(legs, [(LegRole::Customer, false), (LegRole::Return, false)]);
    for (line, count) in [("NOTIFY", 3), ("BYE", 2)] {
        assert_eq!(lab.messages(line).len(), count, "{line}:\n{}", lab.log.join("\n"));
    }
    let last = lab.messages("NOTIFY").pop().expect("three");
    assert_eq!(last.fields().text(HeaderName::SubscriptionState).as_deref(), Some("terminated;reason=noresource"));
}

#[test]
fn a_refused_refer_gets_603_and_the_call_goes_on() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Refuse));
    lab.bridge_does(|bridge, now| bridge.refer(now, session, REFER_TO, &[]));
    assert_eq!(refer_answered(&mut lab), 603);
    lab.advance(secs(60));
    assert_eq!(lab.end_of(id), None);
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state), (true, CallState::Ended));
    assert_eq!(lab.messages("NOTIFY").len(), 0);
}

#[test]
fn an_ignored_refer_gets_202_and_no_notify() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Ignore));
    lab.bridge_does(|bridge, now| bridge.refer(now, session, REFER_TO, &[]));
    assert_eq!(refer_answered(&mut lab), 202);
    lab.advance(secs(40));
    assert_eq!(lab.messages("NOTIFY").len(), 0);
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    lab.advance(secs(1));
    assert!(lab.end_of(id).is_some(), "nobody waits for the NOTIFY that was not to come");
    assert!(lab.over(id).0.ok);
}

#[test]
fn a_bye_that_crosses_the_return_call_still_gets_the_last_notify() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Accept));
    lab.bridge_does(|bridge, now| bridge.refer(now, session, REFER_TO, &[]));
    assert_eq!(notified(&mut lab), (Some(100), false));
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, state) = lab.over(id);
    let last = lab.messages("NOTIFY").pop().expect("a NOTIFY");
    assert_eq!(last.fields().body(), b"SIP/2.0 200 OK\r\n");
    assert_eq!((report.ok, state), (true, CallState::Returned), "{report:?}");
}

#[test]
fn accept_then_fail_reports_503_and_the_call_goes_on() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::AcceptThenFail));
    lab.bridge_does(|bridge, now| bridge.refer(now, session, REFER_TO, &[]));
    assert_eq!(refer_answered(&mut lab), 202);
    assert_eq!(notified(&mut lab), (Some(100), false));
    assert_eq!(notified(&mut lab), (Some(503), true));
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state), (true, CallState::Ended));
}

#[test]
fn a_return_uri_where_nobody_answers_is_reported_in_notify() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Accept));
    lab.unresolvable = true;
    lab.bridge_does(|bridge, now| bridge.refer(now, session, "<sip:r@nowhere.invalid?X-GA-transfer=AGENT>", &[]));
    assert_eq!(notified(&mut lab), (Some(100), false));
    assert_eq!(notified(&mut lab), (Some(503), true));
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, _) = lab.over(id);
    assert!(!report.ok);
}

#[test]
fn a_return_invite_is_answered_and_hung_up_by_the_return_point() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Accept));
    let back = lab.bridge_invites(&[("X-GA-extConId", "c-1"), ("X-GA-transfer", "AGENT"), ("X-GA-tv-a", "x y")]);
    lab.bridge_sees(|event| matches!(event, UaEvent::Answered { id, .. } if *id == back).then_some(()));
    assert_eq!(hung_up(&mut lab), SessionEnd::RemoteBye);
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, state) = lab.over(id);
    assert!(report.ok, "{report:?}");
    assert_eq!((state, report.returned_by), (CallState::Returned, Some(ReturnMethod::Invite)));
    let returned = report.returned.expect("the headers");
    assert_eq!(returned.items.len(), 3);
    assert_eq!(returned.items[2].value, "x y");
    let told: Vec<_> = lab.taken_back.iter().map(|t| (t.at.to_string(), t.conversation.as_deref())).collect();
    assert_eq!(told, [(RETURN_POINT.to_owned(), Some("c-1"))], "the bridge of this program may wait for just that");
    assert!(lab.events.iter().any(|(_, e)| matches!(e, CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded })));
}

#[test]
fn a_return_invite_is_refused_or_left_ringing_as_asked() {
    for (how, code) in [(OnReturn::Refuse, 603), (OnReturn::AcceptThenFail, 503)] {
        let mut lab = Lab::new();
        let (id, session) = lab.call_up(on_return(how));
        lab.bridge_invites(&[("X-GA-extConId", "c-1")]);
        let refused = lab.bridge_sees(|event| if let UaEvent::Rejected { code, .. } = event { Some(*code) } else { None });
        assert_eq!(refused, code);
        lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
        assert!(lab.over(id).0.ok, "{how:?}");
    }
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Ignore));
    let back = lab.bridge_invites(&[("X-GA-extConId", "c-1")]);
    lab.advance(secs(20));
    lab.bridge_does(|bridge, now| bridge.hang_up(now, back, &[], None));
    assert_eq!(hung_up(&mut lab), SessionEnd::Cancelled);
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    assert!(lab.over(id).0.ok);
}

#[test]
fn a_return_from_elsewhere_than_the_bridge_that_was_called_is_refused() {
    let mut lab = Lab::new();
    // Nobody was called, and the bridge's address is not this machine's.
    lab.bridge_invites(&[("X-GA-extConId", "c-1")]);
    let refused = lab.bridge_sees(|event| if let UaEvent::Rejected { code, .. } = event { Some(*code) } else { None });
    assert_eq!(refused, 403);
}

#[test]
fn the_operator_hangs_up_before_the_answer_by_cancel() {
    let mut lab = Lab::new();
    let id = lab.place(TestCall::default());
    let session = lab.bridge_accepts();
    lab.bridge_does(|bridge, now| bridge.ring(now, session, 180, None, &[]));
    lab.advance(secs(1));
    assert_eq!(lab.command(Command::HangUp { call: id }), Ok(id));
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state), (true, CallState::Ended));
    assert_eq!(lab.messages("CANCEL").len(), 1);
    assert_eq!(hung_up(&mut lab), SessionEnd::Cancelled);
}

#[test]
fn digits_and_hang_up_come_when_they_were_asked_for() {
    let mut lab = Lab::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("heard.wav");
    let call = TestCall {
        dtmf: Some("1#".into()),
        dtmf_after_secs: 2.0,
        hang_up_after_secs: Some(5.0),
        record: Some(file.clone()),
        ..TestCall::default()
    };
    let (id, _) = lab.call_up(call);
    let answered = lab.now;
    lab.run_until(|lab| lab.media.iter().any(|m| matches!(m, MediaCommand::SendDtmf { digits, .. } if digits == "1#")));
    assert_eq!(lab.now - answered, secs(2));
    assert_eq!(hung_up(&mut lab), SessionEnd::RemoteBye);
    let (report, _) = lab.over(id);
    assert!(report.ok, "{report:?}");
    assert_eq!(report.ended.map(|e| e.reason).as_deref(), Some("Customer hung up"));
    assert_eq!(hound::WavReader::open(file).expect("a WAV file").duration(), 8_000);
}

#[test]
fn a_refusal_is_told_with_its_code() {
    let mut lab = Lab::new();
    let id = lab.place(TestCall::default());
    let incoming = lab.bridge_invited();
    lab.bridge_does(|bridge, now| bridge.respond(now, incoming, 403, "Forbidden", &[]));
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state, report.ended.and_then(|e| e.code)), (false, CallState::Refused, Some(403)));
}

#[test]
fn silence_and_an_unknown_name_are_failures_in_one_sentence() {
    let mut lab = Lab::new();
    lab.loss = 100;
    let id = lab.place(TestCall { uri: format!("sip:b@{BRIDGE}"), ..TestCall::default() });
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state), (false, CallState::Failed));

    let mut lab = Lab::new();
    lab.unresolvable = true;
    let id = lab.place(TestCall { uri: "sip:b@nowhere.invalid".into(), ..TestCall::default() });
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state), (false, CallState::Failed));
    assert!(report.steps.iter().any(|s| s.text.contains("nowhere.invalid") && !s.ok), "{report:?}");
}

#[test]
fn a_bridge_that_does_not_hang_up_after_the_return_is_hung_up_on() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Accept));
    lab.bridge_does(|bridge, now| bridge.refer(now, session, REFER_TO, &[]));
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state), (false, CallState::Returned));
}

/// A call that returns by REFER while messages are lost; whether it came back.
fn lossy_call(loss: u64, luck: u64, on_return: OnReturn) -> bool {
    let mut lab = Lab::new();
    (lab.loss, lab.luck) = (loss, luck);
    let id = lab.place(TestCall { on_return, ..TestCall::default() });
    let mut session = None;
    lab.run_until(|lab| {
        if session.is_none()
            && let Some(accepted) = lab.try_bridge_accepts()
        {
            session = Some(accepted);
            lab.bridge_does(|bridge, now| bridge.answer(now, accepted, Some(sdp(50_000)), &[]));
        }
        lab.end_of(id).is_some() || lab.is_up(id)
    });
    if let (true, Some(session)) = (lab.is_up(id), session) {
        lab.bridge_may(|bridge, now| bridge.refer(now, session, REFER_TO, &[]));
        lab.advance(secs(60));
        lab.bridge_may(|bridge, now| bridge.hang_up(now, session, &[], None));
    }
    lab.over(id).1 == CallState::Returned
}

#[test]
fn calls_complete_or_fail_cleanly_while_messages_are_lost() {
    let mut returned = 0;
    for luck in 0..20 {
        returned += u32::from(lossy_call(10, luck, OnReturn::Accept));
        lossy_call(30, luck, OnReturn::Accept);
        lossy_call(30, luck, OnReturn::AcceptThenFail);
        lossy_call(30, luck, OnReturn::Refuse);
    }
    assert!(returned >= 19, "with a tenth lost nearly all come back: {returned} of 20");
}

fn challenge(lab: &mut Lab, authenticator: &mut Authenticator, incoming: IncomingRequest) {
    let values = authenticator.challenges(lab.now, incoming.flow.remote.ip(), false, true);
    let headers: Vec<_> = values.into_iter().map(|value| ("WWW-Authenticate".to_owned(), value)).collect();
    lab.bridge_does(|bridge, now| bridge.respond_stateless(now, incoming, 401, "Unauthorized", &headers));
}

#[test]
fn a_challenge_is_answered_with_the_password_and_never_twice_with_a_wrong_one() {
    for (password, admitted) in [("open sesame", true), ("wrong", false)] {
        let mut lab = Lab::new();
        let mut authenticator = Authenticator::new("bridge", [1; 32], lab.now);
        let id = lab.place(TestCall { user: Some("sbc".into()), password: Some(Secret::new(password)), ..TestCall::default() });
        let first = lab.bridge_invited();
        challenge(&mut lab, &mut authenticator, first);
        let second = lab.bridge_invited();
        let credentials = second.request.auth(HeaderName::Authorization).next().expect("credentials");
        let answer = Answer::read(credentials.params()).expect("an answer");
        let asked = Asked { method: "INVITE", request_uri: second.request.uri_text(), source: second.flow.remote.ip() };
        let judged = authenticator.check(lab.now, asked, &answer, |user| (user == "sbc").then_some("open sesame"), true);
        assert_eq!(judged.is_ok(), admitted, "{judged:?}");
        match admitted {
            true => lab.bridge_does(|bridge, now| bridge.respond(now, second, 486, "Busy Here", &[])),
            false => challenge(&mut lab, &mut authenticator, second),
        }
        let (report, state) = lab.over(id);
        assert_eq!(state, CallState::Refused);
        assert_eq!(report.ended.and_then(|e| e.code), Some(if admitted { 486 } else { 401 }));
        assert_eq!(lab.messages("INVITE").len(), 2, "{}", lab.log.join("\n"));
    }
}

#[test]
fn the_return_point_challenges_where_it_has_users() {
    let mut lab = Lab::with(|setup| setup.return_users = vec![User { username: "bridge".into(), secret: Secret::new("pw") }]);
    let (id, session) = lab.call_up(on_return(OnReturn::Accept));
    let credentials = |password: &str| Some(ClientCredentials { username: "bridge".into(), password: password.into(), in_dialog: false });
    lab.bridge_invites_as(&[("X-GA-extConId", "c-1")], Some(sdp(50_010)), credentials("wrong"));
    let refused = lab.bridge_sees(|event| if let UaEvent::Rejected { code, .. } = event { Some(*code) } else { None });
    assert_eq!(refused, 401);
    let back = lab.bridge_invites_as(&[("X-GA-extConId", "c-1")], Some(sdp(50_010)), credentials("pw"));
    lab.bridge_sees(|event| matches!(event, UaEvent::Answered { id, .. } if *id == back).then_some(()));
    lab.advance(secs(5));
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state), (true, CallState::Returned), "{report:?}");
}

#[test]
fn a_return_of_nobodys_test_call_with_a_late_offer_is_answered_too() {
    let mut lab = Lab::with(|setup| setup.return_users = vec![User { username: "bridge".into(), secret: Secret::new("pw") }]);
    let credentials = ClientCredentials { username: "bridge".into(), password: "pw".into(), in_dialog: false };
    let back = lab.bridge_invites_as(&[("X-GA-transfer", "AGENT")], None, Some(credentials));
    lab.bridge_sees(|event| matches!(event, UaEvent::Answered { id, sdp: Some(_), .. } if *id == back).then_some(()));
    lab.bridge_does(|bridge, now| bridge.answer_offer(now, back, sdp(50_010)));
    assert_eq!(hung_up(&mut lab), SessionEnd::RemoteBye);
    let id = lab.events.first().expect("it has a record").0;
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state, report.returned_by), (true, CallState::Returned, Some(ReturnMethod::Invite)), "{report:?}");
    assert!(lab.media.iter().any(|m| matches!(m, MediaCommand::Configure { setup, .. } if setup.remote.is_some())));
}

#[test]
fn nothing_new_is_placed_while_the_program_ends() {
    let mut lab = Lab::new();
    assert!(lab.command(Command::Drain).is_ok());
    assert!(lab.command(Command::PlaceTestCall { call: Box::default() }).is_err());
    assert!(lab.command(Command::HangUp { call: crate::model::CallId(1) }).is_err());
    assert!(lab.log.is_empty());
}

#[test]
fn hold_is_answered_and_the_sound_stops() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(TestCall::default());
    let held = String::from_utf8_lossy(&sdp(50_000)).replace("1 1 IN", "1 2 IN") + "a=sendonly\r\n";
    lab.bridge_does(|bridge, now| bridge.offer(now, session, held.into()));
    let answer = lab.bridge_sees(|event| if let UaEvent::OfferAnswered { sdp, .. } = event { Some(sdp.clone()) } else { None });
    assert!(String::from_utf8_lossy(&answer).contains("a=recvonly"));
    let setup = lab.media.iter().rev().find_map(|m| if let MediaCommand::Configure { setup, .. } = m { Some(setup.clone()) } else { None });
    assert_eq!(setup.map(|s| s.direction), Some(Direction::RecvOnly));
    lab.bridge_does(|bridge, now| bridge.hang_up(now, session, &[], None));
    assert!(lab.over(id).0.ok);
}

#[test]
fn a_refer_without_brackets_or_a_sip_uri_is_judged() {
    let mut lab = Lab::new();
    let (id, session) = lab.call_up(on_return(OnReturn::Accept));
    lab.bridge_does(|bridge, now| bridge.refer(now, session, "<tel:+15551234567>", &[]));
    assert_eq!(refer_answered(&mut lab), 416);
    lab.bridge_does(|bridge, now| bridge.refer(now, session, "sip:return@192.0.2.1:5090?X-GA-transfer=AGENT", &[]));
    assert_eq!(refer_answered(&mut lab), 202);
    lab.advance(secs(5));
    lab.bridge_may(|bridge, now| bridge.hang_up(now, session, &[], None));
    let (report, state) = lab.over(id);
    assert_eq!((report.ok, state), (false, CallState::Returned), "the first REFER could not be taken");
    let rules: Vec<_> = lab
        .events
        .iter()
        .filter_map(|(_, e)| if let CallEvent::FindingRaised { finding } = e { Some(finding.rule.as_ref()) } else { None })
        .collect();
    assert_eq!(rules, ["refer-to-not-sip", "refer-to-without-brackets"]);
    assert_eq!(report.returned.map(|p| p.items.len()), Some(1));
}

#[test]
fn requests_that_are_not_for_a_customer_are_refused() {
    let mut lab = Lab::new();
    for (method, code) in [("OPTIONS", 200), ("REFER", 603), ("SUBSCRIBE", 489), ("MESSAGE", 405), ("REGISTER", 405)] {
        let request = format!(
            "{method} sip:x@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\nContact: <sip:a@192.0.2.2>\r\n\
             Refer-To: <sip:evil@192.0.2.66>\r\nEvent: presence\r\nContent-Length: 0\r\n\r\n"
        );
        lab.bridge_sends_raw(request);
        lab.advance(secs(40));
        let codes: Vec<_> = lab.messages("SIP/2.0").iter().filter(|m| m.fields().call_id() == Some(method)).filter_map(code_of).collect();
        assert_eq!(codes.last(), Some(&code), "{method}: {codes:?}");
    }
    assert_eq!(lab.messages("INVITE").len(), 0);
}

fn code_of(message: &Message) -> Option<u16> {
    match message {
        Message::Response(response) => Some(response.code()),
        Message::Request(_) => None,
    }
}
