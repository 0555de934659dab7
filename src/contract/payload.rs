//! The return payload: outcome and variables → `Refer-To`, within 1,024 characters (contract §3).

use super::uri_text::{ReturnUriFault, check_return_uri, escape_into, escaped_len, headers_start, is_token};
use crate::model::{DroppedVariable, Outcome, Payload, PayloadItem, PayloadPart, Variables};

pub use super::{
    agent_end::{AgentEnd, from_agent_headers},
    payload_decode::{Decoded, decode},
    uri_text::{ReturnUriFault as BadReturnUri, check_return_uri as check_uri},
};

/// `X-GA-extConId`: the conversation id's name on the way back.
pub const CONVERSATION_ID: &str = "X-GA-extConId";
/// `X-GA-transfer`: `AGENT` or `SYSTEM`.
pub const OUTCOME: &str = "X-GA-transfer";
pub const TRANSFER_PREFIX: &str = "X-GA-tv-";
pub const REFERENCE_PREFIX: &str = "X-GA-rv-";

/// Characters for all context data, counted from after the `?`: names, `=`, `&` and percent-escapes,
/// of what the bridge itself adds. Exactly 1,024 fits. (A decision of the contract: the service's
/// documents say 1,024 characters, and not what is counted.)
pub const LIMIT: usize = 1024;

/// Room for a parameter and its value.
const USUAL_ITEM: usize = 48;

/// What goes back.
#[derive(Debug, Clone, Copy)]
pub struct Return<'a> {
    pub return_uri: &'a str,
    pub ext_conversation_id: Option<&'a str>,
    pub outcome: Outcome,
    /// tv, in the order in which the agent set them.
    pub transfer: &'a Variables,
    /// rv
    pub reference: &'a Variables,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error(transparent)]
    ReturnUri(#[from] ReturnUriFault),
    #[error(transparent)]
    Name(#[from] BadVariableName),
    #[error(transparent)]
    Value(#[from] BadVariableValue),
}

/// A variable's name becomes part of a header's name, so it is a token (RFC 3261 §25.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("variable name {name:?} is no token: letters, digits and - . ! % * _ + ` ' ~ only (RFC 3261 §25.1)")]
pub struct BadVariableName {
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("variable {name} holds a control character ({found}): line breaks and the like can't be handed over")]
pub struct BadVariableValue {
    pub name: String,
    /// For example `\n`.
    pub found: String,
}

/// Writes the payload behind the return URI, which stays exactly as given.
///
/// Order: conversation id, outcome, tv, rv. Adding stops at the first that would pass [`LIMIT`]:
/// it and all after it are dropped, even a shorter one, and a value is never cut. Controls in a value
/// are escaped like everything else that the grammar does not allow, so none reaches the wire.
pub fn encode(what: &Return<'_>) -> Result<Payload, PayloadError> {
    check_return_uri(what.return_uri)?;
    for name in what.transfer.keys().chain(what.reference.keys()) {
        check_variable_name(name)?;
    }

    let count = 2 + what.transfer.len() + what.reference.len();
    let mut refer_to = String::with_capacity(what.return_uri.len() + count * USUAL_ITEM);
    refer_to.push('<');
    refer_to.push_str(what.return_uri);
    let mut payload = Payload { refer_to, used: 0, limit: LIMIT, items: Vec::with_capacity(count), dropped: Vec::new() };
    // The `?` is not counted; an `&` that joins our first header to one of the URI's own is.
    let mut joint = match headers_start(what.return_uri) {
        None => "?",
        Some(_) if what.return_uri.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    for (part, name, value) in parts(what) {
        let parameter = parameter(part, name);
        let joint_cost = usize::from(joint == "&");
        let cost = joint_cost + escaped_len(&parameter) + 1 + escaped_len(value);
        if !payload.dropped.is_empty() || payload.used + cost > LIMIT {
            payload.dropped.push(DroppedVariable { part, parameter, value: value.to_owned(), cost, left: LIMIT - payload.used });
            continue;
        }
        payload.refer_to.push_str(joint);
        joint = "&";
        let start = payload.refer_to.len();
        escape_into(&mut payload.refer_to, &parameter);
        payload.refer_to.push('=');
        escape_into(&mut payload.refer_to, value);
        payload.used += cost;
        payload.items.push(PayloadItem { part, parameter, value: value.to_owned(), cost, start, end: payload.refer_to.len() });
    }
    payload.refer_to.push('>');
    Ok(payload)
}

/// The same names as headers of the INVITE that returns: same order, same limit, so the same are dropped.
/// Values are UTF-8 as they are; a control character is refused, since a header has no escape for it.
pub fn headers(payload: &Payload) -> Result<Vec<(String, String)>, BadVariableValue> {
    payload
        .items
        .iter()
        .map(|item| {
            check_variable_value(&item.parameter, &item.value)?;
            Ok((item.parameter.clone(), item.value.clone()))
        })
        .collect()
}

/// To be asked wherever a variable is set: scripts, settings, forms, the control API.
pub fn check_variable_name(name: &str) -> Result<(), BadVariableName> {
    if is_token(name) { Ok(()) } else { Err(BadVariableName { name: name.to_owned() }) }
}

/// To be asked wherever a variable is set: no CR, LF, NUL or other control can be handed over.
pub fn check_variable_value(name: &str, value: &str) -> Result<(), BadVariableValue> {
    match value.chars().find(|c| c.is_control()) {
        None => Ok(()),
        Some(control) => Err(BadVariableValue { name: name.to_owned(), found: control.escape_default().to_string() }),
    }
}

fn parts<'a>(what: &Return<'a>) -> impl Iterator<Item = (PayloadPart, &'a str, &'a str)> {
    let conversation = what.ext_conversation_id.map(|id| (PayloadPart::ConversationId, "", id));
    let outcome = (PayloadPart::Outcome, "", what.outcome.wire());
    let tv = what.transfer.iter().map(|(n, v)| (PayloadPart::Transfer, n.as_str(), v.as_str()));
    let rv = what.reference.iter().map(|(n, v)| (PayloadPart::Reference, n.as_str(), v.as_str()));
    conversation.into_iter().chain([outcome]).chain(tv).chain(rv)
}

fn parameter(part: PayloadPart, name: &str) -> String {
    match part {
        PayloadPart::ConversationId => CONVERSATION_ID.to_owned(),
        PayloadPart::Outcome => OUTCOME.to_owned(),
        PayloadPart::Transfer => [TRANSFER_PREFIX, name].concat(),
        PayloadPart::Reference => [REFERENCE_PREFIX, name].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(list: &[(&str, &str)]) -> Variables {
        list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    fn encoded(return_uri: &str, conversation: Option<&str>, tv: &[(&str, &str)], rv: &[(&str, &str)]) -> Payload {
        let (transfer, reference) = (variables(tv), variables(rv));
        encode(&Return {
            return_uri,
            ext_conversation_id: conversation,
            outcome: Outcome::System,
            transfer: &transfer,
            reference: &reference,
        })
        .expect("encodes")
    }

    #[test]
    fn order_is_conversation_outcome_transfer_reference() {
        let payload = encoded("sip:r@h", Some("c-1"), &[("z", "1"), ("a", "2")], &[("y", "3"), ("b", "4")]);
        assert_eq!(payload.refer_to, "<sip:r@h?X-GA-extConId=c-1&X-GA-transfer=SYSTEM&X-GA-tv-z=1&X-GA-tv-a=2&X-GA-rv-y=3&X-GA-rv-b=4>");
        assert_eq!(payload.used, payload.refer_to.len() - "<sip:r@h?>".len());
        assert_eq!(payload.used, payload.items.iter().map(|i| i.cost).sum::<usize>());
    }

    #[test]
    fn without_a_conversation_the_outcome_comes_first() {
        assert_eq!(encoded("sip:r@h", None, &[], &[]).refer_to, "<sip:r@h?X-GA-transfer=SYSTEM>");
    }

    #[test]
    fn exactly_1024_fits_and_one_more_does_not() {
        let fixed = "X-GA-transfer=SYSTEM&X-GA-tv-v=".len();
        let fits = "x".repeat(LIMIT - fixed);
        let payload = encoded("sip:r@h", None, &[("v", &fits)], &[]);
        assert_eq!((payload.used, payload.dropped.len()), (1024, 0));

        let payload = encoded("sip:r@h", None, &[("v", &format!("{fits}x"))], &[]);
        assert_eq!((payload.used, payload.items.len()), (20, 1));
        assert_eq!((payload.dropped[0].cost, payload.dropped[0].left), (1005, 1004));
    }

    #[test]
    fn escapes_count_in_full() {
        let fixed = "X-GA-transfer=SYSTEM&X-GA-tv-v=".len();
        let room = LIMIT - fixed;
        let value = format!("{}{}", " ".repeat(room / 3), "x".repeat(room % 3));
        assert_eq!(encoded("sip:r@h", None, &[("v", &value)], &[]).used, 1024);
        assert_eq!(encoded("sip:r@h", None, &[("v", &format!("{value}x"))], &[]).dropped.len(), 1);
    }

    #[test]
    fn the_first_that_does_not_fit_stops_it_and_a_shorter_one_after_it_is_dropped_too() {
        let long = "x".repeat(1024);
        let payload = encoded("sip:r@h", None, &[("a", "1"), ("long", &long), ("b", "2")], &[("c", "3")]);
        assert_eq!(payload.items.iter().map(|i| i.parameter.as_str()).collect::<Vec<_>>(), ["X-GA-transfer", "X-GA-tv-a"]);
        assert_eq!(payload.dropped.iter().map(|d| d.parameter.as_str()).collect::<Vec<_>>(), ["X-GA-tv-long", "X-GA-tv-b", "X-GA-rv-c"]);
        assert_eq!(payload.dropped[0].value, long, "whole in the record");
    }

    #[test]
    fn parameters_and_headers_of_the_return_uri_are_kept_exactly() {
        let payload = encoded("sip:r@h;transport=tcp;lr?Subject=a%20b", None, &[("v", "1")], &[]);
        assert_eq!(payload.refer_to, "<sip:r@h;transport=tcp;lr?Subject=a%20b&X-GA-transfer=SYSTEM&X-GA-tv-v=1>");
        assert_eq!(payload.used, "&X-GA-transfer=SYSTEM&X-GA-tv-v=1".len(), "the & that joins is ours; the URI's own headers are not");
        assert_eq!(
            encoded("sip:a?b@h", None, &[], &[]).refer_to,
            "<sip:a?b@h?X-GA-transfer=SYSTEM>",
            "a ? in the user part opens no headers"
        );
    }

    #[test]
    fn values_are_escaped_and_spans_point_at_them() {
        let payload = encoded("sip:r@h", Some("a b"), &[("q", "1+1=2; \"x\" <a@b>, é?")], &[]);
        assert_eq!(
            payload.refer_to,
            "<sip:r@h?X-GA-extConId=a%20b&X-GA-transfer=SYSTEM&X-GA-tv-q=1+1%3D2%3B%20%22x%22%20%3Ca%40b%3E%2C%20%C3%A9?>"
        );
        let spans: Vec<&str> = payload.items.iter().map(|i| &payload.refer_to[i.start..i.end]).collect();
        assert_eq!(spans[0], "X-GA-extConId=a%20b");
        assert_eq!(spans[1], "X-GA-transfer=SYSTEM");
        assert!(spans[2].starts_with("X-GA-tv-q=1+1%3D2") && spans[2].ends_with("%C3%A9?"));
    }

    #[test]
    fn a_control_is_escaped_in_the_refer_to_and_refused_as_a_header() {
        let payload = encoded("sip:r@h", None, &[("v", "a\r\nEvil: 1\0")], &[]);
        assert!(payload.refer_to.ends_with("X-GA-tv-v=a%0D%0AEvil:%201%00>"), "{}", payload.refer_to);
        assert!(!payload.refer_to.contains(['\r', '\n', '\0']));
        assert_eq!(headers(&payload), Err(BadVariableValue { name: "X-GA-tv-v".into(), found: "\\r".into() }));
        assert!(check_variable_value("v", "a\u{7f}").is_err());
        assert_eq!(check_variable_value("v", "plain Zoë"), Ok(()));
    }

    #[test]
    fn a_name_that_is_no_token_is_refused() {
        for bad in ["", "a b", "a:b", "é", "a\r\n", "a&b", "a=b"] {
            assert!(check_variable_name(bad).is_err(), "{bad:?}");
            let transfer = variables(&[(bad, "1")]);
            let what = Return {
                return_uri: "sip:h",
                ext_conversation_id: None,
                outcome: Outcome::Agent,
                transfer: &transfer,
                reference: &Variables::new(),
            };
            assert!(matches!(encode(&what), Err(PayloadError::Name(_))), "{bad:?}");
        }
        assert_eq!(check_variable_name("next_action.v2-%`'~!*+"), Ok(()));
    }

    #[test]
    fn a_token_that_a_uri_may_not_hold_is_escaped_in_the_name() {
        // `%` and the backquote are tokens, but neither hnv-unreserved nor unreserved.
        assert!(encoded("sip:r@h", None, &[("a%b`", "1")], &[]).refer_to.contains("X-GA-tv-a%25b%60=1"));
    }

    #[test]
    fn a_return_invite_carries_the_same_as_headers() {
        let payload = encoded("sip:r@h", Some("c"), &[("a", "x y é")], &[("long", &"x".repeat(1024)), ("b", "1")]);
        let list: Vec<(String, String)> = headers(&payload).expect("no controls");
        let list: Vec<(&str, &str)> = list.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(list, [("X-GA-extConId", "c"), ("X-GA-transfer", "SYSTEM"), ("X-GA-tv-a", "x y é")]);
    }

    #[test]
    fn a_return_uri_that_cannot_be_one_is_refused() {
        let what = Return {
            return_uri: "sip:r@h>\r\nX: 1",
            ext_conversation_id: None,
            outcome: Outcome::Agent,
            transfer: &Variables::new(),
            reference: &Variables::new(),
        };
        assert!(matches!(encode(&what), Err(PayloadError::ReturnUri(_))));
    }
}
