//! One call as people see it: the fold of its events.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Admission, AgentKind, CallEvent, CallId, Context, Ended, Finding, LegId, LegOpened, LegRole, ListenSide, MediaFigures, Missed,
    OperatorPart, OperatorPhase, Outcome, Party, Payload, RecordingFile, ReturnMethod, ReturnVerdict, Timestamp, TransferKind, Variables,
};

/// The states of a call, here, on screen and in the control API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    Arriving,
    Ringing,
    WithAgent,
    Returning,
    Returned,
    Ended,
    Refused,
    Failed,
}

impl CallState {
    /// Whether the call is over.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Returned | Self::Ended | Self::Refused | Self::Failed)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    pub id: CallId,
    pub state: CallState,
    pub started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// Placed by this console as the customer.
    pub test_call: bool,
    /// The test call of this console that it is, seen from the other side.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub placed_here: Option<CallId>,
    pub from: String,
    pub to: String,
    pub request_uri: String,
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub admission: Option<Admission>,
    /// The call transfer that this is the call for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call_transfer: Option<String>,
    /// Which attempt of its conversation this call is, from 1.
    pub attempt: u32,
    /// The attempt before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_call: Option<CallId>,
    pub context: Arc<Context>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent_kind: Option<AgentKind>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent_target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent_invited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent_answered_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent_ended_at: Option<Timestamp>,
    /// Where the operator is, or was, the agent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operator: Option<Box<OperatorPart>>,
    /// Whom of the call somebody at this machine hears now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub listening: Option<ListenSide>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current_task: Option<String>,
    pub transfer_variables: Variables,
    pub reference_variables: Variables,
    /// Return attempts, the fallback's after the first.
    pub returns: Vec<ReturnRecord>,
    pub legs: Vec<LegRecord>,
    pub findings: Vec<Finding>,
    pub timeline: Vec<TimedNote>,
    /// What was heard in the sound: digits, and legs that were put on hold.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub marks: Vec<SoundMark>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recording: Option<Box<RecordingFile>>,
    /// How a test call went, once it is over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test_report: Option<Box<super::TestCallReport>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Ended>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegRecord {
    #[serde(flatten)]
    pub opened: LegOpened,
    /// Between whom it is, the near one first, where that is not between the bridge and whom its role names: a capture
    /// shows also what the bridge has no part in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends: Option<(Party, Party)>,
    pub opened_at: Timestamp,
    pub on_hold: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub media: Option<Box<MediaFigures>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Ended>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnRecord {
    pub method: ReturnMethod,
    pub uri: String,
    pub started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payload: Option<Arc<Payload>>,
    /// The last status that NOTIFY or the return leg told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verdict: Option<ReturnVerdict>,
}

/// A line of the call's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedNote {
    pub at: Timestamp,
    pub text: String,
}

/// Something about a leg's sound at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundMark {
    pub at: Timestamp,
    pub leg: LegId,
    #[serde(flatten)]
    pub kind: SoundMarkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum SoundMarkKind {
    Digit { digit: char },
    Held,
    Resumed,
}

impl CallRecord {
    pub fn new(id: CallId, at: Timestamp) -> Self {
        Self {
            id,
            state: CallState::Arriving,
            started_at: at,
            answered_at: None,
            ended_at: None,
            test_call: false,
            placed_here: None,
            from: String::new(),
            to: String::new(),
            request_uri: String::new(),
            source: String::new(),
            peer: None,
            admission: None,
            call_transfer: None,
            attempt: 1,
            previous_call: None,
            context: Arc::default(),
            agent_kind: None,
            agent_target: None,
            agent_invited_at: None,
            agent_answered_at: None,
            agent_ended_at: None,
            operator: None,
            listening: None,
            outcome: None,
            current_task: None,
            transfer_variables: Variables::new(),
            reference_variables: Variables::new(),
            returns: Vec::new(),
            legs: Vec::with_capacity(2),
            findings: Vec::new(),
            timeline: Vec::with_capacity(8),
            marks: Vec::new(),
            recording: None,
            test_report: None,
            ended: None,
        }
    }

    /// Folds one event in. Events of one call come in order.
    pub fn apply(&mut self, at: Timestamp, event: &CallEvent) {
        let told = |finding: &Finding| self.findings.iter().any(|known| known.says_as(finding));
        let news = !matches!(event, CallEvent::FindingRaised { finding } if told(finding));
        if let Some(text) = note_of(event).filter(|_| news) {
            self.timeline.push(TimedNote { at, text });
        }
        match event {
            CallEvent::CallArrived { from, to, request_uri, source, test_call } => {
                self.from.clone_from(from);
                self.to.clone_from(to);
                self.request_uri.clone_from(request_uri);
                self.source = source.to_string();
                self.test_call = *test_call;
            }
            CallEvent::LegOpened(opened) => {
                self.legs.push(LegRecord { opened: opened.clone(), ends: None, opened_at: at, on_hold: false, media: None, ended: None });
            }
            CallEvent::PlacedHere { test_call } => self.placed_here = Some(*test_call),
            CallEvent::CallAdmitted { peer, by } => {
                self.peer = Some(peer.clone());
                self.admission = Some(by.clone());
            }
            CallEvent::CallTransferClaimed { id, .. } => self.call_transfer = Some(id.clone()),
            CallEvent::ConversationResumed { attempt, previous } => {
                self.attempt = *attempt;
                self.previous_call = Some(*previous);
            }
            CallEvent::ContextRead { context } => self.context = context.clone(),
            CallEvent::AgentInvited { kind, target } => {
                self.agent_kind = Some(*kind);
                self.agent_target = Some(target.clone());
                self.agent_invited_at = Some(at);
                self.state = CallState::Ringing;
                match &mut self.operator {
                    Some(part) => part.enter(at, OperatorPhase::Waiting),
                    None => self.operator = (*kind == AgentKind::Operator).then(|| Box::new(OperatorPart::waiting(at))),
                }
            }
            CallEvent::AgentRinging { .. } => self.state = CallState::Ringing,
            CallEvent::AgentAnswered { .. } => {
                self.agent_answered_at = Some(at);
                self.operator_part(|part| part.enter(at, OperatorPhase::Talking));
                // An agent that was called again has the customer at once.
                if self.answered_at.is_some() {
                    self.state = CallState::WithAgent;
                }
            }
            CallEvent::CallAnswered { .. } => {
                self.answered_at.get_or_insert(at);
                self.state = CallState::WithAgent;
            }
            CallEvent::DtmfReceived { leg, digit } => {
                self.marks.push(SoundMark { at, leg: *leg, kind: SoundMarkKind::Digit { digit: *digit } });
            }
            CallEvent::LegHeld { leg } => {
                self.leg_mut(*leg, |l| l.on_hold = true);
                self.marks.push(SoundMark { at, leg: *leg, kind: SoundMarkKind::Held });
            }
            CallEvent::LegResumed { leg } => {
                self.leg_mut(*leg, |l| l.on_hold = false);
                self.marks.push(SoundMark { at, leg: *leg, kind: SoundMarkKind::Resumed });
            }
            CallEvent::AgentEnded { outcome, current_task, transfer, reference, by: _ } => {
                self.outcome = Some(*outcome);
                self.agent_ended_at = Some(at);
                self.operator_part(|part| part.part_ends(at));
                self.current_task.clone_from(current_task);
                self.transfer_variables.clone_from(transfer);
                self.reference_variables.clone_from(reference);
            }
            CallEvent::OperatorRings { rings_for_secs, goes_back } => self.operator_part(|part| {
                part.rings_for_secs = *rings_for_secs;
                part.goes_back = goes_back.clone();
            }),
            CallEvent::OperatorMissed { .. } => {}
            CallEvent::OperatorHeld { on } => {
                self.operator_part(|part| part.hold(at, *on));
                let kind = if *on { SoundMarkKind::Held } else { SoundMarkKind::Resumed };
                self.marks.push(SoundMark { at, leg: LegId(0), kind });
            }
            CallEvent::VariablesSet { transfer, reference } => {
                self.transfer_variables.clone_from(transfer);
                self.reference_variables.clone_from(reference);
            }
            CallEvent::WrapUpEnded => self.operator_part(|part| part.enter(at, OperatorPhase::Done)),
            CallEvent::ListeningChanged { side } => self.listening = *side,
            CallEvent::RecordingStarted { file } => match &mut self.recording {
                Some(known) => (known.ended_at, known.failed) = (None, None),
                None => {
                    let recording = RecordingFile { file: file.clone(), started_at: at, ended_at: None, failed: None };
                    self.recording = Some(Box::new(recording));
                }
            },
            CallEvent::RecordingEnded { failed } => self.end_recording(at, failed.as_ref()),
            CallEvent::ReturnStarted { method, uri, payload } => {
                self.state = CallState::Returning;
                self.returns.push(ReturnRecord {
                    method: *method,
                    uri: uri.clone(),
                    started_at: at,
                    payload: payload.clone(),
                    last_code: None,
                    settled_at: None,
                    verdict: None,
                });
            }
            CallEvent::ReturnProgressed { code, .. } => self.last_return(|r| r.last_code = Some(*code)),
            CallEvent::ReturnFailed { why } => self.last_return(|r| {
                r.settled_at = Some(at);
                r.verdict = Some(ReturnVerdict::Failed { why: why.clone() });
            }),
            CallEvent::FallbackTaken { to } => {
                if *to == super::ReturnMethodOrAgent::Agent {
                    self.state = CallState::WithAgent;
                }
            }
            CallEvent::ReturnSettled { verdict } => self.last_return(|r| {
                r.settled_at = Some(at);
                r.verdict = Some(verdict.clone());
            }),
            CallEvent::LegEnded { leg, why } => self.leg_mut(*leg, |l| l.ended = Some(why.clone())),
            CallEvent::MediaMeasured { leg, figures } => self.leg_mut(*leg, |l| l.media = Some(figures.clone())),
            CallEvent::FindingRaised { finding } => match self.findings.iter_mut().find(|known| known.says_as(finding)) {
                // Told while the call went on, and now with its messages.
                Some(known) => known.messages.extend(finding.messages.iter().filter(|m| !known.messages.contains(m)).collect::<Vec<_>>()),
                None => self.findings.push(finding.clone()),
            },
            CallEvent::TestCallReported { report } => self.test_report = Some(report.clone()),
            CallEvent::CallEnded { state, why } => {
                self.state = *state;
                self.ended = Some(why.clone());
                self.ended_at = Some(at);
                self.listening = None;
                self.end_recording(at, None);
                self.operator_part(|part| part.part_ends(at));
            }
        }
    }

    fn end_recording(&mut self, at: Timestamp, failed: Option<&String>) {
        if let Some(recording) = self.recording.as_mut().filter(|recording| recording.goes_on()) {
            (recording.ended_at, recording.failed) = (Some(at), failed.cloned());
        }
    }

    /// The last figures of a leg's media.
    pub fn media_of(&self, leg: LegId) -> Option<&MediaFigures> {
        self.legs.iter().find(|l| l.opened.leg == leg)?.media.as_deref()
    }

    /// The worst that anybody hears: the lowest MOS of all legs and directions that is known.
    pub fn mos(&self) -> Option<f32> {
        self.legs.iter().filter_map(|leg| leg.media.as_ref()?.mos()).min_by(f32::total_cmp)
    }

    /// Whose voice is received on a leg, and whose is sent there.
    pub fn voices_of(&self, leg: &LegRecord) -> [LegRole; 2] {
        match leg.opened.role {
            // A test call is seen from its customer.
            LegRole::Customer if self.test_call => [LegRole::Agent, LegRole::Customer],
            LegRole::Customer => [LegRole::Customer, LegRole::Agent],
            LegRole::Agent => [LegRole::Agent, LegRole::Customer],
            LegRole::Return => [LegRole::Return, LegRole::Customer],
        }
    }

    /// Between whom a leg is, the near end first. A test call's record is the customer's side of it.
    pub fn ends_of(&self, leg: Option<LegId>) -> (Party, Party) {
        let leg = leg.and_then(|id| self.legs.iter().find(|l| l.opened.leg == id));
        match (self.test_call, leg.map(|leg| (leg.ends, leg.opened.role, leg.opened.incoming))) {
            (_, Some((Some(ends), _, _))) => ends,
            (false, Some((None, LegRole::Customer, _))) => (Party::Bridge, Party::Customer),
            (false, Some((None, LegRole::Agent, _))) => (Party::Bridge, Party::Agent),
            (false, Some((None, LegRole::Return, _))) => (Party::Bridge, Party::ReturnEndpoint),
            (false, None) => (Party::Bridge, Party::Network),
            // This program is the customer, and calls its own return point or is called there by the bridge.
            (true, Some((None, LegRole::Return, false))) => (Party::Customer, Party::ReturnEndpoint),
            (true, Some((None, LegRole::Return, true))) => (Party::ReturnEndpoint, Party::Bridge),
            (true, _) => (Party::Customer, Party::Bridge),
        }
    }

    fn operator_part(&mut self, change: impl FnOnce(&mut OperatorPart)) {
        if let Some(part) = &mut self.operator {
            change(part);
        }
    }

    fn leg_mut(&mut self, leg: LegId, change: impl FnOnce(&mut LegRecord)) {
        if let Some(found) = self.legs.iter_mut().find(|l| l.opened.leg == leg) {
            change(found);
        }
    }

    fn last_return(&mut self, change: impl FnOnce(&mut ReturnRecord)) {
        if let Some(last) = self.returns.last_mut() {
            change(last);
        }
    }
}

/// The event as one line for the timeline; figures are no news.
fn note_of(event: &CallEvent) -> Option<String> {
    Some(match event {
        CallEvent::CallArrived { from, source, .. } => format!("INVITE from {from} at {source}"),
        CallEvent::LegOpened(opened) if opened.leg == LegId(0) => return None,
        CallEvent::LegOpened(opened) => format!("{:?} leg opened to {}", opened.role, opened.uri),
        CallEvent::PlacedHere { test_call } => format!("Placed by this console as test call {test_call}"),
        CallEvent::CallAdmitted { peer, by } => match by {
            Admission::Network(network) => format!("Admitted as {peer}: address in {network}"),
            Admission::Digest { user, algorithm } => format!("Admitted as {peer}: digest {user} ({algorithm})"),
            Admission::Both { network, user, .. } => format!("Admitted as {peer}: address in {network} and digest {user}"),
            Admission::TestCall => "Placed by this console".to_owned(),
        },
        CallEvent::CallTransferClaimed { id, kind, .. } => match kind {
            TransferKind::Sip => format!("Call transfer {id} is ongoing"),
            TransferKind::PhoneNumber => format!("Call transfer {id} is ongoing, by its number"),
        },
        CallEvent::ConversationResumed { attempt, previous } => format!("Attempt {attempt} of the conversation, after call {previous}"),
        CallEvent::ContextRead { context } => {
            format!("Context read: task {}, {} variables", context.task_name.as_deref().unwrap_or("–"), context.input_variables.len())
        }
        CallEvent::AgentInvited { target, .. } => format!("Agent invited: {target}"),
        CallEvent::AgentRinging { code, early_media: true, .. } => format!("Agent rings with sound of its own ({code})"),
        CallEvent::AgentRinging { code, .. } => format!("Agent rings ({code})"),
        CallEvent::AgentAnswered { .. } => "Agent answered".to_owned(),
        CallEvent::CallAnswered { codec } => format!("Call answered, {codec}"),
        CallEvent::DtmfReceived { digit, .. } => format!("Digit {digit}"),
        CallEvent::LegHeld { leg } => format!("Leg {} on hold", leg.0),
        CallEvent::LegResumed { leg } => format!("Leg {} resumed", leg.0),
        CallEvent::OperatorMissed { why: Missed::Timeout } => "The operator did not answer in time".to_owned(),
        CallEvent::OperatorMissed { why: Missed::Declined } => "The operator declined".to_owned(),
        CallEvent::OperatorMissed { why: Missed::Left } => "The operator's window was closed".to_owned(),
        CallEvent::OperatorHeld { on: true } => "The operator put the customer on hold".to_owned(),
        CallEvent::OperatorHeld { on: false } => "The operator took the customer back".to_owned(),
        CallEvent::WrapUpEnded => "The operator is done with the call".to_owned(),
        CallEvent::OperatorRings { .. } | CallEvent::VariablesSet { .. } | CallEvent::ListeningChanged { .. } => return None,
        CallEvent::RecordingStarted { .. } => "Recording begins".to_owned(),
        CallEvent::RecordingEnded { failed: None } => "Recording ends".to_owned(),
        CallEvent::RecordingEnded { failed: Some(why) } => format!("Recording failed: {why}"),
        CallEvent::AgentEnded { outcome, .. } => format!("Agent ended with {}", outcome.wire()),
        CallEvent::ReturnStarted { method, uri, .. } if uri.is_empty() => format!("Return by {}", method.name()),
        CallEvent::ReturnStarted { method, uri, .. } => format!("Return by {} to {uri}", method.name()),
        CallEvent::ReturnProgressed { code, reason, by_notify: true } => format!("NOTIFY says {code} {reason}"),
        CallEvent::ReturnProgressed { code, reason, .. } => format!("Return endpoint says {code} {reason}"),
        CallEvent::ReturnFailed { why } => format!("Return failed: {}", why.reason),
        CallEvent::FallbackTaken { to } => format!("Fallback: {to:?}"),
        CallEvent::ReturnSettled { verdict } => match verdict {
            ReturnVerdict::Succeeded => "Return succeeded".to_owned(),
            ReturnVerdict::Failed { why } => format!("Return failed: {}", why.reason),
            ReturnVerdict::Unknown { why } => format!("Return's outcome unknown: {why}"),
        },
        CallEvent::LegEnded { leg, why } => format!("Leg {} ended: {}", leg.0, why.reason),
        CallEvent::MediaMeasured { .. } => return None,
        CallEvent::FindingRaised { finding } => format!("Finding: {}", finding.seen),
        CallEvent::TestCallReported { report } if report.ok => "Test call went as asked".to_owned(),
        CallEvent::TestCallReported { .. } => "Test call did not go as asked".to_owned(),
        CallEvent::CallEnded { why, .. } => why.reason.clone(),
    })
}
