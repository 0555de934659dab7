//! What a return will be: its method, its target and its payload (contract §3), before anything is sent.

use std::sync::Arc;

use crate::{
    contract::payload::{self, PayloadError},
    model::{
        Claimed, Finding, GoesBack, Outcome, Party, Payload, ReturnMethod, ReturnMethodOrAgent, ReturnRequest, Severity, TransferKind,
        Variables,
        settings::{Return, User},
    },
    sip::message::{Host, Uri},
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

/// Where a call goes back by default and with what: by the words of its call transfer, else by its peer's settings
/// (contract §3). Fallback and waiting times are the peer's in either case.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub peer: &'a Return,
    pub transfer: Option<&'a Claimed>,
    /// A call transfer's return carries the payload, too.
    pub payload_in_return: bool,
}

/// A return as it will be tried. Without a payload where the customer fetches the context through the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    Bye,
    Refer { uri: String, refer_to: String, payload: Option<Arc<Payload>> },
    Invite { uri: String, payload: Option<Arc<Payload>>, headers: Vec<(String, String)> },
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

impl<'a> Terms<'a> {
    pub fn method(&self, order: &ReturnOrder) -> ReturnMethod {
        match self.transfer {
            // Contract §3: the only method for these.
            Some(transfer) if transfer.kind == TransferKind::PhoneNumber => ReturnMethod::Bye,
            _ => order.method.unwrap_or(self.default_method()),
        }
    }

    fn default_method(&self) -> ReturnMethod {
        match self.transfer {
            Some(transfer) if transfer.kind == TransferKind::PhoneNumber => ReturnMethod::Bye,
            Some(transfer) => transfer.returns.method,
            None => self.peer.method,
        }
    }

    pub fn uri(&self) -> Option<&'a str> {
        match self.transfer {
            Some(transfer) => transfer.returns.uri.as_deref(),
            None => self.peer.uri.as_deref(),
        }
    }

    /// What happens where nothing else is ordered.
    pub fn goes_back(&self) -> GoesBack {
        // As in `Plan::make`: without a target it is BYE.
        let uri = self.uri().filter(|uri| self.transfer.is_none() || self.may_go_to(uri)).map(str::to_owned);
        let method = if uri.is_none() { ReturnMethod::Bye } else { self.default_method() };
        GoesBack { method, with_payload: method != ReturnMethod::Bye && self.carries_payload(), uri }
    }

    /// Answers a challenge of the return leg to `target`: only where the credentials' own URI goes.
    pub fn credentials_for(&self, target: &str) -> Option<&'a User> {
        let auth = match self.transfer {
            Some(transfer) => transfer.returns.auth.as_ref(),
            None => self.peer.auth.as_ref(),
        };
        let (own, target) = (hosts_of(self.uri()?), hosts_of(target));
        auth.filter(|_| !own.is_empty() && own.len() == target.len() && own.iter().zip(&target).all(|(a, b)| a.matches(b)))
    }

    fn carries_payload(&self) -> bool {
        self.transfer.is_none() || self.payload_in_return
    }

    /// Whether a call transfer's own URI goes where the peer's settings let it go.
    ///
    /// The API's create can't say so: which peer, and so which list, is known only once the call comes.
    fn may_go_to(&self, uri: &str) -> bool {
        let listed = |host: &Host| {
            let mut hosts = self.peer.hosts.iter();
            let own = self.peer.uri.as_deref().map(hosts_of).unwrap_or_default();
            hosts.any(|text| text == "*" || host_of_setting(text).is_some_and(|allowed| allowed.matches(host)))
                || own.iter().any(|own| own.matches(host))
        };
        let hosts = hosts_of(uri);
        !hosts.is_empty() && hosts.iter().all(listed)
    }
}

/// The host that a URI names, and the one that it wants its request sent to instead (`maddr`, RFC 3261 §19.1.1).
fn hosts_of(uri: &str) -> Vec<Host> {
    let Ok(uri) = Uri::parse(uri) else { return Vec::new() };
    uri.host().cloned().into_iter().chain(uri.param("maddr").and_then(Host::parse)).collect()
}

fn host_of_setting(text: &str) -> Option<Host> {
    text.parse().map(Host::Ip).ok().or_else(|| Host::parse(text))
}

impl Plan {
    /// The method that was asked for, or BYE where it can't be, with the finding that says why.
    pub fn make(order: &ReturnOrder, terms: &Terms<'_>, method: ReturnMethod, conversation: Option<&str>) -> (Self, Option<Finding>) {
        if method == ReturnMethod::Bye {
            return (Self::Bye, None);
        }
        let Some(uri) = order.uri.as_deref().or(terms.uri()) else {
            let seen = format!("Return by {} without a return URI", method.name());
            return (Self::Bye, Some(cannot(seen)));
        };
        // The operator knows where; the API's caller may go where the settings say.
        if terms.transfer.is_some() && order.uri.is_none() && !terms.may_go_to(uri) {
            return (Self::Bye, Some(not_allowed(uri)));
        }
        let made = if terms.carries_payload() {
            Self::with_payload(order, uri, method, conversation)
        } else {
            // Contract §3: exactly as provided.
            payload::check_uri(uri).map_err(PayloadError::ReturnUri).map(|()| match method {
                ReturnMethod::Invite => Self::Invite { uri: uri.to_owned(), payload: None, headers: Vec::new() },
                ReturnMethod::Refer | ReturnMethod::Bye => Self::Refer { uri: uri.to_owned(), refer_to: format!("<{uri}>"), payload: None },
            })
        };
        match made {
            Ok(plan) => (plan, None),
            Err(fault) => (Self::Bye, Some(cannot(format!("Return by {} to {uri}: {fault}", method.name())))),
        }
    }

    fn with_payload(order: &ReturnOrder, uri: &str, method: ReturnMethod, conversation: Option<&str>) -> Result<Self, PayloadError> {
        let part = &order.part;
        let payload = payload::encode(&payload::Return {
            return_uri: uri,
            ext_conversation_id: conversation,
            outcome: part.outcome,
            transfer: &part.transfer,
            reference: &part.reference,
        })?;
        let uri = uri.to_owned();
        Ok(match method {
            ReturnMethod::Invite => Self::Invite { uri, headers: payload::headers(&payload)?, payload: Some(Arc::new(payload)) },
            ReturnMethod::Refer | ReturnMethod::Bye => {
                Self::Refer { uri, refer_to: payload.refer_to.clone(), payload: Some(Arc::new(payload)) }
            }
        })
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

    pub fn payload(&self) -> Option<&Arc<Payload>> {
        match self {
            Self::Bye => None,
            Self::Refer { payload, .. } | Self::Invite { payload, .. } => payload.as_ref(),
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

fn not_allowed(uri: &str) -> Finding {
    Finding::new(
        "return-host-not-allowed",
        Severity::Error,
        Party::Operator,
        format!("The call transfer's return URI {uri} goes to a host that the peer's settings do not list"),
        "Who may create call transfers could else have calls sent anywhere; so a return URI of the API goes only to a host of the peer's own \
         settings, and this call goes back by BYE",
        "Add the host to the peer's return.hosts (\"*\" is any host), or correct the return URI",
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

    fn of_peer(peer: &Return) -> Terms<'_> {
        Terms { peer, transfer: None, payload_in_return: false }
    }

    fn order() -> ReturnOrder {
        AgentPart { transfer: [("next".to_owned(), "a b".to_owned())].into_iter().collect(), ..AgentPart::unable(Party::Agent) }.into()
    }

    #[test]
    fn a_return_without_a_uri_goes_by_bye_with_a_finding() {
        let (plan, finding) = Plan::make(&order(), &of_peer(&settings(None, ReturnMethodOrAgent::Bye)), ReturnMethod::Refer, None);
        assert_eq!(plan, Plan::Bye);
        assert_eq!(finding.unwrap().rule, "return-not-possible");
    }

    #[test]
    fn refer_carries_the_payload_and_invite_carries_it_as_headers() {
        let settings = settings(Some("sip:r@h"), ReturnMethodOrAgent::Bye);
        let (plan, finding) = Plan::make(&order(), &of_peer(&settings), ReturnMethod::Refer, Some("c1"));
        assert_eq!(finding, None);
        assert_eq!(plan.payload().unwrap().refer_to, "<sip:r@h?X-GA-extConId=c1&X-GA-transfer=AGENT&X-GA-tv-next=a%20b>");
        let (plan, _) = Plan::make(&order(), &of_peer(&settings), ReturnMethod::Invite, None);
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

    fn claimed(kind: TransferKind, method: ReturnMethod, uri: Option<&str>) -> Claimed {
        let auth = Some(User { username: "api".into(), secret: crate::model::settings::Secret::new("pw") });
        Claimed {
            id: "t-1".into(),
            external_conversation_id: "c-1".into(),
            kind,
            input_context: crate::model::InputContext::default(),
            returns: crate::model::SipReturn { method, uri: uri.map(Into::into), auth },
        }
    }

    #[test]
    fn a_call_transfers_own_uri_goes_back_exactly_as_provided() {
        let peer = settings(Some("sip:r@customer.example"), ReturnMethodOrAgent::Bye);
        let uri = "sip:Desk@CUSTOMER.example:5080;x=1?Subject=a%20b";
        let claimed = claimed(TransferKind::Sip, ReturnMethod::Refer, Some(uri));
        let terms = Terms { peer: &peer, transfer: Some(&claimed), payload_in_return: false };
        assert_eq!(terms.method(&order()), ReturnMethod::Refer);
        let (plan, finding) = Plan::make(&order(), &terms, ReturnMethod::Refer, Some("c-1"));
        assert_eq!((plan, finding), (Plan::Refer { uri: uri.into(), refer_to: format!("<{uri}>"), payload: None }, None));
        let (plan, _) = Plan::make(&order(), &terms, ReturnMethod::Invite, Some("c-1"));
        assert_eq!(plan, Plan::Invite { uri: uri.into(), payload: None, headers: Vec::new() });

        let (plan, _) = Plan::make(&order(), &Terms { payload_in_return: true, ..terms }, ReturnMethod::Refer, Some("c-1"));
        assert!(plan.payload().unwrap().refer_to.starts_with(&format!("<{uri}&X-GA-extConId=c-1")));
    }

    #[test]
    fn a_call_transfers_uri_goes_only_to_hosts_of_the_peers_settings() {
        let go = |hosts: &[&str], own: Option<&str>, uri: &str| {
            let peer = Return { hosts: hosts.iter().map(|h| (*h).to_owned()).collect(), ..settings(own, ReturnMethodOrAgent::Bye) };
            let claimed = claimed(TransferKind::Sip, ReturnMethod::Refer, Some(uri));
            let terms = Terms { peer: &peer, transfer: Some(&claimed), payload_in_return: false };
            let (plan, finding) = Plan::make(&order(), &terms, ReturnMethod::Refer, None);
            assert_eq!(
                plan == Plan::Bye,
                finding.as_ref().is_some_and(|f| f.rule == "return-host-not-allowed" && f.cure.contains("return.hosts"))
            );
            plan != Plan::Bye
        };
        assert!(!go(&[], None, "sip:r@h"), "neither list nor URI: no host");
        assert!(go(&[], Some("sip:other@h:5080"), "sip:r@H"));
        assert!(!go(&[], Some("sip:other@h"), "sip:r@h.evil"));
        assert!(go(&["a.example", "192.0.2.7", "2001:db8::7"], None, "sip:r@A.Example."));
        assert!(go(&["192.0.2.7"], None, "sip:r@192.0.2.7:5080"));
        assert!(go(&["2001:db8::7"], None, "sip:r@[2001:DB8:0::7]"));
        assert!(!go(&["h"], None, "sip:r@h;maddr=192.0.2.9"), "its request would go there");
        assert!(!go(&["h"], None, "sip:h@evil"));
        assert!(go(&["*"], None, "sips:r@anywhere"));
    }

    #[test]
    fn a_number_goes_back_by_bye_only() {
        let peer = settings(Some("sip:r@h"), ReturnMethodOrAgent::Bye);
        let claimed = claimed(TransferKind::PhoneNumber, ReturnMethod::Refer, None);
        let terms = Terms { peer: &peer, transfer: Some(&claimed), payload_in_return: false };
        assert_eq!(terms.method(&ReturnOrder { method: Some(ReturnMethod::Refer), ..order() }), ReturnMethod::Bye);
    }

    #[test]
    fn credentials_are_for_their_own_uris_host_only() {
        let peer = Return {
            auth: Some(User { username: "peer".into(), secret: crate::model::settings::Secret::new("pw") }),
            ..settings(Some("sip:r@h:5080"), ReturnMethodOrAgent::Bye)
        };
        let user = |terms: &Terms<'_>, uri: &str| terms.credentials_for(uri).map(|user| user.username.clone());
        assert_eq!(user(&of_peer(&peer), "sip:else@H").as_deref(), Some("peer"));
        assert_eq!(user(&of_peer(&peer), "sip:r@evil"), None);
        assert_eq!(user(&of_peer(&peer), "sip:r@h;maddr=192.0.2.9"), None);
        let claimed = claimed(TransferKind::Sip, ReturnMethod::Invite, Some("sip:back@api.example"));
        let terms = Terms { peer: &peer, transfer: Some(&claimed), payload_in_return: false };
        assert_eq!(user(&terms, "sip:back@api.example").as_deref(), Some("api"));
        assert_eq!(user(&terms, "sip:r@h"), None, "the peer's are not the call transfer's");
    }
}
