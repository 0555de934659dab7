//! Recording: the customer's stream holds both sides of every call, so it is the one that is kept.

use super::Switch;
use crate::{
    media::MediaCommand,
    model::{CallId, CommandOutcome},
};

impl Switch {
    /// By hand.
    pub(super) fn record(&mut self, call: CallId, on: bool) -> CommandOutcome {
        let stream = self.customer_stream(call).ok_or("There is no sound in this call now")?;
        let known = self.calls.get_mut(&call).ok_or("There is no such call")?;
        if known.recorded == on {
            return Err(if on { "This call is recorded already" } else { "This call is not recorded" }.to_owned());
        }
        known.recorded = on;
        self.media(MediaCommand::Keep { stream, on });
        Ok(call)
    }

    /// By the rule, as the customer is answered.
    pub(super) fn record_by_rule(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let settings = call.transfer.settings();
        let of_peer = call.transfer.peer().and_then(|peer| peer.record);
        if of_peer.unwrap_or(settings.recording.always) && !call.recorded {
            let _ = self.record(id, true);
        }
    }
}
