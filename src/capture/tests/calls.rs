//! Legs joined into calls, parties named, and what the rules find.

use super::{
    build::{Sip, ethernet, pcap_of, plain_call, sdp, udp},
    ladder, read,
};
use crate::{
    capture::Reading,
    model::{CallState, LegRole, Party, ReturnMethod, ReturnVerdict},
};

/// Messages between hosts of 192.0.2.0/24, each with its microseconds.
#[derive(Default)]
struct Wire(Vec<(u64, Vec<u8>)>);

impl Wire {
    fn sends(&mut self, after: u64, from: u8, to: u8, text: &str) {
        let packet = udp(&format!("192.0.2.{from}:5060"), &format!("192.0.2.{to}:5060"), text.as_bytes());
        self.0.push((after, ethernet(&packet)));
    }

    fn read(&self) -> Reading {
        read(&pcap_of(1, &self.0)).expect("reads")
    }
}

const CUSTOMER: Sip = Sip { call_id: "customer", from_tag: "c1", to_tag: "", branch: "c", cseq: 1 };
const IN_CUSTOMER: Sip = Sip { to_tag: "b1", ..CUSTOMER };
/// From the bridge's side of the same dialog.
const BACK: Sip = Sip { call_id: "customer", from_tag: "b1", to_tag: "c1", branch: "r", cseq: 1 };
const AGENT: Sip = Sip { call_id: "agent", from_tag: "b2", to_tag: "", branch: "a", cseq: 1 };
const RETURN: Sip = Sip { call_id: "return", from_tag: "c2", to_tag: "", branch: "t", cseq: 1 };
const CONTEXT: &str = "X-GA-taskName: billing\r\nX-GA-extConversationId: conv-1\r\nX-GA-iv-account: 4711\r\n";
const REFER_TO: &str = "Refer-To: <sip:desk@192.0.2.7?X-GA-extConId=conv-1&X-GA-transfer=SYSTEM&X-GA-tv-next=call%20back>\r\n";

/// Customer .9, bridge .1, agent .5, return endpoint .7: a REFER that is taken.
fn referred() -> Wire {
    let mut wire = Wire::default();
    let offer = sdp("192.0.2.9", 4000);
    wire.sends(0, 9, 1, &CUSTOMER.request("INVITE", "sip:bob@192.0.2.1", CONTEXT, &offer));
    wire.sends(1_000, 1, 9, &CUSTOMER.response("100 Trying", "INVITE", "", ""));
    wire.sends(2_000, 1, 5, &AGENT.request("INVITE", "sip:agent@192.0.2.5", CONTEXT, &sdp("192.0.2.1", 6000)));
    wire.sends(90_000, 5, 1, &AGENT.response("200 OK", "INVITE", "g", &sdp("192.0.2.5", 7000)));
    wire.sends(91_000, 1, 5, &Sip { to_tag: "g", ..AGENT }.request("ACK", "sip:agent@192.0.2.5", "", ""));
    wire.sends(92_000, 1, 9, &CUSTOMER.response("200 OK", "INVITE", "b1", &sdp("192.0.2.1", 5000)));
    wire.sends(93_000, 9, 1, &IN_CUSTOMER.request("ACK", "sip:y@192.0.2.1", "", ""));
    wire.sends(5_000_000, 1, 9, &BACK.request("REFER", "sip:x@192.0.2.9", REFER_TO, ""));
    wire.sends(5_001_000, 9, 1, &BACK.response("202 Accepted", "REFER", "c1", ""));
    let event = "Event: refer\r\nSubscription-State: active;expires=60\r\n";
    let done = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n";
    let notify = Sip { cseq: 2, branch: "n", ..IN_CUSTOMER };
    wire.sends(5_002_000, 9, 1, &notify.request("NOTIFY", "sip:y@192.0.2.1", event, "SIP/2.0 100 Trying\r\n"));
    wire.sends(5_003_000, 1, 9, &notify.response("200 OK", "NOTIFY", "b1", ""));
    let headers = "X-GA-extConId: conv-1\r\nX-GA-transfer: SYSTEM\r\nX-GA-tv-next: call back\r\n";
    wire.sends(5_010_000, 9, 7, &RETURN.request("INVITE", "sip:desk@192.0.2.7", headers, &offer));
    wire.sends(5_050_000, 7, 9, &RETURN.response("200 OK", "INVITE", "d", &sdp("192.0.2.7", 8000)));
    wire.sends(5_051_000, 9, 7, &Sip { to_tag: "d", ..RETURN }.request("ACK", "sip:desk@192.0.2.7", "", ""));
    let notify = Sip { cseq: 3, branch: "n", ..IN_CUSTOMER };
    wire.sends(5_060_000, 9, 1, &notify.request("NOTIFY", "sip:y@192.0.2.1", done, "SIP/2.0 200 OK\r\n"));
    wire.sends(5_061_000, 1, 9, &notify.response("200 OK", "NOTIFY", "b1", ""));
    let bye = Sip { cseq: 2, ..BACK };
    wire.sends(5_070_000, 1, 9, &bye.request("BYE", "sip:x@192.0.2.9", "", ""));
    wire.sends(5_071_000, 9, 1, &bye.response("200 OK", "BYE", "c1", ""));
    let bye = Sip { cseq: 2, to_tag: "g", ..AGENT };
    wire.sends(5_072_000, 1, 5, &bye.request("BYE", "sip:agent@192.0.2.5", "", ""));
    wire.sends(5_073_000, 5, 1, &bye.response("200 OK", "BYE", "g", ""));
    wire
}

#[test]
fn a_referred_call_is_one_call_with_three_legs_and_its_parties() {
    let reading = referred().read();
    assert_eq!(reading.calls.len(), 1);
    let record = &reading.calls[0].record;
    let legs: Vec<_> = record.legs.iter().map(|leg| (leg.opened.role, record.ends_of(Some(leg.opened.leg)))).collect();
    assert_eq!(
        legs,
        [
            (LegRole::Customer, (Party::Bridge, Party::Customer)),
            (LegRole::Agent, (Party::Bridge, Party::Agent)),
            (LegRole::Return, (Party::Customer, Party::ReturnEndpoint)),
        ]
    );
    let ladder = ladder(&reading, 0);
    assert_eq!(ladder[2], "bridge → agent: INVITE");
    assert_eq!(ladder[11], "customer → return endpoint: INVITE");
    let joined: Vec<&str> = record.timeline.iter().map(|note| note.text.as_str()).filter(|text| text.contains("belongs")).collect();
    assert_eq!(
        joined,
        [
            "Leg 1 belongs to this call: it carries the same X-GA-* headers",
            "Leg 2 belongs to this call: the REFER's Refer-To asks for it, and X-GA-extConId is conv-1 in both",
        ]
    );
    assert_eq!((record.state, record.ended.as_ref().map(|why| why.reason.as_str())), (CallState::Returned, Some("Returned by REFER")));
    assert_eq!(record.context.input_variables["account"], "4711");
    assert_eq!(record.transfer_variables["next"], "call back");
    let back = &record.returns[0];
    assert_eq!((back.method, back.verdict.as_ref(), back.last_code), (ReturnMethod::Refer, Some(&ReturnVerdict::Succeeded), Some(200)));
    assert_eq!(back.payload.as_ref().map(|payload| payload.items.len()), Some(3));
    assert_eq!(record.findings.iter().map(|finding| &*finding.rule).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_refer_with_no_notify_is_found() {
    let mut wire = referred();
    wire.0.truncate(9);
    wire.sends(60_000_000, 1, 9, &Sip { cseq: 2, ..BACK }.request("BYE", "sip:x@192.0.2.9", "", ""));
    wire.sends(60_001_000, 9, 1, &Sip { cseq: 2, ..BACK }.response("200 OK", "BYE", "c1", ""));
    let reading = wire.read();
    let record = &reading.calls[0].record;
    assert!(record.findings.iter().any(|finding| finding.rule == "refer-without-notify"), "{:?}", record.findings);
    assert!(matches!(record.returns[0].verdict, Some(ReturnVerdict::Unknown { .. })));
    assert_eq!(record.state, CallState::Ended);
}

#[test]
fn a_return_by_invite_belongs_to_its_conversation() {
    let mut wire = referred();
    wire.0.truncate(7);
    let headers = "X-GA-extConId: conv-1\r\nX-GA-transfer: AGENT\r\nX-GA-rv-a: 1\r\n";
    let back = Sip { from_tag: "b3", ..RETURN };
    wire.sends(5_000_000, 1, 7, &back.request("INVITE", "sip:desk@192.0.2.7", headers, &sdp("192.0.2.1", 5002)));
    wire.sends(5_050_000, 7, 1, &back.response("200 OK", "INVITE", "d", &sdp("192.0.2.7", 8000)));
    wire.sends(5_051_000, 1, 7, &Sip { to_tag: "d", ..back }.request("ACK", "sip:desk@192.0.2.7", "", ""));
    let reading = wire.read();
    assert_eq!(reading.calls.len(), 1);
    let record = &reading.calls[0].record;
    assert_eq!(record.ends_of(record.legs.last().map(|leg| leg.opened.leg)), (Party::Bridge, Party::ReturnEndpoint));
    assert_eq!((record.returns[0].method, record.returns[0].verdict.as_ref()), (ReturnMethod::Invite, Some(&ReturnVerdict::Succeeded)));
    assert!(record.timeline.iter().any(|note| note.text == "The capture ends before this call does"));
    assert_eq!(record.ended, None);
}

#[test]
fn a_b2bua_that_changes_everything_is_joined_by_numbers_and_says_so() {
    let mut wire = Wire::default();
    let outer = Sip { call_id: "outer", from_tag: "o", to_tag: "", branch: "o", cseq: 1 };
    let number = |text: String, from: &str| text.replace("alice@h", from).replace("bob@h", "+1 (415) 555-0123@h");
    wire.sends(0, 3, 9, &number(outer.request("INVITE", "sip:+14155550123@192.0.2.9", "", ""), "+4930123456@carrier"));
    wire.sends(
        40_000,
        9,
        1,
        &number(CUSTOMER.request("INVITE", "sip:14155550123@192.0.2.1", CONTEXT, ""), "004930123456@sbc").replace("0049", "49"),
    );
    // Somebody else calls the same number from elsewhere.
    let stranger = Sip { call_id: "stranger", from_tag: "s", to_tag: "", branch: "s", cseq: 1 };
    wire.sends(50_000, 4, 9, &number(stranger.request("INVITE", "sip:+14155550123@192.0.2.9", "", ""), "+4940999999@carrier"));
    let reading = wire.read();
    assert_eq!(reading.calls.len(), 2);
    let record = &reading.calls[0].record;
    assert_eq!(record.legs[0].opened.sip_call_id, "customer", "the customer's leg is the first");
    assert_eq!(record.legs[1].ends, Some((Party::Customer, Party::Network)));
    assert!(
        record.timeline.iter().any(|note| note
            .text
            .ends_with("the same numbers (4930123456 to 14155550123) were called 0.0 s later from the host that was called")),
        "{:?}",
        record.timeline
    );
    assert_eq!(ladder(&reading, 0), ["network → customer: INVITE", "customer → bridge: INVITE"]);
}

#[test]
fn a_proxy_between_makes_two_legs_of_one_call() {
    let mut wire = Wire::default();
    let invite = CUSTOMER.request("INVITE", "sip:bob@192.0.2.1", CONTEXT, "");
    wire.sends(0, 9, 8, &invite);
    wire.sends(1_000, 8, 1, &invite.replacen("Max-Forwards: 70", "Max-Forwards: 69", 1));
    let reading = wire.read();
    assert_eq!(reading.calls.len(), 1);
    assert_eq!(reading.calls[0].record.legs.len(), 2);
    assert!(ladder(&reading, 0)[1].ends_with("→ bridge: INVITE"));
}

#[test]
fn two_attempts_of_one_conversation_are_two_calls() {
    let mut wire = Wire::default();
    for (n, call_id) in ["first", "second"].into_iter().enumerate() {
        let sip = Sip { call_id, ..CUSTOMER };
        let after = n as u64 * 20_000_000;
        wire.sends(after, 9, 1, &sip.request("INVITE", "sip:bob@192.0.2.1", CONTEXT, ""));
        wire.sends(after + 1_000, 1, 9, &sip.response("486 Busy Here", "INVITE", "x", ""));
        wire.sends(after + 2_000, 9, 1, &Sip { to_tag: "x", ..sip }.request("ACK", "sip:bob@192.0.2.1", "", ""));
    }
    let reading = wire.read();
    assert_eq!(reading.calls.iter().map(|call| call.record.state).collect::<Vec<_>>(), [CallState::Refused, CallState::Refused]);
    assert_eq!(reading.calls[0].record.ended.as_ref().and_then(|why| why.code), Some(486));
}

#[test]
fn what_is_no_call_stands_beside() {
    let mut wire = Wire(plain_call().into_iter().map(|(after, packet)| (after, ethernet(&packet))).collect());
    let ping = Sip { call_id: "ping", from_tag: "p", to_tag: "", branch: "p", cseq: 1 };
    wire.sends(3_000_000, 9, 1, &ping.request("OPTIONS", "sip:192.0.2.1", "", ""));
    wire.sends(3_001_000, 1, 9, &ping.response("200 OK", "OPTIONS", "q", ""));
    let reading = wire.read();
    assert_eq!((reading.calls.len(), reading.others.len(), reading.totals.messages), (1, 2, 8));
    let record = &reading.calls[0].record;
    assert_eq!(
        (record.state, record.ended.as_ref().map(|why| (why.by, why.reason.as_str()))),
        (CallState::Ended, Some((Party::Customer, "Customer hung up")))
    );
}
