//! The API's specification, made from the code: what `/openapi.json` says.
//!
//! The words and limits are those that `contract::new_transfer` reads by; a test breaks each and looks for a 400.

#![expect(dead_code, reason = "the request's types are read by hand, for messages that help; here they are described")]

use std::borrow::Cow;

use serde_json::json;
use utoipa::{
    Modify, OpenApi, PartialSchema, ToResponse, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{AdditionalProperties, Type},
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};

use super::{
    guard::{KEY_ID, KEY_SECRET},
    handlers,
};
use crate::{
    contract::new_transfer::{ID_CHARACTERS, RETURN_URI_CHARACTERS},
    model::{self, ReturnMethod, TransferStatus},
};

/// The specification as JSON.
pub fn document() -> String {
    Specification::openapi().to_json().unwrap_or_default()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Call transfers",
        version = "1",
        description = "Announces a call to the bridge together with its context, and tells what became of it."
    ),
    paths(handlers::create, handlers::read),
    components(schemas(Kind, Status, Method, Outcome, Variables, Error), responses(ErrorAnswer)),
    security(("apiId" = [], "apiSecret" = [])),
    modifiers(&Keys)
)]
struct Specification;

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, header) in [("apiId", KEY_ID), ("apiSecret", KEY_SECRET)] {
            components.add_security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(header))));
        }
    }
}

/// What a call transfer is made of
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct NewCallTransfer {
    /// Unique per attempt
    #[schema(schema_with = id)]
    id: String,
    #[schema(schema_with = id)]
    external_conversation_id: String,
    #[schema(rename = "type")]
    kind: Kind,
    #[schema(required = false)]
    phone_number: PhoneNumber,
    #[schema(required = false)]
    sip: Sip,
    #[schema(required = false)]
    input_context: InputContextSchema,
}

/// Required for PHONE_NUMBER
#[derive(ToSchema)]
struct PhoneNumber {
    /// ISO 3166-1 alpha-2
    #[schema(schema_with = country)]
    country: String,
}

/// How the call goes back; without it, by BYE
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct Sip {
    #[schema(required = false)]
    return_transfer_type: Method,
    /// A sip: or sips: URI, required for REFER and INVITE
    #[schema(schema_with = return_uri, required = false)]
    return_uri: String,
    /// Another spelling of returnUri; not both
    #[schema(rename = "returnURI", schema_with = return_uri, required = false)]
    return_uri_in_capitals: String,
    #[schema(required = false)]
    return_invite_authentication: Credential,
}

/// Answers a challenge to the INVITE that returns: both or none
#[derive(ToSchema)]
struct Credential {
    #[schema(schema_with = text, required = false)]
    username: String,
    #[schema(schema_with = password, required = false)]
    password: String,
}

/// What the agent is told
#[derive(ToSchema)]
#[schema(as = InputContext, rename_all = "camelCase")]
pub(super) struct InputContextSchema {
    /// Absent: the agent picks
    #[schema(schema_with = text, required = false)]
    task_name: String,
    #[schema(required = false)]
    input_variables: Variables,
}

/// A refusal
#[derive(ToSchema)]
struct Error {
    error: ErrorDetail,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct ErrorDetail {
    /// As in the header x-request-id, and in the bridge's log
    request_id: String,
    /// The status and one fixed number per cause
    #[schema(pattern = "^[0-9]{3}-[0-9]{2}$")]
    code: String,
    /// Names the field and what is allowed
    message: String,
}

#[derive(ToResponse)]
#[response(
    description = "failed",
    headers(("x-request-id" = String, description = "As in the body"), ("retry-after" = u64, description = "Seconds; with 429 and 503"))
)]
pub(super) struct ErrorAnswer(Error);

/// A type whose values are a few words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $words:expr, $default:expr) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some($words)).default($default).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

words!(Kind: ["PHONE_NUMBER", "SIP"], None);
words!(Status: [TransferStatus::Active, TransferStatus::Ongoing, TransferStatus::Completed, TransferStatus::Expired].map(TransferStatus::wire), None);
words!(Method: [ReturnMethod::Bye, ReturnMethod::Refer, ReturnMethod::Invite].map(ReturnMethod::name), Some(json!("BYE")));
words!(Outcome: [model::Outcome::Agent, model::Outcome::System].map(model::Outcome::wire), None);

/// Texts by name.
pub(super) struct Variables;

impl PartialSchema for Variables {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(text().min_length(Some(1))))
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(Schema::from(text())))))
            .into()
    }
}

impl ToSchema for Variables {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Variables")
    }
}

/// No control characters: line breaks and the like would end a SIP header.
fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^[^\u0000-\u001F\u007F-\u009F]*$"))
}

fn id() -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(ID_CHARACTERS))
}

fn return_uri() -> ObjectBuilder {
    text().max_length(Some(RETURN_URI_CHARACTERS))
}

fn password() -> ObjectBuilder {
    text().write_only(true)
}

fn country() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Z]{2}$"))
}
