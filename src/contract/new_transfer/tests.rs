use serde_json::json;

use super::*;

fn pools() -> Vec<NumberRange> {
    ["US", "XK", "US"].map(|country| NumberRange { country: country.into(), first: 19_995_550_100, last: 19_995_550_199 }).into()
}

fn sip() -> Value {
    json!({ "id": "t-1", "externalConversationId": "c-1", "type": "SIP" })
}

fn phone() -> Value {
    json!({ "id": "t-1", "externalConversationId": "c-1", "type": "PHONE_NUMBER", "phoneNumber": { "country": "US" } })
}

/// `base` with the value at `path` put in.
fn with(mut base: Value, path: &str, value: Value) -> Value {
    let mut at = &mut base;
    for name in path.split('.') {
        at = &mut at[name];
    }
    *at = value;
    base
}

fn without(mut base: Value, path: &str) -> Value {
    let (object, name) = match path.rsplit_once('.') {
        Some((object, name)) => (base.pointer_mut(&format!("/{}", object.replace('.', "/"))), name),
        None => (Some(&mut base), path),
    };
    object.and_then(Value::as_object_mut).and_then(|object| object.remove(name)).expect("was there");
    base
}

fn taken(body: &Value) -> NewCallTransfer {
    read(body.to_string().as_bytes(), &pools()).unwrap_or_else(|fault| panic!("{fault}: {body}"))
}

/// `CODE: message`
fn fault(body: &Value) -> String {
    fault_of(body.to_string().as_bytes())
}

fn fault_of(body: &[u8]) -> String {
    read(body, &pools()).expect_err("is refused").to_string()
}

fn returns(new: NewCallTransfer) -> SipReturn {
    match new.target {
        TransferTarget::Sip(returns) => returns,
        TransferTarget::PhoneNumber { .. } => panic!("a phone number"),
    }
}

#[test]
fn a_sip_transfer_is_read_whole() {
    let new = taken(&json!({
        "id": "t-1", "externalConversationId": "c-1", "type": "SIP",
        "sip": {
            "returnTransferType": "INVITE",
            "returnUri": "sips:r@h:5061;transport=tls?Subject=a",
            "returnInviteAuthentication": { "username": "u", "password": "p" },
        },
        "inputContext": { "taskName": "billing", "inputVariables": { "z": "1", "a": "", "größe 3": "x y" } },
    }));
    assert_eq!((new.id.as_str(), new.external_conversation_id.as_str()), ("t-1", "c-1"));
    let context = new.input_context.clone().expect("a context");
    assert_eq!(context.task_name.as_deref(), Some("billing"));
    assert_eq!(context.input_variables.keys().collect::<Vec<_>>(), ["z", "a", "größe 3"], "in the order given");
    let sip = returns(new);
    assert_eq!((sip.method, sip.uri.as_deref()), (ReturnMethod::Invite, Some("sips:r@h:5061;transport=tls?Subject=a")));
    assert_eq!(sip.auth.map(|auth| (auth.username, auth.secret.reveal().to_owned())), Some(("u".into(), "p".into())));
}

#[test]
fn the_least_that_is_taken() {
    let new = taken(&sip());
    assert_eq!(new.input_context, None);
    assert_eq!(new.target, TransferTarget::Sip(SipReturn::default()), "without a method it is BYE");
    assert_eq!(taken(&phone()).target, TransferTarget::PhoneNumber { country: "US".into() });
    assert_eq!(taken(&with(sip(), "inputContext", json!({}))).input_context, Some(InputContext::default()));
    assert_eq!(returns(taken(&with(sip(), "sip", json!({ "returnInviteAuthentication": {} })))), SipReturn::default());
}

#[test]
fn unknown_fields_are_tolerated_everywhere() {
    let body = with(sip(), "sip", json!({ "x": null, "returnInviteAuthentication": { "x": 1 } }));
    let body = with(body, "inputContext", json!({ "x": [{}], "inputVariables": {} }));
    let body = with(body, "phoneNumber", json!({ "country": "US", "x": 1e300 }));
    taken(&with(body, "x", json!({ "id": 5 })));
}

#[test]
fn the_other_spelling_of_the_return_uri_is_taken() {
    let body = with(sip(), "sip", json!({ "returnTransferType": "REFER", "returnURI": "sip:r@h" }));
    assert_eq!(returns(taken(&body)).uri.as_deref(), Some("sip:r@h"));
}

/// What the other type needs may stand there, as long as it fits the schema and asks for nothing impossible.
#[test]
fn what_a_type_does_not_need_is_checked_and_not_used() {
    let body = with(phone(), "sip", json!({ "returnTransferType": "BYE", "returnUri": "sip:r@h" }));
    assert_eq!(taken(&body).target, TransferTarget::PhoneNumber { country: "US".into() });
    taken(&with(sip(), "phoneNumber", json!({ "country": "ZZ" })));
    assert_eq!(
        fault(&with(sip(), "phoneNumber", json!({}))),
        "400-05: phoneNumber.country is missing: a country code of two capital letters (ISO 3166-1 alpha-2), such as US is required"
    );
}

#[test]
fn what_is_no_json_object_is_told_with_line_and_column() {
    assert_eq!(fault_of(b""), "400-01: The body is empty: it must be a JSON object");
    assert_eq!(fault_of(b"{\n\"id\": x}"), "400-01: The body is not JSON: expected value at line 2 column 7");
    assert!(fault_of(b"\xFF\xFE").starts_with("400-01: The body is not JSON: "));
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(32), "]".repeat(32));
    assert_eq!(fault_of(deep.as_bytes()), "400-02: The body can't be taken: nested deeper than 32 at line 1 column 38");
    let twice = br#"{"id":"a","externalConversationId":"c","type":"SIP","id":"b"}"#;
    let says = "400-03: The body can't be taken: the name \"id\" stands twice in one object, the second time at line 1 column ";
    assert!(fault_of(twice).starts_with(says), "{}", fault_of(twice));
    for (body, what) in [("[]", "an array"), ("\"a\"", "a string"), ("null", "null"), ("true", "a boolean"), ("7", "a number")] {
        assert_eq!(fault_of(body.as_bytes()), format!("400-04: The body is {what}: it must be a JSON object"));
    }
}

/// Each text, with what it may be.
const TEXTS: &[(&str, &str)] = &[
    ("id", "a string of 1 to 255 characters"),
    ("externalConversationId", "a string of 1 to 255 characters"),
    ("phoneNumber.country", "a country code of two capital letters (ISO 3166-1 alpha-2), such as US"),
    ("sip.returnUri", "a string of at most 1024 characters"),
    ("sip.returnURI", "a string of at most 1024 characters"),
    ("sip.returnInviteAuthentication.username", "a string"),
    ("sip.returnInviteAuthentication.password", "a string"),
    ("inputContext.taskName", "a string"),
    ("inputContext.inputVariables.a", "a string"),
];

const WORDS: &[(&str, &str)] = &[("type", "one of PHONE_NUMBER, SIP"), ("sip.returnTransferType", "one of BYE, REFER, INVITE")];

const OBJECTS: &[&str] = &["phoneNumber", "sip", "sip.returnInviteAuthentication", "inputContext", "inputContext.inputVariables"];

#[test]
fn a_required_field_that_is_missing_names_itself() {
    for (path, allowed) in [TEXTS[0], TEXTS[1], TEXTS[2], WORDS[0]] {
        assert_eq!(fault(&without(phone(), path)), format!("400-05: {path} is missing: {allowed} is required"));
    }
}

#[test]
fn a_field_that_is_null_or_of_another_type_names_itself_and_what_is_allowed() {
    let objects = OBJECTS.iter().map(|path| (*path, "an object"));
    for (path, allowed) in TEXTS.iter().chain(WORDS).copied().chain(objects) {
        let says = |value: Value| fault(&with(phone(), path, value));
        assert_eq!(says(Value::Null), format!("400-06: {path} is null: it must be {allowed}"));
        assert_eq!(says(json!(5)), format!("400-07: {path} is a number: it must be {allowed}"));
        assert_eq!(says(json!(true)), format!("400-07: {path} is a boolean: it must be {allowed}"));
        assert_eq!(says(json!(["a"])), format!("400-07: {path} is an array: it must be {allowed}"));
        match allowed {
            "an object" => assert_eq!(says(json!("a")), format!("400-07: {path} is a string: it must be {allowed}")),
            _ => assert_eq!(says(json!({})), format!("400-07: {path} is an object: it must be {allowed}")),
        }
    }
}

#[test]
fn a_control_character_is_refused_in_every_text() {
    for (path, allowed) in TEXTS {
        for (control, shown) in [("\r", "\\r"), ("\n", "\\n"), ("\0", "\\u{0}"), ("\t", "\\t"), ("\x7F", "\\u{7f}"), ("\u{85}", "\\u{85}")]
        {
            let value = json!(format!("é{control}"));
            let says = format!("400-10: {path} holds a control character ({shown}, character 2): it must be {allowed} without any");
            assert_eq!(fault(&with(phone(), path, value)), says);
        }
    }
    let named = |name: &str| fault(&with(sip(), "inputContext", json!({ "inputVariables": { name: "v" } })));
    assert_eq!(
        named("a\r\nVia: x"),
        "400-10: inputContext.inputVariables[\"a\\r\\nVia: x\"] has a control character in its name (\\r): \
         a name is at least one character, and none of them a control character"
    );
    assert!(named("").starts_with("400-08: inputContext.inputVariables[\"\"] has no name: "));
}

#[test]
fn lengths_are_counted_in_characters() {
    for path in ["id", "externalConversationId"] {
        taken(&with(sip(), path, json!("é".repeat(255))));
        taken(&with(sip(), path, json!("😀".repeat(255))));
        let says = format!("400-09: {path} has 256 characters: it must be a string of 1 to 255 characters");
        assert_eq!(fault(&with(sip(), path, json!("é".repeat(256)))), says);
        assert_eq!(fault(&with(sip(), path, json!(""))), format!("400-08: {path} is empty: it must be a string of 1 to 255 characters"));
    }
    let uri = |length: usize| format!("sip:r@{}", "h".repeat(length - 6));
    for name in ["returnUri", "returnURI"] {
        taken(&with(sip(), &format!("sip.{name}"), json!(uri(1024))));
        let says = format!("400-09: sip.{name} has 1025 characters: it must be a string of at most 1024 characters");
        assert_eq!(fault(&with(sip(), &format!("sip.{name}"), json!(uri(1025)))), says);
    }
    let long = "v".repeat(60_000);
    assert_eq!(taken(&with(sip(), "inputContext.inputVariables.a", json!(long))).input_context.expect("kept").input_variables["a"], long);
}

#[test]
fn a_word_that_is_not_listed_is_answered_with_the_list() {
    for word in ["", "sip", "FAX", " SIP"] {
        assert_eq!(fault(&with(sip(), "type", json!(word))), "400-11: type must be one of PHONE_NUMBER, SIP");
    }
    for word in ["", "refer", "CANCEL"] {
        let says = "400-11: sip.returnTransferType must be one of BYE, REFER, INVITE";
        assert_eq!(fault(&with(sip(), "sip.returnTransferType", json!(word))), says);
    }
}

#[test]
fn a_country_is_two_capitals_then_one_of_the_standard_then_one_with_numbers() {
    let says = |country: &str| fault(&with(phone(), "phoneNumber.country", json!(country)));
    for country in ["", "us", "USA", "U", "U1", "ÜS", "US "] {
        let allowed = "400-12: phoneNumber.country must be a country code of two capital letters (ISO 3166-1 alpha-2), such as US";
        assert_eq!(says(country), allowed);
    }
    assert_eq!(
        says("ZZ"),
        "422-03: phoneNumber.country is no country of ISO 3166: it must be \
         a country code of two capital letters (ISO 3166-1 alpha-2), such as US"
    );
    assert_eq!(says("DE"), "422-02: phoneNumber.country: there are no numbers for DE; those with numbers are US, XK");
    taken(&with(phone(), "phoneNumber.country", json!("XK")));
    let none = read(phone().to_string().as_bytes(), &[]).expect_err("no numbers");
    assert_eq!(none.message, "phoneNumber.country: there are no numbers for US; there are no numbers at all");
}

#[test]
fn what_fits_the_schema_and_is_impossible_is_422() {
    assert_eq!(
        fault(&without(phone(), "phoneNumber")),
        "422-06: phoneNumber.country is missing: PHONE_NUMBER needs \
         a country code of two capital letters (ISO 3166-1 alpha-2), such as US"
    );
    for method in ["REFER", "INVITE"] {
        assert_eq!(
            fault(&with(sip(), "sip.returnTransferType", json!(method))),
            format!("422-01: sip.returnUri is missing: {method} needs a sip: or sips: URI to return to")
        );
        assert_eq!(
            fault(&with(phone(), "sip", json!({ "returnTransferType": method, "returnUri": "sip:r@h" }))),
            "422-07: sip.returnTransferType must be BYE for PHONE_NUMBER: such a call can't be sent back"
        );
    }
    assert_eq!(
        fault(&with(sip(), "sip", json!({ "returnUri": "sip:r@h", "returnURI": "sip:r@h" }))),
        "422-04: sip.returnUri and sip.returnURI are two spellings of one field: give one of them"
    );
    for (given, missing) in [("username", "password"), ("password", "username")] {
        let says = format!("422-08: sip.returnInviteAuthentication.{missing} is missing: a credential is a username and a password");
        assert_eq!(fault(&with(sip(), &format!("sip.returnInviteAuthentication.{given}"), json!("x"))), says);
    }
    for id in [" a", "a ", " "] {
        assert!(fault(&with(sip(), "id", json!(id))).starts_with("422-09: id begins or ends with a space"));
        taken(&with(phone(), "id", json!(id)));
    }
}

#[test]
fn a_return_uri_must_be_one_that_can_be_returned_to() {
    for (uri, why) in [
        ("", "begins with sip: or sips:"),
        ("tel:+15551234", "begins with sip: or sips:"),
        ("https://example.com", "begins with sip: or sips:"),
        ("transfer@example.com", "begins with sip: or sips:"),
        ("sip:", "names a host"),
        ("sip:a@", "names a host"),
        ("sip:a@:5060", "names a host"),
        ("sip:a b@h", "no spaces"),
        ("<sip:a@h>", "no spaces, line breaks, quotes or angle brackets"),
        ("sip:ü@h", "found 'ü'"),
        ("sip:a@h;method=BYE", "no method="),
        ("sip:a@h?x=y&Method=BYE", "no method="),
        ("sip:a@h:port", "port"),
        ("sip:a@h:65536", "port"),
        ("sip:a@h:0", "port"),
        ("sip:a@[::1", "host"),
        ("sip:a@[fe80::g]", "host"),
        ("sip:a@h_h!", "host"),
        ("sip:a@h,sip:b@h", "host"),
        ("sip:a%zz@h", "%"),
    ] {
        for name in ["returnUri", "returnURI"] {
            let says = fault(&with(sip(), "sip", json!({ "returnTransferType": "REFER", name: uri })));
            let begins = format!("422-05: sip.{name} must be a sip: or sips: URI, such as sip:transfer@example.com: ");
            assert!(says.starts_with(&begins) && says.contains(why), "{uri}: {says}");
        }
        assert!(fault(&with(phone(), "sip.returnUri", json!(uri))).starts_with("422-05"), "{uri}, where it is not used");
    }
}

/// The schema is judged whole before anything is called impossible, so that the status tells which it is.
#[test]
fn the_schema_comes_first() {
    let body = with(sip(), "sip", json!({ "returnTransferType": "REFER" }));
    assert!(fault(&with(body, "inputContext", json!(5))).starts_with("400-07: inputContext"));
}

#[test]
fn no_message_repeats_a_value() {
    const SECRET: &str = "swordfish";
    for (path, _) in TEXTS.iter().chain(WORDS) {
        for value in [json!(format!("{SECRET}\r\n")), json!([SECRET]), json!(SECRET.repeat(200)), json!(SECRET)] {
            if let Err(fault) = read(with(phone(), path, value).to_string().as_bytes(), &pools()) {
                assert!(!fault.to_string().contains(SECRET), "{fault}");
            }
        }
    }
}

proptest::proptest! {
    /// A good body with some bytes changed: refused with a cause, or taken with nothing in it that could end a header.
    #[test]
    fn no_body_gets_a_control_character_in(changes in proptest::collection::vec((0usize..400, proptest::prelude::any::<u8>()), 0..4)) {
        let mut body = json!({
            "id": "t-1", "externalConversationId": "c-1", "type": "SIP", "sip": { "returnTransferType": "REFER", "returnUri": "sip:r@h" },
            "inputContext": { "taskName": "t", "inputVariables": { "a": "1\u{e9}", "b\\u000": "2" } },
        }).to_string().into_bytes();
        for (at, byte) in changes {
            let length = body.len();
            body[at % length] = byte;
        }
        match read(&body, &pools()) {
            Ok(new) => {
                let context = new.input_context.clone().unwrap_or_default();
                let texts = context.input_variables.iter().flat_map(|(name, value)| [name, value]).chain(&context.task_name);
                let no_control = texts.chain([&new.id, &new.external_conversation_id]).all(|text| !text.chars().any(char::is_control));
                proptest::prop_assert!(no_control, "{new:?}");
            }
            Err(fault) => proptest::prop_assert!(matches!(fault.cause.status(), 400 | 422) && !fault.message.is_empty()),
        }
    }
}
