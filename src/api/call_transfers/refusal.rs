//! A refusal on its way out: the fault, and what its answer's headers say beside it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::contract::{
    api_fault::{ApiFault, Cause},
    create_refusal::CreateRefusal,
};

/// Travels as an extension of a bare answer, until the envelope writes the body with the request's number.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub fault: ApiFault,
    pub retry_after_secs: Option<u64>,
}

impl Refusal {
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { fault: ApiFault::new(cause, message), retry_after_secs: None }
    }

    pub fn retry_after(self, secs: u64) -> Self {
        Self { retry_after_secs: Some(secs.max(1)), ..self }
    }

    /// A create that was refused, for a number of `country`.
    pub fn of_create(refusal: CreateRefusal, country: &str) -> Self {
        Self { fault: refusal.fault(country), retry_after_secs: refusal.retry_after_secs() }
    }

    pub fn internal() -> Self {
        Self::new(Cause::Internal, "Something is wrong with the bridge; its operator finds the requestId in the log")
    }
}

impl From<ApiFault> for Refusal {
    fn from(fault: ApiFault) -> Self {
        Self { fault, retry_after_secs: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = StatusCode::from_u16(self.fault.cause.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        let headers = response.headers_mut();
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, secs.into());
        }
        match self.fault.cause {
            // RFC 9110 §11.6.1: a 401 names a scheme.
            Cause::NoKey | Cause::WrongKey => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey realm=\"call-transfers\""));
            }
            // Whoever guesses keys opens a connection for each guess.
            Cause::TooManyFailures => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response.extensions_mut().insert(self);
        response
    }
}
