//! What the rules cost at a call's end, on the engine's thread: a clean call of 14 messages with context, REFER and NOTIFYs.
//! Target: at most 40 µs.

#![allow(clippy::unwrap_used, reason = "a benchmark stops where something is amiss")]

use std::hint::black_box;

use bytes::Bytes;
use divan::{AllocProfiler, Bencher};
use handback::{
    findings,
    model::{CallEvent, CallId, CallRecord, CapturedMessage, Direction, LegId, LegOpened, LegRole, MediaFigures, Timestamp, TransportName},
    sip::message::Message,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// All rules over the call.
#[divan::bench(sample_count = 500, sample_size = 64)]
fn clean_call_of_14_messages(bencher: Bencher<'_, '_>) {
    let (record, messages) = (record(), messages());
    assert_eq!(findings::of_call(&record, &messages), []);
    bencher.bench_local(|| findings::of_call(black_box(&record), black_box(&messages)));
}

/// What reading the messages costs of that: no rule can be cheaper.
#[divan::bench(sample_count = 500, sample_size = 64)]
fn parse_14_messages(bencher: Bencher<'_, '_>) {
    let messages = messages();
    bencher.bench_local(|| messages.iter().filter(|m| Message::parse(black_box(&m.bytes).clone()).is_ok()).count());
}

fn record() -> CallRecord {
    let mut record = CallRecord::new(CallId(1), Timestamp(0));
    let opened = LegOpened {
        leg: LegId(0),
        role: LegRole::Customer,
        sip_call_id: CALL_ID.into(),
        remote: "127.0.0.1:35040".parse().unwrap(),
        uri: "sip:test-call@127.0.0.1".into(),
        incoming: true,
    };
    record.apply(Timestamp(0), &CallEvent::LegOpened(opened));
    let figures = MediaFigures { packets_sent: 500, packets_received: 500, ..MediaFigures::default() };
    record.apply(Timestamp(10), &CallEvent::MediaMeasured { leg: LegId(0), figures: figures.into() });
    record
}

fn messages() -> Vec<CapturedMessage> {
    let caller = format!("From: <sip:test-call@127.0.0.1>;tag={CALLER}\r\nTo: <sip:bridge@127.0.0.1:5060>");
    let called = format!("From: <sip:bridge@127.0.0.1:5060>;tag={CALLED}\r\nTo: <sip:test-call@127.0.0.1>;tag={CALLER}");
    let (in_dialog, contact) = (format!("{caller};tag={CALLED}"), "Contact: <sip:customer@127.0.0.1:35040>\r\n");
    let request = |uri: &str, from_to: &str, method: &str, number: u32, more: &str, body: &str| {
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:35040;rport;branch=z9hG4bK{method}{number}8541f2333b\r\nMax-Forwards: 70\r\n{from_to}\r\nCall-ID: {CALL_ID}\r\nCSeq: {number} {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let response = |code: &str, from_to: &str, method: &str, number: u32, more: &str, body: &str| {
        format!(
            "SIP/2.0 {code}\r\nVia: SIP/2.0/UDP 127.0.0.1:35040;rport=35040;branch=z9hG4bK{method}{number}8541f2333b;received=127.0.0.1\r\n{from_to}\r\nCall-ID: {CALL_ID}\r\nCSeq: {number} {method}\r\nServer: Handback/0.1.0\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let notify = |number: u32, state: &str, sipfrag: &str| {
        let more = format!("{contact}Event: refer;id=1\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n");
        request("sip:bridge@127.0.0.1:5060", &in_dialog, "NOTIFY", number, &more, &format!("SIP/2.0 {sipfrag}\r\n"))
    };
    let session = |rtp: u16, formats: &str| {
        format!(
            "v=0\r\no=- 1442393537539407324 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {rtp} RTP/AVP {formats}\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        )
    };
    let abilities =
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, INFO, UPDATE, PRACK\r\nSupported: 100rel, timer, norefersub\r\n";
    let context = "X-GA-taskName: call_routing\r\nX-GA-extConversationId: c-1\r\nX-GA-customerId: 4711\r\nX-GA-iv-accountNumber: 12345\r\nX-GA-iv-customerName: Zoë\r\n";
    let refer_to = "<sip:return@127.0.0.1:5999?X-GA-extConId=c-1&X-GA-transfer=SYSTEM&X-GA-tv-next_action=schedule_callback&X-GA-tv-callback_window=today%2014:00-16:00&X-GA-rv-account=42&X-GA-rv-customer_name=Zo%C3%AB>";
    use Direction::{In, Out};
    let invite = format!("{contact}{abilities}User-Agent: Handback/0.1.0 (customer)\r\n{context}Content-Type: application/sdp\r\n");
    let answered = format!("Contact: <sip:bridge@127.0.0.1:5060>\r\n{abilities}Content-Type: application/sdp\r\n");
    let refer = format!("Contact: <sip:bridge@127.0.0.1:5060>\r\nRefer-To: {refer_to}\r\nReferred-By: <sip:bridge@127.0.0.1:5060>\r\n");
    let texts = [
        (In, request("sip:bridge@127.0.0.1:5060", &caller, "INVITE", 1, &invite, &session(30_000, "0 8 101"))),
        (Out, response("100 Trying", &caller, "INVITE", 1, "", "")),
        (Out, response("200 OK", &in_dialog, "INVITE", 1, &answered, &session(40_000, "0 101"))),
        (In, request("sip:bridge@127.0.0.1:5060", &in_dialog, "ACK", 1, "", "")),
        (Out, request("sip:customer@127.0.0.1:35040", &called, "REFER", 1, &refer, "")),
        (In, response("202 Accepted", &called, "REFER", 1, contact, "")),
        (In, notify(2, "active;expires=60", "100 Trying")),
        (Out, response("200 OK", &in_dialog, "NOTIFY", 2, "", "")),
        (In, notify(3, "active;expires=60", "180 Ringing")),
        (Out, response("200 OK", &in_dialog, "NOTIFY", 3, "", "")),
        (In, notify(4, "terminated;reason=noresource", "200 OK")),
        (Out, response("200 OK", &in_dialog, "NOTIFY", 4, "", "")),
        (Out, request("sip:customer@127.0.0.1:35040", &called, "BYE", 2, "", "")),
        (In, response("200 OK", &called, "BYE", 2, "", "")),
    ];
    let captured = |(number, (direction, text)): (u64, (Direction, String))| CapturedMessage {
        number,
        at: Timestamp(number * 1_000),
        direction,
        leg: Some(LegId(0)),
        transport: TransportName::Udp,
        local: "127.0.0.1:5060".parse().unwrap(),
        remote: "127.0.0.1:35040".parse().unwrap(),
        retransmission: false,
        bytes: Bytes::from(text),
    };
    (0..).zip(texts).map(captured).collect()
}

const CALL_ID: &str = "00568e593f226259ae3c22d243956780ae";
const CALLER: &str = "00000000b479c6177a9d556d";
const CALLED: &str = "000000006ebdeda41ac737b9";
