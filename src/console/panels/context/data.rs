//! The context of the chosen call, header by header, and how it came in.

use crate::{
    console::{text, theme::Tone, widgets::KeyValue},
    model::{Admission, CallRecord},
};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContextData {
    /// Contract §2, in its words.
    pub context: Vec<KeyValue>,
    pub variables: Vec<KeyValue>,
    pub call: Vec<KeyValue>,
}

pub fn context(call: &CallRecord) -> ContextData {
    let context = &call.context;
    let given = [
        ("X-GA-taskName", &context.task_name),
        ("X-GA-extConversationId", &context.ext_conversation_id),
        ("X-GA-customerId", &context.customer_id),
        ("X-ASAPP-CallTransferId", &context.call_transfer_id),
    ];
    let mut about = vec![
        KeyValue::wire("From", &call.from),
        KeyValue::wire("To", &call.to),
        KeyValue::wire("Request-URI", &call.request_uri),
        KeyValue::wire("Source", &call.source),
    ];
    about.extend(call.peer.as_ref().map(|peer| KeyValue::new("Peer", peer)));
    about.extend(call.admission.as_ref().map(|admission| KeyValue::new("Admitted by", admission_words(admission))));
    about.push(KeyValue::new("Started", text::exact_utc(call.started_at)));
    about.extend(call.answered_at.map(|at| KeyValue::new("Answered", text::exact_utc(at))));
    about.extend(call.ended_at.map(|at| KeyValue::new("Ended", text::exact_utc(at))));
    about.extend(call.ended.as_ref().map(|ended| {
        let code = ended.code.map(|code| format!(" ({code})")).unwrap_or_default();
        KeyValue::new("Why", format!("{}{code}, by the {}", ended.reason, ended.by.name()))
    }));
    ContextData {
        context: given.into_iter().filter_map(|(name, value)| value.as_ref().map(|v| KeyValue::wire(name, v).tone(Tone::Accent))).collect(),
        variables: context.input_variables.iter().map(|(name, value)| KeyValue::wire(name, value)).collect(),
        call: about,
    }
}

fn admission_words(admission: &Admission) -> String {
    match admission {
        Admission::Network(network) => format!("address in {network}"),
        Admission::Digest { user, algorithm } => format!("digest user {user}, {algorithm}"),
        Admission::Both { network, user, algorithm } => format!("address in {network} and digest user {user}, {algorithm}"),
        Admission::TestCall => "this console, which placed it".to_owned(),
    }
}
