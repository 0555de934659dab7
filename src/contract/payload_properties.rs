//! Properties of the payload that hold for every input: round trip, budget, prefix rule.

use proptest::prelude::*;

use super::payload::{LIMIT, Return, decode, encode};
use crate::model::{Outcome, PayloadPart, Variables};

/// A name that is a token.
fn name() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[A-Za-z0-9.!%*_+`'~-]{1,24}").expect("a regex")
}

/// Text without controls, which is what can be set; sometimes long.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::string::string_regex("[ -~]{0,40}").expect("a regex"),
        proptest::string::string_regex("[\\PC]{0,60}").expect("a regex"),
        proptest::string::string_regex("[a-z %&=;+?@]{200,900}").expect("a regex"),
    ]
}

fn variables() -> impl Strategy<Value = Variables> {
    proptest::collection::vec((name(), value()), 0..8).prop_map(|list| list.into_iter().collect())
}

fn return_uri() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("sip:r@h"),
        Just("sips:transfer@your-company.com:5061;transport=tls;lr"),
        Just("sip:a?b@[2001:db8::1]:5060?Subject=a%20b&Priority=urgent"),
    ]
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(uri in return_uri(), id in proptest::option::of(value()), tv in variables(), rv in variables(), system: bool) {
        let outcome = if system { Outcome::System } else { Outcome::Agent };
        let what = Return { return_uri: &uri, ext_conversation_id: id.as_deref(), outcome, transfer: &tv, reference: &rv };
        let payload = encode(&what).expect("names are tokens");
        let decoded = decode(&payload.refer_to);

        prop_assert_eq!(&decoded.return_uri, &uri);
        prop_assert_eq!(&decoded.payload.items, &payload.items);
        prop_assert_eq!(decoded.payload.used, payload.used);
        let kept = |part| payload.items.iter().filter(|i| i.part == part).count();
        prop_assert!(decoded.transfer.iter().eq(tv.iter().take(kept(PayloadPart::Transfer))));
        prop_assert!(decoded.reference.iter().eq(rv.iter().take(kept(PayloadPart::Reference))));
        if kept(PayloadPart::ConversationId) == 1 {
            prop_assert_eq!(decoded.conversation, id);
        }
        if kept(PayloadPart::Outcome) == 1 {
            prop_assert_eq!(decoded.outcome, Some(outcome));
        }
    }

    #[test]
    fn the_budget_is_never_passed_and_costs_are_what_is_on_the_wire(uri in return_uri(), id in proptest::option::of(value()), tv in variables(), rv in variables()) {
        let what = Return { return_uri: &uri, ext_conversation_id: id.as_deref(), outcome: Outcome::Agent, transfer: &tv, reference: &rv };
        let payload = encode(&what).expect("names are tokens");
        prop_assert!(payload.used <= LIMIT);
        let joint = usize::from(!uri.contains("?Subject") && !payload.items.is_empty());
        prop_assert_eq!(payload.used + uri.len() + "<>".len() + joint, payload.refer_to.len());
        let prefix = format!("<{uri}");
        prop_assert!(payload.refer_to.starts_with(&prefix));
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"[]/?:+$-_.!~*'()%&=;@<>".contains(&b);
        prop_assert!(payload.refer_to.bytes().all(allowed));
    }

    #[test]
    fn what_is_kept_is_a_prefix_of_what_was_set(uri in return_uri(), tv in variables(), rv in variables()) {
        let what = Return { return_uri: &uri, ext_conversation_id: None, outcome: Outcome::Agent, transfer: &tv, reference: &rv };
        let payload = encode(&what).expect("names are tokens");
        let outcome = "AGENT".to_owned();
        let wanted: Vec<(String, &String)> = [("X-GA-transfer".to_owned(), &outcome)].into_iter()
            .chain(tv.iter().map(|(n, v)| (format!("X-GA-tv-{n}"), v)))
            .chain(rv.iter().map(|(n, v)| (format!("X-GA-rv-{n}"), v)))
            .collect();
        let got: Vec<(String, &String)> = payload.items.iter().map(|i| (i.parameter.clone(), &i.value))
            .chain(payload.dropped.iter().map(|d| (d.parameter.clone(), &d.value))).collect();
        prop_assert_eq!(got, wanted);
        if let Some(first) = payload.dropped.first() {
            prop_assert!(payload.used + first.cost > LIMIT, "dropped though it fitted");
            prop_assert_eq!(first.left, LIMIT - payload.used);
        }
    }

    #[test]
    fn decoding_never_panics(value: String) {
        decode(&value);
        decode(&format!("<sip:h?{value}>"));
    }
}
