//! A call written down as its events and messages.

use super::NOON;
use crate::model::{
    Admission, AgentKind, CallEvent, CallId, CallRecord, CapturedMessage, Context, Direction, DroppedVariable, LegId, LegOpened, LegRole,
    MediaFigures, Payload, PayloadItem, PayloadPart, SoundQuality, Timestamp, TransportName,
};

pub type Call = (CallRecord, Vec<CapturedMessage>);

/// Writes a call's events and messages down, in milliseconds since its start.
pub struct Script {
    call: CallRecord,
    start: u64,
    messages: Vec<CapturedMessage>,
    remote: &'static str,
}

impl Script {
    pub fn new(id: u64, secs_ago: i64, from: &str, remote: &'static str, test_call: bool) -> Self {
        let start = NOON.saturating_add_signed(-secs_ago * 1_000_000);
        let mut script = Self {
            call: CallRecord::new(CallId(id), Timestamp(start)),
            start,
            messages: Vec::new(),
            remote: if test_call { "10.9.0.5:5060" } else { remote },
        };
        let source = script.remote.parse().expect("a socket address");
        script.event(
            0,
            CallEvent::CallArrived {
                from: format!("<sip:{from}>;tag=9a1c"),
                to: "<sip:agent@10.9.0.5>".to_owned(),
                request_uri: "sip:agent@10.9.0.5:5060".to_owned(),
                source,
                test_call,
            },
        );
        script
    }

    pub fn event(&mut self, micros: u64, event: CallEvent) {
        self.call.apply(Timestamp(self.start + micros), &event);
    }

    pub fn leg(&mut self, micros: u64, leg: u16, role: LegRole, sip_call_id: &str, remote: &str, incoming: bool) {
        let opened = LegOpened {
            leg: LegId(leg),
            role,
            sip_call_id: sip_call_id.to_owned(),
            remote: remote.parse().expect("a socket address"),
            uri: "sip:agent@10.9.0.5".to_owned(),
            incoming,
        };
        self.event(micros, CallEvent::LegOpened(opened));
    }

    pub fn context(&mut self, micros: u64, task: &str, conversation: &str) {
        let variables = [("accountNumber", "3434"), ("name", "John Doe"), ("priority", "high")];
        let context = Context {
            task_name: Some(task.to_owned()),
            ext_conversation_id: Some(conversation.to_owned()),
            customer_id: Some("cust-67890".to_owned()),
            call_transfer_id: None,
            input_variables: variables.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect(),
        };
        self.event(micros, CallEvent::ContextRead { context: context.into() });
    }

    pub fn admitted(&mut self, micros: u64, by: Admission) {
        self.event(micros, CallEvent::CallAdmitted { peer: "SBC lab".to_owned(), by });
    }

    pub fn agent(&mut self, invited: u64, answered: u64) {
        self.event(invited, CallEvent::AgentInvited { kind: AgentKind::Script, target: "demo script".to_owned() });
        self.event(answered, CallEvent::AgentAnswered { leg: None });
        self.event(answered + 13_000, CallEvent::CallAnswered { codec: "PCMU".to_owned() });
    }

    pub fn media(&mut self, micros: u64) {
        let figures = MediaFigures {
            codec: "PCMU".to_owned(),
            packets_sent: 3_064,
            packets_received: 3_058,
            packets_lost: 1,
            jitter_ms: 1.8,
            round_trip_ms: Some(12.4),
            remote_lost: Some(0),
            remote_jitter_ms: Some(0.9),
            first_packet_us: Some(12_000),
            dtmf_received: "1".to_owned(),
            received_quality: Some(SoundQuality::rated(0.03, 1.0, 29.8)),
            sent_quality: Some(SoundQuality::rated(0.0, 1.0, 28.0)),
            ..MediaFigures::default()
        };
        self.event(micros, CallEvent::MediaMeasured { leg: LegId(0), figures: figures.into() });
    }

    pub fn message(&mut self, micros: u64, leg: u16, direction: Direction, text: &str) {
        let again = self.messages.iter().any(|m| m.bytes[..] == *text.replace('\n', "\r\n").as_bytes());
        self.messages.push(CapturedMessage {
            number: self.call.id.0 * 1_000 + self.messages.len() as u64,
            at: Timestamp(self.start + micros),
            direction,
            leg: Some(LegId(leg)),
            transport: TransportName::Udp,
            local: if self.call.test_call { "127.0.0.1:5071" } else { "10.9.0.5:5060" }.parse().expect("a socket address"),
            remote: self.remote.parse().expect("a socket address"),
            retransmission: again,
            bytes: text.replace('\n', "\r\n").into_bytes().into(),
        });
    }

    pub fn done(self) -> Call {
        (self.call, self.messages)
    }
}

pub const SDP: &str = "v=0\no=- 3969 1 IN IP4 10.9.0.5\ns=-\nc=IN IP4 10.9.0.5\nt=0 0\nm=audio 40012 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=ptime:20\na=sendrecv\n";

pub fn invite(conversation: &str, authorization: &str) -> String {
    format!(
        "INVITE sip:agent@10.9.0.5:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.4.2.11:5060;branch=z9hG4bK7f3\nMax-Forwards: 70\nFrom: \
         <sip:customer@your-sbc.example.com>;tag=9a1c\nTo: <sip:agent@10.9.0.5>\nCall-ID: call-12345@your-sbc.example.com\nCSeq: 1 \
         INVITE\nContact: <sip:customer@10.4.2.11:5060>\n{authorization}X-GA-taskName: call_routing\nX-GA-extConversationId: \
         {conversation}\nX-GA-customerId: cust-67890\nX-GA-iv-accountNumber: 3434\nX-GA-iv-name: John Doe\nX-GA-iv-priority: \
         high\nContent-Type: application/sdp\nContent-Length: {}\n\n{SDP}",
        SDP.len() + SDP.lines().count()
    )
}

pub fn response(status: &str, method: &str, more: &str, body: &str) -> String {
    format!(
        "SIP/2.0 {status}\nVia: SIP/2.0/UDP 10.4.2.11:5060;branch=z9hG4bK7f3\nFrom: <sip:customer@your-sbc.example.com>;tag=9a1c\nTo: \
         <sip:agent@10.9.0.5>;tag=b1\nCall-ID: call-12345@your-sbc.example.com\nCSeq: 1 {method}\n{more}Content-Length: 0\n\n{body}"
    )
}

pub fn request(method: &str, more: &str, body: &str) -> String {
    format!(
        "{method} sip:customer@10.4.2.11:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.9.0.5:5060;branch=z9hG4bK8a{method}\nMax-Forwards: 70\nFrom: \
         <sip:agent@10.9.0.5>;tag=b1\nTo: <sip:customer@your-sbc.example.com>;tag=9a1c\nCall-ID: \
         call-12345@your-sbc.example.com\nCSeq: 2 {method}\n{more}Content-Length: {}\n\n{body}",
        body.len()
    )
}

pub fn payload() -> Payload {
    let summary =
        format!("Caller disputes the fee of 12 March and wants it refunded. {}", "The branch promised a waiver by letter. ".repeat(6));
    let items = [
        (PayloadPart::ConversationId, "X-GA-extConId", "conv-12345".to_owned()),
        (PayloadPart::Outcome, "X-GA-transfer", "SYSTEM".to_owned()),
        (PayloadPart::Transfer, "X-GA-tv-next_action", "schedule_callback".to_owned()),
        (PayloadPart::Transfer, "X-GA-tv-summary", summary),
        (PayloadPart::Reference, "X-GA-rv-account_balance", "1250.00".to_owned()),
        (PayloadPart::Reference, "X-GA-rv-last_payment_date", "2025-01-10".to_owned()),
    ];
    let mut refer_to = "<sip:transfer@your-sbc.example.com?".to_owned();
    let mut payload = Payload { limit: 1_024, ..Payload::default() };
    for (index, (part, parameter, value)) in items.into_iter().enumerate() {
        if index > 0 {
            refer_to.push('&');
        }
        let start = refer_to.len();
        refer_to.push_str(&format!("{parameter}={}", value.replace(' ', "%20")));
        let cost = refer_to.len() - start + usize::from(index > 0);
        payload.used += cost;
        payload.items.push(PayloadItem { part, parameter: parameter.to_owned(), value, cost, start, end: refer_to.len() });
    }
    refer_to.push('>');
    payload.refer_to = refer_to;
    let left = payload.limit - payload.used;
    payload.dropped.push(DroppedVariable {
        part: PayloadPart::Reference,
        parameter: "X-GA-rv-full_address".to_owned(),
        value: "1 Main Street".repeat(40),
        cost: left + 83,
        left,
    });
    payload
}
