//! Create and read: the request judged, then asked of the store.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};

use super::{
    body,
    envelope::Noted,
    guard::Key,
    openapi::{ErrorAnswer, NewCallTransfer},
    refusal::Refusal,
    resource::CallTransfer,
    server::Shared,
    transfers::Unavailable,
};
use crate::{
    api::http_server::Peer,
    contract::{api_fault::Cause, create_refusal::CreateRefusal, new_transfer},
};

/// Makes a call transfer: leases a number, or announces an INVITE that names its id
#[utoipa::path(
    post,
    path = "/generativeagent/v1/call-transfers",
    tag = "Call transfers",
    operation_id = "createCallTransfer",
    request_body(content = NewCallTransfer, examples(
        ("number" = (summary = "A number to dial", value = json!({
            "id": "attempt-1", "externalConversationId": "4711", "type": "PHONE_NUMBER", "phoneNumber": { "country": "US" },
            "inputContext": { "taskName": "call_routing", "inputVariables": { "accountNumber": "12345" } }
        }))),
        ("sip" = (summary = "An INVITE that names the id, and returns by INVITE", value = json!({
            "id": "attempt-2", "externalConversationId": "4711", "type": "SIP",
            "sip": {
                "returnTransferType": "INVITE", "returnUri": "sip:transfer@example.com",
                "returnInviteAuthentication": { "username": "sip_user", "password": "change me" }
            }
        }))),
    )),
    responses(
        (status = 200, description = "created", body = CallTransfer<'static>),
        (status = 400, response = ErrorAnswer),
        (status = 401, response = ErrorAnswer),
        (status = 403, response = ErrorAnswer),
        (status = 408, response = ErrorAnswer),
        (status = 409, response = ErrorAnswer),
        (status = 413, response = ErrorAnswer),
        (status = 422, response = ErrorAnswer),
        (status = 429, response = ErrorAnswer),
        (status = 503, response = ErrorAnswer),
        (status = "default", response = ErrorAnswer),
    )
)]
pub(super) async fn create(State(api): State<Arc<Shared>>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    // Read before anything is refused, so that the answer reaches a client that is still sending.
    let body = body::read(body).await;
    let key = admitted(&api, &parts)?;
    if !key.may_create {
        return Err(Refusal::new(Cause::MayNotCreate, "This key may read call transfers, and not create them"));
    }
    if (api.draining)() {
        return Err(Refusal::new(Cause::Draining, "The bridge is shutting down").retry_after(DRAINING_SECS));
    }
    let new = new_transfer::read(&body?, &api.pools.load())?;
    let country = new.target.country().to_owned();
    match api.transfers.create(new).await {
        Ok(made) => Ok(Json(CallTransfer::of(&made)).into_response()),
        Err(refusal) => Err(Refusal::of_create(refusal, &country)),
    }
}

/// A call transfer as it stands
#[utoipa::path(
    get,
    path = "/generativeagent/v1/call-transfers/{callTransferId}",
    tag = "Call transfers",
    operation_id = "getCallTransfer",
    params(("callTransferId" = String, Path, description = "The id it was created with")),
    responses(
        (status = 200, description = "found", body = CallTransfer<'static>),
        (status = 401, response = ErrorAnswer),
        (status = 403, response = ErrorAnswer),
        (status = 404, response = ErrorAnswer),
        (status = 429, response = ErrorAnswer),
        (status = 503, response = ErrorAnswer),
        (status = "default", response = ErrorAnswer),
    )
)]
pub(super) async fn read(
    State(api): State<Arc<Shared>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let key = admitted(&api, &request.into_parts().0)?;
    if !key.may_read {
        return Err(Refusal::new(Cause::MayNotRead, "This key may create call transfers, and not read them"));
    }
    let none = || Refusal::new(Cause::NoSuchTransfer, "There is no call transfer with this id");
    // An id whose escapes are no UTF-8 was never given to one.
    let Ok(Path(id)) = id else { return Err(none()) };
    match api.transfers.find(&id).await {
        Ok(Some(found)) => Ok(Json(CallTransfer::of(&found)).into_response()),
        Ok(None) => Err(none()),
        Err(Unavailable) => Err(unavailable()),
    }
}

/// The specification of this API, made from its code.
pub(super) async fn specification(State(api): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.specification.clone()).into_response()
}

fn admitted(api: &Shared, parts: &Parts) -> Result<Arc<Key>, Refusal> {
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
    let guard = api.guard.load_full();
    let key = guard.known(&parts.headers, peer)?;
    if let Some(noted) = parts.extensions.get::<Noted>() {
        let _ = noted.key.set(key.id.clone());
    }
    guard.rate(&key)?;
    Ok(key)
}

fn unavailable() -> Refusal {
    Refusal::of_create(CreateRefusal::Unavailable, "")
}

const DRAINING_SECS: u64 = 30;
