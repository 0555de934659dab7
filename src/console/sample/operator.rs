//! Sample calls in each phase of an operator's work.

use std::sync::Arc;

use super::NOON;
use crate::model::{AgentKind, CallEvent, CallId, CallRecord, Context, GoesBack, Outcome, Party, ReturnMethod, Timestamp, Variables};

pub const NOW: Timestamp = Timestamp(NOON + 62_500_000);
pub const WAITING: CallId = CallId(30_001);
pub const TALKING: CallId = CallId(30_003);
pub const HELD: CallId = CallId(30_004);
pub const WRAP_UP: CallId = CallId(30_005);

/// Two wait, one is talked in, one is on hold, one is written up.
pub fn calls() -> Vec<CallRecord> {
    let mut waiting = arrived(WAITING, "bea", Some("billing"), 12);
    waiting.context = context(Some("billing"), "conv-10", &[("accountNumber", "3434"), ("customerName", "Bea Roe"), ("priority", "high")]);
    let second = arrived(CallId(30_002), "cyd", None, 5);
    let mut talking = arrived(TALKING, "ann", Some("call_routing"), 69);
    talking.context = context(Some("call_routing"), "conv-9", &[("accountNumber", "7001"), ("customerName", "Ann Lee")]);
    answered(&mut talking, 65);
    let set = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Variables>();
    let variables = CallEvent::VariablesSet {
        transfer: set(&[("next_action", "schedule_callback"), ("summary", "Caller disputes the fee of 12 March")]),
        reference: set(&[("account_balance", "1250.00")]),
    };
    talking.apply(ago(20), &variables);
    let mut held = arrived(HELD, "dan", Some("call_routing"), 200);
    answered(&mut held, 190);
    held.apply(ago(20), &CallEvent::OperatorHeld { on: true });
    let mut written_up = arrived(WRAP_UP, "eve", Some("billing"), 120);
    answered(&mut written_up, 111);
    let ended = CallEvent::AgentEnded {
        outcome: Outcome::System,
        current_task: Some("billing".to_owned()),
        transfer: set(&[("next_action", "none")]),
        reference: Variables::new(),
        by: Party::Operator,
    };
    written_up.apply(ago(41), &ended);
    vec![waiting, second, talking, held, written_up]
}

fn ago(secs: u64) -> Timestamp {
    Timestamp(NOW.0 - secs * 1_000_000)
}

fn context(task: Option<&str>, conversation: &str, variables: &[(&str, &str)]) -> Arc<Context> {
    Arc::new(Context {
        task_name: task.map(str::to_owned),
        ext_conversation_id: Some(conversation.to_owned()),
        customer_id: Some("cust-67890".to_owned()),
        call_transfer_id: None,
        input_variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    })
}

fn arrived(id: CallId, name: &str, task: Option<&str>, secs_ago: u64) -> CallRecord {
    let mut call = CallRecord::new(id, ago(secs_ago));
    call.from = format!("<sip:{name}@customer.example>");
    call.to = "<sip:agent@10.9.0.5>".to_owned();
    call.request_uri = "sip:agent@10.9.0.5:5060".to_owned();
    call.source = "10.4.2.11:5060".to_owned();
    call.peer = Some("SBC lab".to_owned());
    call.context = context(task, &format!("conv-{name}"), &[]);
    call.apply(ago(secs_ago), &CallEvent::AgentInvited { kind: AgentKind::Operator, target: "operator".to_owned() });
    let goes_back = GoesBack { method: ReturnMethod::Refer, uri: Some("sip:transfer@your-company.com".to_owned()), with_payload: true };
    call.apply(ago(secs_ago), &CallEvent::OperatorRings { rings_for_secs: 30, goes_back });
    call
}

fn answered(call: &mut CallRecord, secs_ago: u64) {
    call.apply(ago(secs_ago), &CallEvent::AgentAnswered { leg: None });
    call.apply(ago(secs_ago), &CallEvent::CallAnswered { codec: "PCMU".to_owned() });
}
