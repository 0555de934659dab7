//! Recordings of real calls: by rule and by hand, fetched while they grow, whole after a kill, and their length the call's.

use std::{io::Cursor, path::PathBuf};

use serde_json::{Value, json};

use crate::support::{
    baresip::Baresip,
    bridge::{AGENT_THAT_PLAYS_A_TONE, Bridge, LOOPBACK_BY_REFER},
    http,
    tone::purity,
    until,
};

/// Left and right of a WAV file, and its rate; `None` where it is none yet.
fn sides(bytes: Vec<u8>) -> Option<(Vec<i16>, Vec<i16>, u32)> {
    let reader = hound::WavReader::new(Cursor::new(bytes)).ok()?;
    let rate = reader.spec().sample_rate;
    assert_eq!((reader.spec().channels, reader.spec().bits_per_sample), (2, 16));
    let samples: Vec<i16> = reader.into_samples().collect::<Result<_, _>>().ok()?;
    let side = |first| samples.iter().copied().skip(first).step_by(2).collect();
    Some((side(0), side(1), rate))
}

fn bridge(recording: &str) -> Bridge {
    Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_PLAYS_A_TONE}[recording]\n{recording}\n"))
}

fn calls(bridge: &Bridge, codec: &str) -> Baresip {
    let mut caller = Baresip::start(1000, codec, false);
    caller.dials(&format!("sip:bridge@{}", bridge.udp));
    caller.sees("CALL_ESTABLISHED");
    caller
}

fn recorded_file(bridge: &Bridge) -> PathBuf {
    let call = bridge.only_call_in_state("with_agent");
    until("the recording is named", || bridge.call(call["id"].as_str()?)["recording"]["file"].as_str().map(PathBuf::from))
}

#[test]
fn a_bridge_that_is_killed_leaves_a_recording_that_plays() {
    let mut bridge = bridge("when = \"always\"\nfolder = \"kept\"");
    let _caller = calls(&bridge, "pcmu");
    let file = recorded_file(&bridge);
    assert!(file.starts_with(bridge.folder.path().join("kept")), "{}", file.display());
    until("three seconds are on disk", || sides(std::fs::read(&file).ok()?).filter(|(left, ..)| left.len() >= 24_000));
    bridge.kill();
    let (left, right, rate) = sides(std::fs::read(&file).unwrap()).expect("a WAV file");
    assert!(left.len() >= 24_000 && left.len() == right.len() && rate == 8_000);
    let part = 8_000..24_000;
    assert!(purity(&left[part.clone()], rate.into(), 1_000.0) > 0.9, "the customer is at the left");
    assert!(purity(&right[part], rate.into(), 440.0) > 0.9, "the agent is at the right");
}

#[test]
fn a_recording_by_hand_is_fetched_while_it_grows_and_is_as_long_as_it_was_on() {
    let bridge = bridge("folder = \"kept\"");
    let mut caller = calls(&bridge, "pcmu");
    let call = bridge.only_call_in_state("with_agent");
    let id = call["id"].as_str().unwrap();
    assert!(call["recording"].is_null(), "{call:#}");
    let wav = format!("/v1/calls/{id}/recording.wav");
    assert_eq!(http::get(bridge.control, &wav).status, 404);
    let asks = |on: bool| http::post(bridge.control, &format!("/v1/calls/{id}/record"), &json!({ "on": on }).to_string()).status;
    assert_eq!((asks(true), asks(true)), (202, 409));
    until("a part can be fetched", || {
        let answer = http::get(bridge.control, &wav);
        sides(answer.body).filter(|(left, ..)| answer.status == 200 && left.len() >= 16_000)
    });
    assert_eq!(asks(false), 202);
    let ended = until("its end is told", || Some(bridge.call(id)).filter(|call| !call["recording"]["ended_at"].is_null()));
    let micros = |key: &str| ended["recording"][key].as_u64().unwrap();
    let on_secs = (micros("ended_at") - micros("started_at")) as f64 / 1e6;
    let whole = until("the file is finished", || {
        let (left, ..) = sides(bridge.bytes(&wav))?;
        (left.len() as f64 / 8_000.0 > on_secs - 0.5).then_some(left)
    });
    let recorded_secs = whole.len() as f64 / 8_000.0;
    assert!((recorded_secs - on_secs).abs() <= 0.020, "{recorded_secs} s of {on_secs} s");
    caller.hangs_up();
    caller.sees("CALL_CLOSED");
    let over = bridge.only_call_when_over();
    assert!(over["timeline"].as_array().unwrap().iter().any(|note| note["text"] == "Recording begins"), "{over:#}");
    assert_eq!(bridge.bytes(&wav).len(), 44 + 4 * whole.len(), "the call is over, its recording is there");
}

/// From the answer to the end, in each codec, on a machine as busy as it is.
#[test]
fn a_whole_call_s_recording_is_as_long_as_its_talk() {
    let codecs = "[media]\naddress = \"127.0.0.1\"\ncodecs = [\"opus\", \"G722\", \"PCMU\", \"PCMA\"]\n";
    let bridge = Bridge::start_with(
        codecs,
        &format!("{LOOPBACK_BY_REFER}{AGENT_THAT_PLAYS_A_TONE}[recording]\nwhen = \"always\"\nfolder = \"kept\"\n"),
    );
    for codec in ["pcmu", "g722/16000/1", "opus/48000/2"] {
        let mut caller = calls(&bridge, codec);
        caller.listens_for(24_000);
        caller.hangs_up();
        caller.sees("CALL_CLOSED");
        let call = until("the call is over", || {
            let newest = bridge.calls().into_iter().max_by_key(|call| call["answered_at"].as_u64())?;
            Some(bridge.call(newest["id"].as_str()?)).filter(|call| !call["ended"].is_null())
        });
        let wav = format!("/v1/calls/{}/recording.wav", call["id"].as_str().unwrap());
        let micros = |key: &str| call[key].as_u64().unwrap() as f64;
        let talk_secs = (micros("ended_at") - micros("answered_at")) / 1e6;
        let mut recorded_secs = 0.0;
        // The last part goes to the disk after the call is told to be over; a second more would never come.
        until(&format!("{codec}: a recording of {talk_secs} s"), || {
            let (left, right, rate) = sides(bridge.bytes(&wav))?;
            assert_eq!(left.len(), right.len(), "{codec}: both sides end at once");
            recorded_secs = left.len() as f64 / f64::from(rate);
            (recorded_secs > talk_secs - 0.5).then_some(())
        });
        assert!((recorded_secs - talk_secs).abs() <= 0.020, "{codec}: {recorded_secs} s recorded of {talk_secs} s");
    }
}

#[test]
fn a_folder_that_can_not_be_written_is_said_and_the_call_goes_on() {
    // The settings file stands where the folder should be.
    let bridge = bridge("when = \"always\"\nfolder = \"handback.toml/kept\"");
    let mut caller = calls(&bridge, "opus/48000/2,pcmu");
    let call = bridge.only_call_in_state("with_agent");
    let failed = |call: &Value| call["findings"].as_array().is_some_and(|all| all.iter().any(|f| f["rule"] == "recording-failed"));
    until("the fault is told", || Some(bridge.call(call["id"].as_str()?)).filter(failed));
    assert_eq!(bridge.only_call_in_state("with_agent")["ended"], Value::Null);
    caller.hangs_up();
    caller.sees("CALL_CLOSED");
    assert!(bridge.text("/metrics").contains("handback_recordings_failed_total 1"));
}
