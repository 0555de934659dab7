use crate::{
    export::pcap,
    model::{CapturedMessage, Direction, Timestamp, TransportName},
};

use super::*;

fn rules(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|f| f.rule.as_ref()).collect()
}

fn invite(call_id: &str) -> String {
    format!(
        "INVITE sip:b@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.9>\r\nX-GA-taskName: t\r\nX-GA-iv-a: 1\r\nAuthorization: Digest response=\"secret\"\r\nContent-Length: 0\r\n\r\n"
    )
}

fn notify() -> String {
    "NOTIFY sip:b@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2\r\nMax-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: 1\r\nCSeq: 2 NOTIFY\r\nContact: <sip:a@192.0.2.9>\r\nEvent: refer\r\nSubscription-State: active\r\nContent-Type: message/sipfrag\r\nContent-Length: 20\r\n\r\nSIP/2.0 100 Trying\r\n".to_owned()
}

fn refer(refer_to: &str) -> String {
    format!(
        "REFER sip:a@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK3\r\nMax-Forwards: 70\r\nFrom: <sip:b@h>;tag=2\r\nTo: <sip:a@h>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 REFER\r\nContact: <sip:b@192.0.2.1>\r\nRefer-To: {refer_to}\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn messages_in_a_text_are_told_apart_and_read() {
    let text = format!("{}{}{}", invite("1"), notify(), refer("<sip:r@h?X-GA-transfer=SYSTEM&X-GA-tv-a=x%20y>"));
    for (kind, bytes) in [
        ("as on the wire", text.clone()),
        ("with LF, as pasted", text.replace("\r\n", "\n")),
        ("with blank lines before", format!("\n\n{text}")),
    ] {
        let report = report(bytes.as_bytes()).expect("reads");
        assert_eq!(rules(&report), Vec::<&str>::new(), "{kind}");
        let json = report.as_json();
        assert_eq!(json["messages"].as_array().map(Vec::len), Some(3), "{kind}");
        assert_eq!(json["contexts"][0]["context"]["inputVariables"]["a"], "1");
        assert_eq!(json["payloads"][0]["transferVariables"]["a"], "x y");
        assert_eq!((json["payloads"][0]["outcome"].as_str(), json["payloads"][0]["message"].as_u64()), (Some("SYSTEM"), Some(2)));
        let printed = report.as_text();
        assert!(printed.contains("NOTIFY 100 Trying") && printed.contains("iv a  1") && printed.contains("tv a  x y"), "{printed}");
        assert!(!json.to_string().contains("secret"), "credentials stay here");
    }
}

#[test]
fn a_bare_refer_to_is_read_with_findings() {
    let report = report(&b"Refer-To: sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=1\n"[..]).expect("reads");
    assert_eq!(rules(&report), ["refer-to-without-brackets"]);
    assert_eq!(report.as_json()["payloads"][0]["returnUri"], "sip:r@h");
    assert!(report.as_text().contains("RFC 8217"), "{}", report.as_text());
    let quoted = super::report(&b"r: \"Desk\" <sip:r@h?X-GA-transfer=AGENT>"[..]).expect("reads");
    assert_eq!(quoted.as_json()["payloads"][0]["outcome"], "AGENT");
}

#[test]
fn a_finding_of_severity_error_decides_the_exit() {
    let report = report(&b"<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=1%0d%0aEvil:1>"[..]).expect("reads");
    assert!(report.findings.iter().any(|f| f.severity == Severity::Error));
}

#[test]
fn what_is_nothing_of_ours_is_unreadable() {
    for bytes in [&b""[..], b"hello", b"\xff\xfe\x00", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a\x00"] {
        assert!(report(bytes).is_err(), "{bytes:?}");
    }
}

fn captured(transport: TransportName, at: u64, direction: Direction, text: &str) -> CapturedMessage {
    let text = text.replace("SIP/2.0/UDP", &format!("SIP/2.0/{}", transport.via()));
    CapturedMessage {
        number: at,
        at: Timestamp(1_790_000_000_000_000 + at),
        direction,
        leg: None,
        transport,
        local: "192.0.2.1:5060".parse().expect("an address"),
        remote: "192.0.2.9:5060".parse().expect("an address"),
        retransmission: false,
        bytes: text.into(),
    }
}

/// A REFER that is accepted, with no NOTIFY after it.
fn journey(transport: TransportName) -> Vec<CapturedMessage> {
    let long = format!("<sip:r@h?X-GA-transfer=SYSTEM&X-GA-tv-a={}>", "x".repeat(900));
    let accepted = "SIP/2.0 202 Accepted\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK3\r\nFrom: <sip:b@h>;tag=2\r\nTo: <sip:a@h>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 REFER\r\nContent-Length: 0\r\n\r\n";
    vec![
        captured(transport, 0, Direction::In, &invite("1")),
        captured(transport, 10, Direction::Out, &refer(&long)),
        captured(transport, 20, Direction::In, accepted),
    ]
}

#[test]
fn a_capture_over_udp_and_over_tcp_reads_as_a_ladder() {
    for transport in [TransportName::Udp, TransportName::Tcp] {
        let report = report(&pcap::file(&journey(transport), &[], false)[..]).expect("reads");
        assert_eq!(rules(&report), ["refer-without-notify"], "{transport:?}");
        assert_eq!(report.findings[0].side, crate::model::Party::Customer);
        let text = report.as_text();
        assert!(text.contains("192.0.2.9:5060") && text.contains("REFER SYSTEM 1 variable ") && text.contains("   0.000020"), "{text}");
        assert_eq!(report.as_json()["messages"][1]["transport"], serde_json::json!(transport));
        assert_eq!(report.as_json()["messages"][1]["at"], 1_790_000_000_000_010_u64);
    }
}

#[test]
fn a_case_file_reads_as_its_calls() {
    use crate::{
        export::case::{Contents, Values, write},
        model::WholeCall,
    };
    let (record, messages) =
        (crate::model::CallRecord::new(crate::model::CallId(7), Timestamp(1_790_000_000_000_000)), journey(TransportName::Udp));
    let calls = [WholeCall::new(record.into(), messages)];
    let contents = Contents { calls: &calls, rtp: None, values: Values::Tokens, made_at: Timestamp(0) };
    let file = write(&contents, |_| std::ops::ControlFlow::Continue(())).expect("writes");
    let report = report(&file[..]).expect("reads");
    let text = report.as_text();
    assert!(text.contains("REFER SYSTEM 1 variable") && text.contains("1 call, 3 SIP messages"), "{text}");
    assert_eq!(report.as_json()["calls"][0]["messages"], serde_json::json!([0, 1, 2]));
}

#[test]
fn the_rules_are_listed() {
    let text = report::rules(false);
    assert!(text.lines().any(|l| l.starts_with("ack-missing ") && l.contains("error") && l.ends_with("(RFC 3261 §13.3.1.4)")), "{text}");
    let json: serde_json::Value = serde_json::from_str(&report::rules(true)).expect("JSON");
    assert!(json.as_array().is_some_and(|list| list.len() == text.lines().count() && list[0]["severity"] == "error"));
}

#[test]
fn a_broken_capture_never_panics() {
    let whole = pcap::file(&journey(TransportName::Tcp), &[], false);
    for end in (0..whole.len()).step_by(61) {
        let _ = report(&whole[..end]);
    }
    // The headers of the file, of the first packets and of the message in them.
    for at in (0..140).chain((140..whole.len()).step_by(67)) {
        let mut bent = whole.clone();
        bent[at] ^= 0x81;
        let _ = report(&bent[..]);
    }
}
