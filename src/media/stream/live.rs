//! A person on a stream: what arrives goes to the person's line, what the person says goes out; or a person who only listens.

use std::time::{Duration, Instant};

use super::{
    MOST_PTIME_MS, Stream,
    ear::{Ear, FRAME, FRAME_TIME},
};
use crate::media::{
    Codec,
    codecs::RATE,
    command::{Heard, Line},
    plane::{Sink, Way},
    rate::{Down, LINE_RATE},
    rtp::Header,
};

/// Who is on a stream besides those who are connected to it. Nobody, for almost all.
#[derive(Debug, Default)]
pub struct People {
    talks: Option<Box<Talker>>,
    listens: Option<Box<Listener>>,
}

#[derive(Debug)]
struct Talker {
    line: Line,
    ear: Ear,
    /// To the rate that it was asked for last.
    down: Down,
    /// Since when a packet waits for what is to fill it.
    gathers_since: Option<Instant>,
    /// The microphone gave too little for too long, and silence takes its place until it gives a whole packet.
    dry: bool,
    /// What was said on the line and is not in a packet yet.
    said: [i16; MOST_SAID],
    next: Option<Instant>,
}

#[derive(Debug, Default)]
struct Listener {
    heard: Heard,
    received: Ear,
    sent: Ear,
    next: Option<Instant>,
}

/// What stands ready for a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    Whole,
    /// Not enough yet.
    Gathers,
    /// Nobody speaks, or nothing comes of it.
    None,
}

impl Stream {
    /// Puts a line on this stream, or takes it off; a line that is here already goes on as it was.
    pub fn put_on(&mut self, line: Line, heard: Option<Heard>) {
        match (line, heard) {
            (Line::Listener, None) => self.people.listens = None,
            (Line::Listener, Some(heard)) => self.people.listens.get_or_insert_with(Box::default).heard = heard,
            (_, None) => self.people.talks = None,
            (_, Some(_)) if self.people.talks.as_ref().is_some_and(|talker| talker.line == line) => {}
            (_, Some(_)) => {
                let (ear, down) = (Ear::default(), Down::new(RATE));
                let said = [0; MOST_SAID];
                self.people.talks = Some(Box::new(Talker { line, ear, down, gathers_since: None, dry: false, said, next: None }));
            }
        }
    }

    /// Whether somebody is to hear it, so that a packet may set a new alarm.
    pub fn has_people(&self) -> bool {
        self.people.talks.is_some() || self.people.listens.is_some()
    }

    /// Gives the lines what they are to hear by now.
    pub(super) fn fill_lines(&mut self, now: Instant, sink: &mut impl Sink) {
        if let Some(talker) = &mut self.people.talks {
            while let Some(at) = due(&mut talker.next, now) {
                let mut frame = [0; FRAME];
                talker.ear.frame(at, &mut frame);
                if talker.ear.is_coded() {
                    self.ears.note_heard(now, Way::Received, &frame);
                }
                sink.hear(talker.line, &frame, &frame);
                if talker.ear.is_idle() {
                    talker.next = None;
                }
            }
        }
        if let Some(listener) = &mut self.people.listens {
            while let Some(at) = due(&mut listener.next, now) {
                let (mut left, mut right) = ([0; FRAME], [0; FRAME]);
                listener.received.frame(at, &mut left);
                listener.sent.frame(at, &mut right);
                if listener.received.is_coded() {
                    self.ears.note_heard(now, Way::Received, &left);
                }
                if listener.sent.is_coded() {
                    self.ears.note_heard(now, Way::Sent, &right);
                }
                match listener.heard {
                    Heard::Both => sink.hear(Line::Listener, &left, &right),
                    Heard::Received => sink.hear(Line::Listener, &left, &left),
                    Heard::Sent => sink.hear(Line::Listener, &right, &right),
                }
                if listener.received.is_idle() && listener.sent.is_idle() {
                    listener.next = None;
                }
            }
        }
    }
}

impl People {
    /// A packet of sound went by.
    pub fn note(&mut self, now: Instant, way: Way, header: &Header, codec: Codec, payload: &[u8]) {
        if way == Way::Received
            && let Some(talker) = &mut self.talks
        {
            talker.ear.take(now, header, codec, payload);
            talker.next.get_or_insert(now);
        }
        if let Some(listener) = &mut self.listens {
            let ear = if way == Way::Received { &mut listener.received } else { &mut listener.sent };
            ear.take(now, header, codec, payload);
            listener.next.get_or_insert(now);
        }
    }

    /// A key went by, in the place of sound.
    pub fn note_event(&mut self, now: Instant, way: Way, header: &Header) {
        let talker = self.talks.as_mut().filter(|_| way == Way::Received).map(|talker| &mut talker.ear);
        let listener = self.listens.as_mut().map(|listener| if way == Way::Received { &mut listener.received } else { &mut listener.sent });
        for ear in talker.into_iter().chain(listener) {
            ear.take_event(now, header);
        }
    }

    /// Whether a packet of so many milliseconds can be filled, at its turn `at`. The microphone's clock, not ours, says when: so no
    /// sample waits for its packet to be due, and nothing need be bent to our pace.
    pub fn voice(&mut self, at: Instant, now: Instant, ptime_ms: u16, sink: &mut impl Sink) -> Voice {
        let Some(talker) = &mut self.talks else { return Voice::None };
        let Some(there) = sink.spoken(talker.line) else { return Voice::None };
        if there >= usize::from(ptime_ms) * LINE_RATE as usize / 1_000 {
            (talker.gathers_since, talker.dry) = (None, false);
            return Voice::Whole;
        }
        let since = *talker.gathers_since.get_or_insert(at);
        let patience = Duration::from_millis(u64::from(ptime_ms / 2)) + MOST_GATHERING;
        if !talker.dry && now.saturating_duration_since(since) < patience { Voice::Gathers } else { Voice::None }
    }

    /// What is said on the line, at the codec's rate, or silence.
    pub fn speak(&mut self, codec: Codec, into: &mut [i16], sink: &mut impl Sink) {
        let Some(talker) = &mut self.talks else { return };
        if talker.dry {
            into.fill(0);
            return;
        }
        let factor = (LINE_RATE / codec.sample_rate()) as usize;
        if talker.down.factor() != factor {
            talker.down = Down::new(codec.sample_rate());
        }
        let wanted = (into.len() * talker.down.factor()).min(MOST_SAID);
        let said = &mut talker.said[..wanted];
        let count = sink.speak(talker.line, said).min(wanted);
        said[count..].fill(0);
        talker.dry = talker.gathers_since.is_some();
        let made = talker.down.run(said, into);
        into[made..].fill(0);
    }

    /// How long sound waits before the person on this stream hears it, as measured; none where nobody hears it here.
    pub fn delay_ms(&self) -> Option<f32> {
        self.talks.as_ref()?.ear.delay_ms()
    }

    pub fn deadline(&self) -> Option<Instant> {
        let talks = self.talks.as_ref().and_then(|talker| talker.next);
        talks.into_iter().chain(self.listens.as_ref().and_then(|listener| listener.next)).min()
    }
}

/// The frame that is due, if one is; the next one is then set. After a stall a person wants the present, not a burst of the past.
fn due(next: &mut Option<Instant>, now: Instant) -> Option<Instant> {
    let at = next.filter(|at| *at <= now)?;
    let late = now.saturating_duration_since(at) > super::MOST_CATCH_UP;
    let at = if late { now } else { at };
    *next = Some(at + FRAME_TIME);
    Some(at)
}

/// A microphone whose samples come later than this after their time is taken for silent.
const MOST_GATHERING: Duration = Duration::from_millis(40);
/// The longest packet's time on a line.
const MOST_SAID: usize = MOST_PTIME_MS as usize * LINE_RATE as usize / 1_000;
