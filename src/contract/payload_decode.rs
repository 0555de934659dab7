//! A `Refer-To` value → what it hands back, with findings (contract §3; RFC 3261 §19.1, RFC 3515, RFC 8217).

use super::{
    payload::{CONVERSATION_ID, LIMIT, OUTCOME, REFERENCE_PREFIX, TRANSFER_PREFIX},
    same_but_for_case, strip_prefix_ignoring_case,
    uri_text::{headers_start, holds_escape, is_token, is_unescaped, split_parameters, unescape},
};
use crate::model::{Finding, Outcome, Party, Payload, PayloadItem, PayloadPart, Severity, Variables};

/// What a `Refer-To` value says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The URI without the payload, exactly as given: its own parameters and headers are still there.
    pub return_uri: String,
    /// Where to call: the URI without any headers and without a `method` parameter (RFC 3261 §19.1.1, Table 1).
    pub target: String,
    pub conversation: Option<String>,
    pub outcome: Option<Outcome>,
    /// tv, in wire order.
    pub transfer: Variables,
    /// rv
    pub reference: Variables,
    /// Headers that the new INVITE is asked to carry besides the payload, unescaped.
    pub other_headers: Vec<(String, String)>,
    /// The payload with its costs and byte spans; `refer_to` is the value as given.
    pub payload: Payload,
    pub findings: Vec<Finding>,
}

/// Reads a `Refer-To` value, with or without angle brackets.
pub fn decode(refer_to_value: &str) -> Decoded {
    let mut decoded =
        Decoded { payload: Payload { refer_to: refer_to_value.to_owned(), limit: LIMIT, ..Payload::default() }, ..Decoded::default() };
    let uri_range = match bracketed(refer_to_value) {
        Some(range) => range,
        None => bare(refer_to_value, &mut decoded.findings),
    };
    let (uri_start, uri) = (uri_range.start, &refer_to_value[uri_range]);
    if strip_prefix_ignoring_case(uri, "sip:").or_else(|| strip_prefix_ignoring_case(uri, "sips:")).is_none() {
        decoded.findings.push(not_sip(uri));
    }
    let headers_at = headers_start(uri).unwrap_or(uri.len());
    decoded.target = without_method(&uri[..headers_at], &mut decoded.findings);

    let mut own_headers: Vec<&str> = Vec::new();
    let mut position = headers_at + 1;
    for (index, item) in uri.get(position..).into_iter().flat_map(|h| h.split('&')).enumerate() {
        let start = uri_start + position;
        position += item.len() + 1;
        let joint_cost = usize::from(index > 0);
        // Split first, unescape each part once, then look at the name: an escaped `&` or `=` is text.
        let (raw_name, raw_value) = item.split_once('=').unwrap_or((item, ""));
        let name = unescape(raw_name).text;
        if name.is_empty() {
            continue;
        }
        if strip_prefix_ignoring_case(&name, "X-GA-").is_none() {
            own_headers.push(item);
            take_other_header(&mut decoded, &name, raw_value);
            continue;
        }
        let span = Span { cost: joint_cost + item.len(), start, end: start + item.len() };
        if !take_payload_item(&mut decoded, &name, raw_value, &span) {
            own_headers.push(item);
        }
    }
    decoded.return_uri = uri[..headers_at].to_owned();
    if !own_headers.is_empty() {
        decoded.return_uri.push('?');
        decoded.return_uri.push_str(&own_headers.join("&"));
    }
    judge_whole(&mut decoded);
    decoded
}

struct Span {
    cost: usize,
    start: usize,
    end: usize,
}

/// The URI between angle brackets. A quoted display name may hold a `<` of its own (RFC 3261 §25.1).
fn bracketed(value: &str) -> Option<std::ops::Range<usize>> {
    let mut quoted = false;
    let mut escaped = false;
    for (i, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => {
                let end = value[i..].find('>').map_or(value.len(), |e| i + e);
                return Some(i + 1..end);
            }
            _ => {}
        }
    }
    None
}

fn bare(value: &str, findings: &mut Vec<Finding>) -> std::ops::Range<usize> {
    let start = value.len() - value.trim_start().len();
    let end = start + value.trim().len();
    if value.contains(['?', ';', ',']) {
        findings.push(Finding::new(
            "refer-to-without-brackets",
            Severity::Warning,
            Party::Bridge,
            value.trim(),
            "A URI with a question mark, a comma or a semicolon stands in angle brackets (RFC 3261 §20, RFC 8217); without them other readers take what follows for header parameters, and the payload is lost",
            "Write Refer-To: <sip:…?…>",
        ));
    }
    start..end
}

fn not_sip(uri: &str) -> Finding {
    Finding::new(
        "refer-to-not-sip",
        Severity::Error,
        Party::Bridge,
        uri,
        "The return URI is sip: or sips: (contract §3); another scheme can't be called and carries no payload",
        "Set a sip: or sips: return URI",
    )
}

/// What comes before the headers, without its `method` parameter, which must not decide what is sent to a stranger
/// (RFC 3261 §19.1.5).
fn without_method(before_headers: &str, findings: &mut Vec<Finding>) -> String {
    let is_method = |p: &str| p.split('=').next().is_some_and(|n| unescape(n).text.eq_ignore_ascii_case("method"));
    let (bare, parameters) = split_parameters(before_headers);
    let mut out = bare.to_owned();
    for parameter in parameters {
        if is_method(parameter) {
            findings.push(ignored(&format!(";{parameter}")));
        } else {
            out.push(';');
            out.push_str(parameter);
        }
    }
    out
}

fn ignored(seen: &str) -> Finding {
    Finding::new(
        "ignored-uri-header",
        Severity::Warning,
        Party::Bridge,
        seen,
        "What decides a request's routing, identity or dialog is not taken from a URI (RFC 3261 §19.1.5): it was ignored",
        "Leave the method and such headers out of the return URI",
    )
}

/// A header inside the URI that is none of the payload's.
fn take_other_header(decoded: &mut Decoded, name: &str, raw_value: &str) {
    let value = unescape(raw_value).text;
    if IGNORED.iter().any(|i| i.eq_ignore_ascii_case(name)) {
        decoded.findings.push(ignored(&format!("{name}: {}", value.escape_debug())));
    } else if !is_token(name) || value.chars().any(is_forbidden) {
        decoded.findings.push(injection(name, raw_value));
    } else {
        decoded.other_headers.push((name.to_owned(), value.into_owned()));
    }
}

/// `false`: not one of ours after all.
fn take_payload_item(decoded: &mut Decoded, name: &str, raw_value: &str, span: &Span) -> bool {
    let (part, variable) = if let Some(variable) = strip_prefix_ignoring_case(name, TRANSFER_PREFIX) {
        (PayloadPart::Transfer, variable)
    } else if let Some(variable) = strip_prefix_ignoring_case(name, REFERENCE_PREFIX) {
        (PayloadPart::Reference, variable)
    } else if name.eq_ignore_ascii_case(CONVERSATION_ID) {
        (PayloadPart::ConversationId, "")
    } else if name.eq_ignore_ascii_case(OUTCOME) {
        (PayloadPart::Outcome, "")
    } else {
        decoded.findings.push(Finding::new(
            "payload-header-unknown",
            Severity::Note,
            Party::Bridge,
            format!("{name}={raw_value}"),
            "The payload is X-GA-extConId, X-GA-transfer, X-GA-tv-* and X-GA-rv-* (contract §3); this one is none of them",
            "Check the spelling",
        ));
        take_other_header(decoded, name, raw_value);
        return false;
    };
    decoded.payload.used += span.cost;
    let is_variable = matches!(part, PayloadPart::Transfer | PayloadPart::Reference);
    let unescaped = unescape(raw_value);
    judge_value(&mut decoded.findings, name, raw_value, &unescaped);
    // %0D%0A would become a header of its own in the INVITE that this URI asks for.
    if unescaped.text.chars().any(is_forbidden) || !is_token(name) || is_variable && variable.is_empty() {
        decoded.findings.push(injection(name, raw_value));
        return true;
    }
    let value = unescaped.text.into_owned();
    decoded.payload.items.push(PayloadItem {
        part,
        parameter: name.to_owned(),
        value: value.clone(),
        cost: span.cost,
        start: span.start,
        end: span.end,
    });
    let findings = &mut decoded.findings;
    match part {
        PayloadPart::ConversationId if decoded.conversation.is_some() => findings.push(repeated(name, &value)),
        PayloadPart::ConversationId => decoded.conversation = Some(value),
        PayloadPart::Outcome if decoded.outcome.is_some() => findings.push(repeated(name, &value)),
        PayloadPart::Outcome => {
            let (outcome, found) = parse_outcome(&value, Party::Bridge);
            decoded.outcome = outcome;
            findings.extend(found);
        }
        PayloadPart::Transfer => take_variable(&mut decoded.transfer, findings, TRANSFER_PREFIX, variable, value),
        PayloadPart::Reference => take_variable(&mut decoded.reference, findings, REFERENCE_PREFIX, variable, value),
    }
    true
}

fn take_variable(variables: &mut Variables, findings: &mut Vec<Finding>, prefix: &str, name: &str, value: String) {
    if variables.contains_key(name) {
        findings.push(repeated(&format!("{prefix}{name}"), &value));
        return;
    }
    if let Some(other) = same_but_for_case(variables.keys(), name) {
        findings.push(Finding::new(
            "payload-names-differ-in-case",
            Severity::Warning,
            Party::Agent,
            format!("{prefix}{other} and {prefix}{name}"),
            "Header names compare without regard to case (RFC 3261 §7.3.1): the INVITE made from this URI carries two headers that readers can't tell apart",
            "Use one spelling in the agent",
        ));
    }
    variables.insert(name.to_owned(), value);
}

/// `AGENT` or `SYSTEM`; another case is read, with a finding.
pub(super) fn parse_outcome(value: &str, side: Party) -> (Option<Outcome>, Option<Finding>) {
    let outcome = [Outcome::Agent, Outcome::System].into_iter().find(|o| o.wire().eq_ignore_ascii_case(value));
    if outcome.is_some_and(|o| o.wire() == value) {
        return (outcome, None);
    }
    let severity = if outcome.is_some() { Severity::Warning } else { Severity::Error };
    let found = Finding::new(
        "outcome-unknown",
        severity,
        side,
        format!("{OUTCOME}: {}", value.escape_debug()),
        "The outcome is AGENT or SYSTEM, in capitals (contract §3); a strict reader finds none here",
        "Send X-GA-transfer with AGENT or SYSTEM",
    );
    (outcome, Some(found))
}

fn repeated(name: &str, value: &str) -> Finding {
    Finding::new(
        "payload-header-repeated",
        Severity::Warning,
        Party::Bridge,
        format!("{name} again, with {value:?}"),
        "A payload header has one value (contract §3); of two, the first counts",
        "Check whether the return URI carries payload headers of its own",
    )
}

fn injection(name: &str, raw_value: &str) -> Finding {
    Finding::new(
        "uri-header-injection",
        Severity::Error,
        Party::Bridge,
        format!("{}={raw_value}", name.escape_debug()),
        "Unescaped, this would put a line break, a control character or a malformed name into the INVITE's headers (RFC 3261 §7.3): it was left out",
        "Refuse control characters where the value is set",
    )
}

fn judge_value(findings: &mut Vec<Finding>, name: &str, raw: &str, unescaped: &super::uri_text::Unescaped<'_>) {
    if unescaped.broken_escape {
        findings.push(Finding::new(
            "broken-percent-escape",
            Severity::Error,
            Party::Bridge,
            format!("{name}={raw}"),
            "A % stands before two hex digits or is itself written %25 (RFC 3261 §25.1); readers disagree about this one",
            "Escape % as %25",
        ));
    } else if holds_escape(&unescaped.text) {
        findings.push(Finding::new(
            "double-escaping",
            Severity::Warning,
            Party::Bridge,
            format!("{name}={raw}, which reads {:?}", unescaped.text),
            "A URI's escapes are undone exactly once (RFC 3261 §19.1.2); what is left looks escaped still",
            "Escape the value once",
        ));
    }
    if unescaped.not_utf8 {
        findings.push(Finding::new(
            "payload-not-utf8",
            Severity::Warning,
            Party::Bridge,
            format!("{name}={raw}"),
            "Escaped text is UTF-8 (RFC 3261 §25.1); bytes that are none were replaced by U+FFFD",
            "Escape the UTF-8 bytes of the value",
        ));
    }
    if let Some(bad) = raw.chars().find(|c| *c != '%' && !u8::try_from(*c).is_ok_and(is_unescaped)) {
        findings.push(Finding::new(
            "unescaped-character",
            Severity::Warning,
            Party::Bridge,
            format!("{bad:?} in {name}={raw}"),
            "A URI header's value holds only letters, digits and [ ] / ? : + $ - _ . ! ~ * ' ( ) unescaped (RFC 3261 §25.1)",
            "Percent-encode it",
        ));
    }
    if raw.split('+').zip(raw.split('+').skip(1)).any(|(a, b)| ends_with_letter(a) && starts_with_letter(b)) {
        findings.push(Finding::new(
            "plus-is-literal",
            Severity::Note,
            Party::Bridge,
            format!("{name}={raw}"),
            "+ in a URI is a plus, not a space (RFC 3261 §25.1): it was read as a plus",
            "Where a space is meant, write %20",
        ));
    }
}

fn judge_whole(decoded: &mut Decoded) {
    if decoded.payload.used > LIMIT {
        decoded.findings.push(Finding::new(
            "payload-over-limit",
            Severity::Warning,
            Party::Bridge,
            format!("{} characters of context data", decoded.payload.used),
            "The service puts at most 1,024 characters of context data into a Refer-To (contract §3)",
            "Send fewer or shorter variables",
        ));
    }
    let has_variables = !decoded.transfer.is_empty() || !decoded.reference.is_empty() || decoded.conversation.is_some();
    let outcome_sent = decoded.payload.items.iter().any(|i| i.part == PayloadPart::Outcome);
    if has_variables && !outcome_sent {
        decoded.findings.push(Finding::new(
            "outcome-missing",
            Severity::Warning,
            Party::Bridge,
            "Context data, but no X-GA-transfer",
            "Every payload says AGENT or SYSTEM (contract §3): without it the return endpoint can't route",
            "Send X-GA-transfer",
        ));
    }
}

fn is_forbidden(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn ends_with_letter(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_alphabetic())
}

fn starts_with_letter(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Names that a URI may not set in the request made from it (RFC 3261 §19.1.5), in full and compact form:
/// those that route it, say who sends it, tie it to a dialog, describe its body or list what the sender can do.
const IGNORED: &[&str] = &[
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Allow",
    "Authorization",
    "b",
    "Body",
    "c",
    "Call-ID",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "e",
    "f",
    "From",
    "i",
    "Identity",
    "k",
    "l",
    "m",
    "Max-Forwards",
    "Method",
    "Organization",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Path",
    "Proxy-Authorization",
    "Proxy-Require",
    "r",
    "Record-Route",
    "Refer-To",
    "Referred-By",
    "Route",
    "RSeq",
    "RAck",
    "Service-Route",
    "Supported",
    "t",
    "Timestamp",
    "To",
    "User-Agent",
    "v",
    "Via",
];

#[cfg(test)]
mod tests;
