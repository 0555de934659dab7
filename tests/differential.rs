//! Our reader of messages beside another's (`sipx-sip`): what both accept, both must understand alike.
//!
//! The messages are the torture corpora and some of our own, mutated by a seeded generator. Either reader may be the stricter one.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use handback::sip::message::{HeaderName, Message, NameAddr};
use sipx_sip::headers::{CSeq, CallId, Via};
use sipx_sip::{Address, Limits, parse_datagram};

const SEEDS: u64 = 6_000;

#[test]
fn what_both_accept_both_understand_alike() {
    let corpus = corpus();
    let mut both = 0;
    for (name, message) in &corpus {
        both += u64::from(agree(name, message));
    }
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let (name, message) = &corpus[random.below(corpus.len())];
        let mutated = mutate(message, &corpus, &mut random);
        both += u64::from(agree(&format!("{name}, seed {seed}"), &mutated));
    }
    // The comparison is worth something only while a good part of the messages survive mutation.
    assert!(both > SEEDS / 8, "only {both} of {SEEDS} compared");
}

/// Whether both took the message; panics where they understood it differently.
fn agree(name: &str, wire: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(wire);
    let (Ok(ours), Ok(theirs)) = (Message::parse(bytes.clone()), parse_datagram(bytes, &Limits::datagram())) else {
        return false;
    };
    let accepted = match &ours {
        Message::Request(request) => request.verdict().is_ok(),
        Message::Response(response) => response.verdict().is_ok(),
    };
    if !accepted {
        return false;
    }
    let shown = String::from_utf8_lossy(wire);
    match (&ours, &theirs) {
        (Message::Request(ours), sipx_sip::Message::Request(theirs)) => {
            assert_eq!(ours.method().as_str().as_bytes(), theirs.method.as_bytes(), "{name}: method\n{shown}");
            assert_eq!(ours.uri_text().as_bytes(), &*theirs.uri.to_bytes(), "{name}: Request-URI\n{shown}");
        }
        (Message::Response(ours), sipx_sip::Message::Response(theirs)) => {
            assert_eq!(ours.code(), theirs.status.code(), "{name}: code\n{shown}");
            // The one exception: a phrase that is not UTF-8, which nobody needs, is empty to us.
            if std::str::from_utf8(&theirs.reason).is_ok() {
                assert_eq!(ours.reason().as_bytes(), &*theirs.reason, "{name}: phrase\n{shown}");
            }
        }
        _ => panic!("{name}: a request to one, a response to the other\n{shown}"),
    }
    let fields = ours.fields();
    assert_eq!(fields.body(), &**theirs.body(), "{name}: body\n{shown}");

    let our_headers: Vec<(String, String)> = fields.iter().map(|(written, known, value)| (title(written, known), tidy(&value))).collect();
    let their_headers: Vec<(String, String)> = theirs
        .headers()
        .iter()
        .map(|header| {
            let written = String::from_utf8_lossy(header.name().canonical()).into_owned();
            let known = HeaderName::parse(written.as_bytes());
            (title(&written, known), tidy(&String::from_utf8_lossy(&header.value())))
        })
        .collect();
    assert_eq!(our_headers, their_headers, "{name}: headers\n{shown}");

    if let Some(Ok(call_id)) = theirs.headers().typed::<CallId>() {
        assert_eq!(fields.call_id().map(str::as_bytes), Some(&*call_id.0), "{name}: Call-ID\n{shown}");
    }
    if let Some(Ok(cseq)) = theirs.headers().typed::<CSeq>() {
        let (number, method) = fields.cseq().unwrap_or_else(|error| panic!("{name}: CSeq {error}\n{shown}"));
        assert_eq!((number, method.as_str().as_bytes()), (cseq.sequence, cseq.method.as_bytes()), "{name}: CSeq\n{shown}");
    }
    if let Some(Ok(theirs)) = theirs.headers().typed::<Via>() {
        let via = fields.top_via().unwrap_or_else(|error| panic!("{name}: Via {error}\n{shown}"));
        assert_eq!(via.transport_text().as_bytes(), theirs.transport, "{name}: transport\n{shown}");
        assert_eq!(via.port(), theirs.port, "{name}: Via port\n{shown}");
        let branch = theirs.params.iter().find(|param| param.name.eq_ignore_ascii_case(b"branch")).and_then(|param| param.value.as_deref());
        let branch = branch.filter(|branch| !branch.is_empty());
        assert_eq!(via.param("branch").map(str::as_bytes).filter(|branch| !branch.is_empty()), branch, "{name}: branch\n{shown}");
    }
    for (header, label) in [(HeaderName::From, "From"), (HeaderName::To, "To")] {
        let (Some(value), Ok(address)) = (fields.text(header), fields.address(header)) else { panic!("{name}: {label}\n{shown}") };
        if let Ok(theirs) = Address::parse(value.as_bytes(), label) {
            compare_address(&format!("{name}: {label}\n{shown}"), &address, &theirs);
        }
    }
    true
}

fn compare_address(about: &str, ours: &NameAddr, theirs: &Address) {
    assert_eq!(ours.uri.as_str().as_bytes(), &*theirs.uri.to_bytes(), "{about}");
    assert_eq!(ours.tag().map(str::as_bytes), theirs.tag(), "{about}");
    let display = theirs.display_name.as_deref().map(String::from_utf8_lossy);
    assert_eq!(ours.display.as_deref().unwrap_or(""), display.as_deref().unwrap_or(""), "{about}");
}

fn title(written: &str, known: HeaderName) -> String {
    if known == HeaderName::Other { written.to_ascii_lowercase() } else { known.canonical().to_ascii_lowercase() }
}

/// A fold is one space to both; the blanks before it are the oracle's to keep, and ours to drop (§7.3.1: the same meaning).
fn tidy(value: &str) -> String {
    value.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn corpus() -> Vec<(String, Vec<u8>)> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut corpus = Vec::new();
    for folder in ["rfc4475", "rfc5118"] {
        for entry in fs::read_dir(data.join(folder)).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if name.starts_with("LICENSE") || name.ends_with(".tsv") {
                continue;
            }
            let mut bytes = fs::read(&path).expect("the file can be read");
            if folder == "rfc5118" {
                bytes = String::from_utf8(bytes).expect("the archive is UTF-8").replace('\n', "\r\n").into_bytes();
            }
            corpus.push((name, bytes));
        }
    }
    // Read in any order, mutated in one.
    corpus.sort();
    corpus.extend(OURS.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())));
    corpus
}

const OURS: &[(&str, &str)] = &[
    (
        "refer",
        "REFER sip:bob@192.0.2.1:5060;transport=udp SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK77;rport\r\n\
         Max-Forwards: 70\r\nf: \"Bridge, the\" <sip:bridge@192.0.2.9>;tag=a1\r\nt: <sip:bob@192.0.2.1>;tag=b2\r\ni: 4f@192.0.2.9\r\n\
         CSeq: 3 REFER\r\nm: <sip:bridge@192.0.2.9:5060>\r\nr: <sip:return@sbc.example.com;user=phone?X-GA-transfer=SYSTEM&X-GA-tv-a=b%20c>\r\n\
         b: <sip:bridge@192.0.2.9>\r\nl: 0\r\n\r\n",
    ),
    (
        "notify",
        "NOTIFY sip:bridge@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/TCP [2001:db8::1]:5062;branch=z9hG4bK78\r\nFrom: sip:bob@example.com;tag=b2\r\n\
         To: Bridge <sip:bridge@192.0.2.9>;tag=a1\r\nCall-ID: 4f@192.0.2.9\r\nCSeq: 9 NOTIFY\r\nEvent: refer;id=3\r\n\
         Subscription-State: active;expires=60\r\nContent-Type: message/sipfrag\r\nContent-Length: 16\r\n\r\nSIP/2.0 200 OK\r\n",
    ),
    (
        "ok",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK79;received=192.0.2.9;rport=5060\r\n\
         Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nFrom: <sip:a@b>;tag=1\r\nTo: \"A \\\"B\\\"\" <sip:c@d>;tag=2\r\n\
         Call-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:c@192.0.2.3>\r\nX-GA-iv-name: one,\r\n  two\r\nContent-Length: 3\r\n\r\nabc",
    ),
];

/// One to four changes: bytes set, cut or doubled, words swapped in that mean something, lines taken from elsewhere.
fn mutate(message: &[u8], corpus: &[(String, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    const WORDS: &[&[u8]] = &[
        b"\r\n ",
        b"\r\n\t",
        b" ",
        b"\t",
        b",",
        b";",
        b"\"",
        b"\\",
        b"<",
        b">",
        b":",
        b"@",
        b"=",
        b"%",
        b"%41",
        b"?",
        b"&",
        b"[::1]",
        b"\xff",
        b"\xc3\xbc",
        b"\0",
        b"\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"v",
        b"tag=",
        b"SIP/2.0",
        b"0",
        b"4294967296",
        b"-1",
        b"*",
        b"sip:",
        b"tel:+1",
        b"''",
    ];
    let mut bytes = message.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len().max(1)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = random.next() as u8,
            1 => bytes.splice(at..at, WORDS[random.below(WORDS.len())].iter().copied()).for_each(drop),
            2 => bytes.drain(at..(at + random.below(6)).min(bytes.len())).for_each(drop),
            3 => {
                let end = (at + random.below(30)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy).for_each(drop);
            }
            4 => {
                let (_, other) = &corpus[random.below(corpus.len())];
                let lines: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
                let line = [lines[random.below(lines.len())], b"\n"].concat();
                let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                bytes.splice(start..start, line).for_each(drop);
            }
            _ => {
                let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
                bytes[start..end].make_ascii_uppercase();
            }
        }
    }
    bytes
}

/// SplitMix64: the same messages in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
