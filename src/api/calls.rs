//! `/v1/calls…` and `/v1/test-calls`: what the console shows and does, for scripts.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{control::Control, fault::Fault, history};
use crate::{
    export::{self, picture::Theme},
    model::{AudioSource, CallId, CallRecord, Command, ReturnRequest, TestCall, Timestamp, WholeCall},
};

/// `?raw=true` shows secrets that are blanked otherwise.
#[derive(Deserialize)]
pub(super) struct Raw {
    #[serde(default)]
    raw: bool,
}

pub(super) async fn one(State(control): State<Control>, Path(id): Path<String>) -> Result<Response, Fault> {
    Ok(Json(&*record(&control, &id).await?).into_response())
}

pub(super) async fn messages(State(control): State<Control>, Path(id): Path<String>, Query(raw): Query<Raw>) -> Result<Response, Fault> {
    let record = record(&control, &id).await?;
    Ok(Json(export::json::messages(&record, &history::messages(&control, record.id).await?, raw.raw)).into_response())
}

pub(super) async fn ladder(State(control): State<Control>, Path(id): Path<String>) -> Result<Response, Fault> {
    let record = record(&control, &id).await?;
    let text = export::ladder::text(&record, &history::messages(&control, record.id).await?);
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// How it sounded over its time: loss, jitter, delay and MOS, and the outline of both voices.
pub(super) async fn sound(State(control): State<Control>, Path(id): Path<String>) -> Result<Response, Fault> {
    let record = record(&control, &id).await?;
    match history::sound(&control, record.id).await? {
        Some(sound) => Ok(Json(&*sound).into_response()),
        None => Err(Fault::not_found(format!("No sound is kept of call {}: none was measured, or it was forgotten", record.id))),
    }
}

/// `?theme=dark` or `light`, which is for documents and the default.
#[derive(Deserialize)]
pub(super) struct Drawn {
    theme: Option<String>,
}

pub(super) async fn ladder_svg(
    State(control): State<Control>,
    Path(id): Path<String>,
    Query(drawn): Query<Drawn>,
) -> Result<Response, Fault> {
    let svg = drawn.draw(&control, &id, export::picture::svg).await?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

pub(super) async fn ladder_png(
    State(control): State<Control>,
    Path(id): Path<String>,
    Query(drawn): Query<Drawn>,
) -> Result<Response, Fault> {
    let png = drawn.draw(&control, &id, export::picture::png).await?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png.map_err(|why| Fault::conflict(why.to_string()))?).into_response())
}

impl Drawn {
    /// The ladder of a call as it stands now, by `draw`.
    async fn draw<T: Send + 'static>(
        &self,
        control: &Control,
        id: &str,
        draw: impl Fn(&WholeCall, Timestamp, Theme) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let theme = self.theme()?;
        let whole = history::whole(control, record(control, id).await?).await?;
        let now = control.engine.snapshot_now().await.at;
        off_the_loop(move || draw(&whole, now, theme)).await
    }

    fn theme(&self) -> Result<Theme, Fault> {
        match self.theme.as_deref() {
            None | Some("light") => Ok(Theme::Light),
            Some("dark") => Ok(Theme::Dark),
            Some(other) => Err(Fault::bad_request(format!("theme is dark or light, not {other:?}"))),
        }
    }
}

/// Drawing and packing take tenths of a second, for which no other request should wait.
pub(super) async fn off_the_loop<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Fault::unavailable("This can't be made now".to_owned()))
}

pub(super) async fn capture(State(control): State<Control>, Path(id): Path<String>, Query(raw): Query<Raw>) -> Result<Response, Fault> {
    let record = record(&control, &id).await?;
    let packets = control.engine.rtp(record.id).await;
    let file = export::pcap::file(&history::messages(&control, record.id).await?, &packets, raw.raw);
    let name = format!("attachment; filename=\"{}.pcap\"", record.id);
    Ok(([(header::CONTENT_TYPE, "application/vnd.tcpdump.pcap"), (header::CONTENT_DISPOSITION, name.as_str())], file).into_response())
}

pub(super) async fn start_return(State(control): State<Control>, Path(id): Path<String>, body: Bytes) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    let request: ReturnRequest = parse(&body)?;
    accepted(control.engine.command(Command::Return { call, request }).await)
}

pub(super) async fn hang_up(State(control): State<Control>, Path(id): Path<String>) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    accepted(control.engine.command(Command::HangUp { call }).await)
}

/// `{"digits": "12#"}`, on the caller's side of a test call.
pub(super) async fn send_digits(State(control): State<Control>, Path(id): Path<String>, body: Bytes) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    let Digits { digits } = parse(&body)?;
    accepted(control.engine.command(Command::SendDigits { call, digits }).await)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Digits {
    digits: String,
}

pub(super) async fn place_test_call(State(control): State<Control>, body: Bytes) -> Result<Response, Fault> {
    let call: TestCall = if body.is_empty() { TestCall::default() } else { parse(&body)? };
    if call.audio == AudioSource::Microphone && !control.engine.has_devices() {
        return accepted(Err("this program has no sound devices open: send \"audio\":\"tone\", or run the console".to_owned()));
    }
    accepted(control.engine.command(Command::PlaceTestCall { call: Box::new(call) }).await)
}

/// Accepted, not done: what comes of it is told by the call's events.
pub(super) fn accepted(outcome: Result<CallId, String>) -> Result<Response, Fault> {
    let id = outcome.map_err(Fault::conflict)?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))).into_response())
}

pub(super) fn parse<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::bad_request(format!("The body can't be read: {error}")))
}

pub(super) async fn record(control: &Control, id: &str) -> Result<Arc<CallRecord>, Fault> {
    let id: CallId = id.parse().map_err(|error| Fault::not_found(format!("No call '{id}': {error}")))?;
    history::record(control, id).await
}
