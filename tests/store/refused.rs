//! The disk refuses: creates are refused, running calls go on, and all is written once it takes it again.

use std::process::Command;

use handback::{
    contract::create_refusal::CreateRefusal,
    model::{CallId, ClaimRefusal, TransferStatus},
};

use crate::{
    child::{Running, orders, say},
    support::*,
};

/// Somebody else holds the database for writing, as a full disk would refuse it.
fn stranger(lab: &Lab) -> rusqlite::Connection {
    let stranger = rusqlite::Connection::open(lab.database()).unwrap();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    stranger
}

#[test]
fn while_the_disk_refuses_calls_go_on_and_nothing_is_promised() {
    let mut lab = Lab::new();
    for name in ["runs", "waits"] {
        lab.create(by_sip(name)).unwrap();
    }
    lab.claim(id("runs"), 1).unwrap();
    let stranger = stranger(&lab);
    assert_eq!(lab.create(by_number("n")), Err(CreateRefusal::Unavailable));
    until("unwell", || !lab.handle.healthy());
    assert_eq!(lab.handle.check(&by_number("n")), Err(CreateRefusal::Unavailable));
    assert_eq!(lab.claim(id("waits"), 2), Err(ClaimRefusal::Unavailable), "a claim that may be forgotten is none");
    assert!(!lab.keep("runs", 1, true), "not stored, and said so");
    lab.ask(tell_ended(1, 3));
    assert_eq!(lab.status("runs"), TransferStatus::Ongoing, "as it was committed last");

    stranger.execute_batch("COMMIT").unwrap();
    until("well again", || lab.handle.healthy());
    let done = lab.transfer("runs");
    assert_eq!((done.status, done.output_context), (TransferStatus::Completed, Some(output())));
    assert_eq!(lab.handle.messages(CallId(1)).unwrap().unwrap().len(), 3);
    assert_eq!(lab.claim(id("waits"), 2).unwrap().id, "waits");
    assert_eq!(lab.create(by_number("n")).unwrap().number.as_deref(), Some("+19995550100"), "the refused one took no number");
}

#[test]
fn a_commit_that_fails_takes_its_claim_back() {
    let mut lab = Lab::with(|api, _| api.numbers[0].last = api.numbers[0].first);
    lab.create(by_number("a")).unwrap();
    let stranger = stranger(&lab);
    assert_eq!(lab.claim(id("a"), 1), Err(ClaimRefusal::Unavailable));
    stranger.execute_batch("COMMIT").unwrap();
    until("well again", || lab.handle.healthy());
    assert_eq!(lab.status("a"), TransferStatus::Active);
    assert!(matches!(lab.create(by_number("b")), Err(CreateRefusal::NoNumber { .. })), "it holds its number still");
    assert_eq!(lab.claim(id("a"), 2).unwrap().id, "a");
}

#[test]
fn what_expires_meanwhile_is_expired_when_it_heals() {
    let lab = Lab::with(|api, _| api.sip_transfer_expiry_secs = 1);
    let made = lab.create(by_sip("a")).unwrap();
    let stranger = stranger(&lab);
    until("unwell", || lab.create(by_sip("b")).is_err());
    until("due", || now() > made.expires_at);
    stranger.execute_batch("COMMIT").unwrap();
    until("expired", || lab.status("a") == TransferStatus::Expired);
}

/// Not a test of its own: the child whose files may not grow.
#[test]
fn child_on_a_full_disk() {
    let Some((settings, _)) = orders() else { return };
    let mut lab = Lab::open(None, api(), settings);
    let large = |name: &str| {
        let mut new = by_sip(name);
        let context = new.input_context.as_mut().unwrap();
        context.input_variables.insert("large".to_owned(), "v".repeat(50_000));
        new
    };
    lab.create(by_sip("runs")).unwrap();
    lab.claim(id("runs"), 1).unwrap();
    let mut made = 0;
    let refused = |lab: &Lab| {
        let waiting = std::time::Instant::now();
        // A log that can be cut back may heal it for a while.
        while waiting.elapsed().as_secs() < 3 {
            if lab.handle.healthy() {
                return false;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        true
    };
    loop {
        match lab.create(large(&format!("large-{made}"))) {
            Ok(_) => made += 1,
            Err(CreateRefusal::Unavailable) if refused(&lab) => break,
            Err(CreateRefusal::Unavailable) => {}
            Err(fault) => panic!("{fault}"),
        }
    }
    assert!(!lab.keep("runs", 1, true));
    lab.ask(tell_ended(1, 8));
    say("refused");
    until("healed", || lab.handle.healthy());
    assert_eq!(lab.transfer("runs").output_context, Some(output()));
    assert_eq!(lab.handle.messages(CallId(1)).unwrap().unwrap().len(), 8);
    for name in 0..made {
        assert!(lab.handle.get(&format!("large-{name}")).unwrap().is_some(), "{name}");
    }
    lab.create(large("after")).unwrap();
    lab.store.take().unwrap().close();
    say("healed");
}

/// Real writes that fail: the system lets the child's files grow to 1 MiB only, and then without limit.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_creates_and_heals_by_itself() {
    let folder = tempfile::TempDir::new().unwrap();
    let settings = settings_in(&folder);
    let database = settings.path.clone().unwrap();
    // In blocks of 512 bytes; the signal would end the process.
    let child = Running::start("refused::child_on_a_full_disk", &database, "trap '' XFSZ; ulimit -S -f 2048;", 0);
    child.says("refused");
    let freed = Command::new("prlimit").args(["--pid", &child.pid().to_string(), "--fsize=unlimited"]).status().unwrap();
    assert!(freed.success());
    child.says("healed");
    child.ends_well();
    let connection = rusqlite::Connection::open(database).unwrap();
    let verdict: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}
