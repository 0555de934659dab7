//! A test call, as it is placed, and how it ends.

use std::sync::Arc;

use super::{
    PLACED, PLACED_BRIDGE,
    script::{Call, SDP, Script, invite, payload, response},
};
use crate::model::{
    Admission, CallEvent, CallState, Direction, Ended, LegRole, Party, ReturnMethod, ReturnVerdict, Snapshot, SoundCheck, SoundCheckWay,
    TestCallReport, TestCallStep, Timestamp,
};

/// A test call as the bridge and as the caller see it.
pub fn placed() -> [Call; 2] {
    let sip_call_id = "8b0e6d52@127.0.0.1";
    let mut bridge = Script::new(PLACED_BRIDGE.0, -62, "customer@your-sbc.example.com", "127.0.0.1:5071", false);
    bridge.leg(0, 0, LegRole::Customer, sip_call_id, "127.0.0.1:5071", true);
    bridge.message(0, 0, Direction::In, &invite("conv-12345", ""));
    bridge.admitted(300, Admission::Network("127.0.0.0/8".to_owned()));
    bridge.context(400, "call_routing", "conv-12345");
    bridge.agent(1_000, 31_000);
    let mut caller = Script::new(PLACED.0, -62, "customer@your-sbc.example.com", "127.0.0.1:5071", true);
    caller.leg(0, 0, LegRole::Customer, sip_call_id, "10.9.0.5:5060", false);
    caller.message(0, 0, Direction::Out, &invite("conv-12345", ""));
    caller.message(44_000, 0, Direction::In, &response("200 OK", "INVITE", "", SDP));
    caller.event(44_000, CallEvent::CallAnswered { codec: "PCMU".to_owned() });
    caller.media(60_000);
    [bridge.done(), caller.done()]
}

/// How the placed call ends: the payload came back.
pub fn finish_placed(snapshot: &mut Snapshot) {
    let payload = payload();
    let calls = snapshot.calls.iter().map(|call| {
        let mut call = (**call).clone();
        let at = |micros: u64| Timestamp(call.started_at.0 + micros);
        let why = Ended::new("Handed back", Party::Bridge, None);
        if call.id == PLACED_BRIDGE {
            let uri = "sip:return@127.0.0.1:5090".to_owned();
            call.apply(
                at(2_000_000),
                &CallEvent::ReturnStarted { method: ReturnMethod::Refer, uri, payload: Some(payload.clone().into()) },
            );
            let end = CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded };
            let started = call.started_at.0;
            call.apply(Timestamp(started + 2_100_000), &end);
            call.apply(Timestamp(started + 2_200_000), &CallEvent::CallEnded { state: CallState::Returned, why });
        } else if call.id == PLACED {
            let steps = vec![TestCallStep { at_us: 2_000_000, text: "REFER received".to_owned(), ok: true }];
            let report = TestCallReport {
                steps,
                ok: true,
                returned: Some(payload.clone()),
                returned_by: Some(ReturnMethod::Refer),
                ..TestCallReport::default()
            };
            let started = call.started_at.0;
            call.apply(Timestamp(started + 2_200_000), &CallEvent::TestCallReported { report: Box::new(report) });
            call.apply(Timestamp(started + 2_200_000), &CallEvent::CallEnded { state: CallState::Ended, why });
        }
        Arc::new(call)
    });
    snapshot.calls = calls.collect();
}

/// How the placed call ends where it checked the sound: both ways were heard.
pub fn check_placed(snapshot: &mut Snapshot) {
    let calls = snapshot.calls.iter().map(|call| {
        let mut call = (**call).clone();
        let end = Timestamp(call.started_at.0 + 5_100_000);
        if call.id == PLACED {
            let way = |level: f32| SoundCheckWay { heard: Some(true), level_dbfs: Some(level), clipped: Some(false), delay_ms: Some(31.0) };
            let found = SoundCheck { to_agent: way(-12.4), from_agent: way(-12.2), round_trip_ms: Some(62.0) };
            let report = Box::new(TestCallReport { ok: true, sound_check: Some(found), ..TestCallReport::default() });
            call.apply(end, &CallEvent::TestCallReported { report });
        }
        if call.id == PLACED || call.id == PLACED_BRIDGE {
            let why = Ended::new("Customer hung up", Party::Customer, None);
            call.apply(end, &CallEvent::CallEnded { state: CallState::Ended, why });
        }
        Arc::new(call)
    });
    snapshot.calls = calls.collect();
}
