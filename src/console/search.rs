//! What is typed into the search: words that a call must contain, and `name:value` filters.

use crate::model::{CallFilter, CallRecord, Timestamp};

/// A search as it was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// In lower case; each must be found somewhere in the call.
    words: Vec<String>,
    pub filter: CallFilter,
}

impl Search {
    /// `returned task:billing var.account:4711 "John Doe"`; what is no filter is a word.
    pub fn parse(text: &str) -> Self {
        let mut search = Self::default();
        for part in parts(text) {
            let taken =
                part.split_once(':').is_some_and(|(name, value)| !value.is_empty() && search.filter.set(name, value, local_time).is_ok());
            if !taken {
                search.words.push(part.to_lowercase());
            }
        }
        search
    }

    pub fn matches(&self, call: &CallRecord) -> bool {
        self.filter.matches(call) && self.words.iter().all(|word| contains(call, word))
    }
}

/// Anywhere that people would look: addresses, context, variables, outcome, findings.
fn contains(call: &CallRecord, word: &str) -> bool {
    let context = &call.context;
    let plain = [&call.from, &call.to, &call.request_uri, &call.source];
    let given = [&context.task_name, &context.ext_conversation_id, &context.customer_id, &context.call_transfer_id, &call.peer];
    let sets = [&context.input_variables, &call.transfer_variables, &call.reference_variables];
    let has = |text: &str| text.to_lowercase().contains(word);
    plain.iter().any(|text| has(text))
        || given.iter().any(|text| text.as_deref().is_some_and(has))
        || sets.iter().any(|set| set.iter().any(|(name, value)| has(name) || has(value)))
        || call.outcome.is_some_and(|outcome| has(outcome.wire()))
        || call.returns.iter().any(|attempt| has(attempt.method.name()) || has(&attempt.uri))
        || call.legs.iter().any(|leg| has(&leg.opened.sip_call_id))
        || call.findings.iter().any(|finding| has(&finding.rule) || has(&finding.seen))
        || call.ended.as_ref().is_some_and(|ended| has(&ended.reason))
        || has(&call.id.to_string())
}

/// Split at blanks, but not within quotes.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    parts
}

fn local_time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(at.as_microsecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CallId, CallState, Context};

    fn call() -> CallRecord {
        let mut call = CallRecord::new(CallId(7), Timestamp(1));
        call.from = "<sip:Customer@sbc.example.com>".to_owned();
        call.state = CallState::Returned;
        let variables = [("accountNumber", "4711"), ("name", "John Doe")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let input_variables = variables.into_iter().collect();
        call.context = Context { task_name: Some("billing".to_owned()), input_variables, ..Context::default() }.into();
        call
    }

    #[test]
    fn words_and_filters_must_all_hold() {
        let found = |text: &str| Search::parse(text).matches(&call());
        for text in ["", "customer", "SBC bill", "state:returned", "task:billing 4711", "var.accountNumber:4711", "\"john doe\""] {
            assert!(found(text), "{text}");
        }
        for text in ["nobody", "state:ended", "task:other", "customer nobody", "var.accountNumber:4712"] {
            assert!(!found(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_a_word() {
        assert!(!Search::parse("sip:customer@sbc").words.is_empty());
        assert!(Search::parse("sip:customer@sbc").matches(&call()));
        assert_eq!(Search::parse("  "), Search::default());
    }
}
