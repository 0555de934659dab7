//! A finding: something wrong or risky that was seen, why it matters, whose side it is, and the cure.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Party;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's name, for example `refer-to-without-brackets`.
    pub rule: Cow<'static, str>,
    pub severity: Severity,
    /// What was seen, with the value.
    pub seen: String,
    /// Why it matters, with the RFC section.
    pub why: Cow<'static, str>,
    /// Whose side it is.
    pub side: Party,
    /// What to do about it.
    pub cure: Cow<'static, str>,
    /// Indices of the messages it was seen in (see `/v1/calls/{id}/messages`).
    #[serde(default)]
    pub messages: Vec<u32>,
}

impl Finding {
    /// A finding that names no messages yet: whoever holds them fills that in.
    pub fn new(
        rule: &'static str,
        severity: Severity,
        side: Party,
        seen: impl Into<String>,
        why: &'static str,
        cure: &'static str,
    ) -> Self {
        Self {
            rule: Cow::Borrowed(rule),
            severity,
            seen: seen.into(),
            why: Cow::Borrowed(why),
            side,
            cure: Cow::Borrowed(cure),
            messages: Vec::new(),
        }
    }

    /// The same with a cure that names what was seen.
    #[must_use]
    pub fn cured_by(mut self, cure: String) -> Self {
        self.cure = Cow::Owned(cure);
        self
    }

    /// Whether both say the same, if perhaps of other messages.
    pub fn says_as(&self, other: &Self) -> bool {
        self.rule == other.rule && self.seen == other.seen
    }

    /// The same, seen in this message.
    #[must_use]
    pub fn at(mut self, message: u32) -> Self {
        self.messages.push(message);
        self
    }
}

/// *Warning* and *error* mean that something is wrong or will break; what is merely unusual is a *note*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Note,
    Warning,
    Error,
}
