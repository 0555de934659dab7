//! Where lines end: between a media thread and the devices lie rings of samples, and neither side ever waits for the other.
//!
//! A device that is opened anew brings new rings; they come to the media thread through a mailbox that it looks into.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::Thread,
};

use arc_swap::ArcSwapOption;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::media::Line;

/// A new end for the media thread.
pub enum LineEnd {
    /// Left and right by turns, 48,000 pairs a second.
    Ear(Line, Producer<i16>),
    /// 48,000 samples a second.
    Mouth(Line, Consumer<i16>),
}

/// What both sides may look at without touching the samples.
#[derive(Debug, Default)]
pub struct LineState {
    /// It is on a stream.
    attended: AtomicBool,
    /// Readings that found too little, while somebody spoke into it.
    missed: AtomicU32,
}

/// The states of all lines of a media thread, and who wants to know of changes.
#[derive(Debug, Default)]
pub struct LineStates {
    lines: [LineState; 3],
    watcher: ArcSwapOption<Thread>,
}

/// The devices' side: new ends go in here.
pub struct LinePort {
    pub states: Arc<LineStates>,
    outbox: Producer<LineEnd>,
}

/// The media thread's side.
pub struct LineEnds {
    states: Arc<LineStates>,
    inbox: Consumer<LineEnd>,
    ears: [Option<Producer<i16>>; 3],
    mouths: [Option<Consumer<i16>>; 3],
}

/// Both sides.
pub fn pair() -> (LinePort, LineEnds) {
    let states = Arc::new(LineStates::default());
    let (outbox, inbox) = RingBuffer::new(MAILBOX);
    let ends = LineEnds { states: states.clone(), inbox, ears: [None, None, None], mouths: [None, None, None] };
    (LinePort { states, outbox }, ends)
}

impl LinePort {
    /// Hands the media thread a new end; false: it has not looked for so long that there is no room, so try again.
    pub fn put(&mut self, end: LineEnd) -> bool {
        self.outbox.push(end).is_ok()
    }
}

impl LineEnds {
    /// Samples to a line's ear. What finds no room is dropped: whoever should hear it is not there.
    pub fn hear(&mut self, line: Line, left: &[i16], right: &[i16]) {
        self.look();
        let Some(ear) = &mut self.ears[place_of(line)] else { return };
        let count = left.len().min(right.len());
        if let Ok(room) = ear.write_chunk_uninit(2 * count) {
            room.fill_from_iter(left.iter().zip(right).flat_map(|(left, right)| [*left, *right]));
        }
    }

    /// Samples that a line's mouth holds; `None`: no microphone is there.
    pub fn spoken(&mut self, line: Line) -> Option<usize> {
        self.look();
        self.mouths[place_of(line)].as_ref().map(Consumer::slots)
    }

    /// Samples from a line's mouth; how many there were.
    pub fn speak(&mut self, line: Line, into: &mut [i16]) -> usize {
        self.look();
        let place = place_of(line);
        let Some(mouth) = &mut self.mouths[place] else { return 0 };
        // What has gathered while nobody listened is the past.
        let most = into.len() + MOST_LEFT;
        if let Some(old) = mouth.slots().checked_sub(most).filter(|old| *old > 0)
            && let Ok(stale) = mouth.read_chunk(old + MOST_LEFT)
        {
            stale.commit_all();
        }
        let count = mouth.pop_partial_slice(into).0.len();
        let state = &self.states.lines[place];
        if count < into.len() {
            state.missed.fetch_add(1, Ordering::Relaxed);
        }
        count
    }

    /// A line is on a stream now, or no longer.
    pub fn attend(&self, line: Line, on: bool) {
        self.states.lines[place_of(line)].attended.store(on, Ordering::Release);
        if let Some(watcher) = self.states.watcher.load().as_deref() {
            watcher.unpark();
        }
    }

    fn look(&mut self) {
        while let Ok(end) = self.inbox.pop() {
            match end {
                LineEnd::Ear(line, ear) => self.ears[place_of(line)] = Some(ear),
                LineEnd::Mouth(line, mouth) => self.mouths[place_of(line)] = Some(mouth),
            }
        }
    }
}

impl LineStates {
    pub fn of(&self, line: Line) -> &LineState {
        &self.lines[place_of(line)]
    }

    /// Has `thread` unparked whenever a line goes on or off.
    pub fn watch(&self, thread: Thread) {
        self.watcher.store(Some(Arc::new(thread)));
    }
}

impl LineState {
    pub fn is_attended(&self) -> bool {
        self.attended.load(Ordering::Acquire)
    }

    pub fn missed(&self) -> u32 {
        self.missed.load(Ordering::Relaxed)
    }
}

/// The lines of an engine, each at the media thread of the party that it belongs to.
#[derive(Default)]
pub struct LinePorts {
    /// Of the customer's side: the phone.
    pub customer: Option<LinePort>,
    /// Of the bridge: the operator and the listener.
    pub bridge: Option<LinePort>,
}

impl LinePorts {
    pub fn of(&mut self, line: Line) -> Option<&mut LinePort> {
        match line {
            Line::Phone => self.customer.as_mut(),
            Line::Operator | Line::Listener => self.bridge.as_mut(),
        }
    }

    pub fn is_attended(&self, line: Line) -> bool {
        self.state(line).is_some_and(LineState::is_attended)
    }

    /// See [`LineState::missed`].
    pub fn missed(&self, line: Line) -> u32 {
        self.state(line).map_or(0, LineState::missed)
    }

    fn state(&self, line: Line) -> Option<&LineState> {
        let port = match line {
            Line::Phone => &self.customer,
            Line::Operator | Line::Listener => &self.bridge,
        };
        port.as_ref().map(|port| port.states.of(line))
    }

    /// Has `thread` unparked whenever a line goes on or off.
    pub fn watch(&self, thread: &Thread) {
        for port in [&self.customer, &self.bridge].into_iter().flatten() {
            port.states.watch(thread.clone());
        }
    }
}

pub fn place_of(line: Line) -> usize {
    match line {
        Line::Phone => 0,
        Line::Operator => 1,
        Line::Listener => 2,
    }
}

const MAILBOX: usize = 16;
/// Two periods of a microphone: more than that is lag that nobody needs.
const MOST_LEFT: usize = 1_920;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_cross_in_both_directions_and_new_ends_take_over() {
        let (mut port, mut ends) = pair();
        let mut frame = [0; 4];
        ends.hear(Line::Phone, &[1, 2], &[3, 4]);
        assert_eq!(ends.speak(Line::Phone, &mut frame), 0, "no device is there, and nothing breaks");
        for _ in 0..2 {
            let (ear, mut hears) = RingBuffer::new(16);
            let (mut says, mouth) = RingBuffer::new(16);
            assert!(port.put(LineEnd::Ear(Line::Phone, ear)) && port.put(LineEnd::Mouth(Line::Phone, mouth)));
            says.push_entire_slice(&[7, 8, 9]).expect("room");
            ends.hear(Line::Phone, &[1, 2], &[3, 4]);
            assert_eq!((ends.speak(Line::Phone, &mut frame), &frame[..3]), (3, &[7, 8, 9][..]));
            assert_eq!((0..4).map(|_| hears.pop().expect("a sample")).collect::<Vec<_>>(), [1, 3, 2, 4]);
        }
        assert_eq!(port.states.of(Line::Phone).missed(), 2);
    }

    #[test]
    fn what_nobody_fetched_is_dropped_and_never_waited_for() {
        let (mut port, mut ends) = pair();
        let (ear, hears) = RingBuffer::new(64);
        let (mut says, mouth) = RingBuffer::new(9_600);
        assert!(port.put(LineEnd::Ear(Line::Listener, ear)) && port.put(LineEnd::Mouth(Line::Operator, mouth)));
        for _ in 0..10 {
            ends.hear(Line::Listener, &[1; 20], &[2; 20]);
        }
        assert_eq!(hears.slots(), 40, "whole frames only");
        says.push_entire_slice(&[5; 9_600]).expect("room");
        assert_eq!(ends.speak(Line::Operator, &mut [0; 960]), 960);
        assert_eq!(ends.spoken(Line::Operator), Some(0), "an old backlog is left behind");
    }

    #[test]
    fn a_full_mailbox_is_told() {
        let (mut port, _ends) = pair();
        let put = |port: &mut LinePort| port.put(LineEnd::Mouth(Line::Phone, RingBuffer::new(1).1));
        assert!((0..MAILBOX).all(|_| put(&mut port)) && !put(&mut port));
    }

    #[test]
    fn going_on_and_off_is_seen() {
        let (port, ends) = pair();
        ends.attend(Line::Operator, true);
        assert!(port.states.of(Line::Operator).is_attended() && !port.states.of(Line::Phone).is_attended());
        ends.attend(Line::Operator, false);
        assert!(!port.states.of(Line::Operator).is_attended());
    }
}
