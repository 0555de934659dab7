//! What waits, what is talked in, and what would go back, as it stands.

use crate::{
    console::{
        panels::{context, payload as payload_panel},
        text::{self, length},
        theme::{Leg, Tone},
        widgets::KeyValue,
    },
    contract::payload,
    model::{CallId, CallRecord, CallState, OperatorPart, OperatorPhase, Outcome, ReturnMethod, SetVariables, Snapshot, Timestamp},
};

/// The whole place but what is typed.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentPlace {
    /// Whether new calls come to the operator.
    pub is_agent: bool,
    /// The longest waiting first, then talks, then wrap-ups.
    pub rows: Vec<CallRow>,
    pub waiting: usize,
    pub shown: Option<Shown>,
}

/// A call in the list at the left.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRow {
    pub id: CallId,
    pub title: String,
    pub detail: String,
    pub phase: Phase,
    pub word: String,
    pub time: String,
    /// The rest of its waiting time, from 1 to 0.
    pub left: Option<f32>,
    pub chosen: bool,
}

/// What the operator can do with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Waiting,
    Talking,
    OnHold,
    WrapUp,
}

/// The call in the middle.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub id: CallId,
    pub title: String,
    pub phase: Phase,
    pub word: String,
    pub tone: Tone,
    pub time: String,
    /// Waited, talked, held.
    pub times: Vec<KeyValue>,
    pub context: context::data::ContextData,
    /// In wrap-up: what became of the return.
    pub became: Option<(String, Tone)>,
}

/// What goes back, to be seen before it goes.
#[derive(Debug, Clone, PartialEq)]
pub enum HandBack {
    Payload(Box<payload_panel::data::PayloadData>),
    /// It goes back without one, for this reason.
    Without(String),
    Fault(String),
}

pub fn place(snapshot: &Snapshot, is_agent: bool, chosen: Option<CallId>, now: Timestamp) -> AgentPlace {
    let mut calls: Vec<(Phase, &OperatorPart, &CallRecord)> = snapshot
        .calls
        .iter()
        .filter_map(|call| {
            let part = call.operator.as_deref()?;
            Some((phase_of(part)?, part, &**call))
        })
        .collect();
    calls.sort_by_key(|(phase, part, call)| (*phase as u8, part.since, call.id));
    let id = shown_of(&calls, chosen);
    let rings = rings(snapshot);
    let rows = calls.iter().map(|(phase, part, call)| row(*phase, part, call, rings, id == Some(call.id), now)).collect();
    AgentPlace {
        is_agent,
        rows,
        waiting: calls.iter().filter(|(phase, ..)| *phase == Phase::Waiting).count(),
        shown: calls.iter().find(|(.., call)| id == Some(call.id)).map(|(phase, part, call)| shown(*phase, part, call, now)),
    }
}

/// How many calls wait for the operator.
pub fn waiting(snapshot: &Snapshot) -> usize {
    snapshot.calls.iter().filter(|call| phase(call) == Some(Phase::Waiting)).count()
}

/// Whether a call may ring aloud: the operator is done with those before.
pub fn rings(snapshot: &Snapshot) -> bool {
    let phases = || snapshot.calls.iter().filter_map(|call| phase(call));
    phases().any(|phase| phase == Phase::Waiting) && !phases().any(|phase| phase == Phase::WrapUp)
}

/// The call that the place shows: the chosen one, else the one that is talked in, else the next one.
fn shown_of(calls: &[(Phase, &OperatorPart, &CallRecord)], chosen: Option<CallId>) -> Option<CallId> {
    let id =
        |wanted: Option<Phase>| calls.iter().find(|(phase, ..)| wanted.is_none_or(|wanted| *phase == wanted)).map(|(.., call)| call.id);
    let chosen = chosen.filter(|chosen| calls.iter().any(|(.., call)| call.id == *chosen));
    chosen.or_else(|| id(Some(Phase::Talking))).or_else(|| id(Some(Phase::WrapUp))).or_else(|| id(None))
}

pub fn phase(call: &CallRecord) -> Option<Phase> {
    phase_of(call.operator.as_deref()?)
}

fn phase_of(part: &OperatorPart) -> Option<Phase> {
    match part.phase {
        OperatorPhase::Waiting => Some(Phase::Waiting),
        OperatorPhase::Talking if part.held_since.is_some() => Some(Phase::OnHold),
        OperatorPhase::Talking => Some(Phase::Talking),
        OperatorPhase::WrapUp => Some(Phase::WrapUp),
        OperatorPhase::Missed | OperatorPhase::Done => None,
    }
}

fn row(phase: Phase, part: &OperatorPart, call: &CallRecord, rings: bool, chosen: bool, now: Timestamp) -> CallRow {
    let since = now.micros_since(part.held_since.unwrap_or(part.since));
    let word = match phase {
        Phase::Waiting if rings => "Rings",
        Phase::Waiting => "Waits",
        Phase::Talking => "Talking",
        Phase::OnHold => "On hold",
        Phase::WrapUp => "Wrap-up",
    };
    let all = part.rings_for_secs.max(1) as f32 * 1e6;
    CallRow {
        id: call.id,
        title: text::short_uri(&call.from).to_owned(),
        detail: call.context.task_name.clone().unwrap_or_else(|| "no task".to_owned()),
        phase,
        word: word.to_owned(),
        time: length(since),
        left: (phase == Phase::Waiting).then(|| (1.0 - since as f32 / all).clamp(0.0, 1.0)),
        chosen,
    }
}

fn shown(phase: Phase, part: &OperatorPart, call: &CallRecord, now: Timestamp) -> Shown {
    let (word, tone) = match phase {
        Phase::Waiting => (format!("Waits, and goes back as AGENT after {} s", part.rings_for_secs), Tone::Of(Leg::Agent)),
        Phase::Talking => ("Talking".to_owned(), Tone::Good),
        Phase::OnHold => ("On hold".to_owned(), Tone::Warn),
        Phase::WrapUp => ("Wrap-up".to_owned(), Tone::Soft),
    };
    let mut whole = part.clone();
    // What goes on is counted up to now.
    whole.hold(now, false);
    whole.enter(now, OperatorPhase::Done);
    let times = [("Waited", whole.waited_ms), ("Talked", whole.talked_ms), ("On hold", whole.held_ms), ("Wrap-up", whole.wrapped_up_ms)];
    Shown {
        id: call.id,
        title: text::short_uri(&call.from).to_owned(),
        phase,
        word,
        tone,
        time: length(now.micros_since(if phase == Phase::OnHold { part.held_since.unwrap_or(part.since) } else { part.since })),
        times: times.into_iter().filter(|(_, ms)| *ms > 0).map(|(name, ms)| KeyValue::new(name, length(ms * 1_000))).collect(),
        context: context::data::context(call),
        became: (phase == Phase::WrapUp).then(|| became(call)),
    }
}

/// How the return stands, while the operator writes up the call.
fn became(call: &CallRecord) -> (String, Tone) {
    let outcome = call.outcome.map_or("—", Outcome::wire);
    match (call.state, &call.ended) {
        (CallState::Returned, _) => (format!("Handed back as {outcome}"), Tone::Good),
        (CallState::Returning, _) => (format!("On its way back as {outcome}"), Tone::Of(Leg::Return)),
        (_, Some(ended)) => (ended.reason.clone(), if call.outcome.is_some() { Tone::Warn } else { Tone::Soft }),
        (_, None) => (format!("Ended as {outcome}"), Tone::Soft),
    }
}

/// What would go on the wire if the call went back now with these.
pub fn hand_back(call: &CallRecord, outcome: Outcome, set: &SetVariables) -> HandBack {
    let sent = call.returns.iter().rev().find_map(|attempt| attempt.payload.as_ref());
    if let (Some(sent), true) = (sent, call.operator.as_ref().is_some_and(|part| part.phase == OperatorPhase::WrapUp)) {
        return HandBack::Payload(Box::new(payload_panel::data::payload(sent)));
    }
    let Some(goes) = call.operator.as_deref().map(|part| &part.goes_back) else {
        return HandBack::Without("The agent is not the operator".to_owned());
    };
    let Some(uri) = goes.uri.as_deref().filter(|_| goes.with_payload) else {
        return HandBack::Without(
            match goes.method {
                ReturnMethod::Bye => {
                    "It goes back by BYE, which carries no variables. They are in the record and in the API's output context"
                }
                _ => "This call transfer's return carries its URI alone. The variables are fetched through the API",
            }
            .to_owned(),
        );
    };
    let encoded = payload::encode(&payload::Return {
        return_uri: uri,
        ext_conversation_id: call.context.ext_conversation_id.as_deref(),
        outcome,
        transfer: &set.transfer_variables,
        reference: &set.reference_variables,
    });
    match encoded {
        Ok(payload) => HandBack::Payload(Box::new(payload_panel::data::payload(&payload))),
        Err(fault) => HandBack::Fault(text::sentence(&fault.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::console::sample::operator::{self as sample_operator, HELD, TALKING, WAITING, WRAP_UP};

    fn snapshot() -> Snapshot {
        let calls: Vec<_> = sample_operator::calls().into_iter().map(Arc::new).collect();
        Snapshot { at: sample_operator::NOW, calls: calls.into(), ..Snapshot::default() }
    }

    #[test]
    fn the_longest_waiting_stands_first_and_the_talk_is_shown() {
        let place = place(&snapshot(), true, None, sample_operator::NOW);
        let rows: Vec<_> = place.rows.iter().map(|row| format!("{} {} {} {}", row.word, row.title, row.detail, row.time)).collect();
        assert_eq!(
            rows,
            [
                "Waits bea@customer.example billing 0:12",
                "Waits cyd@customer.example no task 0:05",
                "Talking ann@customer.example call_routing 1:05",
                "On hold dan@customer.example call_routing 0:20",
                "Wrap-up eve@customer.example billing 0:41",
            ]
        );
        assert_eq!(place.rows[0].left, Some(0.6));
        let shown = place.shown.expect("a call is talked in");
        assert_eq!((shown.id, shown.word.as_str(), shown.time.as_str()), (TALKING, "Talking", "1:05"));
        assert_eq!(place.waiting, 2);
    }

    #[test]
    fn nothing_rings_during_a_wrap_up_and_what_is_chosen_is_shown() {
        assert!(!rings(&snapshot()));
        let calls: Vec<_> = snapshot().calls.iter().filter(|call| call.id != WRAP_UP).cloned().collect();
        assert!(rings(&Snapshot { calls: calls.into(), ..snapshot() }));
        for (id, word) in [(WAITING, "Waits, and goes back as AGENT after 30 s"), (HELD, "On hold"), (WRAP_UP, "Wrap-up")] {
            let shown = place(&snapshot(), true, Some(id), sample_operator::NOW).shown.expect("it is there");
            assert_eq!((shown.id, shown.word.as_str()), (id, word));
        }
        let gone = place(&snapshot(), true, Some(CallId(9)), sample_operator::NOW).shown.expect("another");
        assert_eq!(gone.id, TALKING);
    }

    #[test]
    fn what_goes_back_is_shown_as_it_will_be_sent() {
        let calls = sample_operator::calls();
        let call = calls.iter().find(|call| call.id == TALKING).expect("it is a sample");
        let set = SetVariables {
            transfer_variables: [("b".to_owned(), "x y".to_owned()), ("a".to_owned(), "1".to_owned())].into_iter().collect(),
            ..SetVariables::default()
        };
        let HandBack::Payload(shown) = hand_back(call, Outcome::System, &set) else { panic!("it goes by REFER") };
        let raw: String = shown.raw.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(raw, "<sip:transfer@your-company.com?X-GA-extConId=conv-9&X-GA-transfer=SYSTEM&X-GA-tv-b=x%20y&X-GA-tv-a=1>");
        let mut by_bye = call.clone();
        by_bye.operator.as_mut().expect("it has one").goes_back = crate::model::GoesBack::default();
        assert!(matches!(hand_back(&by_bye, Outcome::System, &set), HandBack::Without(why) if why.contains("BYE")));
    }
}
