//! Every rule has a story that raises it, and no clean call raises any.

mod clean;
mod lab;
mod of_calls;
mod of_contract;
mod of_messages;
mod side_and_cure;

use std::collections::{BTreeMap, BTreeSet};

use super::{RULES, rule};
use crate::model::Finding;

/// What a story raises, the rule that it is about first; and what came of it.
type Story = (Vec<&'static str>, Vec<Finding>);

/// Rules that are raised while a call runs: their stories are in `tests/switch`, of the last in `tests/loopback`.
const OF_THE_SWITCH: [&str; 11] = [
    "context-overridden",
    "conversation-differs",
    "output-not-durable",
    "return-host-not-allowed",
    "source-silenced",
    "no-task-serves",
    "prompt-not-played",
    "return-not-possible",
    "no-rtp-port",
    "media-command-refused",
    "recording-failed",
];

#[test]
fn every_rule_has_a_story_that_raises_it() {
    let (mut raised, mut faults) = (BTreeSet::new(), Vec::new());
    for (wanted, findings) in of_messages::stories().into_iter().chain(of_calls::stories()).chain(of_contract::stories()) {
        let got: Vec<&str> = findings.iter().map(|f| f.rule.as_ref()).collect();
        if got != wanted {
            faults.push(format!("wanted {wanted:?}: {findings:#?}"));
        }
        raised.extend(wanted);
        for finding in findings {
            let rule = rule(&finding.rule).unwrap_or_else(|| panic!("{} is not in the table", finding.rule));
            assert!(finding.severity <= rule.severity, "{} is graver than the table says", rule.name);
            assert!(!finding.seen.is_empty() && !finding.why.is_empty() && !finding.cure.is_empty(), "{finding:?}");
            let names_source = finding.why.contains("RFC ") || finding.why.contains("contract §") || finding.why.contains("ITU-T ");
            if !names_source {
                faults.push(format!("{}: why names no source", rule.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    let missing: Vec<&str> = RULES.iter().map(|r| r.name).filter(|name| !raised.contains(name) && !OF_THE_SWITCH.contains(name)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "rules without a story");
}

#[test]
fn the_table_is_in_order() {
    assert!(RULES.len() >= 40);
    let mut names = BTreeMap::new();
    for rule in RULES {
        let kebab = rule.name.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert!(kebab, "{} is no kebab case", rule.name);
        assert_eq!(names.insert(rule.name, rule.gist), None, "{} stands twice", rule.name);
        assert!(!rule.gist.ends_with('.') && rule.gist.len() <= 90 && !rule.source.is_empty(), "{rule:?}");
    }
}
