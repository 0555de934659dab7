//! The settings of the demo: everything on loopback, any free port, one peer and the built-in script.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::script;
use crate::model::{
    ReturnMethod, ReturnMethodOrAgent, TransportName,
    settings::{
        Agent, Api, ApiKey, Codec, Control, Limits, Media, NumberRange, Peer, Policy, Recording, Return, Secret, Settings, Sip, Sound,
        Store, User,
    },
};

/// The same as a settings file, to begin with.
pub(super) const DEMO_TOML: &str = include_str!("../../assets/demo.toml");

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
        sound: Sound::default(),
        peers: vec![Peer {
            name: "Demo".to_owned(),
            networks,
            policy: Policy::Either,
            users: vec![User { username: "demo".to_owned(), secret: Secret::new("demo") }],
            allow_md5: true,
            record: None,
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
        // The key and its secret are the word `demo`: it is reached from this machine alone.
        api: Some(Api {
            listen: any_port,
            keys: vec![ApiKey { id: "demo".to_owned(), secret_sha256: Sha256::digest("demo").into(), may_create: true, may_read: true }],
            requests_per_second: 100,
            number_lease_secs: 60,
            sip_transfer_expiry_secs: 300,
            numbers: vec![NumberRange { country: "US".to_owned(), first: 19_995_550_100, last: 19_995_550_199 }],
            payload_in_return: false,
        }),
        store: Store::default(),
        limits: Limits::default(),
        recording: Recording::default(),
    }
}
