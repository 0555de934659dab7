//! The operator as the agent: the call waits, is answered, held, handed back; and whatever may cross on the way.

use std::time::Duration;

use handback::{
    media::{Direction, Heard, Line, MediaCommand, Playout},
    model::{
        CallEvent, CallId, CallState, Command, ListenSide, OperatorPhase, Outcome, Party, ReturnMethod, ReturnMethodOrAgent, ReturnRequest,
        SetVariables, Variables,
        settings::{self, Settings},
    },
    sip::dialog::{SessionEnd, SessionId, UaEvent},
};

use crate::lab::{Customer, Lab, Return, sdp, settings};

fn with_operator(mut settings: Settings) -> Settings {
    settings.agent = settings::Agent::Operator { ring_timeout_secs: 20, ringing_tone: false };
    settings
}

fn by_bye() -> Settings {
    let mut settings = with_operator(settings());
    settings.peers[0].returns.method = ReturnMethod::Bye;
    settings
}

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn end(outcome: Outcome, transfer: &[(&str, &str)]) -> ReturnRequest {
    ReturnRequest { outcome, transfer_variables: variables(transfer), reference_variables: Variables::new(), method: None, uri: None }
}

/// The customer calls and hears ringing.
fn rings(lab: &mut Lab) -> (SessionId, CallId) {
    let call = lab.calls();
    lab.hears(Customer, |e| matches!(e, UaEvent::Progress { code: 180 | 183, .. }));
    let id = lab.events.last().expect("it arrived").0;
    (call, id)
}

fn talks(lab: &mut Lab) -> (SessionId, CallId) {
    let (call, id) = rings(lab);
    assert_eq!(lab.commands(Command::Answer { call: id }), Ok(id));
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.passes(Duration::from_secs(1));
    (call, id)
}

/// The customer answers the offer that it is sent; the offer.
fn takes_offer(lab: &mut Lab, call: SessionId, direction: &str) -> String {
    let UaEvent::Offer { sdp: offer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Offer { .. })) else { unreachable!() };
    let answer = sdp(lab.address(Customer), "0 101", direction);
    lab.does(Customer, |ua, now| ua.answer_offer(now, call, answer)).unwrap();
    String::from_utf8_lossy(&offer).into_owned()
}

fn on_line(lab: &Lab) -> Vec<bool> {
    let lives = lab.media.iter().filter_map(|c| match c {
        MediaCommand::Live { line: Line::Operator, on, .. } => Some(*on),
        _ => None,
    });
    lives.collect()
}

#[test]
fn a_call_waits_is_answered_and_handed_back_with_its_variables() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = rings(&mut lab);
    let record = lab.record();
    assert_eq!((record.state, record.operator.unwrap().phase), (CallState::Ringing, OperatorPhase::Waiting));
    assert!(on_line(&lab).is_empty());
    lab.passes(Duration::from_secs(4));
    assert_eq!(lab.commands(Command::Answer { call: id }), Ok(id));
    assert!(lab.commands(Command::Answer { call: id }).is_err(), "it is answered");
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    assert_eq!(on_line(&lab), [true]);
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.record().state, CallState::WithAgent);

    let set = SetVariables { transfer_variables: variables(&[("b", "2"), ("a", "1")]), reference_variables: variables(&[("r", "3")]) };
    assert_eq!(lab.commands(Command::SetVariables { call: id, variables: set }), Ok(id));
    assert_eq!(lab.record().transfer_variables.keys().collect::<Vec<_>>(), ["b", "a"], "kept before the end");
    assert_eq!(lab.commands(Command::Return { call: id, request: end(Outcome::System, &[]) }), Ok(id));
    lab.ends(Customer, call);
    assert_eq!(on_line(&lab), [true, false]);
    let record = lab.is_over();
    assert_eq!((record.state, record.outcome), (CallState::Returned, Some(Outcome::System)));
    assert_eq!(
        (record.transfer_variables.keys().map(String::as_str).collect::<Vec<_>>(), &*record.reference_variables["r"]),
        (vec!["b", "a"], "3")
    );
    assert!(lab.events.iter().any(|(_, e)| matches!(e, CallEvent::AgentEnded { by: Party::Operator, .. })));
    assert_eq!(record.findings, []);
    assert_eq!(lab.told(Customer), ["180 INVITE", "200 INVITE", "BYE"]);

    assert_eq!(record.operator.unwrap().phase, OperatorPhase::WrapUp, "until it is done");
    assert_eq!(lab.commands(Command::Done { call: id }), Ok(id));
    assert!(lab.commands(Command::Done { call: id }).is_err(), "once");
    assert_eq!(lab.record().operator.unwrap().phase, OperatorPhase::Done);
}

#[test]
fn a_call_that_nobody_takes_goes_back_as_agent() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = rings(&mut lab);
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!((record.state, record.outcome), (CallState::Returned, Some(Outcome::Agent)));
    assert_eq!(record.operator.unwrap().phase, OperatorPhase::Missed);
    assert!(record.timeline.iter().any(|note| note.text.contains("did not answer")));
    assert!(lab.commands(Command::Done { call: id }).is_err(), "what was not talked in needs no wrap-up");

    let mut lab = Lab::new(by_bye());
    let (_, id) = rings(&mut lab);
    assert_eq!(lab.commands(Command::Decline { call: id }), Ok(id));
    assert!(lab.commands(Command::Answer { call: id }).is_err(), "it is too late");
    assert!(lab.is_over().timeline.iter().any(|note| note.text.contains("declined")));
    assert!(on_line(&lab).is_empty());
}

#[test]
fn a_ringing_tone_of_ours_ends_with_the_answer() {
    let mut settings = by_bye();
    settings.agent = settings::Agent::Operator { ring_timeout_secs: 20, ringing_tone: true };
    let mut lab = Lab::new(settings);
    let call = lab.calls();
    lab.hears(Customer, |e| matches!(e, UaEvent::Progress { code: 183, sdp: Some(_), .. }));
    let stream = lab.customer_stream();
    assert!(lab.media.iter().any(|c| matches!(c, MediaCommand::Play { what: Playout::Ringback, .. })));
    let id = lab.events[0].0;
    assert_eq!(lab.commands(Command::Answer { call: id }), Ok(id));
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    let stopped = lab.media.iter().position(|c| *c == MediaCommand::StopPlaying { stream });
    assert!(stopped < lab.media.iter().position(|c| matches!(c, MediaCommand::Live { on: true, .. })));
    lab.ends_clean(call);
}

#[test]
fn a_customer_that_hangs_up_into_the_answer_leaves_nothing() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = rings(&mut lab);
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.commands(Command::Answer { call: id }), Ok(id), "the CANCEL is not here yet");
    let record = lab.is_over();
    assert_eq!((record.state, record.returns.len()), (CallState::Ended, 0));
    assert_eq!(record.operator.unwrap().phase, OperatorPhase::WrapUp);

    // Before the answer: it was only missed.
    let mut lab = Lab::new(by_bye());
    let (call, id) = rings(&mut lab);
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.ends(Customer, call);
    assert!(lab.commands(Command::Answer { call: id }).is_err());
    assert_eq!(lab.is_over().operator.unwrap().phase, OperatorPhase::Missed);
}

#[test]
fn an_answer_at_the_last_moment_counts_and_one_after_it_does_not() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = rings(&mut lab);
    lab.passes(Duration::from_millis(19_900));
    assert_eq!(lab.commands(Command::Answer { call: id }), Ok(id));
    lab.passes(Duration::from_secs(60));
    assert_eq!(lab.record().state, CallState::WithAgent, "the deadline is gone");
    lab.ends_clean(call);

    let mut lab = Lab::new(by_bye());
    let (_, id) = rings(&mut lab);
    lab.passes(Duration::from_secs(21));
    assert!(lab.commands(Command::Answer { call: id }).is_err());
    assert_eq!(lab.is_over().outcome, Some(Outcome::Agent));
}

#[test]
fn hold_is_told_to_the_customer_and_taken_back() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = talks(&mut lab);
    assert_eq!(lab.commands(Command::Hold { call: id, on: true }), Ok(id));
    assert!(takes_offer(&mut lab, call, "recvonly").contains("a=sendonly"));
    lab.passes(Duration::from_secs(1));
    assert!(lab.record().operator.unwrap().held_since.is_some());
    let directions = |lab: &Lab| -> Vec<Direction> {
        lab.media.iter().filter_map(|c| if let MediaCommand::Configure { setup, .. } = c { Some(setup.direction) } else { None }).collect()
    };
    assert_eq!(directions(&lab), [Direction::SendRecv, Direction::SendOnly]);
    assert!(lab.media.iter().any(|c| matches!(c, MediaCommand::Play { what: Playout::OnHold, .. })));
    assert_eq!(on_line(&lab), [true, false]);

    assert_eq!(lab.commands(Command::Hold { call: id, on: false }), Ok(id));
    assert!(!takes_offer(&mut lab, call, "sendrecv").contains("a=sendonly"));
    lab.passes(Duration::from_secs(1));
    assert_eq!(directions(&lab).last(), Some(&Direction::SendRecv));
    assert_eq!(on_line(&lab), [true, false, true]);
    let record = lab.ends_clean(call);
    assert!(record.operator.unwrap().held_since.is_none());
}

#[test]
fn hold_and_back_at_once_are_offered_one_after_the_other() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = talks(&mut lab);
    for on in [true, false, true] {
        assert_eq!(lab.commands(Command::Hold { call: id, on }), Ok(id));
    }
    for (theirs, ours) in [("a=sendonly", "recvonly"), ("a=sendonly", "recvonly")] {
        let UaEvent::Offer { sdp: offer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Offer { .. })) else { panic!() };
        assert!(String::from_utf8_lossy(&offer).contains(theirs), "what holds at the time of the offer");
        let answer = sdp(lab.address(Customer), "0 101", ours);
        lab.does(Customer, |ua, now| ua.answer_offer(now, call, answer)).unwrap();
    }
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.record().findings, []);
    lab.ends_clean(call);
}

#[test]
fn a_customer_that_refuses_the_hold_is_held_here_all_the_same() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = talks(&mut lab);
    lab.commands(Command::Hold { call: id, on: true }).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::Offer { .. }));
    lab.does(Customer, |ua, now| ua.refuse_offer(now, call, 488)).unwrap();
    lab.passes(Duration::from_secs(1));
    assert_eq!(on_line(&lab), [true, false]);
    assert_eq!(lab.commands(Command::Hold { call: id, on: false }), Ok(id));
    assert_eq!(on_line(&lab), [true, false, true]);
    lab.ends_clean(call);
}

#[test]
fn glare_of_two_holds_settles() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = talks(&mut lab);
    lab.commands(Command::Hold { call: id, on: true }).unwrap();
    let theirs = sdp(lab.address(Customer), "0 101", "sendonly");
    lab.does(Customer, |ua, now| ua.offer(now, call, theirs)).unwrap();
    takes_offer(&mut lab, call, "inactive");
    lab.passes(Duration::from_secs(10));
    assert_eq!(lab.record().findings, []);
    lab.ends_clean(call);
}

#[test]
fn a_return_by_refer_leaves_from_hold() {
    let mut lab = Lab::new(with_operator(settings()));
    let (call, id) = talks(&mut lab);
    lab.commands(Command::Hold { call: id, on: true }).unwrap();
    takes_offer(&mut lab, call, "recvonly");
    lab.passes(Duration::from_secs(1));
    lab.commands(Command::Return { call: id, request: end(Outcome::Agent, &[("why", "asked")]) }).unwrap();
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    lab.does(Customer, |ua, now| ua.notify(now, call, refer, "SIP/2.0 200 OK", true)).unwrap();
    let record = lab.is_over();
    assert_eq!((record.state, &*record.transfer_variables["why"]), (CallState::Returned, "asked"));
}

#[test]
fn a_return_by_invite_takes_the_customer_off_hold_first() {
    let mut settings = with_operator(settings());
    settings.peers[0].returns.method = ReturnMethod::Invite;
    let mut lab = Lab::new(settings);
    let (call, id) = talks(&mut lab);
    lab.commands(Command::Hold { call: id, on: true }).unwrap();
    takes_offer(&mut lab, call, "recvonly");
    lab.passes(Duration::from_secs(1));
    lab.commands(Command::Return { call: id, request: end(Outcome::System, &[]) }).unwrap();
    assert!(!takes_offer(&mut lab, call, "sendrecv").contains("a=sendonly"));
    let back = lab.is_called(Return);
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    // Listening goes on over the return: it is on the customer's stream.
    assert_eq!(lab.commands(Command::Listen { call: id, side: Some(ListenSide::Both) }), Ok(id));
    lab.does(Return, |ua, now| ua.hang_up(now, back, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_second_call_is_answered_while_the_first_is_held() {
    let mut lab = Lab::new(by_bye());
    let (first, one) = talks(&mut lab);
    let (second, two) = rings(&mut lab);
    assert_ne!(one, two);
    assert_eq!(lab.commands(Command::Answer { call: two }), Ok(two));
    lab.hears(Customer, |e| matches!(e, UaEvent::Offer { id, .. } if *id == first));
    let answer = sdp(lab.address(Customer), "0 101", "recvonly");
    lab.does(Customer, |ua, now| ua.answer_offer(now, first, answer)).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { id, .. } if *id == second));
    lab.passes(Duration::from_secs(1));
    let held = |lab: &Lab| -> Vec<bool> { lab.records().iter().map(|r| r.operator.as_ref().unwrap().held_since.is_some()).collect() };
    assert_eq!((held(&lab), on_line(&lab)), (vec![true, false], vec![true, false, true]));
    // And back.
    assert_eq!(lab.commands(Command::Hold { call: one, on: false }), Ok(one));
    assert_eq!(held(&lab), [false, true]);
    assert_eq!(on_line(&lab), [true, false, true, false, true]);
    for call in [one, two] {
        lab.commands(Command::HangUp { call }).unwrap();
    }
    lab.is_over();
}

#[test]
fn a_failed_return_rings_the_operator_again() {
    let mut settings = with_operator(settings());
    settings.peers[0].returns.fallback = ReturnMethodOrAgent::Agent;
    let mut lab = Lab::new(settings);
    let (call, id) = talks(&mut lab);
    lab.commands(Command::Return { call: id, request: end(Outcome::System, &[("a", "1")]) }).unwrap();
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 603)).unwrap();
    lab.happens(|e| matches!(e, CallEvent::FallbackTaken { .. }));
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.record().operator.unwrap().phase, OperatorPhase::Waiting);
    assert!(lab.media.iter().any(|c| matches!(c, MediaCommand::Play { what: Playout::Ringback, .. })));
    assert_eq!(lab.commands(Command::Answer { call: id }), Ok(id));
    assert_eq!((lab.record().state, on_line(&lab)), (CallState::WithAgent, vec![true, false, true]));
    // Nobody says variables now: those of the first time are still meant.
    lab.commands(Command::Return { call: id, request: ReturnRequest { method: Some(ReturnMethod::Bye), ..end(Outcome::System, &[]) } })
        .unwrap();
    assert_eq!(lab.is_over().transfer_variables["a"], "1");

    // Nor need it be answered the second time.
    let mut settings = with_operator(crate::lab::settings());
    settings.peers[0].returns.fallback = ReturnMethodOrAgent::Agent;
    let mut lab = Lab::new(settings);
    let (call, id) = talks(&mut lab);
    lab.commands(Command::Return { call: id, request: end(Outcome::System, &[]) }).unwrap();
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 603)).unwrap();
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    assert!(lab.events.iter().any(|(_, e)| matches!(e, CallEvent::OperatorMissed { .. })));
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    lab.does(Customer, |ua, now| ua.notify(now, call, refer, "SIP/2.0 200 OK", true)).unwrap();
    assert!(lab.is_over().state.is_final());
}

#[test]
fn a_window_that_closes_loses_nothing() {
    let mut lab = Lab::new(by_bye());
    let (talking, one) = talks(&mut lab);
    let set = SetVariables { transfer_variables: variables(&[("half", "done")]), ..SetVariables::default() };
    lab.commands(Command::SetVariables { call: one, variables: set }).unwrap();
    let (waiting, _) = rings(&mut lab);
    assert!(lab.commands(Command::OperatorLeaves).is_ok());
    assert_eq!(lab.ends(Customer, talking), SessionEnd::RemoteBye);
    lab.ends(Customer, waiting);
    // Whoever comes after finds nobody.
    let late = lab.calls();
    lab.ends(Customer, late);
    let record = lab.is_over();
    assert_eq!((record.outcome, &*record.transfer_variables["half"]), (Some(Outcome::Agent), "done"));
    let phases: Vec<_> = lab.records().iter().map(|r| r.operator.as_ref().unwrap().phase).collect();
    assert_eq!(phases, [OperatorPhase::Done, OperatorPhase::Missed, OperatorPhase::Missed]);
}

#[test]
fn draining_lets_the_operator_finish() {
    let mut lab = Lab::new(by_bye());
    let (_, id) = rings(&mut lab);
    assert!(lab.commands(Command::Drain).is_ok());
    assert_eq!(lab.commands(Command::Answer { call: id }), Ok(id));
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.commands(Command::Return { call: id, request: end(Outcome::System, &[]) }), Ok(id));
    assert_eq!(lab.is_over().state, CallState::Returned);
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason() {
    let mut lab = Lab::new(by_bye());
    let (call, id) = rings(&mut lab);
    assert!(lab.commands(Command::Hold { call: id, on: true }).is_err(), "nobody talks yet");
    let bad = SetVariables { transfer_variables: variables(&[("a b", "1")]), ..SetVariables::default() };
    assert!(lab.commands(Command::SetVariables { call: id, variables: bad }).is_err());
    lab.ends_clean(call);
    let none = SetVariables::default();
    assert!(lab.commands(Command::SetVariables { call: id, variables: none }).is_err());
    assert!(lab.commands(Command::Listen { call: id, side: Some(ListenSide::Both) }).is_err());

    let mut lab = Lab::new(settings());
    lab.in_a_call();
    let id = lab.events[0].0;
    for command in [
        Command::Answer { call: id },
        Command::Decline { call: id },
        Command::Hold { call: id, on: true },
        Command::SetVariables { call: id, variables: SetVariables::default() },
        Command::Done { call: id },
    ] {
        assert!(lab.commands(command.clone()).is_err(), "a script is the agent: {command:?}");
    }
    lab.commands(Command::HangUp { call: id }).unwrap();
    lab.is_over();
}

#[test]
fn one_call_at_a_time_is_listened_to_and_that_ends_with_it() {
    let mut lab = Lab::new(settings());
    lab.in_a_call();
    let one = lab.events[0].0;
    assert!(lab.commands(Command::Listen { call: one, side: None }).is_err(), "nobody listens");
    for side in [ListenSide::Customer, ListenSide::Agent, ListenSide::Both] {
        assert_eq!(lab.commands(Command::Listen { call: one, side: Some(side) }), Ok(one));
        assert_eq!(lab.record().listening, Some(side));
    }
    lab.calls();
    lab.passes(Duration::from_secs(1));
    let two = lab.records()[1].id;
    assert_eq!(lab.commands(Command::Listen { call: two, side: Some(ListenSide::Both) }), Ok(two));
    assert_eq!(lab.record().listening, None, "it moved");
    let heard: Vec<_> =
        lab.media.iter().filter_map(|c| if let MediaCommand::Listen { heard, .. } = c { Some(*heard) } else { None }).collect();
    assert_eq!(heard, [Some(Heard::Received), Some(Heard::Sent), Some(Heard::Both), None, Some(Heard::Both)]);
    lab.is_over();
    assert!(lab.records().iter().all(|record| record.listening.is_none()));
}
