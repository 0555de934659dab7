//! One direction of a stream as a person hears it: packets in whatever codec in, an unbroken run of frames at the line's rate out.

use std::time::{Duration, Instant};

use crate::media::{
    codecs::{Codec, Decoder},
    ear,
    rate::{LINE_RATE, Up},
    rtp::Header,
};

/// See the module. Nothing is allocated but where a codec is heard for the first time.
#[derive(Debug, Default)]
pub struct Ear {
    heard: Option<Heard>,
    /// Frames since the last packet came.
    quiet: u32,
}

#[derive(Debug)]
struct Heard {
    ear: ear::Ear,
    decoder: Decoder,
    up: Up,
}

impl Ear {
    pub fn take(&mut self, now: Instant, header: &Header, codec: Codec, payload: &[u8]) {
        self.quiet = 0;
        let heard = match &mut self.heard {
            Some(heard) if heard.decoder.codec() == codec => heard,
            heard => heard.insert(Heard {
                ear: ear::Ear::new(codec.clock_rate(), codec.sample_rate()),
                decoder: Decoder::new(codec),
                up: Up::new(codec.sample_rate()),
            }),
        };
        heard.ear.push(now, header, payload);
    }

    /// A key was pressed in the place of sound, which then is not missing.
    pub fn take_event(&mut self, now: Instant, header: &Header) {
        self.quiet = 0;
        if let Some(heard) = &mut self.heard {
            heard.ear.push_event(now, header);
        }
    }

    /// Whether there is nothing to hear until a packet comes.
    pub fn is_idle(&self) -> bool {
        self.heard.is_none() || self.quiet > PATIENCE
    }

    /// Whether what is heard is no G.711, which is measured as it arrives.
    pub fn is_coded(&self) -> bool {
        self.heard.as_ref().is_some_and(|heard| heard.decoder.codec().law().is_none())
    }

    /// How long what is heard now had waited beyond the shortest transit; none while nothing is heard.
    pub fn delay_ms(&self) -> Option<f32> {
        self.heard.as_ref().filter(|_| !self.is_idle()).map(|heard| heard.ear.figures().delay_ms)
    }

    /// What is heard from `at` on, for 5 ms; silence where nothing came.
    pub fn frame(&mut self, at: Instant, into: &mut [i16; FRAME]) {
        self.quiet = self.quiet.saturating_add(1);
        let Some(heard) = &mut self.heard else {
            into.fill(0);
            return;
        };
        let mut samples = [0; FRAME];
        let length = heard.decoder.codec().sample_rate() as usize / FRAMES_A_SEC;
        let samples = &mut samples[..length.min(FRAME)];
        heard.ear.pull(at, &mut heard.decoder, samples);
        let made = heard.up.run(samples, into);
        into[made..].fill(0);
    }
}

const FRAMES_A_SEC: usize = 200;
/// Samples of a line in one frame.
pub const FRAME: usize = LINE_RATE as usize / FRAMES_A_SEC;
/// How long a frame lasts: half of it is what sound waits for its turn.
pub const FRAME_TIME: Duration = Duration::from_millis(5);
/// After half a second of nothing the line is left alone until something comes.
const PATIENCE: u32 = 100;
