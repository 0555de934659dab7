//! A person at the phone, told in virtual time: on the line, off it while the call is held, and back.

use super::lab::{Lab, sdp};
use crate::{
    media::{Line, MediaCommand},
    model::{AudioSource, CallEvent, CallState, Command, TestCall},
    sip::dialog::UaEvent,
};

fn by_microphone() -> TestCall {
    TestCall { audio: AudioSource::Microphone, ..TestCall::default() }
}

/// The phone's ways on and off streams, so far.
fn lines(lab: &Lab) -> Vec<bool> {
    let live = |command: &MediaCommand| match command {
        MediaCommand::Live { line: Line::Phone, on, .. } => Some(*on),
        _ => None,
    };
    lab.media.iter().filter_map(live).collect()
}

/// The next offer that the bridge gets, as text.
fn offered(lab: &mut Lab) -> (crate::sip::dialog::SessionId, String) {
    lab.bridge_sees(|event| match event {
        UaEvent::Offer { id, sdp, .. } => Some((*id, String::from_utf8_lossy(sdp).into_owned())),
        _ => None,
    })
}

#[test]
fn a_person_speaks_on_the_call_and_nothing_is_played() {
    let mut lab = Lab::new();
    let (id, _) = lab.call_up(by_microphone());
    assert_eq!(lines(&lab), [true]);
    assert!(!lab.media.iter().any(|command| matches!(command, MediaCommand::Play { .. })));
    lab.command(Command::HangUp { call: id }).expect("hangs up");
    assert_eq!(lab.over(id).1, CallState::Ended);
}

#[test]
fn hold_is_a_re_invite_and_takes_the_person_off_the_line() {
    let mut lab = Lab::new();
    let (id, _) = lab.call_up(by_microphone());
    lab.command(Command::Hold { call: id, on: true }).expect("holds");
    assert!(lab.command(Command::Hold { call: id, on: false }).is_err(), "the first change is not answered yet");
    let (session, offer) = offered(&mut lab);
    assert!(offer.contains("a=sendonly"), "{offer}");
    let answer = String::from_utf8_lossy(&sdp(30_000)).replace("a=sendrecv", "") + "a=recvonly\r\n";
    lab.bridge_does(|bridge, now| bridge.answer_offer(now, session, answer.into_bytes().into()));
    lab.run_until(|lab| lab.events.iter().any(|(_, event)| matches!(event, CallEvent::LegHeld { .. })));
    assert_eq!(lines(&lab), [true, false, false]);
    assert!(lab.command(Command::Hold { call: id, on: true }).is_err());

    lab.command(Command::Hold { call: id, on: false }).expect("takes it back");
    let (session, offer) = offered(&mut lab);
    assert!(!offer.contains("a=sendonly"), "{offer}");
    lab.bridge_does(|bridge, now| bridge.answer_offer(now, session, sdp(30_000)));
    lab.run_until(|lab| lab.events.iter().any(|(_, event)| matches!(event, CallEvent::LegResumed { .. })));
    assert_eq!(lines(&lab).last(), Some(&true));
    lab.command(Command::HangUp { call: id }).expect("hangs up");
    assert!(lab.over(id).0.ok);
}

#[test]
fn a_refused_hold_leaves_the_call_as_it_was() {
    let mut lab = Lab::new();
    let (id, _) = lab.call_up(by_microphone());
    lab.command(Command::Hold { call: id, on: true }).expect("is tried");
    let (session, _) = offered(&mut lab);
    lab.bridge_does(|bridge, now| bridge.refuse_offer(now, session, 488));
    lab.run_until(|lab| lines(lab).len() > 2);
    assert_eq!(lines(&lab), [true, false, true]);
    lab.command(Command::HangUp { call: id }).expect("hangs up");
    let (report, _) = lab.over(id);
    assert!(report.steps.iter().any(|step| !step.ok && step.text.contains("488")), "{report:?}");
}
