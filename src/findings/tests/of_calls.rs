//! Stories of rules that look at messages together.

use super::{Story, lab::*};
use crate::model::TransportName;

fn of(call: &Call, rules: &[&'static str]) -> Story {
    (rules.to_vec(), call.findings())
}

fn invite() -> Text {
    request("INVITE", 1).sdp(SDP)
}

pub fn stories() -> Vec<Story> {
    [transactions(), dialogs(), answers(), digest(), refusals(), transfers()].concat()
}

fn transactions() -> Vec<Story> {
    let (invite, bye) = (invite(), ours("BYE", 1));
    let ok = answer(&invite, "200 OK").sdp(&our_sdp());
    let refused = answer(&invite, "486 Busy Here");
    let reliable =
        answer(&invite, "183 Session Progress").line("Require", "100rel").line("RSeq", "1").line("Contact", "<sip:bridge@192.0.2.1>");
    let asked = ours("INVITE", 1).sdp(&our_sdp());
    let answered = answer(&asked, "200 OK").sdp(SDP);
    let cancel = request("CANCEL", 1);
    vec![
        of(&Call::new().up().then(&bye).then(&bye).then(&bye).then(&bye), &["request-unanswered"]),
        of(&Call::over(TransportName::Tcp).up().then(&bye).after(6_000).done(&request("BYE", 2)), &["request-unanswered"]),
        of(&Call::new().up().then(&bye), &[]),
        of(&Call::new().then(&invite).then(&ok).then(&ok).then(&ok), &["ack-missing"]),
        of(&Call::new().then(&invite).then(&ok).then(&ok).then(&ack(&invite)).done(&bye), &["retransmitted"]),
        of(&Call::new().up().then(&bye).then(&bye).then(&answer(&bye, "200 OK")), &["retransmitted"]),
        of(&Call::over(TransportName::Tcp).up().then(&bye).then(&bye).then(&answer(&bye, "200 OK")), &["retransmitted-over-tcp"]),
        of(&Call::over(TransportName::Tcp).then(&invite).then(&ok).then(&ok).then(&ack(&invite)), &[]),
        of(&Call::new().then(&invite).then(&refused).then(&refused), &["refusal-unacknowledged", "target-busy"]),
        of(&Call::new().then(&invite).then(&reliable).after(2_000).then(&ok).then(&ack(&invite)), &["prack-missing"]),
        of(
            &Call::new().then(&asked).then(&answered).then(&answered.clone().to("<sip:c@192.0.2.9>;tag=other")).then(&ack(&asked)),
            &["answered-twice"],
        ),
        of(
            &Call::new().then(&invite).then(&cancel).then(&ok).then(&answer(&cancel, "200 OK")).then(&ack(&invite)).done(&bye),
            &["cancel-crossed-answer"],
        ),
        of(&Call::new().then(&invite).done(&cancel).after(3_000).done(&request("OPTIONS", 2)), &["cancelled-without-487"]),
    ]
}

fn dialogs() -> Vec<Story> {
    let timed = invite();
    let accepted = answer(&timed, "200 OK").line("Session-Expires", "90;refresher=uac").sdp(&our_sdp());
    let (hold, bye) = (request("INVITE", 2).within().sdp(SDP), ours("BYE", 1));
    let hung_up = request("BYE", 3).line("Reason", "Q.850;cause=41;text=\"Temporary failure\"");
    vec![
        of(&Call::new().up().done(&request("INFO", 5)).done(&request("INFO", 4)), &["cseq-not-rising"]),
        of(&Call::new().then(&timed).then(&accepted).then(&ack(&timed)).after(70_000).done(&bye), &["session-not-refreshed"]),
        of(
            &Call::new().up().then(&hold).then(&answer(&hold, "491 Request Pending")).then(&ack(&hold).branch("z9hG4bKcINVITE2")),
            &["offers-crossed"],
        ),
        of(&Call::new().up().then(&bye).then(&answer(&bye, "481 Call Does Not Exist")), &["dialog-unknown"]),
        of(&Call::new().up().done(&hung_up), &["hung-up-with-cause"]),
        of(&Call::new().up().done(&request("BYE", 3).line("Reason", "Q.850;cause=16")), &[]),
    ]
}

fn answers() -> Vec<Story> {
    let answered_with = |offer: &str, sdp: &str| {
        let invite = request("INVITE", 1).sdp(offer);
        Call::new().then(&invite).then(&answer(&invite, "200 OK").sdp(sdp)).then(&ack(&invite))
    };
    let (plain, late) = (invite(), request("INVITE", 1));
    let two = SDP.to_owned() + "m=video 5000 RTP/AVP 34\r\n";
    let bare = SDP.replace(" 0 101", " 0").replace("a=rtpmap:101 telephone-event/8000\r\n", "");
    let changed = |from: &str, to: &str| {
        let again = request("INVITE", 2).within().sdp(&SDP.replace(from, to));
        Call::new().up().then(&again).then(&answer(&again, "200 OK").sdp(&our_sdp())).then(&ack(&again))
    };
    vec![
        of(&Call::new().then(&plain).then(&answer(&plain, "200 OK")).then(&ack(&plain)), &["answer-missing"]),
        of(&Call::new().then(&late).then(&answer(&late, "200 OK").sdp(&our_sdp())).then(&ack(&late)), &["answer-missing"]),
        of(&answered_with(&two, &our_sdp()), &["media-lines-differ"]),
        of(&answered_with(SDP, &our_sdp().replace(" 0 101", " 8 101")), &["codec-mismatch"]),
        of(&answered_with(SDP, &our_sdp().replace("101", "96")), &["payload-type-differs"]),
        of(&answered_with(SDP, &bare.replace(CUSTOMER, BRIDGE)), &["dtmf-refused"]),
        of(&answered_with(&(SDP.to_owned() + "a=sendonly\r\n"), &our_sdp()), &["direction-contradicts"]),
        of(&changed("4000", "4002"), &["sdp-version-not-raised"]),
        of(&changed("o=- 1 1", "o=- 5 1"), &["sdp-session-changed"]),
    ]
}

/// The customer's INVITE, a challenge, and the INVITE again with these credentials.
fn challenged(challenge: &str, credentials: &str, end: &str) -> Call {
    let first = invite();
    let again = request("INVITE", 2).sdp(SDP).line("Authorization", credentials);
    let refused = answer(&first, "401 Unauthorized").line("WWW-Authenticate", challenge);
    let call = Call::new().then(&first).then(&refused).then(&ack(&first).branch("z9hG4bKcINVITE1"));
    match end {
        "200 OK" => call.up_with(&again),
        _ => call.then(&again).then(&answer(&again, end).line("WWW-Authenticate", challenge)).then(&ack(&again).branch("z9hG4bKcINVITE2")),
    }
}

fn digest() -> Vec<Story> {
    let challenge = "Digest realm=\"handback\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    let right = "Digest username=\"u\", realm=\"handback\", nonce=\"n1\", uri=\"sip:bridge@192.0.2.1\", algorithm=SHA-256, response=\"00\", qop=auth, cnonce=\"x\", nc=00000001";
    let with = |from: &str, to: &str| challenged(challenge, &right.replace(from, to), "200 OK");
    let first = invite();
    let alone = Call::new()
        .then(&first)
        .then(&answer(&first, "401 Unauthorized").line("WWW-Authenticate", challenge))
        .then(&ack(&first).branch("z9hG4bKcINVITE1"));
    let bye = ours("BYE", 1);
    vec![
        of(&challenged(challenge, right, "200 OK"), &[]),
        of(&alone.after(2_000).done(&request("OPTIONS", 3)), &["credentials-missing"]),
        of(&challenged(challenge, right, "401 Unauthorized"), &["credentials-refused"]),
        of(&with("realm=\"handback\"", "realm=\"asterisk\""), &["wrong-realm"]),
        of(&with("algorithm=SHA-256, ", ""), &["wrong-algorithm"]),
        of(&with("sip:bridge@192.0.2.1", "sip:bridge@10.0.0.1"), &["digest-of-another-uri"]),
        of(&with("cnonce=\"x\", ", ""), &["qop-without-cnonce"]),
        of(&with("nc=00000001", "nc=00000002"), &["nonce-count-wrong"]),
        of(&challenged(&format!("{challenge}, stale=true"), right, "200 OK"), &["nonce-stale"]),
        of(
            &challenged("Digest realm=\"handback\", nonce=\"n1\", algorithm=SHA3", right, "200 OK"),
            &["challenge-unanswerable", "wrong-algorithm"],
        ),
        of(
            &Call::new().up().then(&bye).then(&answer(&bye, "407 Proxy Authentication Required").line("Proxy-Authenticate", challenge)),
            &["challenged-in-dialog"],
        ),
        of(&Call::new().up_with(&invite().line("Authorization", "Basic dTpw")), &["basic-authentication"]),
    ]
}

fn refusals() -> Vec<Story> {
    let asked = ours("INVITE", 1).to("<sip:customer@192.0.2.9>").sdp(&our_sdp());
    let called = |status: &str, more: &[(&str, &str)]| {
        let end = more.iter().fold(answer(&asked, status), |text, (name, value)| text.line(name, value));
        Call::new().then(&asked).then(&end).then(&ack(&asked).branch("z9hG4bKbINVITE1"))
    };
    let mine = invite();
    let full = Call::new()
        .then(&mine)
        .then(&answer(&mine, "503 Service Unavailable").line("Retry-After", "5"))
        .then(&ack(&mine).branch("z9hG4bKcINVITE1"));
    let (hold, told, info) =
        (ours("INVITE", 2).within().to("<sip:customer@192.0.2.9>;tag=c").sdp(&our_sdp()), notify(2, "200 OK", true), ours("INFO", 2));
    vec![
        of(&called("302 Moved Temporarily", &[("Contact", "<sip:x@192.0.2.8>")]), &["redirect-not-followed"]),
        of(&called("400 Bad Request", &[]), &["request-rejected-as-bad"]),
        of(&called("403 Forbidden", &[]), &["call-forbidden"]),
        of(&called("404 Not Found", &[]), &["target-unknown"]),
        of(&called("501 Not Implemented", &[]), &["method-not-allowed"]),
        of(&called("488 Not Acceptable Here", &[("Warning", "305 h \"no codec\"")]), &["offer-refused"]),
        of(&called("408 Request Timeout", &[]), &["target-silent"]),
        of(&called("420 Bad Extension", &[("Unsupported", "100rel")]), &["extension-required"]),
        of(&called("422 Session Interval Too Small", &[("Min-SE", "600")]), &["session-timer-refused"]),
        of(&called("600 Busy Everywhere", &[]), &["target-busy"]),
        of(&called("483 Too Many Hops", &[]), &["routing-loop"]),
        of(&full, &["call-overload"]),
        of(&called("500 Server Internal Error", &[]), &["server-failure"]),
        of(&called("499 Whatever", &[]), &["call-refused"]),
        of(
            &Call::new().up().then(&hold).then(&answer(&hold, "488 Not Acceptable Here")).then(&ack(&hold).branch("z9hG4bKbINVITE2")),
            &["change-refused"],
        ),
        of(&Call::new().up().then(&told).then(&answer(&told, "489 Bad Event")), &["notify-refused"]),
        of(&Call::new().up().then(&info).then(&answer(&info, "405 Method Not Allowed")), &["method-not-allowed"]),
        of(&Call::new().then(&mine).then(&answer(&mine, "403 Forbidden")).then(&ack(&mine).branch("z9hG4bKcINVITE1")), &[]),
    ]
}

fn transfers() -> Vec<Story> {
    let refer_1 = refer(1);
    let accepted = || Call::new().up().then(&refer_1).then(&answer(&refer_1, "202 Accepted"));
    let trying = || notify(2, "100 Trying", false);
    let done = |id: &str| notify(3, "200 OK", true).again("Event", id);
    let declined = answer(&refer_1, "603 Decline");
    let shy = invite().line("Allow", "INVITE, ACK, BYE");
    let refer_2 = refer(2);
    vec![
        of(&Call::new().up().then(&refer_1), &[]),
        of(&Call::new().up().then(&refer_1).then(&declined), &["refer-refused"]),
        of(&Call::new().up_with(&shy).then(&refer_1).then(&declined), &["refer-not-in-allow"]),
        of(&accepted().done(&ours("BYE", 2)), &["refer-without-notify"]),
        of(&accepted().done(&trying()).done(&ours("BYE", 2)), &["transfer-outcome-unknown"]),
        of(&accepted().done(&trying()).done(&notify(3, "603 Decline", true)), &["transfer-failed-after-202"]),
        of(&accepted().done(&trying()).done(&request("BYE", 3)), &["bye-before-final-notify"]),
        of(
            &accepted().done(&trying()).after(31_000).done(&ours("BYE", 2)).after(1_000).done(&notify(3, "408 Request Timeout", true)),
            &["notify-too-late"],
        ),
        of(&accepted().done(&trying()).done(&done("refer;id=7")), &["transfer-outcome-unknown", "notify-of-another-refer"]),
        of(&accepted().done(&trying()).then(&refer_2).then(&answer(&refer_2, "202 Accepted")).done(&done("refer")), &["notify-id-missing"]),
    ]
}
