use std::{
    collections::{HashMap, HashSet},
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::contract::create_refusal::CreateRefusal;
use crate::model::{
    CallTransfer, NewCallTransfer, Outcome, OutputContext, Timestamp, TransferKind, TransferStatus,
    settings::{Api, ApiKey, NumberRange},
};

/// A store in memory that fails where an id asks for it.
#[derive(Default)]
struct Fake(Mutex<HashMap<String, CallTransfer>>);

impl Transfers for Fake {
    fn create(&self, new: NewCallTransfer) -> Made<'_, Result<CallTransfer, CreateRefusal>> {
        Box::pin(async move {
            match new.id.as_str() {
                "panic" => panic!("swordfish in the store"),
                "none free" => return Err(CreateRefusal::NoNumber { retry_after_secs: 17 }),
                "no pool" => return Err(CreateRefusal::NoPool),
                "busy" => return Err(CreateRefusal::Busy),
                "disk full" => return Err(CreateRefusal::Unavailable),
                _ => {}
            }
            let is_number = new.target.kind() == TransferKind::PhoneNumber;
            let made = CallTransfer {
                id: new.id.clone(),
                external_conversation_id: new.external_conversation_id,
                status: TransferStatus::Active,
                created_at: Timestamp(1_700_000_000_123_456),
                expires_at: Timestamp(1_700_000_060_123_456),
                call_received_at: None,
                completed_at: None,
                target: new.target,
                number: is_number.then(|| "+19995550100".to_owned()),
                input_context: new.input_context,
                output_context: None,
                call: None,
                interrupted: false,
            };
            let mut all = self.0.lock().expect("no panic while it is held");
            if all.contains_key(&new.id) {
                return Err(CreateRefusal::IdUsed);
            }
            all.insert(new.id, made.clone());
            Ok(made)
        })
    }

    fn find<'a>(&'a self, id: &'a str) -> Made<'a, Result<Option<CallTransfer>, Unavailable>> {
        Box::pin(async move {
            match id {
                "disk full" => Err(Unavailable),
                _ => Ok(self.0.lock().expect("no panic while it is held").get(id).cloned()),
            }
        })
    }
}

struct Lab {
    address: SocketAddr,
    fake: Arc<Fake>,
    draining: Arc<AtomicBool>,
}

impl Lab {
    fn start() -> Self {
        Self::with(10_000, 10_000)
    }

    fn with(requests_per_second: u32, failures_per_second: u32) -> Self {
        let key = |id: &str, may_create, may_read| ApiKey {
            id: id.to_owned(),
            secret_sha256: Sha256::digest(format!("{id}-swordfish")).into(),
            may_create,
            may_read,
        };
        let settings = Api {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            keys: vec![key("both", true, true), key("creates", true, false), key("reads", false, true)],
            requests_per_second,
            number_lease_secs: 60,
            sip_transfer_expiry_secs: 300,
            numbers: vec![NumberRange { country: "US".into(), first: 19_995_550_100, last: 19_995_550_199 }],
            payload_in_return: false,
        };
        let (fake, draining) = (Arc::new(Fake::default()), Arc::new(AtomicBool::new(false)));
        let watched = draining.clone();
        let server = CallTransfersServer::start(CallTransfersSetup {
            settings: &settings,
            transfers: fake.clone(),
            draining: Box::new(move || watched.load(Ordering::Relaxed)),
            failures_per_second,
            seed: 1,
        });
        Self { address: server.expect("listens").address(), fake, draining }
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
        head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
        if !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        self.raw(&[format!("{head}\r\n").as_bytes(), body].concat())
    }

    fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("is set");
        stream.write_all(request).expect("is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("is answered");
        Answer::of(&answer)
    }

    fn create_as(&self, key: &str, body: &Value) -> Answer {
        let secret = format!("{key}-swordfish");
        self.ask("POST", PATH, &[(guard::KEY_ID, key), (guard::KEY_SECRET, &secret)], body.to_string().as_bytes())
    }

    fn create(&self, body: &Value) -> Answer {
        self.create_as("both", body)
    }

    fn read(&self, id: &str) -> Answer {
        self.ask("GET", &format!("{PATH}/{id}"), GOOD, b"")
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    /// In lower case.
    head: String,
    body: Value,
}

impl Answer {
    fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Self { status, head: head.to_ascii_lowercase(), body: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The error's code, once everything that every error has is seen.
    #[track_caller]
    fn code(&self) -> &str {
        let error = self.body["error"].as_object().unwrap_or_else(|| panic!("no error: {self:?}"));
        assert_eq!(error.keys().collect::<Vec<_>>(), ["requestId", "code", "message"]);
        assert_eq!(error["requestId"].as_str(), self.header("x-request-id"));
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(!error["message"].as_str().expect("a message").is_empty());
        let code = error["code"].as_str().expect("a code");
        assert_eq!(code.split('-').next(), Some(self.status.to_string().as_str()));
        code
    }
}

const PATH: &str = "/generativeagent/v1/call-transfers";
const GOOD: &[(&str, &str)] = &[(guard::KEY_ID, "both"), (guard::KEY_SECRET, "both-swordfish")];

fn sip(id: &str) -> Value {
    json!({ "id": id, "externalConversationId": "c-1", "type": "SIP" })
}

fn phone(id: &str) -> Value {
    json!({ "id": id, "externalConversationId": "c-1", "type": "PHONE_NUMBER", "phoneNumber": { "country": "US" } })
}

#[test]
fn a_number_is_leased_and_told_with_its_expiry() {
    let lab = Lab::start();
    let mut body = phone("t-1");
    body["inputContext"] = json!({ "taskName": "billing", "inputVariables": { "account": "42" } });
    let answer = lab.create(&body);
    let expected = json!({
        "id": "t-1", "externalConversationId": "c-1", "status": "ACTIVE", "type": "PHONE_NUMBER", "createdAt": "2023-11-14T22:13:20.123Z",
        "phoneNumber": { "transferNumber": "+19995550100", "country": "US", "expiresAt": "2023-11-14T22:14:20.123Z" },
        "inputContext": { "taskName": "billing", "inputVariables": { "account": "42" } },
    });
    assert_eq!((answer.status, &answer.body), (200, &expected));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 16));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(lab.read("t-1").body, expected);
}

#[test]
fn a_password_never_comes_back() {
    let lab = Lab::start();
    let mut body = sip("t-1");
    body["sip"] = json!({
        "returnTransferType": "INVITE", "returnURI": "sip:r@h",
        "returnInviteAuthentication": { "username": "u", "password": "opensesame" },
    });
    let expected = json!({ "returnTransferType": "INVITE", "returnUri": "sip:r@h", "returnInviteAuthentication": { "username": "u" } });
    for answer in [lab.create(&body), lab.read("t-1"), lab.create(&body)] {
        assert!(!answer.body.to_string().contains("opensesame"));
        assert!(answer.status == 409 || answer.body["sip"] == expected, "{answer:?}");
    }
    body["id"] = json!("t-2");
    body["sip"]["returnInviteAuthentication"]["password"] = json!("opensesame\n");
    assert_eq!(lab.create(&body).code(), "400-10");
}

#[test]
fn what_became_of_it_is_told_by_get() {
    let lab = Lab::start();
    assert_eq!(lab.create(&sip("t-1")).body["sip"], json!({ "returnTransferType": "BYE" }));
    {
        let mut all = lab.fake.0.lock().expect("no panic");
        let transfer = all.get_mut("t-1").expect("was made");
        transfer.status = TransferStatus::Completed;
        transfer.call_received_at = Some(Timestamp(1_700_000_001_000_000));
        transfer.completed_at = Some(Timestamp(1_700_000_002_500_999));
        transfer.output_context = Some(OutputContext {
            transfer_type: Outcome::System,
            current_task_name: Some("billing".into()),
            reference_variables: [("a".to_owned(), "1".to_owned())].into_iter().collect(),
            transfer_variables: Default::default(),
        });
    }
    let body = lab.read("t-1").body;
    assert_eq!(body["status"], "COMPLETED");
    assert_eq!((&body["callReceivedAt"], &body["completedAt"]), (&json!("2023-11-14T22:13:21.000Z"), &json!("2023-11-14T22:13:22.500Z")));
    let output = json!({
        "transferType": "SYSTEM", "currentTaskName": "billing", "referenceVariables": { "a": "1" }, "transferVariables": {},
    });
    assert_eq!(body["outputContext"], output);
    assert!(body.get("inputContext").is_none(), "none was given");
}

#[test]
fn an_id_may_hold_any_character_that_is_no_control() {
    let lab = Lab::start();
    for (id, escaped) in [
        ("a/b", "a%2Fb"),
        ("a b?c#d%e", "a%20b%3Fc%23d%25e"),
        ("größe😀", "gr%C3%B6%C3%9Fe%F0%9F%98%80"),
        ("a+b&c;d=e", "a+b&c;d=e"),
        ("..", "%2E%2E"),
    ] {
        assert_eq!(lab.create(&sip(id)).body["id"], id);
        assert_eq!(lab.read(escaped).body["id"], id, "{escaped}");
    }
    assert_eq!(lab.read("a%252Fb").code(), "404-01", "unescaped once");
    assert_eq!(lab.read("%FF").code(), "404-01", "no UTF-8");
    assert_eq!(lab.read("%00").code(), "404-01");
    assert_eq!(lab.read("t-none").code(), "404-01");
}

#[test]
fn a_key_is_an_id_and_its_secret() {
    let lab = Lab::start();
    let code = |headers: &[(&str, &str)]| {
        let answer = lab.ask("GET", &format!("{PATH}/x"), headers, b"");
        assert!(answer.status != 401 || answer.header("www-authenticate").is_some());
        answer.code().to_owned()
    };
    assert_eq!(code(&[]), "401-01");
    assert_eq!(code(&GOOD[..1]), "401-01");
    assert_eq!(code(&GOOD[1..]), "401-01");
    assert_eq!(code(&[GOOD[0], GOOD[0], GOOD[1]]), "401-01", "twice");
    assert_eq!(code(&[GOOD[0], (guard::KEY_SECRET, "")]), "401-02");
    assert_eq!(code(&[GOOD[0], (guard::KEY_SECRET, "reads-swordfish")]), "401-02", "another key's secret");
    assert_eq!(code(&[(guard::KEY_ID, "nobody"), GOOD[1]]), "401-02");
    assert_eq!(code(&[("ASAPP-API-ID", "both"), ("Asapp-Api-Secret", "both-swordfish")]), "404-01");
    let body = sip("t").to_string();
    assert_eq!(lab.ask("POST", PATH, &[], body.as_bytes()).code(), "401-01");
    assert_eq!(lab.ask("POST", PATH, &[], &[b' '; 90_000]).code(), "401-01", "before anything is said of the body");
}

#[test]
fn a_key_does_only_what_it_may() {
    let lab = Lab::start();
    assert_eq!(lab.create_as("reads", &sip("t-1")).code(), "403-01");
    assert_eq!(lab.create_as("creates", &sip("t-1")).status, 200);
    let read_as = |key: &str| {
        let secret = format!("{key}-swordfish");
        lab.ask("GET", &format!("{PATH}/t-1"), &[(guard::KEY_ID, key), (guard::KEY_SECRET, &secret)], b"")
    };
    assert_eq!(read_as("creates").code(), "403-02");
    assert_eq!(read_as("reads").status, 200);
}

#[test]
fn an_id_is_used_once() {
    let lab = Lab::start();
    assert_eq!(lab.create(&sip("t-1")).status, 200);
    assert_eq!(lab.create(&phone("t-1")).code(), "409-01");
}

#[test]
fn what_the_store_refuses_is_told() {
    let lab = Lab::start();
    let none_free = lab.create(&phone("none free"));
    assert_eq!((none_free.code(), none_free.header("retry-after")), ("503-02", Some("17")));
    assert_eq!(lab.create(&phone("no pool")).code(), "422-02");
    let busy = lab.create(&sip("busy"));
    assert_eq!((busy.code(), busy.header("retry-after")), ("503-04", Some("1")));
    for answer in [lab.create(&sip("disk full")), lab.read("disk%20full")] {
        assert_eq!((answer.code(), answer.header("retry-after")), ("503-03", Some("5")));
    }
    assert_eq!(lab.create(&json!([])).code(), "400-04", "and what the contract refuses");
}

#[test]
fn a_bridge_that_shuts_down_makes_no_more_and_still_tells() {
    let lab = Lab::start();
    assert_eq!(lab.create(&sip("t-1")).status, 200);
    lab.draining.store(true, Ordering::Relaxed);
    let refused = lab.create(&sip("t-2"));
    assert_eq!((refused.code(), refused.header("retry-after")), ("503-01", Some("30")));
    assert_eq!(lab.read("t-1").status, 200);
}

#[test]
fn what_is_not_there_is_told_in_the_same_words() {
    let lab = Lab::start();
    for path in ["/", "/generativeagent/v1/call-transfers/", "/generativeagent/v1/call-transfers/a/b", "/v1/calls", "/%FF"] {
        assert_eq!(lab.ask("GET", path, GOOD, b"").code(), "404-02", "{path}");
    }
    for (method, path, allowed) in [
        ("GET", PATH, "post"),
        ("DELETE", PATH, "post"),
        ("TRACE", PATH, "post"),
        ("POST", "/generativeagent/v1/call-transfers/t", "get,head"),
        ("PUT", "/openapi.json", "get,head"),
    ] {
        let answer = lab.ask(method, path, GOOD, b"");
        assert_eq!((answer.code(), answer.header("allow")), ("405-01", Some(allowed)), "{method} {path}");
    }
    assert_eq!(lab.ask("GET", "/openapi.json", &[], b"").body["info"]["title"], "Call transfers");
}

#[test]
fn a_body_is_at_most_64_kib_and_its_sender_sees_the_413() {
    let lab = Lab::start();
    let padded = |length: usize| {
        let mut body = sip(&format!("t-{length}")).to_string();
        body.push_str(&" ".repeat(length - body.len()));
        body
    };
    let create = |body: &str| lab.ask("POST", PATH, GOOD, body.as_bytes());
    assert_eq!(create(&padded(64 << 10)).status, 200);
    assert_eq!(create(&padded((64 << 10) + 1)).code(), "413-01");
    assert_eq!(create(&padded(1 << 20)).code(), "413-01");

    let chunked = format!(
        "POST {PATH} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{}: both\r\n{}: both-swordfish\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        guard::KEY_ID,
        guard::KEY_SECRET,
        format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(2),
    );
    assert_eq!(lab.raw(chunked.as_bytes()).code(), "413-01", "no length was announced");

    let announced = format!(
        "POST {PATH} HTTP/1.1\r\nHost: h\r\n{}: both\r\n{}: both-swordfish\r\nContent-Length: 99999999999\r\n\r\n",
        guard::KEY_ID,
        guard::KEY_SECRET
    );
    assert_eq!(lab.raw(announced.as_bytes()).code(), "413-01", "nothing of it was sent");
}

/// The contract lists no 415, and what is meant is plain.
#[test]
fn any_content_type_is_taken() {
    let lab = Lab::start();
    for (index, kind) in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""].into_iter().enumerate()
    {
        let headers = [GOOD, &[("Content-Type", kind)]].concat();
        assert_eq!(lab.ask("POST", PATH, &headers, sip(&format!("t-{index}")).to_string().as_bytes()).status, 200, "{kind}");
    }
}

#[test]
fn a_key_has_its_rate_and_another_key_has_its_own() {
    let lab = Lab::with(1, 10_000);
    let refused = (0..50).map(|_| lab.read("t")).find(|answer| answer.status == 429).expect("one a second");
    assert_eq!((refused.code(), refused.header("retry-after")), ("429-01", Some("1")));
    assert_eq!(lab.create_as("creates", &sip("t")).status, 200);
}

#[test]
fn who_tries_keys_is_slowed_and_a_good_key_from_there_is_not() {
    let lab = Lab::with(10_000, 1);
    let bad = || lab.ask("GET", &format!("{PATH}/t"), &[GOOD[0], (guard::KEY_SECRET, "guess")], b"");
    let refused = (0..50).map(|_| bad()).find(|answer| answer.status == 429).expect("one a second");
    assert_eq!((refused.code(), refused.header("retry-after")), ("429-02", Some("1")));
    assert_eq!(refused.header("connection"), Some("close"));
    assert_eq!(lab.read("t").code(), "404-01");
}

#[test]
fn a_panic_ends_in_500_with_nothing_internal_and_the_next_request_is_served() {
    let lab = Lab::start();
    let answer = lab.create(&sip("panic"));
    assert_eq!(answer.code(), "500-01");
    assert!(!answer.body.to_string().contains("swordfish"), "{answer:?}");
    assert_eq!(lab.create(&sip("t-1")).status, 200);
}

#[test]
fn every_request_has_a_number_of_its_own() {
    let lab = Lab::start();
    let mut seen = HashSet::new();
    for answer in [lab.create(&sip("t-1")), lab.read("t-1"), lab.read("t-2"), lab.ask("GET", "/", &[], b""), lab.ask("PUT", PATH, &[], b"")]
    {
        assert!(seen.insert(answer.header("x-request-id").expect("a number").to_owned()));
    }
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let lab = Lab::start();
    let one = |id: &str, connection: &str| {
        let body = sip(id).to_string();
        let length = body.len();
        format!(
            "POST {PATH} HTTP/1.1\r\nHost: h\r\nConnection: {connection}\r\n{}: both\r\n{}: both-swordfish\r\nContent-Length: {length}\r\n\r\n{body}",
            guard::KEY_ID,
            guard::KEY_SECRET
        )
    };
    let mut stream = TcpStream::connect(lab.address).expect("connects");
    stream.write_all(format!("{}{}", one("t-1", "keep-alive"), one("t-2", "close")).as_bytes()).expect("is sent");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).expect("is answered");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
}
