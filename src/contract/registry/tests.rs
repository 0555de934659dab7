//! Stories of the registry, through the desk that keeps its past in memory.

use proptest::prelude::*;

use super::*;
use crate::{
    contract::desk::MemoryDesk,
    model::{
        CallRecord, DeskAnswer, DeskAsk, InputContext, Outcome, OutputContext, ReturnMethod, ReturnRecord, SipReturn, TransferKind,
        Variables, WholeCall,
        settings::{Api, NumberRange, Secret, User},
    },
};

fn at(secs: u64) -> Timestamp {
    Timestamp(1_800_000_000_000_000 + secs * 1_000_000)
}

fn desk() -> MemoryDesk {
    MemoryDesk::new(&api(2))
}

fn api(numbers: u64) -> Api {
    Api {
        listen: ([127, 0, 0, 1], 0).into(),
        keys: Vec::new(),
        requests_per_second: 100,
        number_lease_secs: 60,
        sip_transfer_expiry_secs: 300,
        numbers: vec![NumberRange { country: "US".to_owned(), first: 19_995_550_100, last: 19_995_550_100 + numbers - 1 }],
        payload_in_return: false,
    }
}

fn by_number(id: &str) -> NewCallTransfer {
    let target = TransferTarget::PhoneNumber { country: "US".to_owned() };
    NewCallTransfer { id: id.to_owned(), external_conversation_id: "conversation".to_owned(), target, input_context: None }
}

fn by_sip(id: &str) -> NewCallTransfer {
    let auth = Some(User { username: "u".to_owned(), secret: Secret::new("p") });
    let target = TransferTarget::Sip(SipReturn { method: ReturnMethod::Invite, uri: Some("sip:back@h".to_owned()), auth });
    let input_context = Some(InputContext { task_name: Some("task".to_owned()), input_variables: Variables::new() });
    NewCallTransfer { target, input_context, ..by_number(id) }
}

trait Asks {
    fn claims(&mut self, key: ClaimKey, call: u64, now: Timestamp) -> Result<Claimed, ClaimRefusal>;
    fn keeps(&mut self, id: &str, call: u64, completes: bool, now: Timestamp);
    fn ends(&mut self, call: u64, returned: bool, now: Timestamp);
    fn status(&self, id: &str) -> Option<TransferStatus>;
}

impl Asks for MemoryDesk {
    fn claims(&mut self, key: ClaimKey, call: u64, now: Timestamp) -> Result<Claimed, ClaimRefusal> {
        match self.handle(DeskAsk::Claim { party: 0, query: 3, call: CallId(call), key, at: now }) {
            Some(DeskAnswer::Claimed { party: 0, query: 3, outcome }) => outcome.map(|claimed| *claimed),
            other => panic!("{other:?}"),
        }
    }

    fn keeps(&mut self, id: &str, call: u64, completes: bool, now: Timestamp) {
        let output = OutputContext {
            transfer_type: Outcome::System,
            current_task_name: None,
            reference_variables: Variables::new(),
            transfer_variables: Variables::new(),
        };
        let kept = Box::new(Keep { call_transfer: Some(id.to_owned()), output, completes });
        let answer = self.handle(DeskAsk::Keep { party: 0, call: CallId(call), kept, at: now });
        assert!(matches!(answer, Some(DeskAnswer::Kept { stored: true, .. })));
    }

    fn ends(&mut self, call: u64, returned: bool, now: Timestamp) {
        let mut record = CallRecord::new(CallId(call), at(0));
        record.ended_at = Some(now);
        if returned {
            record.returns.push(ReturnRecord {
                method: ReturnMethod::Refer,
                uri: String::new(),
                started_at: now,
                payload: None,
                last_code: None,
                settled_at: None,
                verdict: None,
            });
        }
        assert!(self.handle(DeskAsk::Ended(WholeCall::new(Arc::new(record), Vec::new()))).is_none());
    }

    fn status(&self, id: &str) -> Option<TransferStatus> {
        self.transfer(id).map(|transfer| transfer.status)
    }
}

fn id(id: &str) -> ClaimKey {
    ClaimKey::Id(id.to_owned())
}

fn number(last: u64) -> ClaimKey {
    ClaimKey::Number(e164::written(19_995_550_100 + last))
}

#[test]
fn an_id_is_used_once_also_after_its_transfer_has_ended() {
    let mut desk = desk();
    desk.create(by_sip("a"), at(0)).expect("made");
    assert_eq!(desk.create(by_sip("a"), at(1)), Err(CreateRefusal::IdUsed));
    desk.expire_due(at(300));
    assert_eq!(desk.create(by_number("a"), at(301)), Err(CreateRefusal::IdUsed));
}

#[test]
fn a_sip_transfer_is_claimed_by_its_id_with_all_that_the_call_needs() {
    let mut desk = desk();
    let made = desk.create(by_sip("a"), at(0)).expect("made");
    assert_eq!((made.status, made.expires_at, made.number), (TransferStatus::Active, at(300), None));
    let claimed = desk.claims(id("a"), 1, at(1)).expect("claimed");
    assert_eq!((claimed.kind, claimed.returns.method), (TransferKind::Sip, ReturnMethod::Invite));
    assert_eq!(claimed.returns.auth.map(|user| user.secret.reveal().to_owned()).as_deref(), Some("p"));
    assert_eq!(claimed.input_context.task_name.as_deref(), Some("task"));
    assert_eq!(desk.claims(id("a"), 2, at(2)), Err(ClaimRefusal::Ongoing));
    assert_eq!(desk.claims(id("b"), 2, at(2)), Err(ClaimRefusal::Unknown));
    desk.keeps("a", 1, true, at(3));
    assert_eq!(desk.claims(id("a"), 2, at(4)), Err(ClaimRefusal::Completed));
}

#[test]
fn a_number_is_free_again_once_its_call_is_admitted() {
    let mut desk = MemoryDesk::new(&api(1));
    let made = desk.create(by_number("a"), at(0)).expect("made");
    assert_eq!((made.number.as_deref(), made.expires_at), (Some("+19995550100"), at(60)));
    assert_eq!(desk.create(by_number("b"), at(20)), Err(CreateRefusal::NoNumber { retry_after_secs: 40 }));
    assert_eq!(desk.claims(number(0), 1, at(21)).expect("claimed").id, "a");
    desk.create(by_number("b"), at(22)).expect("the number is free");
    assert_eq!(desk.claims(number(0), 2, at(23)).expect("claimed").id, "b");
}

#[test]
fn a_number_means_the_newest_transfer_that_had_it() {
    let mut desk = MemoryDesk::new(&api(1));
    desk.create(by_number("a"), at(0)).expect("made");
    desk.claims(number(0), 1, at(1)).expect("claimed");
    assert_eq!(desk.claims(number(0), 2, at(2)), Err(ClaimRefusal::Ongoing));
    desk.create(by_number("b"), at(3)).expect("made");
    desk.expire_due(at(63));
    assert_eq!(desk.claims(number(0), 2, at(64)), Err(ClaimRefusal::Expired), "b is newer, though a is ongoing still");
    desk.ends(1, false, at(70));
    assert_eq!(desk.claims(number(0), 2, at(71)), Err(ClaimRefusal::Expired), "a's end changes nothing");
    desk.create(by_number("c"), at(72)).expect("made");
    desk.claims(number(0), 3, at(73)).expect("claimed");
    desk.ends(3, true, at(74));
    assert_eq!(desk.claims(number(0), 2, at(75)), Err(ClaimRefusal::Completed));
    assert_eq!(desk.claims(number(1), 2, at(75)), Err(ClaimRefusal::Unknown));
    assert_eq!(desk.claims(ClaimKey::Number("alice".to_owned()), 2, at(75)), Err(ClaimRefusal::Unknown));
}

#[test]
fn a_claim_at_expiry_comes_too_late_before_any_sweep() {
    let mut desk = desk();
    desk.create(by_number("a"), at(0)).expect("made");
    assert_eq!(desk.claims(number(0), 1, at(60)), Err(ClaimRefusal::Expired));
    assert_eq!(desk.status("a"), Some(TransferStatus::Expired));
    assert_eq!(desk.deadline(), None);
    assert_eq!(desk.claims(number(0), 1, at(1)), Err(ClaimRefusal::Expired), "a clock that goes back revives nothing");
}

#[test]
fn a_country_without_numbers_has_no_pool() {
    let target = TransferTarget::PhoneNumber { country: "FR".to_owned() };
    assert_eq!(desk().create(NewCallTransfer { target, ..by_number("a") }, at(0)), Err(CreateRefusal::NoPool));
}

#[test]
fn the_end_of_a_call_that_was_refused_its_transfer_ends_nothing() {
    let mut desk = desk();
    desk.create(by_sip("a"), at(0)).expect("made");
    desk.claims(id("a"), 1, at(1)).expect("claimed");
    assert_eq!(desk.claims(id("a"), 2, at(2)), Err(ClaimRefusal::Ongoing));
    desk.ends(2, false, at(3));
    assert_eq!(desk.status("a"), Some(TransferStatus::Ongoing));
    desk.ends(1, false, at(4));
    assert_eq!(desk.status("a"), Some(TransferStatus::Completed));
}

#[test]
fn what_was_not_kept_is_as_if_never_asked() {
    let mut registry = Registry::new(Some(&api(1)));
    let past = Nothing;
    registry.create(by_number("a"), at(0), &past).expect("made");
    registry.claim(&number(0), CallId(1), at(1), &past).expect("claimed");
    registry.create(by_number("b"), at(2), &past).expect("made");
    registry.revoke_create("b");
    registry.revoke_claim("a");
    assert_eq!(registry.create(by_number("b"), at(3), &past), Err(CreateRefusal::NoNumber { retry_after_secs: 57 }));
    assert_eq!(registry.deadline(), Some(at(60)));
    registry.ended(CallId(1), false, at(3));
    assert_eq!(registry.live("a").map(|a| a.status), Some(TransferStatus::Active));
    registry.revoke_create("a");
    assert_eq!((registry.len(), registry.deadline()), (0, None));
    assert_eq!(registry.create(by_number("b"), at(4), &past).expect("made").number.as_deref(), Some("+19995550100"));
}

#[test]
fn a_restart_goes_on_with_leases_and_interrupts_running_calls() {
    let mut before = Registry::new(Some(&api(3)));
    for (name, secs) in [("waits", 30), ("overdue", 0), ("runs", 31)] {
        before.create(by_number(name), at(secs), &Nothing).expect("made");
    }
    before.claim(&id("runs"), CallId(1), at(32), &Nothing).expect("claimed");

    let mut after = Registry::new(Some(&api(3)));
    for name in ["waits", "overdue", "runs"] {
        after.restore(before.live(name).expect("live"), at(65));
    }
    let interrupted = after.poll_change().expect("a change");
    assert_eq!((interrupted.id.as_str(), interrupted.status, interrupted.interrupted), ("runs", TransferStatus::Completed, true));
    after.expire_due(at(65), 10);
    assert_eq!(after.poll_change().map(|t| (t.id, t.status)), Some(("overdue".to_owned(), TransferStatus::Expired)));
    assert!(after.poll_change().is_none());
    assert_eq!(after.deadline(), Some(at(90)));
    assert_eq!(after.pool_figures()[0].leased, 1);
    assert_eq!(after.claim(&number(0), CallId(2), at(66), &Nothing).map(|claimed| claimed.id), Ok("waits".to_owned()));
}

struct Nothing;

impl Past for Nothing {
    fn status_of(&self, _: &str) -> Result<Option<TransferStatus>, PastUnavailable> {
        Ok(None)
    }

    fn newest_with_number(&self, _: u64) -> Result<Option<TransferStatus>, PastUnavailable> {
        Ok(None)
    }
}

#[derive(Debug, Clone)]
enum Ask {
    Create { name: u8, phone: bool },
    ClaimId { name: u8 },
    ClaimNumber { last: u64 },
    Keep { name: u8, completes: bool },
    End { name: u8, returned: bool },
    Wait { secs: u64 },
}

fn asks() -> impl Strategy<Value = Ask> {
    prop_oneof![
        (0..12u8, any::<bool>()).prop_map(|(name, phone)| Ask::Create { name, phone }),
        (0..12u8).prop_map(|name| Ask::ClaimId { name }),
        (0..3u64).prop_map(|last| Ask::ClaimNumber { last }),
        (0..12u8, any::<bool>()).prop_map(|(name, completes)| Ask::Keep { name, completes }),
        (0..12u8, any::<bool>()).prop_map(|(name, returned)| Ask::End { name, returned }),
        (0..80u64).prop_map(|secs| Ask::Wait { secs }),
    ]
}

proptest! {
    /// Whatever is asked in whatever order: no edge but the three, and no number in two hands.
    #[test]
    fn no_order_of_asking_makes_another_edge(asks in proptest::collection::vec(asks(), 1..120)) {
        let mut desk = desk();
        let mut now = 0;
        let mut calls: HashMap<String, u64> = HashMap::new();
        let mut seen: HashMap<String, TransferStatus> = HashMap::new();
        for (step, ask) in (1000..).zip(asks) {
            match ask {
                Ask::Create { name, phone } => {
                    let name = name.to_string();
                    let _ = desk.create(if phone { by_number(&name) } else { by_sip(&name) }, at(now));
                }
                Ask::ClaimId { name } => {
                    if let Ok(claimed) = desk.claims(id(&name.to_string()), step, at(now)) {
                        calls.insert(claimed.id, step);
                    }
                }
                Ask::ClaimNumber { last } => {
                    if let Ok(claimed) = desk.claims(number(last), step, at(now)) {
                        calls.insert(claimed.id, step);
                    }
                }
                Ask::Keep { name, completes } => {
                    let name = name.to_string();
                    desk.keeps(&name, calls.get(&name).copied().unwrap_or(1), completes, at(now));
                }
                Ask::End { name, returned } => desk.ends(calls.get(&name.to_string()).copied().unwrap_or(1), returned, at(now)),
                Ask::Wait { secs } => {
                    now += secs;
                    desk.expire_due(at(now));
                }
            }
            let mut active_numbers = Vec::new();
            for name in (0..12u8).map(|name| name.to_string()) {
                let Some(transfer) = desk.transfer(&name) else { continue };
                let before = seen.insert(name, transfer.status);
                let edge = (before.unwrap_or(transfer.status), transfer.status);
                use TransferStatus::{Active, Completed, Expired, Ongoing};
                prop_assert!(
                    edge.0 == edge.1 || matches!(edge, (Active, Ongoing | Expired) | (Ongoing, Completed)),
                    "{edge:?} by step {step}"
                );
                prop_assert_eq!(transfer.completed_at.is_some(), transfer.status == Completed);
                if let (Active, Some(number)) = (transfer.status, &transfer.number) {
                    prop_assert!(!active_numbers.contains(number), "{} is leased twice", number);
                    active_numbers.push(number.clone());
                }
            }
        }
    }
}
