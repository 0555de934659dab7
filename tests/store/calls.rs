//! Calls of the past: found again with their messages, and forgotten when it is time.

use std::sync::Arc;

use handback::{
    model::{
        CallFilter, CallId, CallSound, CallState, DeskAsk, LegId, MediaFigures, Outcome, Party, SoundHeard, SoundMoment, Timestamp,
        WholeCall,
    },
    store::{HistoryQuery, KnownConversation},
};

use crate::support::*;

const DAY_MICROS: u64 = 86_400_000_000;

fn all() -> HistoryQuery {
    HistoryQuery { most: 100, ..HistoryQuery::default() }
}

fn found(lab: &Lab, query: &HistoryQuery) -> Vec<u64> {
    lab.handle.history(query).unwrap().calls.iter().map(|call| call.record.id.0).collect()
}

/// Calls 1 to `count`, a second apart, the last one now.
fn with_calls(count: u64) -> Lab {
    let mut lab = Lab::new();
    let end = now().0;
    for call in 1..=count {
        let record = ended(call, Timestamp(end - (count - call) * 1_000_000));
        lab.ask(DeskAsk::Ended(WholeCall::new(Arc::new(record), messages(3))));
    }
    lab.settle();
    lab
}

#[test]
fn a_call_is_found_with_all_that_was_known_of_it() {
    let mut lab = Lab::new();
    let begun = record(5, now());
    lab.ask(DeskAsk::Began(Arc::new(begun.clone())));
    lab.settle();
    assert_eq!(found(&lab, &all()), [0; 0], "it runs");
    assert_eq!(found(&lab, &HistoryQuery { running: true, ..all() }), [5]);
    let over = ended(5, begun.started_at);
    lab.ask(DeskAsk::Ended(WholeCall::new(Arc::new(over.clone()), messages(3))));
    lab.settle();
    let lab = lab.reopened();
    let past = lab.handle.call(CallId(5)).unwrap().unwrap();
    assert_eq!((past.record, past.has_messages), (over, true));
    let kept = lab.handle.messages(CallId(5)).unwrap().unwrap();
    assert_eq!((kept.len(), kept[2].number, kept[2].leg), (3, 2, Some(LegId(0))));
    assert!(String::from_utf8_lossy(&kept[0].bytes).contains("Authorization: (blanked)"));
    assert!(lab.handle.call(CallId(6)).unwrap().is_none() && lab.handle.messages(CallId(6)).unwrap().is_none());
}

#[test]
fn how_a_call_sounded_is_the_same_after_a_restart() {
    let mut lab = Lab::new();
    let heard = Some(SoundHeard { loss_percent: 0.83, jitter_ms: 1.27, delay_ms: 26.04, mos: 4.37 });
    let mut sound = CallSound::default();
    for second in 1..=400 {
        let moment = SoundMoment { bars: 10, received_bars: [second as u8; 20], received: heard, ..SoundMoment::default() };
        sound.note(Timestamp(now().0 + second * 1_000_000), LegId(0), &MediaFigures { moment, ..MediaFigures::default() });
    }
    let sound = Arc::new(sound);
    lab.ask(DeskAsk::Ended(WholeCall { record: Arc::new(ended(5, now())), messages: messages(3), sound: Some(sound.clone()) }));
    lab.ask(DeskAsk::Ended(WholeCall::new(Arc::new(ended(6, now())), messages(3))));
    lab.settle();
    let lab = lab.reopened();
    assert_eq!(lab.handle.sound(CallId(5)).unwrap().as_ref(), Some(&*sound));
    assert_eq!(lab.handle.messages(CallId(5)).unwrap().unwrap().len(), 3);
    assert_eq!((lab.handle.sound(CallId(6)).unwrap(), lab.handle.sound(CallId(7)).unwrap()), (None, None));
}

#[test]
fn no_credentials_of_a_message_reach_the_disk() {
    let lab = with_calls(3);
    let (database, _folder) = (lab.database(), lab.folder.clone());
    drop(lab);
    let file = std::fs::read(database).unwrap();
    assert!(file.windows(9).any(|window| window == b"(blanked)"));
    assert!(!file.windows(8).any(|window| window == b"feedface"));
}

#[test]
fn pages_go_from_the_newest_to_the_oldest() {
    let lab = with_calls(7);
    let mut query = HistoryQuery { most: 3, ..all() };
    let mut pages = Vec::new();
    loop {
        let page = lab.handle.history(&query).unwrap();
        pages.push(page.calls.iter().map(|call| call.record.id.0).collect::<Vec<_>>());
        query.before = page.next;
        if query.before.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);
}

#[test]
fn every_filter_finds_what_it_names() {
    let mut lab = Lab::new();
    let start = now().0;
    for call in 1..=4 {
        let mut record = ended(call, Timestamp(start + call));
        if call == 2 {
            record.state = CallState::Failed;
            record.peer = Some("other".to_owned());
            let context = Arc::make_mut(&mut record.context);
            context.task_name = None;
            record.current_task = Some("billing".to_owned());
            context.customer_id = Some("customer-2".to_owned());
            record.outcome = Some(Outcome::Agent);
            record.call_transfer = Some("transfer-2".to_owned());
            record.reference_variables.insert("ticket".to_owned(), "a\u{1f}b".to_owned());
        }
        lab.ask(DeskAsk::Ended(WholeCall::new(Arc::new(record), Vec::new())));
    }
    lab.settle();
    let text = |text: &str| Some(text.to_owned());
    let variable = |name: &str, value: Option<&str>| vec![(name.to_owned(), value.map(str::to_owned))];
    let everything = lab.handle.history(&all()).unwrap().calls;
    for (filter, wanted) in [
        (CallFilter { state: Some(CallState::Failed), ..CallFilter::default() }, vec![2]),
        (CallFilter { state: Some(CallState::WithAgent), ..CallFilter::default() }, vec![]),
        (CallFilter { peer: text("other"), ..CallFilter::default() }, vec![2]),
        (CallFilter { task: text("billing"), ..CallFilter::default() }, vec![2]),
        (CallFilter { task: text("call_routing"), ..CallFilter::default() }, vec![4, 3, 1]),
        (CallFilter { conversation: text("conversation-1"), ..CallFilter::default() }, vec![3, 2]),
        (CallFilter { customer: text("customer-2"), ..CallFilter::default() }, vec![2]),
        (CallFilter { outcome: Some(Outcome::Agent), ..CallFilter::default() }, vec![2]),
        (CallFilter { call_transfer: text("transfer-2"), ..CallFilter::default() }, vec![2]),
        (CallFilter { from: Some(Timestamp(start + 3)), ..CallFilter::default() }, vec![4, 3]),
        (CallFilter { until: Some(Timestamp(start + 3)), ..CallFilter::default() }, vec![2, 1]),
        (CallFilter { variables: variable("accountNumber", Some("3")), ..CallFilter::default() }, vec![3]),
        (CallFilter { variables: variable("accountNumber", None), ..CallFilter::default() }, vec![4, 3, 2, 1]),
        (CallFilter { variables: variable("account", None), ..CallFilter::default() }, vec![]),
        (CallFilter { variables: variable("z", Some("ü")), ..CallFilter::default() }, vec![4, 3, 2, 1]),
        (CallFilter { variables: variable("ticket", Some("a\u{1f}b")), ..CallFilter::default() }, vec![2]),
        (
            CallFilter {
                variables: [variable("z", None), variable("ticket", None)].concat(),
                peer: text("other"),
                ..CallFilter::default()
            },
            vec![2],
        ),
        (CallFilter { peer: text("other' OR 1 = 1 --"), ..CallFilter::default() }, vec![]),
    ] {
        let matching: Vec<u64> = everything.iter().filter(|call| filter.matches(&call.record)).map(|call| call.record.id.0).collect();
        assert_eq!(matching, wanted, "{filter:?}, asked of the records");
        assert_eq!(found(&lab, &HistoryQuery { filter: filter.clone(), ..all() }), wanted, "{filter:?}");
    }
}

#[test]
fn a_call_told_twice_is_kept_once() {
    let mut lab = Lab::new();
    // The last time without its messages, which have gone from memory.
    for messages in [1, 2, 0] {
        lab.ask(tell_ended(1, messages));
        lab.settle();
    }
    assert_eq!(found(&lab, &all()), [1]);
    let reader = rusqlite::Connection::open(lab.database()).unwrap();
    assert_eq!(reader.query_row("SELECT COUNT(*) FROM messages", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    assert_eq!(lab.handle.messages(CallId(1)).unwrap().unwrap().len(), 2);
}

#[test]
fn a_call_that_was_running_is_interrupted_by_the_bridge() {
    let mut lab = Lab::new();
    lab.ask(DeskAsk::Began(Arc::new(record(5, now()))));
    lab.keep("none", 5, false);
    let lab = lab.reopened();
    let past = lab.handle.call(CallId(5)).unwrap().unwrap().record;
    let why = past.ended.unwrap();
    assert_eq!((past.state, why.by, past.outcome), (CallState::Failed, Party::Bridge, Some(Outcome::System)));
    assert!(why.reason.starts_with("Interrupted") && past.ended_at.is_some());
    assert_eq!(past.transfer_variables, output().transfer_variables, "what the agent handed back is not lost");
    assert_eq!(found(&lab, &all()), [5]);
}

#[test]
fn conversations_are_known_again_the_latest_last() {
    let mut lab = Lab::new();
    for (call, attempt) in [(2, 1), (3, 2), (4, 1)] {
        let mut record = ended(call, Timestamp(now().0 + call));
        record.attempt = attempt;
        lab.ask(DeskAsk::Ended(WholeCall::new(Arc::new(record), Vec::new())));
    }
    lab.settle();
    let known = |id: &str, attempts, last| KnownConversation { id: id.to_owned(), attempts, last: CallId(last) };
    assert_eq!(lab.handle.conversations(10).unwrap(), [known("conversation-1", 2, 3), known("conversation-2", 1, 4)]);
    assert_eq!(lab.handle.conversations(1).unwrap(), [known("conversation-2", 1, 4)]);
}

#[test]
fn old_calls_and_transfers_are_forgotten_and_live_ones_stay() {
    let mut lab = Lab::new();
    for call in 1..=50 {
        let days_ago = if call <= 45 { 31 } else { 1 };
        let record = ended(call, Timestamp(now().0 - days_ago * DAY_MICROS));
        lab.ask(DeskAsk::Ended(WholeCall::new(Arc::new(record), messages(2))));
    }
    for name in ["done", "waits"] {
        lab.create(by_sip(name)).unwrap();
    }
    lab.claim(id("done"), 1).unwrap();
    lab.keep("done", 1, true);
    age(&lab, "done", 31);
    age(&lab, "waits", 31);
    let lab = lab.reopened();
    until("forgotten", || found(&lab, &all()).len() == 5);
    assert_eq!(found(&lab, &all()), [50, 49, 48, 47, 46]);
    until("forgotten", || lab.handle.get("done").unwrap().is_none());
    assert!(lab.handle.get("waits").unwrap().is_some());
    let reader = rusqlite::Connection::open(lab.database()).unwrap();
    for table in ["records", "messages"] {
        let rows = reader.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(rows, 5, "{table}");
    }
}

/// As if it had been made, and had ended, so many days ago.
fn age(lab: &Lab, transfer: &str, days: u64) {
    let writer = rusqlite::Connection::open(lab.database()).unwrap();
    let micros = (days * DAY_MICROS) as i64;
    let sql = "UPDATE call_transfers SET created_at = created_at - ?1, completed_at = completed_at - ?1 WHERE id = ?2";
    assert_eq!(writer.execute(sql, rusqlite::params![micros, transfer]).unwrap(), 1);
}

#[test]
fn messages_beyond_the_budget_go_and_their_calls_stay() {
    let lab = with_calls(60);
    let Lab { folder, api, mut settings, store, .. } = lab;
    store.unwrap().close();
    // Three messages of some 700 bytes each, by ten calls.
    settings.retention_bytes = 10 * 3 * 700;
    let lab = Lab::open(folder, api, settings);
    until("forgotten", || lab.handle.messages(CallId(50)).unwrap().is_none());
    assert!(lab.handle.messages(CallId(60)).unwrap().is_some(), "the newest are kept");
    let calls = lab.handle.history(&all()).unwrap().calls;
    assert_eq!((calls.len(), calls[0].has_messages, calls[59].has_messages), (60, true, false));
}

#[test]
fn with_no_days_no_ended_call_is_kept_but_what_came_of_a_transfer_is() {
    let mut lab = Lab::with(|_, settings| settings.retention_days = 0);
    lab.create(by_sip("a")).unwrap();
    lab.claim(id("a"), 5).unwrap();
    lab.ask(DeskAsk::Began(Arc::new(record(5, now()))));
    lab.keep("a", 5, true);
    lab.ask(tell_ended(5, 2));
    lab.settle();
    assert!(lab.handle.call(CallId(5)).unwrap().is_none());
    let lab = lab.reopened();
    assert_eq!(lab.transfer("a").output_context, Some(output()));
}
