//! The messages of a call as JSON: what `GET /v1/calls/{id}/messages` answers.

use serde_json::{Value, json};

use super::{lines::Lines, redact};
use crate::model::{CallRecord, CapturedMessage, LegRole};

/// Every message in order. Times are microseconds, `at` since the epoch and `after_us` since the call began.
pub fn messages(record: &CallRecord, messages: &[CapturedMessage], raw: bool) -> Value {
    let list = messages.iter().enumerate().map(|(index, m)| {
        let role = m.leg.and_then(|id| record.legs.iter().find(|l| l.opened.leg == id)).map(|l| role_name(l.opened.role));
        let bytes = if raw { m.bytes.as_ref().into() } else { redact::message(&m.bytes) };
        json!({
            "index": index,
            "number": m.number,
            "at": m.at,
            "after_us": m.at.micros_since(record.started_at),
            "direction": m.direction,
            "leg": m.leg,
            "role": role,
            "transport": m.transport,
            "local": m.local,
            "remote": m.remote,
            "start_line": Lines::of(&m.bytes).start_line(),
            "bytes": m.bytes.len(),
            "retransmission": m.retransmission,
            "raw": String::from_utf8_lossy(&bytes),
        })
    });
    Value::Array(list.collect())
}

fn role_name(role: LegRole) -> &'static str {
    match role {
        LegRole::Customer => "customer",
        LegRole::Agent => "agent",
        LegRole::Return => "return",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::ladder::sample;

    #[test]
    fn messages_say_when_whose_and_what_and_keep_secrets() {
        let (record, list) = sample::transfer();
        let value = messages(&record, &list, false);
        assert_eq!(value[0]["start_line"], "INVITE sip:bridge@127.0.0.1 SIP/2.0");
        assert_eq!(value[0]["direction"], "in");
        assert_eq!(value[0]["role"], "customer");
        assert_eq!(value[0]["transport"], "udp");
        assert_eq!(value[1]["after_us"], 412);
        assert!(value[0]["raw"].as_str().is_some_and(|r| r.contains("Authorization: (blanked)") && !r.contains("response=")));
        assert!(messages(&record, &list, true)[0]["raw"].as_str().is_some_and(|r| r.contains("response=")));
    }
}
