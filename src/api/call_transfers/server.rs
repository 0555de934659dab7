//! The API's server: its own address, its own thread.

use std::{io, net::SocketAddr, sync::Arc};

use arc_swap::ArcSwap;
use axum::{
    Router,
    body::Bytes,
    middleware,
    routing::{get, post},
};

use super::{
    envelope::{RequestIds, envelope, no_such_path, wrong_method},
    guard::Guard,
    handlers, openapi,
    transfers::Transfers,
};
use crate::{
    api::http_server,
    model::settings::{Api, NumberRange},
};

/// Serves until the program ends. Cheap to clone.
#[derive(Clone)]
pub struct CallTransfersServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What it needs.
pub struct CallTransfersSetup<'a> {
    pub settings: &'a Api,
    pub transfers: Arc<dyn Transfers>,
    /// The bridge is shutting down: it makes no new call transfers.
    pub draining: Box<dyn Fn() -> bool + Send + Sync>,
    /// Requests without a good key from one address, before they are answered 429.
    pub failures_per_second: u32,
    /// Where the requests' numbers begin.
    pub seed: u64,
}

/// The API can't be served; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for the call transfers API: {error}. Choose another port in [api] listen (0 takes any)")]
pub struct ServeError {
    address: SocketAddr,
    error: io::Error,
}

/// What every handler holds.
pub(super) struct Shared {
    pub guard: ArcSwap<Guard>,
    pub transfers: Arc<dyn Transfers>,
    pub draining: Box<dyn Fn() -> bool + Send + Sync>,
    pub pools: ArcSwap<Vec<NumberRange>>,
    pub specification: Bytes,
    pub request_ids: RequestIds,
}

impl CallTransfersServer {
    /// Binds `settings.listen` and serves on a thread of its own. Port 0 takes any free port.
    ///
    /// # Errors
    /// The port is in use, or the address is none of this machine's.
    pub fn start(setup: CallTransfersSetup<'_>) -> Result<Self, ServeError> {
        let settings = setup.settings;
        let shared = Shared {
            guard: ArcSwap::from_pointee(Guard::new(&settings.keys, settings.requests_per_second, setup.failures_per_second)),
            transfers: setup.transfers,
            draining: setup.draining,
            pools: ArcSwap::from_pointee(settings.numbers.clone()),
            specification: openapi::document().into(),
            request_ids: RequestIds::new(setup.seed),
        };
        let shared = Arc::new(shared);
        match http_server::start(settings.listen, "handback-api", router(shared.clone())) {
            Ok(address) => Ok(Self { address, shared }),
            Err(error) => Err(ServeError { address: settings.listen, error }),
        }
    }

    /// Other keys, rates and numbers from the next request on.
    pub fn apply(&self, settings: &Api, failures_per_second: u32) {
        let guard = Guard::new(&settings.keys, settings.requests_per_second, failures_per_second);
        self.shared.guard.store(Arc::new(guard));
        self.shared.pools.store(Arc::new(settings.numbers.clone()));
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/generativeagent/v1/call-transfers", post(handlers::create))
        .route("/generativeagent/v1/call-transfers/{id}", get(handlers::read))
        .route("/openapi.json", get(handlers::specification))
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(shared.clone(), envelope))
        .with_state(shared)
}
