//! What a SIP agent hands over with its BYE or REFER: the outcome and its variables as headers.

use super::{
    context::{TASK_NAME, clean},
    payload::{OUTCOME, REFERENCE_PREFIX, TRANSFER_PREFIX},
    payload_decode::parse_outcome,
    same_but_for_case, strip_prefix_ignoring_case,
};
use crate::model::{Finding, Outcome, Party, Severity, Variables};

/// The agent's part is over, with this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentEnd {
    /// `AGENT` where the agent said nothing.
    pub outcome: Outcome,
    /// From `X-GA-taskName`; `None`: the call's task.
    pub current_task: Option<String>,
    pub transfer: Variables,
    pub reference: Variables,
    pub findings: Vec<Finding>,
}

/// Reads the headers of a BYE or REFER that a SIP agent sent, in wire order as name and value.
/// One without `X-GA-*` means `AGENT` with no variables.
pub fn from_agent_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> AgentEnd {
    let mut end = AgentEnd {
        outcome: Outcome::Agent,
        current_task: None,
        transfer: Variables::new(),
        reference: Variables::new(),
        findings: Vec::new(),
    };
    let mut outcome_seen = false;
    for (name, value) in headers {
        let value = clean(value);
        if let Some(variable) = strip_prefix_ignoring_case(name, TRANSFER_PREFIX) {
            add(&mut end.transfer, &mut end.findings, TRANSFER_PREFIX, variable, &value);
        } else if let Some(variable) = strip_prefix_ignoring_case(name, REFERENCE_PREFIX) {
            add(&mut end.reference, &mut end.findings, REFERENCE_PREFIX, variable, &value);
        } else if name.eq_ignore_ascii_case(TASK_NAME) {
            end.current_task.get_or_insert_with(|| value.into_owned());
        } else if name.eq_ignore_ascii_case(OUTCOME) {
            if outcome_seen {
                end.findings.push(repeated(OUTCOME, &value));
                continue;
            }
            outcome_seen = true;
            let (outcome, found) = parse_outcome(&value, Party::Agent);
            end.outcome = outcome.unwrap_or(Outcome::Agent);
            end.findings.extend(found);
        }
    }
    let has_variables = !end.transfer.is_empty() || !end.reference.is_empty();
    if has_variables && !outcome_seen {
        end.findings.push(Finding::new(
            "agent-outcome-missing",
            Severity::Warning,
            Party::Agent,
            "Variables, but no X-GA-transfer",
            "Without an outcome the agent's end counts as AGENT, unable to help (contract §3)",
            "Send X-GA-transfer: SYSTEM or AGENT with the variables",
        ));
    }
    end
}

fn add(variables: &mut Variables, findings: &mut Vec<Finding>, prefix: &str, name: &str, value: &str) {
    if super::payload::check_variable_name(name).is_err() || super::payload::check_variable_value(name, value).is_err() {
        findings.push(Finding::new(
            "agent-variable-refused",
            Severity::Warning,
            Party::Agent,
            format!("{prefix}{name}: {}", value.escape_debug()),
            "A variable's name is a token and its value has no control characters (RFC 3261 §25.1); this one was left out",
            "Give the variable a name of letters, digits, - and _, and a value without control characters",
        ));
        return;
    }
    if variables.contains_key(name) {
        findings.push(repeated(&format!("{prefix}{name}"), value));
        return;
    }
    if let Some(other) = same_but_for_case(variables.keys(), name) {
        findings.push(Finding::new(
            "agent-names-differ-in-case",
            Severity::Warning,
            Party::Agent,
            format!("{prefix}{other} and {prefix}{name}"),
            "Header names compare without regard to case (RFC 3261 §7.3.1): the return endpoint may take one for the other. Both are kept",
            "Send one spelling",
        ));
    }
    variables.insert(name.to_owned(), value.to_owned());
}

fn repeated(name: &str, value: &str) -> Finding {
    Finding::new(
        "agent-header-repeated",
        Severity::Warning,
        Party::Agent,
        format!("{name} again, with {value:?}"),
        "A variable has one value (contract §3); of two, the first counts",
        "Send each header once",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bye_without_headers_means_agent_with_no_variables() {
        let end = from_agent_headers([("Via", "x"), ("CSeq", "2 BYE")].into_iter());
        assert_eq!(end.outcome, Outcome::Agent);
        assert!(end.transfer.is_empty() && end.reference.is_empty() && end.findings.is_empty());
    }

    #[test]
    fn outcome_task_and_variables_are_read_in_order() {
        let end = from_agent_headers(
            [("x-ga-transfer", "SYSTEM"), ("X-GA-tv-z", "1"), ("X-GA-rv-r", "ü"), ("X-GA-tv-a", "2"), ("X-GA-taskName", "billing")]
                .into_iter(),
        );
        assert_eq!(end.outcome, Outcome::System);
        assert_eq!(end.current_task.as_deref(), Some("billing"));
        assert_eq!(end.transfer.keys().collect::<Vec<_>>(), ["z", "a"]);
        assert_eq!(end.reference["r"], "ü");
        assert_eq!(end.findings, []);
    }

    #[test]
    fn what_is_doubtful_is_a_finding() {
        let end = from_agent_headers([("X-GA-tv-a", "1"), ("X-GA-tv-a", "2"), ("X-GA-tv-A", "3"), ("X-GA-tv-b", "x\u{1}")].into_iter());
        assert_eq!((end.transfer["a"].as_str(), end.transfer["A"].as_str(), end.transfer.len()), ("1", "3", 2));
        let rules: Vec<&str> = end.findings.iter().map(|f| f.rule.as_ref()).collect();
        assert_eq!(rules, ["agent-header-repeated", "agent-names-differ-in-case", "agent-variable-refused", "agent-outcome-missing"]);
        let end = from_agent_headers([("X-GA-transfer", "HUMAN")].into_iter());
        assert_eq!((end.outcome, end.findings.len()), (Outcome::Agent, 1));
    }
}
