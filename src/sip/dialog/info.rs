//! INFO (RFC 6086), as it is used without packages: DTMF and the like.

use std::time::Instant;

use bytes::Bytes;

use super::{IncomingRequest, SessionId, UaEvent, UserAgent, VerbError, request::Draft, user_agent::User};
use crate::sip::message::Method;

impl UserAgent {
    /// Sends an INFO with a body of this type.
    pub fn send_info(&mut self, now: Instant, id: SessionId, content_type: &str, body: Bytes) -> Result<(), VerbError> {
        if !self.session_mut(id)?.is_confirmed() {
            return Err(VerbError::State("the session is not established"));
        }
        let draft = Draft { body: Some((content_type, body)), ..Draft::new(Method::INFO) };
        self.send_within(now, id, &draft, |_| User::Nobody).map(|_| ())
    }

    pub(super) fn receive_info(&mut self, now: Instant, id: SessionId, incoming: IncomingRequest) {
        self.answer_now(now, &incoming, 200, |builder| builder);
        self.events.push_back(UaEvent::Info { id, request: Box::new(incoming.request) });
    }
}
