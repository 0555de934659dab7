//! Calls for call transfers: matched, refused, merged and linked (contract §2, §4).

use std::time::Duration;

use handback::{
    model::{
        CallEvent, CallState, Command, InputContext, NewCallTransfer, Outcome, Party, ReturnMethod, SipReturn, TransferStatus,
        TransferTarget, Variables, settings::Settings,
    },
    sip::{
        dialog::{NewInvite, SessionEnd, UaEvent},
        message::HeaderName,
    },
};

use crate::{
    desk::api,
    lab::{Agent, Customer, Lab, settings, with_agent},
};

pub fn with_api() -> Settings {
    Settings { api: Some(api()), ..settings() }
}

pub fn lab() -> Lab {
    Lab::new(with_api())
}

pub fn sip_transfer(id: &str, method: ReturnMethod, uri: Option<&str>) -> NewCallTransfer {
    let returns = SipReturn { method, uri: uri.map(Into::into), auth: None };
    NewCallTransfer {
        id: id.into(),
        external_conversation_id: "api-conversation".into(),
        target: TransferTarget::Sip(returns),
        input_context: Some(InputContext {
            task_name: Some("billing".into()),
            input_variables: [("accountNumber", "42"), ("tier", "gold")].map(|(n, v)| (n.into(), v.into())).into(),
        }),
    }
}

pub fn number_transfer(id: &str) -> NewCallTransfer {
    NewCallTransfer { target: TransferTarget::PhoneNumber { country: "US".into() }, ..sip_transfer(id, ReturnMethod::Bye, None) }
}

/// The INVITE names the call transfer and brings nothing else.
pub fn names(id: &str) -> impl FnOnce(&mut NewInvite) + use<> {
    let header = ("x-asapp-CALLTRANSFERID".to_owned(), id.to_owned());
    move |invite| invite.headers = vec![header]
}

fn status(lab: &mut Lab, id: &str) -> TransferStatus {
    lab.desk.shows(lab.now, id).status
}

/// The customer calls, and is refused with this code; what the Reason header says.
#[track_caller]
fn refused(lab: &mut Lab, change: impl FnOnce(&mut NewInvite), code: u16) -> String {
    let call = lab.calls_with(change);
    assert!(matches!(lab.ends(Customer, call), SessionEnd::Rejected { code: got, .. } if got == code), "{}", lab.ladder());
    let record = lab.records().pop().expect("it is a call, too");
    assert_eq!(record.state, CallState::Refused, "people look for it");
    let why = record.ended.clone().expect("it is over");
    assert_eq!(why.code, Some(code));
    assert!(record.findings.iter().any(|finding| finding.rule.starts_with("call-transfer-")), "{:?}", record.findings);
    let reason = lab.last_response(Customer, code).text(HeaderName::Reason).expect("it says why").into_owned();
    assert_eq!(reason, format!("SIP;cause={code};text=\"{}\"", why.reason));
    why.reason
}

#[test]
fn an_invite_that_names_a_call_transfer_is_the_call_for_it() {
    let mut lab = lab();
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let call = lab.calls_with(names("t-1"));
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    assert_eq!(status(&mut lab, "t-1"), TransferStatus::Ongoing);
    lab.passes(Duration::from_secs(1));
    lab.presses('1');
    assert_eq!(lab.ends(Customer, call), SessionEnd::RemoteBye);

    let record = lab.is_over();
    assert_eq!((record.state, record.call_transfer.as_deref()), (CallState::Returned, Some("t-1")));
    assert_eq!(record.context.ext_conversation_id.as_deref(), Some("api-conversation"));
    assert_eq!(record.context.task_name.as_deref(), Some("billing"));
    assert!(record.timeline.iter().any(|note| note.text == "Call transfer t-1 is ongoing"));
    let transfer = lab.desk.shows(lab.now, "t-1");
    assert_eq!((transfer.status, transfer.call), (TransferStatus::Completed, Some(record.id)));
    let output = transfer.output_context.expect("the agent has ended");
    assert_eq!((output.transfer_type, output.current_task_name.as_deref()), (Outcome::System, Some("billing")));
    assert_eq!(output.reference_variables["account"], "42", "the API's variables are the script's");
}

#[test]
fn the_dialled_number_is_matched_in_every_spelling() {
    let dialled = [
        ("sip:+19995550100@192.0.2.1:5060", None),
        ("sip:19995550100@192.0.2.1;user=phone", None),
        ("sip:+1-999-555-0100@192.0.2.1", None),
        ("sip:+1(999)555.0100;phone-context=x@192.0.2.1;user=phone", None),
        ("sip:%2B19995550100@192.0.2.1", None),
        ("tel:+1-999-555-0100", None),
        ("tel:19995550100;phone-context=+1", None),
        ("sip:bridge@192.0.2.1", Some("<sip:+19995550100@customer.example>")),
        ("sip:192.0.2.1", Some("\"Bot\" <tel:+1.999.555.0100>")),
        ("sip:+4930123456@192.0.2.1", Some("<sip:19995550100@h;user=phone>")),
    ];
    for (target, to) in dialled {
        let mut lab = lab();
        let made = lab.desk.creates(lab.now, number_transfer("t-1"));
        assert_eq!(made.number.as_deref(), Some("+19995550100"));
        let call = lab.calls_with(|invite| {
            invite.target = target.into();
            invite.to = to.map(Into::into);
            invite.headers.clear();
        });
        lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
        lab.passes(Duration::from_secs(1));
        lab.presses('1');
        lab.ends(Customer, call);
        let record = lab.is_over();
        assert_eq!((record.state, record.call_transfer.as_deref()), (CallState::Returned, Some("t-1")), "{target} {to:?}");
        assert_eq!(record.returns[0].method, ReturnMethod::Bye, "the peer's method is REFER, but a number goes back by BYE only");
        assert_eq!(record.context.call_transfer_id.as_deref(), Some("t-1"));
        assert!(lab.desk.shows(lab.now, "t-1").output_context.is_some());
    }
}

#[test]
fn a_number_outside_the_pool_is_nobodys() {
    let mut lab = lab();
    let call = lab.calls_with(|invite| invite.target = "sip:+19995550199@192.0.2.1".into());
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.is_over().call_transfer, None);
}

#[test]
fn a_blank_id_is_no_id() {
    let mut lab = lab();
    let call = lab.calls_with(names("  "));
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.is_over().call_transfer, None);
}

#[test]
fn each_refusal_has_its_code_and_says_why() {
    let mut lab = lab();
    assert_eq!(refused(&mut lab, names("never-made"), 404), "No such call transfer");
    assert_eq!(refused(&mut lab, |invite| invite.target = "sip:+19995550102@192.0.2.1".into(), 404), "No such call transfer");

    lab.desk.creates(lab.now, sip_transfer("late", ReturnMethod::Bye, None));
    lab.passes(Duration::from_secs(301));
    assert_eq!(refused(&mut lab, names("late"), 410), "The call transfer has expired");

    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let call = lab.calls_with(names("t-1"));
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    assert_eq!(refused(&mut lab, names("t-1"), 486), "The call transfer has its call already");
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.passes(Duration::from_secs(1));
    assert_eq!(refused(&mut lab, names("t-1"), 410), "The call transfer is completed");
    lab.is_over();
    assert!(lab.desk.shows(lab.now, "t-1").output_context.is_none(), "the customer hung up first");
}

#[test]
fn with_no_api_no_id_is_known() {
    let mut lab = Lab::new(settings());
    refused(&mut lab, names("t-1"), 404);
    let record = lab.is_over();
    assert_eq!((record.findings[0].rule.as_ref(), record.findings[0].side), ("call-transfer-without-api", Party::Operator));
}

#[test]
fn of_two_invites_for_one_call_transfer_one_is_taken() {
    let mut lab = lab();
    lab.desk.delay = Duration::from_millis(3);
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let (first, second) = (lab.calls_with(names("t-1")), lab.calls_with(names("t-1")));
    lab.passes(Duration::from_secs(1));
    let answered = |lab: &Lab, call| lab.has_heard(Customer, |e| matches!(e, UaEvent::Answered { id, .. } if *id == call));
    assert!(answered(&lab, first) && !answered(&lab, second));
    assert!(matches!(lab.ends(Customer, second), SessionEnd::Rejected { code: 486, .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, first, &[], None)).unwrap();
    lab.is_over();
}

/// Two hundred moments around the expiry with each `make test`; `HANDBACK_RACES=10000` for as many as one likes.
#[test]
fn an_invite_at_the_moment_of_expiry_gets_the_transfer_or_410_never_both() {
    let races: u64 = std::env::var("HANDBACK_RACES").ok().map_or(200, |races| races.parse().unwrap());
    let (lease, around) = (Duration::from_secs(60), Duration::from_millis(20));
    let mut taken = [0_u64, 0];
    for race in 0..races {
        let mut lab = lab();
        lab.desk.delay = Duration::from_millis(race % 5);
        lab.desk.creates(lab.now, number_transfer("t-1"));
        lab.passes(lease - around + Duration::from_nanos(race * 2 * around.as_nanos() as u64 / races));
        let call = lab.calls_with(|invite| invite.target = "sip:+19995550100@192.0.2.1".into());
        lab.passes(Duration::from_secs(1));
        let answered = lab.has_heard(Customer, |e| matches!(e, UaEvent::Answered { .. }));
        let _ = lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None));
        let record = lab.is_over();
        let status = status(&mut lab, "t-1");
        match answered {
            true => assert_eq!((record.state, status), (CallState::Ended, TransferStatus::Completed), "{race}"),
            false => assert_eq!((record.state, status), (CallState::Refused, TransferStatus::Expired), "{race}"),
        }
        taken[usize::from(answered)] += 1;
    }
    assert!(taken.iter().all(|times| *times > races / 10), "{taken:?}");
}

#[test]
fn a_customer_that_gives_up_while_the_desk_is_asked_leaves_nothing_behind() {
    let mut lab = lab();
    lab.desk.delay = Duration::from_secs(2);
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let call = lab.calls_with(names("t-1"));
    lab.passes(Duration::from_secs(1));
    assert!(lab.told(Customer).contains(&"100 INVITE".to_owned()), "its INVITE is being worked on");
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.ends(Customer, call), SessionEnd::Cancelled);
    assert_eq!(lab.is_over().state, CallState::Ended);
    let transfer = lab.desk.shows(lab.now, "t-1");
    assert_eq!((transfer.status, transfer.output_context), (TransferStatus::Completed, None));
}

#[test]
fn an_operator_may_hang_up_while_the_desk_is_asked() {
    let mut lab = lab();
    lab.desk.delay = Duration::from_secs(2);
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let call = lab.calls_with(names("t-1"));
    lab.passes(Duration::from_secs(1));
    let id = lab.record().id;
    lab.commands(Command::HangUp { call: id }).unwrap();
    assert!(matches!(lab.ends(Customer, call), SessionEnd::Rejected { .. }));
    lab.is_over();
}

#[test]
fn a_desk_that_says_nothing_for_5_s_means_503() {
    let mut lab = lab();
    lab.desk.silent = true;
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let before = lab.now;
    assert_eq!(refused(&mut lab, names("t-1"), 503), "Call transfers can't be looked up now");
    assert!((lab.now - before).as_secs() == 5, "{:?}", lab.now - before);
    assert!(lab.last_response(Customer, 503).text(HeaderName::RetryAfter).is_some());
    lab.is_over();
}

#[test]
fn a_call_that_is_refused_claims_nothing() {
    let mut settings = with_api();
    settings.limits.calls = 1;
    let mut lab = Lab::new(settings);
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let running = lab.calls();
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    let second = lab.calls_with(names("t-1"));
    assert!(matches!(lab.ends(Customer, second), SessionEnd::Rejected { code: 503, .. }));
    assert_eq!(status(&mut lab, "t-1"), TransferStatus::Active);
    lab.does(Customer, |ua, now| ua.hang_up(now, running, &[], None)).unwrap();
    lab.passes(Duration::from_secs(40));
    let call = lab.calls_with(names("t-1"));
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_claimed_call_without_a_port_waits_and_is_refused_cleanly() {
    let mut lab = lab();
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    // All that were kept at hand are taken, and there are no more.
    lab.ports = 0..0;
    let running: Vec<_> = (0..32).map(|_| lab.calls()).collect();
    lab.passes(Duration::from_secs(1));
    let call = lab.calls_with(names("t-1"));
    assert!(matches!(lab.ends(Customer, call), SessionEnd::Rejected { code: 503, .. }));
    for call in running {
        let _ = lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None));
    }
    lab.is_over();
    assert_eq!(status(&mut lab, "t-1"), TransferStatus::Completed);
}

#[test]
fn headers_override_the_apis_context_and_each_is_a_finding() {
    let mut lab = Lab::new(with_agent(with_api()));
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let call = lab.calls_with(|invite| invite.headers.push(("X-ASAPP-CallTransferId".into(), "t-1".into())));
    let incoming = lab.hears_request(Agent);
    let ours: Vec<_> = incoming.request.others_with_prefix("X-").map(|(n, v)| format!("{n}: {v}")).collect();
    assert_eq!(
        ours,
        [
            "X-GA-taskName: billing",
            "X-GA-extConversationId: api-conversation",
            "X-ASAPP-CallTransferId: t-1",
            "X-GA-iv-accountNumber: 42",
            "X-GA-iv-tier: gold"
        ]
    );
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    let agent = lab.does(Agent, |ua, now| ua.accept_invite(now, incoming)).unwrap();
    lab.ends(Agent, agent);
    let record = lab.is_over();
    assert_eq!(record.findings.iter().map(|f| f.rule.as_ref()).collect::<Vec<_>>(), ["conversation-differs"], "the rest says the same");

    let mut lab = self::lab();
    lab.desk.creates(lab.now, sip_transfer("t-1", ReturnMethod::Bye, None));
    let call = lab.calls_with(|invite| {
        invite.headers = [("X-ASAPP-CallTransferId", "t-1"), ("X-GA-iv-accountNumber", "43"), ("X-GA-taskName", "other")]
            .map(|(n, v)| (n.into(), v.into()))
            .into();
    });
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    let record = lab.is_over();
    let expected: Variables = [("accountNumber", "43"), ("tier", "gold")].map(|(n, v)| (n.into(), v.into())).into();
    assert_eq!(record.context.input_variables, expected);
    assert_eq!(record.findings.iter().map(|f| f.rule.as_ref()).collect::<Vec<_>>(), ["context-overridden", "context-overridden"]);
}

#[test]
fn a_conversation_that_comes_again_resumes_and_its_attempts_are_linked() {
    let mut lab = lab();
    for n in 1..=3 {
        let id = format!("t-{n}");
        lab.desk.creates(lab.now, sip_transfer(&id, ReturnMethod::Bye, None));
        let call = lab.calls_with(names(&id));
        lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
        lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
        lab.ends(Customer, call);
        lab.passes(Duration::from_secs(1));
    }
    // A call with headers only belongs to the same conversation as much.
    let call = lab.calls_with(|invite| invite.headers = vec![("X-GA-extConversationId".into(), "api-conversation".into())]);
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
    let records = lab.records();
    let links: Vec<_> = records.iter().map(|r| (r.attempt, r.previous_call)).collect();
    assert_eq!(links, [(1, None), (2, Some(records[0].id)), (3, Some(records[1].id)), (4, Some(records[2].id))]);
    assert!(lab.events.iter().any(|(_, e)| matches!(e, CallEvent::ConversationResumed { attempt: 4, .. })));
}
