//! Which calls are recorded: by the rule, by the peer, by hand.

use handback::{media::MediaCommand, model::Command};

use crate::{given::settings, lab::Lab};

fn kept(lab: &Lab) -> Vec<bool> {
    lab.media.iter().filter_map(|command| if let MediaCommand::Keep { on, .. } = command { Some(*on) } else { None }).collect()
}

#[test]
fn the_rule_records_every_call_but_those_of_a_peer_that_says_otherwise() {
    for (always, of_peer, recorded) in [(false, None, false), (true, None, true), (true, Some(false), false), (false, Some(true), true)] {
        let mut settings = settings();
        settings.recording.always = always;
        settings.peers[0].record = of_peer;
        let mut lab = Lab::new(settings);
        lab.in_a_call();
        assert_eq!(kept(&lab), vec![true; usize::from(recorded)], "always {always}, the peer {of_peer:?}");
    }
}

#[test]
fn by_hand_a_recording_begins_and_ends_once() {
    let mut lab = Lab::new(settings());
    lab.in_a_call();
    let call = lab.record().id;
    assert!(lab.commands(Command::Record { call, on: false }).is_err(), "it is not recorded");
    assert_eq!(lab.commands(Command::Record { call, on: true }), Ok(call));
    assert!(lab.commands(Command::Record { call, on: true }).is_err(), "it is recorded");
    assert_eq!(lab.commands(Command::Record { call, on: false }), Ok(call));
    assert_eq!(kept(&lab), [true, false]);
}
