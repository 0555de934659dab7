//! Stories of rules that look at one message.

use super::{Story, lab::*};
use crate::model::{Party, TransportName};

fn of(call: &Call, rules: &[&'static str]) -> Story {
    (rules.to_vec(), call.findings())
}

fn invite() -> Text {
    request("INVITE", 1).sdp(SDP)
}

/// A call that opens with this INVITE.
fn opens(invite: &Text) -> Call {
    Call::new().up_with(invite)
}

fn told(notify: &Text) -> Call {
    let refer = refer(1);
    Call::new().up().then(&refer).then(&answer(&refer, "202 Accepted")).done(notify).done(&super::lab::notify(9, "200 OK", true))
}

pub fn stories() -> Vec<Story> {
    [form(), path(), context(), refers(), notifies(), sessions()].concat()
}

fn form() -> Vec<Story> {
    let answered = |change: fn(Text) -> Text| {
        let ours = ours("INVITE", 1).sdp(&our_sdp());
        Call::new().then(&ours).then(&change(answer(&ours, "200 OK").sdp(SDP))).then(&ack(&ours))
    };
    let reliable = ours("INVITE", 1).sdp(&our_sdp());
    vec![
        of(&Call::new().raw(b"\x00\x01\x02"), &["malformed-message"]),
        of(&Call::new().raw(b"INVITE sip:b SIP/2.0\r\nContact: <sip:a@h>\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\n\r\n"), &["malformed-message"]),
        of(&opens(&request("INVITE", 1).sdp(SDP)).then(&request("INFO", 2).line("Content-Length", "1").body("text/plain", "")), &["malformed-message"]),
        of(&Call::new().raw(b"OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nMax-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c1\r\nCSeq: 1 OPTIONS\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nabcdef"), &["trailing-bytes"]),
        of(&opens(&invite().from("<sip:a@h>")), &["from-tag-missing"]),
        of(&answered(|text| text.to("<sip:customer@192.0.2.9>")), &["to-tag-missing"]),
        of(&opens(&invite().again("Max-Forwards", "2")), &["max-forwards-low"]),
        of(&opens(&invite().line("Via", "SIP/2.0/UDP 192.0.2.9;branch=1;rport")), &["via-branch-of-rfc2543"]),
        of(&opens(&invite().line("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKcINVITE1;rport")), &["via-names-another-transport"]),
        of(&opens_from("192.0.2.9:31000", &invite().line("Via", "SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKcINVITE1")), &["nat-without-rport"]),
        of(&opens(&invite().again("Contact", "sip:c@192.0.2.9;transport=tcp")), &["contact-without-brackets"]),
        of(&opens(&invite().again("Contact", "<sip:c@0.0.0.0>")), &["contact-unspecified"]),
        of(&opens(&invite().without("Contact")), &["invite-without-contact"]),
        of(&answered(|text| text.without("Contact")), &["answer-without-contact"]),
        of(&opens(&invite().start("INVITE sip:bridge:secret@192.0.2.1 SIP/2.0")), &["password-in-uri"]),
        of(&opens(&invite().start("INVITE tel:5550100 SIP/2.0")), &["local-number-without-context"]),
        of(&opens(&invite().line("Session-Expires", "60")), &["session-timer-too-short"]),
        of(
            &Call::new().then(&reliable).then(&answer(&reliable, "180 Ringing").line("Require", "100rel")).then(&answer(&reliable, "200 OK").sdp(SDP)).then(&ack(&reliable)),
            &["reliable-without-rseq"],
        ),
        of(&opens(&invite().line("Record-Route", "<sip:192.0.2.5>")), &["strict-router"]),
        of(&opens(&invite().line("Date", "Mon, 21 Sep 2026 14:03:20 GMT")), &["clock-differs"]),
        of(&opens(&invite().line("User-Agent", "friendly-scanner")), &["scanner"]),
    ]
}

fn opens_from(far: &'static str, invite: &Text) -> Call {
    Call::from_afar(far).up_with(invite)
}

fn path() -> Vec<Story> {
    let long = "x".repeat(1_500);
    let options = request("OPTIONS", 2);
    let far = "198.51.100.7:5060";
    let ours_is_private = {
        let invite = invite();
        let answer_from_home =
            answer(&invite, "200 OK").again("Contact", "<sip:bridge@10.0.0.1>").sdp(&our_sdp().replace(BRIDGE, "10.0.0.1"));
        Call::from_afar(far).then(&invite).then(&answer_from_home).then(&ack(&invite))
    };
    vec![
        of(&opens(&invite().line("X-Long", &long)), &["large-over-udp"]),
        of(&Call::over(TransportName::Tcp).up_with(&invite().line("X-Long", &long)), &[]),
        of(&Call::new().up().then(&options).then(&answer(&options, "200 OK").line("X-Long", &long)), &["response-fragmented"]),
        of(&opens_from(far, &invite().again("Contact", "<sip:c@100.64.0.1>")), &["private-address-in-contact"]),
        of(&opens_from(far, &invite().sdp(&SDP.replace("192.0.2.9", "10.1.2.3"))), &["private-address-in-sdp"]),
        of(&ours_is_private, &["private-address-advertised", "private-address-advertised"]),
    ]
}

fn context() -> Vec<Story> {
    let with = |lines: &[(&str, &str)]| opens(&lines.iter().fold(invite(), |text, (name, value)| text.line(name, value)));
    vec![
        of(&with(&[("X-GA-iv-", "1")]), &["context-variable-without-name"]),
        of(&with(&[("X-GA-iv-userName", "1"), ("X-GA-iv-username", "2")]), &["context-names-differ-in-case"]),
        of(&with(&[("X-GA-iv-a", "1"), ("X-GA-iv-a", "2")]), &["context-header-repeated"]),
        of(&with(&[("X-GA-customerId", "")]), &["context-header-empty"]),
        of(&with(&[("X-GA-taskNam", "t")]), &["context-header-unknown"]),
        of(&with(&[("X-GA-iv-a", "caf\u{FFFD}")]), &["context-not-utf8"]),
        of(&with(&[("X-GA-iv-a", "a\u{80}b")]), &["context-control-characters"]),
        of(&with(&[("X-GA-iv-a", "Zo%C3%AB")]), &["context-value-escaped"]),
        of(&with(&[("X-GA-iv-a", "\"42\"")]), &["context-value-quoted"]),
        // The agent leg and the return repeat it: the customer's fault is told once.
        of(&Call::new().done(&ours("INVITE", 1).to("<sip:agent@192.0.2.20>").line("X-GA-iv-a", "1").line("X-GA-iv-A", "2")), &[]),
    ]
}

fn refers() -> Vec<Story> {
    let sent = |text: &Text| {
        let call = Call::new().up().then(text).then(&answer(text, "202 Accepted"));
        call.done(&notify(2, "200 OK", true))
    };
    let to = |value: &str| sent(&refer(1).again("Refer-To", value));
    let far = Call::from_afar("198.51.100.7:5060");
    let private = refer(1).again("Refer-To", "<sip:r@10.0.0.5?X-GA-transfer=AGENT>");
    let public = SDP.replace(CUSTOMER, "198.51.100.7");
    vec![
        of(&sent(&refer(1).without("Refer-To")), &["refer-to-count"]),
        of(&sent(&refer(1).without("Contact")), &["refer-without-contact"]),
        of(&Call::new().then(&refer(1).to("<sip:customer@192.0.2.9>")), &["refer-outside-dialog"]),
        of(&to("sip:r@h?X-GA-transfer=AGENT"), &["refer-to-without-brackets"]),
        of(&to("<tel:+1999?X-GA-transfer=AGENT>"), &["refer-to-not-sip"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&Via=x>"), &["ignored-uri-header"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-other=1>"), &["payload-header-unknown"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=1&X-GA-tv-a=2>"), &["payload-header-repeated"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=1&X-GA-tv-A=2>"), &["payload-names-differ-in-case"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=caf%E9>"), &["payload-not-utf8"]),
        of(
            &Call::over(TransportName::Tcp)
                .done(
                    &refer(1)
                        .again("Refer-To", &format!("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a={}>", "x".repeat(1_100)))
                        .line("Refer-Sub", "false"),
                )
                .then(&notify(2, "200 OK", true)),
            &["payload-over-limit"],
        ),
        of(&to("<sip:r@h?X-GA-tv-a=1>"), &["outcome-missing"]),
        of(&to("<sip:r@h?X-GA-transfer=HUMAN>"), &["outcome-unknown"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=1%0D%0AEvil:1>"), &["uri-header-injection"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=100%>"), &["broken-percent-escape"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=x%2520y>"), &["double-escaping"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=1;2>"), &["unescaped-character"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=call+back>"), &["plus-is-literal"]),
        of(&to("<sip:r@h?X-GA-transfer=AGENT&X-GA-tv-a=>"), &["variable-empty"]),
        of(
            &far.up_with(&request("INVITE", 1).again("Contact", "<sip:c@198.51.100.7>").sdp(&public))
                .then(&private)
                .then(&answer(&private, "202 Accepted").again("Contact", "<sip:c@198.51.100.7>"))
                .done(&notify(2, "200 OK", true)),
            &["private-address-in-refer-to"],
        ),
    ]
}

fn notifies() -> Vec<Story> {
    let ringing = || notify(2, "180 Ringing", false);
    vec![
        of(&told(&ringing().without("Event")), &["notify-without-event"]),
        of(&told(&ringing().without("Subscription-State")), &["notify-without-subscription-state"]),
        of(
            &told(&request("NOTIFY", 2).line("Event", "refer").line("Subscription-State", "terminated")),
            &["notify-terminated-without-sipfrag"],
        ),
        of(&told(&ringing().body("text/plain", "SIP/2.0 180 Ringing\r\n")), &["notify-content-type"]),
        of(&told(&ringing().body("message/sipfrag", "180 Ringing\r\n")), &["sipfrag-unreadable"]),
        of(&told(&ringing().body("message/sipfrag", "SIP/2.0 180 Ringing\n")), &["sipfrag-bare-lf"]),
    ]
}

fn sessions() -> Vec<Story> {
    let offers = |sdp: &str| {
        let invite = request("INVITE", 1).sdp(sdp);
        Call::new().then(&invite).then(&answer(&invite, "486 Busy Here")).then(&ack(&invite).branch("z9hG4bKcINVITE1"))
    };
    let busy = "target-busy";
    vec![
        of(&offers("v=0\r\nnonsense\r\n"), &["malformed-sdp", busy]),
        of(&offers(&SDP.replace("m=audio", "m=video")), &["sdp-without-audio", busy]),
        of(&offers(&SDP.replace("c=IN IP4 192.0.2.9\r\n", "")), &["sdp-without-address", busy]),
        of(&offers(&SDP.replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0")), &["hold-by-zero-address", busy]),
        of(&offers(&SDP.replace("c=IN IP4 192.0.2.9", "c=IN IP4 239.1.1.1")), &["multicast-address-in-sdp", busy]),
        of(&offers(&(SDP.to_owned() + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\n")), &["media-keys-in-clear", busy]),
    ]
}

#[test]
fn a_session_in_several_parts_is_read() {
    let body = format!("--x\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--x--\r\n", SDP.replace("192.0.2.9", "10.1.2.3"));
    let invite = request("INVITE", 1).body("multipart/mixed;boundary=x", &body);
    let findings = Call::from_afar("198.51.100.7:5060").up_with(&invite).findings();
    assert_eq!(rules(&findings), ["private-address-in-sdp"]);
    assert_eq!(findings[0].side, Party::Customer);
}
