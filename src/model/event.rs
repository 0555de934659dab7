//! What happened: past-tense events, in the order in which they happened.

use std::{net::SocketAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    CallId, Ended, Finding, GoesBack, LegId, ListenSide, LossBursts, Missed, Party, SoundLevel, SoundMoment, SoundQuality, Timestamp,
    TransferKind, Variables,
};

/// One event, numbered without gaps from 1 since the program started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    pub seq: u64,
    pub at: Timestamp,
    pub call: CallId,
    #[serde(flatten)]
    pub what: Arc<CallEvent>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CallEvent {
    /// An INVITE that opens a call was received (or, for a test call, placed).
    CallArrived {
        from: String,
        to: String,
        request_uri: String,
        source: SocketAddr,
        test_call: bool,
    },
    /// A SIP leg came to be.
    LegOpened(LegOpened),
    /// It is a test call of this console, seen from the other side.
    PlacedHere {
        test_call: CallId,
    },
    /// May it? Yes, by these rules of this peer.
    CallAdmitted {
        peer: String,
        by: Admission,
    },
    /// The call is the one for this call transfer, which is ONGOING from now on.
    CallTransferClaimed {
        id: String,
        kind: TransferKind,
        conversation: String,
    },
    /// The conversation was here before (contract §2). `attempt` counts from 1, so this is 2 or more.
    ConversationResumed {
        attempt: u32,
        previous: CallId,
    },
    /// What the customer brought; told again once a call transfer has brought the rest.
    ContextRead {
        context: Arc<Context>,
    },
    AgentInvited {
        kind: AgentKind,
        target: String,
    },
    AgentRinging {
        leg: Option<LegId>,
        code: u16,
        early_media: bool,
    },
    /// The agent is there; `leg` where it is a SIP agent.
    AgentAnswered {
        leg: Option<LegId>,
    },
    /// The customer leg was answered.
    CallAnswered {
        codec: String,
    },
    DtmfReceived {
        leg: LegId,
        digit: char,
    },
    LegHeld {
        leg: LegId,
    },
    LegResumed {
        leg: LegId,
    },
    /// The call waits for the operator, who is the agent.
    OperatorRings {
        rings_for_secs: u64,
        goes_back: GoesBack,
    },
    /// The operator, being the agent, did not take the call.
    OperatorMissed {
        why: Missed,
    },
    /// The operator has put the customer on hold, or taken it back.
    OperatorHeld {
        on: bool,
    },
    /// What the operator would hand back, as it stands.
    VariablesSet {
        transfer: Variables,
        reference: Variables,
    },
    /// The operator is done with the call; that may be long after its end.
    WrapUpEnded,
    /// Somebody at this machine hears the call, or does no longer.
    ListeningChanged {
        side: Option<ListenSide>,
    },
    /// The call is recorded from now on, into this file.
    RecordingStarted {
        file: std::path::PathBuf,
    },
    /// The recording is over before the call; `failed`: by no one's wish.
    RecordingEnded {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        failed: Option<String>,
    },
    /// The agent's part is over, with this outcome.
    AgentEnded {
        outcome: Outcome,
        current_task: Option<String>,
        transfer: Variables,
        reference: Variables,
        by: Party,
    },
    ReturnStarted {
        method: ReturnMethod,
        uri: String,
        payload: Option<Arc<Payload>>,
    },
    /// What NOTIFY (sipfrag) or the return leg's response said.
    ReturnProgressed {
        code: u16,
        reason: String,
        by_notify: bool,
    },
    ReturnFailed {
        why: Ended,
    },
    FallbackTaken {
        to: ReturnMethodOrAgent,
    },
    ReturnSettled {
        verdict: ReturnVerdict,
    },
    LegEnded {
        leg: LegId,
        why: Ended,
    },
    MediaMeasured {
        leg: LegId,
        figures: Box<MediaFigures>,
    },
    FindingRaised {
        finding: Finding,
    },
    /// A test call tells how it went; directly before its `CallEnded`.
    TestCallReported {
        report: Box<super::TestCallReport>,
    },
    /// The call is over. `state` is one of `returned`, `ended`, `refused`, `failed`.
    CallEnded {
        state: super::CallState,
        why: Ended,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegOpened {
    pub leg: LegId,
    pub role: LegRole,
    pub sip_call_id: String,
    pub remote: SocketAddr,
    /// The party's URI as written in From (incoming) or To (outgoing).
    pub uri: String,
    /// `true` where the other side called us.
    pub incoming: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegRole {
    Customer,
    Agent,
    Return,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    Network(String),
    Digest {
        user: String,
        algorithm: String,
    },
    Both {
        network: String,
        user: String,
        algorithm: String,
    },
    /// A call that this console placed itself.
    TestCall,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentKind {
    Script,
    Sip,
    Operator,
}

/// What the customer passed in (contract §2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ext_conversation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call_transfer_id: Option<String>,
    #[serde(default)]
    pub input_variables: Variables,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// Unable to help: a person should take over.
    Agent,
    /// A system-transfer function was called.
    System,
}

impl Outcome {
    /// The value of `X-GA-transfer`.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Agent => "AGENT",
            Self::System => "SYSTEM",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReturnMethod {
    #[default]
    Bye,
    Refer,
    Invite,
}

impl ReturnMethod {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bye => "BYE",
            Self::Refer => "REFER",
            Self::Invite => "INVITE",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReturnMethodOrAgent {
    Bye,
    Invite,
    Agent,
}

/// The verdict on a return. A 202 to a REFER is never a success (contract §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum ReturnVerdict {
    /// The customer took the call back.
    Succeeded,
    Failed {
        why: Ended,
    },
    /// REFER was accepted, but nobody said how it ended.
    Unknown {
        why: String,
    },
}

/// The return payload: what rides in the Refer-To (or as headers of the return INVITE), with its budget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The whole value as sent, for example `<sip:r@h?X-GA-extConId=…>`.
    pub refer_to: String,
    /// Characters used of the limit.
    pub used: usize,
    /// 1,024.
    pub limit: usize,
    /// What is on the wire, in its order.
    pub items: Vec<PayloadItem>,
    /// What did not fit, in the order in which the agent set it.
    pub dropped: Vec<DroppedVariable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadItem {
    pub part: PayloadPart,
    /// The parameter as on the wire, for example `X-GA-tv-next_action`.
    pub parameter: String,
    pub value: String,
    /// Characters that it costs, its `?` excluded and its `&` included.
    pub cost: usize,
    /// Byte range of `parameter=escaped value` within [`Payload::refer_to`].
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadPart {
    ConversationId,
    Outcome,
    Transfer,
    Reference,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedVariable {
    pub part: PayloadPart,
    pub parameter: String,
    pub value: String,
    /// Characters that it would have cost.
    pub cost: usize,
    /// Characters that were left when it was its turn.
    pub left: usize,
}

/// Per-direction figures of one leg's media, running totals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaFigures {
    pub codec: String,
    pub packets_sent: u64,
    pub bytes_sent: u64,
    pub packets_received: u64,
    pub bytes_received: u64,
    /// Of what we should have received.
    pub packets_lost: u64,
    pub packets_reordered: u64,
    pub packets_duplicated: u64,
    /// Interarrival jitter of what we receive, RFC 3550 §6.4.1, in milliseconds.
    pub jitter_ms: f32,
    /// What the peer reports of what we send (RTCP), where it reports.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remote_lost: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remote_jitter_ms: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub round_trip_ms: Option<f32>,
    /// Packets from addresses that the leg does not know: neither relayed nor answered.
    pub strangers: u64,
    /// Packets of a peer that uses ICE: STUN (RFC 8489), which nobody answers here.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub stun: u64,
    /// Packets of a peer that wants DTLS-SRTP (RFC 5764): its handshakes, which nobody answers here.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub dtls: u64,
    /// Packets that are neither these nor RTP, RTCP or telephone-event.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub malformed: u64,
    pub dtmf_received: String,
    /// Microseconds from the leg's answer to the first packet received.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_packet_us: Option<u64>,
    /// How well the peer is heard here, over the whole call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub received_quality: Option<SoundQuality>,
    /// How well the peer hears what is sent to it, where its reports (RTCP) tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sent_quality: Option<SoundQuality>,
    /// How the lost packets lie together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub loss_bursts: Option<LossBursts>,
    /// By how many millionths the peer's clock is slower than ours; after a minute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub drift_ppm: Option<f32>,
    /// How loud it was; for sound that is G.711.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub received_level: Option<SoundLevel>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sent_level: Option<SoundLevel>,
    #[serde(skip)]
    pub moment: SoundMoment,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl MediaFigures {
    /// The worse of both directions' MOS, of those that are known.
    pub fn mos(&self) -> Option<f32> {
        [self.received_quality, self.sent_quality].into_iter().flatten().map(|quality| quality.mos).min_by(f32::total_cmp)
    }
}
