//! How a user agent is set up.

use std::net::{IpAddr, SocketAddr};

use super::SessionId;
use crate::sip::{message, timers::TimerConfig, transport::Transport};

/// Who a user agent is, where it listens, and how much it takes on.
#[derive(Clone)]
pub struct UserAgentConfig {
    /// For Server and User-Agent: `Handback/0.1`.
    pub product: String,
    /// Where requests reach us; the first of a transport is where requests leave from.
    pub listeners: Vec<(Transport, SocketAddr)>,
    /// The host for Via and Contact; None: the address of the listener.
    pub advertise: Option<String>,
    pub timers: TimerConfig,
    pub limits: Limits,
    /// Option tags that we take beside `100rel` and `timer`.
    pub supported: Vec<String>,
    /// The smallest session interval that we accept, in seconds (RFC 4028 §5: never below 90).
    pub min_session_expires: u32,
    /// Check requests outside of dialogs before they are handed up. False where the application must judge first who sent them:
    /// it then calls `screen`.
    pub screens_itself: bool,
    /// Answer 482 to a request that has passed through us. False where a user agent calls itself.
    pub refuses_own_loops: bool,
    /// Marks the Call-IDs and tags that this user agent makes.
    pub shard: u8,
    /// Secret and random where strangers can listen.
    pub seed: u64,
}

/// How much a user agent holds at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Transactions that wait for somebody. New INVITEs get 503 above it.
    pub transactions: usize,
    /// Transactions that only absorb repetitions for their last half minute.
    pub lingering: usize,
    pub sessions: usize,
    pub message: message::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { transactions: 10_000, lingering: 400_000, sessions: 20_000, message: message::Limits::DEFAULT }
    }
}

impl UserAgentConfig {
    /// The usual settings.
    pub fn new(product: impl Into<String>, listeners: Vec<(Transport, SocketAddr)>, seed: u64) -> Self {
        Self {
            product: product.into(),
            listeners,
            advertise: None,
            timers: TimerConfig::default(),
            limits: Limits::default(),
            supported: Vec::new(),
            min_session_expires: 90,
            screens_itself: false,
            refuses_own_loops: true,
            shard: 0,
            seed,
        }
    }
}

/// Whether requests inside this session may come from an address that its dialog does not know.
pub type TrustHook = Box<dyn Fn(SessionId, IpAddr) -> bool + Send>;
