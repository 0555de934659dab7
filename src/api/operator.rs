//! `/v1/calls/{id}/answer` and so on: the operator as the agent, and as a listener, for scripts.

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;

use super::{
    calls::{accepted, parse, record},
    control::Control,
    fault::Fault,
};
use crate::model::{Command, ListenSide, SetVariables};

pub(super) async fn answer(State(control): State<Control>, Path(id): Path<String>) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    accepted(control.engine.command(Command::Answer { call }).await)
}

pub(super) async fn decline(State(control): State<Control>, Path(id): Path<String>) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    accepted(control.engine.command(Command::Decline { call }).await)
}

/// `{"on": true}`: on hold; `false`: back.
pub(super) async fn hold(State(control): State<Control>, Path(id): Path<String>, body: Bytes) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    let Hold { on } = parse(&body)?;
    accepted(control.engine.command(Command::Hold { call, on }).await)
}

/// `{"transferVariables": {}, "referenceVariables": {}}`, in place of those that were set before.
pub(super) async fn set_variables(State(control): State<Control>, Path(id): Path<String>, body: Bytes) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    let variables: SetVariables = parse(&body)?;
    accepted(control.engine.command(Command::SetVariables { call, variables }).await)
}

pub(super) async fn done(State(control): State<Control>, Path(id): Path<String>) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    accepted(control.engine.command(Command::Done { call }).await)
}

/// `{"side": "customer"}`, `"agent"` or `"both"`; `null` ends it.
pub(super) async fn listen(State(control): State<Control>, Path(id): Path<String>, body: Bytes) -> Result<Response, Fault> {
    let call = record(&control, &id).await?.id;
    let Listen { side } = parse(&body)?;
    accepted(control.engine.command(Command::Listen { call, side }).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listen {
    side: Option<ListenSide>,
}
