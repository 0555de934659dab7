//! What listens to a stream at this machine: the outline, the watch for silence, and the tapes. It decodes only where one of
//! the latter is on; the outline of what is not G.711 is drawn where it is decoded anyway, here or for a person who listens.

use std::time::Instant;

use crate::media::codecs::{Codec, Decoder, MOST_SAMPLES};
use crate::media::command::Recording;
use crate::media::level::{SilenceWatch, is_sound, is_sound_in};
use crate::media::recording::Tape;
use crate::media::rtp::Header;
use crate::media::sketch::Sketch;

use super::order::Order;

/// Nothing but the outline, for almost all streams.
#[derive(Debug, Default)]
pub struct Ears {
    pub sketch: Sketch,
    pub silence: Option<SilenceWatch>,
    pub record: Option<Box<Tape>>,
    pub tap: Option<Box<Tape>>,
    pub keep: Option<Box<Tape>>,
    received: Option<Box<Read>>,
    sent: Option<Box<Read>>,
}

/// One direction as samples.
#[derive(Debug)]
struct Read {
    decoder: Decoder,
    /// For what is not G.711: decoded in another order than it was encoded in it would be noise.
    order: Option<Order>,
}

impl Ears {
    /// A packet of sound that arrived.
    pub fn note_received(&mut self, now: Instant, header: &Header, codec: Codec, payload: &[u8]) {
        let law = codec.law();
        if let Some(law) = law {
            self.sketch.note_received(now, law, payload);
        }
        if let (Some(watch), Some(law)) = (&mut self.silence, law)
            && is_sound(law, payload)
        {
            watch.note_sound(now);
        }
        if !self.is_taped() && (self.silence.is_none() || law.is_some()) {
            return;
        }
        let read = read(&mut self.received, now, codec);
        match &mut read.order {
            Some(order) => {
                order.push(now, header, codec, payload);
                self.read_received(now, false);
            }
            None => {
                let mut samples = [0; MOST_SAMPLES];
                let length = read.decoder.decode(payload, &mut samples);
                for tape in self.record.iter_mut().chain(&mut self.tap).chain(&mut self.keep) {
                    tape.note_received(now, header.timestamp, codec, &samples[..length]);
                }
            }
        }
    }

    /// A packet of sound that was relayed.
    pub fn note_sent(&mut self, now: Instant, header: &Header, codec: Codec, payload: &[u8]) {
        if let Some(law) = codec.law() {
            self.sketch.note_sent(now, law, payload);
        }
        if !self.is_taped() {
            return;
        }
        let read = read(&mut self.sent, now, codec);
        match &mut read.order {
            Some(order) => {
                order.push(now, header, codec, payload);
                self.read_sent(now, false);
            }
            None => {
                let mut samples = [0; MOST_SAMPLES];
                let length = read.decoder.decode(payload, &mut samples);
                self.lay_sent(now, header.timestamp, codec, &samples[..length]);
            }
        }
    }

    /// Sound that left, before it was encoded.
    pub fn note_said(&mut self, now: Instant, timestamp: u32, codec: Codec, samples: &[i16]) {
        self.read_sent(now, true);
        if let Some(order) = self.sent.as_mut().and_then(|sent| sent.order.as_mut()) {
            order.forget();
        }
        self.lay_sent(now, timestamp, codec, samples);
    }

    /// What still waits for its turn: that whose time is up, or `all` of it.
    pub fn settle(&mut self, now: Instant, all: bool) {
        self.read_received(now, all);
        self.read_sent(now, all);
    }

    fn read_received(&mut self, now: Instant, all: bool) {
        let Some(Read { decoder, order: Some(order) }) = self.received.as_deref_mut() else { return };
        while let Some(packet) = order.next(now, all) {
            let mut samples = [0; MOST_SAMPLES];
            let length = decoder.decode(packet.payload(), &mut samples);
            let samples = &samples[..length];
            self.sketch.note_received_samples(now, samples);
            if let Some(watch) = &mut self.silence
                && is_sound_in(samples)
            {
                watch.note_sound(now);
            }
            for tape in self.record.iter_mut().chain(&mut self.tap).chain(&mut self.keep) {
                tape.note_received(packet.at, packet.timestamp, packet.codec, samples);
            }
        }
    }

    fn read_sent(&mut self, now: Instant, all: bool) {
        let Some(Read { decoder, order: Some(order) }) = self.sent.as_deref_mut() else { return };
        while let Some(packet) = order.next(now, all) {
            let mut samples = [0; MOST_SAMPLES];
            let length = decoder.decode(packet.payload(), &mut samples);
            self.sketch.note_sent_samples(now, &samples[..length]);
            for tape in self.record.iter_mut().chain(&mut self.tap).chain(&mut self.keep) {
                tape.note_sent(packet.at, packet.timestamp, packet.codec, &samples[..length]);
            }
        }
    }

    fn lay_sent(&mut self, now: Instant, timestamp: u32, codec: Codec, samples: &[i16]) {
        self.sketch.note_sent_samples(now, samples);
        for tape in self.record.iter_mut().chain(&mut self.tap).chain(&mut self.keep) {
            tape.note_sent(now, timestamp, codec, samples);
        }
    }

    pub fn finish(&mut self, now: Instant) -> Option<Recording> {
        self.settle(now, true);
        self.record.take().map(|tape| tape.finish(now))
    }

    pub fn deadlines(&self) -> [Option<Instant>; 3] {
        let of = |tape: &Option<Box<Tape>>| tape.as_deref().map(Tape::next_second);
        [self.silence.as_ref().and_then(SilenceWatch::deadline), of(&self.tap), of(&self.keep)]
    }

    fn is_taped(&self) -> bool {
        self.record.is_some() || self.tap.is_some() || self.keep.is_some()
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
