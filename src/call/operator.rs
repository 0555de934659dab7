//! The operator's end of the switch: who is on its line, whom it hears, and what it asks for.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

use super::{
    Switch,
    leg::Leg,
    transfer::{Happening, Transfer},
};
use crate::{
    contract::payload,
    media::{Heard, Line, MediaCommand, Playout},
    model::{CallEvent, CallId, CommandOutcome, LegId, ListenSide, Missed, SetVariables},
};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Operator {
    /// Its window was closed: nobody answers.
    left: bool,
    /// The call that its microphone is in.
    on_line: Option<CallId>,
    /// Calls that it talks in, those on hold among them.
    talks: BTreeSet<CallId>,
    /// Calls that it has talked in and is not done with, the oldest first.
    wrap_ups: VecDeque<CallId>,
    /// The call that it hears without being in it.
    listening: Option<CallId>,
}

impl Operator {
    /// How many calls it is in or hears: 0 when nothing is left over.
    pub fn counts(&self) -> usize {
        self.talks.len() + usize::from(self.on_line.is_some()) + usize::from(self.listening.is_some())
    }
}

impl Switch {
    pub(super) fn operator_answers(&mut self, call: CallId) -> CommandOutcome {
        if !self.transfer_of(call)?.waits_for_operator() {
            return Err("This call does not wait for the operator".to_owned());
        }
        self.free_the_line(call)?;
        self.happens(call, Happening::OperatorAnswers);
        Ok(call)
    }

    pub(super) fn operator_declines(&mut self, call: CallId) -> CommandOutcome {
        if !self.transfer_of(call)?.waits_for_operator() {
            return Err("This call does not wait for the operator".to_owned());
        }
        self.happens(call, Happening::OperatorDeclines(Missed::Declined));
        Ok(call)
    }

    pub(super) fn operator_holds(&mut self, call: CallId, on: bool) -> CommandOutcome {
        if !self.transfer_of(call)?.is_with_operator() {
            return Err("Only a call that the operator talks in can be put on hold".to_owned());
        }
        if !on {
            self.free_the_line(call)?;
        }
        self.happens(call, Happening::OperatorHolds(on));
        Ok(call)
    }

    pub(super) fn operator_sets(&mut self, id: CallId, set: SetVariables) -> CommandOutcome {
        for (name, value) in set.transfer_variables.iter().chain(&set.reference_variables) {
            payload::check_variable_name(name).map_err(|e| e.to_string())?;
            payload::check_variable_value(name, value).map_err(|e| e.to_string())?;
        }
        let call = self.calls.get_mut(&id).ok_or(NO_SUCH_CALL)?;
        if !call.transfer.has_operator() {
            return Err("The agent of this call is not the operator".to_owned());
        }
        if !call.transfer.variables_can_change() {
            return Err("The agent's part of this call is over already".to_owned());
        }
        let (transfer, reference) = (set.transfer_variables.clone(), set.reference_variables.clone());
        call.transfer.set_variables(set);
        self.tell(id, CallEvent::VariablesSet { transfer, reference });
        Ok(id)
    }

    pub(super) fn operator_done(&mut self, call: CallId) -> CommandOutcome {
        let Some(at) = self.operator.wrap_ups.iter().position(|wrapped| *wrapped == call) else {
            return Err("The operator has no wrap-up in this call".to_owned());
        };
        self.operator.wrap_ups.remove(at);
        self.tell(call, CallEvent::WrapUpEnded);
        Ok(call)
    }

    /// The window closes: what waits goes to its fallback, what talks goes back with what was set.
    pub(super) fn operator_leaves(&mut self) -> CommandOutcome {
        self.operator.left = true;
        while let Some(call) = self.operator.wrap_ups.pop_front() {
            self.tell(call, CallEvent::WrapUpEnded);
        }
        let calls = self.calls.iter().filter(|(_, call)| call.transfer.has_operator() && call.transfer.agent_can_end());
        let calls: Vec<CallId> = calls.map(|(id, _)| *id).collect();
        for call in calls {
            self.happens(call, Happening::OperatorDeclines(Missed::Left));
        }
        Ok(CallId(0))
    }

    pub(super) fn listen(&mut self, call: CallId, side: Option<ListenSide>) -> CommandOutcome {
        let stream = self.customer_stream(call).ok_or("There is no sound in this call now")?;
        if side.is_none() && self.operator.listening != Some(call) {
            return Err("Nobody listens to this call".to_owned());
        }
        if let Some(other) = self.operator.listening.take().filter(|other| *other != call) {
            if let Some(stream) = self.customer_stream(other) {
                self.media(MediaCommand::Listen { stream, heard: None });
            }
            self.tell(other, CallEvent::ListeningChanged { side: None });
        }
        let heard = side.map(|side| match side {
            ListenSide::Customer => Heard::Received,
            ListenSide::Agent => Heard::Sent,
            ListenSide::Both => Heard::Both,
        });
        self.operator.listening = side.map(|_| call);
        self.media(MediaCommand::Listen { stream, heard });
        self.tell(call, CallEvent::ListeningChanged { side });
        Ok(call)
    }

    /// The customer waits: it hears ringing, its own side's or ours.
    pub(super) fn ring_operator(&mut self, now: Instant, id: CallId, answered: bool, tone: bool) {
        // Without an offer of the customer's there is nothing to answer early (RFC 3261 §13.2.1).
        let offered = self.calls.get(&id).is_some_and(|call| !call.invite.body().is_empty());
        let early = tone && offered;
        if !answered {
            let code = if early { 183 } else { 180 };
            self.ring_customer(now, id, code, early);
            self.tell(id, CallEvent::AgentRinging { leg: None, code, early_media: early });
        }
        if (answered || early)
            && let Some(stream) = self.customer_stream(id)
        {
            self.media(MediaCommand::Play { stream, what: Playout::Ringback, token: WAITING });
        }
        if self.operator.left {
            self.happens(id, Happening::OperatorDeclines(Missed::Left));
        }
    }

    /// The operator and the customer hear each other.
    pub(super) fn operator_on(&mut self, now: Instant, id: CallId) {
        self.operator.talks.insert(id);
        self.resume_customer(now, id);
        if let Some(stream) = self.customer_stream(id) {
            self.operator.on_line = Some(id);
            self.media(MediaCommand::StopPlaying { stream });
            self.media(MediaCommand::Live { stream, line: Line::Operator, on: true });
        }
    }

    /// The operator's part in the call is over: its wrap-up begins, if it had talked.
    pub(super) fn operator_off(&mut self, id: CallId) {
        if let Some(stream) = self.customer_stream(id) {
            self.take_off_line(id);
            self.media(MediaCommand::StopPlaying { stream });
        } else if self.operator.on_line == Some(id) {
            self.operator.on_line = None;
        }
        if self.operator.talks.remove(&id) {
            if self.operator.left || self.operator.wrap_ups.len() >= MOST_WRAP_UPS {
                self.tell(id, CallEvent::WrapUpEnded);
            } else if !self.operator.wrap_ups.contains(&id) {
                self.operator.wrap_ups.push_back(id);
            }
        }
    }

    /// Nothing more of a call that is gone.
    pub(super) fn operator_forgets(&mut self, id: CallId) {
        if self.operator.listening == Some(id) {
            self.operator.listening = None;
        }
    }

    pub(super) fn hold_customer(&mut self, now: Instant, id: CallId, on: bool) {
        let Some(stream) = self.customer_stream(id) else { return };
        if on {
            self.take_off_line(id);
            self.media(MediaCommand::Play { stream, what: Playout::OnHold, token: WAITING });
            self.direct_customer(now, id, true);
        } else {
            self.operator_on(now, id);
        }
    }

    /// A customer that was put on hold may speak again, whoever hears it.
    pub(super) fn resume_customer(&mut self, now: Instant, id: CallId) {
        self.direct_customer(now, id, false);
    }

    /// RFC 3264 §8.4: sendonly while the customer is on hold.
    fn direct_customer(&mut self, now: Instant, id: CallId, hold: bool) {
        let Some(sound) = self.calls.get_mut(&id).and_then(|call| call.legs.first_mut()?.sound.as_mut()) else { return };
        if std::mem::replace(&mut sound.holding, hold) != hold {
            self.offer_to_customer(now, id);
        }
    }

    /// Offers anew on the customer's leg; while an offer is under way, the next one waits for its answer.
    pub(super) fn offer_to_customer(&mut self, now: Instant, id: CallId) {
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.legs.first_mut()) else { return };
        let (session, codec) = (leg.session, leg.codec());
        let Some(sound) = leg.sound.as_mut().filter(|sound| !sound.closing) else { return };
        sound.offer_again = sound.offer_pending();
        if sound.offer_again {
            return;
        }
        if let (Some(session), Some(offer)) = (session, self.make_offer(id, LegId(0), codec))
            && self.ua.offer(now, session, offer).is_err()
            && let Some(sound) = self.calls.get_mut(&id).and_then(|call| call.legs.first_mut()?.sound.as_mut())
        {
            // The session is ending.
            sound.withdraw();
        }
    }

    fn take_off_line(&mut self, id: CallId) {
        if self.operator.on_line == Some(id) {
            self.operator.on_line = None;
            if let Some(stream) = self.customer_stream(id) {
                self.media(MediaCommand::Live { stream, line: Line::Operator, on: false });
            }
        }
    }

    /// Whoever is on the line goes on hold, so that `call` can have it.
    fn free_the_line(&mut self, call: CallId) -> Result<(), String> {
        let Some(other) = self.operator.on_line.filter(|other| *other != call) else { return Ok(()) };
        if !self.transfer_of(other)?.is_with_operator() {
            return Err("The call before is just being answered: try again in a moment".to_owned());
        }
        self.happens(other, Happening::OperatorHolds(true));
        Ok(())
    }

    fn transfer_of(&self, call: CallId) -> Result<&Transfer, String> {
        self.calls.get(&call).map(|call| &call.transfer).ok_or_else(|| NO_SUCH_CALL.to_owned())
    }
}

impl Leg {
    /// Whether a newer offer waits for the answer to the one before.
    pub(super) fn wants_to_offer(&mut self) -> bool {
        self.sound.as_mut().is_some_and(|sound| std::mem::take(&mut sound.offer_again))
    }
}

pub(super) const NO_SUCH_CALL: &str = "There is no such call, or it has ended";
/// Wrap-ups of one operator; more are over at once.
const MOST_WRAP_UPS: usize = 100;
/// What a customer hears who waits.
const WAITING: u32 = 3;
