//! A call transfer as its JSON. A password has no place in it.

use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::{InputContextSchema, Kind, Method, Outcome, Status, Variables};
use crate::model::{self, OutputContext, Timestamp, TransferTarget};

/// A call transfer as it stands
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallTransfer<'a> {
    id: &'a str,
    external_conversation_id: &'a str,
    /// ACTIVE → ONGOING (its call is admitted, its number is released) → COMPLETED, or ACTIVE → EXPIRED; no other edge, ever
    #[schema(value_type = Status)]
    status: model::TransferStatus,
    #[serde(rename = "type")]
    #[schema(value_type = Kind)]
    kind: model::TransferKind,
    #[schema(format = DateTime)]
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    call_received_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    completed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = LeasedNumber<'a>, required = false)]
    phone_number: Option<LeasedNumber<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = SipReturn<'a>, required = false)]
    sip: Option<SipReturn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = InputContextSchema, required = false)]
    input_context: Option<InputContext<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = OutputContextSchema, required = false)]
    output_context: Option<&'a OutputContext>,
}

/// The number to dial, and until when
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LeasedNumber<'a> {
    #[schema(pattern = r"^\+[1-9][0-9]{3,14}$")]
    transfer_number: &'a str,
    country: &'a str,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// How the call goes back
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SipReturn<'a> {
    #[schema(value_type = Method, required = false)]
    return_transfer_type: model::ReturnMethod,
    /// Exactly as given
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    return_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ReturnUser<'a>, required = false)]
    return_invite_authentication: Option<ReturnUser<'a>>,
}

/// Who answers a challenge; the password never comes back
#[derive(Serialize, ToSchema)]
struct ReturnUser<'a> {
    #[schema(required = false)]
    username: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InputContext<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    task_name: Option<&'a str>,
    #[serde(skip_serializing_if = "model::Variables::is_empty")]
    input_variables: &'a model::Variables,
}

/// What the agent handed back, whole; absent where the customer hung up first
#[derive(ToSchema)]
#[schema(as = OutputContext, rename_all = "camelCase")]
#[expect(dead_code, reason = "the specification of `model::OutputContext`, which knows no HTTP")]
struct OutputContextSchema {
    #[schema(required = false)]
    transfer_type: Outcome,
    #[schema(required = false)]
    current_task_name: String,
    #[schema(required = false)]
    reference_variables: Variables,
    #[schema(required = false)]
    transfer_variables: Variables,
}

impl<'a> CallTransfer<'a> {
    pub fn of(transfer: &'a model::CallTransfer) -> Self {
        let (phone_number, sip) = match &transfer.target {
            TransferTarget::PhoneNumber { country } => {
                let number = LeasedNumber {
                    transfer_number: transfer.number.as_deref().unwrap_or_default(),
                    country,
                    expires_at: date_time(transfer.expires_at),
                };
                (Some(number), None)
            }
            TransferTarget::Sip(returns) => {
                let sip = SipReturn {
                    return_transfer_type: returns.method,
                    return_uri: returns.uri.as_deref(),
                    return_invite_authentication: returns.auth.as_ref().map(|user| ReturnUser { username: &user.username }),
                };
                (None, Some(sip))
            }
        };
        Self {
            id: &transfer.id,
            external_conversation_id: &transfer.external_conversation_id,
            status: transfer.status,
            kind: transfer.target.kind(),
            created_at: date_time(transfer.created_at),
            call_received_at: transfer.call_received_at.map(date_time),
            completed_at: transfer.completed_at.map(date_time),
            phone_number,
            sip,
            input_context: transfer
                .input_context
                .as_ref()
                .map(|context| InputContext { task_name: context.task_name.as_deref(), input_variables: &context.input_variables }),
            output_context: transfer.output_context.as_ref(),
        }
    }
}

/// RFC 3339, in UTC, with milliseconds.
fn date_time(at: Timestamp) -> String {
    let micros = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).map(|at| format!("{at:.3}")).unwrap_or_default()
}
