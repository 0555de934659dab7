//! Composes the engine from settings: the bridge, the customer's side beside it, and the control API.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use crate::{
    api::{ControlError, ControlServer},
    call::{Switch, SwitchSetup},
    config,
    customer::{Customer, CustomerSetup},
    engine::{Bound, Engine, EngineHandle, EngineSetup, PartySetup, StartError},
    model::{
        TransportName,
        settings::{Media, Settings},
    },
    sip::transport::Transport,
};

/// A running program.
pub struct Running {
    pub engine: EngineHandle,
    pub control: ControlServer,
}

/// It can't start; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Engine(#[from] StartError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Starts everything that the settings name.
///
/// # Errors
/// A port is in use, or an address is none of this machine's. Nothing runs then.
pub fn start(settings: Settings) -> Result<Running, Fault> {
    let (listen, token) = (settings.control.listen, settings.control.token.clone());
    let engine = engine(settings)?;
    match ControlServer::start(listen, token, engine.clone(), None) {
        Ok(control) => Ok(Running { engine, control }),
        Err(fault) => {
            engine.stop();
            engine.stop();
            Err(fault.into())
        }
    }
}

/// Starts the bridge, and the customer's side for test calls, without the control API.
///
/// # Errors
/// A port is in use, or an address is none of this machine's. Nothing runs then.
pub fn engine(settings: Settings) -> Result<EngineHandle, Fault> {
    let seed = getrandom::u64().map_err(Fault::Random)?;
    let limits = settings.limits.clone();
    let customer_ip = settings.sip.listen.first().map_or(IpAddr::from([127, 0, 0, 1]), |(_, address)| address.ip());
    let customer = customer(customer_ip, &settings.media, settings.sip.advertise.clone(), 0);
    Ok(Engine::start(EngineSetup { parties: vec![bridge(settings), customer], limits, speech: Some(say), desk: None, seed })?)
}

fn bridge(settings: Settings) -> PartySetup {
    let listen = settings.sip.listen.iter().map(|(name, address)| (transport(*name), *address)).collect();
    PartySetup {
        name: "bridge",
        customer_side: false,
        listen,
        media_address: settings.media.address,
        media_ports: settings.media.ports.clone(),
        build: Box::new(move |bound: Bound| {
            Box::new(Switch::new(SwitchSetup {
                settings: Arc::new(with_own_return_point(settings, &bound)),
                listeners: bound.own,
                seed: bound.seed,
                first_call_id: bound.first_call_id,
                conversations: Vec::new(),
                now: bound.now,
            }))
        }),
    }
}

/// The customer's side: an SBC that calls, and a return point, each on ports of its own.
///
/// `return_port` is the return point's; 0 takes any free port.
pub fn customer(address: IpAddr, media: &Media, advertise: Option<String>, return_port: u16) -> PartySetup {
    let (sbc, return_point) = (SocketAddr::new(address, 0), SocketAddr::new(address, return_port));
    PartySetup {
        name: "customer",
        customer_side: true,
        listen: vec![(Transport::Udp, sbc), (Transport::Tcp, sbc), (Transport::Udp, return_point), (Transport::Tcp, return_point)],
        media_address: media.address,
        media_ports: media.ports.clone(),
        build: Box::new(move |bound: Bound| {
            let (sbc, return_point) = bound.own.split_at(bound.own.len() / 2);
            let bridge = bound.all.iter().find(|listener| !listener.customer_side);
            Box::new(Customer::new(CustomerSetup {
                advertise,
                bridge: bridge.map(|listener| (transport(listener.transport), reachable(listener.address))),
                first_call_id: bound.first_call_id,
                ..CustomerSetup::new(bound.now, sbc.to_vec(), return_point.to_vec(), bound.seed)
            }))
        }),
    }
}

/// A peer that names no return URI gets its calls back to this program's own return point.
fn with_own_return_point(mut settings: Settings, bound: &Bound) -> Settings {
    let own = bound.all.iter().filter(|listener| listener.customer_side && listener.transport == TransportName::Udp).nth(1);
    if let Some(own) = own {
        for peer in settings.peers.iter_mut().filter(|peer| peer.returns.uri.is_none()) {
            peer.returns.uri = Some(format!("sip:return@{}", reachable(own.address)));
        }
    }
    settings
}

/// An address at which this machine reaches a listener of its own.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(a) if a.ip().is_unspecified() => SocketAddr::from(([127, 0, 0, 1], a.port())),
        SocketAddr::V6(a) if a.ip().is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, a.port())),
        _ => address,
    }
}

/// A text as samples, where a speech program is installed.
fn say(text: &str) -> Option<Arc<[i16]>> {
    config::speak(text).inspect_err(|why| tracing::warn!("{why}")).ok()
}

/// The protocol's word for a transport of the settings.
pub fn transport(name: TransportName) -> Transport {
    match name {
        TransportName::Udp => Transport::Udp,
        TransportName::Tcp => Transport::Tcp,
        TransportName::Tls => Transport::Tls,
    }
}
