//! The formats of an audio stream (RFC 8866 §6.6): which number stands for which codec, on our side and on theirs, and on what terms.

use super::parse::Media;
use crate::media::Codec;
use crate::media::codecs::OpusTerms;
use crate::sip::small_text::decimal;

/// Our payload types, kept from one exchange to the next (RFC 3264 §8.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Types {
    codecs: [(Codec, u8); 4],
    /// telephone-event, by its clock: 8,000 Hz, and 48,000 Hz beside Opus (RFC 4733 §2.5.1).
    events: [(u32, u8); 2],
}

impl Types {
    pub fn of(&self, codec: Codec) -> u8 {
        self.codecs.iter().find(|(known, _)| *known == codec).map_or(codec.usual_pt(), |(_, pt)| *pt)
    }

    pub fn of_events(&self, clock: u32) -> u8 {
        self.events.iter().find(|(known, _)| *known == clock).map_or(101, |(_, pt)| *pt)
    }

    /// What the peer calls this codec; whatever of ours had the number takes another.
    pub fn set(&mut self, codec: Codec, payload_type: u8) {
        self.give_up(payload_type);
        if let Some((_, pt)) = self.codecs.iter_mut().find(|(known, _)| *known == codec) {
            *pt = payload_type;
        }
    }

    /// As [`Types::set`], for telephone-event.
    pub fn set_events(&mut self, clock: u32, payload_type: u8) {
        self.give_up(payload_type);
        if let Some((_, pt)) = self.events.iter_mut().find(|(known, _)| *known == clock) {
            *pt = payload_type;
        }
    }

    fn give_up(&mut self, payload_type: u8) {
        let taken: Vec<u8> = self.codecs.iter().map(|(_, pt)| *pt).chain(self.events.iter().map(|(_, pt)| *pt)).collect();
        let free = (96..128).rev().find(|pt| *pt != payload_type && !taken.contains(pt)).unwrap_or(127);
        let ours = self.codecs.iter_mut().map(|(_, pt)| pt).chain(self.events.iter_mut().map(|(_, pt)| pt));
        ours.filter(|pt| **pt == payload_type).for_each(|pt| *pt = free);
    }
}

impl Default for Types {
    fn default() -> Self {
        Self { codecs: Codec::ALL.map(|codec| (codec, codec.usual_pt())), events: [(8_000, 101), (48_000, 110)] }
    }
}

/// `a=rtpmap` and `a=fmtp` of what we name on our `m=` line.
pub fn write(into: &mut String, codecs: &[(u8, Codec)], events: &[(u8, u32)]) {
    for (payload_type, codec) in codecs {
        put(into, &["a=rtpmap:", &decimal(*payload_type), " ", codec.name(), "/", &decimal(codec.clock_rate())]);
        // One channel goes unsaid; Opus must say two, whatever it holds (RFC 7587 §7).
        if codec.announced_channels() > 1 {
            put(into, &["/", &decimal(codec.announced_channels())]);
        }
        into.push_str("\r\n");
        if *codec == Codec::Opus {
            put(into, &["a=fmtp:", &decimal(*payload_type), " useinbandfec=1;stereo=0;sprop-stereo=0\r\n"]);
        }
    }
    for (payload_type, clock) in events {
        let payload_type = decimal(*payload_type);
        put(into, &["a=rtpmap:", &payload_type, " telephone-event/", &decimal(*clock), "\r\na=fmtp:", &payload_type, " 0-15\r\n"]);
    }
}

/// Adds the parts in a row.
pub fn put(into: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| into.push_str(part));
}

/// The clocks that telephone-event is offered at: one for each clock among the codecs.
pub fn event_clocks(codecs: &[Codec]) -> impl Iterator<Item = u32> {
    [8_000, 48_000].into_iter().filter(|clock| codecs.iter().any(|codec| codec.clock_rate() == *clock))
}

/// The codecs of a peer's stream that we know, in its order.
pub fn codecs_of(media: &Media) -> impl Iterator<Item = (u8, Codec)> {
    media.rtp_formats().filter_map(|format| {
        let codec = Codec::by_name(&format.encoding).filter(|codec| codec.clock_rate() == format.clock_rate)?;
        // Opus without its two channels is Opus all the same. Some numbers can't be told from RTCP's (RFC 5761 §4).
        let can_be_heard = !(72..=76).contains(&format.payload_type);
        (can_be_heard && (codec == Codec::Opus || format.channels == 1)).then_some((format.payload_type, codec))
    })
}

/// The peer's number for telephone-event, and its clock. It should be the codec's (RFC 4733 §2.5.1); beside Opus many know 8,000 Hz only.
pub fn telephone_event(media: &Media, codec: Codec) -> Option<(u8, u32)> {
    let at = |clock| {
        media
            .rtp_formats()
            .find(|format| format.clock_rate == clock && format.encoding.eq_ignore_ascii_case("telephone-event"))
            .map(|format| (format.payload_type, clock))
    };
    at(codec.clock_rate()).or_else(|| at(8_000))
}

/// What the peer asks of the Opus that it is sent.
pub fn opus_terms(media: &Media, payload_type: u8) -> OpusTerms {
    let mut terms = OpusTerms::default();
    let parameters = media.attributes.iter().filter(|attribute| &*attribute.name == "fmtp").find_map(|attribute| {
        let (pt, parameters) = attribute.value.as_deref()?.trim().split_once(' ')?;
        (pt.parse() == Ok(payload_type)).then_some(parameters)
    });
    for (name, value) in parameters.unwrap_or_default().split(';').filter_map(|parameter| parameter.split_once('=')) {
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "maxaveragebitrate" => terms.most_bitrate = value.parse().ok(),
            "maxplaybackrate" => terms.most_playback_rate = value.parse().ok(),
            "useinbandfec" => terms.fec = value == "1",
            "usedtx" => terms.dtx = value == "1",
            "cbr" => terms.constant_bitrate = value == "1",
            // We send one channel, which satisfies stereo=0 and stereo=1 alike.
            _ => {}
        }
    }
    terms
}
