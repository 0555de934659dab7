//! A call transfer, the resource of the call transfers API (contract §4), in its words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Outcome, ReturnMethod, Timestamp, Variables, settings::User};

/// What a call transfer is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransferKind {
    /// A leased number, dialled.
    PhoneNumber,
    /// An INVITE that names its id in `X-ASAPP-CallTransferId`.
    Sip,
}

/// Where a call transfer stands. ACTIVE → ONGOING → COMPLETED, or ACTIVE → EXPIRED, and no other edge ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TransferStatus {
    /// Made, and no call yet.
    Active,
    /// Its call is admitted; its number is released.
    Ongoing,
    /// The hand-over has ended, with an output context or without.
    Completed,
    /// No call came in time.
    Expired,
}

impl TransferStatus {
    /// As it stands in the API.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Ongoing => "ONGOING",
            Self::Completed => "COMPLETED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// What `POST …/call-transfers` asks for, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCallTransfer {
    /// Unique per attempt.
    pub id: String,
    pub external_conversation_id: String,
    pub target: TransferTarget,
    pub input_context: Option<InputContext>,
}

/// By what, and back how.
#[derive(Debug, Clone, PartialEq)]
pub enum TransferTarget {
    PhoneNumber {
        /// ISO 3166 alpha-2.
        country: String,
    },
    Sip(SipReturn),
}

impl TransferTarget {
    pub fn kind(&self) -> TransferKind {
        match self {
            Self::PhoneNumber { .. } => TransferKind::PhoneNumber,
            Self::Sip(_) => TransferKind::Sip,
        }
    }

    /// Whose number is leased, ISO 3166 alpha-2; empty where none is.
    pub fn country(&self) -> &str {
        match self {
            Self::PhoneNumber { country } => country,
            Self::Sip(_) => "",
        }
    }
}

/// How a SIP transfer goes back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SipReturn {
    pub method: ReturnMethod,
    /// Exactly as given.
    pub uri: Option<String>,
    /// Answers 401/407 on the return INVITE. The password is erased when the transfer has ended.
    pub auth: Option<User>,
}

/// A call transfer as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct CallTransfer {
    pub id: String,
    pub external_conversation_id: String,
    pub status: TransferStatus,
    pub created_at: Timestamp,
    /// When it expires, had no call come by then.
    pub expires_at: Timestamp,
    pub call_received_at: Option<Timestamp>,
    /// When it reached COMPLETED.
    pub completed_at: Option<Timestamp>,
    pub target: TransferTarget,
    /// E.164 with its `+`, of a PHONE_NUMBER transfer; kept after the lease has ended.
    pub number: Option<String>,
    pub input_context: Option<InputContext>,
    pub output_context: Option<OutputContext>,
    /// The call that was admitted for it.
    pub call: Option<super::CallId>,
    /// It is COMPLETED because the bridge stopped while its call was running.
    pub interrupted: bool,
}

/// What the customer hands over through the API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputContext {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task_name: Option<String>,
    #[serde(default)]
    pub input_variables: Variables,
}

/// What the agent hands back: whole, whatever the payload on the wire had to drop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputContext {
    pub transfer_type: Outcome,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current_task_name: Option<String>,
    pub reference_variables: Variables,
    pub transfer_variables: Variables,
}

/// What an INVITE claims a call transfer by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClaimKey {
    /// `X-ASAPP-CallTransferId`
    Id(String),
    /// The dialled number, E.164 with its `+`.
    Number(String),
}

/// A call transfer that is ONGOING from now on, for the call that claimed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    pub id: String,
    pub external_conversation_id: String,
    pub kind: TransferKind,
    pub input_context: InputContext,
    /// BYE for a PHONE_NUMBER transfer.
    pub returns: SipReturn,
}

/// Why an INVITE gets no call transfer; 404, 410 or 486 follows (contract §2), or 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimRefusal {
    Unknown,
    Expired,
    Completed,
    Ongoing,
    /// The store can't answer now.
    Unavailable,
}

impl fmt::Display for ClaimRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "No such call transfer",
            Self::Expired => "The call transfer has expired",
            Self::Completed => "The call transfer is completed",
            Self::Ongoing => "The call transfer has its call already",
            Self::Unavailable => "Call transfers can't be looked up now",
        })
    }
}

/// How one country's numbers stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolFigures {
    /// ISO 3166 alpha-2.
    pub country: String,
    pub total: usize,
    pub leased: usize,
}
