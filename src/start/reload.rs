//! Other settings while the program runs: what moves no socket is in force at once, the rest waits for the next start.

use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
};

use super::with_own_return_point;
use crate::{
    api::{ControlServer, call_transfers::CallTransfersServer},
    config::{self, Applied},
    engine::EngineHandle,
    model::{TransportName, settings::Settings},
    store::StoreHandle,
};

/// Holds all that settings are in force in.
pub struct Reloader {
    /// What is in force.
    current: Mutex<Settings>,
    engine: EngineHandle,
    store: StoreHandle,
    control: ControlServer,
    api: Option<CallTransfersServer>,
}

impl Reloader {
    pub(super) fn new(
        current: Settings,
        engine: EngineHandle,
        store: StoreHandle,
        control: ControlServer,
        api: Option<CallTransfersServer>,
    ) -> Self {
        Self { current: Mutex::new(current), engine, store, control, api }
    }

    /// What is in force.
    pub fn current(&self) -> Settings {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What would keep the program from starting with these settings: an address that is new to it and can't be had.
    ///
    /// # Errors
    /// One sentence.
    pub fn probe(&self, settings: &Settings) -> Result<(), String> {
        let mut wanted: Vec<(bool, SocketAddr)> =
            settings.sip.listen.iter().map(|(transport, address)| (*transport == TransportName::Udp, *address)).collect();
        wanted.push((false, settings.control.listen));
        wanted.extend(settings.api.as_ref().map(|api| (false, api.listen)));
        let mut ours: Vec<(bool, SocketAddr)> =
            self.engine.listeners().iter().map(|listener| (listener.transport == TransportName::Udp, listener.address)).collect();
        ours.push((false, self.control.address()));
        ours.extend(self.api.as_ref().map(|api| (false, api.address())));
        for (is_udp, address) in wanted {
            // On our own ports others of ours stand in the way, until the program ends.
            let is_ours = |(own_udp, own): &(bool, SocketAddr)| *own_udp == is_udp && own.port() == address.port();
            if ours.iter().any(is_ours) {
                continue;
            }
            let bound = if is_udp { UdpSocket::bind(address).map(drop) } else { TcpListener::bind(address).map(drop) };
            bound
                .map_err(|error| format!("Nothing is restarted: {} {address} can't be had: {error}", if is_udp { "UDP" } else { "TCP" }))?;
        }
        Ok(())
    }

    /// Brings `settings` into force for new calls and requests; running calls keep what they were admitted with. May wait for
    /// the engine and the store: not for an async thread.
    ///
    /// # Errors
    /// The program is ending.
    pub fn apply(&self, settings: &Settings) -> Result<Applied, String> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, applied) = config::in_force(&current, settings);
        let of_engine = with_own_return_point(now.clone(), self.engine.listeners());
        self.store.apply(now.store.clone(), now.api.clone())?;
        self.engine.apply(Arc::new(of_engine))?;
        self.control.apply(now.control.token.clone());
        if let (Some(server), Some(api)) = (&self.api, &now.api) {
            server.apply(api, now.limits.unadmitted_per_second);
        }
        *current = now;
        Ok(applied)
    }
}
