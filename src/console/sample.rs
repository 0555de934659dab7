//! A backend of sample calls, so that the window is tested without an engine.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use crate::{
    console::{ApiAnswer, Backend, CommandTicket, Facts, PastAnswer, PastAsk, TransfersView, Waker, sample_transfers},
    engine::sound_desk::{SoundCommand, SoundSnapshot},
    model::{
        Admission, AgentKind, CallEvent, CallFilter, CallId, CallPage, CallPlace, CallRecord, CallSound, CallState, CapturedMessage,
        Command, CommandOutcome, Context, Counters, Direction, DroppedVariable, Ended, Finding, InvitePreview, LegId, LegOpened, LegRole,
        Listener, LoggedMessage, MediaFigures, Outcome, Party, PastCall, Payload, PayloadItem, PayloadPart, ReturnMethod, ReturnVerdict,
        Severity, Snapshot, TestCall, TestCallReport, TestCallStep, Timestamp, TransportName, Variables,
    },
};

/// 2026-11-21 14:02:09 UTC.
pub const NOON: u64 = 1_795_269_729_000_000;

/// What the sample's calls are called.
pub const WITH_AGENT: CallId = CallId(12_352);
pub const RETURNING: CallId = CallId(12_345);
pub const PLACED: CallId = CallId(20_001);
pub const PLACED_BRIDGE: CallId = CallId(20_000);

pub struct SampleBackend {
    state: Mutex<Snapshot>,
    published: Mutex<Arc<Snapshot>>,
    messages: Mutex<HashMap<CallId, Vec<CapturedMessage>>>,
    commands: Mutex<Vec<Command>>,
    outcomes: Mutex<Vec<(CommandTicket, CommandOutcome)>>,
    tickets: AtomicU64,
    /// The next command is refused with this.
    refusal: Mutex<Option<String>>,
    transfers: Mutex<Arc<TransfersView>>,
    /// Past calls, the newest first.
    archive: Mutex<Vec<CallRecord>>,
    past: Mutex<Vec<(CommandTicket, PastAnswer)>>,
    created: Mutex<Vec<(CommandTicket, ApiAnswer)>>,
    pub settings: crate::console::sample_settings::SampleSettings,
    /// Microphones and speakers, where there are any.
    pub devices: Mutex<Option<Arc<SoundSnapshot>>>,
    /// What the sound desk was told.
    pub sounds: Mutex<Vec<SoundCommand>>,
}

impl SampleBackend {
    /// No calls at all.
    pub fn empty() -> Arc<Self> {
        let at = Timestamp(NOON + 62_500_000);
        let listen = |transport, address: &str, customer_side| Listener {
            transport,
            address: address.parse().expect("a socket address"),
            customer_side,
        };
        let listeners = [
            listen(TransportName::Udp, "10.9.0.5:5060", false),
            listen(TransportName::Tcp, "10.9.0.5:5060", false),
            listen(TransportName::Udp, "127.0.0.1:5090", true),
        ];
        let counters = Counters { messages_kept: 12_480, messages_in: 7_100, messages_out: 5_380, calls_total: 214, ..Counters::default() };
        let state = Snapshot { at, seq: 1, calls: Arc::default(), listeners: listeners.into(), counters };
        Arc::new(Self {
            published: Mutex::new(Arc::new(state.clone())),
            state: Mutex::new(state),
            messages: Mutex::default(),
            commands: Mutex::default(),
            outcomes: Mutex::default(),
            tickets: AtomicU64::new(1),
            refusal: Mutex::default(),
            transfers: Mutex::new(sample_transfers::empty()),
            archive: Mutex::default(),
            past: Mutex::default(),
            created: Mutex::default(),
            settings: crate::console::sample_settings::SampleSettings::default(),
            devices: Mutex::default(),
            sounds: Mutex::default(),
        })
    }

    /// The calls of the design's picture.
    pub fn filled() -> Arc<Self> {
        let backend = Self::empty();
        for (call, messages) in [rejected(), refused_return(), returned(), ringing(), returning(), with_agent()] {
            backend.add(call, messages);
        }
        *lock(&backend.transfers) = sample_transfers::filled();
        backend
    }

    pub fn add(&self, call: CallRecord, messages: Vec<CapturedMessage>) {
        lock(&self.messages).insert(call.id, messages);
        self.change(|snapshot| {
            let mut calls = snapshot.calls.to_vec();
            calls.push(Arc::new(call));
            snapshot.calls = calls.into();
        });
    }

    pub fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut state = lock(&self.state);
        change(&mut state);
        state.seq += 1;
        *lock(&self.published) = Arc::new(state.clone());
    }

    /// `count` calls of long ago.
    pub fn archive(&self, count: u64) {
        let call = |age: u64| {
            let mut call = CallRecord::new(CallId(1_000 - age), Timestamp(NOON - 86_400_000_000 - age * 60_000_000));
            call.state = CallState::Returned;
            call.from = "<sip:archived@your-sbc.example.com>".to_owned();
            call.context = Context { task_name: Some("billing_help".to_owned()), ..Context::default() }.into();
            call.ended_at = Some(Timestamp(call.started_at.0 + 30_000_000));
            call
        };
        *lock(&self.archive) = (0..count).map(call).collect();
    }

    pub fn commands(&self) -> Vec<Command> {
        lock(&self.commands).clone()
    }

    pub fn refuse_next(&self, why: &str) {
        *lock(&self.refusal) = Some(why.to_owned());
    }
}

impl Backend for SampleBackend {
    fn devices(&self) -> Option<Arc<SoundSnapshot>> {
        lock(&self.devices).clone()
    }

    fn tell_sound(&self, command: SoundCommand) {
        lock(&self.sounds).push(command);
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        lock(&self.published).clone()
    }

    fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        lock(&self.messages).get(&call).cloned().unwrap_or_default()
    }

    fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        let calls = lock(&self.messages);
        let mut all: Vec<LoggedMessage> = calls
            .iter()
            .flat_map(|(call, messages)| messages.iter().map(|m| LoggedMessage { call: Some(*call), message: m.clone() }))
            .filter(|logged| logged.message.number >= from)
            .collect();
        all.sort_by_key(|logged| logged.message.number);
        all.truncate(most);
        let next = all.last().map_or(from, |last| last.message.number + 1);
        (all, next)
    }

    fn sound_of(&self, call: CallId) -> Option<Arc<CallSound>> {
        let snapshot = self.snapshot();
        let call = snapshot.calls.iter().find(|known| known.id == call && known.legs.iter().any(|leg| leg.media.is_some()))?;
        let until = call.agent_ended_at.unwrap_or(snapshot.at);
        Some(super::sample_sound::sound(call.answered_at?, until.micros_since(call.answered_at?) / 1_000_000))
    }

    fn command(&self, command: Command) -> CommandTicket {
        let ticket = CommandTicket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let outcome = match (lock(&self.refusal).take(), &command) {
            (Some(why), _) => Err(why),
            (None, Command::PlaceTestCall { .. }) => {
                let [(bridge, bridge_messages), (placed, placed_messages)] = placed();
                self.add(bridge, bridge_messages);
                self.add(placed, placed_messages);
                Ok(PLACED)
            }
            (None, Command::HangUp { call } | Command::Return { call, .. }) => Ok(*call),
            (None, _) => Ok(CallId(0)),
        };
        lock(&self.commands).push(command);
        lock(&self.outcomes).push((ticket, outcome));
        ticket
    }

    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)> {
        std::mem::take(&mut lock(&self.outcomes))
    }

    fn set_waker(&self, _waker: Waker) {}

    fn ask_past(&self, ask: PastAsk) -> Option<CommandTicket> {
        let ticket = CommandTicket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let answer = match ask {
            PastAsk::Page { filter, before, most } => PastAnswer::Page(past_page(&lock(&self.archive), &filter, before, most)),
            PastAsk::Messages(call) => PastAnswer::Messages(call, Vec::new()),
        };
        lock(&self.past).push((ticket, answer));
        Some(ticket)
    }

    fn take_past(&self) -> Vec<(CommandTicket, PastAnswer)> {
        std::mem::take(&mut lock(&self.past))
    }

    fn transfers(&self) -> Option<Arc<TransfersView>> {
        Some(lock(&self.transfers).clone())
    }

    fn judge_transfer(&self, body: &str) -> ApiAnswer {
        sample_transfers::answer(&lock(&self.transfers), body)
    }

    fn create_transfer(&self, body: &str) -> CommandTicket {
        let ticket = CommandTicket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let mut transfers = lock(&self.transfers);
        let answer = sample_transfers::answer(&transfers, body);
        if answer.status == 200 {
            *transfers = sample_transfers::with(&transfers, &answer.message);
        }
        lock(&self.created).push((ticket, answer));
        ticket
    }

    fn take_created(&self) -> Vec<(CommandTicket, ApiAnswer)> {
        std::mem::take(&mut lock(&self.created))
    }

    fn ask_settings(&self, ask: crate::config::desk::Ask) {
        self.settings.ask(ask);
    }

    fn restart_when_closed(&self, _restart: bool) {}

    fn take_settings(&self) -> Vec<crate::config::desk::Answer> {
        self.settings.take()
    }

    fn preview(&self, call: &TestCall) -> Result<InvitePreview, String> {
        let task = call.task.as_deref().map(|task| format!("X-GA-taskName: {task}\r\n")).unwrap_or_default();
        let variables: String = call.iv.iter().map(|(name, value)| format!("X-GA-iv-{name}: {value}\r\n")).collect();
        let bytes = Bytes::from(format!("INVITE sip:bridge@127.0.0.1:5060 SIP/2.0\r\n{task}{variables}\r\nv=0\r\n"));
        let fits_udp = bytes.len() <= 1_300;
        Ok(InvitePreview { transport: if fits_udp { TransportName::Udp } else { TransportName::Tcp }, bytes, fits_udp })
    }

    fn facts(&self) -> Facts {
        Facts {
            control: Some("127.0.0.1:8081".to_owned()),
            api: Some("127.0.0.1:8080".to_owned()),
            agent: "demo script".to_owned(),
            bridge_uri: "sip:agent@10.9.0.5:5060".to_owned(),
            return_uri: "sip:return@127.0.0.1:5090".to_owned(),
            return_method: "REFER".to_owned(),
        }
    }
}

fn past_page(archive: &[CallRecord], filter: &CallFilter, before: Option<CallPlace>, most: usize) -> CallPage {
    let wanted = |call: &&CallRecord| filter.matches(call) && before.is_none_or(|before| CallPlace::of(call) < before);
    let mut found = archive.iter().filter(wanted).cloned().map(|record| PastCall { record, has_messages: false });
    let calls: Vec<PastCall> = found.by_ref().take(most).collect();
    let next = calls.last().map(|past| CallPlace::of(&past.record)).filter(|_| found.next().is_some());
    CallPage { calls, next }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Call = (CallRecord, Vec<CapturedMessage>);

/// Writes a call's events and messages down, in milliseconds since its start.
struct Script {
    call: CallRecord,
    start: u64,
    messages: Vec<CapturedMessage>,
    remote: &'static str,
}

impl Script {
    fn new(id: u64, secs_ago: i64, from: &str, remote: &'static str, test_call: bool) -> Self {
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

    fn event(&mut self, micros: u64, event: CallEvent) {
        self.call.apply(Timestamp(self.start + micros), &event);
    }

    fn leg(&mut self, micros: u64, leg: u16, role: LegRole, sip_call_id: &str, remote: &str, incoming: bool) {
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

    fn context(&mut self, micros: u64, task: &str, conversation: &str) {
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

    fn admitted(&mut self, micros: u64, by: Admission) {
        self.event(micros, CallEvent::CallAdmitted { peer: "SBC lab".to_owned(), by });
    }

    fn agent(&mut self, invited: u64, answered: u64) {
        self.event(invited, CallEvent::AgentInvited { kind: AgentKind::Script, target: "demo script".to_owned() });
        self.event(answered, CallEvent::AgentAnswered { leg: None });
        self.event(answered + 13_000, CallEvent::CallAnswered { codec: "PCMU".to_owned() });
    }

    fn media(&mut self, micros: u64) {
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
            received_quality: Some(super::sample_sound::quality(0.03, 29.8)),
            sent_quality: Some(super::sample_sound::quality(0.0, 28.0)),
            ..MediaFigures::default()
        };
        self.event(micros, CallEvent::MediaMeasured { leg: LegId(0), figures: figures.into() });
    }

    fn message(&mut self, micros: u64, leg: u16, direction: Direction, text: &str) {
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

    fn done(self) -> Call {
        (self.call, self.messages)
    }
}

const SDP: &str = "v=0\no=- 3969 1 IN IP4 10.9.0.5\ns=-\nc=IN IP4 10.9.0.5\nt=0 0\nm=audio 40012 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=ptime:20\na=sendrecv\n";

fn invite(conversation: &str, authorization: &str) -> String {
    format!(
        "INVITE sip:agent@10.9.0.5:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.4.2.11:5060;branch=z9hG4bK7f3\nMax-Forwards: 70\nFrom: \
         <sip:customer@your-sbc.example.com>;tag=9a1c\nTo: <sip:agent@10.9.0.5>\nCall-ID: call-12345@your-sbc.example.com\nCSeq: 1 \
         INVITE\nContact: <sip:customer@10.4.2.11:5060>\n{authorization}X-GA-taskName: call_routing\nX-GA-extConversationId: \
         {conversation}\nX-GA-customerId: cust-67890\nX-GA-iv-accountNumber: 3434\nX-GA-iv-name: John Doe\nX-GA-iv-priority: \
         high\nContent-Type: application/sdp\nContent-Length: {}\n\n{SDP}",
        SDP.len() + SDP.lines().count()
    )
}

fn response(status: &str, method: &str, more: &str, body: &str) -> String {
    format!(
        "SIP/2.0 {status}\nVia: SIP/2.0/UDP 10.4.2.11:5060;branch=z9hG4bK7f3\nFrom: <sip:customer@your-sbc.example.com>;tag=9a1c\nTo: \
         <sip:agent@10.9.0.5>;tag=b1\nCall-ID: call-12345@your-sbc.example.com\nCSeq: 1 {method}\n{more}Content-Length: 0\n\n{body}"
    )
}

fn request(method: &str, more: &str, body: &str) -> String {
    format!(
        "{method} sip:customer@10.4.2.11:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.9.0.5:5060;branch=z9hG4bK8a{method}\nMax-Forwards: 70\nFrom: \
         <sip:agent@10.9.0.5>;tag=b1\nTo: <sip:customer@your-sbc.example.com>;tag=9a1c\nCall-ID: \
         call-12345@your-sbc.example.com\nCSeq: 2 {method}\n{more}Content-Length: {}\n\n{body}",
        body.len()
    )
}

fn payload() -> Payload {
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

fn digest(user: &str) -> Admission {
    Admission::Digest { user: user.to_owned(), algorithm: "SHA-256".to_owned() }
}

fn network() -> Admission {
    Admission::Network("10.4.0.0/16".to_owned())
}

fn with_agent() -> Call {
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

fn ringing() -> Call {
    let mut s = Script::new(12_346, 11, "+14155550123@10.4.2.12", "10.4.2.12:5060", false);
    s.leg(0, 0, LegRole::Customer, "call-12346@10.4.2.12", "10.4.2.12:5060", true);
    s.message(0, 0, Direction::In, &invite("0867617078-003", ""));
    s.message(500_000, 0, Direction::In, &invite("0867617078-003", ""));
    s.admitted(300, digest("sbc-east"));
    s.context(400, "billing_help", "0867617078-003");
    s.event(1_000, CallEvent::AgentInvited { kind: AgentKind::Script, target: "demo script".to_owned() });
    s.done()
}

fn returned() -> Call {
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
            payload: Some(small),
        },
    );
    s.event(61_000_000, CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded });
    let why = Ended::new("Customer hung up", Party::Customer, None);
    s.event(97_000_000, CallEvent::CallEnded { state: CallState::Returned, why });
    s.done()
}

fn refused_return() -> Call {
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
        CallEvent::ReturnStarted { method: ReturnMethod::Refer, uri: "sip:transfer@lab-sbc".to_owned(), payload: Some(small) },
    );
    let why = Ended::new("REFER refused with 603 Decline", Party::Customer, Some(603));
    s.event(36_200_000, CallEvent::ReturnFailed { why: why.clone() });
    s.event(36_300_000, finding("refer-refused", Severity::Error, "REFER was refused with 603 Decline", vec![]));
    s.event(36_400_000, finding("refer-over-udp", Severity::Warning, "REFER is 1,388 bytes over UDP", vec![]));
    s.event(37_000_000, CallEvent::CallEnded { state: CallState::Failed, why });
    s.done()
}

fn rejected() -> Call {
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

fn returning() -> Call {
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
            payload: Some(payload),
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

/// A test call as the bridge and as the caller see it.
fn placed() -> [Call; 2] {
    let sip_call_id = "8b0e6d52@127.0.0.1";
    let mut bridge = Script::new(PLACED_BRIDGE.0, -62, "customer@your-sbc.example.com", "127.0.0.1:5071", false);
    bridge.leg(0, 0, LegRole::Customer, sip_call_id, "127.0.0.1:5071", true);
    bridge.message(0, 0, Direction::In, &invite("conv-12345", ""));
    bridge.admitted(300, Admission::Network("127.0.0.0/8".to_owned()));
    bridge.context(400, "call_routing", "conv-12345");
    bridge.agent(1_000, 31_000);
    let mut caller = Script::new(PLACED.0, -62, "customer@your-sbc.example.com", "127.0.0.1:5071", true);
    caller.leg(0, 0, LegRole::Customer, sip_call_id, "10.9.0.5:5060", false);
    caller.message(0, 0, Direction::Out, &invite("conv-12345", ""));
    caller.message(44_000, 0, Direction::In, &response("200 OK", "INVITE", "", SDP));
    caller.event(44_000, CallEvent::CallAnswered { codec: "PCMU".to_owned() });
    caller.media(60_000);
    [bridge.done(), caller.done()]
}

/// How the placed call ends: the payload came back.
pub fn finish_placed(snapshot: &mut Snapshot) {
    let payload = payload();
    let calls = snapshot.calls.iter().map(|call| {
        let mut call = (**call).clone();
        let at = |micros: u64| Timestamp(call.started_at.0 + micros);
        let why = Ended::new("Handed back", Party::Bridge, None);
        if call.id == PLACED_BRIDGE {
            let uri = "sip:return@127.0.0.1:5090".to_owned();
            call.apply(at(2_000_000), &CallEvent::ReturnStarted { method: ReturnMethod::Refer, uri, payload: Some(payload.clone()) });
            let end = CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded };
            let started = call.started_at.0;
            call.apply(Timestamp(started + 2_100_000), &end);
            call.apply(Timestamp(started + 2_200_000), &CallEvent::CallEnded { state: CallState::Returned, why });
        } else if call.id == PLACED {
            let steps = vec![TestCallStep { at_us: 2_000_000, text: "REFER received".to_owned(), ok: true }];
            let report = TestCallReport {
                steps,
                ok: true,
                returned: Some(payload.clone()),
                returned_by: Some(ReturnMethod::Refer),
                ..TestCallReport::default()
            };
            let started = call.started_at.0;
            call.apply(Timestamp(started + 2_200_000), &CallEvent::TestCallReported { report: Box::new(report) });
            call.apply(Timestamp(started + 2_200_000), &CallEvent::CallEnded { state: CallState::Ended, why });
        }
        Arc::new(call)
    });
    snapshot.calls = calls.collect();
}
