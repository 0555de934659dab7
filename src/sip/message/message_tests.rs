//! Messages in, messages out.

use super::*;

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn request(text: &str) -> Request {
    match message(text) {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response: {text}"),
    }
}

const INVITE: &str = "INVITE sip:+15550100@bridge.example:5060 SIP/2.0\r\n\
    v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport, SIP/2.0/TCP h2;branch=z9hG4bKb\r\n\
    Via: SIP/2.0/UDP h3;branch=z9hG4bKc\r\n\
    Max-Forwards: 70\r\n\
    f: \"Bob, B\" <sip:bob@example.com;x=1>;tag=from1\r\n\
    To: <sip:+15550100@bridge.example>\r\n\
    i: 4711@example.com\r\n\
    CSEQ : 1   INVITE\r\n\
    m: <sip:bob@192.0.2.1>\r\n\
    x-ga-taskname: Order\r\n  status\r\n\t here\r\n\
    X-GA-iv-userName: J\u{fc}rgen\r\n\
    X-GA-IV-empty:\r\n\
    Require: timer , 100REL\r\n\
    c: application/sdp\r\n\
    l: 4\r\n\
    \r\n\
    v=0\nGET / trailing";

#[test]
fn everything_is_found_without_copying() {
    let request = request(INVITE);
    assert_eq!(*request.method(), Method::INVITE);
    assert_eq!(request.uri_text(), "sip:+15550100@bridge.example:5060");
    assert_eq!(request.call_id(), Some("4711@example.com"));
    assert_eq!(request.cseq(), Ok((1, Method::INVITE)));
    assert_eq!(request.max_forwards(), Some(70));
    assert_eq!(request.from_tag().as_deref(), Some("from1"));
    assert_eq!(request.to_tag(), None);
    assert_eq!(request.from().unwrap().display.as_deref(), Some("Bob, B"));
    assert_eq!(request.contact().unwrap().unwrap().uri.as_str(), "sip:bob@192.0.2.1");
    assert_eq!(request.body(), b"v=0\n");
    assert_eq!(request.content_type().as_deref(), Some("application/sdp"));
    assert_eq!(request.verdict(), Ok(()));
}

#[test]
fn via_values_keep_their_order_across_headers() {
    let request = request(INVITE);
    let branches: Vec<_> = request.vias().map(|via| via.unwrap().branch().unwrap().to_owned()).collect();
    assert_eq!(branches, ["z9hG4bKa", "z9hG4bKb", "z9hG4bKc"]);
    assert_eq!(request.top_via().unwrap().sent_by(), "192.0.2.1:5060");
}

#[test]
fn other_headers_compare_without_case_and_keep_their_spelling() {
    let request = request(INVITE);
    assert_eq!(request.other("X-GA-taskName").as_deref(), Some("Order status here"));
    let all: Vec<_> = request.others_with_prefix("X-GA-").map(|(name, value)| (name, value.into_owned())).collect();
    assert_eq!(
        all,
        [
            ("x-ga-taskname", "Order status here".to_owned()),
            ("X-GA-iv-userName", "J\u{fc}rgen".to_owned()),
            ("X-GA-IV-empty", String::new())
        ]
    );
    assert!(request.has_token(HeaderName::Require, "100rel") && !request.has_token(HeaderName::Require, "path"));
}

#[test]
fn no_value_holds_a_line_break() {
    let request = request("OPTIONS sip:a@b SIP/2.0\r\nX: a\rb\r\nY: \r\n a \r\n\t\r\n b\r\n\r\n");
    assert_eq!(request.iter().map(|(_, _, value)| value.into_owned()).collect::<Vec<_>>(), ["a b", "a b"]);
}

#[test]
fn latin_1_is_read_with_replacement() {
    let raw = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nX-GA-iv-n: J\xfcrgen\r\n\r\n";
    let Ok(Message::Request(request)) = Message::parse(Bytes::from_static(raw)) else { panic!("no request") };
    assert_eq!(request.other("X-GA-iv-n").as_deref(), Some("J\u{fffd}rgen"));
    assert_eq!(request.verdict(), Ok(()));
}

#[test]
fn a_response_and_its_phrase() {
    let Message::Response(response) = message("\r\n\r\nSIP/2.0 486 Busy  Here\r\nTo: <sip:a@b>;tag=x>y\r\n\r\n") else {
        panic!("a request")
    };
    assert_eq!((response.code(), response.reason()), (486, "Busy  Here"));
    let Message::Response(response) = message("SIP/2.0 200\r\n\r\n") else { panic!("a request") };
    assert_eq!((response.code(), response.reason()), (200, ""));
}

#[test]
fn what_is_no_sip() {
    for (text, why) in [
        ("", ParseError::Empty),
        ("\r\n\r\n", ParseError::Empty),
        ("GET / HTTP/1.1\r\n\r\n", ParseError::NotSip),
        ("INVITE\r\n\r\n", ParseError::NotSip),
        ("INVITE SIP/2.0\r\n\r\n", ParseError::NotSip),
        ("SIP/2.0\r\n\r\n", ParseError::StatusCode),
        ("SIP/2.0 20\r\n\r\n", ParseError::StatusCode),
        ("SIP/2.0 4294967301 better not break the receiver\r\n\r\n", ParseError::StatusCode),
        ("SIP/2.0 099 x\r\n\r\n", ParseError::StatusCode),
        ("SIP/3.0 200 OK\r\n\r\n", ParseError::NotSip),
    ] {
        assert_eq!(Message::parse(Bytes::copy_from_slice(text.as_bytes())).err(), Some(why), "{text:?}");
    }
}

#[test]
fn too_much_of_anything_is_refused() {
    let many = format!("OPTIONS sip:a@b SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(200));
    assert_eq!(request(&many).verdict().unwrap_err().code(), Some(513));
    let wide = format!("OPTIONS sip:a@b SIP/2.0\r\nX: {}\r\n\r\n", "y".repeat(9000));
    assert_eq!(request(&wide).verdict().unwrap_err().code(), Some(513));
    let large = format!("OPTIONS sip:a@b SIP/2.0\r\n{}\r\n", format!("X: {}\r\n", "y".repeat(1000)).repeat(20));
    assert_eq!(request(&large).verdict().unwrap_err().code(), Some(513));
    let vias = |count: usize| {
        let vias = "Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\n".repeat(count);
        request(&format!(
            "OPTIONS sip:a@b SIP/2.0\r\n{vias}From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
        ))
        .verdict()
    };
    assert_eq!((vias(34), vias(35).unwrap_err().code()), (Ok(()), Some(513)));
    let endless = "OPTIONS sip:a@b SIP/2.0\r\nX: y";
    assert_eq!(request(endless).verdict().unwrap_err().code(), Some(400));
    assert_eq!(Message::parse(Bytes::from(vec![b'A'; 70_000])).err(), Some(ParseError::TooLarge));
}

#[test]
fn duplicates_and_controls_are_refused() {
    let base = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n";
    assert_eq!(request(&format!("{base}\r\n")).verdict(), Ok(()));
    for extra in [
        "To: <sip:a@b>",
        "f: <sip:c@d>;tag=2",
        "i: y",
        "CSeq: 1 OPTIONS",
        "l: 0\r\nContent-Length: 0",
        "X: a\rb",
        "P: q\r\nTo: <sip:a@b>;tag=1;tag=2",
        "X: a\0b",
        "no colon",
        ": x",
        "Content-Length: +1",
        "X: \"a\0\"",
        "X: \\\0",
    ] {
        assert_eq!(request(&format!("{base}{extra}\r\n\r\n")).verdict().unwrap_err().code(), Some(400), "{extra:?}");
    }
}

#[test]
fn what_is_built_reads_like_what_is_parsed() {
    let built = RequestBuilder::new(&Method::REFER, "sip:bob@192.0.2.1;lr")
        .header(HeaderName::Via, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKq;rport")
        .header(HeaderName::From, "<sip:a@b>;tag=1")
        .header(HeaderName::To, "<sip:c@d>;tag=2")
        .header(HeaderName::CallId, "x@y")
        .cseq(7)
        .number(HeaderName::MaxForwards, 70)
        .other("X-GA-tv-name", " value ")
        .other("Supported", "timer")
        .body("text/plain", &b"hello"[..])
        .build()
        .unwrap();
    let parsed = request(std::str::from_utf8(built.raw()).unwrap());
    assert_eq!(built.verdict(), Ok(()));
    let all =
        |request: &Request| request.iter().map(|(name, known, value)| (name.to_owned(), known, value.into_owned())).collect::<Vec<_>>();
    assert_eq!(all(&built), all(&parsed));
    assert_eq!((built.uri_text(), built.body()), (parsed.uri_text(), parsed.body()));
    assert_eq!(built.text(HeaderName::ContentLength).as_deref(), Some("5"));
    assert!(built.has_token(HeaderName::Supported, "timer"));
}

#[test]
fn nothing_can_be_injected() {
    let new = || RequestBuilder::new(&Method::INVITE, "sip:a@b");
    for value in ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "\u{7f}"] {
        assert_eq!(new().header(HeaderName::Subject, value).build().err(), Some(BuildError::Control("Subject".into())));
        assert_eq!(new().other("X-GA-a", value).build().err(), Some(BuildError::Control("X-GA-a".into())));
        assert!(new().body(value, "x").build().is_err());
        assert!(RequestBuilder::new(&Method::INVITE, &format!("sip:a@b{value}")).build().is_err());
        assert!(ResponseBuilder::new(200, value).build().is_err());
    }
    for name in ["", "a b", "a:b", "a\r\nb", "\u{fc}", "Content-Length", "l"] {
        assert!(new().other(name, "x").build().is_err(), "{name:?}");
    }
    assert!(RequestBuilder::new(&Method::INVITE, "sip:a b").build().is_err());
    assert!(RequestBuilder::new(&Method::Other("A B".into()), "sip:a@b").build().is_err());
    assert_eq!(new().other("X", "y".repeat(70_000)).build().err(), Some(BuildError::TooLarge));
}

#[test]
fn a_response_copies_what_it_must() {
    let mut request = request(INVITE);
    request.mark_received("198.51.100.1:7000".parse().unwrap());
    let response = ResponseBuilder::to(&request, 180, "", Some("ours")).build().unwrap();
    assert_eq!((response.code(), response.reason()), (180, "Ringing"));
    assert_eq!(
        response.texts(HeaderName::Via).collect::<Vec<_>>(),
        [
            "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport=7000;received=198.51.100.1, SIP/2.0/TCP h2;branch=z9hG4bKb",
            "SIP/2.0/UDP h3;branch=z9hG4bKc"
        ]
    );
    assert_eq!(response.to_tag().as_deref(), Some("ours"));
    assert_eq!(response.text(HeaderName::CSeq).as_deref(), Some("1   INVITE"));
    assert_eq!(response.call_id(), request.call_id());
}

#[test]
fn a_header_far_behind_is_found() {
    let text = format!("OPTIONS sip:a@b SIP/2.0\r\n{}Subject: one\r\nX: y\r\nSubject: two\r\n\r\n", "X: y\r\n".repeat(300));
    let limits = Limits { headers: 1_000, ..Limits::DEFAULT };
    let message = Message::parse_within(text.into(), &limits).unwrap();
    assert_eq!(message.fields().texts(HeaderName::Subject).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(message.fields().text(HeaderName::Via), None);
}

#[test]
fn a_tag_is_found_however_its_header_is_written() {
    for (to, tag) in [
        ("<sip:b@h>;tag=a1", Some("a1")),
        ("Bob <sip:b@h>;tag=a1", Some("a1")),
        ("\"Bob > ;tag=no\" <sip:b@h>;tag=a1", Some("a1")),
        ("<sip:b@h;tag=no>;x=y;TAG=a1;z", Some("a1")),
        ("sip:b@h;tag=a1", Some("a1")),
        ("<sip:b@h>;tag=\r\n a1", Some("a1")),
        ("<sip:b@h;tag=no>", None),
        ("<sip:b@h>;tag=", None),
    ] {
        let request = request(&format!("OPTIONS sip:b@h SIP/2.0\r\nTo: {to}\r\n\r\n"));
        assert_eq!(request.to_tag().as_deref(), tag, "{to}");
    }
    let twice = INVITE.replace(";tag=from1", ";tag=from1;tag=from2");
    assert_eq!(request(&twice).verdict(), Err(Fault::bad("More Than One Tag")));
    // A bracket between the two makes neither the only one.
    let between = |from: &str| request(&INVITE.replace("\"Bob, B\" <sip:bob@example.com;x=1>;tag=from1", from)).verdict();
    assert_eq!(between("F <sip:a@h>;tag=1;x=>;tag=2"), Err(Fault::bad("More Than One Tag")));
    assert_eq!(between("<sip:a@h>;tag=1;x=>;tag=2"), Err(Fault::bad("Bad From")));
}
