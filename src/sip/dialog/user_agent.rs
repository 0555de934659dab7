//! One party's SIP: bytes in, verbs in, messages and events out.

use std::{net::SocketAddr, time::Instant};

use bytes::Bytes;

use super::{Counts, IncomingRequest, NewInvite, PingId, ReferId, SessionId, SessionInfo, TrustHook, UaOutput, UserAgentConfig, VerbError};
use crate::sip::transport::{Flow, Received, Transport};

/// Transactions, dialogs and sessions of one party.
pub struct UserAgent {
    config: UserAgentConfig,
    trusted: Option<TrustHook>,
}

impl UserAgent {
    pub fn new(config: UserAgentConfig) -> Self {
        Self { config, trusted: None }
    }

    pub fn config(&self) -> &UserAgentConfig {
        &self.config
    }
    /// Says which further addresses may speak inside a session (those of its peer's networks).
    pub fn set_trusted(&mut self, trusted: TrustHook) {
        self.trusted = Some(trusted);
    }

    /// A whole message arrived.
    pub fn handle_received(&mut self, _now: Instant, _received: Received) {}
    /// Nothing can be sent there.
    pub fn handle_transport_failed(&mut self, _now: Instant, _flow: Flow) {}
    /// The deadline has come.
    pub fn handle_timeout(&mut self, _now: Instant) {}
    pub fn deadline(&self) -> Option<Instant> {
        None
    }
    /// What the last input led to, in order.
    pub fn poll_output(&mut self) -> Option<UaOutput> {
        None
    }

    /// Checks a request that the application has admitted (§8.2.1–§8.2.3). What cannot be taken is answered
    /// (405, 406, 415, 420, 482, 483, 489, 501, 503 …) and None comes back.
    pub fn screen(&mut self, _now: Instant, incoming: IncomingRequest) -> Option<IncomingRequest> {
        Some(incoming)
    }
    /// Calls somebody.
    pub fn invite(&mut self, _now: Instant, _invite: NewInvite) -> Result<SessionId, VerbError> {
        Err(VerbError::NoRoute)
    }
    /// Makes a session of an INVITE that came in. A 100 goes out by itself when nothing else does within 200 ms.
    pub fn accept_invite(&mut self, _now: Instant, _incoming: IncomingRequest) -> Result<SessionId, VerbError> {
        Err(VerbError::Overload)
    }
    /// Sends a provisional response; reliably where the peer requires it (RFC 3262).
    pub fn ring(
        &mut self,
        _now: Instant,
        _id: SessionId,
        _code: u16,
        _sdp: Option<Bytes>,
        _headers: &[(String, String)],
    ) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Answers the INVITE with 200; repeated until its ACK.
    pub fn answer(&mut self, _now: Instant, _id: SessionId, _sdp: Option<Bytes>, _headers: &[(String, String)]) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Refuses the INVITE (300–699). `Ended` follows.
    pub fn reject(
        &mut self,
        _now: Instant,
        _id: SessionId,
        _code: u16,
        _reason: &str,
        _headers: &[(String, String)],
    ) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Ends the session by what its state needs: CANCEL, BYE, or a refusal. `reason` is the value of a Reason header (RFC 3326).
    pub fn hang_up(
        &mut self,
        _now: Instant,
        _id: SessionId,
        _headers: &[(String, String)],
        _reason: Option<&str>,
    ) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Asks the peer to refer. `refer_to` is the whole header value.
    pub fn refer(&mut self, _now: Instant, _id: SessionId, _refer_to: &str, _headers: &[(String, String)]) -> Result<ReferId, VerbError> {
        Err(VerbError::NoSession)
    }
    /// Takes the peer's REFER (202, or 200).
    pub fn accept_refer(&mut self, _now: Instant, _id: SessionId, _refer: ReferId, _code: u16) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    pub fn refuse_refer(&mut self, _now: Instant, _id: SessionId, _refer: ReferId, _code: u16) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Tells the peer how its REFER goes on: `SIP/2.0 100 Trying`.
    pub fn notify(&mut self, _now: Instant, _id: SessionId, _refer: ReferId, _sipfrag: &str, _terminated: bool) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Answers the peer's offer, or makes the offer that it wanted.
    pub fn answer_offer(&mut self, _now: Instant, _id: SessionId, _sdp: Bytes) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    pub fn refuse_offer(&mut self, _now: Instant, _id: SessionId, _code: u16) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Offers anew in a re-INVITE; sent as soon as none is under way.
    pub fn offer(&mut self, _now: Instant, _id: SessionId, _sdp: Bytes) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Sends an INFO with a body of this type.
    pub fn send_info(&mut self, _now: Instant, _id: SessionId, _content_type: &str, _body: Bytes) -> Result<(), VerbError> {
        Err(VerbError::NoSession)
    }
    /// Answers a request outside of any dialog, through a server transaction.
    pub fn respond(
        &mut self,
        _now: Instant,
        _incoming: IncomingRequest,
        _code: u16,
        _reason: &str,
        _headers: &[(String, String)],
    ) -> Result<(), VerbError> {
        Ok(())
    }
    /// Answers without keeping anything (§8.2.7): challenges and refusals of strangers.
    pub fn respond_stateless(
        &mut self,
        _now: Instant,
        _incoming: IncomingRequest,
        _code: u16,
        _reason: &str,
        _headers: &[(String, String)],
    ) -> Result<(), VerbError> {
        Ok(())
    }
    /// Sends an OPTIONS outside of any dialog; its answer comes as `Pong`.
    pub fn ping(&mut self, _now: Instant, _target: &str, _next_hop: (Transport, SocketAddr)) -> Result<PingId, VerbError> {
        Err(VerbError::NoRoute)
    }
    /// How a session stands; None when it has ended.
    pub fn session(&self, _id: SessionId) -> Option<SessionInfo<'_>> {
        None
    }
    /// How much is alive.
    pub fn counts(&self) -> Counts {
        Counts::default()
    }
}
