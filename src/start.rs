//! Composes the program from settings: the bridge, the customer's side beside it, the store, and the two APIs.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use crate::{
    api::{
        ControlError, ControlServer,
        call_transfers::{CallTransfersServer, CallTransfersSetup, ServeError},
    },
    call::{Conversation, Switch, SwitchSetup},
    config,
    customer::{Customer, CustomerSetup},
    engine::{Bound, DeskEnds, Engine, EngineHandle, EngineSetup, PartySetup, StartError},
    model::{
        Listener, TransportName,
        settings::{self, Api, Media, Settings},
    },
    sip::transport::Transport,
    store::{ReadFault, Store, StoreError},
};

mod reload;
mod trial;

pub use reload::Reloader;
pub use trial::trial;

/// A running program.
pub struct Running {
    pub engine: EngineHandle,
    /// Brings other settings into force.
    pub reloader: Arc<Reloader>,
    pub control: ControlServer,
    /// The call transfers API, where the settings ask for it.
    pub api: Option<CallTransfersServer>,
    /// What was asked of it is written when this is dropped: after the engine has ended.
    pub store: Store,
}

/// It can't start; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Engine(#[from] StartError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Api(#[from] ServeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Past(#[from] ReadFault),
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Starts everything that the settings name.
///
/// # Errors
/// A port is in use, an address is none of this machine's, or the database can't be opened. Nothing runs then.
pub fn start(settings: Settings) -> Result<Running, Fault> {
    let mut store = open_store(&settings)?;
    let conversations = store.handle().conversations(CONVERSATIONS)?;
    let conversations = conversations.into_iter().map(|known| Conversation { id: known.id, attempts: known.attempts, last: known.last });
    let desk = store.desk().map(|(asks, answers)| DeskEnds { asks, answers });
    let (control, api, at_start) = (settings.control.clone(), settings.api.clone(), settings.clone());
    let failures_per_second = settings.limits.unadmitted_per_second;
    let engine = engine_with(settings, desk, conversations.collect())?;
    let servers = || -> Result<_, Fault> {
        let control = ControlServer::start(control.listen, control.token, engine.clone(), Some(store.handle()))?;
        let api = api.map(|api| serve_api(&api, &engine, &store, failures_per_second)).transpose()?;
        Ok((control, api))
    };
    match servers() {
        Ok((control, api)) => {
            let reloader = Reloader::new(at_start, engine.clone(), store.handle(), control.clone(), api.clone());
            Ok(Running { engine, reloader: Arc::new(reloader), control, api, store })
        }
        Err(fault) => {
            engine.stop();
            engine.stop();
            Err(fault)
        }
    }
}

/// A file that nobody named must not keep a bridge from starting: without the API, which promises that nothing is lost,
/// calls are then kept in memory.
fn open_store(settings: &Settings) -> Result<Store, StoreError> {
    let opened = Store::open(&settings.store, settings.api.as_ref());
    match opened {
        Err(why @ (StoreError::InUse { .. } | StoreError::File { .. })) if settings.store.is_default && settings.api.is_none() => {
            tracing::warn!("{why}. Calls are kept in memory only");
            Store::open(&settings::Store { path: None, ..settings.store.clone() }, None)
        }
        opened => opened,
    }
}

fn serve_api(api: &Api, engine: &EngineHandle, store: &Store, failures_per_second: u32) -> Result<CallTransfersServer, Fault> {
    let watched = engine.clone();
    Ok(CallTransfersServer::start(CallTransfersSetup {
        settings: api,
        transfers: Arc::new(store.handle()),
        draining: Box::new(move || watched.is_draining()),
        failures_per_second,
        seed: getrandom::u64().map_err(Fault::Random)?,
    })?)
}

/// Starts the bridge, and the customer's side for test calls, without the control API.
///
/// # Errors
/// A port is in use, or an address is none of this machine's. Nothing runs then.
pub fn engine(settings: Settings) -> Result<EngineHandle, Fault> {
    engine_with(settings, None, Vec::new())
}

fn engine_with(settings: Settings, desk: Option<DeskEnds>, conversations: Vec<Conversation>) -> Result<EngineHandle, Fault> {
    let seed = getrandom::u64().map_err(Fault::Random)?;
    let (limits, recording) = (settings.limits.clone(), settings.recording.clone());
    let customer_ip = settings.sip.listen.first().map_or(IpAddr::from([127, 0, 0, 1]), |(_, address)| address.ip());
    let customer = customer(customer_ip, &settings.media, settings.sip.advertise.clone(), 0);
    Ok(Engine::start(EngineSetup {
        parties: vec![bridge(settings, conversations), customer],
        limits,
        recording,
        speech: Some(say),
        desk,
        seed,
    })?)
}

fn bridge(settings: Settings, conversations: Vec<Conversation>) -> PartySetup {
    let listen = settings.sip.listen.iter().map(|(name, address)| (transport(*name), *address)).collect();
    PartySetup {
        name: "bridge",
        customer_side: false,
        listen,
        media_address: settings.media.address,
        media_ports: settings.media.ports.clone(),
        build: Box::new(move |bound: Bound| {
            Box::new(Switch::new(SwitchSetup {
                settings: Arc::new(with_own_return_point(settings, &bound.all)),
                listeners: bound.own,
                seed: bound.seed,
                first_call_id: bound.first_call_id,
                conversations,
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
    let codecs = crate::party::codecs_of(media);
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
                codecs,
                bridge: bridge.map(|listener| (transport(listener.transport), reachable(listener.address))),
                first_call_id: bound.first_call_id,
                ..CustomerSetup::new(bound.now, sbc.to_vec(), return_point.to_vec(), bound.seed)
            }))
        }),
    }
}

/// The customer's side as it was started, for previews of what it would send.
#[expect(clippy::disallowed_methods, reason = "the edge: a preview's clock begins somewhere")]
pub fn caller(engine: &EngineHandle, advertise: Option<String>) -> CustomerSetup {
    let (own, others): (Vec<_>, Vec<_>) = engine.listeners().iter().partition(|listener| listener.customer_side);
    let own: Vec<_> = own.into_iter().map(|listener| (transport(listener.transport), listener.address)).collect();
    let (sbc, return_point) = own.split_at(own.len() / 2);
    let bridge = others.first().map(|listener| (transport(listener.transport), reachable(listener.address)));
    CustomerSetup { advertise, bridge, ..CustomerSetup::new(Instant::now(), sbc.to_vec(), return_point.to_vec(), 0) }
}

/// A peer that names no return URI gets its calls back to this program's own return point.
fn with_own_return_point(mut settings: Settings, listeners: &[Listener]) -> Settings {
    let own = listeners.iter().filter(|listener| listener.customer_side && listener.transport == TransportName::Udp).nth(1);
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

/// Conversations of earlier calls that are known when the program starts.
const CONVERSATIONS: usize = 100_000;
