//! The agent on a SIP leg: what its INVITE brings, and what its BYE or REFER says.

use crate::{
    contract::{context, payload},
    model::{Context, Finding, Party},
    sip::message::{Fields, HeaderName, Request},
};

use super::handback::AgentPart;

/// The context as the headers that it came in, then what the network said of the caller.
pub(super) fn headers(context: &Context, invite: &Request) -> Vec<(String, String)> {
    let mut headers = Vec::with_capacity(4 + context.input_variables.len());
    let named = [
        (context::TASK_NAME, &context.task_name),
        (context::EXT_CONVERSATION_ID, &context.ext_conversation_id),
        (context::CUSTOMER_ID, &context.customer_id),
        (context::CALL_TRANSFER_ID, &context.call_transfer_id),
    ];
    headers.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
    for (name, value) in &context.input_variables {
        headers.push((context::header_name(name), value.clone()));
    }
    // The sender was admitted, so its assertions are trusted (RFC 3325 §5); diversions are shown to the next one (RFC 7044).
    for name in [HeaderName::PAssertedIdentity, HeaderName::Diversion, HeaderName::HistoryInfo] {
        headers.extend(invite.texts(name).map(|value| (name.canonical().to_owned(), value.into_owned())));
    }
    // A header can't say a control character; the rest of the call need not suffer for it.
    headers.retain(|(_, value)| !value.chars().any(char::is_control));
    headers
}

/// What the agent handed over with its BYE or REFER; without headers, `AGENT` with no variables.
pub(super) fn part(message: &Fields) -> (AgentPart, Vec<Finding>) {
    let headers: Vec<(&str, std::borrow::Cow<'_, str>)> = message.iter().map(|(name, _, value)| (name, value)).collect();
    let end = payload::from_agent_headers(headers.iter().map(|(name, value)| (*name, value.as_ref())));
    let part = AgentPart {
        outcome: end.outcome,
        current_task: end.current_task,
        transfer: end.transfer,
        reference: end.reference,
        by: Party::Agent,
    };
    (part, end.findings)
}

/// The customer's address as the From of our own INVITE: without its tag, which is its dialog's.
pub(super) fn caller_of(invite: &Request) -> String {
    match invite.from() {
        Ok(from) => match &from.display {
            Some(display) => {
                let display: String = display
                    .as_str()
                    .chars()
                    .filter(|c| !c.is_control())
                    .flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c]))
                    .collect();
                format!("\"{display}\" <{}>", from.uri)
            }
            None => format!("<{}>", from.uri),
        },
        Err(_) => "<sip:anonymous@anonymous.invalid>".to_owned(),
    }
}

/// The digit of an INFO (`application/dtmf-relay`, `application/dtmf`), as SBCs without RFC 4733 send it.
pub(super) fn digit_of_info(info: &Request) -> Option<char> {
    let body = std::str::from_utf8(info.body()).ok()?;
    let digit = match info.content_type()?.as_str() {
        "application/dtmf-relay" => body.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().to_owned())
        })?,
        "application/dtmf" => body.trim().to_owned(),
        _ => return None,
    };
    match digit.as_str() {
        "10" => Some('*'),
        "11" => Some('#'),
        one => one.chars().next().filter(|c| one.len() == 1 && (c.is_ascii_digit() || "*#ABCDabcd".contains(*c))),
    }
}
