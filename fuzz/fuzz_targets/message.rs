//! A datagram: whatever it is, reading, judging and answering it never panics, and an answer is itself a message.
#![no_main]

use std::net::SocketAddr;

use bytes::Bytes;
use handback::sip::message::{HeaderName, Message, RequestBuilder, ResponseBuilder, Via};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(data)) else { return };
    let fields = message.fields();
    for (name, known, value) in fields.iter() {
        assert!(!value.contains(['\r', '\n']), "a value is unfolded");
        assert!(known == HeaderName::Other || HeaderName::parse(name.as_bytes()) == known);
        fields.list(known).for_each(drop);
        fields.auth(known).for_each(drop);
        let _ = fields.has_token(known, "100rel");
    }
    let _ = (fields.from(), fields.to(), fields.contact(), fields.top_via(), fields.cseq(), fields.call_id(), fields.max_forwards());
    let _ = (fields.from_tag(), fields.to_tag(), fields.body_bytes());
    let mut noted = fields.clone();
    noted.note_via();
    if let (Ok(noted), Some(Ok(read))) = (noted.top_via(), fields.list(HeaderName::Via).next().map(Via::parse)) {
        assert_eq!(noted, read, "what is noted is what is there");
    }
    match message {
        Message::Response(response) => {
            let _ = (response.verdict(), response.reason());
        }
        Message::Request(mut request) => {
            let _ = request.uri();
            // What the verdict lets through can be answered and handed on; both read back.
            if request.verdict().is_err() {
                return;
            }
            let source: SocketAddr = "192.0.2.9:4711".parse().expect("an address");
            request.mark_received(source);
            request.note_via();
            let answer = ResponseBuilder::to(&request, 200, "OK", Some("tag")).build().expect("an answer to a good request");
            let Ok(Message::Response(read)) = Message::parse(answer.raw().clone()) else { panic!("an answer is a response") };
            let via = read.top_via().expect("the answer's way back");
            assert!(read.code() == 200 && via.received().is_none_or(|ip| ip == source.ip()), "only the packet says where it came from");
            let onward = RequestBuilder::new(request.method(), request.uri_text()).copy(&request, HeaderName::From).build();
            if let Ok(onward) = onward {
                assert!(
                    matches!(Message::parse(onward.raw().clone()), Ok(Message::Request(read)) if read.uri_text() == request.uri_text())
                );
            }
        }
    }
});
