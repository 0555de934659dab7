//! Return by REFER: the verdict comes from NOTIFY, never from 202 (contract §3, RFC 3515).

use std::time::Duration;

use handback::{
    model::{CallEvent, CallRecord, CallState, ReturnMethod, ReturnMethodOrAgent, ReturnVerdict},
    party::{Input, TakenBack},
    sip::dialog::{ReferId, SessionEnd, SessionId, UaEvent},
};

use crate::lab::{Agent, Customer, Lab, settings, with_agent};

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A call that was returned by REFER, up to the customer's having it.
fn referred(lab: &mut Lab) -> (SessionId, ReferId) {
    let call = lab.in_a_call();
    lab.presses('1');
    let UaEvent::Refer { refer, request, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    let refer_to = request.text(handback::sip::message::HeaderName::ReferTo).unwrap().into_owned();
    assert_eq!(
        refer_to,
        "<sip:transfer@192.0.2.30:5060?X-GA-extConId=c-1&X-GA-transfer=SYSTEM&X-GA-tv-next_action=schedule_callback&X-GA-rv-account=42>"
    );
    (call, refer)
}

fn accepted(lab: &mut Lab) -> (SessionId, ReferId) {
    let (call, refer) = referred(lab);
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    (call, refer)
}

fn notifies(lab: &mut Lab, (call, refer): (SessionId, ReferId), sipfrag: &str, terminated: bool) {
    lab.does(Customer, |ua, now| ua.notify(now, call, refer, sipfrag, terminated)).unwrap();
}

fn verdict(record: &CallRecord) -> &ReturnVerdict {
    record.returns.last().unwrap().verdict.as_ref().unwrap()
}

#[test]
fn a_final_2xx_in_notify_is_the_success_and_bye_follows() {
    let mut lab = Lab::new(settings());
    let referral = accepted(&mut lab);
    notifies(&mut lab, referral, "SIP/2.0 100 Trying", false);
    lab.passes(secs(5));
    assert!(!lab.told(Customer).contains(&"BYE".to_owned()), "202 and 100 are no success");
    notifies(&mut lab, referral, "SIP/2.0 200 OK", true);
    assert_eq!(lab.ends(Customer, referral.0), SessionEnd::RemoteBye);
    let record = lab.is_over();
    assert_eq!(record.state, CallState::Returned);
    assert_eq!(verdict(&record), &ReturnVerdict::Succeeded);
    assert_eq!(lab.told(Customer), ["200 INVITE", "REFER", "200 NOTIFY", "200 NOTIFY", "BYE"]);
}

#[test]
fn a_refused_refer_falls_back_to_bye() {
    let mut lab = Lab::new(settings());
    let (call, refer) = referred(&mut lab);
    lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 603)).unwrap();
    lab.ends(Customer, call);
    let record = lab.is_over();
    let methods: Vec<_> = record.returns.iter().map(|r| r.method).collect();
    assert_eq!(methods, [ReturnMethod::Refer, ReturnMethod::Bye]);
    assert!(matches!(&record.returns[0].verdict, Some(ReturnVerdict::Failed { why }) if why.code == Some(603)));
    assert_eq!(record.returns[1].verdict, Some(ReturnVerdict::Succeeded));
    assert_eq!(record.state, CallState::Returned);
}

#[test]
fn a_202_followed_by_a_failure_keeps_the_call_and_goes_back_to_the_agent() {
    let mut settings = settings();
    settings.peers[0].returns.fallback = ReturnMethodOrAgent::Agent;
    let mut lab = Lab::new(settings);
    let referral = accepted(&mut lab);
    notifies(&mut lab, referral, "SIP/2.0 100 Trying", false);
    notifies(&mut lab, referral, "SIP/2.0 503 Service Unavailable", true);
    lab.happens(|e| matches!(e, CallEvent::FallbackTaken { to: ReturnMethodOrAgent::Agent }));
    lab.passes(secs(1));
    assert!(!lab.told(Customer).contains(&"BYE".to_owned()), "the call is kept");
    assert_eq!(lab.record().state, CallState::WithAgent);

    // The agent may try again, by a REFER of its own.
    lab.presses('0');
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    assert_ne!(refer, referral.1);
    lab.does(Customer, |ua, now| ua.accept_refer(now, referral.0, refer, 202)).unwrap();
    notifies(&mut lab, (referral.0, refer), "SIP/2.0 200 OK", true);
    lab.ends(Customer, referral.0);
    let record = lab.is_over();
    assert_eq!((record.state, record.returns.len()), (CallState::Returned, 2));
}

#[test]
fn a_call_does_not_go_in_circles_between_agent_and_refer() {
    let mut settings = settings();
    settings.peers[0].returns.fallback = ReturnMethodOrAgent::Agent;
    let mut lab = Lab::new(settings);
    let call = lab.calls_with(|invite| invite.headers[0].1 = "at_once".into());
    for _ in 0..3 {
        let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
        lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 480)).unwrap();
    }
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!(record.returns.len(), 4, "three REFERs, then BYE");
    assert_eq!(record.state, CallState::Returned);
}

#[test]
fn no_notify_in_thirty_seconds_means_unknown() {
    let mut lab = Lab::new(settings());
    let (call, _) = accepted(&mut lab);
    lab.passes(secs(29));
    assert!(lab.record().ended.is_none());
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert!(matches!(verdict(&record), ReturnVerdict::Unknown { why } if why.contains("30 s")));
    assert_eq!(record.state, CallState::Ended);
}

#[test]
fn a_target_that_rings_is_waited_for() {
    let mut lab = Lab::new(settings());
    let referral = accepted(&mut lab);
    notifies(&mut lab, referral, "SIP/2.0 180 Ringing", false);
    lab.passes(secs(50));
    notifies(&mut lab, referral, "SIP/2.0 200 OK", true);
    lab.ends(Customer, referral.0);
    assert_eq!(verdict(&lab.is_over()), &ReturnVerdict::Succeeded);
}

#[test]
fn a_subscription_that_ends_without_a_word_means_unknown_not_success() {
    let mut lab = Lab::new(settings());
    let referral = accepted(&mut lab);
    notifies(&mut lab, referral, "", true);
    lab.ends(Customer, referral.0);
    assert!(matches!(verdict(&lab.is_over()), ReturnVerdict::Unknown { .. }));

    let mut lab = Lab::new(settings());
    let referral = accepted(&mut lab);
    notifies(&mut lab, referral, "SIP/2.0 100 Trying", true);
    lab.ends(Customer, referral.0);
    assert!(matches!(verdict(&lab.is_over()), ReturnVerdict::Unknown { .. }));
}

#[test]
fn a_notify_that_overtakes_the_202_counts() {
    let mut lab = Lab::new(settings());
    let (call, refer) = referred(&mut lab);
    lab.loses(lab.address(Customer), "202", 3);
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    notifies(&mut lab, (call, refer), "SIP/2.0 200 OK", true);
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!((record.state, verdict(&record)), (CallState::Returned, &ReturnVerdict::Succeeded));
}

#[test]
fn a_customer_that_hangs_up_after_202_may_still_say_how_it_went() {
    let mut lab = Lab::new(settings());
    let (call, refer) = accepted(&mut lab);
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.passes(secs(1));
    assert!(lab.record().ended.is_none(), "the verdict is still out");
    if lab.does(Customer, |ua, now| ua.notify(now, call, refer, "SIP/2.0 200 OK", true)).is_ok() {
        assert_eq!(verdict(&lab.is_over()), &ReturnVerdict::Succeeded);
        assert_eq!(lab.record().state, CallState::Returned);
    }
}

#[test]
fn a_customer_that_hangs_up_after_202_and_says_nothing_leaves_it_unknown() {
    let mut lab = Lab::new(settings());
    let (call, _) = accepted(&mut lab);
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    let record = lab.is_over();
    assert!(matches!(verdict(&record), ReturnVerdict::Unknown { .. }));
    assert!(!lab.told(Customer).contains(&"BYE".to_owned()), "it has hung up already");
}

#[test]
fn a_customer_that_hangs_up_before_the_refer_is_answered_was_first() {
    let mut lab = Lab::new(settings());
    let (call, refer) = referred(&mut lab);
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    let _ = lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 481));
    let record = lab.is_over();
    assert_eq!(record.state, CallState::Ended);
    assert!(matches!(verdict(&record), ReturnVerdict::Failed { .. }));
}

#[test]
fn byes_that_cross_are_both_answered() {
    let mut lab = Lab::new(settings());
    let referral = accepted(&mut lab);
    notifies(&mut lab, referral, "SIP/2.0 200 OK", true);
    lab.does(Customer, |ua, now| ua.hang_up(now, referral.0, &[], None)).unwrap();
    let record = lab.is_over();
    assert_eq!((record.state, verdict(&record)), (CallState::Returned, &ReturnVerdict::Succeeded));
}

/// What the program's own return point tells of the call that it took; the peer's return URI is the return point's.
fn taken(conversation: Option<&str>, replaces: Option<&str>) -> Input {
    Input::TakenBack(Box::new(TakenBack {
        at: "192.0.2.30:5060".parse().unwrap(),
        request_uri: "sip:transfer@192.0.2.30:5060".into(),
        conversation: conversation.map(Into::into),
        replaces: replaces.map(Into::into),
    }))
}

fn hangs_up(lab: &mut Lab, call: SessionId) {
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
}

#[test]
fn a_bye_and_the_return_invite_at_our_own_return_point_are_the_success_without_notify() {
    for bye_first in [false, true] {
        let mut lab = Lab::new(settings());
        let (call, _) = accepted(&mut lab);
        lab.passes(secs(1));
        if bye_first {
            hangs_up(&mut lab, call);
            lab.passes(secs(2));
            assert!(lab.record().ended.is_none(), "the other half is still out");
            lab.tells_switch(taken(Some("c-1"), None));
        } else {
            lab.tells_switch(taken(Some("c-1"), None));
            lab.passes(secs(2));
            assert_eq!(lab.record().returns[0].verdict, None, "the customer has not let go");
            hangs_up(&mut lab, call);
        }
        let record = lab.is_over();
        assert_eq!((record.state, verdict(&record)), (CallState::Returned, &ReturnVerdict::Succeeded), "{bye_first}");
        assert_eq!(record.returns[0].last_code, Some(200));
    }
}

#[test]
fn a_return_invite_is_known_by_its_conversation_by_replaces_or_by_being_the_only_one() {
    for (conversation, replaces, known) in [
        (Some("c-1"), None, true),
        (Some("another"), None, false),
        (None, None, true),
        (None, Some("call-of-nobody"), false),
        (None, Some("own"), true),
    ] {
        let mut lab = Lab::new(settings());
        let (call, _) = accepted(&mut lab);
        let own = lab.record().legs[0].opened.sip_call_id.clone();
        lab.tells_switch(taken(conversation, replaces.map(|id| if id == "own" { own.as_str() } else { id })));
        hangs_up(&mut lab, call);
        let record = lab.is_over();
        assert_eq!(verdict(&record) == &ReturnVerdict::Succeeded, known, "{conversation:?} {replaces:?}");
    }
}

#[test]
fn a_return_invite_that_could_be_any_of_two_calls_is_neithers_verdict() {
    let mut lab = Lab::new(settings());
    let calls: Vec<_> = (0..2).map(|_| lab.calls_with(|invite| invite.headers[0].1 = "at_once".into())).collect();
    for call in &calls {
        let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { id, .. } if id == call)) else {
            unreachable!()
        };
        lab.does(Customer, |ua, now| ua.accept_refer(now, *call, refer, 202)).unwrap();
    }
    lab.passes(secs(1));
    lab.tells_switch(taken(Some("c-1"), None));
    calls.iter().for_each(|call| hangs_up(&mut lab, *call));
    lab.is_over();
    assert!(lab.records().iter().all(|record| matches!(verdict(record), ReturnVerdict::Unknown { .. })));
}

#[test]
fn a_taken_return_without_bye_or_notify_stays_unknown_and_a_notify_still_decides() {
    let mut lab = Lab::new(settings());
    let (call, _) = accepted(&mut lab);
    lab.tells_switch(taken(Some("c-1"), None));
    lab.ends(Customer, call);
    assert!(matches!(verdict(&lab.is_over()), ReturnVerdict::Unknown { why } if why.contains("our own") || why.contains("Our own")));

    let mut lab = Lab::new(settings());
    let referral = accepted(&mut lab);
    lab.tells_switch(taken(Some("c-1"), None));
    notifies(&mut lab, referral, "SIP/2.0 100 Trying", false);
    notifies(&mut lab, referral, "SIP/2.0 200 OK", true);
    lab.ends(Customer, referral.0);
    assert_eq!(verdict(&lab.is_over()), &ReturnVerdict::Succeeded);
}

#[test]
fn a_call_back_at_another_place_is_no_verdict() {
    let mut lab = Lab::new(settings());
    let (call, _) = accepted(&mut lab);
    lab.tells_switch(Input::TakenBack(Box::new(TakenBack {
        at: "192.0.2.31:5060".parse().unwrap(),
        request_uri: "sip:other@192.0.2.31:5060".into(),
        conversation: Some("c-1".into()),
        replaces: None,
    })));
    hangs_up(&mut lab, call);
    assert!(matches!(verdict(&lab.is_over()), ReturnVerdict::Unknown { .. }));
}

#[test]
fn without_a_return_uri_it_goes_by_bye_with_a_finding() {
    let mut settings = settings();
    settings.peers[0].returns.uri = None;
    let mut lab = Lab::new(settings);
    let call = lab.in_a_call();
    lab.presses('1');
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!(record.returns[0].method, ReturnMethod::Bye);
    assert!(record.findings.iter().any(|f| f.rule == "return-not-possible"));
    assert_eq!(record.state, CallState::Returned);
}

#[test]
fn an_agent_that_refers_hears_the_verdict_before_it_is_released() {
    let mut lab = Lab::new(with_agent(settings()));
    let (call, agent) = lab.in_a_call_with_agent();
    let headers = [("X-GA-transfer", "SYSTEM"), ("X-GA-tv-z", "1")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    let theirs = lab.does(Agent, |ua, now| ua.refer(now, agent, "<sip:anybody@192.0.2.30>", &headers)).unwrap();
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    notifies(&mut lab, (call, refer), "SIP/2.0 200 OK", true);
    lab.hears(Agent, |e| matches!(e, UaEvent::Notify { refer, sipfrag: Some((200, _)), terminated: true, .. } if *refer == theirs));
    lab.ends(Agent, agent);
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!(record.state, CallState::Returned);
    assert_eq!(record.transfer_variables["z"], "1");
}
