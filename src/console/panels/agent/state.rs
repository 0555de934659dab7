//! Which call is looked at, and the variables as they are typed.

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
    /// What the engine was told last.
    pub told: SetVariables,
    /// When they were changed last, on the window's clock, in seconds.
    pub changed_at: f64,
    /// What they were when that was looked at last.
    pub seen: SetVariables,
}

impl Edit {
    /// As the call has them now.
    pub fn of(call: &CallRecord) -> Self {
        let rows = |variables: &Variables| variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let told =
            SetVariables { transfer_variables: call.transfer_variables.clone(), reference_variables: call.reference_variables.clone() };
        Self {
            call: call.id,
            outcome: call.outcome.unwrap_or(Outcome::System),
            transfer: rows(&call.transfer_variables),
            reference: rows(&call.reference_variables),
            seen: told.clone(),
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
        self.told.clone_from(&now);
        Some(now)
    }

    /// Whether something typed is not told yet.
    pub fn waits(&self) -> bool {
        self.fault().is_none() && self.variables() != self.told
    }
}

/// After the last letter.
const SETTLES_SECS: f64 = 0.3;

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
