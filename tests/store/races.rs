//! Races: one id for many, and expiry against INVITE.

use std::{collections::HashMap, sync::Barrier, thread};

use handback::{
    contract::create_refusal::CreateRefusal,
    model::{CallId, ClaimRefusal, DeskAnswer, DeskAsk, TransferStatus},
};
use tokio::task::JoinSet;

use crate::support::*;

/// 1,000 ids, each asked for by 100 at once, from four threads.
#[test]
fn of_many_creates_of_one_id_exactly_one_is_made() {
    const THREADS: usize = 4;
    let lab = Lab::new();
    let together = Barrier::new(THREADS);
    let (handle, together) = (&lab.handle, &together);
    let made: Vec<HashMap<usize, usize>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    let mut made = HashMap::new();
                    for round in 0..1_000 {
                        together.wait();
                        let mut creates = JoinSet::new();
                        for _ in 0..100 / THREADS {
                            let (handle, new) = (handle.clone(), by_sip(&round.to_string()));
                            creates.spawn_on(async move { handle.create(new).await }, runtime.handle());
                        }
                        for outcome in runtime.block_on(creates.join_all()) {
                            match outcome {
                                Ok(_) => *made.entry(round).or_default() += 1,
                                Err(fault) => assert_eq!(fault, CreateRefusal::IdUsed),
                            }
                        }
                    }
                    made
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for round in 0..1_000 {
        let winners: usize = made.iter().filter_map(|made| made.get(&round)).sum();
        assert_eq!(winners, 1, "id {round}");
    }
}

/// 10,000 transfers of a second's life, each claimed some milliseconds before its end or after.
#[test]
fn a_transfer_is_claimed_or_expires_and_never_both() {
    const COUNT: usize = 10_000;
    let mut lab = Lab::with(|api, _| api.sip_transfer_expiry_secs = 1);
    let (sender, made) = std::sync::mpsc::channel();
    let (handle, asks) = (lab.handle.clone(), lab.asks.clone());
    let creator = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for round in 0..COUNT / 50 {
            let mut creates = JoinSet::new();
            for i in 0..50 {
                let (handle, new) = (handle.clone(), by_sip(&format!("{}", round * 50 + i)));
                creates.spawn_on(async move { handle.create(new).await.unwrap() }, runtime.handle());
            }
            for made in runtime.block_on(creates.join_all()) {
                sender.send(made).unwrap();
            }
        }
    });
    // Claims as the engine sends them, at the moment of expiry and a little before and after.
    let claimer = thread::spawn(move || {
        for (count, transfer) in made.into_iter().enumerate() {
            let call = transfer.id.parse::<u64>().unwrap();
            // Those that were made together are claimed together, or the first would make the others late.
            let offset = (count as u64 / 50 * 7_919) % 15_000;
            let at = transfer.expires_at.0 - 10_000 + offset;
            while now().0 < at {
                std::hint::spin_loop();
            }
            let (call, query) = (CallId(call), call as u32);
            asks.blocking_send(DeskAsk::Claim { party: 0, query, call, key: id(&transfer.id), at: now() }).unwrap();
        }
    });
    let (mut claimed, mut expired) = (Vec::new(), Vec::new());
    for _ in 0..COUNT {
        match lab.answer() {
            DeskAnswer::Claimed { query, outcome: Ok(transfer), .. } => {
                assert_eq!(transfer.id, query.to_string());
                claimed.push(transfer.id);
            }
            DeskAnswer::Claimed { query, outcome: Err(ClaimRefusal::Expired), .. } => expired.push(query.to_string()),
            other => panic!("{other:?}"),
        }
    }
    creator.join().unwrap();
    claimer.join().unwrap();
    for id in &claimed {
        assert_eq!(lab.status(id), TransferStatus::Ongoing, "{id}");
    }
    for id in &expired {
        assert_eq!(lab.status(id), TransferStatus::Expired, "{id}");
    }
    println!("{} claimed, {} expired", claimed.len(), expired.len());
    assert!(claimed.len() > COUNT / 100 && expired.len() > COUNT / 100, "no race: {} claimed, {} expired", claimed.len(), expired.len());
}
