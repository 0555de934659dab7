//! How the customer's side is set up.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use crate::{media::Codec, model::settings::User, sip::transport::Transport};

/// What a [`Customer`](super::Customer) is made of.
#[derive(Debug, Clone)]
pub struct CustomerSetup {
    /// Where the SBC that calls listens, as bound, with real ports.
    pub listeners: Vec<(Transport, SocketAddr)>,
    /// Where the return point listens. Empty: there is none, calls go back to the URIs of others.
    pub return_listeners: Vec<(Transport, SocketAddr)>,
    /// The host put into Via, Contact and SDP; `None`: the listeners' addresses.
    pub advertise: Option<String>,
    pub media_address: IpAddr,
    /// What is offered and answered, the preferred one first.
    pub codecs: Vec<Codec>,
    /// Called by test calls that name nobody.
    pub bridge: Option<(Transport, SocketAddr)>,
    /// Who may place a return INVITE to the return point; empty: no challenge.
    pub return_users: Vec<User>,
    /// How long a call that was taken back is kept up.
    pub return_call: Duration,
    /// How long the far side may take for what is its turn, before the customer hangs up.
    pub patience: Duration,
    /// Random and secret, made anew at every start: ids and nonces come from it.
    pub seed: u64,
    /// Calls are numbered from here on; unique over restarts by its choice.
    pub first_call_id: u64,
    pub now: Instant,
}

impl CustomerSetup {
    /// An SBC and a return point on these listeners, with everything else as it is by default.
    pub fn new(now: Instant, listeners: Vec<(Transport, SocketAddr)>, return_listeners: Vec<(Transport, SocketAddr)>, seed: u64) -> Self {
        let media_address = listeners.first().map_or(IpAddr::from([127, 0, 0, 1]), |(_, address)| address.ip());
        Self {
            listeners,
            return_listeners,
            advertise: None,
            media_address,
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            bridge: None,
            return_users: Vec::new(),
            return_call: Duration::from_secs(1),
            patience: Duration::from_secs(10),
            seed,
            first_call_id: seed,
            now,
        }
    }

    /// The URI at which the return point takes calls back; `None` where there is no return point.
    pub fn return_uri(&self) -> Option<String> {
        self.return_listeners.first().map(|(_, address)| format!("sip:return@{address}"))
    }

    /// The bridge's URI, for test calls that name nobody.
    pub(super) fn bridge_uri(&self) -> Option<String> {
        self.bridge.map(|(transport, address)| match transport {
            Transport::Udp => format!("sip:bridge@{address}"),
            Transport::Tcp | Transport::Tls => format!("sip:bridge@{address};transport={}", transport.as_uri_param()),
        })
    }

    /// The host that names this side in a From.
    pub(super) fn host(&self) -> String {
        match (&self.advertise, self.listeners.first()) {
            (Some(host), _) => host.clone(),
            (None, Some((_, SocketAddr::V6(address)))) => format!("[{}]", address.ip()),
            (None, Some((_, address))) => address.ip().to_string(),
            (None, None) => "localhost".to_owned(),
        }
    }
}
