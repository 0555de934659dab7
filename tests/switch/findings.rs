//! What the rules say of calls through the switch itself: nothing of a clean one, and the right thing where it goes wrong.

use std::{sync::Arc, time::Duration};

use handback::{
    findings,
    media::MediaEvent,
    model::{
        CallEvent, CapturedMessage, Direction, Finding, LegId, Party, ReturnMethod, Severity, Timestamp, TransportName,
        script::Play,
        settings::{self, Settings},
    },
    party::Input,
    sip::{
        dialog::{SessionId, UaEvent},
        message::Message,
        transport::Transport,
    },
};

use crate::lab::{Agent, Customer, Lab, Return, credentials, sdp, settings, with_agent};

/// What the engine asks at a call's end, of the first call and all that the switch sent and got.
fn judged(lab: &Lab) -> Vec<Finding> {
    let mut record = lab.record();
    let switch = lab.switch_address();
    let mut messages = Vec::new();
    for ((from, transmit), (after, arrived)) in lab.sent.iter().zip(&lab.sent_after) {
        let (direction, remote) = match (*from == switch, transmit.flow.remote == switch) {
            (true, _) => (Direction::Out, transmit.flow.remote),
            (_, true) if *arrived => (Direction::In, *from),
            _ => continue,
        };
        let call_id = Message::parse(transmit.bytes.clone()).unwrap().fields().call_id().unwrap().to_owned();
        let leg = record.legs.iter().find(|leg| leg.opened.sip_call_id == call_id).map(|leg| leg.opened.leg);
        messages.push(CapturedMessage {
            number: messages.len() as u64,
            at: Timestamp(after.as_micros() as u64),
            direction,
            leg,
            transport: if transmit.flow.transport == Transport::Tcp { TransportName::Tcp } else { TransportName::Udp },
            local: switch,
            remote,
            retransmission: transmit.retransmission,
            bytes: transmit.bytes.clone(),
        });
    }
    let found = findings::of_call(&record, &messages);
    for finding in found {
        record.apply(Timestamp(0), &CallEvent::FindingRaised { finding });
    }
    record.findings
}

fn rules(lab: &Lab) -> Vec<String> {
    judged(lab).into_iter().map(|f| f.rule.into_owned()).collect()
}

fn is_raised(lab: &Lab, rule: &str) -> bool {
    lab.events.iter().any(|(_, event)| matches!(event, CallEvent::FindingRaised { finding } if finding.rule == rule))
}

fn by(method: ReturnMethod) -> Settings {
    let mut settings = settings();
    settings.peers[0].returns.method = method;
    settings
}

fn refer_is_taken(lab: &mut Lab, call: SessionId) {
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    for (sipfrag, ends) in [("SIP/2.0 100 Trying", false), ("SIP/2.0 200 OK", true)] {
        lab.does(Customer, |ua, now| ua.notify(now, call, refer, sipfrag, ends)).unwrap();
        lab.passes(Duration::from_secs(1));
    }
    lab.ends(Customer, call);
}

#[test]
fn each_way_of_returning_is_clean() {
    let mut lab = Lab::new(by(ReturnMethod::Refer));
    let call = lab.in_a_call();
    lab.presses('1');
    refer_is_taken(&mut lab, call);
    lab.is_over();
    assert_eq!(judged(&lab), [], "REFER:\n{}", lab.ladder());

    let mut lab = Lab::new(by(ReturnMethod::Invite));
    lab.in_a_call();
    lab.presses('1');
    let back = lab.is_called(Return);
    lab.answers(Return, back);
    lab.passes(Duration::from_secs(1));
    lab.does(Return, |ua, now| ua.hang_up(now, back, &[], None)).unwrap();
    lab.is_over();
    assert_eq!(judged(&lab), [], "INVITE:\n{}", lab.ladder());

    let mut lab = Lab::new(by(ReturnMethod::Bye));
    lab.in_a_call();
    lab.presses('1');
    lab.is_over();
    assert_eq!(judged(&lab), [], "BYE:\n{}", lab.ladder());
}

#[test]
fn a_call_over_tcp_after_a_challenge_is_clean() {
    let mut settings = by(ReturnMethod::Bye);
    settings.peers[0].networks.clear();
    settings.peers[0].users = vec![settings::User { username: "sbc".into(), secret: settings::Secret::new("pw") }];
    let mut lab = Lab::new(settings);
    lab.calls_with(|invite| {
        invite.credentials = Some(credentials("pw"));
        invite.next_hops[0].0 = Transport::Tcp;
    });
    lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. }));
    lab.passes(Duration::from_secs(1));
    lab.presses('1');
    lab.is_over();
    assert_eq!(judged(&lab), [], "{}", lab.ladder());
}

#[test]
fn a_sip_agent_with_hold_and_resume_is_clean() {
    let mut lab = Lab::new(with_agent(by(ReturnMethod::Bye)));
    let (call, agent) = lab.in_a_call_with_agent();
    let address = lab.address(Customer);
    for (version, direction) in [("2", "sendonly"), ("3", "sendrecv")] {
        let offer =
            String::from_utf8(sdp(address, "0 8 101", direction).to_vec()).unwrap().replace("o=- 1 1 ", &format!("o=- 1 {version} "));
        lab.does(Customer, |ua, now| ua.offer(now, call, offer.into())).unwrap();
        lab.hears(Customer, |e| matches!(e, UaEvent::OfferAnswered { .. }));
        lab.passes(Duration::from_secs(1));
    }
    lab.does(Agent, |ua, now| ua.hang_up(now, agent, &[("X-GA-transfer".to_owned(), "AGENT".to_owned())], None)).unwrap();
    lab.is_over();
    assert_eq!(judged(&lab), [], "{}", lab.ladder());
}

#[test]
fn a_late_offer_and_a_cancel_are_clean() {
    let mut lab = Lab::new(by(ReturnMethod::Bye));
    let call = lab.calls_with(|invite| invite.offer = None);
    let UaEvent::Answered { .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Answered { .. })) else { unreachable!() };
    let answer = sdp(lab.address(Customer), "0 101", "sendrecv");
    lab.does(Customer, |ua, now| ua.answer_offer(now, call, answer)).unwrap();
    lab.passes(Duration::from_secs(1));
    lab.presses('1');
    lab.is_over();
    assert_eq!(judged(&lab), [], "{}", lab.ladder());

    let mut lab = Lab::new(with_agent(settings()));
    let call = lab.calls();
    let agent = lab.is_called(Agent);
    lab.does(Agent, |ua, now| ua.ring(now, agent, 180, None, &[])).unwrap();
    lab.passes(Duration::from_secs(2));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
    assert_eq!(judged(&lab), [], "{}", lab.ladder());
}

#[test]
fn a_refer_that_nobody_tells_of_and_its_fallback_are_told() {
    let mut lab = Lab::new(by(ReturnMethod::Refer));
    let call = lab.in_a_call();
    lab.presses('1');
    let UaEvent::Refer { refer, .. } = lab.hears(Customer, |e| matches!(e, UaEvent::Refer { .. })) else { unreachable!() };
    lab.does(Customer, |ua, now| ua.accept_refer(now, call, refer, 202)).unwrap();
    lab.is_over();
    let found = judged(&lab);
    let refer = found.iter().find(|f| f.rule == "refer-without-notify").expect("it is told");
    assert_eq!((refer.side, refer.severity), (Party::Customer, Severity::Warning));
}

#[test]
fn a_customer_that_never_acknowledges_is_named() {
    let mut lab = Lab::new(by(ReturnMethod::Bye));
    lab.loses(lab.address(Customer), "ACK", 100);
    lab.calls();
    lab.is_over();
    let found = judged(&lab);
    let missing = found.iter().find(|f| f.rule == "ack-missing").expect("it is told");
    assert_eq!((missing.side, missing.severity), (Party::Customer, Severity::Error));
    assert!(missing.messages.len() > 5, "each 200 is named");
}

#[test]
fn what_only_the_switch_can_see_is_raised_by_it() {
    let mut lab = Lab::new(by(ReturnMethod::Bye));
    lab.in_a_call();
    let stream = lab.customer_stream();
    lab.tells_switch(Input::Media(MediaEvent::Refused { stream, why: "no such stream" }));
    lab.presses('1');
    lab.is_over();
    assert_eq!(rules(&lab), ["media-command-refused"]);

    let mut lab = Lab::new(by(ReturnMethod::Bye));
    lab.ports = 0..0;
    for _ in 0..40 {
        lab.calls();
    }
    lab.passes(Duration::from_secs(1));
    assert!(is_raised(&lab, "no-rtp-port"), "more calls than ports");

    let mut settings = by(ReturnMethod::Refer);
    settings.peers[0].returns.uri = None;
    let mut lab = Lab::new(settings);
    lab.in_a_call();
    lab.presses('1');
    lab.is_over();
    assert_eq!(rules(&lab), ["return-not-possible"]);

    let mut settings = by(ReturnMethod::Bye);
    let settings::Agent::Script(script) = &settings.agent else { unreachable!() };
    let mut script = (**script).clone();
    script.tasks.last_mut().unwrap().play = Some(Play::Say("Hello".into()));
    settings.agent = settings::Agent::Script(Arc::new(script));
    let mut lab = Lab::new(settings);
    lab.in_a_call();
    lab.presses('1');
    lab.is_over();
    assert_eq!(rules(&lab), ["prompt-not-played"]);
    assert_eq!(lab.record().legs[0].opened.leg, LegId(0));
}
