//! A request's body, whole, within its limits of size and time.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::refusal::Refusal;
use crate::contract::api_fault::Cause;

/// Contract §4.
pub(super) const BODY_BYTES: usize = 64 << 10;

/// Reads it to its end. What is too large is read on for a while and thrown away: a client that still sends
/// when the connection closes would not see its 413.
pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::new(Cause::BodyTooLarge, format!("The body is over {BODY_BYTES} bytes, which is the most"));
    if body.size_hint().lower() > PATIENT_BYTES as u64 {
        return Err(too_large());
    }
    let deadline = Instant::now() + PATIENCE;
    let mut chunks = body.into_data_stream();
    let mut kept: Vec<u8> = Vec::new();
    let mut length = 0;
    loop {
        match timeout_at(deadline, chunks.next()).await {
            Ok(Some(Ok(chunk))) => {
                length += chunk.len();
                if length > PATIENT_BYTES {
                    return Err(too_large());
                }
                if length <= BODY_BYTES {
                    kept.extend_from_slice(&chunk);
                }
            }
            Ok(None) if length > BODY_BYTES => return Err(too_large()),
            Ok(None) => return Ok(kept.into()),
            Ok(Some(Err(_))) | Err(_) => {
                return Err(Refusal::new(Cause::TooSlow, format!("The body did not come whole within {} seconds", PATIENCE.as_secs())));
            }
        }
    }
}

/// How much of a body is read at all.
const PATIENT_BYTES: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(10);
