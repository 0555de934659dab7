//! What listens to a stream at this machine: the outline, the watch for silence, and the tapes. It decodes only where one of
//! the latter is on; the outline of what is not G.711 is drawn where it is decoded anyway.

use std::time::Instant;

use crate::media::codecs::{Codec, Decoder, MOST_SAMPLES};
use crate::media::command::Recording;
use crate::media::level::{SilenceWatch, is_sound, is_sound_in};
use crate::media::recording::Tape;
use crate::media::sketch::Sketch;

/// Nothing but the outline, for almost all streams.
#[derive(Debug, Default)]
pub struct Ears {
    pub sketch: Sketch,
    pub silence: Option<SilenceWatch>,
    pub record: Option<Box<Tape>>,
    pub tap: Option<Box<Tape>>,
    pub keep: Option<Box<Tape>>,
    received: Option<Box<Decoder>>,
    sent: Option<Box<Decoder>>,
}

impl Ears {
    /// A packet of sound that arrived.
    pub fn note_received(&mut self, now: Instant, timestamp: u32, codec: Codec, payload: &[u8]) {
        let taped = self.is_taped();
        let law = codec.law();
        if let Some(law) = law {
            self.sketch.note_received(now, law, payload);
        }
        if let (Some(watch), Some(law)) = (&mut self.silence, law)
            && is_sound(law, payload)
        {
            watch.note_sound(now);
        }
        if !taped && (self.silence.is_none() || law.is_some()) {
            return;
        }
        let mut samples = [0; MOST_SAMPLES];
        let length = decoder(&mut self.received, codec).decode(payload, &mut samples);
        let samples = &samples[..length];
        if law.is_none() {
            self.sketch.note_received_samples(now, samples);
        }
        if let Some(watch) = &mut self.silence
            && is_sound_in(samples)
        {
            watch.note_sound(now);
        }
        for tape in self.record.iter_mut().chain(&mut self.tap).chain(&mut self.keep) {
            tape.note_received(now, timestamp, codec, samples);
        }
    }

    /// A packet of sound that was relayed.
    pub fn note_sent(&mut self, now: Instant, timestamp: u32, codec: Codec, payload: &[u8]) {
        if let Some(law) = codec.law() {
            self.sketch.note_sent(now, law, payload);
        }
        if !self.is_taped() {
            return;
        }
        let mut samples = [0; MOST_SAMPLES];
        let length = decoder(&mut self.sent, codec).decode(payload, &mut samples);
        self.note_said(now, timestamp, codec, &samples[..length]);
    }

    /// Sound that left, before it was encoded.
    pub fn note_said(&mut self, now: Instant, timestamp: u32, codec: Codec, samples: &[i16]) {
        self.sketch.note_sent_samples(now, samples);
        for tape in self.record.iter_mut().chain(&mut self.tap).chain(&mut self.keep) {
            tape.note_sent(now, timestamp, codec, samples);
        }
    }

    pub fn finish(&mut self, now: Instant) -> Option<Recording> {
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

fn decoder(place: &mut Option<Box<Decoder>>, codec: Codec) -> &mut Decoder {
    place.take_if(|decoder| decoder.codec() != codec);
    place.get_or_insert_with(|| Box::new(Decoder::new(codec)))
}
