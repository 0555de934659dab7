//! What a message costs: an INVITE of 1,500 bytes with eight `X-GA-*` headers, read, asked, and written on as the second leg's INVITE.

use std::hint::black_box;

use bytes::Bytes;
use divan::{AllocProfiler, Bencher};
use handback::sip::message::{HeaderName, Message, Method, Request, RequestBuilder, ResponseBuilder};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Target: at most 1 µs and 2 allocations.
#[divan::bench(sample_size = 256)]
fn lex_and_index(bencher: Bencher<'_, '_>) {
    let wire = invite();
    assert_eq!(wire.len(), 1500);
    bencher.bench_local(|| Message::parse(black_box(&wire).clone()));
}

/// What admission, the transaction and the dialog ask of it.
#[divan::bench(sample_size = 256)]
fn judge(bencher: Bencher<'_, '_>) {
    let request = parsed();
    bencher.bench_local(|| black_box(&request).verdict());
}

/// The context: eight headers by their prefix.
#[divan::bench(sample_size = 256)]
fn read_context(bencher: Bencher<'_, '_>) {
    let request = parsed();
    bencher.bench_local(|| black_box(&request).others_with_prefix("X-GA-").map(|(name, value)| name.len() + value.len()).sum::<usize>());
}

/// Target: at most 4 µs from one leg's bytes to the other's.
#[divan::bench(sample_size = 256)]
fn lex_change_and_write(bencher: Bencher<'_, '_>) {
    let wire = invite();
    bencher.bench_local(|| {
        let Ok(Message::Request(request)) = Message::parse(black_box(&wire).clone()) else { unreachable!("it is a request") };
        second_leg(&request)
    });
}

#[divan::bench(sample_size = 256)]
fn answer_ringing(bencher: Bencher<'_, '_>) {
    let mut request = parsed();
    request.mark_received(([192, 0, 2, 1], 5060).into());
    bencher.bench_local(|| ResponseBuilder::to(black_box(&request), 180, "Ringing", Some("b3a1c77f")).build());
}

fn second_leg(request: &Request) -> Request {
    let forwards = request.max_forwards().unwrap_or(70).saturating_sub(1);
    RequestBuilder::new(&Method::INVITE, "sip:agent@198.51.100.20:5070;transport=udp")
        .header(HeaderName::Via, "SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bK7c1e5a90d2;rport")
        .number(HeaderName::MaxForwards, forwards.into())
        .header(HeaderName::From, "<sip:+15550100@198.51.100.10>;tag=5d2c9e11")
        .header(HeaderName::To, "<sip:agent@198.51.100.20:5070>")
        .header(HeaderName::CallId, "0-9f3c2b1a7e6d5048@198.51.100.10")
        .cseq(1)
        .header(HeaderName::Contact, "<sip:bridge@198.51.100.10:5060>")
        .header(HeaderName::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, NOTIFY, REFER")
        .copy(request, HeaderName::Supported)
        .others(request.others_with_prefix("X-GA-"))
        .body("application/sdp", request.body_bytes())
        .build()
        .unwrap_or_else(|error| unreachable!("{error}"))
}

fn parsed() -> Request {
    match Message::parse(invite()) {
        Ok(Message::Request(request)) => request,
        _ => unreachable!("it is a request"),
    }
}

/// As an SBC sends it; filled up to 1,500 bytes by the length of one value.
fn invite() -> Bytes {
    let body = "v=0\r\no=SBC 3847291 1 IN IP4 192.0.2.10\r\ns=call\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n\
        m=audio 31742 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    let message = |filler: &str| {
        format!(
            "INVITE sip:+15550199@bridge.example.com:5060;user=phone SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK8a7f3e21c0;rport\r\n\
             Record-Route: <sip:192.0.2.1:5060;lr>\r\n\
             Max-Forwards: 69\r\n\
             From: \"Jordan Example\" <sip:+15550100@sbc.example.com;user=phone>;tag=gK0c2f8e91\r\n\
             To: <sip:+15550199@bridge.example.com;user=phone>\r\n\
             Call-ID: 1834927_112839471@192.0.2.1\r\n\
             CSeq: 48213 INVITE\r\n\
             Contact: <sip:+15550100@192.0.2.1:5060>\r\n\
             Allow: INVITE,ACK,CANCEL,BYE,REGISTER,REFER,INFO,SUBSCRIBE,NOTIFY,PRACK,UPDATE,OPTIONS\r\n\
             Supported: timer,100rel,precondition\r\n\
             User-Agent: SBC/9.2.3\r\n\
             P-Asserted-Identity: <sip:+15550100@sbc.example.com>\r\n\
             X-GA-taskName: OrderStatus\r\n\
             X-GA-extConversationId: c0a8-7712-4b1e\r\n\
             X-GA-customerId: 99812\r\n\
             X-GA-iv-firstName: Jordan\r\n\
             X-GA-iv-language: en-US\r\n\
             X-GA-iv-orderNumber: 4471-22\r\n\
             X-GA-iv-tier: gold\r\n\
             X-GA-iv-note: {filler}\r\n\
             Content-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let filler = "n".repeat(1500 - message("").len());
    Bytes::from(message(&filler))
}
