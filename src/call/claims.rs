//! Which call transfer a call is for: the one whose id its INVITE names, or whose number it dials (contract §2).

use std::time::Instant;

use crate::{
    contract::e164,
    model::{CallEvent, CallId, ClaimKey, ClaimRefusal, Claimed, Context},
    party::Output,
    sip::message::{Request, Scheme, Uri},
};

use super::{Switch, transfer::Happening};

impl Switch {
    /// What the call is to be claimed by; `None`: it is for no call transfer.
    pub(super) fn claim_of(&self, invite: &Request, context: &Context) -> Option<ClaimKey> {
        if let Some(id) = &context.call_transfer_id {
            return Some(ClaimKey::Id(id.clone()));
        }
        let pool = &self.settings.api.as_ref()?.numbers;
        let leased = |uri: Uri| dialled(&uri).filter(|number| pool.iter().any(|range| (range.first..=range.last).contains(number)));
        if pool.is_empty() {
            return None;
        }
        let number = invite.uri().ok().and_then(leased).or_else(|| leased(invite.to().ok()?.uri));
        number.map(|number| ClaimKey::Number(e164::written(number)))
    }

    /// Asks for the call transfer. After all that may refuse the call by itself, so that a refused call claims nothing.
    pub(super) fn claim(&mut self, id: CallId, key: ClaimKey) {
        if self.settings.api.is_none() {
            return self.happens(id, Happening::ClaimRefused(ClaimRefusal::Unknown));
        }
        self.next_query = self.next_query.wrapping_add(1);
        self.claims.insert(self.next_query, id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.claim = Some(self.next_query);
        }
        self.outputs.push_back(Output::Claim { query: self.next_query, call: id, key });
        self.after(id);
    }

    /// The desk's word. One that comes after the call has gone finds nobody: the call's end completes its transfer.
    pub(super) fn handle_claimed(&mut self, query: u32, outcome: Result<Box<Claimed>, ClaimRefusal>) {
        let Some(id) = self.claims.remove(&query) else { return };
        self.happens(id, outcome.map_or_else(Happening::ClaimRefused, Happening::Claimed));
    }

    pub(super) fn refuse_claim(&mut self, now: Instant, id: CallId, code: u16, why: ClaimRefusal) {
        let Some(session) = self.calls.get(&id).and_then(|call| call.legs.first()?.session) else { return };
        // RFC 3326; the codes alone don't say which of the two 410s and 404s of the world it is.
        let mut headers = vec![("Reason".to_owned(), format!("SIP;cause={code};text=\"{why}\""))];
        if code == 503 {
            headers.push(("Retry-After".to_owned(), RETRY_AFTER_SECS.to_owned()));
        }
        let _ = self.ua.reject(now, session, code, "", &headers);
    }

    /// The same conversation again: it resumes, and its attempts are linked (contract §2).
    pub(super) fn link_attempts(&mut self, id: CallId) {
        let Some(conversation) = self.calls.get(&id).and_then(|call| call.transfer.context().ext_conversation_id.as_deref()) else {
            return;
        };
        if let Some((attempt, previous)) = self.conversations.begin(conversation, id) {
            self.tell(id, CallEvent::ConversationResumed { attempt, previous });
        }
    }
}

/// The number that a URI dials: `sip:` with a number as its user, whatever it says of `user=phone`, or `tel:`.
fn dialled(uri: &Uri) -> Option<u64> {
    match uri.scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => e164::of_user(&uri.user_unescaped()?),
        Scheme::Other => None,
    }
}

const RETRY_AFTER_SECS: &str = "5";
