//! The context that an INVITE brings: `X-GA-*` and `X-ASAPP-CallTransferId` (contract §2).

use std::borrow::Cow;

use super::{same_but_for_case, strip_prefix_ignoring_case, uri_text::is_token};
use crate::model::{Claimed, Context, Finding, Party, Severity};

/// The entry task; absent: the agent picks.
pub const TASK_NAME: &str = "X-GA-taskName";
/// The customer's conversation id.
pub const EXT_CONVERSATION_ID: &str = "X-GA-extConversationId";
pub const CUSTOMER_ID: &str = "X-GA-customerId";
/// Input variable NAME is the header `X-GA-iv-NAME`.
pub const INPUT_VARIABLE_PREFIX: &str = "X-GA-iv-";
/// The INVITE is the call for a call transfer that was made through the API.
pub const CALL_TRANSFER_ID: &str = "X-ASAPP-CallTransferId";

const CONTRACT_PREFIX: &str = "X-GA-";

/// Reads the context out of an INVITE's headers, given in wire order as name and value.
///
/// Names compare without regard to case; a variable keeps the case that arrived. Of a name that comes
/// twice the first counts. Names that differ in case only are both kept. Each of these is a finding.
pub fn read<N: AsRef<str>, V: AsRef<str>>(headers: impl Iterator<Item = (N, V)>) -> (Context, Vec<Finding>) {
    let mut context = Context::default();
    let mut findings = Vec::new();
    for (name, value) in headers {
        let (name, value) = (name.as_ref(), value.as_ref());
        if let Some(variable) = strip_prefix_ignoring_case(name, INPUT_VARIABLE_PREFIX) {
            read_variable(&mut context, &mut findings, variable, value);
            continue;
        }
        let (slot, known) = if name.eq_ignore_ascii_case(TASK_NAME) {
            (&mut context.task_name, TASK_NAME)
        } else if name.eq_ignore_ascii_case(EXT_CONVERSATION_ID) {
            (&mut context.ext_conversation_id, EXT_CONVERSATION_ID)
        } else if name.eq_ignore_ascii_case(CUSTOMER_ID) {
            (&mut context.customer_id, CUSTOMER_ID)
        } else if name.eq_ignore_ascii_case(CALL_TRANSFER_ID) {
            (&mut context.call_transfer_id, CALL_TRANSFER_ID)
        } else {
            if strip_prefix_ignoring_case(name, CONTRACT_PREFIX).is_some() {
                findings.push(unknown_header(name));
            }
            continue;
        };
        let value = clean(value);
        check_text(&mut findings, known, &value);
        match slot {
            Some(first) => findings.push(repeated(known, first, &value)),
            None if value.is_empty() => findings.push(empty(known)),
            None => *slot = Some(value.into_owned()),
        }
    }
    (context, findings)
}

/// The context of the call for a call transfer: the API's is the base, and a header overrides it per key; each override
/// is a finding (contract §2). The variables of the API come first, in its order.
///
/// The conversation is no key of that context but the call transfer's own (a decision of ours): a header that names
/// another one is a finding, too, and does not count.
pub fn merge(claimed: &Claimed, headers: Context) -> (Context, Vec<Finding>) {
    let mut findings = Vec::new();
    let base = &claimed.input_context;
    let task_name = match (&base.task_name, headers.task_name) {
        (Some(api), Some(header)) => {
            if *api != header {
                findings.push(overridden(TASK_NAME, api, &header));
            }
            Some(header)
        }
        (api, header) => header.or_else(|| api.clone()),
    };
    if let Some(other) = headers.ext_conversation_id.filter(|other| *other != claimed.external_conversation_id) {
        findings.push(other_conversation(&other, &claimed.external_conversation_id));
    }
    let mut input_variables = base.input_variables.clone();
    for (name, value) in headers.input_variables {
        match input_variables.get(&name) {
            Some(api) if *api == value => {}
            Some(api) => findings.push(overridden(&format!("{INPUT_VARIABLE_PREFIX}{name}"), api, &value)),
            None => {
                if let Some(other) = same_but_for_case(base.input_variables.keys(), &name) {
                    findings.push(differ_in_case(other, &name));
                }
            }
        }
        input_variables.insert(name, value);
    }
    let context = Context {
        task_name,
        ext_conversation_id: Some(claimed.external_conversation_id.clone()),
        customer_id: headers.customer_id,
        call_transfer_id: Some(claimed.id.clone()),
        input_variables,
    };
    (context, findings)
}

/// A header value as the contract reads it: trimmed, folded lines joined by one space (RFC 3261 §7.3.1).
pub fn clean(value: &str) -> Cow<'_, str> {
    let value = value.trim_matches([' ', '\t', '\r', '\n']);
    if !value.contains(['\r', '\n']) {
        return Cow::Borrowed(value);
    }
    let lines: Vec<&str> = value.split(['\r', '\n']).map(|l| l.trim_matches([' ', '\t'])).filter(|l| !l.is_empty()).collect();
    Cow::Owned(lines.join(" "))
}

/// The header that hands an input variable on: `X-GA-iv-NAME`.
///
/// The API takes any name; in a header's name only a token's characters can stand (RFC 3261 §25.1). The others become
/// percent-escapes of their UTF-8, which are a token's characters: nothing is lost, and nothing can be injected. (A decision of ours.)
pub fn header_name(variable: &str) -> String {
    if is_token(variable) {
        return [INPUT_VARIABLE_PREFIX, variable].concat();
    }
    let mut name = INPUT_VARIABLE_PREFIX.to_owned();
    for byte in variable.bytes() {
        let character = char::from(byte);
        if is_token(character.encode_utf8(&mut [0; 4])) {
            name.push(character);
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

fn read_variable(context: &mut Context, findings: &mut Vec<Finding>, name: &str, value: &str) {
    if name.is_empty() {
        findings.push(Finding::new(
            "context-variable-without-name",
            Severity::Warning,
            Party::Customer,
            "X-GA-iv- with no name after it",
            "An input variable is named by what follows X-GA-iv- (contract §2), so this one can't be used",
            "Write the variable's name into the header's name, for example X-GA-iv-accountNumber",
        ));
        return;
    }
    let value = clean(value);
    check_text(findings, name, &value);
    if let Some(first) = context.input_variables.get(name) {
        findings.push(repeated(&format!("{INPUT_VARIABLE_PREFIX}{name}"), first, &value));
        return;
    }
    if let Some(other) = same_but_for_case(context.input_variables.keys(), name) {
        findings.push(differ_in_case(other, name));
    }
    context.input_variables.insert(name.to_owned(), value.into_owned());
}

fn check_text(findings: &mut Vec<Finding>, name: &str, value: &str) {
    // Nearly every value: no look at its characters can find more.
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return;
    }
    if value.contains('\u{FFFD}') {
        findings.push(Finding::new(
            "context-not-utf8",
            Severity::Warning,
            Party::Customer,
            format!("{name}: {}", shortened(value)),
            "Header text is UTF-8 (RFC 3261 §7.3.1, §25.1); bytes that are none were replaced by U+FFFD",
            "Have the SBC write the value as UTF-8",
        ));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        findings.push(Finding::new(
            "context-control-characters",
            Severity::Warning,
            Party::Customer,
            format!("{name}: {}", shortened(value).escape_debug()),
            "Control characters are no header text (RFC 3261 §25.1 TEXT-UTF8-TRIM), and none can be handed back in a header",
            "Remove control characters before the value is put into a header",
        ));
    }
}

fn differ_in_case(one: &str, other: &str) -> Finding {
    Finding::new(
        "context-names-differ-in-case",
        Severity::Warning,
        Party::Customer,
        format!("{INPUT_VARIABLE_PREFIX}{one} and {INPUT_VARIABLE_PREFIX}{other}"),
        "Header names compare without regard to case (RFC 3261 §7.3.1): a proxy may merge the two, and readers take one for the other. Both are kept",
        "Send one spelling",
    )
}

fn overridden(name: &str, api: &str, header: &str) -> Finding {
    Finding::new(
        "context-overridden",
        Severity::Note,
        Party::Customer,
        format!("{name}: {:?} of the INVITE takes the place of the API's {:?}", shortened(header), shortened(api)),
        "Of a call transfer's context and the INVITE's headers the header counts (contract §2), which may not be what the API's caller expects",
        "Give each value in one place only",
    )
}

fn other_conversation(header: &str, api: &str) -> Finding {
    Finding::new(
        "conversation-differs",
        Severity::Warning,
        Party::Customer,
        format!("{EXT_CONVERSATION_ID}: {:?}; the call transfer belongs to {:?}, which counts", shortened(header), shortened(api)),
        "A call transfer belongs to the conversation that it was created for (contract §4), so the attempts are linked by that one",
        "Send the same id in both places, or no header",
    )
}

fn repeated(name: &str, first: &str, again: &str) -> Finding {
    Finding::new(
        "context-header-repeated",
        Severity::Warning,
        Party::Customer,
        format!("{name} again, with {:?}; the first, {:?}, counts", shortened(again), shortened(first)),
        "A context header has one value (contract §2); of two, the first counts and the rest is lost",
        "Send the header once",
    )
}

fn empty(name: &str) -> Finding {
    Finding::new(
        "context-header-empty",
        Severity::Note,
        Party::Customer,
        format!("{name} with no value"),
        "An empty value says nothing; the call is treated as if the header were absent (contract §2)",
        "Leave the header out where there is no value",
    )
}

fn unknown_header(name: &str) -> Finding {
    let known = [TASK_NAME, EXT_CONVERSATION_ID, CUSTOMER_ID, INPUT_VARIABLE_PREFIX];
    let nearest = known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&k.to_ascii_lowercase(), &name.to_ascii_lowercase()), k))
        .min()
        .map_or("", |(_, k)| k);
    Finding::new(
        "context-header-unknown",
        Severity::Note,
        Party::Customer,
        format!("{name}; the nearest that the contract knows is {nearest}"),
        "X-GA-* headers that the contract does not name are not read (contract §2)",
        "Check the spelling; a variable's header begins with X-GA-iv-",
    )
}

/// Enough of a value to recognise it by.
fn shortened(value: &str) -> &str {
    match value.char_indices().nth(80) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|f| f.rule.as_ref()).collect()
    }

    #[test]
    fn every_header_of_the_contract_is_read() {
        let (context, findings) = read(
            [
                ("Via", "SIP/2.0/UDP h"),
                ("X-GA-taskName", "call_routing"),
                ("X-GA-extConversationId", "conv-1"),
                ("X-GA-customerId", "c-9"),
                ("X-GA-iv-accountNumber", "42"),
                ("X-GA-iv-empty", ""),
                ("X-ASAPP-CallTransferId", "t-1"),
            ]
            .into_iter(),
        );
        assert_eq!(context.task_name.as_deref(), Some("call_routing"));
        assert_eq!(context.ext_conversation_id.as_deref(), Some("conv-1"));
        assert_eq!(context.customer_id.as_deref(), Some("c-9"));
        assert_eq!(context.call_transfer_id.as_deref(), Some("t-1"));
        assert_eq!(
            context.input_variables.iter().collect::<Vec<_>>(),
            [(&"accountNumber".into(), &"42".into()), (&"empty".into(), &"".into())]
        );
        assert_eq!(findings, []);
    }

    #[test]
    fn names_compare_without_regard_to_case_and_a_variable_keeps_its_own() {
        let (context, findings) = read([("x-ga-TASKNAME", "t"), ("X-ga-IV-UserName", "u"), ("x-asapp-calltransferid", "i")].into_iter());
        assert_eq!(context.task_name.as_deref(), Some("t"));
        assert_eq!(context.call_transfer_id.as_deref(), Some("i"));
        assert_eq!(context.input_variables.keys().collect::<Vec<_>>(), ["UserName"]);
        assert_eq!(findings, []);
    }

    #[test]
    fn values_are_trimmed_and_folds_become_one_space() {
        let (context, _) = read([("X-GA-iv-a", " \t x y\r\n \t z\t "), ("X-GA-iv-name", "Zoë 東京")].into_iter());
        assert_eq!(context.input_variables["a"], "x y z");
        assert_eq!(context.input_variables["name"], "Zoë 東京");
    }

    #[test]
    fn of_the_same_variable_twice_the_first_counts() {
        let headers = [("X-GA-iv-a", "1"), ("x-ga-iv-a", "2"), ("X-GA-taskName", "t"), ("X-GA-taskName", "u")];
        let (context, findings) = read(headers.into_iter());
        assert_eq!(context.input_variables["a"], "1");
        assert_eq!(context.task_name.as_deref(), Some("t"));
        assert_eq!(rules(&findings), ["context-header-repeated", "context-header-repeated"]);
    }

    #[test]
    fn names_that_differ_in_case_only_are_both_kept() {
        let (context, findings) = read([("X-GA-iv-userName", "1"), ("X-GA-iv-username", "2")].into_iter());
        assert_eq!(context.input_variables.len(), 2);
        assert_eq!(rules(&findings), ["context-names-differ-in-case"]);
    }

    #[test]
    fn a_variable_of_any_name_has_a_header() {
        assert_eq!(header_name("accountNumber"), "X-GA-iv-accountNumber");
        assert_eq!(header_name("order id: ä\r\n"), "X-GA-iv-order%20id%3A%20%C3%A4%0D%0A");
        assert!(is_token(&header_name("\0<>@,;/")));
    }

    #[test]
    fn what_cannot_be_used_is_a_finding() {
        let (context, findings) = read(
            [("X-GA-iv-", "1"), ("X-GA-taskname ", "x"), ("X-GA-customerId", " "), ("X-GA-iv-b", "caf\u{FFFD}"), ("X-GA-iv-c", "a\u{1}b")]
                .into_iter(),
        );
        assert_eq!(
            rules(&findings),
            [
                "context-variable-without-name",
                "context-header-unknown",
                "context-header-empty",
                "context-not-utf8",
                "context-control-characters"
            ]
        );
        assert_eq!(context.task_name, None);
        assert_eq!(context.customer_id, None);
    }

    fn claimed(task: Option<&str>, variables: &[(&str, &str)]) -> Claimed {
        Claimed {
            id: "t-1".into(),
            external_conversation_id: "conv-1".into(),
            kind: crate::model::TransferKind::Sip,
            input_context: crate::model::InputContext {
                task_name: task.map(Into::into),
                input_variables: variables.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            },
            returns: crate::model::SipReturn::default(),
        }
    }

    #[test]
    fn a_header_overrides_the_apis_context_per_key_with_a_finding_each() {
        let (headers, _) = read(
            [("X-GA-taskName", "billing"), ("X-GA-iv-b", "new"), ("X-GA-iv-d", "4"), ("X-GA-iv-c", "3"), ("X-GA-customerId", "c")]
                .into_iter(),
        );
        let (context, findings) = merge(&claimed(Some("routing"), &[("a", "1"), ("b", "old"), ("c", "3")]), headers);
        assert_eq!(context.task_name.as_deref(), Some("billing"));
        let variables: Vec<_> = context.input_variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(variables, [("a", "1"), ("b", "new"), ("c", "3"), ("d", "4")], "the API's order, then what headers add");
        assert_eq!(rules(&findings), ["context-overridden", "context-overridden"], "the same value again overrides nothing");
        assert!(findings[1].seen.contains("new") && findings[1].seen.contains("old"), "{}", findings[1].seen);
        assert_eq!((context.customer_id.as_deref(), context.call_transfer_id.as_deref()), (Some("c"), Some("t-1")));
    }

    #[test]
    fn without_headers_the_apis_context_is_the_context() {
        let (context, findings) = merge(&claimed(Some("routing"), &[("a", "1")]), Context::default());
        assert_eq!((context.task_name.as_deref(), context.ext_conversation_id.as_deref()), (Some("routing"), Some("conv-1")));
        assert_eq!(context.input_variables["a"], "1");
        assert_eq!(findings, []);
    }

    #[test]
    fn the_conversation_is_the_call_transfers_own() {
        let headers = Context { ext_conversation_id: Some("other".into()), ..Context::default() };
        let (context, findings) = merge(&claimed(None, &[]), headers);
        assert_eq!(context.ext_conversation_id.as_deref(), Some("conv-1"));
        assert_eq!(rules(&findings), ["conversation-differs"]);
    }

    #[test]
    fn a_header_whose_name_differs_from_the_apis_in_case_only_is_another_variable() {
        let (headers, _) = read([("X-GA-iv-USERNAME", "2")].into_iter());
        let (context, findings) = merge(&claimed(None, &[("userName", "1")]), headers);
        assert_eq!(context.input_variables.len(), 2);
        assert_eq!(rules(&findings), ["context-names-differ-in-case"]);
    }
}
