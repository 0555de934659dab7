//! The settings as typed values, after `config` has read and checked them.

use std::{fmt, net::SocketAddr, ops::RangeInclusive, sync::Arc};

use ipnet::IpNet;
use serde::Deserialize;

use super::{ReturnMethod, ReturnMethodOrAgent, TransportName};

#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub sip: Sip,
    pub media: Media,
    pub peers: Vec<Peer>,
    pub agent: Agent,
    pub control: Control,
    pub limits: Limits,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    Pcmu,
    Pcma,
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
}

#[derive(Debug, Clone, PartialEq)]
pub enum Agent {
    Script(Arc<super::script::Script>),
    Sip { uri: String, ring_timeout_secs: u64 },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    pub listen: SocketAddr,
    pub token: Option<Secret>,
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
