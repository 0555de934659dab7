//! A leg: one SIP session of a call, and the sound on it.

use bytes::Bytes;

use crate::{
    media::{Codec, MediaCommand, StreamId},
    model::{Ended, LegId, LegRole, Party},
    sip::{
        dialog::{SessionEnd, SessionId},
        sdp::{Agreed, LocalMedia, OfferFault, SdpSession},
    },
};

/// See the module. Gone when it has neither session nor sound.
#[derive(Debug)]
pub(super) struct Leg {
    pub number: LegId,
    pub role: LegRole,
    pub stage: Stage,
    pub session: Option<SessionId>,
    pub sound: Option<Sound>,
    /// Outgoing: where it goes and with what, while that is being looked up.
    pub invitation: Option<Box<Invitation>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Looked up, called, or calling.
    Opening,
    Up,
    /// It was told to end, or has ended.
    Over,
}

/// An INVITE that waits for the addresses of its target.
#[derive(Debug)]
pub(super) struct Invitation {
    pub target: String,
    pub headers: Vec<(String, String)>,
}

/// The RTP stream of a leg.
#[derive(Debug)]
pub(super) struct Sound {
    pub stream: StreamId,
    pub port: u16,
    sdp: SdpSession,
    pub codec: Option<Codec>,
    /// Answer to the customer's offer that was sent already, in a provisional response.
    pub sent_answer: Option<Bytes>,
    /// An answer that came in a provisional response: the final one may say better, or nothing.
    pub early_answer: Option<Bytes>,
    pub held: bool,
    /// We have put the peer on hold.
    pub holding: bool,
    /// An offer is to follow the one that is under way.
    pub offer_again: bool,
    pub closing: bool,
}

impl Leg {
    pub fn new(number: LegId, role: LegRole) -> Self {
        Self { number, role, stage: Stage::Opening, session: None, sound: None, invitation: None }
    }

    pub fn is_gone(&self) -> bool {
        self.session.is_none() && self.sound.is_none() && self.invitation.is_none()
    }

    pub fn stream(&self) -> Option<StreamId> {
        self.sound.as_ref().filter(|s| !s.closing).map(|s| s.stream)
    }

    pub fn codec(&self) -> Option<Codec> {
        self.sound.as_ref().and_then(|s| s.codec)
    }
}

impl Sound {
    pub fn new(stream: StreamId, port: u16, sdp_id: u64) -> Self {
        Self {
            stream,
            port,
            sdp: SdpSession::new(sdp_id),
            codec: None,
            sent_answer: None,
            early_answer: None,
            held: false,
            holding: false,
            offer_again: false,
            closing: false,
        }
    }

    pub fn offer(&mut self, local: &LocalMedia) -> Bytes {
        self.sdp.offer(local)
    }

    /// Answers the peer's offer.
    pub fn answer(&mut self, offer: &[u8], local: &LocalMedia) -> Result<(Bytes, MediaCommand), OfferFault> {
        let (answer, agreed) = self.sdp.answer(offer, local)?;
        Ok((answer, self.settle(agreed)))
    }

    /// Takes the peer's final answer.
    pub fn take_answer(&mut self, answer: &[u8]) -> Result<MediaCommand, OfferFault> {
        let agreed = self.sdp.take_answer(answer)?;
        Ok(self.settle(agreed))
    }

    /// Takes the answer of a provisional response, of which the final one may say better (RFC 3261 §13.2.1).
    pub fn take_early_answer(&mut self, answer: &Bytes) -> Option<MediaCommand> {
        let agreed = self.sdp.clone().take_answer(answer).ok()?;
        self.early_answer = Some(answer.clone());
        Some(self.settle(agreed))
    }

    /// Whether an offer of ours waits for its answer.
    pub fn offer_pending(&self) -> bool {
        self.sdp.offer_pending()
    }

    /// Our offer was refused: what was agreed before stays.
    pub fn withdraw(&mut self) {
        self.sdp.withdraw();
    }

    fn settle(&mut self, agreed: Agreed) -> MediaCommand {
        self.codec = Some(agreed.setup.codec);
        self.held = agreed.held_by_peer();
        MediaCommand::configure(self.stream, agreed.setup)
    }
}

/// How a session ended, in people's words. `ours`: we had placed the call.
pub(super) fn ended(role: LegRole, ours: bool, why: &SessionEnd) -> Ended {
    let (side, name) = match role {
        LegRole::Customer => (Party::Customer, "The customer"),
        LegRole::Agent => (Party::Agent, "The agent"),
        LegRole::Return => (Party::ReturnEndpoint, "The return endpoint"),
    };
    match why {
        SessionEnd::RemoteBye => Ended::new(format!("{name} hung up"), side, None),
        SessionEnd::LocalBye => Ended::new("The bridge hung up", Party::Bridge, None),
        SessionEnd::Cancelled if ours => Ended::new("The bridge took its call back", Party::Bridge, Some(487)),
        SessionEnd::Cancelled => Ended::new(format!("{name} gave up before the answer"), side, Some(487)),
        SessionEnd::Rejected { code, reason } if ours => Ended::new(format!("{name} refused: {code} {reason}"), side, Some(*code)),
        SessionEnd::Rejected { code, reason } => Ended::new(format!("Refused: {code} {reason}"), Party::Bridge, Some(*code)),
        SessionEnd::NoAck => Ended::new(format!("{name} never acknowledged the answer"), Party::Network, Some(408)),
        SessionEnd::SessionExpired => Ended::new(format!("{name} let the session expire"), Party::Network, None),
        SessionEnd::TransportFailed => Ended::new(format!("{name} can't be reached"), Party::Network, Some(503)),
        SessionEnd::Timeout => Ended::new(format!("{name} does not answer"), Party::Network, Some(408)),
    }
}
