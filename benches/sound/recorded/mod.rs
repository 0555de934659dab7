//! Calls in virtual time, through the media plane and the recorder into WAV files; and how true to time those are.

mod judge;
mod network;
mod story;
mod voice;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use handback::{
    engine::recorder::Recorder,
    media::{Channel, Clock, Direction, MediaCommand, MediaEvent, MediaPlane, Owner, Playout, Sink, StreamId, StreamSetup},
    model::{CallId, Timestamp, settings},
};

pub use judge::Found;
use network::Line;
use story::{Step, Story};
use voice::{Scripts, Voice};

/// So many calls of so many seconds, each of another kind; what was found of each. Groups of them run at once.
pub fn trial(calls: usize, secs: f64) -> Vec<Found> {
    let scripts = &Scripts::new();
    let stories: Vec<Story> = (0..calls).map(|number| Story::number(number, secs)).collect();
    thread::scope(|scope| {
        let labs: Vec<_> = stories.chunks(GROUP).map(|group| scope.spawn(|| Lab::new(group, scripts).run())).collect();
        labs.into_iter().flat_map(|lab| lab.join().unwrap()).collect()
    })
}

/// The calls of one media plane, and what is to happen to them.
struct Lab<'a> {
    stories: &'a [Story],
    scripts: &'a Scripts,
    plane: MediaPlane,
    room: Room,
    folder: tempfile::TempDir,
    paths: Vec<PathBuf>,
    /// Three of each call: customer, agent, return endpoint; and the way from each.
    voices: Vec<(Voice, Line)>,
    todo: BTreeMap<(Instant, u64), What>,
    order: u64,
}

enum What {
    Step(usize, Step),
    Speak(usize),
    Arrive { voice: usize, bytes: Vec<u8> },
}

struct Room(Recorder);

impl Sink for Room {
    fn send(&mut self, _: u16, _: Channel, _: std::net::SocketAddr, _: &[u8]) {}

    fn event(&mut self, _: Owner, event: MediaEvent) {
        if let MediaEvent::Kept { stream, second, last } = event {
            self.0.take((0, stream), second, last);
        }
    }
}

impl<'a> Lab<'a> {
    fn new(stories: &'a [Story], scripts: &'a Scripts) -> Self {
        let (begin, folder) = (Instant::now(), tempfile::tempdir().unwrap());
        let settings = settings::Recording { folder: Some(folder.path().to_owned()), ..settings::Recording::default() };
        let room = Room(Recorder::start(settings).unwrap());
        let plane = MediaPlane::new(Clock::new(begin, 3_900_000_000 << 32, "lab".into()), 7);
        let (voices, paths, todo) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut lab = Lab { stories, scripts, plane, room, folder, paths, voices, todo, order: 0 };
        for (call, story) in stories.iter().enumerate() {
            for (part, (codec, ppm)) in story.voices().into_iter().enumerate() {
                let number = 3 * call + part;
                lab.voices.push((Voice::new(number, codec, begin, ppm, story.has_pauses()), Line::new(story.network, number)));
            }
            for (secs, step) in story.steps() {
                lab.later(begin + Duration::from_secs_f64(secs), What::Step(call, step));
            }
        }
        lab
    }

    fn run(mut self) -> Vec<Found> {
        while let Some(((at, order), what)) = self.todo.pop_first() {
            // What the plane wants before that, first.
            if let Some(wanted) = self.plane.deadline().filter(|wanted| *wanted <= at) {
                self.todo.insert((at, order), what);
                self.plane.handle_timeout(wanted, &mut self.room);
                continue;
            }
            match what {
                What::Step(call, step) => self.step(at, call, step),
                What::Speak(voice) => self.speak(at, voice),
                What::Arrive { voice, mut bytes } => {
                    let (port, from) = (port(voice), self.voices[voice].0.address());
                    self.plane.handle_packet(at, port, Channel::Rtp, from, &mut bytes, &mut self.room);
                }
            }
        }
        assert_eq!(self.plane.streams(), 0, "nothing is left over");
        // Finishes all files.
        drop(self.room);
        let found = self.stories.iter().zip(&self.paths).map(|(story, path)| Found::of(story, path)).collect();
        self.folder.close().unwrap();
        found
    }

    fn later(&mut self, at: Instant, what: What) {
        self.order += 1;
        self.todo.insert((at, self.order), what);
    }

    fn does(&mut self, now: Instant, command: MediaCommand) {
        self.plane.handle_command(now, Owner(0), command, &mut self.room);
    }

    fn step(&mut self, now: Instant, call: usize, step: Step) {
        let [customer, agent, back] = [0, 1, 2].map(|part| 3 * call + part);
        match step {
            Step::Begin => {
                for voice in [customer, agent] {
                    self.does(now, MediaCommand::Open { stream: stream(voice), port: port(voice) });
                }
                self.does(now, MediaCommand::Connect { a: stream(customer), b: stream(agent) });
                for voice in [customer, agent] {
                    self.configure(now, voice, Direction::SendRecv);
                }
                let source = (0, stream(customer));
                self.paths.push(self.room.0.begin(source, CallId(call as u64), Timestamp(call as u64), None));
                self.does(now, MediaCommand::Keep { stream: stream(customer), on: true });
            }
            Step::Speaks(part) => self.begins_to_speak(now, 3 * call + part),
            Step::Held => {
                self.voices[customer].0.stop();
                self.configure(now, customer, Direction::Inactive);
            }
            Step::Resumed => {
                self.configure(now, customer, Direction::SendRecv);
                self.begins_to_speak(now, customer);
            }
            Step::Codec(codec) => {
                self.voices[customer].0.codec = codec;
                self.configure(now, customer, Direction::SendRecv);
            }
            Step::Restarted => self.voices[customer].0.restart(),
            Step::AgentLeaves => {
                self.voices[agent].0.stop();
                self.does(now, MediaCommand::Close { stream: stream(agent) });
                self.does(now, MediaCommand::Play { stream: stream(customer), what: Playout::Ringback, token: 1 });
            }
            Step::Returned => {
                self.does(now, MediaCommand::Open { stream: stream(back), port: port(back) });
                self.configure(now, back, Direction::SendRecv);
                self.does(now, MediaCommand::StopPlaying { stream: stream(customer) });
                self.does(now, MediaCommand::Connect { a: stream(customer), b: stream(back) });
                self.begins_to_speak(now, back);
            }
            Step::End => {
                for voice in [customer, agent, back] {
                    self.voices[voice].0.stop();
                    self.does(now, MediaCommand::Close { stream: stream(voice) });
                }
            }
        }
    }

    fn configure(&mut self, now: Instant, voice: usize, direction: Direction) {
        let (speaker, _) = &self.voices[voice];
        let setup = StreamSetup { direction, ..speaker.setup() };
        self.does(now, MediaCommand::configure(stream(voice), setup));
    }

    fn begins_to_speak(&mut self, now: Instant, voice: usize) {
        let first = self.voices[voice].0.begins(now);
        self.later(first, What::Speak(voice));
    }

    fn speak(&mut self, now: Instant, voice: usize) {
        let (speaker, line) = &mut self.voices[voice];
        let Some((packet, next)) = speaker.speaks(self.scripts) else { return };
        let late = packet.as_ref().and_then(|_| line.fate());
        self.later(next, What::Speak(voice));
        if let (Some(bytes), Some(late)) = (packet, late) {
            self.later(now + late, What::Arrive { voice, bytes });
        }
    }
}

fn stream(voice: usize) -> StreamId {
    StreamId(voice as u32 + 1)
}

fn port(voice: usize) -> u16 {
    20_000 + 2 * voice as u16
}

/// Calls at a time: their seconds all find room in the recorder's queue, however slow the disk is.
const GROUP: usize = 10;
