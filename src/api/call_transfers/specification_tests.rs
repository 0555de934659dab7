//! The served specification against the contract's, and against what is really read: more may be said, never less.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::openapi::document;
use crate::{
    contract::{api_fault::Cause, new_transfer},
    model::settings::NumberRange,
};

fn contract() -> Value {
    serde_yaml_ng::from_str(include_str!("../../../tests/data/call-transfers.yaml")).expect("the contract is YAML")
}

fn served() -> Value {
    serde_json::from_str(&document()).expect("the specification is JSON")
}

/// A part of a document, where it is written out.
#[derive(Clone, Copy)]
struct Part<'a> {
    document: &'a Value,
    at: &'a Value,
}

impl<'a> Part<'a> {
    fn root(document: &'a Value) -> Self {
        Self { document, at: document }
    }

    fn get(self, name: &str) -> Option<Self> {
        self.at.get(name).map(|at| Self { at, ..self }.resolved())
    }

    fn resolved(self) -> Self {
        let Some(reference) = self.at.get("$ref").and_then(Value::as_str) else { return self };
        let at = self.document.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("nothing at {reference}"));
        Self { at, ..self }.resolved()
    }

    #[track_caller]
    fn must(self, name: &str, path: &str) -> Self {
        self.get(name).unwrap_or_else(|| panic!("{path}: no {name:?} is served"))
    }

    fn entries(self) -> impl Iterator<Item = (&'a str, Self)> {
        self.at.as_object().into_iter().flatten().map(move |(name, at)| (name.as_str(), Self { at, ..self }.resolved()))
    }

    fn words(self) -> BTreeSet<&'a str> {
        self.at.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// Every keyword of the contract's schema stands in the served one, and means the same.
fn assert_schema(path: &str, contract: Part<'_>, served: Part<'_>, is_request: bool) {
    for (keyword, wanted) in contract.entries() {
        let served = served.must(keyword, path);
        match keyword {
            "properties" => {
                for (name, wanted) in wanted.entries() {
                    let path = format!("{path}.{name}");
                    assert_schema(&path, wanted, served.must(name, &path), is_request);
                }
            }
            "additionalProperties" => assert_schema(&format!("{path}.*"), wanted, served, is_request),
            // A client may rely on what an answer must hold, and must not be asked for more.
            "required" if is_request => assert_eq!(served.words(), wanted.words(), "{path}: required"),
            "required" => assert!(served.words().is_superset(&wanted.words()), "{path}: required"),
            "enum" => assert_eq!(served.words(), wanted.words(), "{path}: enum"),
            "type" | "minLength" | "maxLength" | "pattern" | "format" | "default" | "writeOnly" => {
                assert_eq!(served.at, wanted.at, "{path}: {keyword}");
            }
            other => panic!("{path}: the contract says {other}, which this test does not know"),
        }
    }
}

#[test]
fn the_served_specification_says_what_the_contract_says_or_more() {
    let (contract, served) = (contract(), served());
    let (contract, served) = (Part::root(&contract), Part::root(&served));
    assert_eq!(served.must("security", "").at, contract.must("security", "").at);
    for (name, scheme) in contract.must("components", "").must("securitySchemes", "").entries() {
        assert_eq!(served.must("components", "").must("securitySchemes", "").must(name, "securitySchemes").at, scheme.at);
    }
    let mut operations = 0;
    for (path, methods) in contract.must("paths", "").entries() {
        for (method, wanted) in methods.entries() {
            operations += 1;
            let path = format!("{method} {path}");
            let served = served.must("paths", "").must(path.split(' ').nth(1).expect("a path"), &path).must(method, &path);
            assert_eq!(served.must("operationId", &path).at, wanted.must("operationId", &path).at);
            if let Some(body) = wanted.get("requestBody") {
                let served = served.must("requestBody", &path);
                assert_eq!(served.must("required", &path).at, body.must("required", &path).at);
                assert_content(&format!("{path} body"), body, served, true);
            }
            for wanted in wanted.at.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                let listed = served.at["parameters"].as_array().expect("parameters");
                let found = listed.iter().find(|parameter| parameter["name"] == wanted["name"]).expect("the parameter is served");
                assert_eq!((&found["in"], &found["required"]), (&wanted["in"], &wanted["required"]));
                assert_eq!(found["schema"]["type"], wanted["schema"]["type"]);
            }
            for (status, wanted) in wanted.must("responses", &path).entries() {
                let path = format!("{path} {status}");
                assert_content(&path, wanted, served.must("responses", &path).must(status, &path), false);
            }
        }
    }
    assert_eq!(operations, 2);
}

fn assert_content(path: &str, contract: Part<'_>, served: Part<'_>, is_request: bool) {
    for (kind, wanted) in contract.must("content", path).entries() {
        let served = served.must("content", path).must(kind, path);
        assert_schema(path, wanted.must("schema", path), served.must("schema", path), is_request);
    }
}

#[test]
fn the_examples_are_taken() {
    let served = served();
    let examples = served.pointer("/paths/~1generativeagent~1v1~1call-transfers/post/requestBody/content/application~1json/examples");
    let examples = examples.and_then(Value::as_object).expect("examples");
    let pool = NumberRange { country: "US".into(), first: 19_995_550_100, last: 19_995_550_199 };
    for example in examples.values() {
        new_transfer::read(example["value"].to_string().as_bytes(), std::slice::from_ref(&pool)).expect("is taken");
    }
    assert_eq!(examples.len(), 2);
}

/// A body with every field.
fn whole() -> Value {
    json!({
        "id": "t-1", "externalConversationId": "c-1", "type": "SIP", "phoneNumber": { "country": "US" },
        "sip": {
            "returnTransferType": "REFER", "returnUri": "sip:r@h", "returnInviteAuthentication": { "username": "u", "password": "p" },
        },
        "inputContext": { "taskName": "t", "inputVariables": { "a": "1" } },
    })
}

/// What the served schema forbids is refused as 400 and names the field; so the two can't drift apart.
#[test]
fn what_the_served_schema_forbids_is_refused() {
    let served = served();
    let schema = Part::root(&served).must("components", "").must("schemas", "").must("NewCallTransfer", "");
    let mut tried = 0;
    assert!(new_transfer::read(whole().to_string().as_bytes(), &[]).is_ok());
    break_each(schema, &mut Vec::new(), &mut tried);
    assert!(tried > 60, "{tried} ways to be wrong");
}

fn break_each(schema: Part<'_>, path: &mut Vec<String>, tried: &mut usize) {
    let mut refused = |value: Option<Value>, path: &[String], causes: &[Cause]| {
        let mut body = whole();
        let (name, object) = path.split_last().expect("not the body itself");
        let object = object.iter().fold(&mut body, |at, name| &mut at[name]).as_object_mut().expect("an object");
        match value {
            Some(value) => drop(object.insert(name.clone(), value)),
            None => drop(object.remove(name)),
        }
        let fault = new_transfer::read(body.to_string().as_bytes(), &[]).expect_err("forbidden by the schema");
        assert!(causes.contains(&fault.cause), "{path:?}: {fault}");
        assert!(fault.message.starts_with(&path.join(".")), "{path:?}: {fault}");
        *tried += 1;
    };
    let type_of = schema.at.get("type").and_then(Value::as_str).expect("a type, and no null beside it");
    if !path.is_empty() {
        refused(Some(Value::Null), path, &[Cause::Null]);
        refused(Some(json!(1)), path, &[Cause::WrongType]);
        refused(Some(json!([])), path, &[Cause::WrongType]);
        refused(Some(if type_of == "string" { json!({}) } else { json!("x") }), path, &[Cause::WrongType]);
    }
    if let Some(least) = schema.at.get("minLength") {
        assert_eq!(least, 1);
        refused(Some(json!("")), path, &[Cause::TooShort]);
    }
    if let Some(most) = schema.at.get("maxLength").and_then(Value::as_u64) {
        refused(Some(json!("é".repeat(most as usize + 1))), path, &[Cause::TooLong]);
    }
    if schema.at.get("pattern").is_some() {
        refused(Some(json!("a\nb")), path, &[Cause::ControlCharacter, Cause::Pattern]);
    }
    if schema.at.get("enum").is_some() {
        refused(Some(json!("NONE")), path, &[Cause::NoneOfThoseListed]);
    }
    for name in schema.get("required").map(Part::words).unwrap_or_default() {
        path.push(name.to_owned());
        refused(None, path, &[Cause::Missing]);
        path.pop();
    }
    for (name, property) in schema.get("properties").into_iter().flat_map(Part::entries) {
        // Both spellings at once are another fault.
        if name != "returnURI" {
            path.push(name.to_owned());
            break_each(property, path, tried);
            path.pop();
        }
    }
    if let Some(values) = schema.get("additionalProperties") {
        path.push("a".to_owned());
        break_each(values, path, tried);
        path.pop();
    }
}
