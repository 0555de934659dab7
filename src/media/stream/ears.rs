//! What listens to a stream at this machine: the outline, the watch for silence, and the tapes. What is not G.711 is decoded only
//! where one of the latter is on, or where so few calls run that it may be decoded for its outline alone.

use std::time::Instant;

use crate::media::codecs::{Codec, Decoder, MOST_SAMPLES};
use crate::media::command::Recording;
use crate::media::level::{SilenceWatch, is_sound, is_sound_in};
use crate::media::plane::Way;
use crate::media::recording::Tape;
use crate::media::rtp::Header;
use crate::media::sketch::Sketch;

use super::order::Order;

/// Nothing but the outline, for almost all streams.
#[derive(Debug, Default)]
pub struct Ears {
    pub sketch: Sketch,
    /// What is not G.711 is decoded for the outline, too.
    pub outlines_all: bool,
    pub silence: Option<SilenceWatch>,
    pub tapes: Tapes,
    /// By [`Way`].
    reads: [Option<Box<Read>>; 2],
}

/// What is laid down: for a script, for whoever takes it second by second, and for a recording.
#[derive(Debug, Default)]
pub struct Tapes {
    pub record: Option<Box<Tape>>,
    pub tap: Option<Box<Tape>>,
    pub keep: Option<Box<Tape>>,
}

/// One direction as samples.
#[derive(Debug)]
struct Read {
    decoder: Decoder,
    /// For what is not G.711: decoded in another order than it was encoded in it would be noise.
    order: Option<Order>,
}

impl Ears {
    /// A packet of sound that arrived, or was relayed.
    pub fn note(&mut self, now: Instant, way: Way, header: &Header, codec: Codec, payload: &[u8]) {
        if let Some(law) = codec.law() {
            self.sketch.note(now, way, law, payload);
            if let Some(watch) = &mut self.silence
                && way == Way::Received
                && is_sound(law, payload)
            {
                watch.note_sound(now);
            }
        }
        // Outline and watch read G.711 as it is.
        let wanted = if codec.law().is_some() { self.tapes.are_on() } else { self.decodes(way) };
        if !wanted {
            return;
        }
        let Read { decoder, order } = read(&mut self.reads[way as usize], now, codec);
        match order {
            Some(order) => {
                order.push(now, header, codec, payload);
                self.read(now, way, false);
            }
            None => {
                let mut samples = [0; MOST_SAMPLES];
                let length = decoder.decode(payload, &mut samples);
                self.tapes.lay(now, way, header.timestamp, codec, &samples[..length]);
            }
        }
    }

    /// Whether what is not G.711 is decoded here.
    fn decodes(&self, way: Way) -> bool {
        self.outlines_all || self.tapes.are_on() || (way == Way::Received && self.silence.is_some())
    }

    /// What a person hears of it, which has an outline by that where it is decoded for nothing else.
    pub fn note_heard(&mut self, now: Instant, way: Way, samples: &[i16]) {
        if !self.decodes(way) {
            self.sketch.note_samples(now, way, samples);
        }
    }

    /// Sound that left, before it was encoded.
    pub fn note_said(&mut self, now: Instant, timestamp: u32, codec: Codec, samples: &[i16]) {
        self.read(now, Way::Sent, true);
        if let Some(order) = self.reads[Way::Sent as usize].as_mut().and_then(|sent| sent.order.as_mut()) {
            order.forget();
        }
        self.sketch.note_samples(now, Way::Sent, samples);
        self.tapes.lay(now, Way::Sent, timestamp, codec, samples);
    }

    /// What still waits for its turn: that whose time is up, or `all` of it.
    pub fn settle(&mut self, now: Instant, all: bool) {
        self.read(now, Way::Received, all);
        self.read(now, Way::Sent, all);
    }

    fn read(&mut self, now: Instant, way: Way, all: bool) {
        let Some(Read { decoder, order: Some(order) }) = self.reads[way as usize].as_deref_mut() else { return };
        while let Some(packet) = order.next(now, all) {
            let mut samples = [0; MOST_SAMPLES];
            let length = decoder.decode(packet.payload(), &mut samples);
            let samples = &samples[..length];
            self.sketch.note_samples(now, way, samples);
            if let Some(watch) = &mut self.silence
                && way == Way::Received
                && is_sound_in(samples)
            {
                watch.note_sound(now);
            }
            self.tapes.lay(packet.at, way, packet.timestamp, packet.codec, samples);
        }
    }

    pub fn finish(&mut self, now: Instant) -> Option<Recording> {
        self.settle(now, true);
        self.tapes.record.take().map(|tape| tape.finish(now))
    }

    pub fn deadlines(&self) -> [Option<Instant>; 3] {
        let of = |tape: &Option<Box<Tape>>| tape.as_deref().map(Tape::next_second);
        [self.silence.as_ref().and_then(SilenceWatch::deadline), of(&self.tapes.tap), of(&self.tapes.keep)]
    }
}

impl Tapes {
    fn are_on(&self) -> bool {
        self.record.is_some() || self.tap.is_some() || self.keep.is_some()
    }

    fn lay(&mut self, at: Instant, way: Way, timestamp: u32, codec: Codec, samples: &[i16]) {
        for tape in self.record.iter_mut().chain(&mut self.tap).chain(&mut self.keep) {
            tape.note(at, way, timestamp, codec, samples);
        }
    }
}

/// The direction's reader for this codec.
fn read(place: &mut Option<Box<Read>>, now: Instant, codec: Codec) -> &mut Read {
    place.take_if(|read| read.decoder.codec() != codec);
    place.get_or_insert_with(|| {
        let order = codec.law().is_none().then(|| Order::new(now));
        Box::new(Read { decoder: Decoder::new(codec), order })
    })
}
