//! What a return will be: its method, its target and its payload (contract §3), before anything is sent.

use crate::{
    contract::payload::{self, PayloadError},
    model::{Finding, Outcome, Party, Payload, ReturnMethod, ReturnMethodOrAgent, ReturnRequest, Severity, Variables, settings::Return},
};

/// How the agent's part ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentPart {
    pub outcome: Outcome,
    /// `None`: the call's task.
    pub current_task: Option<String>,
    /// tv, in the order in which the agent set them.
    pub transfer: Variables,
    /// rv
    pub reference: Variables,
    pub by: Party,
}

/// What to return, and where that differs from the peer's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnOrder {
    pub part: AgentPart,
    pub method: Option<ReturnMethod>,
    pub uri: Option<String>,
}

/// A return as it will be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    Bye,
    Refer { uri: String, payload: Payload },
    Invite { uri: String, payload: Payload, headers: Vec<(String, String)> },
}

impl AgentPart {
    /// The agent could not help: it was busy, absent, slow or lost.
    pub fn unable(by: Party) -> Self {
        Self { outcome: Outcome::Agent, current_task: None, transfer: Variables::new(), reference: Variables::new(), by }
    }
}

impl From<AgentPart> for ReturnOrder {
    fn from(part: AgentPart) -> Self {
        Self { part, method: None, uri: None }
    }
}

impl ReturnOrder {
    /// As an operator or a script asks for it through the control API.
    pub fn of_operator(request: ReturnRequest) -> Result<Self, String> {
        let ReturnRequest { outcome, transfer_variables: transfer, reference_variables: reference, method, uri } = request;
        for (name, value) in transfer.iter().chain(&reference) {
            payload::check_variable_name(name).map_err(|e| e.to_string())?;
            payload::check_variable_value(name, value).map_err(|e| e.to_string())?;
        }
        if let Some(uri) = &uri {
            payload::check_uri(uri).map_err(|e| e.to_string())?;
        }
        let part = AgentPart { outcome, current_task: None, transfer, reference, by: Party::Operator };
        Ok(Self { part, method, uri })
    }
}

impl Plan {
    /// The method that was asked for, or BYE where it can't be, with the finding that says why.
    pub fn make(order: &ReturnOrder, settings: &Return, method: ReturnMethod, conversation: Option<&str>) -> (Self, Option<Finding>) {
        if method == ReturnMethod::Bye {
            return (Self::Bye, None);
        }
        let Some(return_uri) = order.uri.as_deref().or(settings.uri.as_deref()) else {
            let seen = format!("Return by {} without a return URI", method.name());
            return (Self::Bye, Some(cannot(seen)));
        };
        let what = payload::Return {
            return_uri,
            ext_conversation_id: conversation,
            outcome: order.part.outcome,
            transfer: &order.part.transfer,
            reference: &order.part.reference,
        };
        let made = payload::encode(&what).and_then(|payload| match method {
            ReturnMethod::Invite => {
                let headers = payload::headers(&payload).map_err(PayloadError::Value)?;
                Ok(Self::Invite { uri: return_uri.to_owned(), payload, headers })
            }
            ReturnMethod::Refer | ReturnMethod::Bye => Ok(Self::Refer { uri: return_uri.to_owned(), payload }),
        });
        match made {
            Ok(plan) => (plan, None),
            Err(fault) => (Self::Bye, Some(cannot(format!("Return by {} to {return_uri}: {fault}", method.name())))),
        }
    }

    pub fn method(&self) -> ReturnMethod {
        match self {
            Self::Bye => ReturnMethod::Bye,
            Self::Refer { .. } => ReturnMethod::Refer,
            Self::Invite { .. } => ReturnMethod::Invite,
        }
    }

    pub fn uri(&self) -> &str {
        match self {
            Self::Bye => "",
            Self::Refer { uri, .. } | Self::Invite { uri, .. } => uri,
        }
    }

    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Bye => None,
            Self::Refer { payload, .. } | Self::Invite { payload, .. } => Some(payload),
        }
    }
}

/// What follows a return that failed: the peer's wish, as long as it is not what has just failed, and BYE after
/// [`MAX_RETURNS`] attempts, so that a call can't go in circles.
pub fn fallback(settings: &Return, failed: ReturnMethod, tried: u8) -> ReturnMethodOrAgent {
    match settings.fallback {
        _ if tried >= MAX_RETURNS => ReturnMethodOrAgent::Bye,
        ReturnMethodOrAgent::Invite if failed == ReturnMethod::Invite => ReturnMethodOrAgent::Bye,
        wish => wish,
    }
}

fn cannot(seen: String) -> Finding {
    Finding::new(
        "return-not-possible",
        Severity::Error,
        Party::Operator,
        seen,
        "Without a usable return URI the call can only go back by BYE (contract §3)",
        "Set a sip: return URI for this peer, or choose BYE as its return method",
    )
}

/// Attempts to return one call, all methods together.
pub const MAX_RETURNS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(uri: Option<&str>, fallback: ReturnMethodOrAgent) -> Return {
        Return { method: ReturnMethod::Refer, uri: uri.map(Into::into), fallback, notify_timeout_secs: 30, auth: None, hosts: Vec::new() }
    }

    fn order() -> ReturnOrder {
        AgentPart { transfer: [("next".to_owned(), "a b".to_owned())].into_iter().collect(), ..AgentPart::unable(Party::Agent) }.into()
    }

    #[test]
    fn a_return_without_a_uri_goes_by_bye_with_a_finding() {
        let (plan, finding) = Plan::make(&order(), &settings(None, ReturnMethodOrAgent::Bye), ReturnMethod::Refer, None);
        assert_eq!(plan, Plan::Bye);
        assert_eq!(finding.unwrap().rule, "return-not-possible");
    }

    #[test]
    fn refer_carries_the_payload_and_invite_carries_it_as_headers() {
        let settings = settings(Some("sip:r@h"), ReturnMethodOrAgent::Bye);
        let (plan, finding) = Plan::make(&order(), &settings, ReturnMethod::Refer, Some("c1"));
        assert_eq!(finding, None);
        assert_eq!(plan.payload().unwrap().refer_to, "<sip:r@h?X-GA-extConId=c1&X-GA-transfer=AGENT&X-GA-tv-next=a%20b>");
        let (plan, _) = Plan::make(&order(), &settings, ReturnMethod::Invite, None);
        let Plan::Invite { headers, .. } = plan else { panic!() };
        assert_eq!(headers, [("X-GA-transfer".into(), "AGENT".into()), ("X-GA-tv-next".to_owned(), "a b".to_owned())]);
    }

    #[test]
    fn a_fallback_never_repeats_what_failed_and_ends_in_bye() {
        use ReturnMethodOrAgent::{Agent, Bye, Invite};
        assert_eq!(fallback(&settings(None, Invite), ReturnMethod::Refer, 1), Invite);
        assert_eq!(fallback(&settings(None, Invite), ReturnMethod::Invite, 2), Bye);
        assert_eq!(fallback(&settings(None, Agent), ReturnMethod::Refer, 1), Agent);
        assert_eq!(fallback(&settings(None, Agent), ReturnMethod::Refer, MAX_RETURNS), Bye);
    }

    #[test]
    fn an_operator_cannot_set_what_cannot_be_sent() {
        let request = |name: &str, value: &str, uri: Option<&str>| ReturnRequest {
            outcome: Outcome::System,
            transfer_variables: [(name.to_owned(), value.to_owned())].into_iter().collect(),
            reference_variables: Variables::new(),
            method: None,
            uri: uri.map(Into::into),
        };
        assert!(ReturnOrder::of_operator(request("a b", "1", None)).is_err());
        assert!(ReturnOrder::of_operator(request("a", "1\r\nVia: x", None)).is_err());
        assert!(ReturnOrder::of_operator(request("a", "1", Some("http://h"))).is_err());
        assert!(ReturnOrder::of_operator(request("a", "1", Some("sip:r@h"))).is_ok());
    }
}
