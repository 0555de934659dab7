//! The journey of `main.rs` and `allocations.rs`: the switch, and the customer that talks to it.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use divan::Bencher;
use handback::{
    call::{Switch, SwitchSetup},
    media::{MediaCommand, MediaEvent},
    model::{
        CallEvent, CallState, Outcome, ReturnMethod, ReturnMethodOrAgent, Variables,
        script::{End, Script, Task, Trigger},
        settings::{self, Secret, Settings, User},
    },
    party::{Input, Output, Party as _},
    sip::{
        digest::client::{Challenge, Credentials},
        message::{AuthValue, HeaderName, Message},
        transport::{Flow, Received, Transport},
    },
};

#[divan::bench(sample_count = 50, sample_size = 200)]
fn switch_alone(bencher: Bencher<'_, '_>) {
    let mut customer = Customer::new();
    let mut replayed = Replayed { switch: customer.same_switch(), returned: 0 };
    let mut record = move || {
        customer.whole_transfer();
        std::mem::take(&mut customer.record)
    };
    for _ in 0..LINGERING {
        replayed.hears(record());
    }
    bencher.with_inputs(record).bench_local_values(|call| replayed.hears(call));
}

#[divan::bench(sample_count = 50, sample_size = 200)]
fn both_sides(bencher: Bencher<'_, '_>) {
    let mut customer = Customer::new();
    for _ in 0..LINGERING {
        customer.whole_transfer();
        customer.record.clear();
    }
    bencher.bench_local(|| {
        customer.whole_transfer();
        customer.record.clear();
    });
}

const PACE: Duration = Duration::from_millis(4);
/// As many as the clock needs for 34 s: the last transactions of the first calls have ended.
const LINGERING: u32 = 8_500;

/// A switch that hears what another one has heard.
struct Replayed {
    switch: Switch,
    returned: u64,
}

impl Replayed {
    fn hears(&mut self, call: Vec<(Instant, Input)>) {
        let returned = self.returned;
        for (now, input) in call {
            self.switch.handle_input(now, input);
            while let Some(output) = self.switch.poll_output() {
                self.returned += u64::from(is_return(&output));
            }
        }
        assert_eq!(self.returned, returned + 1, "the call was returned here, too");
    }
}

struct Customer {
    switch: Switch,
    flow: Flow,
    now: Instant,
    calls: u64,
    returned: u64,
    next_port: u16,
    /// What the switch has heard since somebody looked.
    record: Vec<(Instant, Input)>,
}

impl Customer {
    fn new() -> Self {
        let now = Instant::now();
        let (local, remote): (SocketAddr, SocketAddr) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.10:5060".parse().unwrap());
        let flow = Flow { transport: Transport::Udp, local, remote, connection: None };
        let switch = switch(now, flow);
        let mut customer = Self { switch, flow, now, calls: 0, returned: 0, next_port: 0, record: Vec::new() };
        customer.drain();
        customer
    }

    /// Another switch, as this one was when it was new; what it has heard since is in the record.
    fn same_switch(&self) -> Switch {
        switch(self.now, self.flow)
    }

    fn whole_transfer(&mut self) {
        self.calls += 1;
        let (n, returned) = (self.calls, self.returned);
        self.now += PACE;
        if self.switch.deadline().is_some_and(|at| at <= self.now) {
            self.tell(Input::Timeout);
        }
        let challenge = self.sends(&invite(n, 1, "")).pop().expect("a challenge");
        let value = field(&challenge, HeaderName::WwwAuthenticate);
        self.sends(&request(n, "ACK", 1, &field(&challenge, HeaderName::To), ""));
        let value = AuthValue::parse_list(&value).remove(0);
        let authorization = Challenge::read(value.params()).expect("one that we know").answer(
            Credentials { username: "sbc", password: "secret" },
            "INVITE",
            "sip:bridge@192.0.2.1",
            1,
            "0a4f113b",
        );
        let ok = self.sends(&invite(n, 2, &format!("Authorization: {authorization}\r\n"))).pop().expect("200");
        let to = field(&ok, HeaderName::To);
        let refer = self.sends(&request(n, "ACK", 2, &to, "")).pop().expect("REFER");
        self.sends(&response(&refer, "202 Accepted"));
        let refer_cseq = field(&refer, HeaderName::CSeq);
        let id = refer_cseq.split(' ').next().unwrap_or_default();
        self.sends(&notify(n, 3, &to, id, "active;expires=60", "SIP/2.0 100 Trying\r\n"));
        let bye = self.sends(&notify(n, 4, &to, id, "terminated;reason=noresource", "SIP/2.0 200 OK\r\n")).pop().expect("BYE");
        self.sends(&response(&bye, "200 OK"));
        assert_eq!(self.returned, returned + 1, "the call was returned");
    }

    /// Hands the switch a message; what it answers with comes back.
    fn sends(&mut self, text: &str) -> Vec<Message> {
        self.tell(Input::Received(Received { flow: self.flow, bytes: Bytes::copy_from_slice(text.as_bytes()) }))
    }

    fn tell(&mut self, input: Input) -> Vec<Message> {
        self.hand_over(input);
        self.drain()
    }

    fn hand_over(&mut self, input: Input) {
        let copy = match &input {
            Input::Received(Received { flow, bytes }) => Input::Received(Received { flow: *flow, bytes: Bytes::copy_from_slice(bytes) }),
            other => other.clone(),
        };
        self.record.push((self.now, copy));
        self.switch.handle_input(self.now, input);
    }

    fn drain(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(output) = self.switch.poll_output() {
            match output {
                Output::Transmit(transmit) => messages.push(Message::parse(transmit.bytes).expect("what we write can be read")),
                Output::PortsWanted(count) => {
                    let ports = (0..count).map(|_| {
                        self.next_port = (self.next_port + 2) % 20_000;
                        40_000 + self.next_port
                    });
                    let ports = ports.collect();
                    self.hand_over(Input::PortsOpened(ports));
                }
                Output::Media(MediaCommand::Close { stream }) => {
                    let closed = MediaEvent::Closed { stream, figures: Box::default(), recording: None };
                    self.hand_over(Input::Media(closed));
                }
                Output::Keep { call, .. } => self.hand_over(Input::Kept { call, stored: true }),
                output => self.returned += u64::from(is_return(&output)),
            }
        }
        messages
    }
}

fn switch(now: Instant, flow: Flow) -> Switch {
    Switch::new(SwitchSetup {
        settings: Arc::new(settings()),
        listeners: vec![(Transport::Udp, flow.local)],
        seed: 1,
        first_call_id: 1,
        conversations: Vec::new(),
        now,
    })
}

fn is_return(output: &Output) -> bool {
    matches!(output, Output::Event { what: CallEvent::CallEnded { state: CallState::Returned, .. }, .. })
}

fn settings() -> Settings {
    let transfer: Variables =
        [("next_action", "schedule_callback"), ("window", "today 14:00-16:00")].map(|(n, v)| (n.into(), v.into())).into();
    let end = End {
        on: Trigger::AfterSecs(0.0),
        outcome: Outcome::System,
        current_task: None,
        transfer,
        reference: [("account".to_owned(), "{{account}}".to_owned())].into(),
    };
    let script = Script { name: "bench".into(), tasks: vec![Task { name: "*".into(), play: None, ends: vec![end] }] };
    Settings {
        sip: settings::Sip { listen: vec![], advertise: None, realm: "handback".into(), options_for_anyone: false },
        media: settings::Media { address: "192.0.2.1".parse().unwrap(), ports: 40_000..=49_999, codecs: vec![settings::Codec::Pcmu] },
        sound: settings::Sound::default(),
        peers: vec![settings::Peer {
            name: "SBC".into(),
            networks: vec![],
            policy: settings::Policy::Either,
            users: vec![User { username: "sbc".into(), secret: Secret::new("secret") }],
            allow_md5: true,
            record: None,
            returns: settings::Return {
                method: ReturnMethod::Refer,
                uri: Some("sip:transfer@192.0.2.30:5060".into()),
                fallback: ReturnMethodOrAgent::Bye,
                notify_timeout_secs: 30,
                auth: None,
                hosts: Vec::new(),
            },
        }],
        agent: settings::Agent::Script(Arc::new(script)),
        control: settings::Control { listen: "127.0.0.1:0".parse().unwrap(), token: None },
        api: None,
        store: settings::Store::default(),
        limits: settings::Limits { calls_per_second: 1_000_000, unadmitted_per_second: 1_000_000, ..settings::Limits::default() },
        recording: settings::Recording::default(),
    }
}

fn invite(n: u64, cseq: u32, authorization: &str) -> String {
    const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 8 101\r\n\
                       a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";
    format!(
        "INVITE sip:bridge@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-{n}-{cseq};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:ann@customer.example>;tag=c{n}\r\nTo: <sip:bridge@192.0.2.1>\r\nCall-ID: call-{n}@192.0.2.10\r\nCSeq: {cseq} INVITE\r\n\
         Contact: <sip:sbc@192.0.2.10:5060>\r\n{authorization}X-GA-taskName: billing\r\nX-GA-extConversationId: conversation-{n}\r\n\
         X-GA-customerId: 4711\r\nX-GA-iv-account: 12345\r\nX-GA-iv-name: Ann\r\nX-GA-iv-language: en\r\nX-GA-iv-tier: gold\r\n\
         X-GA-iv-reason: bill\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
}

fn request(n: u64, method: &str, cseq: u32, to: &str, rest: &str) -> String {
    let branch = if method == "ACK" && cseq == 1 { format!("z9hG4bK-{n}-1") } else { format!("z9hG4bK-{n}-{cseq}-{method}") };
    let rest = if rest.is_empty() { "Content-Length: 0\r\n\r\n" } else { rest };
    format!(
        "{method} sip:handback@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch={branch};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:ann@customer.example>;tag=c{n}\r\nTo: {to}\r\nCall-ID: call-{n}@192.0.2.10\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:sbc@192.0.2.10:5060>\r\n{rest}"
    )
}

fn notify(n: u64, cseq: u32, to: &str, id: &str, state: &str, sipfrag: &str) -> String {
    let rest = format!(
        "Event: refer;id={id}\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag\r\nContent-Length: {}\r\n\r\n{sipfrag}",
        sipfrag.len()
    );
    request(n, "NOTIFY", cseq, to, &rest)
}

fn response(request: &Message, status: &str) -> String {
    let Message::Request(request) = request else { panic!("a request was expected, not {request:?}") };
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
        text.push_str(&format!("{}: {}\r\n", name.canonical(), request.text(name).unwrap_or_default()));
    }
    text.push_str("Contact: <sip:sbc@192.0.2.10:5060>\r\nContent-Length: 0\r\n\r\n");
    text
}

fn field(message: &Message, name: HeaderName) -> String {
    message.fields().text(name).unwrap_or_default().into_owned()
}
