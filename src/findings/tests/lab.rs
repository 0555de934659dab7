//! Calls as lists of messages: written in a line each, captured at the bridge, judged as a whole.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::{
    findings::of_call,
    model::{
        CallEvent, CallId, CallRecord, CapturedMessage, Direction, Finding, LegId, LegOpened, LegRole, MediaFigures, Timestamp,
        TransportName,
    },
};

/// A message to be. The customer writes requests, and the bridge responses, unless said otherwise.
#[derive(Clone)]
pub struct Text {
    start: String,
    method: String,
    number: u32,
    by_bridge: bool,
    branch: String,
    from: String,
    to: String,
    lines: Vec<(String, String)>,
    body: String,
}

pub const CUSTOMER: &str = "192.0.2.9";
pub const BRIDGE: &str = "192.0.2.1";

pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n";

/// What the bridge says: another address and id.
pub fn our_sdp() -> String {
    SDP.replace("192.0.2.9", BRIDGE).replace("o=- 1 ", "o=- 7 ")
}

/// A request of the customer within the dialog; an INVITE opens it.
pub fn request(method: &str, number: u32) -> Text {
    let opens = method == "INVITE" || method == "CANCEL";
    let text = Text {
        start: format!("{method} sip:bridge@{BRIDGE} SIP/2.0"),
        method: method.to_owned(),
        number,
        by_bridge: false,
        // A CANCEL has the branch of its INVITE.
        branch: format!("z9hG4bKc{}{number}", method.replace("CANCEL", "INVITE")),
        from: format!("<sip:customer@{CUSTOMER}>;tag=c"),
        to: format!("<sip:bridge@{BRIDGE}>{}", if opens { "" } else { ";tag=b" }),
        lines: Vec::new(),
        body: String::new(),
    };
    let text = text.line("Max-Forwards", "70");
    match method {
        "INVITE" | "UPDATE" | "REFER" | "NOTIFY" | "SUBSCRIBE" => text.line("Contact", &format!("<sip:customer@{CUSTOMER}>")),
        _ => text,
    }
}

/// A request of the bridge within the dialog.
pub fn ours(method: &str, number: u32) -> Text {
    let mut text = request(method, number).again("Contact", &format!("<sip:bridge@{BRIDGE}>"));
    text.start = format!("{method} sip:customer@{CUSTOMER} SIP/2.0");
    text.by_bridge = true;
    text.branch = format!("z9hG4bKb{method}{number}");
    text.from = format!("<sip:bridge@{BRIDGE}>;tag=b");
    text.to = format!("<sip:customer@{CUSTOMER}>;tag=c");
    if !matches!(method, "INVITE" | "UPDATE" | "REFER" | "NOTIFY") {
        text = text.without("Contact");
    }
    text
}

/// The answer to a request, from the other side.
pub fn answer(to: &Text, status: &str) -> Text {
    let mut text = to.clone();
    text.start = format!("SIP/2.0 {status}");
    text.by_bridge = !to.by_bridge;
    text.lines.clear();
    text.body.clear();
    if !text.to.contains("tag=") && !status.starts_with("100") {
        text.to.push_str(";tag=b");
    }
    let contact = if text.by_bridge { format!("<sip:bridge@{BRIDGE}>") } else { format!("<sip:customer@{CUSTOMER}>") };
    match (to.method.as_str(), status.as_bytes()[0]) {
        ("INVITE" | "UPDATE" | "REFER", b'2') => text.line("Contact", &contact),
        _ => text,
    }
}

/// The ACK to a 2xx, by the side that sent the INVITE.
pub fn ack(to: &Text) -> Text {
    let mut text = if to.by_bridge { ours("ACK", to.number) } else { request("ACK", to.number) };
    text.branch.push_str("ack");
    text
}

/// A NOTIFY of the customer about the bridge's REFER.
pub fn notify(number: u32, status: &str, ends: bool) -> Text {
    request("NOTIFY", number)
        .line("Event", "refer")
        .line("Subscription-State", if ends { "terminated;reason=noresource" } else { "active;expires=60" })
        .body("message/sipfrag;version=2.0", &format!("SIP/2.0 {status}\r\n"))
}

/// A REFER of the bridge with a payload.
pub fn refer(number: u32) -> Text {
    ours("REFER", number).line("Refer-To", "<sip:r@192.0.2.30?X-GA-extConId=c-1&X-GA-transfer=SYSTEM&X-GA-tv-a=1>")
}

impl Text {
    pub fn line(mut self, name: &str, value: &str) -> Self {
        self.lines.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.lines.retain(|(known, _)| known != name);
        self
    }

    /// The header with another value.
    pub fn again(self, name: &str, value: &str) -> Self {
        self.without(name).line(name, value)
    }

    pub fn body(mut self, content_type: &str, body: &str) -> Self {
        self = self.again("Content-Type", content_type);
        body.clone_into(&mut self.body);
        self
    }

    pub fn sdp(self, body: &str) -> Self {
        self.body("application/sdp", body)
    }

    pub fn start(mut self, line: &str) -> Self {
        line.clone_into(&mut self.start);
        self
    }

    pub fn from(mut self, value: &str) -> Self {
        value.clone_into(&mut self.from);
        self
    }

    pub fn to(mut self, value: &str) -> Self {
        value.clone_into(&mut self.to);
        self
    }

    pub fn branch(mut self, branch: &str) -> Self {
        branch.clone_into(&mut self.branch);
        self
    }

    /// Within the dialog: a re-INVITE.
    pub fn within(mut self) -> Self {
        if !self.to.contains("tag=") {
            self.to.push_str(";tag=b");
        }
        self
    }

    pub fn text(&self, transport: TransportName) -> String {
        let host = if self.branch.starts_with("z9hG4bKb") { BRIDGE } else { CUSTOMER };
        let mut text = self.start.clone();
        let has_via = self.lines.iter().any(|(name, _)| name == "Via");
        if !has_via {
            let _ = write!(text, "\r\nVia: SIP/2.0/{} {host}:5060;branch={};rport", transport.via(), self.branch);
        }
        let _ = write!(text, "\r\nFrom: {}\r\nTo: {}\r\nCall-ID: c1\r\nCSeq: {} {}", self.from, self.to, self.number, self.method);
        for (name, value) in &self.lines {
            let _ = write!(text, "\r\n{name}: {value}");
        }
        let _ = write!(text, "\r\nContent-Length: {}\r\n\r\n{}", self.body.len(), self.body);
        text
    }
}

/// A call between a customer and the bridge, message after message.
pub struct Call {
    messages: Vec<CapturedMessage>,
    at: u64,
    pub transport: TransportName,
    pub far: &'static str,
    pub record: CallRecord,
}

impl Call {
    pub fn new() -> Self {
        let mut record = CallRecord::new(CallId(1), Timestamp(START));
        record.apply(Timestamp(START), &opened(LegRole::Customer));
        Self { messages: Vec::new(), at: START, transport: TransportName::Udp, far: "192.0.2.9:5060", record }
    }

    pub fn over(transport: TransportName) -> Self {
        Self { transport, ..Self::new() }
    }

    /// From an address of the public internet.
    pub fn from_afar(far: &'static str) -> Self {
        Self { far, ..Self::new() }
    }

    /// The next message, 10 ms later.
    pub fn then(mut self, message: &Text) -> Self {
        let bytes = Bytes::from(message.text(self.transport));
        self.push(if message.by_bridge { Direction::Out } else { Direction::In }, bytes);
        self
    }

    pub fn raw(mut self, bytes: &'static [u8]) -> Self {
        self.push(Direction::In, Bytes::from_static(bytes));
        self
    }

    pub fn after(mut self, millis: u64) -> Self {
        self.at += millis * 1_000;
        self
    }

    /// INVITE, 100, 200, ACK.
    pub fn up(self) -> Self {
        self.up_with(&request("INVITE", 1).sdp(SDP))
    }

    pub fn up_with(self, invite: &Text) -> Self {
        self.then(invite).then(&answer(invite, "100 Trying")).then(&answer(invite, "200 OK").sdp(&our_sdp())).then(&ack(invite))
    }

    /// A request and its 200.
    pub fn done(self, request: &Text) -> Self {
        self.then(request).then(&answer(request, "200 OK"))
    }

    /// The call's record says this, too.
    pub fn told(mut self, event: &CallEvent) -> Self {
        self.record.apply(Timestamp(self.at), event);
        self
    }

    pub fn heard(self, figures: MediaFigures) -> Self {
        self.told(&CallEvent::MediaMeasured { leg: LegId(0), figures: figures.into() })
    }

    pub fn findings(&self) -> Vec<Finding> {
        of_call(&self.record, &self.messages)
    }

    fn push(&mut self, direction: Direction, bytes: Bytes) {
        let retransmission = self.messages.iter().any(|m| m.direction == direction && m.bytes == bytes);
        self.messages.push(CapturedMessage {
            number: self.messages.len() as u64,
            at: Timestamp(self.at),
            direction,
            leg: Some(LegId(0)),
            transport: self.transport,
            local: "192.0.2.1:5060".parse().expect("an address"),
            remote: self.far.parse().expect("an address"),
            retransmission,
            bytes,
        });
        self.at += 10_000;
    }
}

pub fn opened(role: LegRole) -> CallEvent {
    CallEvent::LegOpened(LegOpened {
        leg: LegId(0),
        role,
        sip_call_id: "c1".into(),
        remote: "192.0.2.9:5060".parse().expect("an address"),
        uri: "sip:customer@192.0.2.9".into(),
        incoming: true,
    })
}

pub fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|f| f.rule.as_ref()).collect()
}

/// 2026-09-21T14:13:20Z, in microseconds.
pub const START: u64 = 1_790_000_000_000_000;
