//! Offer and answer for one audio stream (RFC 3264), from one side's view: what we write, and what both sides settled on.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::formats::{self, Types, codecs_of, event_clocks, put, telephone_event};
use super::parse::{Media, SdpError, SessionDescription};
use crate::media::codecs::OpusTerms;
use crate::media::{Codec, Direction, StreamSetup};
use crate::sip::message::Text;
use crate::sip::small_text::decimal;

/// What we can do and want in this stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// Where our media is reached.
    pub address: IpAddr,
    /// The even RTP port.
    pub port: u16,
    /// Codecs in our order. An offer lists them so; an answer takes the offer's first that is among them.
    pub codecs: Vec<Codec>,
    /// An answer takes this codec where it is offered, so that two bridged legs need no transcoding.
    pub prefer: Option<Codec>,
    /// Whether we take digits as telephone-event (RFC 4733).
    pub dtmf: bool,
    /// What we want; a peer's hold narrows it.
    pub direction: Direction,
    /// Where the peer's signalling comes from: media from elsewhere hints at NAT.
    pub signalling_peer: Option<IpAddr>,
}

impl LocalMedia {
    /// Both codecs, digits, both ways.
    pub fn new(address: IpAddr, port: u16) -> Self {
        Self {
            address,
            port,
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            prefer: None,
            dtmf: true,
            direction: Direction::SendRecv,
            signalling_peer: None,
        }
    }
}

/// What an offer and its answer settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreed {
    /// For the media thread.
    pub setup: StreamSetup,
    /// The peer's own direction: what it said, with `c=0.0.0.0` taken as "I do not listen" (§8.4).
    pub peer_direction: Direction,
}

impl Agreed {
    /// Whether the peer has put us on hold: it does not listen.
    pub fn held_by_peer(&self) -> bool {
        !self.peer_direction.receives()
    }
}

/// Why an offer or an answer can not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferFault {
    #[error("the session description can not be read: {0}")]
    Malformed(#[from] SdpError),
    #[error("no audio stream of RTP/AVP")]
    NoAudio,
    #[error("no codec in common")]
    NoCodec,
    #[error("no usable address for the media")]
    NoAddress,
    #[error("the media address {0} is not of the IP version that our media has")]
    OtherIpVersion(IpAddr),
    #[error("an answer that does not fit the offer")]
    AnswerMismatch,
    #[error("an answer to no offer")]
    NoOffer,
}

impl OfferFault {
    /// What to answer the request that carried the offer (RFC 3261 §13.3.1.3, §21.4.26).
    pub fn code(self) -> u16 {
        match self {
            Self::Malformed(SdpError::TooLarge | SdpError::TooMuch) => 513,
            Self::Malformed(_) => 400,
            _ => 488,
        }
    }

    /// The text of a Warning header (RFC 3261 §20.43), agent left to the caller.
    pub fn warning(self) -> Option<(u16, &'static str)> {
        match self {
            Self::NoAudio => Some((304, "Media type not available")),
            Self::NoCodec => Some((305, "Incompatible media format")),
            Self::NoAddress | Self::OtherIpVersion(_) => Some((300, "Incompatible network protocol")),
            _ => None,
        }
    }
}

/// Our half of a dialog's session: its `o=` identity, and the shape that later offers must keep.
#[derive(Debug, Clone)]
pub struct SdpSession {
    id: u64,
    version: u64,
    /// All of our last description but its version.
    last: Box<str>,
    /// The `m=` lines in force; an offer may add to them, never take away (§8).
    lines: Vec<Line>,
    /// Which of them is ours to speak on.
    audio: usize,
    /// Our payload types, kept from one exchange to the next (§8.3.2).
    types: Types,
    pending: Option<Offered>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    kind: Text,
    protocol: Text,
    formats: String,
}

/// A word of a description, without the description that it shares its bytes with.
fn kept(word: &Text) -> Text {
    match &**word {
        "audio" => Text::from_static("audio"),
        "RTP/AVP" => Text::from_static("RTP/AVP"),
        other => Text::from(other),
    }
}

#[derive(Debug, Clone)]
struct Offered {
    local: LocalMedia,
    types: Types,
    lines: usize,
}

impl SdpSession {
    /// `id` must be this dialog's alone (RFC 8866 §5.2).
    pub fn new(id: u64) -> Self {
        let line = Line { kind: Text::from_static("audio"), protocol: Text::from_static("RTP/AVP"), formats: String::new() };
        // Within 63 bits: some peers read it as a signed number.
        Self { id: id >> 1, version: 0, last: Box::default(), lines: vec![line], audio: 0, types: Types::default(), pending: None }
    }

    /// An offer of ours; [`SdpSession::take_answer`] or [`SdpSession::withdraw`] ends it.
    pub fn offer(&mut self, local: &LocalMedia) -> Bytes {
        let types = self.types;
        self.pending = Some(Offered { local: local.clone(), types, lines: self.lines.len() });
        let codecs: Vec<(u8, Codec)> = local.codecs.iter().map(|&codec| (types.of(codec), codec)).collect();
        self.write(local, &codecs, &types.events_of(local), local.direction, None, "0 0")
    }

    /// The offer was refused, or lost in glare: what was agreed before stays.
    pub fn withdraw(&mut self) {
        self.pending = None;
    }

    /// Whether an offer of ours waits for its answer.
    pub fn offer_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Answers the peer's offer (§6). What cannot be taken changes nothing.
    pub fn answer(&mut self, offer: &[u8], local: &LocalMedia) -> Result<(Bytes, Agreed), OfferFault> {
        let theirs = SessionDescription::parse(offer)?;
        let (index, chosen) = choose(&theirs, local)?;
        let media = &theirs.media[index];
        let peer_direction = peer_direction(&theirs, media);
        let direction = narrow(mirror(peer_direction), local.direction);
        let dtmf = if local.dtmf { telephone_event(media, chosen.1) } else { None };
        self.lines = theirs
            .media
            .iter()
            .map(|media| Line { kind: kept(&media.kind), protocol: kept(&media.protocol), formats: joined(media) })
            .collect();
        self.audio = index;
        // §6.1: the answer uses the offer's numbers for the same formats.
        self.types.set(chosen.1, chosen.0);
        if let Some((payload_type, clock)) = dtmf {
            self.types.set_events(clock, payload_type);
        }
        // An offer of ours that waits (§14.1 of RFC 3261: glare) is made again, and its answer still comes.
        let timing = theirs.timing.as_deref().filter(|timing| is_timing(timing)).unwrap_or("0 0");
        let ptime = chosen.1.packet_ms(ptime(media));
        let text = self.write(local, &[chosen], dtmf.as_slice(), direction, Some(ptime), timing);
        let setup = StreamSetup {
            codec: chosen.1,
            send_pt: chosen.0,
            receive_pts: vec![chosen],
            dtmf_send_pt: dtmf.map(|(payload_type, _)| payload_type),
            dtmf_send_clock: dtmf.map_or(8_000, |(_, clock)| clock),
            dtmf_receive_pts: dtmf.into_iter().collect(),
            opus: formats::opus_terms(media, chosen.0),
            ptime_ms: ptime,
            direction,
            ..setup(&theirs, media, local)
        };
        Ok((text, Agreed { setup, peer_direction }))
    }

    /// Takes the peer's answer to our offer (§7). An answer that cannot be used leaves the offer waiting: a provisional response's
    /// may be followed by a better one.
    pub fn take_answer(&mut self, answer: &[u8]) -> Result<Agreed, OfferFault> {
        let offered = self.pending.clone().ok_or(OfferFault::NoOffer)?;
        let theirs = SessionDescription::parse(answer)?;
        // §6: as many `m=` lines as the offer, in its order. Fewer would leave our audio unanswered.
        let media = theirs.media.get(self.audio).filter(|_| theirs.media.len() <= offered.lines).ok_or(OfferFault::AnswerMismatch)?;
        if &*media.kind != "audio" || !is_rtp(media) || media.port == 0 {
            return Err(OfferFault::NoAudio);
        }
        usable_address(&theirs, media, &offered.local)?;
        let (send_pt, codec) = codecs_of(media).find(|(_, codec)| offered.local.codecs.contains(codec)).ok_or(OfferFault::NoCodec)?;
        let peer_direction = peer_direction(&theirs, media);
        let dtmf = if offered.local.dtmf { telephone_event(media, codec) } else { None };
        let setup = StreamSetup {
            codec,
            send_pt,
            // §5.1: what we listen for is what our own description says, all of it.
            receive_pts: offered.local.codecs.iter().map(|&codec| (offered.types.of(codec), codec)).collect(),
            dtmf_send_pt: dtmf.map(|(payload_type, _)| payload_type),
            dtmf_send_clock: dtmf.map_or(8_000, |(_, clock)| clock),
            dtmf_receive_pts: offered.types.events_of(&offered.local),
            opus: formats::opus_terms(media, send_pt),
            ptime_ms: codec.packet_ms(ptime(media)),
            direction: narrow(mirror(peer_direction), offered.local.direction),
            ..setup(&theirs, media, &offered.local)
        };
        self.pending = None;
        Ok(Agreed { setup, peer_direction })
    }

    fn write(
        &mut self,
        local: &LocalMedia,
        codecs: &[(u8, Codec)],
        events: &[(u8, u32)],
        direction: Direction,
        ptime_ms: Option<u16>,
        timing: &str,
    ) -> Bytes {
        let family = if local.address.is_ipv4() { "IN IP4 " } else { "IN IP6 " };
        let address = local.address.to_string();
        let mut rest = String::with_capacity(USUAL_LENGTH);
        put(&mut rest, &[" ", family, &address, "\r\ns=-\r\nc=", family, &address, "\r\nt=", timing, "\r\n"]);
        for (index, line) in self.lines.iter().enumerate() {
            if index != self.audio {
                // §6, §8.2: refused, and refused it stays. The formats are repeated, meaning nothing.
                put(&mut rest, &["m=", &line.kind, " 0 ", &line.protocol, " ", &line.formats, "\r\n"]);
                continue;
            }
            put(&mut rest, &["m=audio ", &decimal(local.port), " ", &line.protocol]);
            for payload_type in codecs.iter().map(|(pt, _)| *pt).chain(events.iter().map(|(pt, _)| *pt)) {
                put(&mut rest, &[" ", &decimal(payload_type)]);
            }
            rest.push_str("\r\n");
            formats::write(&mut rest, codecs, events);
            put(&mut rest, &["a=ptime:", &decimal(ptime_ms.unwrap_or(20)), "\r\na=", direction_word(direction), "\r\n"]);
        }
        // §8: the version rises by one when anything changed, and only then.
        if rest != *self.last {
            self.version += 1;
            self.last = rest.into();
        }
        Bytes::from(["v=0\r\no=- ", &decimal(self.id), " ", &decimal(self.version), &self.last].concat())
    }
}

impl Types {
    /// telephone-event as we offer it: at the clocks of the codecs beside it.
    fn events_of(&self, local: &LocalMedia) -> Vec<(u8, u32)> {
        if local.dtmf { event_clocks(&local.codecs).map(|clock| (self.of_events(clock), clock)).collect() } else { Vec::new() }
    }
}

/// Holds a description of one stream.
const USUAL_LENGTH: usize = 256;

/// The first audio stream that we can serve: its place, and the codec to use with its number.
fn choose(theirs: &SessionDescription, local: &LocalMedia) -> Result<(usize, (u8, Codec)), OfferFault> {
    let mut fault = OfferFault::NoAudio;
    for (index, media) in theirs.media.iter().enumerate() {
        if &*media.kind != "audio" || media.port == 0 || !is_rtp(media) {
            continue;
        }
        if let Err(other) = usable_address(theirs, media, local) {
            fault = other;
            continue;
        }
        let ours = || codecs_of(media).filter(|(_, codec)| local.codecs.contains(codec));
        let preferred = local.prefer.and_then(|prefer| ours().find(|(_, codec)| *codec == prefer));
        match preferred.or_else(|| ours().next()) {
            Some(chosen) => return Ok((index, chosen)),
            None => fault = OfferFault::NoCodec,
        }
    }
    Err(fault)
}

/// The parts of a setup that do not depend on who offered.
fn setup(theirs: &SessionDescription, media: &Media, local: &LocalMedia) -> StreamSetup {
    let remote = theirs.remote(media).filter(|remote| !remote.ip().is_unspecified());
    StreamSetup {
        remote,
        remote_rtcp: theirs.remote_rtcp(media).filter(|rtcp| !rtcp.ip().is_unspecified() && rtcp.is_ipv4() == local.address.is_ipv4()),
        codec: Codec::Pcmu,
        send_pt: 0,
        receive_pts: Vec::new(),
        dtmf_send_pt: None,
        dtmf_send_clock: 8_000,
        dtmf_receive_pts: Vec::new(),
        opus: OpusTerms::default(),
        ptime_ms: ptime(media),
        direction: Direction::SendRecv,
        relearn: remote.is_some_and(|remote| is_private(remote.ip()) || local.signalling_peer.is_some_and(|peer| peer != remote.ip())),
    }
}

/// Err where media could never flow; None for hold by `c=0.0.0.0`.
fn usable_address(theirs: &SessionDescription, media: &Media, local: &LocalMedia) -> Result<Option<SocketAddr>, OfferFault> {
    let remote = theirs.remote(media).ok_or(OfferFault::NoAddress)?;
    if remote.ip().is_unspecified() {
        return Ok(None);
    }
    if remote.ip().is_multicast() {
        return Err(OfferFault::NoAddress);
    }
    if remote.is_ipv4() != local.address.is_ipv4() {
        return Err(OfferFault::OtherIpVersion(remote.ip()));
    }
    Ok(Some(remote))
}

fn is_rtp(media: &Media) -> bool {
    // AVPF (RFC 4585) without any feedback is AVP with other rules for RTCP timing.
    matches!(&*media.protocol, "RTP/AVP" | "RTP/AVPF")
}

fn peer_direction(theirs: &SessionDescription, media: &Media) -> Direction {
    let direction = theirs.direction(media);
    // §8.4: the old way to hold.
    match theirs.remote(media) {
        Some(remote) if remote.ip().is_unspecified() => narrow(direction, Direction::SendOnly),
        _ => direction,
    }
}

/// What the other side's direction is on ours (§6.1).
fn mirror(direction: Direction) -> Direction {
    match direction {
        Direction::SendRecv => Direction::SendRecv,
        Direction::SendOnly => Direction::RecvOnly,
        Direction::RecvOnly => Direction::SendOnly,
        Direction::Inactive => Direction::Inactive,
    }
}

/// What both allow.
fn narrow(a: Direction, b: Direction) -> Direction {
    match (a.sends() && b.sends(), a.receives() && b.receives()) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}

/// The packet time the peer asks for, where it is one that senders use; else 20 ms (RFC 3551 §4.2).
fn ptime(media: &Media) -> u16 {
    let number = |name| media.attribute(name).and_then(|attribute| attribute.value.as_deref()?.parse::<u16>().ok());
    let wanted = number("ptime").filter(|ptime| (10..=60).contains(ptime) && ptime % 10 == 0).unwrap_or(20);
    match number("maxptime") {
        Some(most) if (10..wanted).contains(&most) => most - most % 10,
        _ => wanted,
    }
}

fn joined(media: &Media) -> String {
    if media.formats.is_empty() { "0".into() } else { media.formats.join(" ") }
}

fn is_timing(timing: &str) -> bool {
    timing.len() <= 64 && timing.split(' ').count() == 2 && timing.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
}

/// An address that only means something behind somebody's NAT (RFC 1918, RFC 6598, RFC 4193).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
#[path = "offer_answer_tests.rs"]
mod tests;
