//! The settings as typed values, after `config` has read and checked them.

use std::{fmt, net::SocketAddr, ops::RangeInclusive, sync::Arc};

use ipnet::IpNet;
use serde::Deserialize;

use super::{ReturnMethod, ReturnMethodOrAgent, TransportName};

#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub sip: Sip,
    pub media: Media,
    pub sound: Sound,
    pub peers: Vec<Peer>,
    pub agent: Agent,
    pub control: Control,
    /// The call transfers API, where it is served.
    pub api: Option<Api>,
    pub store: Store,
    pub limits: Limits,
    pub recording: Recording,
}

/// Which calls are recorded, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// `None`: in the platform's folder for a program's data.
    pub folder: Option<std::path::PathBuf>,
    /// Every call, but those of peers that say otherwise.
    pub always: bool,
    /// Recordings older than this are deleted; 0: none ever.
    pub days: u32,
}

impl Default for Recording {
    fn default() -> Self {
        Self { folder: None, always: false, days: 30 }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sip {
    pub listen: Vec<(TransportName, SocketAddr)>,
    /// The host put into Via, Contact and SDP; `None`: the address that routes to the peer.
    pub advertise: Option<String>,
    pub realm: String,
    /// OPTIONS is answered to anyone, not only to peers.
    pub options_for_anyone: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    pub address: std::net::IpAddr,
    /// RTP takes the even ports, RTCP the odd ones above.
    pub ports: RangeInclusive<u16>,
    pub codecs: Vec<Codec>,
}

/// The microphones and speakers of the person at this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// An id or a name; `None`: the system's default, followed when it changes.
    pub microphone: Option<String>,
    pub speaker: Option<String>,
    /// The operator's own, for being the customer and the agent at once; `None`: the same as the customer's.
    pub agent_microphone: Option<String>,
    pub agent_speaker: Option<String>,
    /// 0 to 100.
    pub volume_percent: u32,
    /// A waiting call rings.
    pub ring: bool,
}

impl Default for Sound {
    fn default() -> Self {
        Self { microphone: None, speaker: None, agent_microphone: None, agent_speaker: None, volume_percent: 80, ring: true }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    Pcmu,
    Pcma,
    G722,
    Opus,
}

impl Codec {
    /// In the order in which they are listed to people.
    pub const ALL: [Self; 4] = [Self::Opus, Self::G722, Self::Pcmu, Self::Pcma];

    /// As in the settings file and in SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }
}

/// One customer deployment. The first that matches wins.
#[derive(Debug, Clone, PartialEq)]
pub struct Peer {
    pub name: String,
    pub networks: Vec<IpNet>,
    pub policy: Policy,
    pub users: Vec<User>,
    /// MD5 is offered beside SHA-256.
    pub allow_md5: bool,
    pub returns: Return,
    /// Whether its calls are recorded; `None`: as all are.
    pub record: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Either,
    Both,
}

#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub username: String,
    pub secret: Secret,
}

/// The return settings of a peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    pub method: ReturnMethod,
    pub uri: Option<String>,
    pub fallback: ReturnMethodOrAgent,
    pub notify_timeout_secs: u64,
    /// Answers 401/407 on the return INVITE.
    pub auth: Option<User>,
    /// Hosts that a call transfer's own return URI may name besides [`Return::uri`]'s; `*` is any.
    pub hosts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Agent {
    Script(Arc<super::script::Script>),
    Sip {
        uri: String,
        ring_timeout_secs: u64,
    },
    /// Whoever sits at this program, or acts through the control API.
    Operator {
        ring_timeout_secs: u64,
        /// The caller hears our ringing tone (183 with sound), instead of what its own side makes of 180.
        ringing_tone: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    pub listen: SocketAddr,
    pub token: Option<Secret>,
}

/// The call transfers API (contract §4).
#[derive(Debug, Clone, PartialEq)]
pub struct Api {
    pub listen: SocketAddr,
    pub keys: Vec<ApiKey>,
    /// Requests a second for each key; a second's worth may come at once.
    pub requests_per_second: u32,
    /// How long a number waits for its call.
    pub number_lease_secs: u64,
    /// How long a SIP transfer waits for its call.
    pub sip_transfer_expiry_secs: u64,
    pub numbers: Vec<NumberRange>,
    /// A transfer made through the API goes back with the payload, too, not only with its URI.
    pub payload_in_return: bool,
}

/// A key pair. Its secret is known by its hash only.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    pub id: String,
    /// SHA-256 of the secret.
    pub secret_sha256: [u8; 32],
    pub may_create: bool,
    pub may_read: bool,
}

/// Numbers that may be leased, both ends included; E.164 digits without the `+`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRange {
    /// ISO 3166 alpha-2.
    pub country: String,
    pub first: u64,
    pub last: u64,
}

/// Where call transfers, calls and their messages are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The SQLite file; `None`: in memory, for as long as the program runs.
    pub path: Option<std::path::PathBuf>,
    /// Nobody named the file: it lies beside the settings.
    pub is_default: bool,
    /// Ended calls and their messages older than this are forgotten; 0 keeps none.
    pub retention_days: u32,
    /// Messages of ended calls beyond this many bytes are forgotten, the oldest first.
    pub retention_bytes: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self { path: None, is_default: true, retention_days: 30, retention_bytes: 1 << 30 }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Calls at one time.
    pub calls: usize,
    pub calls_per_second: u32,
    pub message_bytes: usize,
    pub transactions: usize,
    /// Memory for captured messages.
    pub capture_bytes: usize,
    /// Finished calls kept for the console and the control API.
    pub finished_calls: usize,
    /// How long SIGTERM waits for running calls.
    pub drain_secs: u64,
    /// Messages a second from one address that is not admitted, before silence.
    pub unadmitted_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 500,
            calls_per_second: 50,
            message_bytes: 65_535,
            transactions: 10_000,
            capture_bytes: 64 << 20,
            finished_calls: 1_000,
            drain_secs: 30,
            unadmitted_per_second: 50,
        }
    }
}

/// A password. Never printed, not even by `Debug`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for computing a digest and for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
