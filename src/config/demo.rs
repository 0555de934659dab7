//! The settings of the demo: everything on loopback, any free port, one peer and the built-in script.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::script;
use crate::model::{
    ReturnMethod, ReturnMethodOrAgent, TransportName,
    settings::{Agent, Codec, Control, Limits, Media, Peer, Policy, Return, Secret, Settings, Sip, Store, User},
};

/// Settings that work on any machine with no file at all. Nothing listens beyond loopback.
pub fn demo() -> Settings {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let networks = ["127.0.0.0/8", "::1/128"].iter().filter_map(|n| n.parse().ok()).collect();
    Settings {
        sip: Sip {
            listen: vec![(TransportName::Udp, any_port), (TransportName::Tcp, any_port)],
            advertise: None,
            realm: "handback".to_owned(),
            options_for_anyone: false,
        },
        media: Media { address: IpAddr::from([127, 0, 0, 1]), ports: 40_000..=49_999, codecs: vec![Codec::Pcmu, Codec::Pcma] },
        peers: vec![Peer {
            name: "Demo".to_owned(),
            networks,
            policy: Policy::Either,
            users: vec![User { username: "demo".to_owned(), secret: Secret::new("demo") }],
            allow_md5: true,
            returns: Return {
                method: ReturnMethod::Refer,
                // The program's own return endpoint, whose port is known once it listens.
                uri: None,
                fallback: ReturnMethodOrAgent::Bye,
                notify_timeout_secs: 30,
                auth: None,
                hosts: Vec::new(),
            },
        }],
        agent: Agent::Script(Arc::new(script::demo())),
        control: Control { listen: any_port, token: None },
        api: None,
        store: Store::default(),
        limits: Limits::default(),
    }
}
