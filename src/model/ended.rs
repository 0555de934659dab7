//! Why something ended, and whose doing it was.

use serde::{Deserialize, Serialize};

/// A side of the call, as people name it when they ask "whose side?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Customer,
    Agent,
    ReturnEndpoint,
    Operator,
    Bridge,
    Network,
}

impl Party {
    /// As people say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::ReturnEndpoint => "return endpoint",
            Self::Operator => "operator",
            Self::Bridge => "bridge",
            Self::Network => "network",
        }
    }
}

/// How a call, a leg or a return attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// One sentence for people, for example "Customer hung up".
    pub reason: String,
    /// Whose doing it was.
    pub by: Party,
    /// The SIP status code that it ended with, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<u16>,
}

impl Ended {
    pub fn new(reason: impl Into<String>, by: Party, code: Option<u16>) -> Self {
        Self { reason: reason.into(), by, code }
    }
}
