//! `kill -9` at any moment: what was acknowledged is there, what was running is closed, and the file is whole.
//!
//! Ten rounds with each `make test`; `HANDBACK_KILLS=500` for as many as one likes.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use handback::{
    contract::create_refusal::CreateRefusal,
    model::{CallId, CallState, ClaimKey, DeskAnswer, DeskAsk, Keep, Party, TransferStatus, settings::Api},
    store::HistoryQuery,
};
use tokio::task::JoinSet;

use crate::{
    child::{Running, orders, say},
    support::*,
};

fn many_numbers() -> Api {
    let mut api = api();
    api.numbers[0].last = api.numbers[0].first + 99_999;
    api
}

/// Not a test of its own: what the child does until it is killed.
#[test]
fn child_under_load() {
    let Some((settings, round)) = orders() else { return };
    let Lab { handle, asks, mut answers, store, .. } = Lab::open(None, many_numbers(), settings);
    say("open");
    let (sender, made) = std::sync::mpsc::sync_channel::<String>(1_000);
    let creator = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for bunch in 0u64.. {
            let mut creates = JoinSet::new();
            for i in 0..8 {
                let name = format!("{round}-{bunch}-{i}");
                let (handle, new) = (handle.clone(), if i % 2 == 0 { by_sip(&name) } else { by_number(&name) });
                creates.spawn_on(async move { handle.create(new).await }, runtime.handle());
            }
            for outcome in runtime.block_on(creates.join_all()) {
                match outcome {
                    Ok(made) => {
                        say(&format!("made {}", made.id));
                        // Some wait on for their calls.
                        let _ = sender.try_send(made.id);
                    }
                    Err(CreateRefusal::NoNumber { .. }) => {}
                    Err(fault) => panic!("{fault}"),
                }
            }
        }
    });
    let mut before = None;
    for (count, name) in (0..).zip(made.into_iter().filter(|name| !name.ends_with('7'))) {
        let call = CallId(round << 32 | count);
        asks.blocking_send(DeskAsk::Claim { party: 0, query: 0, call, key: ClaimKey::Id(name.clone()), at: now() }).unwrap();
        assert!(matches!(answers.blocking_recv(), Some(DeskAnswer::Claimed { outcome: Ok(_), .. })));
        say(&format!("claimed {name}"));
        // What was told before this claim was committed with it, or before.
        if let Some(before) = before.replace(call) {
            say(&format!("ended {before}"));
        }
        asks.blocking_send(DeskAsk::Began(Arc::new(record(call.0, now())))).unwrap();
        let kept = Box::new(Keep { call_transfer: Some(name.clone()), output: output(), completes: count % 2 == 0 });
        asks.blocking_send(DeskAsk::Keep { party: 0, call, kept, at: now() }).unwrap();
        assert!(matches!(answers.blocking_recv(), Some(DeskAnswer::Kept { stored: true, .. })));
        say(&format!("kept {name} {call}"));
        if count % 2 == 1 {
            asks.blocking_send(DeskAsk::Returned { call_transfer: name, at: now() }).unwrap();
        }
        asks.blocking_send(tell_ended(call.0, 8)).unwrap();
    }
    drop(store);
    creator.join().unwrap();
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let rounds = std::env::var("HANDBACK_KILLS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
    let folder = tempfile::TempDir::new().unwrap();
    let settings = settings_in(&folder);
    let database = settings.path.clone().unwrap();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut totals: HashMap<&str, usize> = HashMap::new();
    for round in 1..=rounds {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let child = Running::start("kill::child_under_load", &database, "", round);
        // Each fourth in the middle of its start, where it mends what the last kill left; the others under load.
        if round % 4 != 0 {
            child.says("open");
        }
        let said = child.kill_after(Duration::from_micros((random >> 33) % 300_000));
        whole(&database, round);
        let lab = Lab::open(None, many_numbers(), settings.clone());
        for (what, count) in verify(&lab, &said, round) {
            *totals.entry(what).or_default() += count;
        }
        lab.store.unwrap().close();
    }
    println!("{rounds} kills: {totals:?}");
    assert!(totals.get("ended").is_some_and(|ended| *ended as u64 > rounds), "there was no load: {totals:?}");
}

/// As SQLite sees the file first: with the log that the kill left.
fn whole(database: &Path, round: u64) {
    if !database.exists() {
        return;
    }
    let connection = rusqlite::Connection::open(database).unwrap();
    let verdict: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok", "round {round}");
    // Left as it was for the store: closing the last connection would tidy up.
    std::mem::drop(connection);
}

fn verify(lab: &Lab, said: &[String], round: u64) -> HashMap<&'static str, usize> {
    let mut totals = HashMap::new();
    let mut claimed = HashMap::new();
    for line in said {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["made", id] => {
                let found = lab.handle.get(id).unwrap();
                assert!(found.is_some(), "round {round}: {id} was made, and is lost");
                *totals.entry("made").or_default() += 1;
            }
            ["claimed", id] => {
                let transfer = lab.transfer(id);
                assert_eq!(transfer.status, TransferStatus::Completed, "round {round}: {id} was claimed");
                claimed.insert(id, transfer);
                *totals.entry("claimed").or_default() += 1;
            }
            ["kept", id, call] => {
                assert_eq!(lab.transfer(id).output_context, Some(output()), "round {round}: {id}");
                let past = lab.handle.call(call.parse().unwrap()).unwrap();
                assert!(past.is_some(), "round {round}: {call} began before, and is lost");
                *totals.entry("kept").or_default() += 1;
            }
            ["ended", call] => {
                let call = call.parse().unwrap();
                let past = lab.handle.call(call).unwrap().unwrap_or_else(|| panic!("round {round}: {call} ended, and is lost"));
                assert_eq!(past.record.state, CallState::Returned, "round {round}: {call}");
                assert_eq!(lab.handle.messages(call).unwrap().map(|messages| messages.len()), Some(8), "round {round}: {call}");
                *totals.entry("ended").or_default() += 1;
            }
            _ => {}
        }
    }
    // Nothing is left half done.
    let running = HistoryQuery { running: true, most: 1_000, ..HistoryQuery::default() };
    for call in lab.handle.history(&running).unwrap().calls {
        assert!(call.record.state.is_final(), "round {round}: {} still runs", call.record.id);
        if call.record.state == CallState::Failed {
            assert_eq!(call.record.ended.map(|why| why.by), Some(Party::Bridge));
        }
    }
    totals
}
