//! What a frame of the window costs with 5,000 calls and 100,000 messages held, while 100 messages a second arrive: layout and
//! tessellation, without graphics. And how soon a filter shows its first result. CPU time of the thread, so that a busy machine
//! does not show.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time, and stops where something is amiss")]

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use eframe::egui::{Context, Event, Key, Modifiers, Pos2, RawInput, Rect, Vec2, epaint::Primitive};
use handback::{
    console::{ApiAnswer, App, Backend, CommandTicket, Facts, Options, PastAnswer, PastAsk, TransfersView, Waker},
    model::{
        Admission, AgentKind, CallEvent, CallId, CallRecord, CallState, CapturedMessage, Command, CommandOutcome, Direction, Ended,
        InvitePreview, LegId, LegOpened, LegRole, LoggedMessage, MediaFigures, Party, Snapshot, TestCall, Timestamp, TransportName,
    },
};

const CALLS: u64 = 5_000;
const MESSAGES_A_CALL: u64 = 20;
const MESSAGES_A_SECOND: u64 = 100;
const FRAMES: u64 = 600;

fn main() {
    let held = (CALLS * MESSAGES_A_CALL).to_string();
    println!("{CALLS} calls and {held} messages held, {MESSAGES_A_SECOND} messages a second, {FRAMES} frames at 60 Hz each:");
    let mut lab = Lab::new();
    lab.measure("first frames", 30);
    lab.measure("Calls", FRAMES);
    // One that is over: all its messages are there.
    (0..8).for_each(|_| lab.press(Key::ArrowDown, Modifiers::NONE));
    lab.measure("Calls, one chosen with its ladder", FRAMES);
    lab.press(Key::F, Modifiers::COMMAND);
    lab.first_result("Calls, filter typed", "conv-1234");
    lab.measure("Calls, filtered", FRAMES);
    lab.press(Key::Escape, Modifiers::NONE);
    lab.press(Key::Escape, Modifiers::NONE);
    lab.palette("messages");
    lab.until_all_is_held();
    lab.measure("Messages, followed", FRAMES);
    lab.press(Key::F, Modifiers::COMMAND);
    lab.first_result("Messages, filter typed (common)", "method:INVITE");
    lab.measure("Messages, filtered", FRAMES);
    lab.first_result("Messages, one more word (rare)", " conv-4999x");
    lab.press(Key::Escape, Modifiers::NONE);
    lab.press(Key::K, Modifiers::COMMAND);
    lab.first_result("Search over everything, typed", "account-4711");
    lab.measure("Search over everything, open", FRAMES);
}

struct Lab {
    ctx: Context,
    app: App,
    crowd: Arc<Crowd>,
    frame: u64,
    events: Vec<Event>,
    /// What the last frame came to.
    vertices: usize,
}

impl Lab {
    fn new() -> Self {
        let ctx = Context::default();
        let crowd = Arc::new(Crowd::new());
        let mut app = None;
        // The fonts are there from the second frame on.
        let mut first = ctx.run_ui(input(0, Vec::new()), |ui| {
            app.get_or_insert_with(|| App::new(ui.ctx(), crowd.clone(), Options::default()));
        });
        // Nobody uploads textures here.
        first.textures_delta.clear();
        Self { app: app.unwrap(), ctx, crowd, frame: 1, events: Vec::new(), vertices: 0 }
    }

    /// One frame, and the CPU time that it took.
    fn frame(&mut self) -> Duration {
        self.crowd.tick(self.frame);
        self.frame += 1;
        let input = input(self.frame, std::mem::take(&mut self.events));
        let before = cpu_time();
        let mut output = self.ctx.run_ui(input, |ui| self.app.frame(ui));
        let primitives = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        let took = cpu_time() - before;
        output.textures_delta.clear();
        self.vertices = primitives.iter().map(|p| if let Primitive::Mesh(mesh) = &p.primitive { mesh.vertices.len() } else { 0 }).sum();
        took
    }

    fn measure(&mut self, what: &str, frames: u64) {
        let mut times: Vec<Duration> = (0..frames).map(|_| self.frame()).collect();
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
        println!(
            "  {what:<42} p50 {:>6.2} ms   p99 {:>6.2} ms   most {:>6.2} ms   {:>6} vertices",
            at(0.5),
            at(0.99),
            at(1.0),
            self.vertices
        );
    }

    fn press(&mut self, key: Key, modifiers: Modifiers) {
        for pressed in [true, false] {
            self.events.push(Event::Key { key, physical_key: None, pressed, repeat: false, modifiers });
            self.frame();
        }
        self.frame();
    }

    /// To a place, by the search over everything.
    fn palette(&mut self, words: &str) {
        self.press(Key::K, Modifiers::COMMAND);
        self.events.push(Event::Text(words.to_owned()));
        self.frame();
        self.press(Key::Enter, Modifiers::NONE);
    }

    /// Until the reader of the log has all.
    fn until_all_is_held(&mut self) {
        let begin = Instant::now();
        while self.app.listed().0 < (CALLS * MESSAGES_A_CALL * 9 / 10) as usize {
            assert!(begin.elapsed() < Duration::from_secs(60), "the log is read");
            self.frame();
            std::thread::yield_now();
        }
        println!("  {:<42} {:>10.0} ms", "Messages, all read by the log's thread", begin.elapsed().as_secs_f64() * 1_000.0);
    }

    /// From the key to the frame that shows something for it.
    fn first_result(&mut self, what: &str, text: &str) {
        let begin = Instant::now();
        self.events.push(Event::Text(text.to_owned()));
        self.frame();
        let mut first = None;
        loop {
            // What was typed is looked for from the next frame on.
            self.frame();
            let (rows, done) = self.app.listed();
            if rows > 0 || done {
                first = first.or_else(|| Some(begin.elapsed()));
            }
            if done {
                break;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "it is looked through");
            std::thread::yield_now();
        }
        let ms = |d: Duration| d.as_secs_f64() * 1_000.0;
        println!("  {what:<42} first result after {:>6.1} ms, all after {:>6.1} ms", ms(first.unwrap()), ms(begin.elapsed()));
    }
}

fn input(frame: u64, events: Vec<Event>) -> RawInput {
    let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, Vec2::new(1_440.0, 900.0)));
    RawInput { screen_rect, time: Some(frame as f64 / 60.0), focused: true, events, ..RawInput::default() }
}

/// What this thread has run.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library does not tell a thread's CPU time")]
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes into the structure that it is given, which outlives the call.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The time of day has to do.
#[cfg(not(unix))]
fn cpu_time() -> Duration {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed()
}

/// An engine with many calls, of which some always go on.
struct Crowd {
    state: Mutex<State>,
    published: Mutex<Arc<Snapshot>>,
    dirty: AtomicBool,
    ticket: AtomicU64,
}

struct State {
    calls: VecDeque<(Arc<CallRecord>, Vec<CapturedMessage>)>,
    log: VecDeque<LoggedMessage>,
    next_call: u64,
    next_number: u64,
    arrived: u64,
}

impl Crowd {
    fn new() -> Self {
        let mut state = State { calls: VecDeque::new(), log: VecDeque::new(), next_call: 1, next_number: 0, arrived: 0 };
        for _ in 0..CALLS {
            state.open();
            for _ in 0..MESSAGES_A_CALL {
                state.message(state.calls.len() - 1);
            }
            state.close(state.calls.len() - 1);
        }
        let crowd = Self { state: Mutex::new(state), published: Mutex::default(), dirty: AtomicBool::new(true), ticket: AtomicU64::new(1) };
        crowd.publish();
        crowd
    }

    /// What arrives in a sixtieth of a second; a snapshot every second frame, as the engine does.
    fn tick(&self, frame: u64) {
        let mut state = self.state.lock().unwrap();
        while state.arrived < frame * MESSAGES_A_SECOND / 60 {
            state.arrived += 1;
            if state.arrived.is_multiple_of(MESSAGES_A_CALL) {
                let last = state.calls.len() - 1;
                state.close(last);
                state.calls.pop_front();
                state.open();
            }
            let last = state.calls.len() - 1;
            state.message(last);
            self.dirty.store(true, Ordering::Relaxed);
        }
        drop(state);
        if frame.is_multiple_of(2) && self.dirty.swap(false, Ordering::Relaxed) {
            self.publish();
        }
    }

    fn publish(&self) {
        let state = self.state.lock().unwrap();
        let mut snapshot = Snapshot { at: Timestamp(NOON + state.next_number * 10_000), seq: state.next_number, ..Snapshot::default() };
        snapshot.calls = state.calls.iter().map(|(record, _)| record.clone()).collect();
        snapshot.counters.messages_in = state.next_number;
        *self.published.lock().unwrap() = Arc::new(snapshot);
    }
}

const NOON: u64 = 1_795_269_729_000_000;

impl State {
    fn now(&self) -> Timestamp {
        Timestamp(NOON + self.next_number * 10_000)
    }

    fn open(&mut self) {
        let (id, now) = (self.next_call, self.now());
        self.next_call += 1;
        let mut record = CallRecord::new(CallId(id), now);
        let source = "10.4.2.11:5060".parse().unwrap();
        let (from, to) = (format!("<sip:+1415555{id:04}@sbc.example.com>;tag=a{id}"), "<sip:agent@10.9.0.5>".to_owned());
        record.apply(now, &CallEvent::CallArrived { from, to, request_uri: "sip:agent@10.9.0.5".to_owned(), source, test_call: false });
        let opened = LegOpened {
            leg: LegId(0),
            role: LegRole::Customer,
            sip_call_id: format!("call-{id}@sbc.example.com"),
            remote: source,
            uri: "sip:agent@10.9.0.5".to_owned(),
            incoming: true,
        };
        record.apply(now, &CallEvent::LegOpened(opened));
        let by = Admission::Network("10.4.0.0/16".to_owned());
        record.apply(now, &CallEvent::CallAdmitted { peer: "SBC lab".to_owned(), by });
        let mut context = handback::model::Context {
            task_name: Some(["billing", "call_routing", "card_activation"][id as usize % 3].to_owned()),
            ext_conversation_id: Some(format!("conv-{id}")),
            customer_id: Some(format!("cust-{}", id * 7)),
            ..handback::model::Context::default()
        };
        for (name, value) in [("accountNumber", format!("account-{id}")), ("name", "John Doe".to_owned()), ("priority", "high".to_owned())]
        {
            context.input_variables.insert(name.to_owned(), value);
        }
        record.apply(now, &CallEvent::ContextRead { context: Arc::new(context) });
        record.apply(now, &CallEvent::AgentInvited { kind: AgentKind::Script, target: "demo".to_owned() });
        record.apply(now, &CallEvent::CallAnswered { codec: "PCMU".to_owned() });
        self.calls.push_back((Arc::new(record), Vec::new()));
    }

    fn message(&mut self, call: usize) {
        let (number, at) = (self.next_number, self.now());
        self.next_number += 1;
        let (record, messages) = &mut self.calls[call];
        let id = record.id.0;
        let step = messages.len() as u64;
        let text = match step {
            0 => format!(
                "INVITE sip:agent@10.9.0.5 SIP/2.0\r\n{}X-GA-taskName: billing\r\nX-GA-extConversationId: conv-{id}\r\nX-GA-customerId: cust-{}\r\nX-GA-iv-accountNumber: account-{id}\r\nX-GA-iv-name: John Doe\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
                head(id, step, "INVITE"),
                id * 7,
                SDP.len()
            ),
            1 => format!(
                "SIP/2.0 200 OK\r\n{}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
                head(id, step, "INVITE"),
                SDP.len()
            ),
            n if n.is_multiple_of(2) => format!("INFO sip:agent@10.9.0.5 SIP/2.0\r\n{}Content-Length: 0\r\n\r\n", head(id, step, "INFO")),
            _ => format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", head(id, step, "INFO")),
        };
        let message = CapturedMessage {
            number,
            at,
            direction: if step.is_multiple_of(2) { Direction::In } else { Direction::Out },
            leg: Some(LegId(0)),
            transport: TransportName::Udp,
            local: "10.9.0.5:5060".parse().unwrap(),
            remote: "10.4.2.11:5060".parse().unwrap(),
            retransmission: false,
            bytes: text.into_bytes().into(),
        };
        messages.push(message.clone());
        self.log.push_back(LoggedMessage { call: Some(CallId(id)), message });
        if self.log.len() > (CALLS * MESSAGES_A_CALL) as usize {
            self.log.pop_front();
        }
        let figures = MediaFigures { codec: "PCMU".to_owned(), packets_received: step * 50, ..MediaFigures::default() };
        Arc::make_mut(record).apply(at, &CallEvent::MediaMeasured { leg: LegId(0), figures: figures.into() });
    }

    fn close(&mut self, call: usize) {
        let at = self.now();
        let why = Ended::new("Customer hung up", Party::Customer, None);
        let (record, _) = &mut self.calls[call];
        Arc::make_mut(record).apply(at, &CallEvent::CallEnded { state: CallState::Returned, why });
    }
}

fn head(id: u64, step: u64, method: &str) -> String {
    format!(
        "Via: SIP/2.0/UDP 10.4.2.11:5060;branch=z9hG4bK{id:08x}{step}\r\nMax-Forwards: 70\r\nFrom: <sip:+1415555{id:04}@sbc.example.com>;tag=a{id}\r\nTo: <sip:agent@10.9.0.5>;tag=b{id}\r\nCall-ID: call-{id}@sbc.example.com\r\nCSeq: {step} {method}\r\nContact: <sip:customer@10.4.2.11:5060>\r\nUser-Agent: Example SBC 8.4\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, REFER, NOTIFY, INFO, UPDATE, PRACK\r\nSupported: 100rel, timer, replaces\r\n"
    )
}

const SDP: &str = "v=0\r\no=- 3969 1 IN IP4 10.4.2.11\r\ns=-\r\nc=IN IP4 10.4.2.11\r\nt=0 0\r\nm=audio 40012 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n";

impl Backend for Crowd {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.published.lock().unwrap().clone()
    }

    fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        let state = self.state.lock().unwrap();
        let first = state.calls.front().map_or(0, |(record, _)| record.id.0);
        state.calls.get(call.0.wrapping_sub(first) as usize).map(|(_, messages)| messages.clone()).unwrap_or_default()
    }

    fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        let state = self.state.lock().unwrap();
        let start = state.log.partition_point(|logged| logged.message.number < from);
        let messages: Vec<LoggedMessage> = state.log.range(start..).take(most).cloned().collect();
        let next = messages.last().map_or(from, |last| last.message.number + 1);
        (messages, next)
    }

    fn command(&self, _: Command) -> CommandTicket {
        CommandTicket(self.ticket.fetch_add(1, Ordering::Relaxed))
    }

    fn take_outcomes(&self) -> Vec<(CommandTicket, CommandOutcome)> {
        Vec::new()
    }

    fn set_waker(&self, _: Waker) {}

    fn facts(&self) -> Facts {
        Facts { agent: "demo script".to_owned(), bridge_uri: "sip:bridge@10.9.0.5:5060".to_owned(), ..Facts::default() }
    }

    fn preview(&self, _: &TestCall) -> Result<InvitePreview, String> {
        Err("no test calls here".to_owned())
    }

    fn ask_past(&self, _: PastAsk) -> Option<CommandTicket> {
        None
    }

    fn take_past(&self) -> Vec<(CommandTicket, PastAnswer)> {
        Vec::new()
    }

    fn transfers(&self) -> Option<Arc<TransfersView>> {
        None
    }

    fn judge_transfer(&self, _: &str) -> ApiAnswer {
        ApiAnswer { status: 404, line: "404".to_owned(), message: String::new() }
    }

    fn create_transfer(&self, _: &str) -> CommandTicket {
        CommandTicket(0)
    }

    fn take_created(&self) -> Vec<(CommandTicket, ApiAnswer)> {
        Vec::new()
    }

    fn ask_settings(&self, _: handback::config::desk::Ask) {}

    fn take_settings(&self) -> Vec<handback::config::desk::Answer> {
        Vec::new()
    }

    fn restart_when_closed(&self, _: bool) {}
}
