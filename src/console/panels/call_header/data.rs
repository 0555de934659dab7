//! The chosen call in one line.

use crate::{
    console::{panels::calls::data as calls, text, theme::Tone},
    model::{CallId, CallRecord, CallState, ListenSide, ReturnMethod, ReturnVerdict},
};

#[derive(Debug, Clone, PartialEq)]
pub struct CallHeader {
    pub id: CallId,
    pub title: String,
    pub state: String,
    pub tone: Tone,
    pub sip_call_id: String,
    /// The same call seen by the bridge and by the customer, where both are in this program.
    pub sides: Option<(CallId, CallId)>,
    /// Why *Return now…* cannot be pressed.
    pub no_return: Option<&'static str>,
    /// Whom of it somebody here hears.
    pub listening: Option<ListenSide>,
    /// Why *Listen* cannot be pressed.
    pub no_listen: Option<&'static str>,
    /// Its sound goes into a file.
    pub recorded: bool,
    /// Why *Hang up* cannot be pressed.
    pub no_hang_up: Option<&'static str>,
    /// Out of a file: nothing can be done with it but export it.
    pub from_file: bool,
    /// How many calls an export takes.
    pub exported: usize,
}

pub fn call_header(call: &CallRecord, sides: Option<(CallId, CallId)>) -> CallHeader {
    let (state, tone) = calls::state_of(call);
    let title = call.context.ext_conversation_id.clone().unwrap_or_else(|| text::short_uri(&call.from).to_owned());
    let over = call.state.is_final().then_some("This call is over");
    let no_return = over.or(match call.state {
        CallState::WithAgent => None,
        CallState::Returning => Some("It is on its way back already"),
        _ => Some("The agent has not answered yet"),
    });
    CallHeader {
        id: call.id,
        title,
        state: format!("{state}{}", more(call)),
        tone,
        sip_call_id: calls::customer_call_id(call).unwrap_or_default().to_owned(),
        no_return: if call.test_call { Some("This is the customer's side: the bridge hands calls back") } else { no_return },
        sides,
        listening: call.listening,
        no_listen: match call.state {
            _ if over.is_some() => over,
            _ if call.test_call => Some("This is the customer's side: listen on the bridge's"),
            CallState::Arriving => Some("There is no sound yet"),
            _ => None,
        },
        recorded: call.recording.as_ref().is_some_and(|recording| recording.goes_on()),
        no_hang_up: over,
        from_file: false,
        exported: 1,
    }
}

/// How it goes back, or why it ended.
fn more(call: &CallRecord) -> String {
    let last = call.returns.last();
    let unknown = last.and_then(|r| r.verdict.as_ref()).and_then(|v| match v {
        ReturnVerdict::Unknown { why } => Some(format!(" · return's outcome unknown: {why}")),
        ReturnVerdict::Failed { why } => Some(format!(" · return failed: {}", why.reason)),
        ReturnVerdict::Succeeded => None,
    });
    match (call.state, last) {
        (CallState::Returning | CallState::Returned, Some(last)) if last.method != ReturnMethod::Bye => {
            unknown.unwrap_or_else(|| format!(" · {} → {}", last.method.name(), text::short_uri(&last.uri)))
        }
        (CallState::Returning | CallState::Returned, Some(last)) => unknown.unwrap_or_else(|| format!(" · {}", last.method.name())),
        _ => unknown.or_else(|| call.ended.as_ref().map(|e| format!(" · {}", e.reason))).unwrap_or_default(),
    }
}
