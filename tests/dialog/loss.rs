//! Whole calls with a REFER through bad networks: each completes or fails cleanly, and nothing is left over.

use std::time::Duration;

use handback::sip::dialog::UaEvent;

use crate::story::{A, B, Lab, Who, lab::sdp};

/// A calls, B answers and refers, A notifies, B hangs up; each side does what it can with what it hears.
fn journey(seed: u64, loss_per_mille: u64, jitter: Duration) -> (bool, Lab) {
    let mut lab = Lab::with(seed, |_| {});
    lab.network.loss_per_mille = loss_per_mille;
    lab.network.jitter = jitter;
    let a = lab.calls();
    let mut completed = false;
    let mut steps = 0;
    loop {
        for who in [A, B] {
            while let Some(event) = lab.nodes[who.0].events.pop_front() {
                react(&mut lab, who, event, &mut completed);
            }
        }
        steps += 1;
        assert!(steps < 20_000, "seed {seed} never ends:\n{}", lab.ladder());
        if !lab.step() {
            break;
        }
        // Whoever is left alone hangs up in the end.
        if steps == 5_000 {
            for who in [A, B] {
                let left: Vec<_> = lab.ua(who).report_sessions().map(|(id, _)| id).collect();
                for id in left {
                    let _ = lab.does(who, |ua, now| ua.hang_up(now, id, &[], None));
                }
            }
        }
    }
    let _ = a;
    (completed, lab)
}

fn react(lab: &mut Lab, who: Who, event: UaEvent, completed: &mut bool) {
    match event {
        UaEvent::Request(incoming) => {
            let id = lab.does(who, |ua, now| ua.accept_invite(now, *incoming)).unwrap();
            lab.does(who, |ua, now| ua.ring(now, id, 180, None, &[])).unwrap();
            lab.does(who, |ua, now| ua.answer(now, id, Some(sdp("answer")), &[])).unwrap();
        }
        UaEvent::Established { id, .. } => {
            lab.does(who, |ua, now| ua.refer(now, id, "<sip:return@example.com>", &[])).unwrap();
        }
        UaEvent::Refer { id, refer, .. } => {
            lab.does(who, |ua, now| ua.accept_refer(now, id, refer, 202)).unwrap();
            lab.does(who, |ua, now| ua.notify(now, id, refer, "SIP/2.0 100 Trying", false)).unwrap();
            lab.does(who, |ua, now| ua.notify(now, id, refer, "SIP/2.0 200 OK", true)).unwrap();
        }
        UaEvent::Notify { id, sipfrag: Some((200, _)), .. } => {
            *completed = true;
            lab.does(who, |ua, now| ua.hang_up(now, id, &[], None)).unwrap();
        }
        UaEvent::ReferResponse { id, code, .. } if code >= 300 => {
            let _ = lab.does(who, |ua, now| ua.hang_up(now, id, &[], None));
        }
        UaEvent::SubscriptionEnded { id, .. } => {
            let _ = lab.does(who, |ua, now| ua.hang_up(now, id, &[], None));
        }
        _ => {}
    }
}

fn all_end(seeds: std::ops::Range<u64>, loss_per_mille: u64, jitter: Duration) -> usize {
    seeds
        .filter(|&seed| {
            let (completed, mut lab) = journey(seed, loss_per_mille, jitter);
            lab.is_over();
            completed
        })
        .count()
}

#[test]
fn without_loss_every_call_completes_even_when_messages_overtake_each_other() {
    assert_eq!(all_end(0..100, 0, Duration::from_millis(300)), 100);
}

#[test]
fn with_a_tenth_lost_calls_complete_and_nothing_is_left() {
    let completed = all_end(0..400, 100, Duration::from_millis(100));
    assert!(completed >= 396, "{completed} of 400");
}

#[test]
fn with_a_third_lost_calls_complete_or_fail_and_nothing_is_left() {
    let completed = all_end(0..400, 300, Duration::from_millis(200));
    assert!(completed >= 340, "{completed} of 400");
}
