//! Calls as the RFCs draw them: none gives a finding.

use super::lab::*;
use crate::model::{MediaFigures, TransportName};

/// The same call over UDP and over TCP, from a neighbour and from afar.
#[track_caller]
fn clean(what: &str, call: impl Fn(Call) -> Call) {
    for transport in [TransportName::Udp, TransportName::Tcp, TransportName::Tls] {
        let call = call(Call::over(transport));
        let heard = MediaFigures { packets_sent: 500, packets_received: 500, packets_lost: 3, jitter_ms: 8.0, ..MediaFigures::default() };
        assert_eq!(call.heard(heard).findings(), [], "{what} over {}", transport.name());
    }
}

fn invite() -> Text {
    request("INVITE", 1).line("X-GA-taskName", "t").line("X-GA-iv-a", "1").line("Allow", "INVITE, ACK, BYE, REFER").sdp(SDP)
}

fn trying_and_ringing(call: Call, invite: &Text) -> Call {
    call.then(invite).then(&answer(invite, "100 Trying")).then(&answer(invite, "180 Ringing"))
}

#[test]
fn a_call_with_ringing_and_either_side_hanging_up() {
    for bye in [request("BYE", 2), ours("BYE", 1)] {
        clean("RFC 3665 §3.1", |call| {
            let invite = invite();
            let call = trying_and_ringing(call, &invite).then(&answer(&invite, "200 OK").sdp(&our_sdp())).then(&ack(&invite));
            call.after(60_000).done(&bye)
        });
    }
}

#[test]
fn a_challenged_call_that_is_then_admitted() {
    let challenge = "Digest realm=\"handback\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    for (algorithm, given) in [("SHA-256", "algorithm=SHA-256, "), ("MD5", "")] {
        clean("RFC 3665 §3.3", |call| {
            let first = invite();
            let refused = answer(&first, "401 Unauthorized")
                .line("WWW-Authenticate", challenge)
                .line("WWW-Authenticate", "Digest realm=\"handback\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"");
            let mut refused_ack = ack(&first);
            refused_ack = refused_ack.branch("z9hG4bKcINVITE1");
            let again = request("INVITE", 2).sdp(SDP).line(
                "Authorization",
                &format!("Digest username=\"u\", realm=\"handback\", nonce=\"n1\", uri=\"sip:bridge@192.0.2.1\", {given}response=\"00\", qop=auth, cnonce=\"x\", nc=00000001"),
            );
            call.then(&first).then(&refused).then(&refused_ack).up_with(&again).done(&request("BYE", 3))
        });
        assert!(!algorithm.is_empty());
    }
}

#[test]
fn hold_and_resume_from_either_side() {
    let held = SDP.replace("o=- 1 1", "o=- 1 2") + "a=sendonly\r\n";
    let taken = our_sdp().replace("o=- 7 1", "o=- 7 2") + "a=recvonly\r\n";
    let (resumed, talking) = (SDP.replace("o=- 1 1", "o=- 1 3"), our_sdp().replace("o=- 7 1", "o=- 7 3"));
    clean("RFC 5359 §2.1", |call| {
        let (hold, resume) = (request("INVITE", 2).within().sdp(&held), request("INVITE", 3).within().sdp(&resumed));
        call.up()
            .then(&hold)
            .then(&answer(&hold, "200 OK").sdp(&taken))
            .then(&ack(&hold))
            .then(&resume)
            .then(&answer(&resume, "200 OK").sdp(&talking))
            .then(&ack(&resume))
            .done(&ours("BYE", 1))
    });
    clean("UPDATE, RFC 3311", |call| {
        let hold = ours("UPDATE", 1).sdp(&(our_sdp().replace("o=- 7 1", "o=- 7 2") + "a=inactive\r\n"));
        call.up()
            .then(&hold)
            .then(&answer(&hold, "200 OK").sdp(&(SDP.replace("o=- 1 1", "o=- 1 2") + "a=inactive\r\n")))
            .done(&ours("BYE", 2))
    });
}

#[test]
fn a_refer_that_is_taken() {
    let told = |number, status: &str, ends| notify(number, status, ends);
    clean("RFC 5589 §6.1", |call| {
        let refer = refer(1);
        call.up()
            .then(&refer)
            .then(&answer(&refer, "202 Accepted"))
            .done(&told(2, "100 Trying", false))
            .done(&told(3, "180 Ringing", false))
            .done(&told(4, "200 OK", true))
            .done(&ours("BYE", 2))
    });
    clean("a NOTIFY that overtakes the 202, and an id", |call| {
        let refer = refer(1);
        call.up()
            .then(&refer)
            .done(&told(2, "100 Trying", false).again("Event", "refer;id=1"))
            .then(&answer(&refer, "202 Accepted"))
            .done(&told(3, "200 OK", true).again("Event", "refer;id=1"))
            .done(&request("BYE", 4))
    });
    clean("without NOTIFY by agreement, RFC 4488", |call| {
        let refer = refer(1).line("Refer-Sub", "false");
        call.up().then(&refer).then(&answer(&refer, "202 Accepted").line("Refer-Sub", "false")).done(&request("BYE", 2))
    });
    clean("a second REFER after the first failed to be taken, RFC 3515 §2.4.6", |call| {
        let (first, second) = (refer(1).line("Refer-Sub", "false"), refer(2));
        call.up()
            .then(&first)
            .then(&answer(&first, "202 Accepted").line("Refer-Sub", "false"))
            .then(&second)
            .then(&answer(&second, "202 Accepted"))
            .done(&told(2, "200 OK", true).again("Event", "refer;id=2"))
            .done(&ours("BYE", 3))
    });
}

#[test]
fn a_return_by_invite() {
    clean("contract §3", |call| {
        let invite = ours("INVITE", 1).to("<sip:r@192.0.2.30>").line("X-GA-transfer", "SYSTEM").line("X-GA-tv-a", "1").sdp(&our_sdp());
        call.then(&invite)
            .then(&answer(&invite, "100 Trying"))
            .then(&answer(&invite, "200 OK").sdp(SDP))
            .then(&ack(&invite))
            .done(&request("BYE", 1))
    });
}

#[test]
fn a_call_that_is_cancelled() {
    clean("RFC 3665 §3.8", |call| {
        let invite = invite();
        let call = trying_and_ringing(call, &invite).done(&request("CANCEL", 1));
        call.then(&answer(&invite, "487 Request Terminated")).then(&ack(&invite).branch("z9hG4bKcINVITE1"))
    });
}

#[test]
fn an_offer_that_comes_late() {
    clean("RFC 3261 §13.2.1", |call| {
        let invite = request("INVITE", 1);
        call.then(&invite).then(&answer(&invite, "200 OK").sdp(&our_sdp())).then(&ack(&invite).sdp(SDP)).done(&request("BYE", 2))
    });
}

#[test]
fn reliable_ringing_with_early_media() {
    clean("RFC 3262, RFC 3960", |call| {
        let invite = invite().line("Supported", "100rel");
        let early = answer(&invite, "183 Session Progress")
            .line("Require", "100rel")
            .line("RSeq", "9")
            .line("Contact", "<sip:bridge@192.0.2.1>")
            .sdp(&our_sdp());
        call.then(&invite)
            .then(&early)
            .done(&request("PRACK", 2).line("RAck", "9 1 INVITE"))
            .after(3_000)
            .then(&answer(&invite, "200 OK"))
            .then(&ack(&invite))
            .done(&request("BYE", 3))
    });
}

#[test]
fn session_timers_that_are_refreshed() {
    clean("RFC 4028", |call| {
        let invite = invite().line("Session-Expires", "1800").line("Min-SE", "90").line("Supported", "timer");
        let accepted = answer(&invite, "200 OK").line("Session-Expires", "1800;refresher=uac").sdp(&our_sdp());
        let refresh = |number| request("UPDATE", number).line("Session-Expires", "1800;refresher=uac");
        let refreshed = |update: &Text| answer(update, "200 OK").line("Session-Expires", "1800;refresher=uac");
        let (first, second) = (refresh(2), refresh(3));
        call.then(&invite)
            .then(&accepted)
            .then(&ack(&invite))
            .after(900_000)
            .then(&first)
            .then(&refreshed(&first))
            .after(900_000)
            .then(&second)
            .then(&refreshed(&second))
            .after(600_000)
            .done(&ours("BYE", 1))
    });
}

#[test]
fn digits_by_info_and_options_within_the_call() {
    clean("RFC 6086", |call| {
        call.up()
            .done(&request("INFO", 2).body("application/dtmf-relay", "Signal=1\r\nDuration=160\r\n"))
            .done(&ours("OPTIONS", 1))
            .done(&request("BYE", 3))
    });
}

#[test]
fn byes_that_cross() {
    clean("RFC 3261 §15.1.2", |call| {
        let (theirs, ours) = (request("BYE", 2), ours("BYE", 1));
        call.up().then(&theirs).then(&ours).then(&answer(&theirs, "200 OK")).then(&answer(&ours, "200 OK"))
    });
}

#[test]
fn a_customer_behind_a_nat_that_does_it_right() {
    let call = Call::from_afar("198.51.100.7:31000");
    let public = SDP.replace("192.0.2.9", "198.51.100.7");
    let invite = request("INVITE", 1)
        .line("Via", "SIP/2.0/UDP 10.0.0.4:5060;branch=z9hG4bKcINVITE1;rport")
        .again("Contact", "<sip:c@198.51.100.7:31000>")
        .sdp(&public);
    assert_eq!(call.up_with(&invite).done(&ours("BYE", 1)).findings(), []);
    let neighbours = Call::from_afar("10.9.9.9:5060");
    let private = SDP.replace("192.0.2.9", "10.1.2.3");
    let invite = request("INVITE", 1).again("Contact", "<sip:c@100.64.0.1>").sdp(&private);
    assert_eq!(neighbours.up_with(&invite).done(&ours("BYE", 1)).findings(), [], "private among themselves");
}
