//! The life of a call transfer, kept over restarts.

use handback::{
    contract::create_refusal::CreateRefusal,
    model::{CallId, ClaimRefusal, DeskAsk, SipReturn, TransferStatus, TransferTarget},
    store::TransferQuery,
};

use crate::support::*;

fn returns(target: TransferTarget) -> SipReturn {
    match target {
        TransferTarget::Sip(returns) => returns,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_made_is_found_as_it_was_made_but_for_its_password() {
    let lab = Lab::new();
    for new in [by_sip("s"), by_number("n")] {
        let id = new.id.clone();
        let made = lab.create(new).unwrap();
        let mut found = lab.transfer(&id);
        if let (TransferTarget::Sip(found), TransferTarget::Sip(made)) = (&mut found.target, &made.target) {
            assert_eq!(found.auth.as_ref().map(|auth| (auth.username.as_str(), auth.secret.reveal())), Some(("bridge", "")));
            found.auth.clone_from(&made.auth);
        }
        assert_eq!(found, made);
    }
    assert!(lab.handle.get("other").unwrap().is_none());
}

#[test]
fn a_journey_is_seen_step_by_step_and_outlives_a_restart() {
    let mut lab = Lab::new();
    lab.create(by_sip("a")).unwrap();
    let claimed = lab.claim(id("a"), 1).unwrap();
    assert_eq!(claimed.returns.auth.unwrap().secret.reveal(), "s3cr3t-pässword");
    assert_eq!(lab.status("a"), TransferStatus::Ongoing);
    assert!(lab.keep("a", 1, false));
    let kept = lab.transfer("a");
    assert_eq!((kept.status, kept.output_context), (TransferStatus::Ongoing, Some(output())), "visible from the commit on");
    lab.ask(DeskAsk::Returned { call_transfer: "a".to_owned(), at: now() });
    lab.settle();
    let done = lab.transfer("a");
    assert_eq!((done.status, done.call), (TransferStatus::Completed, Some(CallId(1))));
    let lab = lab.reopened();
    assert_eq!(lab.transfer("a"), done);
    assert_eq!(lab.create(by_sip("a")), Err(CreateRefusal::IdUsed));
}

#[test]
fn a_waiting_transfer_goes_on_after_a_restart_with_its_password_and_number() {
    let lab = Lab::new();
    lab.create(by_sip("s")).unwrap();
    let number = lab.create(by_number("n")).unwrap().number.unwrap();
    let mut lab = lab.reopened();
    assert_eq!(lab.handle.pools()[0].leased, 1);
    assert_ne!(lab.create(by_number("m")).unwrap().number.as_ref(), Some(&number));
    let claimed = lab.claim(id("s"), 1).unwrap();
    assert_eq!(claimed.returns.auth.unwrap().secret.reveal(), "s3cr3t-pässword");
    assert_eq!(claimed.input_context.input_variables.len(), 2);
    assert_eq!(lab.claim(handback::model::ClaimKey::Number(number), 2).unwrap().id, "n");
}

#[test]
fn an_ongoing_one_is_interrupted_by_a_restart() {
    let mut lab = Lab::new();
    lab.create(by_sip("a")).unwrap();
    lab.claim(id("a"), 1).unwrap();
    lab.keep("a", 1, false);
    let mut lab = lab.reopened();
    let transfer = lab.transfer("a");
    assert!(transfer.interrupted && transfer.completed_at.is_some());
    assert_eq!((transfer.status, transfer.output_context), (TransferStatus::Completed, Some(output())));
    assert_eq!(lab.claim(id("a"), 2), Err(ClaimRefusal::Completed));
}

#[test]
fn it_expires_by_itself_and_its_number_is_free() {
    let mut lab = Lab::with(|api, _| {
        api.number_lease_secs = 1;
        api.numbers[0].last = api.numbers[0].first;
    });
    let made = lab.create(by_number("a")).unwrap();
    assert_eq!(lab.create(by_number("b")), Err(CreateRefusal::NoNumber { retry_after_secs: 1 }));
    assert_eq!(lab.handle.check(&by_number("b")), Err(CreateRefusal::NoNumber { retry_after_secs: 1 }));
    until("expired", || lab.status("a") == TransferStatus::Expired);
    assert!(now() >= made.expires_at);
    assert_eq!(lab.claim(id("a"), 1), Err(ClaimRefusal::Expired));
    let again = lab.create(by_number("b")).unwrap();
    assert_eq!(again.number, made.number);
}

#[test]
fn an_overdue_one_expires_at_the_start() {
    let lab = Lab::with(|api, _| api.number_lease_secs = 1);
    let made = lab.create(by_number("a")).unwrap();
    let Lab { folder, api, settings, store, .. } = lab;
    store.unwrap().close();
    until("overdue", || now() > made.expires_at);
    let lab = Lab::open(folder, api, settings);
    until("expired", || lab.status("a") == TransferStatus::Expired);
}

#[test]
fn numbers_rest_over_a_restart() {
    let mut lab = Lab::with(|api, _| api.numbers[0].last = api.numbers[0].first + 2);
    for (name, call) in [("a", 1), ("b", 2)] {
        lab.create(by_number(name)).unwrap();
        lab.claim(id(name), call).unwrap();
    }
    let lab = lab.reopened();
    let numbers: Vec<_> = ["c", "d", "e"].map(|name| lab.create(by_number(name)).unwrap().number.unwrap()).into();
    assert_eq!(numbers, ["+19995550102", "+19995550100", "+19995550101"], "never used, then the longest free");
}

#[test]
fn the_password_is_sealed_and_erased_when_the_transfer_ends() {
    let mut lab = Lab::new();
    lab.create(by_sip("a")).unwrap();
    let sealed = |lab: &Lab| {
        let reader = rusqlite::Connection::open(lab.database()).unwrap();
        reader.query_row("SELECT auth_secret FROM call_transfers WHERE id = 'a'", [], |row| row.get::<_, Option<Vec<u8>>>(0)).unwrap()
    };
    let before = sealed(&lab).unwrap();
    assert!(!before.is_empty());
    lab.claim(id("a"), 1).unwrap();
    assert!(sealed(&lab).is_some(), "its return INVITE is still to come");
    lab.keep("a", 1, true);
    assert_eq!(sealed(&lab), None);
    assert_eq!(returns(lab.transfer("a").target).auth.unwrap().username, "bridge");
    let database = lab.database();
    lab.store.take().unwrap().close();
    let file = std::fs::read(database).unwrap();
    assert!(!holds(&file, &before), "the sealed password is overwritten");
    assert!(!holds(&file, "s3cr3t".as_bytes()));
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn lists_are_paged_from_the_newest_and_filtered_by_status() {
    let mut lab = Lab::new();
    for name in ["a", "b", "c", "d"] {
        lab.create(by_sip(name)).unwrap();
    }
    lab.claim(id("b"), 1).unwrap();
    let names = |query: &TransferQuery| {
        let page = lab.handle.transfers(query).unwrap();
        (page.transfers.into_iter().map(|transfer| transfer.id).collect::<Vec<_>>(), page.next)
    };
    let query = TransferQuery { most: 3, ..TransferQuery::default() };
    let (first, next) = names(&query);
    assert_eq!(first, ["d", "c", "b"]);
    assert_eq!(names(&TransferQuery { before: next, ..query.clone() }), (vec!["a".to_owned()], None));
    assert_eq!(names(&TransferQuery { status: Some(TransferStatus::Ongoing), ..query.clone() }).0, ["b"]);
    assert_eq!(names(&TransferQuery { status: Some(TransferStatus::Active), ..query }).0, ["d", "c", "a"]);
}

#[test]
fn in_memory_it_works_the_same() {
    let mut lab = Lab::with(|_, settings| settings.path = None);
    lab.create(by_sip("a")).unwrap();
    assert_eq!(lab.create(by_sip("a")), Err(CreateRefusal::IdUsed));
    lab.claim(id("a"), 1).unwrap();
    assert!(lab.keep("a", 1, true));
    assert_eq!(lab.status("a"), TransferStatus::Completed);
    assert!(Lab::with(|_, settings| settings.path = None).handle.get("a").unwrap().is_none(), "each has its own");
    lab.ask(tell_ended(1, 3));
    lab.settle();
    assert_eq!(lab.handle.messages(CallId(1)).unwrap().unwrap().len(), 3);
}
