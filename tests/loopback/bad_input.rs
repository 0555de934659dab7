//! Bad input at the running bridge: it stays up, answers what can be answered, and running calls notice nothing.

use std::{fs, net::UdpSocket, path::Path, time::Duration};

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, Bridge, LOOPBACK_BY_REFER},
    http,
    sipp::Sipp,
};

/// Every RFC 4475 message and some worse ones, while a call stands; then that call goes its whole way.
#[test]
fn torture_messages_and_noise_do_not_touch_a_running_call() {
    let mut bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}"));
    let customer = Sipp::caller("customer_takes_refer", bridge.udp).key("task", "patient").start();
    let call = bridge.only_call_in_state("with_agent");

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let torture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rfc4475");
    let mut sent = 0;
    for entry in fs::read_dir(&torture).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "dat") {
            let bytes = fs::read(&path).unwrap();
            for cut in [bytes.len(), bytes.len() / 2, bytes.len().min(16)] {
                socket.send_to(&bytes[..cut], bridge.udp).unwrap();
                sent += 1;
            }
        }
    }
    assert!(sent >= 3 * 49, "49 messages, each whole and cut: {sent}");
    for seed in 0..200u32 {
        socket.send_to(&noise(seed), bridge.udp).unwrap();
    }
    assert!(bridge.is_alive());

    let id = call["id"].as_str().unwrap();
    assert_eq!(bridge.call(id)["state"], "with_agent");
    let body = r#"{"outcome":"SYSTEM","transferVariables":{},"referenceVariables":{}}"#;
    let answer = http::post(bridge.control, &format!("/v1/calls/{id}/return"), body);
    assert!(answer.status / 100 == 2, "{}", String::from_utf8_lossy(&answer.body));
    customer.ends_well();
    assert!(bridge.is_alive());
    let (code, log) = bridge.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

/// What can be answered is answered, with the code that RFC 4475 names. (The Via of badinv01 asks for its answer at port 5060.)
#[test]
fn torture_messages_get_their_answers() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}"));
    for (file, codes) in [
        ("ncl.dat", &[400][..]),
        ("clerr.dat", &[400]),
        ("scalar02.dat", &[400]),
        ("quotbal.dat", &[400]),
        ("badvers.dat", &[505]),
        ("mismatch01.dat", &[400]),
        ("mismatch02.dat", &[400, 501]),
        ("insuf.dat", &[400]),
        ("unkscm.dat", &[416]),
        ("novelsc.dat", &[416]),
        ("bext01.dat", &[420]),
        ("multi01.dat", &[400]),
        ("mcl01.dat", &[400]),
    ] {
        let answer = answer_to(&bridge, file, &torture(file));
        assert!(answer.is_some_and(|code| codes.contains(&code)), "{file}: {answer:?}, not one of {codes:?}");
    }
    // Responses that fit nothing are dropped: whoever sent them gets no answer. The next question is answered first.
    for file in ["scalarlg.dat", "bigcode.dat", "bcast.dat"] {
        assert_eq!(answer_to(&bridge, file, &torture(file)), None, "{file}");
    }
}

fn torture(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rfc4475").join(file)).unwrap()
}

/// The first final answer to this datagram, `None` where an OPTIONS sent after it is answered first.
fn answer_to(bridge: &Bridge, name: &str, bytes: &[u8]) -> Option<u16> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = socket.local_addr().unwrap().port();
    // §18.2.2: the answer goes to the Via's port, unless the request asks for `rport`. Ask for it, to hear it here.
    let bytes = ask_for_rport(bytes);
    socket.send_to(&bytes, bridge.udp).unwrap();
    let question = format!(
        "OPTIONS sip:bridge@{0} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-after-{name};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:test@127.0.0.1>;tag=after\r\nTo: <sip:bridge@{0}>\r\nCall-ID: after-{name}-{port}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        bridge.udp
    );
    socket.send_to(question.as_bytes(), bridge.udp).unwrap();
    let mut buffer = [0; 65_535];
    loop {
        let (length, _) = socket.recv_from(&mut buffer).unwrap_or_else(|fault| panic!("{name}: no answer even to OPTIONS: {fault}"));
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let code: u16 = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"));
        if text.contains(&format!("after-{name}-{port}")) {
            return None;
        }
        if code >= 200 {
            return Some(code);
        }
    }
}

/// Puts `;rport` at the end of the first Via line, whatever else is wrong with the message.
fn ask_for_rport(bytes: &[u8]) -> Vec<u8> {
    let lower = bytes.to_ascii_lowercase();
    let via = ["\nvia:", "\nv:", "\nvia :", "\nv :", "\nvia  :"].iter().filter_map(|name| find(&lower, name.as_bytes())).min();
    let Some(line_ends) = via.and_then(|at| find(&bytes[at + 1..], b"\r\n").map(|end| at + 1 + end)) else { return bytes.to_vec() };
    [&bytes[..line_ends], b";rport", &bytes[line_ends..]].concat()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Seeded bytes, every fourth datagram beginning like a SIP request.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut bytes = if seed.is_multiple_of(4) { b"INVITE sip:a@b SIP/2.0\r\n".to_vec() } else { Vec::new() };
    bytes.extend((0..seed * 7 % 1400).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    }));
    bytes
}
