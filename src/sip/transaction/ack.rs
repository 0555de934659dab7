//! The ACK for a final response other than 2xx (RFC 3261 §17.1.1.3): it belongs to the INVITE's transaction.

use crate::sip::message::{HeaderName, Method, Request, RequestBuilder, Response};

/// None where the request has none of the headers that it must have.
pub(super) fn ack_of_refusal(invite: &Request, response: &Response) -> Option<Request> {
    let number = invite.cseq().ok()?.0;
    // A single Via, equal to the INVITE's top one: we send no other. Route as in the INVITE; To as in the response, with its tag.
    RequestBuilder::new(&Method::ACK, invite.uri_text())
        .copy(invite, HeaderName::Via)
        .copy(invite, HeaderName::MaxForwards)
        .copy(invite, HeaderName::Route)
        .copy(invite, HeaderName::From)
        .copy(response, HeaderName::To)
        .copy(invite, HeaderName::CallId)
        .cseq(number)
        .build()
        .ok()
}
