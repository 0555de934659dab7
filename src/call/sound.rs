//! The sound of the legs: offers and answers, streams, and what the media thread tells.

use std::net::IpAddr;

use bytes::Bytes;

use crate::{
    media::{Codec, Direction, MediaCommand, MediaEvent, StreamId},
    model::{CallEvent, CallId, Finding, LegId, LegRole, Party, Severity},
    party::{self, Output},
    sip::sdp::{LocalMedia, OfferFault, SessionDescription},
};

use super::{Switch, leg, switch::Call, transfer::Happening};

impl Switch {
    pub(super) fn media(&mut self, command: MediaCommand) {
        self.outputs.push_back(Output::Media(command));
    }

    pub(super) fn customer_stream(&self, id: CallId) -> Option<StreamId> {
        self.calls.get(&id)?.legs.first()?.stream()
    }

    /// The customer and the newest leg of this role hear each other.
    pub(super) fn connect(&mut self, id: CallId, role: LegRole) {
        let Some(call) = self.calls.get(&id) else { return };
        if let (Some(a), Some(b)) = (call.legs.first().and_then(leg::Leg::stream), call.current(role).and_then(leg::Leg::stream)) {
            self.media(MediaCommand::Connect { a, b });
        }
    }

    /// Our offer on a leg; a codec that the other side of the call has comes first, so that nothing need be transcoded.
    pub(super) fn make_offer(&mut self, id: CallId, number: LegId, first: Option<Codec>) -> Option<Bytes> {
        let local = self.local_media(id, number, first)?;
        let leg = self.calls.get_mut(&id)?.leg_mut(number)?;
        Some(leg.sound.as_mut()?.offer(&local))
    }

    /// The answer to the offer of the customer's INVITE: made once, then the same in every response (RFC 6337 §2.2).
    pub(super) fn answer_of_customer(&mut self, id: CallId) -> Result<Option<Bytes>, OfferFault> {
        let Some(call) = self.calls.get(&id) else { return Ok(None) };
        let offer = call.invite.body_bytes();
        if offer.is_empty() {
            return Ok(None);
        }
        if let Some(sent) = call.legs.first().and_then(|leg| leg.sound.as_ref()?.sent_answer.clone()) {
            return Ok(Some(sent));
        }
        let answer = self.answer_offer_on(id, LegId(0), &offer)?;
        if let Some(sound) = self.calls.get_mut(&id).and_then(|call| call.legs.first_mut()?.sound.as_mut()) {
            sound.sent_answer = answer.clone();
        }
        Ok(answer)
    }

    /// Answers an offer on a leg, and sets its stream up.
    pub(super) fn answer_offer_on(&mut self, id: CallId, number: LegId, offer: &[u8]) -> Result<Option<Bytes>, OfferFault> {
        let prefer = self.calls.get(&id).and_then(|call| call.codec_beyond(number));
        let Some(mut local) = self.local_media(id, number, None) else { return Ok(None) };
        local.prefer = prefer;
        let Some(sound) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)?.sound.as_mut()) else { return Ok(None) };
        let held = sound.held;
        let (answer, configure) = sound.answer(offer, &local)?;
        let now_held = sound.held;
        self.media(configure);
        self.tell_hold(id, number, held, now_held);
        Ok(Some(answer))
    }

    /// Takes the peer's answer on a leg.
    pub(super) fn take_answer_on(&mut self, id: CallId, number: LegId, answer: &[u8]) -> Result<(), OfferFault> {
        let Some(sound) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)?.sound.as_mut()) else { return Ok(()) };
        let held = sound.held;
        let configure = sound.take_answer(answer)?;
        let now_held = sound.held;
        self.media(configure);
        self.tell_hold(id, number, held, now_held);
        Ok(())
    }

    fn tell_hold(&mut self, id: CallId, leg: LegId, before: bool, after: bool) {
        match (before, after) {
            (false, true) => self.tell(id, CallEvent::LegHeld { leg }),
            (true, false) => self.tell(id, CallEvent::LegResumed { leg }),
            (true, true) | (false, false) => {}
        }
    }

    /// Ends a leg's stream; its port comes back with `Closed`.
    pub(super) fn close_sound(&mut self, id: CallId, number: LegId) {
        let Some(sound) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)?.sound.as_mut()) else { return };
        if !sound.closing {
            sound.closing = true;
            let stream = sound.stream;
            self.media(MediaCommand::Close { stream });
        }
    }

    fn local_media(&self, id: CallId, number: LegId, first: Option<Codec>) -> Option<LocalMedia> {
        let call = self.calls.get(&id)?;
        let sound = call.legs.get(usize::from(number.0))?.sound.as_ref()?;
        let advertised = self.settings.sip.advertise.as_deref().and_then(|host| host.parse().ok());
        let mut address: IpAddr = advertised.unwrap_or(self.settings.media.address);
        if address.is_unspecified() {
            // Media listens everywhere: name the address that routes to the customer, since 0.0.0.0 would mean hold (RFC 3264 §8.4).
            let session = call.legs.iter().find_map(|leg| leg.session).and_then(|session| self.ua.session(session));
            address = session.map_or(address, |info| info.flow.local.ip());
        }
        let mut local = LocalMedia::new(address, sound.port);
        local.codecs = party::codecs_of(&call.transfer.settings().media);
        if let Some(first) = first
            && local.codecs.contains(&first)
        {
            local.codecs.retain(|codec| *codec != first);
            local.codecs.insert(0, first);
        }
        if sound.holding {
            local.direction = Direction::SendOnly;
        }
        local.signalling_peer = (number == LegId(0)).then(|| call.source.ip());
        Some(local)
    }

    pub(super) fn handle_media(&mut self, event: MediaEvent) {
        let stream = event.stream();
        let Some((id, number)) = self.streams.get(&stream).copied() else { return };
        match event {
            MediaEvent::Dtmf { digit, .. } => self.digit(id, number, digit),
            MediaEvent::Silence { secs, .. } => {
                if number == LegId(0) {
                    self.happens(id, Happening::Silence(f64::from(secs)));
                }
            }
            MediaEvent::Figures { figures, .. } => {
                self.tell(id, CallEvent::MediaMeasured { leg: number, figures: party::measured(&figures).into() });
            }
            MediaEvent::Closed { figures, .. } => {
                self.tell(id, CallEvent::MediaMeasured { leg: number, figures: party::measured(&figures).into() });
                self.sound_closed(id, number, stream);
            }
            MediaEvent::Stranger { from, .. } => {
                let finding = Finding::new(
                    "rtp-from-stranger",
                    Severity::Warning,
                    Party::Network,
                    format!("RTP from {from} on leg {}", number.0),
                    "Packets that do not come from the negotiated address are neither relayed nor answered",
                    "If they belong to the call, announce their address in SDP",
                );
                self.tell(id, CallEvent::FindingRaised { finding });
            }
            MediaEvent::Refused { why, .. } => {
                let closing = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)?.sound.as_ref()).is_some_and(|s| s.closing);
                if closing {
                    // It never came to be, so nothing else will tell its end.
                    self.sound_closed(id, number, stream);
                } else {
                    let finding = Finding::new(
                        "media-command-refused",
                        Severity::Warning,
                        Party::Bridge,
                        format!("Leg {}: {why}", number.0),
                        "The leg may have no sound",
                        "Report this with the call's capture",
                    );
                    self.tell(id, CallEvent::FindingRaised { finding });
                }
            }
            // What a source's NAT looks like is in the figures; prompts have no part to play at their end; the tap
            // is read where the sound is.
            MediaEvent::SourceLearned { .. }
            | MediaEvent::PlayEnded { .. }
            | MediaEvent::DtmfSent { .. }
            | MediaEvent::FirstPacket { .. }
            | MediaEvent::Tapped { .. }
            | MediaEvent::Kept { .. } => {}
        }
    }

    /// A digit from a leg, by RFC 4733 or by INFO.
    pub(super) fn digit(&mut self, id: CallId, leg: LegId, digit: char) {
        self.tell(id, CallEvent::DtmfReceived { leg, digit });
        if leg == LegId(0) {
            self.happens(id, Happening::Digit(digit));
        }
    }

    fn sound_closed(&mut self, id: CallId, number: LegId, stream: StreamId) {
        self.streams.remove(&stream);
        let sound = self.calls.get_mut(&id).and_then(|call| call.leg_mut(number)?.sound.take());
        if let Some(sound) = sound {
            self.ports.give_back(sound.port);
        }
        self.after(id);
    }
}

impl Call {
    /// The codec of whoever hears this leg.
    fn codec_beyond(&self, number: LegId) -> Option<Codec> {
        if number != LegId(0) {
            return self.legs.first()?.codec();
        }
        [LegRole::Return, LegRole::Agent].into_iter().find_map(|role| self.current(role)?.codec())
    }

    /// The customer's own first choice among what we know.
    pub(super) fn offered_codec(&self) -> Option<Codec> {
        if let Some(codec) = self.legs.first().and_then(leg::Leg::codec) {
            return Some(codec);
        }
        let offer = SessionDescription::parse(self.invite.body()).ok()?;
        let audio = offer.media.iter().find(|media| &*media.kind == "audio")?;
        audio.rtp_formats().find_map(|format| Codec::by_name(&format.encoding))
    }
}
