//! One direction of a stream as a person hears it: packets in, an unbroken run of frames at the line's rate out.

use std::time::Duration;

use crate::media::{
    Codec,
    codecs::RATE,
    rate::{LINE_RATE, Up},
    rtp::Header,
};

/// Sound that waits for its turn, laid out by the packets' own clock.
#[derive(Debug)]
pub struct Ear {
    samples: Box<[i16; KEPT]>,
    /// The timestamp of what is heard next.
    next: u32,
    /// The timestamp after the last sample that came.
    end: u32,
    tied: bool,
    up: Up,
}

impl Default for Ear {
    fn default() -> Ear {
        Ear { samples: Box::new([0; KEPT]), next: 0, end: 0, tied: false, up: Up::new(RATE) }
    }
}

impl Ear {
    pub fn take(&mut self, header: &Header, codec: Codec, payload: &[u8]) {
        let Some(law) = codec.law() else { return };
        let timestamp = header.timestamp;
        let ahead = timestamp.wrapping_sub(self.next) as i32;
        if !self.tied || !(-LATE..(KEPT - MOST_PACKET) as i32).contains(&ahead) {
            // The first sound, or a clock that was set anew.
            self.samples.fill(0);
            (self.next, self.end, self.tied) = (timestamp.wrapping_sub(WAIT), timestamp, true);
        }
        let mut at = timestamp;
        for byte in payload.iter().take(MOST_PACKET) {
            if at.wrapping_sub(self.next) as i32 >= 0 {
                self.samples[at as usize % KEPT] = law.decode(*byte);
            }
            at = at.wrapping_add(1);
        }
        if at.wrapping_sub(self.end) as i32 > 0 {
            self.end = at;
        }
    }

    /// Whether there is nothing to hear until a packet comes.
    pub fn is_idle(&self) -> bool {
        !self.tied
    }

    /// The next 20 ms; silence where nothing came.
    pub fn frame(&mut self, into: &mut [i16; FRAME]) {
        if !self.tied {
            into.fill(0);
            return;
        }
        let mut frame = [0; STEP];
        for sample in &mut frame {
            *sample = std::mem::take(&mut self.samples[self.next as usize % KEPT]);
            self.next = self.next.wrapping_add(1);
        }
        self.up.run(&frame, into);
        if self.next.wrapping_sub(self.end) as i32 > PATIENCE {
            self.tied = false;
            self.up.reset();
        }
    }
}

/// Samples of a line in one frame.
pub const FRAME: usize = LINE_RATE as usize / 50;
/// How long a frame lasts.
pub const FRAME_TIME: Duration = Duration::from_millis(20);
/// Samples of G.711 in one frame.
const STEP: usize = RATE as usize / 50;
/// A power of two, so that it divides the circle of timestamps.
const KEPT: usize = 8_192;
const MOST_PACKET: usize = 1_600;
/// What a sound waits for those that come later: 40 ms.
const WAIT: u32 = 320;
/// A second too late is another clock.
const LATE: i32 = 8_000;
/// After half a second of nothing it waits for a new beginning.
const PATIENCE: i32 = 4_000;
