//! The loop: waits for sockets, commands, media and deadlines, and gives each party one input at a time.

mod asked;
mod kept;

use std::{
    collections::HashMap,
    future::poll_fn,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, atomic::Ordering},
    task::Poll,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Sleep, sleep_until},
};

use super::{
    Engine, EngineHandle,
    clock::Clock,
    desk::Desk,
    handle::Request,
    line_ends::LinePorts,
    media_loop::{self, MediaReport},
    node::{Arrival, Env, Node, Sockets, transport_name},
    publish::{Publisher, Shared},
    recorder::{self, Recorder},
    setup::{Bound, EngineSetup, PartySetup, Speech, StartError},
};
use crate::{
    media::{MediaCommand, MediaEvent, StreamId},
    model::{CallId, Command, CommandOutcome, DeskAnswer, DeskAsk, Direction, Listener, Timestamp, settings::Limits},
    party::{Gauges, Input, Output},
    sip::transport::Transport,
    wire::tcp::TcpLimits,
};

impl Engine {
    /// Binds all sockets, builds the parties and runs them on a thread of their own.
    ///
    /// # Errors
    /// Something can't be bound; nothing runs then.
    pub fn start(setup: EngineSetup) -> Result<EngineHandle, StartError> {
        let (ready, started) = std::sync::mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("handback-engine".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(ready.send(Err(StartError::Thread(error)))),
                };
                runtime.block_on(async {
                    match Driver::build(setup) {
                        Ok((driver, handle)) => {
                            if ready.send(Ok(handle)).is_ok() {
                                driver.run().await;
                            }
                        }
                        Err(error) => drop(ready.send(Err(error))),
                    }
                });
            })
            .map_err(StartError::Thread)?;
        started.recv().unwrap_or_else(|_| Err(StartError::Thread(std::io::Error::other("the engine's thread ended while starting"))))
    }
}

struct Driver {
    clock: Clock,
    nodes: Vec<Node>,
    shared: Arc<Shared>,
    publisher: Publisher,
    requests: mpsc::Receiver<Request>,
    waiting: HashMap<u64, oneshot::Sender<CommandOutcome>>,
    next_command: u64,
    resolved: mpsc::Receiver<Resolution>,
    resolves: mpsc::Sender<Resolution>,
    spoken: mpsc::Receiver<Spoken>,
    speaks: mpsc::Sender<Spoken>,
    speech: Option<Speech>,
    desk: Desk,
    recorder: Recorder,
    limits: Limits,
    stopping: Option<Stopping>,
    ended: watch::Sender<bool>,
    next_publish: Instant,
    /// When calls that got messages after their end are looked at.
    next_retelling: Option<Instant>,
}

enum Stopping {
    /// Running calls may go on until then.
    Drain { until: Instant },
    /// What was left has been hung up; its BYEs get this long.
    HangUp { until: Instant },
}

impl Driver {
    fn build(setup: EngineSetup) -> Result<(Self, EngineHandle), StartError> {
        let clock = Clock::start();
        let shared = Arc::new(Shared::new(setup.limits.capture_bytes));
        let mut bound = Vec::new();
        for party in setup.parties {
            let sockets = Sockets::bind(&party.listen, TcpLimits::default())?;
            bound.push((party, sockets));
        }
        let listeners: Vec<Listener> = bound
            .iter()
            .flat_map(|(party, sockets)| {
                let side = party.customer_side;
                sockets.bound().into_iter().map(move |(t, address)| Listener { transport: transport_name(t), address, customer_side: side })
            })
            .collect();
        let mut nodes = Vec::new();
        for (index, (party, sockets)) in (0u8..).zip(bound) {
            nodes.push(build_node(index, party, sockets, &listeners, clock, setup.seed)?);
        }
        let (commands, requests) = mpsc::channel(COMMAND_QUEUE);
        let (resolves, resolved) = mpsc::channel(RESOLVE_QUEUE);
        let (speaks, spoken) = mpsc::channel(RESOLVE_QUEUE);
        let (ended, has_ended) = watch::channel(false);
        let publisher = Publisher::new(shared.clone(), listeners.clone(), setup.limits.finished_calls);
        let mut lines = LinePorts::default();
        for node in &mut nodes {
            let port = if node.customer_side { &mut lines.customer } else { &mut lines.bridge };
            *port = port.take().or_else(|| node.media.take_lines());
        }
        let lines = Arc::new(Mutex::new(Some(lines)));
        let handle = EngineHandle { lines, commands, shared: shared.clone(), listeners: listeners.into(), ended: has_ended };
        let driver = Self {
            clock,
            nodes,
            shared,
            publisher,
            requests,
            waiting: HashMap::new(),
            next_command: 0,
            resolved,
            resolves,
            spoken,
            speaks,
            speech: setup.speech,
            desk: Desk::new(setup.desk),
            recorder: Recorder::start(setup.recording).map_err(StartError::Thread)?,
            limits: setup.limits,
            stopping: None,
            ended,
            next_publish: clock.now(),
            next_retelling: None,
        };
        Ok((driver, handle))
    }

    async fn run(mut self) {
        let mut timer = Box::pin(sleep_until(self.clock.now().into()));
        self.start_parties();
        loop {
            let now = self.clock.now();
            self.retell(now);
            self.publish(now);
            if self.is_over(now) {
                break;
            }
            self.nodes.iter_mut().for_each(|node| node.media.flush());
            self.desk.catch_up();
            timer.as_mut().reset(self.wake_at(now).into());
            let work = self.wait(&mut timer).await;
            self.work_off(work);
        }
        self.retell_late(Timestamp(u64::MAX));
        self.publish_now();
        for node in &mut self.nodes {
            node.media.stop();
        }
        self.desk.finish().await;
        self.ended.send_replace(true);
    }

    /// Parties may want something before anything happens (media ports).
    fn start_parties(&mut self) {
        for index in 0..self.nodes.len() {
            self.step(index, Input::Timeout);
        }
    }

    /// Sleeps until there is something to do and collects it.
    async fn wait(&mut self, timer: &mut Pin<Box<Sleep>>) -> Work {
        let (message_bytes, clock) = (self.limits.message_bytes, self.clock);
        poll_fn(|cx| {
            let mut work = Work::default();
            let mut ready = timer.as_mut().poll(cx).is_ready();
            let now = clock.now();
            for (index, node) in self.nodes.iter_mut().enumerate() {
                let mut arrivals = Vec::new();
                if node.sockets.poll_ready(cx, now, &mut arrivals, message_bytes).is_ready() {
                    node.sockets.receive_datagrams(&mut arrivals);
                    ready = true;
                }
                work.arrivals.extend(arrivals.into_iter().map(|arrival| (index, arrival)));
                for _ in 0..BATCH {
                    let Poll::Ready(Some(report)) = node.media_reports.poll_recv(cx) else { break };
                    work.media.push((index, report));
                    ready = true;
                }
            }
            while let Poll::Ready(Some(request)) = self.requests.poll_recv(cx) {
                work.requests.push(request);
                ready = true;
            }
            while let Poll::Ready(Some(answer)) = self.resolved.poll_recv(cx) {
                work.resolved.push(answer);
                ready = true;
            }
            while let Poll::Ready(answer) = self.desk.poll_answer(cx) {
                work.desk.push(answer);
                ready = true;
            }
            while let Poll::Ready(Some(fault)) = self.recorder.poll_fault(cx) {
                work.unrecorded.push(fault);
                ready = true;
            }
            while let Poll::Ready(Some(answer)) = self.spoken.poll_recv(cx) {
                work.spoken.push(answer);
                ready = true;
            }
            if ready { Poll::Ready(work) } else { Poll::Pending }
        })
        .await
    }

    fn work_off(&mut self, work: Work) {
        for (index, arrival) in work.arrivals {
            self.arrive(index, arrival);
        }
        for (index, report) in work.media {
            match report {
                MediaReport::Event(MediaEvent::Kept { stream, second, last }) => self.keep_second(index, stream, second, last),
                MediaReport::Event(event) => self.step(index, Input::Media(event)),
                MediaReport::PortsOpened(ports) => self.step(index, Input::PortsOpened(ports)),
            }
        }
        for (party, query, targets) in work.resolved {
            self.step(usize::from(party), Input::Resolved { query, targets });
        }
        for answer in work.desk {
            self.take_answer(answer);
        }
        for (party, query, samples) in work.spoken {
            self.step(usize::from(party), Input::Spoken { query, samples });
        }
        for fault in work.unrecorded {
            self.recording_failed(fault);
        }
        for request in work.requests {
            self.take_request(request);
        }
        let now = self.clock.now();
        for index in 0..self.nodes.len() {
            let mut arrivals = Vec::new();
            if let Some(node) = self.nodes.get_mut(index) {
                node.sockets.give_up_slow(now, &mut arrivals);
            }
            for arrival in arrivals {
                self.arrive(index, arrival);
            }
            if self.nodes.get(index).and_then(|node| node.party.deadline()).is_some_and(|deadline| deadline <= now) {
                self.step(index, Input::Timeout);
            }
        }
    }

    fn arrive(&mut self, index: usize, arrival: Arrival) {
        match arrival {
            Arrival::Message(received) => {
                // RFC 5626 §3.5.1 and many SBCs: a datagram of nothing but CRLF or NUL keeps a NAT open and says nothing.
                if received.bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0 | b' ')) {
                    return;
                }
                let figures = &self.shared.figures;
                if received.bytes.len() > self.limits.message_bytes {
                    figures.messages_dropped.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                figures.messages_in.fetch_add(1, Ordering::Relaxed);
                let now = self.clock.now();
                let env = Env { shared: &self.shared, clock: self.clock, message_bytes: self.limits.message_bytes };
                let party = u8::try_from(index).unwrap_or_default();
                env.capture(party, now, Direction::In, &received.flow, received.bytes.clone(), false);
                self.step(index, Input::Received(received));
            }
            Arrival::Failed(flow) => self.step(index, Input::TransportFailed(flow)),
            Arrival::Malformed => {
                self.shared.figures.streams_malformed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// One input to one party, and everything that follows from it.
    fn step(&mut self, index: usize, input: Input) {
        let now = self.clock.now();
        let mut outputs = Vec::new();
        let env = Env { shared: &self.shared, clock: self.clock, message_bytes: self.limits.message_bytes };
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.step(now, input, &env, &mut outputs);
        let (at, mut answers) = (self.clock.wall(now), Vec::new());
        let mut taken_back = Vec::new();
        for (party, output) in outputs {
            match output {
                Output::Event { call, what } => self.tell(index, party, at, call, what),
                // An answer that is there already is an input like others: after all that this one led to.
                Output::Claim { query, call, key } => answers.extend(self.desk.ask(DeskAsk::Claim { party, query, call, key, at })),
                Output::Keep { call, kept } => answers.extend(self.desk.ask(DeskAsk::Keep { party, call, kept, at })),
                Output::CommandDone { id, outcome } => {
                    if let Some(answer) = self.waiting.remove(&id) {
                        let _ = answer.send(outcome);
                        // Whoever asked may be asleep until something is new.
                        self.publisher.touch();
                    }
                }
                Output::Resolve { query, uri } => self.resolve(party, query, &uri),
                Output::Speak { query, text } => self.speak(party, query, text),
                Output::TookBack(taken) => taken_back.push(taken),
                Output::Media(MediaCommand::Keep { stream, on }) => self.keep(index, party, at, stream, on),
                Output::StreamOf { call, stream } => self.note_stream(index, call, stream),
                // Carried out by the node.
                Output::Transmit(_) | Output::Media(_) | Output::PortsWanted(_) => {}
            }
        }
        answers.into_iter().for_each(|answer| self.take_answer(answer));
        for taken in taken_back {
            // The bridge is the first party where there is one.
            self.step(0, Input::TakenBack(taken));
        }
    }

    fn note_stream(&mut self, index: usize, call: CallId, stream: StreamId) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.streams.entry(call).or_default().push(stream);
        // The publisher forgets calls; their streams are forgotten with them, in passing.
        if node.streams.len() > 2 * (self.limits.finished_calls + self.limits.calls) {
            let publisher = &self.publisher;
            node.streams.retain(|call, _| publisher.party_of(*call).is_some());
        }
    }

    fn take_request(&mut self, request: Request) {
        match request {
            Request::Command { command, answer } => self.take_command(command, answer),
            Request::Snapshot(done) => {
                self.publisher.touch();
                self.publish_now();
                let _ = done.send(());
            }
            Request::Rtp { call, answer } => {
                let party = self.publisher.party_of(call).map(usize::from);
                match party.and_then(|index| self.nodes.get_mut(index)) {
                    Some(node) => node.media.packets_of(node.streams.get(&call).map_or(&[], Vec::as_slice), answer),
                    None => drop(answer.send(Vec::new())),
                }
            }
            Request::Settings { settings, taken } => {
                self.take_settings(settings);
                let _ = taken.send(());
            }
            Request::Stop => self.stop(),
        }
    }

    fn take_command(&mut self, command: Command, answer: oneshot::Sender<CommandOutcome>) {
        let no_such_call = |call: CallId| format!("There is no call {call}; GET /v1/calls lists those that are known");
        let target = match (&command, command.call()) {
            (_, Some(call)) => self.publisher.party_of(call).map(usize::from).ok_or_else(|| no_such_call(call)),
            (Command::PlaceTestCall { .. }, None) => {
                self.nodes.iter().position(|n| n.customer_side).ok_or_else(|| "This program does not play the customer's side".to_owned())
            }
            (_, None) => Ok(0),
        };
        match target {
            Ok(index) => {
                self.next_command += 1;
                self.waiting.insert(self.next_command, answer);
                self.step(index, Input::Command { id: self.next_command, command });
            }
            Err(why) => drop(answer.send(Err(why))),
        }
    }

    fn stop(&mut self) {
        let now = self.clock.now();
        if self.stopping.is_some() {
            self.stopping = Some(Stopping::HangUp { until: now });
            return;
        }
        self.stopping = Some(Stopping::Drain { until: now + Duration::from_secs(self.limits.drain_secs) });
        for index in 0..self.nodes.len() {
            self.next_command += 1;
            self.step(index, Input::Command { id: self.next_command, command: Command::Drain });
        }
    }

    /// Whether the loop ends now. Hangs up what is left when waiting is over.
    fn is_over(&mut self, now: Instant) -> bool {
        match self.stopping {
            None => false,
            Some(Stopping::Drain { .. } | Stopping::HangUp { .. }) if self.publisher.active() == 0 => true,
            Some(Stopping::Drain { until }) if now >= until => {
                for (call, party) in self.publisher.running() {
                    self.next_command += 1;
                    self.step(usize::from(party), Input::Command { id: self.next_command, command: Command::HangUp { call } });
                }
                self.stopping = Some(Stopping::HangUp { until: now + LAST_WORDS });
                false
            }
            Some(Stopping::Drain { .. }) => false,
            Some(Stopping::HangUp { until }) => now >= until,
        }
    }

    fn publish(&mut self, now: Instant) {
        if now < self.next_publish {
            return;
        }
        self.next_publish = now + PUBLISH_EVERY;
        let gauges = || gauges(&self.nodes);
        self.publisher.publish(self.clock.wall(now), false, gauges);
    }

    fn publish_now(&mut self) {
        let gauges = || gauges(&self.nodes);
        self.publisher.publish(self.clock.wall(self.clock.now()), true, gauges);
    }

    fn wake_at(&self, now: Instant) -> Instant {
        let parties = self.nodes.iter().flat_map(|node| [node.party.deadline(), node.sockets.give_up_at()]).flatten().min();
        let stopping = match self.stopping {
            Some(Stopping::Drain { until } | Stopping::HangUp { until }) => Some(until),
            None => None,
        };
        let publish = self.publisher.is_due().then_some(self.next_publish);
        [parties, stopping, publish, self.next_retelling, self.desk.wake_at(now)].into_iter().flatten().min().unwrap_or(now + IDLE)
    }
}

/// What all parties hold together; the last malformed message is the bridge's.
fn gauges(nodes: &[Node]) -> Gauges {
    nodes.iter().map(|node| node.party.gauges()).fold(Gauges::default(), |sum, one| Gauges {
        malformed: sum.malformed + one.malformed,
        last_malformed: sum.last_malformed.or(one.last_malformed),
        dropped: sum.dropped + one.dropped,
        transactions: sum.transactions + one.transactions,
        media_streams: sum.media_streams + one.media_streams,
    })
}

fn build_node(index: u8, party: PartySetup, sockets: Sockets, all: &[Listener], clock: Clock, seed: u64) -> Result<Node, StartError> {
    let address = party.media_address;
    let (media, media_reports) =
        media_loop::start(party.name, address, party.media_ports.clone(), clock).map_err(|error| StartError::Media { address, error })?;
    let bound = Bound {
        own: sockets.reachable(),
        all: all.to_vec(),
        now: clock.now(),
        // Each party draws its own ids: SplitMix64's increment keeps them apart.
        seed: seed.wrapping_add(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(index) + 1)),
        first_call_id: first_call_id(clock, index),
    };
    Ok(Node {
        streams: HashMap::new(),
        index,
        customer_side: party.customer_side,
        party: (party.build)(bound),
        sockets,
        media,
        media_reports,
    })
}

/// Unique over restarts: the start's seconds, the party, then a count.
fn first_call_id(clock: Clock, index: u8) -> u64 {
    let secs = clock.started_at().0 / 1_000_000;
    secs << 28 | u64::from(index) << 24
}

/// Party, query, answer.
type Resolution = (u8, u32, Vec<(Transport, SocketAddr)>);

/// Party, query, samples.
type Spoken = (u8, u32, Option<Arc<[i16]>>);

#[derive(Default)]
struct Work {
    arrivals: Vec<(usize, Arrival)>,
    media: Vec<(usize, MediaReport)>,
    resolved: Vec<Resolution>,
    spoken: Vec<Spoken>,
    unrecorded: Vec<recorder::Fault>,
    desk: Vec<DeskAnswer>,
    requests: Vec<Request>,
}

const COMMAND_QUEUE: usize = 256;
const RESOLVE_QUEUE: usize = 256;
const BATCH: usize = 64;
/// A snapshot at most every 33 ms: the window repaints no faster.
const PUBLISH_EVERY: Duration = Duration::from_millis(33);
/// How long BYEs get that are sent when waiting is over.
const LAST_WORDS: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(3600);
