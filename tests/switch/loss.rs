//! Messages get lost, doubled and re-ordered: every call completes or fails cleanly, and nothing is left over.

use std::time::Duration;

use handback::{
    model::{CallState, CallTransfer, Command, NewCallTransfer, ReturnMethod, ReturnMethodOrAgent, settings::Settings},
    party::Party as _,
    sip::dialog::UaEvent,
};

use crate::{
    call_transfers,
    lab::{Agent, Customer, Lab, Return, Who, sdp, settings, with_agent},
};

/// What the customer's side does with a REFER.
#[derive(Clone, Copy)]
pub enum OnRefer {
    Accept,
    Refuse,
    AcceptThenFail,
    Ignore,
}

/// Plays every part by itself until nothing moves: the customer calls, presses 1 (or the agent hangs up), takes the
/// return, and hangs up after it.
fn play(settings: Settings, luck: u64, loss: u64, on_refer: OnRefer) -> CallState {
    play_with(settings, luck, loss, on_refer, None).0
}

/// As above, for a call transfer, as it stands at the end.
pub fn play_with(
    settings: Settings,
    luck: u64,
    loss: u64,
    on_refer: OnRefer,
    transfer: Option<NewCallTransfer>,
) -> (CallState, Option<CallTransfer>) {
    let mut lab = Lab::with_luck(settings, luck);
    lab.network.loss_per_mille = loss;
    lab.network.jitter = Duration::from_millis(30);
    let named = transfer.as_ref().map(|transfer| transfer.id.clone());
    let call = match transfer {
        Some(transfer) => {
            let names = call_transfers::names(&transfer.id);
            lab.desk.creates(lab.now, transfer);
            lab.desk.delay = Duration::from_millis(5);
            lab.calls_with(names)
        }
        None => lab.calls(),
    };
    let mut pressed = false;
    let mut steps = 0;
    while lab.step() {
        steps += 1;
        assert!(steps < 200_000, "it never ends: {}", lab.ladder());
        if !pressed && lab.events.iter().any(|(_, e)| matches!(e, handback::model::CallEvent::AgentAnswered { leg: None })) {
            pressed = true;
            lab.presses('1');
        }
        for who in [Customer, Agent, Return] {
            while let Some(event) = lab.next_event(who) {
                answer(&mut lab, who, event, on_refer);
            }
        }
    }
    // Somebody who never heard the other's BYE would sit in the call for ever.
    let _ = lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None));
    if let Some((id, _)) = lab.events.first().cloned() {
        let _ = lab.commands(Command::HangUp { call: id });
    }
    for (who, session) in std::mem::take(&mut lab.open) {
        let _ = lab.does(who, |ua, now| ua.hang_up(now, session, &[], None));
    }
    if lab.events.is_empty() {
        while lab.step() {}
        assert_eq!(lab.switch.counts(), Default::default());
        assert!(lab.switch.deadline().is_none());
        return (CallState::Failed, shown(&mut lab, named));
    }
    let state = lab.is_over().state;
    (state, shown(&mut lab, named))
}

fn shown(lab: &mut Lab, id: Option<String>) -> Option<CallTransfer> {
    let later = lab.now + Duration::from_secs(600);
    Some(lab.desk.shows(later, &id?))
}

fn answer(lab: &mut Lab, who: Who, event: UaEvent, on_refer: OnRefer) {
    match event {
        UaEvent::Request(incoming) => {
            let Ok(session) = lab.does(who, |ua, now| ua.accept_invite(now, *incoming)) else { return };
            lab.open.push((who, session));
            let answer = sdp(lab.address(who), "0 101", "sendrecv");
            let _ = lab.does(who, |ua, now| ua.ring(now, session, 180, None, &[]));
            let _ = lab.does(who, |ua, now| ua.answer(now, session, Some(answer), &[]));
        }
        UaEvent::Established { id, .. } if who == Agent => {
            let headers = [("X-GA-transfer".to_owned(), "SYSTEM".to_owned())];
            let _ = lab.does(who, |ua, now| ua.hang_up(now, id, &headers, None));
        }
        UaEvent::Established { id, .. } => {
            let _ = lab.does(who, |ua, now| ua.hang_up(now, id, &[], None));
        }
        UaEvent::Refer { id, refer, .. } => {
            let (code, last) = match on_refer {
                OnRefer::Accept => (202, Some("SIP/2.0 200 OK")),
                OnRefer::AcceptThenFail => (202, Some("SIP/2.0 503 Service Unavailable")),
                OnRefer::Ignore => (202, None),
                OnRefer::Refuse => {
                    let _ = lab.does(who, |ua, now| ua.refuse_refer(now, id, refer, 603));
                    return;
                }
            };
            let _ = lab.does(who, |ua, now| ua.accept_refer(now, id, refer, code));
            let _ = lab.does(who, |ua, now| ua.notify(now, id, refer, "SIP/2.0 100 Trying", false));
            if let Some(last) = last {
                let _ = lab.does(who, |ua, now| ua.notify(now, id, refer, last, true));
            }
        }
        _ => {}
    }
}

fn cases() -> Vec<(Settings, OnRefer)> {
    let with = |method, fallback, agent: bool| {
        let mut settings = settings();
        settings.peers[0].returns.method = method;
        settings.peers[0].returns.fallback = fallback;
        if agent { with_agent(settings) } else { settings }
    };
    use ReturnMethodOrAgent as F;
    vec![
        (with(ReturnMethod::Refer, F::Bye, false), OnRefer::Accept),
        (with(ReturnMethod::Refer, F::Bye, false), OnRefer::Ignore),
        (with(ReturnMethod::Refer, F::Invite, false), OnRefer::AcceptThenFail),
        (with(ReturnMethod::Refer, F::Agent, true), OnRefer::Refuse),
        (with(ReturnMethod::Bye, F::Bye, true), OnRefer::Accept),
        (with(ReturnMethod::Invite, F::Agent, true), OnRefer::Accept),
        (with(ReturnMethod::Invite, F::Bye, false), OnRefer::Accept),
    ]
}

#[test]
fn without_loss_every_case_returns_or_is_unknown() {
    for (settings, on_refer) in cases() {
        let state = play(settings, 3, 0, on_refer);
        assert!(matches!(state, CallState::Returned) || matches!((state, on_refer), (CallState::Ended, OnRefer::Ignore)), "{state:?}");
    }
}

#[test]
fn with_one_message_in_ten_lost_calls_complete_or_fail_cleanly() {
    let mut returned = 0;
    for luck in 0..20 {
        for (settings, on_refer) in cases() {
            returned += u32::from(play(settings, luck, 100, on_refer) == CallState::Returned);
        }
    }
    assert!(returned > 100, "most calls complete: {returned} of 140");
}

#[test]
fn with_three_messages_in_ten_lost_calls_complete_or_fail_cleanly() {
    for luck in 0..20 {
        for (settings, on_refer) in cases() {
            play(settings, luck, 300, on_refer);
        }
    }
}
