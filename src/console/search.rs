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

    /// `text`: the call's, as [`text_of`] makes it.
    pub fn matches(&self, call: &CallRecord, text: &str) -> bool {
        self.words.iter().all(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
            && (self.filter == CallFilter::default() || self.filter.matches(call))
    }
}

/// All that people would look for, in lower case: addresses, context, variables, outcome, findings.
pub fn text_of(call: &CallRecord) -> String {
    let context = &call.context;
    let mut text = String::with_capacity(512);
    let mut put = |part: &str| {
        text.extend(part.chars().flat_map(char::to_lowercase));
        text.push('\n');
    };
    for part in [&call.from, &call.to, &call.request_uri, &call.source] {
        put(part);
    }
    let given = [&context.task_name, &context.ext_conversation_id, &context.customer_id, &context.call_transfer_id, &call.peer];
    given.into_iter().flatten().for_each(|part| put(part));
    for set in [&context.input_variables, &call.transfer_variables, &call.reference_variables] {
        for (name, value) in set {
            put(name);
            put(value);
        }
    }
    call.outcome.iter().for_each(|outcome| put(outcome.wire()));
    for attempt in &call.returns {
        put(attempt.method.name());
        put(&attempt.uri);
    }
    call.legs.iter().for_each(|leg| put(&leg.opened.sip_call_id));
    for finding in &call.findings {
        put(&finding.rule);
        put(&finding.seen);
    }
    call.ended.iter().for_each(|ended| put(&ended.reason));
    put(&call.id.to_string());
    text
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
        let found = |text: &str| Search::parse(text).matches(&call(), &text_of(&call()));
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
        assert!(Search::parse("sip:customer@sbc").matches(&call(), &text_of(&call())));
        assert_eq!(Search::parse("  "), Search::default());
    }
}
