use super::*;

#[test]
fn a_transfer_reads_as_a_ladder() {
    let (record, messages) = sample::transfer();
    let text = text(&record, &messages);
    for line in text.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
    for part in [
        "│──",
        "INVITE 1 variable",
        "200 OK +SDP (again)",
        "REFER SYSTEM 1 variable",
        "NOTIFY 200 OK",
        "● Digit 1",
        "   2.000100",
        "X-GA-tv-next_action  call back",
        "dropped:",
        "73 of 1,024 characters",
        "Return by REFER to sip:r@127.0.0.1:5070: succeeded",
        "End: returned after 2.200 s. Customer took the call back (by return endpoint, 200)",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn what_a_message_holds_cannot_steer_the_terminal() {
    let (mut record, mut messages) = sample::transfer();
    record.from = "\x1b[2J\r\n\u{202e}".into();
    messages[0].bytes = bytes::Bytes::from_static(b"SIP/2.0 200 \x1b[2J\r\n\r\n");
    let text = text(&record, &messages);
    assert!(!text.contains(['\x1b', '\r', '\u{202e}']));
}
