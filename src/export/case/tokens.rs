//! Values and the tokens that stand for them: `v1`, `v2`, … as long as the value was in a URI, so that budgets and sizes
//! stay what they were.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use serde_json::Value;

use crate::{
    contract::uri_text::{escape_into, escaped_len, unescape},
    model::{CallRecord, Payload, PayloadPart, Variables, WholeCall},
};

/// The tokens of one case.
#[derive(Debug, Default)]
pub struct Tokens {
    by_value: HashMap<String, String>,
    /// The values of the call at hand that are looked for in free text, the longest first; with their escaped form.
    own: Vec<(String, String, String)>,
}

impl Tokens {
    /// The token of a value, the same each time.
    pub fn of(&mut self, value: &str) -> String {
        if value.is_empty() {
            return String::new();
        }
        if let Some(token) = self.by_value.get(value) {
            return token.clone();
        }
        let mut token = format!("v{}", self.by_value.len() + 1);
        while token.len() < escaped_len(value) {
            token.push('-');
        }
        self.by_value.insert(value.to_owned(), token.clone());
        token
    }

    /// The call with tokens in place of its variables' values. Its messages are redacted, too.
    pub fn redact(&mut self, call: &WholeCall) -> WholeCall {
        self.learn(call);
        let record = self.record(&call.record);
        let messages = call.messages.iter().map(|message| {
            let bytes = super::wire::redacted(self, &message.bytes);
            crate::model::CapturedMessage { bytes, ..message.clone() }
        });
        WholeCall { messages: messages.collect(), record: Arc::new(record), sound: call.sound.clone() }
    }

    /// Text from anywhere, with the call's values replaced where they stand as words, and in URIs by their name.
    pub fn text(&mut self, text: &str) -> String {
        let mut out = self.in_uris(text);
        for (value, escaped, token) in &self.own {
            for form in [value, escaped] {
                out = replaced(&out, form, token);
            }
        }
        out
    }

    /// `X-GA-tv-NAME=value` within a URI.
    fn in_uris(&mut self, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = lower.get(at..).and_then(|rest| rest.find("x-ga-")) {
            let start = at + found;
            let kind = lower.get(start + 5..start + 8);
            let value_at = lower.get(start..).and_then(|rest| rest.find(['=', '&', '>', ' ', ':', '"'])).map(|end| start + end);
            let Some(equals) =
                value_at.filter(|equals| matches!(kind, Some("tv-" | "rv-" | "iv-")) && lower.as_bytes().get(*equals) == Some(&b'='))
            else {
                out.push_str(text.get(at..start + 5).unwrap_or_default());
                at = start + 5;
                continue;
            };
            let rest = text.get(equals + 1..).unwrap_or_default();
            let end = rest.find(['&', '>', ' ', '"', '\r', '\n', ',']).unwrap_or(rest.len());
            let (value, _) = rest.split_at(end);
            out.push_str(text.get(at..=equals).unwrap_or_default());
            out.push_str(&self.of(&unescape(value).text));
            at = equals + 1 + end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    /// Takes down every value of the call.
    fn learn(&mut self, call: &WholeCall) {
        let record = &call.record;
        let mut values: Vec<String> = Vec::new();
        for variables in [&record.context.input_variables, &record.transfer_variables, &record.reference_variables] {
            values.extend(variables.values().cloned());
        }
        let reported = record.test_report.iter().filter_map(|report| report.returned.as_ref());
        for payload in record.returns.iter().filter_map(|attempt| attempt.payload.as_deref()).chain(reported) {
            values.extend(payload.items.iter().filter(|item| is_variable(item.part)).map(|item| item.value.clone()));
            values.extend(payload.dropped.iter().map(|dropped| dropped.value.clone()));
        }
        for message in &call.messages {
            values.extend(super::wire::values(&message.bytes));
        }
        self.own.clear();
        for value in values {
            let token = self.of(&value);
            let is_new = !self.own.iter().any(|(known, _, _)| *known == value);
            // A shorter one stands in too many words by chance.
            if is_new && value.chars().count() >= SHORTEST_IN_TEXT {
                let mut escaped = String::new();
                escape_into(&mut escaped, &value);
                self.own.push((value, escaped, token));
            }
        }
        self.own.sort_by_key(|(value, _, _)| std::cmp::Reverse(value.len()));
    }

    fn record(&mut self, record: &CallRecord) -> CallRecord {
        let mut record = record.clone();
        self.variables(&mut Arc::make_mut(&mut record.context).input_variables);
        self.variables(&mut record.transfer_variables);
        self.variables(&mut record.reference_variables);
        for payload in record.returns.iter_mut().filter_map(|attempt| attempt.payload.as_mut().map(Arc::make_mut)) {
            self.payload(payload);
        }
        if let Some(payload) = record.test_report.as_mut().and_then(|report| report.returned.as_mut()) {
            self.payload(payload);
        }
        let Ok(mut json) = serde_json::to_value(&record) else { return record };
        self.strings(&mut json, "");
        serde_json::from_value(json).unwrap_or(record)
    }

    fn variables(&mut self, variables: &mut Variables) {
        for value in variables.values_mut() {
            *value = self.of(value);
        }
    }

    fn payload(&mut self, payload: &mut Payload) {
        payload.refer_to = self.in_uris(&payload.refer_to);
        let mut from = 0;
        for item in &mut payload.items {
            if is_variable(item.part) {
                item.value = self.of(&item.value);
            }
            // The parts stand in the URI in their order.
            if let Some(found) = payload.refer_to.get(from..).and_then(|rest| rest.find(&format!("{}=", item.parameter))) {
                item.start = from + found;
                let rest = payload.refer_to.get(item.start..).unwrap_or_default();
                item.end = item.start + rest.find(['&', '>']).unwrap_or(rest.len());
                from = item.end;
            }
        }
        for dropped in &mut payload.dropped {
            dropped.value = self.of(&dropped.value);
        }
    }

    /// Every text of a record that people read.
    fn strings(&mut self, json: &mut Value, key: &str) {
        match json {
            Value::String(text) if !STRUCTURE.contains(&key) => *text = self.text(text),
            Value::Array(list) => list.iter_mut().for_each(|item| self.strings(item, key)),
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    self.strings(value, key);
                }
            }
            _ => {}
        }
    }
}

fn is_variable(part: PayloadPart) -> bool {
    matches!(part, PayloadPart::Transfer | PayloadPart::Reference)
}

/// `text` with `value` replaced where no letter or digit stands beside it.
fn replaced(text: &str, value: &str, token: &str) -> String {
    let mut out = Cow::Borrowed("");
    let mut at = 0;
    for (start, _) in text.match_indices(value) {
        let before = text.get(..start).and_then(|rest| rest.chars().next_back());
        let after = text.get(start + value.len()..).and_then(|rest| rest.chars().next());
        if start < at || [before, after].into_iter().flatten().any(char::is_alphanumeric) {
            continue;
        }
        let out = out.to_mut();
        out.push_str(text.get(at..start).unwrap_or_default());
        out.push_str(token);
        at = start + value.len();
    }
    if at == 0 {
        return text.to_owned();
    }
    let mut out = out.into_owned();
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Fields of a record that are no text for people: identities, addresses, words of a state.
const STRUCTURE: &[&str] = &[
    "id",
    "state",
    "placed_here",
    "previous_call",
    "source",
    "agent_kind",
    "phase",
    "listening",
    "outcome",
    "role",
    "sip_call_id",
    "remote",
    "method",
    "rule",
    "severity",
    "side",
    "by",
    "verdict",
    "part",
    "parameter",
    "kind",
    "mark",
    "digit",
    "ends",
    "refer_to",
    "value",
    "returned_by",
    "taskName",
    "extConversationId",
    "peer",
    "codec",
];
const SHORTEST_IN_TEXT: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_token_as_long_as_it_was() {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.of("call back"), "v1---------", "a space takes three characters");
        assert_eq!((tokens.of("x"), tokens.of("call back"), tokens.of("")), ("v2".to_owned(), "v1---------".to_owned(), String::new()));
    }

    #[test]
    fn values_in_uris_go_by_their_name_whatever_they_are() {
        let mut tokens = Tokens::default();
        let text = tokens.in_uris("<sip:r@h?X-GA-transfer=AGENT&x-ga-tv-a=1%202&X-GA-rv-b=>;X-GA-iv-c");
        assert_eq!(text, "<sip:r@h?X-GA-transfer=AGENT&x-ga-tv-a=v1---&X-GA-rv-b=>;X-GA-iv-c");
    }

    #[test]
    fn a_value_within_a_word_stays() {
        assert_eq!(replaced("4711 and 47112, \"4711\"", "4711", "v1"), "v1 and 47112, \"v1\"");
        assert_eq!(replaced("é4711", "4711", "v1"), "é4711");
    }
}
