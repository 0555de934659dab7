use super::*;

fn rules(decoded: &Decoded) -> Vec<&str> {
    decoded.findings.iter().map(|f| f.rule.as_ref()).collect()
}

fn pairs(variables: &Variables) -> Vec<(&str, &str)> {
    variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
}

#[test]
fn a_payload_in_brackets_is_read_without_findings() {
    let value =
        "\"Transfer; <desk>\" <sip:r@h;transport=tcp?X-GA-extConId=c%20%31&X-GA-transfer=SYSTEM&X-GA-tv-a=1%3D2&X-GA-rv-b=%C3%A9>;x=y";
    let decoded = decode(value);
    assert_eq!(decoded.return_uri, "sip:r@h;transport=tcp");
    assert_eq!(decoded.target, "sip:r@h;transport=tcp");
    assert_eq!(decoded.conversation.as_deref(), Some("c 1"));
    assert_eq!(decoded.outcome, Some(Outcome::System));
    assert_eq!(pairs(&decoded.transfer), [("a", "1=2")]);
    assert_eq!(pairs(&decoded.reference), [("b", "é")]);
    assert_eq!(decoded.findings, []);
    let spans: Vec<&str> = decoded.payload.items.iter().map(|i| &value[i.start..i.end]).collect();
    assert_eq!(spans, ["X-GA-extConId=c%20%31", "X-GA-transfer=SYSTEM", "X-GA-tv-a=1%3D2", "X-GA-rv-b=%C3%A9"]);
}

#[test]
fn without_brackets_everything_after_the_question_mark_is_still_the_payload() {
    let decoded = decode(" sip:r@h;transport=tcp?X-GA-transfer=AGENT&X-GA-tv-a=1;2 ");
    assert_eq!(decoded.return_uri, "sip:r@h;transport=tcp");
    assert_eq!(decoded.outcome, Some(Outcome::Agent));
    assert_eq!(pairs(&decoded.transfer), [("a", "1;2")]);
    assert_eq!(rules(&decoded), ["refer-to-without-brackets", "unescaped-character"]);
    assert!(decoded.findings[0].why.contains("RFC 8217"));
    assert_eq!(rules(&decode("sip:r@h")), Vec::<&str>::new(), "a bare URI without ; , ? is allowed");
}

#[test]
fn routing_and_identity_headers_in_the_uri_are_ignored() {
    let decoded =
        decode("<sip:r@h;method=BYE;lr?Via=x&f=y&Call-ID=z&route=%3Csip:e%3E&Subject=a%20b&Replaces=1%3Bto-tag=2&X-GA-transfer=AGENT>");
    assert_eq!(rules(&decoded), ["ignored-uri-header"; 5]);
    assert_eq!(decoded.target, "sip:r@h;lr");
    let others: Vec<(&str, &str)> = decoded.other_headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(others, [("Subject", "a b"), ("Replaces", "1;to-tag=2")]);
}

#[test]
fn headers_of_the_return_uri_itself_stay_with_it() {
    let decoded = decode("<sip:r@h?Subject=a%20b&X-GA-transfer=AGENT&X-GA-tv-a=1>");
    assert_eq!(decoded.return_uri, "sip:r@h?Subject=a%20b");
    assert_eq!(decoded.target, "sip:r@h");
    assert_eq!(decoded.payload.used, "&X-GA-transfer=AGENT&X-GA-tv-a=1".len());
}

#[test]
fn unescaping_happens_once_and_what_still_looks_escaped_is_a_finding() {
    let decoded = decode("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=x%2520y&X-GA-tv-b=100%25>");
    assert_eq!(pairs(&decoded.transfer), [("a", "x%20y"), ("b", "100%")]);
    assert_eq!(rules(&decoded), ["double-escaping"]);
}

#[test]
fn plus_is_a_plus() {
    let decoded = decode("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-phone=+1555+2&X-GA-tv-name=Jane+Doe>");
    assert_eq!(pairs(&decoded.transfer), [("phone", "+1555+2"), ("name", "Jane+Doe")]);
    assert_eq!(rules(&decoded), ["plus-is-literal"]);
    assert_eq!(decoded.findings[0].severity, Severity::Note);
}

#[test]
fn escaped_line_breaks_are_rejected_as_injection() {
    let decoded = decode("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=1%0D%0AEvil:%201&Subject=%0a&X-GA-tv-b=2&X%0d=1&X-GA-tv-=3>");
    assert_eq!(pairs(&decoded.transfer), [("b", "2")]);
    assert_eq!(decoded.other_headers, []);
    assert_eq!(rules(&decoded), ["uri-header-injection"; 4]);
}

#[test]
fn names_compare_without_regard_to_case_and_differing_ones_are_flagged() {
    let decoded = decode("<sip:r@h?x-ga-TRANSFER=AGENT&X-ga-tv-userName=1&X-GA-TV-username=2&X-GA-tv-userName=3&X-GA-transfer=SYSTEM>");
    assert_eq!(decoded.outcome, Some(Outcome::Agent));
    assert_eq!(pairs(&decoded.transfer), [("userName", "1"), ("username", "2")]);
    assert_eq!(rules(&decoded), ["payload-names-differ-in-case", "payload-header-repeated", "payload-header-repeated"]);
}

#[test]
fn what_breaks_the_contract_is_a_finding() {
    assert_eq!(rules(&decode("<sip:r@h?X-GA-tv-a=1>")), ["outcome-missing"]);
    assert_eq!(rules(&decode("<sip:r@h?X-GA-transfer=system>")), ["outcome-unknown"]);
    assert_eq!(decode("<sip:r@h?X-GA-transfer=system>").outcome, Some(Outcome::System));
    assert_eq!(rules(&decode("<sip:r@h?X-GA-transfer=HUMAN>")), ["outcome-unknown"]);
    assert_eq!(rules(&decode("<sip:r@h?X-GA-transfer=AGENT&X-GA-foo=1>")), ["payload-header-unknown"]);
    assert_eq!(rules(&decode("<tel:+1555?X-GA-transfer=AGENT>")), ["refer-to-not-sip"]);
    assert_eq!(rules(&decode("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=100%>")), ["broken-percent-escape"]);
    assert_eq!(rules(&decode("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=caf%E9>")), ["payload-not-utf8"]);
    let over = format!("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a={}>", "x".repeat(1024));
    assert_eq!(rules(&decode(&over)), ["payload-over-limit"]);
}

#[test]
fn a_question_mark_in_front_of_the_headers_leaves_the_parameters_whole() {
    // Found by fuzzing: where the URI's headers begin depends on an `@` that comes only after them.
    let decoded = decode("6;%-G?%-G?X-Gるる?X-GA-rv-C=1@e");
    assert_eq!(decoded.return_uri, "6;%-G?%-G?X-Gるる");
    assert_eq!(decode("<sip:r;a?b;method=BYE?X-GA-transfer=AGENT&X-GA-tv-a=b@c>").target, "sip:r;a?b");
}

#[test]
fn nothing_odd_can_break_it() {
    for value in
        ["", "<", "<>", ">", "<?", "?", "<sip:?&&=&=&X-GA-tv-a", "\"<sip:", "\"\\", "<sip:é?X-GA-tv-é=1", "<sip:@?@", ";", "<sip:;?;"]
    {
        decode(value);
    }
}
