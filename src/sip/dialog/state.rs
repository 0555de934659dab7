//! What a dialog is (RFC 3261 §12): its two ends, its sequence numbers, its target and its route set.

use crate::sip::{
    ids::IdText,
    message::{Fields, HeaderName, Method, Request, RequestBuilder, Response, Uri},
};

use super::route_set::RouteSet;

/// A dialog, or what will become one: a caller's peer has no tag until it answers.
#[derive(Debug, Clone)]
pub(super) struct Dialog {
    pub call_id: Box<str>,
    pub local_tag: IdText,
    /// A peer of RFC 2543 may have none for good.
    pub remote_tag: Option<Box<str>>,
    /// Our From or To value, with our tag.
    pub local: Box<str>,
    /// The peer's, with its tag.
    pub remote: Box<str>,
    /// The peer's Contact: the Request-URI of what we send.
    pub target: Box<str>,
    pub routes: RouteSet,
    pub local_cseq: u32,
    pub remote_cseq: Option<u32>,
}

impl Dialog {
    /// §12.1.1: the callee's side, made of the INVITE.
    pub fn of_callee(request: &Request, local_tag: IdText) -> Self {
        let to = request.text(HeaderName::To).unwrap_or_default();
        let local = [&*to, ";tag=", &local_tag].concat().into();
        // RFC 2543 knows INVITEs without Contact: there the caller is where From says.
        let target = target_of(request).or_else(|| request.from().ok().map(|from| from.uri.without_headers()));
        Self {
            call_id: request.call_id().unwrap_or_default().into(),
            local_tag,
            remote_tag: request.from_tag().map(|tag| tag.into()),
            local,
            remote: request.text(HeaderName::From).unwrap_or_default().into(),
            target: target.map(|target| target.as_str().into()).unwrap_or_default(),
            routes: RouteSet::of_request(request),
            local_cseq: 0,
            remote_cseq: request.cseq().ok().map(|cseq| cseq.0),
        }
    }

    /// §12.1.2: the caller's side, made or renewed of a response with a tag.
    pub fn learn(&mut self, response: &Response) {
        if let Some(tag) = response.to_tag()
            && self.remote_tag.as_deref() != Some(&*tag)
        {
            self.remote_tag = Some(tag.into());
            self.remote = response.text(HeaderName::To).unwrap_or_default().into();
            self.remote_cseq = None;
        }
        self.refresh_target(response);
        // §13.2.2.4: a 2xx replaces the route set of the provisional response.
        self.routes = RouteSet::of_response(response);
    }

    /// §12.2: the Contact of a target refresh replaces the target; the route set stays.
    /// Whether it was another one.
    pub fn refresh_target(&mut self, message: &Fields) -> bool {
        // Nearly always it is the one that we have.
        if message.contact_is(&self.target) {
            return false;
        }
        let Some(target) = target_of(message).filter(|target| *target.as_str() != *self.target) else { return false };
        self.target = target.as_str().into();
        true
    }

    /// Starts a request to the peer: all headers that the dialog itself knows.
    pub fn begin(&self, method: &Method, cseq: u32, via: &str) -> RequestBuilder {
        self.begin_within(method, cseq, via, 70)
    }

    /// As `begin`, with so many hops to go.
    pub fn begin_within(&self, method: &Method, cseq: u32, via: &str, max_forwards: u8) -> RequestBuilder {
        self.routes
            .begin(method, &self.target)
            .header(HeaderName::Via, via)
            .number(HeaderName::MaxForwards, max_forwards.into())
            .header(HeaderName::From, &self.local)
            .header(HeaderName::To, &self.remote)
            .header(HeaderName::CallId, &self.call_id)
            .cseq(cseq)
    }
}

/// The first Contact's URI, without headers, which are no part of a Request-URI.
fn target_of(message: &Fields) -> Option<Uri> {
    Some(message.contact()?.ok()?.uri.without_headers())
}
