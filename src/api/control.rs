//! The control API's server: on loopback, or behind a token.

use std::{io, net::SocketAddr, sync::Arc};

use arc_swap::ArcSwapOption;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use subtle::ConstantTimeEq as _;

use super::{calls, events, fault::Fault, history, metrics, operator, recording};
use crate::{engine::EngineHandle, model::settings::Secret, store::StoreHandle};

/// Serves until the program ends. Cheap to clone.
#[derive(Clone)]
pub struct ControlServer {
    address: SocketAddr,
    token: Arc<ArcSwapOption<Secret>>,
}

/// The control API can't be served; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("cannot listen on {address} for the control API: {error}. Choose another port in [control] listen (0 takes any)")]
    Listen { address: SocketAddr, error: io::Error },
    #[error("[control] listen = \"{0}\" is reachable from other machines: set token_env, or listen on 127.0.0.1")]
    NeedsToken(SocketAddr),
    #[error("cannot start the control API's thread: {0}")]
    Thread(io::Error),
}

/// What every handler holds.
#[derive(Clone)]
pub(super) struct Control {
    pub engine: EngineHandle,
    /// Past calls, where they are kept.
    pub store: Option<StoreHandle>,
    token: Arc<ArcSwapOption<Secret>>,
}

impl ControlServer {
    /// Binds `listen` and serves on a thread of its own. Port 0 takes any free port. `store`: past calls.
    ///
    /// # Errors
    /// The port is in use, or it is reachable from other machines with no token set.
    pub fn start(
        listen: SocketAddr,
        token: Option<Secret>,
        engine: EngineHandle,
        store: Option<StoreHandle>,
    ) -> Result<Self, ControlError> {
        if !listen.ip().is_loopback() && token.is_none() {
            return Err(ControlError::NeedsToken(listen));
        }
        let fail = |error| ControlError::Listen { address: listen, error };
        let listener = std::net::TcpListener::bind(listen).map_err(fail)?;
        listener.set_nonblocking(true).map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let token = Arc::new(ArcSwapOption::from_pointee(token));
        let control = Control { engine, store, token: token.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ControlError::Thread)?;
        std::thread::Builder::new()
            .name("handback-control".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    if let Ok(listener) = tokio::net::TcpListener::from_std(listener)
                        && let Err(error) = axum::serve(listener, router(control)).await
                    {
                        tracing::error!(%error, "the control API ended");
                    }
                });
            })
            .map_err(ControlError::Thread)?;
        Ok(Self { address, token })
    }

    /// Another token from the next request on. Without one it must be on loopback, as at the start.
    pub fn apply(&self, token: Option<Secret>) {
        if token.is_some() || self.address.ip().is_loopback() {
            self.token.store(token.map(Arc::new));
        }
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn router(control: Control) -> Router {
    let guarded = Router::new()
        .route("/v1/calls", get(history::list))
        .route("/v1/calls/export", get(history::export))
        .route("/v1/calls/{id}", get(calls::one))
        .route("/v1/calls/{id}/messages", get(calls::messages))
        .route("/v1/calls/{id}/ladder.txt", get(calls::ladder))
        .route("/v1/calls/{id}/ladder.svg", get(calls::ladder_svg))
        .route("/v1/calls/{id}/ladder.png", get(calls::ladder_png))
        .route("/v1/calls/{id}/capture.pcap", get(calls::capture))
        .route("/v1/calls/{id}/sound", get(calls::sound))
        .route("/v1/calls/{id}/return", post(calls::start_return))
        .route("/v1/calls/{id}/record", post(recording::record))
        .route("/v1/calls/{id}/recording.wav", get(recording::file))
        .route("/v1/calls/{id}/hangup", post(calls::hang_up))
        .route("/v1/calls/{id}/digits", post(calls::send_digits))
        .route("/v1/calls/{id}/answer", post(operator::answer))
        .route("/v1/calls/{id}/decline", post(operator::decline))
        .route("/v1/calls/{id}/hold", post(operator::hold))
        .route("/v1/calls/{id}/variables", post(operator::set_variables))
        .route("/v1/calls/{id}/done", post(operator::done))
        .route("/v1/calls/{id}/listen", post(operator::listen))
        .route("/v1/test-calls", post(calls::place_test_call))
        .route("/v1/events", get(events::stream))
        .route("/metrics", get(metrics::render))
        .layer(middleware::from_fn_with_state(control.clone(), guard));
    Router::new()
        .route("/healthz", get(health))
        .merge(guarded)
        .fallback(|| async { Fault::not_found("There is nothing here: see /v1/calls, /v1/test-calls, /v1/events, /healthz and /metrics") })
        .method_not_allowed_fallback(|| async { Fault(StatusCode::METHOD_NOT_ALLOWED, "This path takes another method".to_owned()) })
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(control)
}

/// Who may: a token where one is set; else programs on this machine, but no web page that a browser here has open.
async fn guard(State(control): State<Control>, request: Request, next: Next) -> Response {
    match may(&control, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    }
}

fn may(control: &Control, headers: &HeaderMap) -> Result<(), Fault> {
    if let Some(token) = &*control.token.load() {
        let given = headers.get(header::AUTHORIZATION).and_then(|v| v.as_bytes().strip_prefix(b"Bearer ")).unwrap_or_default();
        return if bool::from(given.ct_eq(token.reveal().as_bytes())) {
            Ok(())
        } else {
            Err(Fault(StatusCode::UNAUTHORIZED, "This control API wants the header 'Authorization: Bearer TOKEN'".to_owned()))
        };
    }
    // A page from elsewhere can make a browser send a simple request to loopback, and a name can be pointed there:
    // the first carries Origin, the second a Host that is no address of ours.
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let local = host.parse::<SocketAddr>().map(|a| a.ip()).or_else(|_| host.parse()).is_ok_and(|ip| ip.is_loopback());
    if headers.contains_key(header::ORIGIN) || !(local || host.split(':').next() == Some("localhost")) {
        return Err(Fault(StatusCode::FORBIDDEN, "The control API serves programs on this machine, not web pages".to_owned()));
    }
    Ok(())
}

/// Healthy as long as the engine's thread answers.
async fn health(State(control): State<Control>) -> Response {
    let snapshot = control.engine.snapshot_now().await;
    let body = serde_json::json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "active_calls": snapshot.counters.calls_active,
        "listeners": snapshot.listeners.iter().map(|l| format!("{}:{}", l.transport.name(), l.address)).collect::<Vec<_>>(),
    });
    axum::Json(body).into_response()
}

const BODY_BYTES: usize = 64 << 10;
