//! Answering digest challenges to our requests (RFC 3261 §22.2, RFC 7616 §3.4).

use std::time::Instant;

use super::{SessionId, UserAgent, request::Changes, user_agent::User};
use crate::sip::{
    digest::client::{Challenge, Credentials},
    message::{HeaderName, Response},
    small_text::SmallText,
    transaction::TransactionId,
};

impl UserAgent {
    /// Sends a challenged request again with credentials; false where there are none, or they were not taken.
    /// ACK and CANCEL are never challenged (§22.1), and come nowhere near here.
    pub(super) fn answer_challenge(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        response: &Response,
        user: User,
    ) -> bool {
        let (asked, answered) = match response.code() {
            401 => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
            407 => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
            _ => return false,
        };
        let (Some(session), Some(request)) = (self.sessions.get_mut(id), self.layer.request(transaction)) else { return false };
        let Some(credentials) = session.credentials.clone() else { return false };
        if !credentials.in_dialog && !matches!(user, User::Invite(_)) {
            return false;
        }
        let challenges = response.auth(asked).filter(|value| value.is_digest()).filter_map(|value| Challenge::read(value.params()));
        let Some(challenge) = Challenge::choose(challenges) else { return false };
        // RFC 7616 §3.3: only an expired nonce makes the same password worth another try.
        if session.challenges >= MOST_ANSWERS || request.has(answered) && !challenge.stale {
            return false;
        }
        session.challenges += 1;
        let nc = match &session.nonce {
            Some((nonce, count)) if **nonce == challenge.nonce => count + 1,
            _ => 1,
        };
        session.nonce = Some((challenge.nonce.as_str().into(), nc));
        session.dialog.local_cseq += 1;
        let cseq = session.dialog.local_cseq;
        let cnonce = SmallText::<16>::default().hex(self.ids.random(), 16);
        let account = Credentials { username: &credentials.username, password: &credentials.password };
        let value = challenge.answer(account, request.method().as_str(), request.uri_text(), nc, &cnonce);
        let flow = self.layer.flow(transaction).unwrap_or(session.flow);
        let request = request.clone();
        let changes = Changes { cseq: Some(cseq), header: Some((answered, value.into())), ..Changes::default() };
        let Ok(again) = self.send_again(now, &request, flow, changes, user) else { return false };
        self.replace_transaction(id, user, again, Some(cseq));
        true
    }
}

/// The first challenge, and one more: a stale nonce, or a proxy besides the callee.
const MOST_ANSWERS: u8 = 2;
