//! The calls of the design's picture.

use super::{
    RETURNING, WITH_AGENT,
    script::{Call, SDP, Script, invite, payload, request, response},
};
use crate::model::{
    Admission, AgentKind, CallEvent, CallState, Direction, Ended, Finding, LegId, LegRole, Outcome, Party, Payload, PayloadPart,
    ReturnMethod, ReturnVerdict, Severity, Variables,
};

fn digest(user: &str) -> Admission {
    Admission::Digest { user: user.to_owned(), algorithm: "SHA-256".to_owned() }
}

fn network() -> Admission {
    Admission::Network("10.4.0.0/16".to_owned())
}

pub fn with_agent() -> Call {
    let mut s = Script::new(WITH_AGENT.0, -22, "customer@your-sbc.example.com", "10.4.2.11:5060", false);
    s.leg(0, 0, LegRole::Customer, "call-12352@your-sbc.example.com", "10.4.2.11:5060", true);
    s.message(0, 0, Direction::In, &invite("conv-12352", ""));
    s.admitted(300, network());
    s.context(400, "call_routing", "conv-12352");
    s.agent(1_000, 31_000);
    s.message(44_000, 0, Direction::Out, &response("200 OK", "INVITE", "", SDP));
    s.media(1_000_000);
    s.done()
}

pub fn ringing() -> Call {
    let mut s = Script::new(12_346, 11, "+14155550123@10.4.2.12", "10.4.2.12:5060", false);
    s.leg(0, 0, LegRole::Customer, "call-12346@10.4.2.12", "10.4.2.12:5060", true);
    s.message(0, 0, Direction::In, &invite("0867617078-003", ""));
    s.message(500_000, 0, Direction::In, &invite("0867617078-003", ""));
    s.admitted(300, digest("sbc-east"));
    s.context(400, "billing_help", "0867617078-003");
    s.event(1_000, CallEvent::AgentInvited { kind: AgentKind::Script, target: "demo script".to_owned() });
    s.done()
}

pub fn returned() -> Call {
    let mut s = Script::new(12_344, 117, "+14155550199@10.4.2.12", "10.4.2.12:5060", false);
    s.leg(0, 0, LegRole::Customer, "call-12344@10.4.2.12", "10.4.2.12:5060", true);
    s.admitted(300, network());
    s.context(400, "card_activation", "conv-12344");
    s.agent(1_000, 31_000);
    s.media(1_000_000);
    let small = Payload { used: 412, limit: 1_024, ..Payload::default() };
    s.event(
        60_000_000,
        CallEvent::AgentEnded {
            outcome: Outcome::Agent,
            current_task: None,
            transfer: Variables::new(),
            reference: Variables::new(),
            by: Party::Agent,
        },
    );
    s.event(
        60_010_000,
        CallEvent::ReturnStarted {
            method: ReturnMethod::Invite,
            uri: "sip:transfer@your-sbc.example.com".to_owned(),
            payload: Some(small.into()),
        },
    );
    s.event(61_000_000, CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded });
    let why = Ended::new("Customer hung up", Party::Customer, None);
    s.event(97_000_000, CallEvent::CallEnded { state: CallState::Returned, why });
    s.done()
}

pub fn refused_return() -> Call {
    let mut s = Script::new(12_343, 149, "customer@lab-sbc", "10.4.2.14:5060", false);
    s.leg(0, 0, LegRole::Customer, "call-12343@lab-sbc", "10.4.2.14:5060", true);
    s.admitted(300, network());
    s.context(400, "call_routing", "conv-12343");
    s.agent(1_000, 31_000);
    let small = Payload { used: 208, limit: 1_024, ..Payload::default() };
    s.event(
        36_000_000,
        CallEvent::AgentEnded {
            outcome: Outcome::System,
            current_task: None,
            transfer: Variables::new(),
            reference: Variables::new(),
            by: Party::Agent,
        },
    );
    s.event(
        36_001_000,
        CallEvent::ReturnStarted { method: ReturnMethod::Refer, uri: "sip:transfer@lab-sbc".to_owned(), payload: Some(small.into()) },
    );
    let why = Ended::new("REFER refused with 603 Decline", Party::Customer, Some(603));
    s.event(36_200_000, CallEvent::ReturnFailed { why: why.clone() });
    s.event(36_300_000, finding("refer-refused", Severity::Error, "REFER was refused with 603 Decline", vec![]));
    s.event(36_400_000, finding("refer-over-udp", Severity::Warning, "REFER is 1,388 bytes over UDP", vec![]));
    s.event(37_000_000, CallEvent::CallEnded { state: CallState::Failed, why });
    s.done()
}

pub fn rejected() -> Call {
    let mut s = Script::new(12_342, 247, "1001@203.0.113.77", "203.0.113.77:5060", false);
    s.leg(0, 0, LegRole::Customer, "scan-1", "203.0.113.77:5060", true);
    s.message(0, 0, Direction::In, "INVITE sip:900@10.9.0.5 SIP/2.0\nCSeq: 1 INVITE\n\n");
    s.message(400, 0, Direction::Out, &response("403 Forbidden", "INVITE", "", ""));
    let seen = "An INVITE from 203.0.113.77 was refused: the address is in no peer's networks";
    s.event(500, finding("not-admitted", Severity::Error, seen, vec![0]));
    let why = Ended::new("not on any peer's networks", Party::Bridge, Some(403));
    s.event(600, CallEvent::CallEnded { state: CallState::Refused, why });
    s.done()
}

fn finding(rule: &'static str, severity: Severity, seen: &str, messages: Vec<u32>) -> CallEvent {
    let why = "Above 1,300 bytes RFC 3261 §18.1.1 asks for TCP; fragments are often lost";
    let cure = "Let the SBC offer TCP, or shorten the payload";
    CallEvent::FindingRaised {
        finding: Finding {
            rule: rule.into(),
            severity,
            seen: seen.to_owned(),
            why: why.into(),
            side: Party::Customer,
            cure: cure.into(),
            messages,
        },
    }
}

pub fn returning() -> Call {
    let mut s = Script::new(RETURNING.0, 0, "customer@your-sbc.example.com", "10.4.2.11:5060", false);
    let authorization = "Authorization: Digest username=\"sbc-east\", realm=\"handback\", algorithm=SHA-256\n";
    let challenge = "WWW-Authenticate: Digest realm=\"handback\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\n";
    s.leg(0, 0, LegRole::Customer, "call-12345@your-sbc.example.com", "10.4.2.11:5060", true);
    s.message(0, 0, Direction::In, &invite("conv-12345", ""));
    s.message(400, 0, Direction::Out, &response("401 Unauthorized", "INVITE", challenge, ""));
    s.message(12_000, 0, Direction::In, &invite("conv-12345", authorization));
    s.admitted(12_300, digest("sbc-east"));
    s.context(12_400, "call_routing", "conv-12345");
    s.agent(13_000, 48_000);
    s.message(61_000, 0, Direction::Out, &response("200 OK", "INVITE", "", SDP));
    s.message(64_000, 0, Direction::In, &request("ACK", "", ""));
    s.media(61_200_000);
    s.event(14_000_000, CallEvent::LegHeld { leg: LegId(0) });
    s.event(18_500_000, CallEvent::LegResumed { leg: LegId(0) });
    s.event(61_200_000, CallEvent::DtmfReceived { leg: LegId(0), digit: '1' });
    let payload = payload();
    let of = |part| {
        let items = payload.items.iter().filter(move |i| i.part == part);
        items.map(|i| (i.parameter[8..].to_owned(), i.value.clone())).collect::<Variables>()
    };
    let (transfer, reference) = (of(PayloadPart::Transfer), of(PayloadPart::Reference));
    s.event(61_260_000, CallEvent::AgentEnded { outcome: Outcome::System, current_task: None, transfer, reference, by: Party::Agent });
    let refer = request("REFER", &format!("Refer-To: {}\nReferred-By: <sip:agent@10.9.0.5>\n", payload.refer_to), "");
    s.event(
        61_262_000,
        CallEvent::ReturnStarted {
            method: ReturnMethod::Refer,
            uri: "sip:transfer@your-sbc.example.com".to_owned(),
            payload: Some(payload.into()),
        },
    );
    s.message(61_262_000, 0, Direction::Out, &refer);
    s.message(61_770_000, 0, Direction::Out, &refer);
    s.message(61_830_000, 0, Direction::In, &response("202 Accepted", "REFER", "", ""));
    let notify = |status: &str| request("NOTIFY", "Event: refer\nSubscription-State: active\nContent-Type: message/sipfrag\n", status);
    s.message(61_860_000, 0, Direction::In, &notify("SIP/2.0 100 Trying"));
    s.message(61_861_000, 0, Direction::Out, &response("200 OK", "NOTIFY", "", ""));
    s.event(61_861_000, CallEvent::ReturnProgressed { code: 100, reason: "Trying".to_owned(), by_notify: true });
    s.message(62_320_000, 0, Direction::In, &notify("SIP/2.0 180 Ringing"));
    s.event(62_320_000, CallEvent::ReturnProgressed { code: 180, reason: "Ringing".to_owned(), by_notify: true });
    s.event(62_400_000, finding("refer-over-udp", Severity::Warning, "REFER is 1,388 bytes over UDP", vec![5]));
    s.event(62_400_000, finding("payload-dropped", Severity::Warning, "1 variable was dropped at the 1,024-character limit", vec![5]));
    s.done()
}
