//! Around every request: its number, its answer's headers and error body, its line in the log; a panic ends in 500.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{refusal::Refusal, server::Shared};
use crate::contract::api_fault::Cause;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What becomes known of a request while it is answered.
#[derive(Clone, Default)]
pub(super) struct Noted {
    /// The key's id, once it is proven.
    pub key: Arc<OnceLock<Arc<str>>>,
}

/// Numbers requests: unique while the program runs, and hardly ever the same in two runs.
pub(super) struct RequestIds {
    start: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub fn new(seed: u64) -> Self {
        Self { start: seed, count: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        // Splitmix64: one to one, so no two counts give the same number.
        let mut x = self.start.wrapping_add(self.count.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        format!("{:016x}", x ^ (x >> 31))
    }
}

#[expect(clippy::disallowed_methods, reason = "an edge: how long a request took is measured here")]
pub(super) async fn envelope(State(api): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = api.request_ids.next();
    let method = request.method().clone();
    let path: String = request.uri().path().chars().take(LOGGED_PATH_CHARACTERS).collect();
    let noted = Noted::default();
    request.extensions_mut().insert(noted.clone());
    let mut response = unwound(next.run(request)).await.unwrap_or_else(|| {
        tracing::error!(request_id = id, "a handler of the call transfers API panicked");
        Refusal::internal().into_response()
    });
    let code = if response.status().is_success() { None } else { Some(write_error(&mut response, &id)) };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let status = response.status().as_u16();
    let key = noted.key.get().map_or("-", |key| key);
    let micros = started.elapsed().as_micros() as u64;
    tracing::info!(request_id = id, %method, path, status, code = code.as_deref().unwrap_or("-"), key, micros, "call transfers API");
    response
}

/// Writes the error's body; its code.
fn write_error(response: &mut Response, request_id: &str) -> String {
    let refusal = response.extensions_mut().remove::<Refusal>().unwrap_or_else(|| {
        // What axum refuses on its own account.
        tracing::error!(request_id, status = response.status().as_u16(), "an answer without a cause");
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Refusal::internal()
    });
    let code = refusal.fault.cause.code();
    let body = json!({ "error": { "requestId": request_id, "code": code, "message": refusal.fault.message } });
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::from(body.to_string());
    code
}

/// What it comes to; `None` if it panicked.
async fn unwound<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(_) => std::task::Poll::Ready(None),
    })
    .await
}

pub(super) async fn no_such_path() -> Refusal {
    Refusal::new(Cause::NoSuchPath, "There is nothing here: see /openapi.json")
}

pub(super) async fn wrong_method() -> Refusal {
    Refusal::new(Cause::WrongMethod, "This path takes another method: the header Allow says which")
}

const LOGGED_PATH_CHARACTERS: usize = 300;
