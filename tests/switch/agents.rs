//! The agent's part: scripts, and agents on a SIP leg, up to where the return begins.

use std::time::Duration;

use handback::{
    media::{Codec, Direction, MediaCommand, MediaEvent},
    model::{
        CallEvent, CallState, Command, Outcome, Party, ReturnMethod, ReturnRequest, Variables,
        settings::{self, Settings},
    },
    party::Input,
    sip::dialog::{SessionEnd, UaEvent},
};

use crate::lab::{Agent, Customer, Lab, sdp, settings, with_agent};

fn by_bye() -> Settings {
    let mut settings = settings();
    settings.peers[0].returns.method = ReturnMethod::Bye;
    settings
}

fn bye_headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn a_script_plays_and_a_digit_ends_it_with_its_variables() {
    let mut lab = Lab::new(by_bye());
    let call = lab.in_a_call();
    let stream = lab.customer_stream();
    assert!(lab.media.iter().any(|c| matches!(c, MediaCommand::Play { stream: s, .. } if *s == stream)));
    assert!(lab.media.contains(&MediaCommand::WatchSilence { stream, secs: Some(20.0) }));
    lab.presses('7');
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.record().outcome, None, "no end is on 7");
    lab.presses('1');
    assert_eq!(lab.ends(Customer, call), SessionEnd::RemoteBye);
    let record = lab.is_over();
    assert_eq!((record.state, record.outcome), (CallState::Returned, Some(Outcome::System)));
    assert_eq!(record.current_task.as_deref(), Some("billing"));
    assert_eq!(record.transfer_variables["next_action"], "schedule_callback");
    assert_eq!(record.reference_variables["account"], "42");
    assert_eq!(record.findings, []);
    assert_eq!(lab.told(Customer), ["200 INVITE", "BYE"]);
}

#[test]
fn silence_and_time_end_a_script_too() {
    let mut lab = Lab::new(by_bye());
    lab.in_a_call();
    let stream = lab.customer_stream();
    lab.tells_switch(Input::Media(MediaEvent::Silence { stream, secs: 20.0 }));
    assert_eq!(lab.is_over().outcome, Some(Outcome::System));

    let mut lab = Lab::new(by_bye());
    lab.in_a_call();
    assert_eq!(lab.is_over().outcome, Some(Outcome::Agent), "after 60 s");

    let mut lab = Lab::new(by_bye());
    lab.calls_with(|invite| invite.headers[0].1 = "at_once".into());
    let record = lab.is_over();
    assert_eq!((record.outcome, record.transfer_variables.len()), (Some(Outcome::System), 1));
}

#[test]
fn a_task_that_nobody_serves_goes_back_as_agent_with_a_finding() {
    let mut settings = by_bye();
    let settings::Agent::Script(script) = &settings.agent else { unreachable!() };
    let mut script = (**script).clone();
    script.tasks.retain(|task| task.name != "*");
    settings.agent = settings::Agent::Script(script.into());
    let mut lab = Lab::new(settings);
    lab.calls();
    let record = lab.is_over();
    assert_eq!(record.outcome, Some(Outcome::Agent));
    assert!(record.findings.iter().any(|f| f.rule == "no-task-serves"));
}

#[test]
fn a_customer_that_hangs_up_first_gets_no_return() {
    let mut lab = Lab::new(by_bye());
    let call = lab.in_a_call();
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    let record = lab.is_over();
    assert_eq!((record.state, record.outcome, record.returns.len()), (CallState::Ended, None, 0));
    assert_eq!(record.ended.unwrap().by, Party::Customer);
}

#[test]
fn nothing_of_the_return_leaves_before_the_ack() {
    let mut lab = Lab::new(settings());
    lab.loses(lab.address(Customer), "ACK", 3);
    let call = lab.calls_with(|invite| invite.headers[0].1 = "at_once".into());
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    assert_eq!(lab.told(Customer), ["200 INVITE", "REFER"]);
    assert!(
        lab.lines.iter().position(|l| l.contains("REFER") && l.contains("192.0.2.1:5060 →"))
            > lab.lines.iter().rposition(|l| l.contains("ACK"))
    );
    lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 603)).unwrap();
    lab.is_over();
}

#[test]
fn a_call_that_is_never_acknowledged_fails_and_leaves_nothing() {
    let mut lab = Lab::new(by_bye());
    lab.loses(lab.address(Customer), "ACK", 1000);
    lab.calls();
    let record = lab.is_over();
    assert_eq!(record.state, CallState::Failed);
}

#[test]
fn the_agent_gets_the_context_and_the_answer_goes_through() {
    let mut lab = Lab::new(with_agent(by_bye()));
    let call = lab.calls_with(|invite| invite.max_forwards = 12);
    let incoming = lab.hears_request(Agent);
    assert_eq!(incoming.request.max_forwards(), Some(11));
    let context: Vec<_> = incoming.request.others_with_prefix("X-GA-").map(|(n, v)| format!("{n}: {v}")).collect();
    assert_eq!(context, ["X-GA-taskName: billing", "X-GA-extConversationId: c-1", "X-GA-iv-accountNumber: 42"]);
    let agent = lab.does(Agent, |ua, now| ua.accept_invite(now, incoming)).unwrap();
    lab.does(Agent, |ua, now| ua.ring(now, agent, 180, None, &[])).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::Progress { code: 180, sdp: None, .. }));
    assert_eq!(lab.record().state, CallState::Ringing);
    lab.answers(Agent, agent);
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.record().state, CallState::WithAgent);

    let headers = bye_headers(&[("X-GA-transfer", "SYSTEM"), ("X-GA-tv-b", "2"), ("X-GA-tv-a", "1"), ("X-GA-rv-r", "3")]);
    lab.does(Agent, |ua, now| ua.hang_up(now, agent, &headers, None)).unwrap();
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!(record.outcome, Some(Outcome::System));
    assert_eq!(record.transfer_variables.keys().collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(record.reference_variables["r"], "3");
    assert_eq!(record.findings, []);
}

#[test]
fn an_agents_bye_without_headers_means_agent() {
    let mut lab = Lab::new(with_agent(by_bye()));
    let (_, agent) = lab.in_a_call_with_agent();
    lab.does(Agent, |ua, now| ua.hang_up(now, agent, &[], None)).unwrap();
    let record = lab.is_over();
    assert_eq!((record.outcome, record.transfer_variables.len()), (Some(Outcome::Agent), 0));
}

#[test]
fn early_media_of_the_agent_is_passed_with_the_same_answer_later() {
    let mut lab = Lab::new(with_agent(by_bye()));
    let call = lab.calls();
    let agent = lab.is_called(Agent);
    let early = sdp(lab.address(Agent), "0 101", "sendrecv");
    lab.does(Agent, |ua, now| ua.ring(now, agent, 183, Some(early), &[])).unwrap();
    let UaEvent::Progress { sdp: Some(first), .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Progress { code: 183, .. })) else {
        panic!("183 brings the answer")
    };
    lab.answers(Agent, agent);
    let UaEvent::Answered { sdp: Some(second), .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. })) else { panic!() };
    assert_eq!(first, second);
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_busy_an_absent_and_a_slow_agent_all_mean_agent() {
    // Busy.
    let mut lab = Lab::new(with_agent(by_bye()));
    let call = lab.calls();
    let agent = lab.is_called(Agent);
    lab.does(Agent, |ua, now| ua.reject(now, agent, 486, "", &[])).unwrap();
    lab.ends(Customer, call);
    let record = lab.is_over();
    assert_eq!((record.outcome, record.state), (Some(Outcome::Agent), CallState::Returned));
    assert_eq!(lab.told(Customer), ["200 INVITE", "BYE"]);

    // Slow: it rings for longer than the setting allows.
    let mut lab = Lab::new(with_agent(by_bye()));
    lab.calls();
    let agent = lab.is_called(Agent);
    lab.does(Agent, |ua, now| ua.ring(now, agent, 180, None, &[])).unwrap();
    assert_eq!(lab.ends(Agent, agent), SessionEnd::Cancelled);
    assert_eq!(lab.is_over().outcome, Some(Outcome::Agent));

    // Absent: nobody is there at all.
    let mut lab = Lab::new(with_agent(by_bye()));
    let address = lab.address(Agent);
    lab.network.dead.insert(address);
    lab.calls();
    assert_eq!(lab.is_over().outcome, Some(Outcome::Agent));

    // Its name does not resolve.
    let mut settings = with_agent(by_bye());
    settings.agent = settings::Agent::Sip { uri: "sip:agent@nowhere.example".into(), ring_timeout_secs: 20 };
    let mut lab = Lab::new(settings);
    lab.calls();
    assert_eq!(lab.is_over().outcome, Some(Outcome::Agent));
}

#[test]
fn a_customers_cancel_cancels_the_agent() {
    let mut lab = Lab::new(with_agent(by_bye()));
    let call = lab.calls();
    let agent = lab.is_called(Agent);
    lab.does(Agent, |ua, now| ua.ring(now, agent, 180, None, &[])).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::Progress { code: 180, .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    assert_eq!(lab.ends(Agent, agent), SessionEnd::Cancelled);
    let record = lab.is_over();
    assert_eq!((record.state, record.returns.len()), (CallState::Ended, 0));
}

#[test]
fn an_agent_that_answers_into_the_cancel_is_hung_up_on() {
    let mut lab = Lab::new(with_agent(by_bye()));
    let call = lab.calls();
    let agent = lab.is_called(Agent);
    lab.does(Agent, |ua, now| ua.ring(now, agent, 180, None, &[])).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::Progress { code: 180, .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.answers(Agent, agent);
    lab.is_over();
}

#[test]
fn the_legs_may_differ_in_codec_and_the_agents_choice_is_preferred() {
    let mut lab = Lab::new(with_agent(by_bye()));
    // The agent takes PCMA only, and the customer can do it, too: nothing to transcode.
    lab.calls();
    let agent = lab.is_called(Agent);
    let answer = sdp(lab.address(Agent), "8 101", "sendrecv");
    lab.does(Agent, |ua, now| ua.answer(now, agent, Some(answer), &[])).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    let codecs = |lab: &Lab| -> Vec<Codec> {
        lab.media.iter().filter_map(|c| if let MediaCommand::Configure { setup, .. } = c { Some(setup.codec) } else { None }).collect()
    };
    assert_eq!(codecs(&lab), [Codec::Pcma, Codec::Pcma]);
    lab.does(Agent, |ua, now| ua.hang_up(now, agent, &[], None)).unwrap();
    lab.is_over();

    let mut lab = Lab::new(with_agent(by_bye()));
    let only_pcmu = sdp(lab.address(Customer), "0 101", "sendrecv");
    lab.calls_with(|invite| invite.offer = Some(only_pcmu));
    let agent = lab.is_called(Agent);
    let answer = sdp(lab.address(Agent), "8 101", "sendrecv");
    lab.does(Agent, |ua, now| ua.answer(now, agent, Some(answer), &[])).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    assert_eq!(codecs(&lab), [Codec::Pcma, Codec::Pcmu]);
    lab.does(Agent, |ua, now| ua.hang_up(now, agent, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_late_offer_is_made_in_the_200_and_answered_in_the_ack() {
    let mut lab = Lab::new(by_bye());
    let call = lab.calls_with(|invite| invite.offer = None);
    let UaEvent::Answered { sdp: Some(offer), .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. })) else { panic!() };
    assert!(String::from_utf8_lossy(&offer).contains("m=audio"));
    let answer = sdp(lab.address(Customer), "8 101", "sendrecv");
    lab.does(Customer, |ua, now| ua.answer_offer(now, call, answer)).unwrap();
    lab.happens(|e| matches!(e, CallEvent::AgentAnswered { .. }));
    assert!(lab.media.iter().any(|c| matches!(c, MediaCommand::Configure { setup, .. } if setup.codec == Codec::Pcma)));
    lab.presses('1');
    assert_eq!(lab.is_over().state, CallState::Returned);
}

#[test]
fn an_offer_that_nobody_can_take_gets_488() {
    let mut lab = Lab::new(by_bye());
    let offer = sdp(lab.address(Customer), "18 101", "sendrecv");
    let call = lab.calls_with(|invite| invite.offer = Some(offer));
    assert!(matches!(lab.ends(Customer, call), SessionEnd::Rejected { code: 488, .. }));
    let record = lab.is_over();
    assert_eq!((record.state, record.ended.unwrap().code), (CallState::Failed, Some(488)));
}

#[test]
fn hold_is_answered_on_its_leg_and_the_other_hears_nothing_of_it() {
    let mut lab = Lab::new(with_agent(by_bye()));
    let (call, _) = lab.in_a_call_with_agent();
    let hold = sdp(lab.address(Customer), "0 101", "sendonly");
    lab.does(Customer, |ua, now| ua.offer(now, call, hold)).unwrap();
    let UaEvent::OfferAnswered { sdp: answer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::OfferAnswered { .. })) else { panic!() };
    assert!(String::from_utf8_lossy(&answer).contains("a=recvonly"));
    let configured =
        lab.media.iter().rev().find_map(|c| if let MediaCommand::Configure { setup, .. } = c { Some(setup.direction) } else { None });
    assert_eq!(configured, Some(Direction::RecvOnly));
    assert!(lab.record().legs[0].on_hold);
    let back = sdp(lab.address(Customer), "0 101", "sendrecv");
    lab.does(Customer, |ua, now| ua.offer(now, call, back)).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::OfferAnswered { .. }));
    assert!(!lab.record().legs[0].on_hold);
    assert!(!lab.has_heard(Agent, |e| matches!(e, UaEvent::Offer { .. })));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn digits_by_info_end_a_script_and_reach_an_agent() {
    let body = || bytes::Bytes::from_static(b"Signal=1\r\nDuration=160\r\n");
    let mut lab = Lab::new(by_bye());
    let call = lab.in_a_call();
    lab.does(Customer, |ua, now| ua.send_info(now, call, "application/dtmf-relay", body())).unwrap();
    assert_eq!(lab.is_over().outcome, Some(Outcome::System));

    let mut lab = Lab::new(with_agent(by_bye()));
    let (call, _) = lab.in_a_call_with_agent();
    lab.does(Customer, |ua, now| ua.send_info(now, call, "application/dtmf-relay", body())).unwrap();
    lab.passes(Duration::from_secs(1));
    assert!(lab.media.iter().any(|c| matches!(c, MediaCommand::SendDtmf { digits, .. } if digits == "1")));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
}

#[test]
fn a_refer_from_the_customer_is_refused() {
    let mut lab = Lab::new(by_bye());
    let call = lab.in_a_call();
    lab.does(Customer, |ua, now| ua.refer(now, call, "<sip:x@192.0.2.30>", &[])).unwrap();
    lab.hears(Customer, |e| matches!(e, UaEvent::ReferResponse { code: 603, .. }));
    lab.presses('1');
    lab.is_over();
}

#[test]
fn an_operator_ends_the_agents_part_or_the_call() {
    let request = |method| ReturnRequest {
        outcome: Outcome::System,
        transfer_variables: [("by_hand".to_owned(), "yes".to_owned())].into_iter().collect::<Variables>(),
        reference_variables: Variables::new(),
        method,
        uri: None,
    };
    let mut lab = Lab::new(with_agent(settings()));
    let (call, agent) = lab.in_a_call_with_agent();
    let id = lab.events[0].0;
    assert_eq!(lab.commands(Command::Return { call: id, request: request(Some(ReturnMethod::Bye)) }), Ok(id));
    assert!(lab.commands(Command::Return { call: id, request: request(None) }).is_err(), "it is on its way");
    lab.ends(Customer, call);
    lab.ends(Agent, agent);
    let record = lab.is_over();
    assert_eq!(record.transfer_variables["by_hand"], "yes");
    assert!(lab.commands(Command::HangUp { call: id }).is_err(), "it has ended");

    let mut lab = Lab::new(with_agent(settings()));
    lab.in_a_call_with_agent();
    let id = lab.events[0].0;
    assert_eq!(lab.commands(Command::HangUp { call: id }), Ok(id));
    let record = lab.is_over();
    assert_eq!((record.state, record.ended.unwrap().by), (CallState::Ended, Party::Operator));
}

#[test]
fn a_failed_return_goes_back_to_a_sip_agent_that_is_called_again() {
    let mut settings = with_agent(settings());
    settings.peers[0].returns.fallback = handback::model::ReturnMethodOrAgent::Agent;
    let mut lab = Lab::new(settings);
    let (call, agent) = lab.in_a_call_with_agent();
    lab.does(Agent, |ua, now| ua.hang_up(now, agent, &[], None)).unwrap();
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(Customer, |ua, now| ua.refuse_refer(now, call, refer, 603)).unwrap();
    let again = lab.is_called(Agent);
    lab.answers(Agent, again);
    lab.passes(Duration::from_secs(1));
    assert_eq!(lab.record().state, CallState::WithAgent);
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.ends(Agent, again);
    assert_eq!(lab.is_over().legs.len(), 3);
}

#[test]
fn media_that_listens_everywhere_is_announced_where_the_customer_reaches_it() {
    let mut settings = by_bye();
    settings.media.address = "0.0.0.0".parse().unwrap();
    let mut lab = Lab::new(settings);
    lab.calls();
    let UaEvent::Answered { sdp: Some(answer), .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. })) else { panic!() };
    assert!(String::from_utf8_lossy(&answer).contains("c=IN IP4 192.0.2.1\r\n"));
    lab.presses('1');
    lab.is_over();
}

#[test]
fn with_its_bye_the_bridge_neither_speaks_nor_listens_any_more() {
    let mut lab = Lab::new(by_bye());
    lab.in_a_call();
    let stream = lab.customer_stream();
    // The answer to the BYE is lost, and with it half a second.
    lab.loses(lab.address(Customer), "200 BYE", 1);
    lab.presses('1');
    lab.passes(Duration::from_millis(400));
    assert!(!lab.events.iter().any(|(_, what)| matches!(what, CallEvent::LegEnded { .. })), "it waits for its answer:\n{}", lab.ladder());
    assert!(lab.media.contains(&MediaCommand::Close { stream }), "{:?}", lab.media);
    let record = lab.is_over();
    assert_eq!((record.state, record.findings), (CallState::Returned, Vec::new()));
}
