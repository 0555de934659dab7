//! One recorded transfer for the export's tests.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    contract::payload::{Return, encode},
    model::{
        AgentKind, CallEvent, CallId, CallRecord, CallState, CapturedMessage, Direction, Ended, LegId, LegOpened, LegRole, Outcome, Party,
        ReturnMethod, ReturnVerdict, Timestamp, TransportName, Variables,
    },
};

const START: u64 = 1_790_000_000_000_000;

/// A call from a customer, a scripted agent, and a REFER that is taken.
pub fn transfer() -> (CallRecord, Vec<CapturedMessage>) {
    let tv: Variables = [("next_action".to_owned(), "call back".to_owned()), ("long".to_owned(), "x".repeat(1_000))].into_iter().collect();
    let what = Return {
        return_uri: "sip:r@127.0.0.1:5070",
        ext_conversation_id: Some("conv-1"),
        outcome: Outcome::System,
        transfer: &tv,
        reference: &Variables::new(),
    };
    let payload = encode(&what).expect("encodes");
    let refer = format!("REFER sip:c@127.0.0.1:5070 SIP/2.0\r\nCall-ID: 1\r\nCSeq: 2 REFER\r\nRefer-To: {}\r\n\r\n", payload.refer_to);

    let (customer, ours) = ("127.0.0.1:5070".parse().expect("an address"), "127.0.0.1:5060".parse().expect("an address"));
    let mut record = CallRecord::new(CallId(7), Timestamp(START));
    let mut tell = |after: u64, event: CallEvent| record.apply(Timestamp(START + after), &event);
    tell(
        0,
        CallEvent::CallArrived {
            from: "<sip:c@127.0.0.1>".into(),
            to: "<sip:bridge@127.0.0.1>".into(),
            request_uri: "sip:bridge@127.0.0.1".into(),
            source: customer,
            test_call: false,
        },
    );
    tell(
        0,
        CallEvent::LegOpened(LegOpened {
            leg: LegId(0),
            role: LegRole::Customer,
            sip_call_id: "1".into(),
            remote: customer,
            uri: "sip:c@127.0.0.1".into(),
            incoming: true,
        }),
    );
    tell(100, CallEvent::ContextRead { context: Arc::default() });
    tell(150, CallEvent::AgentInvited { kind: AgentKind::Script, target: "script demo".into() });
    tell(412, CallEvent::CallAnswered { codec: "PCMU".into() });
    tell(2_000_000, CallEvent::DtmfReceived { leg: LegId(0), digit: '1' });
    tell(
        2_000_010,
        CallEvent::AgentEnded {
            outcome: Outcome::System,
            current_task: None,
            transfer: tv.clone(),
            reference: Variables::new(),
            by: Party::Agent,
        },
    );
    tell(2_000_020, CallEvent::ReturnStarted { method: ReturnMethod::Refer, uri: what.return_uri.into(), payload: Some(payload.into()) });
    tell(2_100_000, CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded });
    tell(
        2_200_000,
        CallEvent::CallEnded {
            state: CallState::Returned,
            why: Ended::new("Customer took the call back", Party::ReturnEndpoint, Some(200)),
        },
    );

    let mut number = 0;
    let mut message = |after: u64, direction, retransmission, text: &str| {
        number += 1;
        CapturedMessage {
            number,
            at: Timestamp(START + after),
            direction,
            leg: Some(LegId(0)),
            transport: TransportName::Udp,
            local: ours,
            remote: customer,
            retransmission,
            bytes: Bytes::copy_from_slice(text.as_bytes()),
        }
    };
    let invite = "INVITE sip:bridge@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nTo: <sip:bridge@127.0.0.1>\r\nX-GA-iv-a: 1\r\nAuthorization: Digest response=\"abc\"\r\nContent-Length: 0\r\n\r\n";
    let (into, out) = (Direction::In, Direction::Out);
    let messages = vec![
        message(0, into, false, invite),
        message(412, out, false, "SIP/2.0 200 OK\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 4\r\n\r\nv=0\n"),
        message(500_412, out, true, "SIP/2.0 200 OK\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 4\r\n\r\nv=0\n"),
        message(500_900, into, false, "ACK sip:b SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"),
        message(2_000_100, out, false, &refer),
        message(2_000_400, into, false, "SIP/2.0 202 Accepted\r\nCall-ID: 1\r\nCSeq: 2 REFER\r\nContent-Length: 0\r\n\r\n"),
        message(
            2_100_000,
            into,
            false,
            "NOTIFY sip:b SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 NOTIFY\r\nContent-Length: 16\r\n\r\nSIP/2.0 200 OK\r\n",
        ),
        message(2_100_200, out, false, "SIP/2.0 200 OK\r\nCall-ID: 1\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n"),
        message(2_200_000, out, false, "BYE sip:c SIP/2.0\r\nCall-ID: 1\r\nCSeq: 3 BYE\r\nContent-Length: 0\r\n\r\n"),
    ];
    (record, messages)
}
