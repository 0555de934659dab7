//! What leaves a stream as sound: relayed as it is, transcoded, or made here; and the digits among it.

use std::time::{Duration, Instant};

use super::{Content, MOST_CATCH_UP, MOST_PTIME_MS, Stream, live};
use crate::media::between::Between;
use crate::media::codecs::{Codec, Encoder, MOST_BYTES, OpusTerms, RATE};
use crate::media::command::MediaEvent;
use crate::media::dtmf::{self, EventPacket};
use crate::media::plane::{Channel, Sink, Way};
use crate::media::rtp::{self, Header, Stamp};
use crate::media::transcode::{Follows, Transcoder};

/// What turns samples into packets of the stream's codec.
#[derive(Debug)]
pub struct Mouth {
    encoder: Encoder,
    /// From the rate of prompts and tones.
    up: Between,
}

/// A telephone-event that is relayed under numbers of our own: its source and beginning there, its beginning here.
#[derive(Debug, Clone, Copy)]
pub struct RelayedEvent {
    ssrc: u32,
    theirs: u32,
    ours: u32,
}

impl Mouth {
    pub fn new(codec: Codec, terms: OpusTerms) -> Mouth {
        Mouth { encoder: Encoder::new(codec, terms), up: Between::new(RATE, codec.sample_rate()) }
    }

    pub fn codec(&self) -> Codec {
        self.encoder.codec()
    }

    pub fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }
}

impl Stream {
    /// Sends on what the connected stream has heard.
    pub fn relay(&mut self, now: Instant, header: &Header, content: Content, bytes: &mut [u8], sink: &mut impl Sink) {
        let Some(setup) = &self.setup else { return };
        if !setup.direction.sends() || self.player.is_some() || self.dtmf_out.is_active() {
            return;
        }
        let Some(remote) = self.source.remote() else { return };
        let pt = match content {
            Content::Audio(codec) if codec != setup.codec && (codec.law().is_none() || setup.codec.law().is_none()) => {
                return self.transcode(now, header, codec, bytes, sink);
            }
            Content::Event(khz) if self.transcoder.is_some() => return self.relay_event(now, header, hertz(khz), bytes, sink),
            Content::Audio(_) => Some(setup.send_pt),
            Content::Event(_) => setup.dtmf_send_pt,
            Content::Unknown => None,
        };
        let Some(pt) = pt else {
            self.outgoing.skip(header);
            return;
        };
        let Some(mut stamp) = self.outgoing.relay(now, header) else { return };
        stamp.pt = pt;
        if let Some(payload) = bytes.get_mut(header.payload.clone()) {
            match content {
                Content::Audio(codec) => {
                    if let (Some(from), Some(to)) = (codec.law(), setup.codec.law()) {
                        from.transcode(to, payload);
                    }
                    self.transcoder = None;
                    self.ears.note(now, Way::Sent, &stamp.header(), setup.codec, payload);
                    self.people.note(now, Way::Sent, &stamp.header(), setup.codec, payload);
                }
                Content::Event(khz) if hertz(khz) != setup.dtmf_send_clock => scale(payload, hertz(khz), setup.dtmf_send_clock),
                Content::Event(_) | Content::Unknown => {}
            }
        }
        if matches!(content, Content::Event(_)) {
            self.people.note_event(now, Way::Sent, &stamp.header());
        }
        self.outgoing.count(header.payload.len());
        // The far side speaks again: comfort ends.
        self.next_frame = None;
        if let Some(packet) = rtp::restamp(bytes, &header.payload, &stamp) {
            sink.send(self.port, Channel::Rtp, remote, packet);
        }
    }

    pub(super) fn send_frames(&mut self, now: Instant, sink: &mut impl Sink) {
        while let Some(at) = self.next_frame.filter(|at| *at <= now) {
            let ptime = self.packet_ms();
            let step = Duration::from_millis(ptime.into());
            let has_something = self.player.is_some() || self.dtmf_out.is_active();
            match if has_something { live::Voice::None } else { self.people.voice(at, now, ptime, sink) } {
                live::Voice::Gathers => {
                    self.next_frame = Some(now + LISTEN_AGAIN);
                    continue;
                }
                live::Voice::Whole => {
                    self.send_frame(now, ptime, sink);
                    self.next_frame = Some(now + step / 2);
                    continue;
                }
                live::Voice::None => {}
            }
            // After a stall the listener wants the present, not a burst of the past.
            let late = now.saturating_duration_since(at) > MOST_CATCH_UP;
            self.next_frame = Some(if late { now + step } else { at + step });
            self.send_frame(now, ptime, sink);
        }
    }

    pub(super) fn packet_ms(&self) -> u16 {
        self.setup.as_ref().map_or(20, |setup| setup.codec.packet_ms(setup.ptime_ms))
    }

    /// A packet time of our own: the next of a digit, or what is played or said, or silence.
    fn send_frame(&mut self, now: Instant, ptime: u16, sink: &mut impl Sink) {
        let Some(setup) = &self.setup else { return };
        let (codec, clock) = (setup.codec, setup.dtmf_send_clock);
        let was_active = self.dtmf_out.is_active();
        match (self.dtmf_out.next_turn(ptime, clock), setup.dtmf_send_pt) {
            (dtmf::Turn::Event { packet, first }, Some(pt)) => {
                let mut stamp = self.outgoing.make(now, pt, u32::from(ptime) * codec.clock_rate() / 1_000);
                if first {
                    self.dtmf_began = stamp.timestamp;
                }
                (stamp.marker, stamp.timestamp) = (first, self.dtmf_began);
                self.people.note_event(now, Way::Sent, &stamp.header());
                self.send_packet(&stamp, &packet.bytes(), sink);
            }
            // The second: a re-INVITE took telephone-event away while digits were waiting.
            (dtmf::Turn::Nothing | dtmf::Turn::Event { .. }, _) => {
                let mut frame = [0; MOST_FRAME];
                let frame = &mut frame[..usize::from(ptime) * (codec.sample_rate() / 1_000) as usize];
                match &mut self.player {
                    None => {
                        self.people.speak(codec, frame, sink);
                    }
                    Some(player) if codec.sample_rate() == RATE => player.fill(frame),
                    Some(player) => {
                        let mut narrow = [0; MOST_NARROW];
                        let narrow = &mut narrow[..usize::from(ptime) * (RATE / 1_000) as usize];
                        player.fill(narrow);
                        let terms = setup.opus;
                        mouth(&mut self.mouth, codec, terms).up.run(narrow, frame);
                    }
                }
                self.say(now, frame, sink);
            }
        }
        if was_active && !self.dtmf_out.is_active() {
            sink.event(self.owner, MediaEvent::DtmfSent { stream: self.id });
        }
        if let Some(player) = self.player.take_if(|player| player.is_over()) {
            sink.event(self.owner, MediaEvent::PlayEnded { stream: self.id, token: player.token });
        }
    }

    /// One packet of these samples, which are at the codec's rate.
    fn say(&mut self, now: Instant, samples: &[i16], sink: &mut impl Sink) {
        let Some(setup) = &self.setup else { return };
        let codec = setup.codec;
        let units = samples.len() as u64 * u64::from(codec.clock_rate()) / u64::from(codec.sample_rate());
        let stamp = self.outgoing.make(now, setup.send_pt, units as u32);
        let mut payload = [0; MOST_BYTES];
        let length = mouth(&mut self.mouth, codec, setup.opus).encoder.encode(samples, &mut payload);
        let payload = &payload[..length];
        if payload.is_empty() {
            return;
        }
        self.ears.note_said(now, stamp.timestamp, codec, samples);
        self.people.note(now, Way::Sent, &stamp.header(), codec, payload);
        self.send_packet(&stamp, payload, sink);
    }

    fn send_packet(&mut self, stamp: &Stamp, payload: &[u8], sink: &mut impl Sink) {
        let Some(remote) = self.source.remote() else { return };
        let mut packet = [0; rtp::HEADER_LEN + MOST_BYTES];
        if let Some(header) = packet.first_chunk_mut() {
            rtp::write_header(header, stamp);
        }
        let end = rtp::HEADER_LEN + payload.len();
        packet[rtp::HEADER_LEN..end].copy_from_slice(payload);
        self.outgoing.count(payload.len());
        sink.send(self.port, Channel::Rtp, remote, &packet[..end]);
    }

    fn transcode(&mut self, now: Instant, header: &Header, from: Codec, bytes: &[u8], sink: &mut impl Sink) {
        let (Some(setup), Some(payload)) = (&self.setup, bytes.get(header.payload.clone())) else { return };
        let to = setup.codec;
        let mut frame = [0; MOST_FRAME];
        let frame = &mut frame[..usize::from(self.packet_ms()) * (to.sample_rate() / 1_000) as usize];
        let transcoder = match &mut self.transcoder {
            Some(transcoder) if transcoder.is_between(from, to) => transcoder,
            place => place.insert(Box::new(Transcoder::new(from, to))),
        };
        match transcoder.take(header, payload) {
            Follows::TooLate => return,
            Follows::Anew => self.outgoing.begin_anew(),
            Follows::AtOnce => {}
        }
        self.next_frame = None;
        while self.transcoder.as_mut().is_some_and(|transcoder| transcoder.next_frame(frame)) {
            self.say(now, frame, sink);
        }
    }

    /// A telephone-event beside transcoded sound: under our numbers, in our clock.
    fn relay_event(&mut self, now: Instant, header: &Header, clock: u32, bytes: &mut [u8], sink: &mut impl Sink) {
        let Some((pt, our_clock)) = self.setup.as_ref().and_then(|setup| Some((setup.dtmf_send_pt?, setup.dtmf_send_clock))) else {
            return;
        };
        let in_time = self.transcoder.as_mut().is_some_and(|transcoder| transcoder.pass(header));
        let Some(payload) = bytes.get_mut(header.payload.clone()).filter(|_| in_time) else { return };
        self.outgoing.begin_anew();
        let mut stamp = self.outgoing.make(now, pt, 0);
        let event = self.relayed_event.filter(|event| event.ssrc == header.ssrc && event.theirs == header.timestamp);
        let event = event.unwrap_or(RelayedEvent { ssrc: header.ssrc, theirs: header.timestamp, ours: stamp.timestamp });
        self.relayed_event = Some(event);
        (stamp.marker, stamp.timestamp) = (header.marker, event.ours);
        if clock != our_clock {
            scale(payload, clock, our_clock);
        }
        self.next_frame = None;
        let mut copy = [0; EventPacket::LEN];
        if payload.len() == copy.len() {
            copy.copy_from_slice(payload);
            self.send_packet(&stamp, &copy, sink);
        }
    }
}

/// The clock of a [`Content::Event`].
fn hertz(khz: u8) -> u32 {
    u32::from(khz) * 1_000
}

/// The stream's mouth for this codec.
pub fn mouth(place: &mut Option<Box<Mouth>>, codec: Codec, terms: OpusTerms) -> &mut Mouth {
    place.take_if(|mouth| mouth.codec() != codec);
    place.get_or_insert_with(|| Box::new(Mouth::new(codec, terms)))
}

/// An event's duration from one clock to another. What no longer fits its field stays at the most: it is one digit all the same.
fn scale(payload: &mut [u8], from: u32, to: u32) {
    if let Some(packet) = EventPacket::parse(payload)
        && let Some(place) = payload.first_chunk_mut()
    {
        let duration = u64::from(packet.duration) * u64::from(to) / u64::from(from.max(1));
        *place = EventPacket { duration: duration.min(u64::from(u16::MAX)) as u16, ..packet }.bytes();
    }
}

/// While a packet waits for what is said.
const LISTEN_AGAIN: Duration = Duration::from_millis(1);
const MOST_NARROW: usize = MOST_PTIME_MS as usize * 8;
const MOST_FRAME: usize = MOST_PTIME_MS as usize * 48;
