use bytes::Bytes;

use super::*;
use crate::{
    model::{
        Finding, Party, ReturnMethod, ReturnMethodOrAgent, Severity, TransportName,
        settings::{Peer, Policy, Return},
    },
    sip::message::Message,
};

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|f| f.rule.as_ref()).collect()
}

fn from_customer(source: &str) -> Seen {
    Seen { sender: Party::Customer, transport: Some(TransportName::Udp), source: source.parse().ok() }
}

/// A message with the mandatory headers around what a test is about.
fn message(start: &str, cseq: &str, more: &str, body: &str) -> Bytes {
    let kind = if body.starts_with("v=0") { "Content-Type: application/sdp\r\n" } else { "" };
    Bytes::from(format!(
        "{start}\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{}\r\nMax-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>{}\r\nCall-ID: c1\r\nCSeq: {cseq}\r\n{kind}{more}Content-Length: {}\r\n\r\n{body}",
        cseq.replace(' ', "-"),
        if start.starts_with("INVITE") { "" } else { ";tag=2" },
        body.len()
    ))
}

fn in_message(bytes: &Bytes, source: &str) -> Vec<Finding> {
    of_message(bytes, &from_customer(source))
}

const INVITE: &str = "INVITE sip:b@h SIP/2.0";
const CONTACT: &str = "Contact: <sip:a@192.0.2.9>\r\n";
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

#[test]
fn a_clean_message_gives_none() {
    let invite = message(INVITE, "1 INVITE", &format!("{CONTACT}X-GA-taskName: t\r\nX-GA-iv-a: 1\r\n"), SDP);
    assert_eq!(in_message(&invite, "192.0.2.9:5060"), []);
    let refer = message("REFER sip:b@h SIP/2.0", "2 REFER", &format!("{CONTACT}Refer-To: <sip:r@h?X-GA-transfer=AGENT>\r\n"), "");
    assert_eq!(in_message(&refer, "192.0.2.9:5060"), []);
}

#[test]
fn what_is_no_message_is_an_error_on_its_senders_side() {
    for bytes in [Bytes::from_static(b"\x00\x01\x02"), Bytes::from_static(b"INVITE sip:b SIP/2.0\r\n\r\n")] {
        let findings = in_message(&bytes, "192.0.2.9:5060");
        assert_eq!(
            (rules(&findings), findings[0].severity, findings[0].side),
            (vec!["malformed-message"], Severity::Error, Party::Customer)
        );
    }
}

#[test]
fn the_context_of_an_invite_is_judged() {
    let invite = message(INVITE, "1 INVITE", &format!("{CONTACT}X-GA-iv-a: 1\r\nX-GA-iv-A: 2\r\n"), "");
    assert_eq!(rules(&in_message(&invite, "192.0.2.9:5060")), ["context-names-differ-in-case"]);
    let by_bridge = Seen { sender: Party::Bridge, transport: None, source: None };
    assert_eq!(of_message(&invite, &by_bridge), [], "the agent leg repeats it, the customer's finding does not come twice");
}

#[test]
fn a_refer_is_judged_with_its_payload() {
    let refer = message("REFER sip:b@h SIP/2.0", "2 REFER", "Refer-To: sip:r@h?X-GA-transfer=AGENT&Via=x\r\n", "");
    let findings = in_message(&refer, "192.0.2.9:5060");
    assert_eq!(rules(&findings), ["refer-without-contact", "refer-to-without-brackets", "ignored-uri-header"]);
    assert!(findings.iter().all(|f| f.side == Party::Customer));
    let none = message("REFER sip:b@h SIP/2.0", "2 REFER", CONTACT, "");
    assert_eq!(rules(&in_message(&none, "192.0.2.9:5060")), ["refer-to-count"]);
}

#[test]
fn a_large_request_over_udp_is_risky() {
    let invite = message(INVITE, "1 INVITE", &format!("{CONTACT}X-Long: {}\r\n", "x".repeat(1_300)), "");
    assert_eq!(rules(&in_message(&invite, "192.0.2.9:5060")), ["large-over-udp"]);
    let over_tcp = Seen { transport: Some(TransportName::Tcp), ..from_customer("192.0.2.9:5060") };
    assert_eq!(of_message(&invite, &over_tcp), []);
}

#[test]
fn private_addresses_behind_a_public_one_are_flagged() {
    let sdp = SDP.replace("c=IN IP4 192.0.2.9", "c=IN IP4 10.1.2.3");
    let invite = message(INVITE, "1 INVITE", "Contact: <sip:a@100.64.0.1>\r\n", &sdp);
    assert_eq!(rules(&in_message(&invite, "192.0.2.9:5060")), ["private-address-in-contact", "private-address-in-sdp"]);
    assert_eq!(in_message(&invite, "10.9.9.9:5060"), [], "private among themselves");
}

#[test]
fn a_body_that_is_no_session_description_is_an_error() {
    let invite = message(INVITE, "1 INVITE", CONTACT, "v=0\r\nnonsense\r\n");
    assert_eq!(rules(&in_message(&invite, "192.0.2.9:5060")), ["malformed-sdp"]);
    let held = message(INVITE, "1 INVITE", CONTACT, &SDP.replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0"));
    assert_eq!(rules(&in_message(&held, "192.0.2.9:5060")), ["hold-by-zero-address"]);
}

#[test]
fn the_last_notify_without_a_status_is_flagged() {
    let event = format!("{CONTACT}Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n");
    assert_eq!(
        rules(&in_message(&message("NOTIFY sip:b@h SIP/2.0", "3 NOTIFY", &event, ""), "192.0.2.9:5060")),
        ["notify-terminated-without-sipfrag"]
    );
    let event = format!("{event}Content-Type: message/sipfrag\r\n");
    assert_eq!(
        rules(&in_message(&message("NOTIFY sip:b@h SIP/2.0", "3 NOTIFY", &event, "SIP/2.0 200 OK\n"), "192.0.2.9:5060")),
        ["sipfrag-bare-lf"]
    );
    assert_eq!(in_message(&message("NOTIFY sip:b@h SIP/2.0", "3 NOTIFY", &event, "SIP/2.0 200 OK\r\n"), "192.0.2.9:5060"), []);
}

fn exchange(list: &[(Party, Bytes)]) -> Vec<Finding> {
    let items: Vec<Exchanged> = (0..)
        .zip(list)
        .map(|(index, (sender, bytes))| Exchanged { index, sender: *sender, message: Message::parse(bytes.clone()).expect("parses") })
        .collect();
    of_exchange(&items)
}

fn ok(cseq: &str) -> Bytes {
    message("SIP/2.0 200 OK", cseq, "", "")
}

fn refer_with(after: &[(Party, Bytes)]) -> Vec<Finding> {
    let refer = message("REFER sip:b@h SIP/2.0", "2 REFER", &format!("{CONTACT}Refer-To: <sip:r@h>\r\n"), "");
    let mut list = vec![(Party::Bridge, refer)];
    list.extend_from_slice(after);
    exchange(&list)
}

fn notify(number: u32, event: &str, body: &str) -> Bytes {
    message(
        "NOTIFY sip:b@h SIP/2.0",
        &format!("{number} NOTIFY"),
        &format!("{CONTACT}Event: {event}\r\nSubscription-State: active\r\n"),
        body,
    )
}

#[test]
fn a_200_that_nobody_acknowledges_is_an_error() {
    let invite = message(INVITE, "1 INVITE", CONTACT, "");
    let (customer, bridge) = (Party::Customer, Party::Bridge);
    let twice = [(customer, invite.clone()), (bridge, ok("1 INVITE")), (bridge, ok("1 INVITE"))];
    let findings = exchange(&twice);
    assert_eq!((rules(&findings), findings[0].side, findings[0].messages.as_slice()), (vec!["ack-missing"], customer, &[1, 2][..]));

    let ack = message("ACK sip:b@h SIP/2.0", "1 ACK", "", "");
    let acknowledged = [(customer, invite), (bridge, ok("1 INVITE")), (bridge, ok("1 INVITE")), (customer, ack)];
    let findings = exchange(&acknowledged);
    assert_eq!((rules(&findings), findings[0].severity), (vec!["retransmitted"], Severity::Note));
}

#[test]
fn a_message_sent_four_times_is_a_warning() {
    let bye = message("BYE sip:b@h SIP/2.0", "2 BYE", "", "");
    let findings = exchange(&vec![(Party::Bridge, bye); 4]);
    assert_eq!((rules(&findings), findings[0].severity, findings[0].messages.len()), (vec!["retransmitted"], Severity::Warning, 4));
}

#[test]
fn a_refer_and_its_notifies_are_followed_to_their_end() {
    let customer = Party::Customer;
    let accepted = || (customer, message("SIP/2.0 202 Accepted", "2 REFER", "", ""));
    let trying = || (customer, notify(1, "refer", "SIP/2.0 100 Trying\r\n"));

    let done = (customer, notify(2, "refer;id=2", "SIP/2.0 200 OK\r\n"));
    assert_eq!(refer_with(&[accepted(), trying(), done.clone()]), []);
    assert_eq!(refer_with(&[trying(), accepted(), done]), [], "a NOTIFY may overtake the 202");
    assert_eq!(rules(&refer_with(&[accepted()])), ["refer-without-notify"]);
    assert_eq!(rules(&refer_with(&[accepted(), trying()])), ["transfer-outcome-unknown"]);
    let failed = (customer, notify(2, "refer", "SIP/2.0 603 Decline\r\n"));
    let findings = refer_with(&[accepted(), trying(), failed]);
    assert_eq!((rules(&findings), findings[0].messages.as_slice()), (vec!["transfer-failed-after-202"], &[0, 1, 3][..]));
    assert!(findings[0].seen.contains("603 Decline"));
    assert_eq!(rules(&refer_with(&[(customer, message("SIP/2.0 603 Decline", "2 REFER", "", ""))])), ["refer-refused"]);
    assert_eq!(refer_with(&[(customer, message("SIP/2.0 202 Accepted", "2 REFER", "Refer-Sub: false\r\n", ""))]), []);
    assert_eq!(
        rules(&refer_with(&[accepted(), (customer, notify(2, "refer;id=7", "SIP/2.0 200 OK\r\n"))])),
        ["refer-without-notify"],
        "of another REFER"
    );
    assert_eq!(refer_with(&[]), [], "no answer yet");
}

#[test]
fn a_refused_source_names_the_nearest_rule() {
    let peer = |name: &str, networks: &[&str]| Peer {
        name: name.to_owned(),
        networks: networks.iter().map(|n| n.parse().expect("a network")).collect(),
        policy: Policy::Either,
        users: Vec::new(),
        allow_md5: true,
        returns: Return {
            method: ReturnMethod::Bye,
            uri: None,
            fallback: ReturnMethodOrAgent::Bye,
            notify_timeout_secs: 30,
            auth: None,
            hosts: Vec::new(),
        },
    };
    let peers = [peer("east", &["10.4.0.0/16", "2001:db8::/32"]), peer("west", &["192.0.2.0/29"])];
    let seen = |ip: &str| refused_source(ip.parse().expect("an address"), &peers).seen;
    assert_eq!(seen("192.0.2.9"), "192.0.2.9; the nearest rule is 192.0.2.0/29 of west");
    assert_eq!(seen("::ffff:10.5.0.1"), "10.5.0.1; the nearest rule is 10.4.0.0/16 of east");
    assert_eq!(seen("2001:db9::1"), "2001:db9::1; the nearest rule is 2001:db8::/32 of east");
    assert!(refused_source("10.0.0.1".parse().expect("an address"), &[]).seen.contains("no peer is configured"));
}

mod calls {
    use super::*;
    use crate::model::{
        CallEvent, CallId, CallRecord, CapturedMessage, Direction, DroppedVariable, LegId, LegOpened, LegRole, MediaFigures, Payload,
        PayloadPart, Timestamp,
    };

    fn record(figures: MediaFigures) -> CallRecord {
        let mut record = CallRecord::new(CallId(1), Timestamp(0));
        let customer = "192.0.2.9:5060".parse().expect("an address");
        let opened = LegOpened {
            leg: LegId(0),
            role: LegRole::Customer,
            sip_call_id: "c1".into(),
            remote: customer,
            uri: "sip:a@h".into(),
            incoming: true,
        };
        record.apply(Timestamp(0), &CallEvent::LegOpened(opened));
        record.apply(Timestamp(1), &CallEvent::MediaMeasured { leg: LegId(0), figures });
        record
    }

    fn captured(number: u64, direction: Direction, bytes: Bytes) -> CapturedMessage {
        CapturedMessage {
            number,
            at: Timestamp(number),
            direction,
            leg: Some(LegId(0)),
            transport: TransportName::Udp,
            local: "192.0.2.1:5060".parse().expect("an address"),
            remote: "192.0.2.9:5060".parse().expect("an address"),
            retransmission: false,
            bytes,
        }
    }

    fn heard() -> MediaFigures {
        MediaFigures { packets_sent: 100, packets_received: 100, ..MediaFigures::default() }
    }

    #[test]
    fn a_clean_call_gives_none() {
        let invite = message(INVITE, "1 INVITE", &format!("{CONTACT}X-GA-iv-a: 1\r\n"), SDP);
        let messages = [
            captured(1, Direction::In, invite),
            captured(2, Direction::Out, ok("1 INVITE")),
            captured(3, Direction::In, message("ACK sip:b@h SIP/2.0", "1 ACK", "", "")),
        ];
        assert_eq!(of_call(&record(heard()), &messages), []);
    }

    #[test]
    fn findings_name_their_messages_and_come_once() {
        let invite = message(INVITE, "1 INVITE", &format!("{CONTACT}X-GA-iv-a: 1\r\nX-GA-iv-a: 2\r\n"), "");
        let messages = [captured(1, Direction::Out, ok("9 OPTIONS")), captured(2, Direction::In, invite)];
        let mut record = record(heard());
        let found = of_call(&record, &messages);
        assert_eq!(
            (rules(&found), found[0].messages.as_slice(), found[0].side),
            (vec!["context-header-repeated"], &[1][..], Party::Customer)
        );
        record.findings = found;
        assert_eq!(of_call(&record, &messages), [], "already in the record");
    }

    #[test]
    fn media_is_judged_by_its_figures() {
        let judged = |figures| rules(&of_call(&record(figures), &[])).into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(judged(MediaFigures { packets_sent: 500, ..MediaFigures::default() }), ["no-media-received"]);
        assert_eq!(judged(MediaFigures { strangers: 3, ..heard() }), ["rtp-from-strangers"]);
        assert_eq!(judged(MediaFigures { packets_lost: 6, ..heard() }), ["media-lost"]);
        assert_eq!(judged(MediaFigures { packets_lost: 5, ..heard() }), [""; 0]);
        assert_eq!(judged(MediaFigures::default()), [""; 0], "a call that was never answered");
    }

    #[test]
    fn dropped_variables_are_named_with_what_was_left() {
        let gone = |name: &str| DroppedVariable {
            part: PayloadPart::Transfer,
            parameter: name.to_owned(),
            value: String::new(),
            cost: 30,
            left: 12,
        };
        let payload = Payload { dropped: vec![gone("X-GA-tv-a"), gone("X-GA-rv-b")], ..Payload::default() };
        let finding = dropped(&payload).expect("a finding");
        assert_eq!(finding.seen, "X-GA-tv-a, X-GA-rv-b (the first needs 30 characters, and 12 were left)");
        assert_eq!(dropped(&Payload::default()), None);
    }
}
