//! Which calls: the same filters for the control API, the window's search and the store.

use super::{CallId, CallRecord, CallState, Outcome, Timestamp};

/// Every filter that is set must hold. Texts compare exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    pub state: Option<CallState>,
    pub peer: Option<String>,
    /// The entry task, or the agent's where the customer named none.
    pub task: Option<String>,
    pub conversation: Option<String>,
    pub customer: Option<String>,
    pub outcome: Option<Outcome>,
    pub call_transfer: Option<String>,
    /// Started then or later.
    pub from: Option<Timestamp>,
    /// Started before.
    pub until: Option<Timestamp>,
    /// Name and value of an input, transfer or reference variable; without a value: the name alone.
    pub variables: Vec<(String, Option<String>)>,
}

/// A filter can't be read; the text names it and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterFault {
    #[error("{0:?} is no filter: state, peer, task, conversation, customer, outcome, call_transfer, from, until and var.NAME are")]
    Name(String),
    #[error("state is one of arriving, ringing, with_agent, returning, returned, ended, refused and failed, not {0:?}")]
    State(String),
    #[error("outcome is AGENT or SYSTEM, not {0:?}")]
    Outcome(String),
    #[error("{name} is a time such as 2026-11-21T14:00:00Z, or microseconds since 1970, not {value:?}")]
    Time { name: String, value: String },
}

impl CallFilter {
    /// Sets the filter `name`. `time` reads what is no number of microseconds.
    ///
    /// # Errors
    /// There is no such filter, or it can't have this value.
    pub fn set(&mut self, name: &str, value: &str, time: impl Fn(&str) -> Option<Timestamp>) -> Result<(), FilterFault> {
        let text = || Some(value.to_owned());
        let moment = || {
            let at = value.parse().map(Timestamp).ok().or_else(|| time(value));
            at.map(Some).ok_or_else(|| FilterFault::Time { name: name.to_owned(), value: value.to_owned() })
        };
        match name {
            "state" => {
                let state = serde_json::from_value(value.into()).map_err(|_| FilterFault::State(value.to_owned()))?;
                self.state = Some(state);
            }
            "outcome" => {
                let outcome = serde_json::from_value(value.to_ascii_uppercase().into());
                self.outcome = Some(outcome.map_err(|_| FilterFault::Outcome(value.to_owned()))?);
            }
            "peer" => self.peer = text(),
            "task" => self.task = text(),
            "conversation" => self.conversation = text(),
            "customer" => self.customer = text(),
            "call_transfer" => self.call_transfer = text(),
            "from" => self.from = moment()?,
            "until" => self.until = moment()?,
            _ => match name.strip_prefix("var.") {
                Some(variable) if !variable.is_empty() => {
                    self.variables.push((variable.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty())));
                }
                _ => return Err(FilterFault::Name(name.to_owned())),
            },
        }
        Ok(())
    }

    pub fn matches(&self, record: &CallRecord) -> bool {
        let context = &record.context;
        let is = |wanted: &Option<String>, there: &Option<String>| wanted.is_none() || wanted == there;
        let task = context.task_name.as_ref().or(record.current_task.as_ref()).cloned();
        let sets = [&context.input_variables, &record.transfer_variables, &record.reference_variables];
        self.state.is_none_or(|state| state == record.state)
            && is(&self.peer, &record.peer)
            && is(&self.task, &task)
            && is(&self.conversation, &context.ext_conversation_id)
            && is(&self.customer, &context.customer_id)
            && is(&self.call_transfer, &record.call_transfer)
            && (self.outcome.is_none() || self.outcome == record.outcome)
            && self.from.is_none_or(|from| record.started_at >= from)
            && self.until.is_none_or(|until| record.started_at < until)
            && self.variables.iter().all(|(name, value)| {
                sets.iter().filter_map(|set| set.get(name)).any(|there| value.as_ref().is_none_or(|value| value == there))
            })
    }
}

/// A place in the list of calls, the newest first: where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallPlace {
    pub started_at: Timestamp,
    pub id: CallId,
}

impl CallPlace {
    pub fn of(record: &CallRecord) -> Self {
        Self { started_at: record.started_at, id: record.id }
    }
}

impl std::fmt::Display for CallPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.started_at.0, self.id)
    }
}

impl std::str::FromStr for CallPlace {
    type Err = BadCallPlace;

    fn from_str(text: &str) -> Result<Self, BadCallPlace> {
        let (at, id) = text.split_once('-').ok_or(BadCallPlace)?;
        Ok(Self { started_at: Timestamp(at.parse().map_err(|_| BadCallPlace)?), id: id.parse().map_err(|_| BadCallPlace)? })
    }
}

/// Past calls, the newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallPage {
    pub calls: Vec<PastCall>,
    /// Where the next page goes on; `None`: these were the last.
    pub next: Option<CallPlace>,
}

/// A call of the past, or one that runs and was told of.
#[derive(Debug, Clone, PartialEq)]
pub struct PastCall {
    pub record: CallRecord,
    /// Its messages are kept still.
    pub has_messages: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`before` is the `next` of an earlier page")]
pub struct BadCallPlace;

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(pairs: &[(&str, &str)]) -> Result<CallFilter, FilterFault> {
        let mut filter = CallFilter::default();
        for (name, value) in pairs {
            filter.set(name, value, |_| None)?;
        }
        Ok(filter)
    }

    fn record() -> CallRecord {
        let mut record = CallRecord::new(CallId(7), Timestamp(1_000));
        record.peer = Some("SBC lab".to_owned());
        std::sync::Arc::make_mut(&mut record.context).task_name = Some("billing".to_owned());
        std::sync::Arc::make_mut(&mut record.context).input_variables.insert("account".to_owned(), "4711".to_owned());
        record.transfer_variables.insert("next_action".to_owned(), "callback".to_owned());
        record.outcome = Some(Outcome::System);
        record
    }

    #[test]
    fn every_filter_that_is_set_must_hold() {
        let holds = |pairs: &[(&str, &str)]| filter(pairs).unwrap().matches(&record());
        assert!(holds(&[]));
        assert!(holds(&[("state", "arriving"), ("peer", "SBC lab"), ("task", "billing"), ("outcome", "system"), ("from", "1000")]));
        assert!(!holds(&[("peer", "SBC lab"), ("task", "other")]));
        assert!(!holds(&[("until", "1000")]));
        assert!(holds(&[("var.account", "4711"), ("var.next_action", "")]), "of any kind, with a value or without");
        assert!(!holds(&[("var.account", "4712")]) && !holds(&[("var.nothing", "")]));
    }

    #[test]
    fn a_filter_that_is_none_says_which_are() {
        assert!(filter(&[("colour", "blue")]).unwrap_err().to_string().contains("var.NAME"));
        assert!(filter(&[("state", "gone")]).unwrap_err().to_string().contains("with_agent"));
        assert!(filter(&[("outcome", "HUMAN")]).unwrap_err().to_string().contains("AGENT or SYSTEM"));
        assert!(filter(&[("from", "yesterday")]).unwrap_err().to_string().contains("microseconds"));
    }

    #[test]
    fn a_place_is_read_back_as_written() {
        let place = CallPlace::of(&record());
        assert_eq!(place.to_string().parse(), Ok(place));
        assert_eq!("x".parse::<CallPlace>(), Err(BadCallPlace));
    }
}
