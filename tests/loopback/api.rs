//! The call transfers API on loopback: announced over HTTP, called by telephone, asked for afterwards.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, API, API_KEY, API_SECRET, Bridge, LOOPBACK_BY_REFER},
    http::Answer,
    sipp::Sipp,
    until,
};

fn settings(more_of_api: &str) -> String {
    format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}{API}{more_of_api}")
}

fn sip(id: &str) -> Value {
    json!({ "id": id, "externalConversationId": "c-1", "type": "SIP" })
}

fn phone(id: &str) -> Value {
    json!({ "id": id, "externalConversationId": "c-1", "type": "PHONE_NUMBER", "phoneNumber": { "country": "US" } })
}

fn create(bridge: &Bridge, body: &Value) -> Answer {
    bridge.api("POST", "", &body.to_string())
}

fn transfer(bridge: &Bridge, id: &str) -> Value {
    let answer = bridge.api("GET", &format!("/{id}"), "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The error's code, once its number is seen in the header, too.
#[track_caller]
fn code(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!(body["error"]["requestId"].as_str(), answer.header("x-request-id"), "{body}");
    assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    body["error"]["code"].as_str().expect("a code").to_owned()
}

/// The customer's call, placed by the program itself.
fn call(bridge: &Bridge, to: &str, more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_handback"))
        .args(["call", &format!("{to}@{}", bridge.udp), "--json", "--hang-up-after", "20s"])
        .args(more)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_number_is_leased_dialled_and_the_context_is_fetched() {
    let bridge = Bridge::start(&settings(""));
    let mut body = phone("attempt-1");
    body["inputContext"] = json!({ "inputVariables": { "accountNumber": "12345" } });
    let made = create(&bridge, &body).json();
    assert_eq!((&made["status"], &made["inputContext"]), (&json!("ACTIVE"), &body["inputContext"]));
    let number = made["phoneNumber"]["transferNumber"].as_str().expect("a number");
    assert!(number.starts_with("+1999555010"), "{made}");
    assert!(made["phoneNumber"]["expiresAt"].as_str() > made["createdAt"].as_str(), "{made}");

    call(&bridge, &format!("sip:{number}"), &[]);
    let done = until("the transfer is completed", || Some(transfer(&bridge, "attempt-1")).filter(|t| t["status"] == "COMPLETED"));
    assert!(done["callReceivedAt"].as_str() <= done["completedAt"].as_str(), "{done}");
    let output = json!({
        "transferType": "SYSTEM",
        "referenceVariables": { "account": "12345" }, "transferVariables": { "next_action": "schedule callback" },
    });
    assert_eq!(done["outputContext"], output, "{done}");
}

#[test]
fn an_invite_that_names_its_transfer_is_the_call_for_it() {
    let bridge = Bridge::start(&settings(""));
    let mut body = sip("attempt/1 ä");
    body["inputContext"] = json!({ "taskName": "billing", "inputVariables": { "accountNumber": "12345" } });
    assert_eq!(create(&bridge, &body).status, 200);
    call(&bridge, "sip:bridge", &["--call-transfer-id", "attempt/1 ä"]);
    let done = until("the transfer is completed", || {
        Some(transfer(&bridge, "attempt%2F1%20%C3%A4")).filter(|transfer| transfer["status"] == "COMPLETED")
    });
    assert_eq!(done["outputContext"]["referenceVariables"], json!({ "account": "12345" }), "{done}");
    assert_eq!(done["sip"], json!({ "returnTransferType": "BYE" }));
}

#[test]
fn a_number_that_nobody_dials_expires_and_is_free_again() {
    let bridge = Bridge::start(&settings("number_lease_secs = 1\nsip_transfer_expiry_secs = 1\n"));
    for id in ["a", "b"] {
        assert_eq!(create(&bridge, &phone(id)).status, 200);
    }
    assert_eq!(create(&bridge, &sip("s")).status, 200);
    let full = create(&bridge, &phone("c"));
    if full.status != 200 {
        assert_eq!((code(&full).as_str(), full.header("retry-after")), ("503-02", Some("1")), "unless a second has passed already");
    }
    for id in ["a", "b", "s"] {
        let expired = until("it expires", || Some(transfer(&bridge, id)).filter(|transfer| transfer["status"] == "EXPIRED"));
        assert!(expired.get("completedAt").is_none() && expired.get("callReceivedAt").is_none(), "{expired}");
    }
    until("a number is free again", || (create(&bridge, &phone("d")).status == 200).then_some(()));
}

#[test]
fn of_many_creates_with_one_id_one_is_made() {
    let bridge = Bridge::start(&settings("requests_per_second = 100000\n"));
    for round in 0..5 {
        let body = sip(&format!("t-{round}"));
        let codes: Vec<u16> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..100).map(|_| scope.spawn(|| create(&bridge, &body).status)).collect();
            asked.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(codes.iter().filter(|&&code| code == 200).count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|&&code| code == 409).count(), 99, "{codes:?}");
    }
}

#[test]
fn refusals_have_their_codes_and_secrets_stay_out_of_answers_and_log() {
    let bridge = Bridge::start(&settings(""));
    let get = |id: &str, secret: &str| code(&bridge.api_with(&[("asapp-api-id", id), ("asapp-api-secret", secret)], "GET", "/x", ""));
    assert_eq!(code(&bridge.api_with(&[], "POST", "", "{}")), "401-01");
    assert_eq!(get(API_KEY, "guess-4711"), "401-02");
    assert_eq!(get("nobody", API_SECRET), "401-02");
    assert_eq!(get("creates", "swordfish-4713"), "403-02");
    let reader = [("asapp-api-id", "reads"), ("asapp-api-secret", "swordfish-4712")];
    assert_eq!(code(&bridge.api_with(&reader, "POST", "", &sip("t").to_string())), "403-01");
    assert_eq!(code(&bridge.api("GET", "/no-such", "")), "404-01");
    assert_eq!(code(&bridge.api("DELETE", "", "")), "405-01");
    assert_eq!(code(&bridge.api("POST", "", &format!("{}{}", sip("t"), " ".repeat(64 << 10)))), "413-01");
    assert_eq!(code(&bridge.api("POST", "", "{\"id\":")), "400-01");
    let mut body = sip("t-1");
    body["sip"] = json!({ "returnTransferType": "REFER" });
    assert_eq!(code(&create(&bridge, &body)), "422-01");

    body["sip"] = json!({
        "returnTransferType": "INVITE", "returnUri": "sip:r@127.0.0.1",
        "returnInviteAuthentication": { "username": "u", "password": "opensesame" },
    });
    let made = create(&bridge, &body);
    assert_eq!(made.status, 200, "{made:?}");
    let again = create(&bridge, &body);
    assert_eq!(code(&again), "409-01");
    for answer in [&made, &again, &bridge.api("GET", "/t-1", "")] {
        assert!(!String::from_utf8_lossy(&answer.body).contains("opensesame"), "{answer:?}");
    }
    let (exit, log) = bridge.stop();
    assert_eq!(exit, Some(0), "{log}");
    assert!(log.contains(again.header("x-request-id").unwrap()) && log.contains("409-01"), "{log}");
    for secret in ["opensesame", "swordfish", "guess-4711"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[test]
fn a_key_is_held_to_its_rate() {
    let bridge = Bridge::start(&settings("requests_per_second = 1\n"));
    let refused = until("a second request within the second", || Some(bridge.api("GET", "/x", "")).filter(|a| a.status == 429));
    assert_eq!((code(&refused).as_str(), refused.header("retry-after")), ("429-01", Some("1")));
}

#[test]
fn a_bridge_that_waits_for_its_last_call_makes_no_new_transfers() {
    let mut bridge = Bridge::start(&settings(""));
    assert_eq!(create(&bridge, &sip("before")).status, 200);
    let customer = Sipp::caller("customer_takes_refer", bridge.udp).key("task", "patient").start();
    let running = bridge.only_call_in_state("with_agent");
    bridge.terminate();
    let refused = until("it drains", || Some(create(&bridge, &sip("after"))).filter(|answer| answer.status != 200 && answer.status != 409));
    assert_eq!(code(&refused), "503-01");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(transfer(&bridge, "before")["status"], "ACTIVE");
    let hang_up = format!("/v1/calls/{}/return", running["id"].as_str().unwrap());
    let body = r#"{"outcome":"SYSTEM","transferVariables":{},"referenceVariables":{}}"#;
    assert_eq!(crate::support::http::post(bridge.control, &hang_up, body).status, 202);
    customer.ends_well();
    let (exit, log) = bridge.wait();
    assert_eq!(exit, Some(0), "{log}");
}

#[test]
fn transfers_outlive_a_restart_and_their_passwords_are_in_no_file() {
    let bridge = Bridge::start(&settings(""));
    let mut body = sip("t-1");
    body["sip"] = json!({
        "returnTransferType": "INVITE", "returnUri": "sip:r@127.0.0.1",
        "returnInviteAuthentication": { "username": "u", "password": "opensesame" },
    });
    let made = create(&bridge, &body).json();
    let leased = create(&bridge, &phone("t-2")).json();
    let folder = bridge.stop_and_keep();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(10).any(|window| window == b"opensesame"), "{}", path.display());
    }
    let bridge = Bridge::start_in(folder, &settings(""));
    assert_eq!(transfer(&bridge, "t-1"), made);
    assert_eq!(code(&create(&bridge, &body)), "409-01");
    let other = create(&bridge, &phone("t-3")).json();
    assert_ne!(other["phoneNumber"]["transferNumber"], leased["phoneNumber"]["transferNumber"], "that lease still runs");
}
