//! One leg of a test call: where it stands, and the sound on it.

use std::{net::SocketAddr, time::Instant};

use bytes::Bytes;

use super::site::{LegKind, Side, Site, mix};
use crate::{
    media::{Direction, Line, MediaCommand, Playout, StreamFigures, StreamId},
    model::{CallEvent, CallId, Ended, LegId},
    party,
    sip::{
        dialog::SessionId,
        sdp::{LocalMedia, SdpSession},
        transport::Transport,
    },
};

/// See the module.
#[derive(Debug)]
pub(super) struct Leg {
    pub call: CallId,
    pub kind: LegKind,
    pub side: Side,
    /// Its number in the call's record; `None` where another leg stands for it there.
    pub number: Option<LegId>,
    pub stage: Stage,
    pub session: Option<SessionId>,
    pub sound: Option<Sound>,
    /// What it says once it is answered.
    pub voice: Voice,
    /// We have put the far side on hold.
    pub on_hold: bool,
    /// Our re-INVITE that changes it is out.
    pub hold_asked: bool,
    pub answered_at: Option<Instant>,
    /// When we hang up on it.
    pub hang_up_at: Option<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits for an address to call and for a port.
    Preparing {
        targets: Option<Vec<(Transport, SocketAddr)>>,
    },
    /// INVITE is out, or came in and is not answered yet.
    Calling,
    Up,
    Over,
}

/// Who speaks on a leg.
#[derive(Debug, Clone)]
pub(super) enum Voice {
    Played(Playout),
    /// Whoever is at this machine's microphone.
    Person,
}

#[derive(Debug)]
pub(super) struct Sound {
    pub stream: StreamId,
    port: u16,
    sdp: SdpSession,
    configured: bool,
    speaking: bool,
    closing: bool,
}

impl Leg {
    pub fn new(call: CallId, kind: LegKind, number: Option<LegId>, voice: Voice) -> Self {
        Self {
            call,
            kind,
            side: if kind == LegKind::ReturnPoint { Side::ReturnPoint } else { Side::Sbc },
            number,
            stage: Stage::Preparing { targets: None },
            session: None,
            sound: None,
            voice,
            on_hold: false,
            hold_asked: false,
            answered_at: None,
            hang_up_at: None,
        }
    }

    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over && self.sound.is_none()
    }

    pub fn is_up(&self) -> bool {
        self.stage == Stage::Up
    }

    /// Takes an RTP port if it has none; `false` where none is free.
    pub fn take_port(&mut self, site: &mut Site) -> bool {
        if self.sound.is_some() {
            return true;
        }
        let Some(port) = site.ports.take() else { return false };
        let stream = site.new_stream((self.call, self.kind));
        site.media(MediaCommand::Open { stream, port });
        site.stream_of(self.call, stream);
        let sdp = SdpSession::new(mix(site.setup.seed ^ u64::from(stream.0)));
        self.sound = Some(Sound { stream, port, sdp, configured: false, speaking: false, closing: false });
        true
    }

    /// What we offer, with everything that we can do.
    pub fn offer(&mut self, site: &Site) -> Option<Bytes> {
        let sound = self.sound.as_mut()?;
        Some(sound.sdp.offer(&local(site, sound.port, self.on_hold)))
    }

    /// Takes the peer's answer to our offer; the codec's name comes back.
    pub fn take_answer(&mut self, site: &mut Site, sdp: &[u8]) -> Result<&'static str, String> {
        let sound = self.sound.as_mut().ok_or(NO_SOUND)?;
        let agreed = sound.sdp.take_answer(sdp).map_err(|fault| fault.to_string())?;
        Ok(sound.configure(site, agreed.setup))
    }

    /// Takes the answer of a provisional response, of which the final one may say better (RFC 3261 §13.2.1).
    pub fn take_early_answer(&mut self, site: &mut Site, sdp: &[u8]) -> bool {
        let Some(sound) = &mut self.sound else { return false };
        let agreed = sound.sdp.clone().take_answer(sdp);
        agreed.map(|agreed| sound.configure(site, agreed.setup)).is_ok()
    }

    /// Takes the peer's offer; what we answer comes back.
    pub fn take_offer(&mut self, site: &mut Site, sdp: &[u8]) -> Result<Bytes, String> {
        let sound = self.sound.as_mut().ok_or(NO_SOUND)?;
        let (answer, agreed) = sound.sdp.answer(sdp, &local(site, sound.port, self.on_hold)).map_err(|fault| fault.to_string())?;
        sound.configure(site, agreed.setup);
        Ok(answer)
    }

    /// Begins to say what it has to say, once.
    pub fn speak(&mut self, site: &mut Site, record_secs: Option<u32>) {
        let Some(sound) = self.sound.as_mut().filter(|s| s.configured && !s.speaking) else { return };
        sound.speaking = true;
        if let Some(max_secs) = record_secs {
            site.media(MediaCommand::Record { stream: sound.stream, max_secs });
        }
        site.media(match &self.voice {
            Voice::Played(what) => MediaCommand::Play { stream: sound.stream, what: what.clone(), token: 0 },
            Voice::Person => MediaCommand::Live { stream: sound.stream, line: Line::Phone, on: true },
        });
    }

    /// A person hears what comes before the answer, too.
    pub fn hear_early(&self, site: &mut Site) {
        self.put_person(site, true);
    }

    /// Puts the person on this leg, or takes the person off it; nothing where a recording speaks.
    pub fn put_person(&self, site: &mut Site, on: bool) {
        if let (Voice::Person, Some(sound)) = (&self.voice, self.sound.as_ref().filter(|sound| sound.configured)) {
            site.media(MediaCommand::Live { stream: sound.stream, line: Line::Phone, on });
        }
    }

    pub fn send_digits(&self, site: &mut Site, digits: &str) -> bool {
        let Some(sound) = self.sound.as_ref().filter(|s| s.configured) else { return false };
        site.media(MediaCommand::SendDtmf { stream: sound.stream, digits: digits.to_owned() });
        true
    }

    /// The session is gone, or never came to be.
    pub fn end(&mut self, site: &mut Site, why: Ended) {
        if self.stage == Stage::Over {
            return;
        }
        self.stage = Stage::Over;
        self.hang_up_at = None;
        if let Some(session) = self.session.take() {
            site.sessions.remove(&(self.side, session));
            if let Some(leg) = self.number {
                site.event(self.call, CallEvent::LegEnded { leg, why });
            }
        }
        self.close_sound(site);
    }

    /// With its BYE a side stops sending and listening, whenever that is answered (RFC 3261 §15.1.1).
    pub fn close_sound(&mut self, site: &mut Site) {
        if let Some(sound) = self.sound.as_mut().filter(|sound| !sound.closing) {
            sound.closing = true;
            sound.configured = false;
            site.media(MediaCommand::Close { stream: sound.stream });
        }
    }

    /// The stream is closed: its port may be used again.
    pub fn sound_closed(&mut self, site: &mut Site, figures: &StreamFigures) {
        if let Some(sound) = self.sound.take() {
            site.streams.remove(&sound.stream);
            site.ports.give_back(sound.port);
            self.measured(site, figures);
        }
    }

    pub fn measured(&self, site: &mut Site, figures: &StreamFigures) {
        if let Some(leg) = self.number {
            site.event(self.call, CallEvent::MediaMeasured { leg, figures: party::measured(figures).into() });
        }
    }
}

impl Sound {
    fn configure(&mut self, site: &mut Site, setup: crate::media::StreamSetup) -> &'static str {
        let codec = setup.codec.name();
        self.configured = true;
        site.media(MediaCommand::configure(self.stream, setup));
        codec
    }
}

fn local(site: &Site, port: u16, on_hold: bool) -> LocalMedia {
    let direction = if on_hold { Direction::SendOnly } else { Direction::SendRecv };
    LocalMedia { direction, codecs: site.setup.codecs.clone(), ..LocalMedia::new(site.setup.media_address, port) }
}

const NO_SOUND: &str = "no port is free for the sound";
