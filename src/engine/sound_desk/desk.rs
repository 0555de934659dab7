//! The desk's thread: opens and closes devices as they are needed and plugged, and says itself what is not a call's sound.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    Levels, Line, Playback, SoundCommand, SoundHandle, SoundSnapshot, Tone, choice,
    controls::{Controls, OWN, SOURCES},
    handle::Shared,
    microphone::{Microphone, Mouth},
    speaker::Speaker,
    stand::Stand,
    tones::Playing,
    wav::Wav,
};
use crate::{
    engine::{
        clock::Clock,
        line_ends::{LineEnd, LinePorts, place_of},
    },
    media::rate::LINE_RATE,
    model::settings::Sound,
    wire::audio_device::{AudioDevices, AudioFault, AudioStream, AudioSystem, MICROPHONE_MS, SPEAKER_MS},
};

/// See the module.
pub struct SoundDesk {
    clock: Clock,
    inbox: mpsc::Receiver<SoundCommand>,
    shared: std::sync::Weak<Shared>,
    controls: Arc<Controls>,
    ports: LinePorts,
    settings: Sound,
    system: Option<AudioSystem>,
    devices: AudioDevices,
    look_at: Instant,
    /// The phone's and everybody's, then the operator's own.
    microphones: [Stand; 2],
    speakers: [Stand; 2],
    /// Lines whose devices are wanted without a call.
    kept: [bool; 3],
    /// Into the speakers, for what the desk says itself.
    own: [Option<Producer<i16>>; 2],
    tones: Vec<Playing>,
    file: Option<(Playback, Option<Wav>)>,
    fault: Option<String>,
    levels: Levels,
    levelled_at: Instant,
}

impl SoundDesk {
    /// Starts the desk for the lines of an engine.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(ports: LinePorts, settings: Sound) -> std::io::Result<SoundHandle> {
        let (commands, inbox) = mpsc::sync_channel(COMMANDS);
        let shared = Arc::new(Shared {
            snapshot: ArcSwap::from_pointee(SoundSnapshot { settings: settings.clone(), ..SoundSnapshot::default() }),
            levels: Mutex::new(Levels::default()),
            waker: OnceLock::new(),
        });
        let watched = Arc::downgrade(&shared);
        let thread = std::thread::Builder::new().name("sound-desk".to_owned()).spawn(move || {
            let clock = Clock::start();
            let now = clock.now();
            let mut desk = SoundDesk {
                clock,
                inbox,
                shared: watched,
                controls: Arc::new(Controls::default()),
                ports,
                settings: settings.clone(),
                system: None,
                devices: AudioDevices::default(),
                look_at: now,
                microphones: Default::default(),
                speakers: Default::default(),
                kept: [false; 3],
                own: [None, None],
                tones: Vec::new(),
                file: None,
                fault: None,
                levels: Levels::default(),
                levelled_at: now,
            };
            desk.take(SoundCommand::Settings(settings));
            desk.run();
        })?;
        Ok(SoundHandle { commands, thread: thread.thread().clone(), shared })
    }

    fn run(mut self) {
        self.ports.watch(&std::thread::current());
        loop {
            loop {
                match self.inbox.try_recv() {
                    Ok(command) => self.take(command),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
            let now = self.clock.now();
            self.look_for_devices(now);
            self.tend(now);
            self.say();
            self.publish(now);
            let busy = self.is_busy();
            std::thread::park_timeout(if busy { TICK } else { IDLE });
        }
    }

    fn take(&mut self, command: SoundCommand) {
        match command {
            SoundCommand::Settings(settings) => {
                for source in 0..SOURCES {
                    self.controls.set_volume(source, settings.volume_percent.min(100) as f32 / 100.0);
                }
                // Devices of the operator's own come or go: the operator's line moves to others.
                let moved = (&self.settings.agent_microphone, &self.settings.agent_speaker)
                    != (&settings.agent_microphone, &settings.agent_speaker);
                if moved {
                    self.microphones.iter_mut().chain(&mut self.speakers).for_each(Stand::close);
                }
                self.settings = settings;
                self.choose();
            }
            SoundCommand::Keep { line, open } => {
                if let Some(kept) = self.kept.get_mut(place_of(line)) {
                    *kept = open;
                }
            }
            SoundCommand::Mute { line, on } => self.controls.mute(line, on),
            SoundCommand::Volume { line, volume } => {
                self.controls.set_volume(place_of(line), volume);
                if line == Line::Phone {
                    self.controls.set_volume(OWN, volume);
                }
            }
            SoundCommand::Play(tone) => {
                self.tones.retain(|playing| !is_kind(playing.tone, tone));
                // Each kind once, and few kinds: a held key does not pile up.
                self.tones.push(Playing::new(tone));
            }
            SoundCommand::Stop(tone) => self.tones.retain(|playing| !is_kind(playing.tone, tone)),
            SoundCommand::PlayFile { path, from_secs } => match Wav::open(&path, from_secs) {
                Ok(wav) => {
                    let playback = Playback { path, position_secs: from_secs.max(0.0), length_secs: wav.length_secs(), runs: true };
                    (self.file, self.fault) = (Some((playback, Some(wav))), None);
                }
                Err(why) => (self.file, self.fault) = (None, Some(why)),
            },
            SoundCommand::StopFile => self.file = None,
            SoundCommand::Look => self.look_at = self.clock.now(),
        }
    }

    /// What is plugged in may have changed: asked once a second while something is open, else every three.
    fn look_for_devices(&mut self, now: Instant) {
        if now < self.look_at {
            return;
        }
        self.look_at = now + if self.is_busy() { LOOK_BUSY } else { LOOK_IDLE };
        if self.system.is_none() {
            self.system = AudioSystem::find().ok();
        }
        let found = self.system.as_ref().map(AudioSystem::devices);
        match found {
            Some(Ok(devices)) => self.devices = devices,
            Some(Err(why)) => {
                tracing::info!(%why, "the sound system is gone");
                self.system = None;
                self.devices = AudioDevices::default();
            }
            None => self.devices = AudioDevices::default(),
        }
        self.choose();
    }

    fn choose(&mut self) {
        let Sound { microphone, speaker, agent_microphone, agent_speaker, .. } = &self.settings;
        let [main, own] = &mut self.microphones;
        main.choose(choice::microphone(microphone.as_deref(), &self.devices));
        own.choose(agent_microphone.as_ref().map(|wanted| choice::microphone(Some(wanted), &self.devices)).unwrap_or_default());
        let [main, own] = &mut self.speakers;
        main.choose(choice::speaker(speaker.as_deref(), &self.devices));
        own.choose(agent_speaker.as_ref().map(|wanted| choice::speaker(Some(wanted), &self.devices)).unwrap_or_default());
    }

    /// Which of the two microphones, or speakers, a line is at.
    fn stand_of(&self, line: Line, own: Option<&String>) -> usize {
        usize::from(line == Line::Operator && own.is_some())
    }

    fn is_wanted(&self, line: Line) -> bool {
        self.ports.is_attended(line) || self.kept.get(place_of(line)).copied().unwrap_or(false)
    }

    fn says_something(&self) -> bool {
        !self.tones.is_empty() || self.file.as_ref().is_some_and(|(_, wav)| wav.is_some())
    }

    fn is_busy(&self) -> bool {
        self.microphones.iter().chain(&self.speakers).any(Stand::is_open)
            || self.says_something()
            || EVERY.iter().any(|line| self.is_wanted(*line))
    }

    /// Opens what is needed and closes what is not.
    fn tend(&mut self, now: Instant) {
        for place in 0..2 {
            let at = |line: &Line, own: Option<&String>| self.stand_of(*line, own) == place;
            let speaks =
                [Line::Phone, Line::Operator].iter().any(|line| self.is_wanted(*line) && at(line, self.settings.agent_microphone.as_ref()));
            let hears = EVERY.iter().any(|line| self.is_wanted(*line) && at(line, self.settings.agent_speaker.as_ref()));
            let rings = place == 1 && self.settings.agent_speaker.is_some() && self.tones.iter().any(|playing| playing.tone == Tone::Ring);
            let says = (place == 0 && self.says_something()) || rings;
            if let Some(id) = self.microphones[place].wanted(now, speaks) {
                let opened = self.open_microphone(place, &id, MICROPHONE_MS + self.microphones[place].longer_ms());
                if let Some(opened) = opened {
                    self.microphones[place].opened(now, id, opened);
                }
            }
            if let Some(id) = self.speakers[place].wanted(now, hears || says) {
                let opened = self.open_speaker(place, &id, SPEAKER_MS + self.speakers[place].longer_ms());
                if let Some(opened) = opened {
                    self.speakers[place].opened(now, id, opened);
                }
            }
        }
    }

    fn open_microphone(&mut self, place: usize, id: &str, period_ms: u32) -> Option<Result<AudioStream, AudioFault>> {
        let lines = [Line::Phone, Line::Operator]
            .map(|line| (self.stand_of(line, self.settings.agent_microphone.as_ref()) == place).then_some(line));
        let mut mouths = [None, None];
        for (mouth, line) in mouths.iter_mut().zip(lines) {
            let Some((line, port)) = line.and_then(|line| Some((line, self.ports.of(line)?))) else { continue };
            let (ring, consumer) = RingBuffer::new(RING);
            if port.put(LineEnd::Mouth(line, consumer)) {
                *mouth = Some(Mouth { line, ring });
            }
        }
        let controls = self.controls.clone();
        let system = self.system.as_ref()?;
        Some(system.open_microphone(id, period_ms, move |format| {
            let mut microphone = Microphone::new(format.rate, format.channels, place, mouths, controls);
            move |heard: &[f32]| microphone.take(heard)
        }))
    }

    fn open_speaker(&mut self, place: usize, id: &str, period_ms: u32) -> Option<Result<AudioStream, AudioFault>> {
        let mut rings: [Option<Consumer<i16>>; SOURCES] = [None, None, None, None];
        for line in EVERY {
            if self.stand_of(line, self.settings.agent_speaker.as_ref()) != place {
                continue;
            }
            let (producer, ring) = RingBuffer::new(2 * RING);
            if self.ports.of(line).is_some_and(|port| port.put(LineEnd::Ear(line, producer))) {
                rings[place_of(line)] = Some(ring);
            }
        }
        let (own, ring) = RingBuffer::new(2 * OWN_RING);
        self.own[place] = Some(own);
        rings[OWN] = Some(ring);
        let controls = self.controls.clone();
        // PulseAudio takes all that one connection plays for one group, which plays at one sink: the second speaker has its own.
        let second = if place == 0 { None } else { Some(AudioSystem::find().ok()?) };
        let system = second.as_ref().or(self.system.as_ref())?;
        Some(system.open_speaker(id, period_ms, move |format| {
            let mut speaker = Speaker::new(format.rate, format.channels, rings, controls);
            move |out: &mut [f32]| speaker.fill(out)
        }))
    }

    /// Keeps the speakers' rings of the desk's own sounds full.
    fn say(&mut self) {
        if !self.says_something() {
            return;
        }
        let is_open = [self.speakers[0].is_open(), self.speakers[1].is_open()];
        let room = |own: &Option<Producer<i16>>| own.as_ref().map_or(0, |own| own.slots() / 2);
        let frames = match is_open {
            [true, _] => room(&self.own[0]),
            [false, true] => room(&self.own[1]),
            // No device plays: the tones' time goes by all the same.
            [false, false] => (LINE_RATE as usize / 1_000) * TICK.as_millis() as usize,
        };
        for _ in 0..frames {
            let (mut left, mut right, mut ring) = (0i16, 0i16, 0i16);
            for playing in &mut self.tones {
                let sample = playing.sample();
                if playing.tone == Tone::Ring {
                    ring = ring.saturating_add(sample);
                } else {
                    left = left.saturating_add(sample);
                    right = right.saturating_add(sample);
                }
            }
            // A recording waits for a speaker.
            if is_open[0]
                && let Some((playback, wav)) = &mut self.file
            {
                match wav.as_mut().and_then(Wav::frame) {
                    Some([l, r]) => (left, right) = (left.saturating_add(l), right.saturating_add(r)),
                    None => (*wav, playback.runs) = (None, false),
                }
            }
            let of = [[left.saturating_add(ring), right.saturating_add(ring)], [ring, ring]];
            for ((own, samples), _) in self.own.iter_mut().zip(of).zip(is_open).filter(|(_, open)| *open) {
                if let Some(own) = own {
                    // Full: the other speaker is ahead.
                    let _ = own.push_entire_slice(&samples);
                }
            }
        }
        self.tones.retain(|playing| !playing.is_over());
    }

    fn publish(&mut self, now: Instant) {
        let Some(shared) = self.shared.upgrade() else { return };
        let secs = now.saturating_duration_since(std::mem::replace(&mut self.levelled_at, now)).as_secs_f32();
        let Levels { microphone, agent_microphone, heard } = &mut self.levels;
        let [first, second] = &self.controls.spoken;
        *microphone = microphone.eased(first.take(), secs);
        *agent_microphone = agent_microphone.eased(second.take(), secs);
        if self.settings.agent_microphone.is_none() {
            *agent_microphone = *microphone;
        }
        for (level, meter) in heard.iter_mut().zip(&self.controls.heard) {
            *level = level.eased(meter.take(), secs);
        }
        *shared.levels.lock().unwrap_or_else(PoisonError::into_inner) = self.levels;
        if let Some((playback, Some(wav))) = &mut self.file {
            let ahead = self.own[0].as_ref().map_or(0, |own| OWN_RING - own.slots() / 2) as f64 / f64::from(LINE_RATE);
            playback.position_secs = (wav.position_secs() - ahead).max(0.0);
        } else if let Some((playback, None)) = &mut self.file {
            playback.position_secs = playback.length_secs;
        }
        let snapshot = SoundSnapshot {
            system: self.system.as_ref().map(AudioSystem::name),
            microphones: self.devices.microphones.clone(),
            speakers: self.devices.speakers.clone(),
            default_microphone: self.devices.default_microphone.clone(),
            default_speaker: self.devices.default_speaker.clone(),
            microphone: self.microphones[0].end(),
            speaker: self.speakers[0].end(),
            agent_microphone: self.settings.agent_microphone.as_ref().map(|_| self.microphones[1].end()),
            agent_speaker: self.settings.agent_speaker.as_ref().map(|_| self.speakers[1].end()),
            settings: self.settings.clone(),
            muted: [Line::Phone, Line::Operator].map(|line| self.controls.is_muted(line)),
            volumes: EVERY.map(|line| self.controls.volume(place_of(line))),
            playing: self.file.as_ref().map(|(playback, _)| playback.clone()),
            gaps: self.controls.gaps.load(std::sync::atomic::Ordering::Relaxed),
            missed: EVERY.iter().map(|line| self.ports.missed(*line)).sum(),
            fault: self.fault.clone(),
        };
        if **shared.snapshot.load() != snapshot {
            shared.snapshot.store(Arc::new(snapshot));
            if let Some(waker) = shared.waker.get() {
                waker();
            }
        }
    }
}

/// Keys are one kind, whichever it is.
fn is_kind(a: Tone, b: Tone) -> bool {
    a == b || matches!((a, b), (Tone::Key(_), Tone::Key(_)))
}

const EVERY: [Line; 3] = [Line::Phone, Line::Operator, Line::Listener];
const COMMANDS: usize = 1_024;
const TICK: Duration = Duration::from_millis(20);
const IDLE: Duration = Duration::from_millis(250);
const LOOK_BUSY: Duration = Duration::from_secs(1);
const LOOK_IDLE: Duration = Duration::from_secs(3);
/// A fifth of a second between a media thread and a device.
const RING: usize = LINE_RATE as usize / 5;
/// The desk's own sounds are that far ahead: 60 ms, three of its ticks.
const OWN_RING: usize = LINE_RATE as usize * 60 / 1_000;
