//! Which call is looked at, and the variables as they are typed.

use std::collections::VecDeque;

use crate::model::{CallId, CallRecord, Outcome, SetVariables, Variables};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The call that was chosen by hand; else the place chooses.
    pub chosen: Option<CallId>,
    pub edit: Option<Edit>,
}

/// The variables of one call while they are being typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    pub call: CallId,
    pub outcome: Outcome,
    pub transfer: Vec<(String, String)>,
    pub reference: Vec<(String, String)>,
    /// What the engine was told last, or told us since.
    told: SetVariables,
    /// What it was told and has not shown yet.
    sent: VecDeque<SetVariables>,
    /// What it showed last.
    base: SetVariables,
    /// When they were changed last, on the window's clock, in seconds.
    changed_at: f64,
    /// What they were when that was looked at last.
    seen: SetVariables,
}

impl Edit {
    /// As the call has them now.
    pub fn of(call: &CallRecord) -> Self {
        let rows = |variables: &Variables| variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let told = set_of(call);
        Self {
            call: call.id,
            outcome: call.outcome.unwrap_or(Outcome::System),
            transfer: rows(&call.transfer_variables),
            reference: rows(&call.reference_variables),
            seen: told.clone(),
            base: told.clone(),
            sent: VecDeque::new(),
            told,
            changed_at: 0.0,
        }
    }

    pub fn variables(&self) -> SetVariables {
        let filled = |rows: &[(String, String)]| rows.iter().filter(|(name, _)| !name.is_empty()).cloned().collect();
        SetVariables { transfer_variables: filled(&self.transfer), reference_variables: filled(&self.reference) }
    }

    /// What keeps them from being handed back, as one sentence.
    pub fn fault(&self) -> Option<String> {
        let rows = self.transfer.iter().chain(&self.reference);
        let mut named = rows.filter(|(name, value)| !name.is_empty() || !value.is_empty());
        named.find_map(|(name, value)| match name {
            name if name.is_empty() => Some(format!("The value “{value}” has no name")),
            name if !crate::console::state::is_token(name) => {
                Some(format!("“{name}” cannot be a variable's name: letters, digits and -.!%*_+`'~ only"))
            }
            _ if value.chars().any(char::is_control) => Some(format!("The value of “{name}” holds a control character")),
            _ => None,
        })
    }

    /// What the engine is to be told now: what was typed a moment ago, and not each letter.
    pub fn settled(&mut self, time: f64) -> Option<SetVariables> {
        let now = self.variables();
        if now != self.seen {
            self.seen.clone_from(&now);
            self.changed_at = time;
        }
        if now == self.told || self.fault().is_some() || time - self.changed_at < SETTLES_SECS {
            return None;
        }
        Some(self.tell())
    }

    /// What is typed, which the engine is told now.
    pub fn tell(&mut self) -> SetVariables {
        let now = self.variables();
        self.told.clone_from(&now);
        if self.sent.len() == MOST_SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(now.clone());
        now
    }

    /// A script may set variables, too: what it sets shows up here, unless the operator typed something else in its place.
    pub fn follow(&mut self, call: &CallRecord) {
        let theirs = set_of(call);
        if theirs == self.base {
            return;
        }
        if let Some(own) = self.sent.iter().position(|sent| *sent == theirs) {
            self.sent.drain(..=own);
        } else {
            merge(&mut self.transfer, &self.base.transfer_variables, &theirs.transfer_variables);
            merge(&mut self.reference, &self.base.reference_variables, &theirs.reference_variables);
            self.told.clone_from(&theirs);
        }
        self.base = theirs;
    }

    /// Whether something typed is not told yet.
    pub fn waits(&self) -> bool {
        self.fault().is_none() && self.variables() != self.told
    }
}

fn set_of(call: &CallRecord) -> SetVariables {
    SetVariables { transfer_variables: call.transfer_variables.clone(), reference_variables: call.reference_variables.clone() }
}

/// What changed from `base` to `theirs` changes in `rows`, where they are as in `base`.
fn merge(rows: &mut Vec<(String, String)>, base: &Variables, theirs: &Variables) {
    rows.retain(|(name, value)| theirs.contains_key(name) || base.get(name) != Some(value));
    for (name, value) in theirs.iter().filter(|(name, value)| base.get(*name) != Some(*value)) {
        match rows.iter_mut().find(|(row, _)| row == name) {
            Some((_, typed)) if base.get(name) == Some(&*typed) => typed.clone_from(value),
            Some(_) => {}
            // What the operator removed stays removed.
            None if base.contains_key(name) => {}
            None => rows.push((name.clone(), value.clone())),
        }
    }
}

/// After the last letter.
const SETTLES_SECS: f64 = 0.3;
/// More are not on their way at once.
const MOST_SENT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn variables_are_told_once_the_typing_pauses() {
        let mut edit = Edit::of(&CallRecord::new(CallId(1), Timestamp(0)));
        assert_eq!(edit.settled(1.0), None);
        edit.transfer.push(("na".to_owned(), String::new()));
        assert_eq!(edit.settled(2.0), None);
        edit.transfer[0] = ("name".to_owned(), "Ann".to_owned());
        assert_eq!(edit.settled(2.2), None);
        assert!(edit.waits());
        let told = edit.settled(2.6).expect("it has settled");
        assert_eq!(told.transfer_variables["name"], "Ann");
        assert_eq!(edit.settled(9.0), None, "once");
    }

    fn set(call: &mut CallRecord, transfer: &[(&str, &str)]) {
        let transfer = transfer.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        call.apply(Timestamp(1), &crate::model::CallEvent::VariablesSet { transfer, reference: Variables::new() });
    }

    fn rows(edit: &Edit) -> Vec<(&str, &str)> {
        edit.transfer.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn what_a_script_sets_shows_up_beside_what_is_typed() {
        let mut call = CallRecord::new(CallId(1), Timestamp(0));
        set(&mut call, &[("kept", "1"), ("typed", "1"), ("dropped", "1"), ("removed", "1")]);
        let mut edit = Edit::of(&call);
        edit.transfer[1].1 = "mine".to_owned();
        edit.transfer.remove(3);
        edit.transfer.push(("half".to_owned(), String::new()));
        set(&mut call, &[("kept", "2"), ("typed", "2"), ("removed", "2"), ("new", "2")]);
        edit.follow(&call);
        assert_eq!(rows(&edit), [("kept", "2"), ("typed", "mine"), ("half", ""), ("new", "2")]);
        assert_eq!(edit.settled(1.0), None, "it is told once the typing pauses");
        let told = edit.settled(2.0).expect("it differs from what the script set");
        assert_eq!((told.transfer_variables["typed"].as_str(), told.transfer_variables.get("removed")), ("mine", None));
    }

    #[test]
    fn what_was_told_coming_back_changes_nothing_that_is_typed_meanwhile() {
        let mut call = CallRecord::new(CallId(1), Timestamp(0));
        let mut edit = Edit::of(&call);
        let mut told = Vec::new();
        for (n, value) in ["a", ""].into_iter().enumerate() {
            edit.transfer = vec![("name".to_owned(), value.to_owned())];
            edit.settled(n as f64);
            told.push(edit.settled(n as f64 + 0.5).expect("it has settled"));
        }
        for told in told {
            call.transfer_variables = told.transfer_variables;
            edit.follow(&call);
            assert_eq!(rows(&edit), [("name", "")]);
        }
        assert_eq!(edit.settled(9.0), None);
    }

    #[test]
    fn what_cannot_be_sent_is_said_and_not_told() {
        let mut edit = Edit::of(&CallRecord::new(CallId(1), Timestamp(0)));
        for (name, value) in [("a b", "1"), ("", "1"), ("a", "1\n2")] {
            edit.transfer = vec![(name.to_owned(), value.to_owned())];
            assert!(edit.fault().is_some(), "{name:?} {value:?}");
            assert_eq!(edit.settled(5.0), None);
            assert_eq!(edit.settled(9.0), None);
        }
        edit.transfer = vec![(String::new(), String::new())];
        assert_eq!(edit.fault(), None, "an empty row is no variable");
    }
}
