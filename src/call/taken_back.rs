//! A REFER whose target is this program's own return point: that it was reached is seen, whatever NOTIFY says (contract §3).

use crate::{
    model::CallId,
    party::TakenBack,
    sip::{
        message::Uri,
        transport::target::{Targets, targets},
    },
};

use super::{Switch, switch::Call, transfer::Happening};

impl Switch {
    /// A call came back to the return point; it belongs to the call that waits for just that, if there is exactly one.
    pub(super) fn handle_taken_back(&mut self, taken: &TakenBack) {
        let mut waiting = self.calls.iter().filter(|(_, call)| waits_for(call, taken)).map(|(id, _)| *id);
        let found: Option<CallId> = waiting.next();
        // Of several nobody can say which it is, and a wrong verdict is worse than none.
        if let (Some(id), None) = (found, waiting.next()) {
            self.happens(id, Happening::TakenBack);
        }
    }
}

fn waits_for(call: &Call, taken: &TakenBack) -> bool {
    let Some(Ok(target)) = call.transfer.refer_target().map(Uri::parse) else { return false };
    let reached = match targets(&target) {
        Targets::Literal(next_hops) => next_hops.iter().any(|(_, address)| *address == taken.at),
        Targets::Lookup { .. } => false,
    };
    let named = Uri::parse(&taken.request_uri).is_ok_and(|uri| uri.matches(&target.without_headers()));
    if !reached && !named {
        return false;
    }
    match (&taken.replaces, &taken.conversation) {
        // RFC 3891: the one that it takes the place of.
        (Some(replaced), _) => call.invite.call_id() == Some(replaced),
        (None, Some(conversation)) => call.transfer.context().ext_conversation_id.as_ref() == Some(conversation),
        // The SBC dropped the URI's headers, or there were none.
        (None, None) => true,
    }
}
