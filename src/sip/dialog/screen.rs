//! Whether a request outside of any dialog is one that we can take (RFC 3261 §8.2.1–§8.2.3), once its sender may ask.

use std::time::Instant;

use super::{
    IncomingRequest, UserAgent,
    body::{Refused, judge_body},
    request::{ALLOW, SUPPORTED},
};
use crate::sip::message::{HeaderName, Method, Request, ResponseBuilder};

impl UserAgent {
    /// Checks a request that the application has admitted. What cannot be taken is answered (405, 415, 420, 422, 481, 482, 483, 489,
    /// 501, 603) and None comes back.
    pub fn screen(&mut self, now: Instant, incoming: IncomingRequest) -> Option<IncomingRequest> {
        self.screen_or_refused(now, incoming).ok()
    }

    /// As [`UserAgent::screen`]; what was refused comes back with the code that it was answered with.
    ///
    /// # Errors
    /// The request can't be taken, and was answered.
    pub fn screen_or_refused(&mut self, now: Instant, incoming: IncomingRequest) -> Result<IncomingRequest, Box<(IncomingRequest, u16)>> {
        let Some(refusal) = self.refusal(&incoming) else { return Ok(incoming) };
        let (method, code) = (incoming.request.method().clone(), refusal.code);
        self.answer_now(now, &incoming, code, |builder| refusal.write(builder));
        self.note(None, "request-refused", format!("{method} from {} answered with {code}", incoming.flow.remote));
        Err(Box::new((incoming, code)))
    }

    fn refusal(&self, incoming: &IncomingRequest) -> Option<Refusal> {
        let request = &incoming.request;
        if let Some(refusal) = refusal_of_method(request.method()) {
            return Some(refusal);
        }
        // §8.2.2.2: the same request, come by two paths. One answer is enough.
        if self.layer.is_merged(&incoming.key) {
            return Some(Refusal::new(482));
        }
        if self.config.refuses_own_loops && self.has_passed_us(request) {
            return Some(Refusal::new(482));
        }
        // A call that may go no further (§16.3). OPTIONS stops here and is answered (§11).
        if *request.method() == Method::INVITE && request.max_forwards() == Some(0) {
            return Some(Refusal::new(483));
        }
        if let Some(unsupported) = self.unsupported_extensions(request) {
            return Some(Refusal::with(420, HeaderName::Unsupported, unsupported));
        }
        if *request.method() == Method::INVITE {
            match judge_body(request) {
                Ok(()) => {}
                Err(Refused::Type) => return Some(Refusal::with(415, HeaderName::Accept, "application/sdp".to_owned())),
                Err(Refused::Encoding) => return Some(Refusal::with(415, HeaderName::AcceptEncoding, "identity".to_owned())),
            }
            return self.interval_too_small(request).map(|least| Refusal::with(422, HeaderName::MinSe, least.to_string()));
        }
        None
    }

    /// Option tags in Require that we do not know, as the value of Unsupported (§8.2.2.3).
    pub(super) fn unsupported_extensions(&self, request: &Request) -> Option<String> {
        if !request.has(HeaderName::Require) {
            return None;
        }
        let known = |tag: &str| {
            SUPPORTED.split(", ").any(|known| known.eq_ignore_ascii_case(tag))
                || self.config.supported.iter().any(|known| known.eq_ignore_ascii_case(tag))
        };
        let unknown: Vec<_> = request.list(HeaderName::Require).filter(|tag| !known(tag)).map(|tag| tag.into_owned()).collect();
        (!unknown.is_empty()).then(|| unknown.join(", "))
    }

    /// A Via that we wrote below the top, or a Call-ID that we made: the request went out from here.
    fn has_passed_us(&self, request: &Request) -> bool {
        request.call_id().is_some_and(|call_id| self.ids.made_call_id(call_id))
            || request.vias().flatten().any(|via| via.branch().is_some_and(|branch| self.ids.slot_of_branch(branch).is_some()))
    }
}

/// What to answer instead.
struct Refusal {
    code: u16,
    header: Option<(HeaderName, String)>,
}

impl Refusal {
    fn new(code: u16) -> Self {
        Self { code, header: None }
    }

    fn with(code: u16, name: HeaderName, value: String) -> Self {
        Self { code, header: Some((name, value)) }
    }

    fn write(self, builder: ResponseBuilder) -> ResponseBuilder {
        match self.header {
            Some((name, value)) => builder.header(name, value),
            None => builder,
        }
    }
}

fn refusal_of_method(method: &Method) -> Option<Refusal> {
    match *method {
        Method::INVITE | Method::OPTIONS => None,
        // These live in dialogs, and this one has none.
        Method::BYE | Method::UPDATE | Method::PRACK | Method::INFO | Method::NOTIFY => Some(Refusal::new(481)),
        // RFC 3515 §2.4.2: we refer nobody that is not in a call with us.
        Method::REFER => Some(Refusal::new(603)),
        Method::SUBSCRIBE => Some(Refusal::with(489, HeaderName::AllowEvents, "refer".to_owned())),
        // §21.4.6, §21.5.2: known and not taken here; not known at all.
        Method::Known(_) => Some(Refusal::with(405, HeaderName::Allow, ALLOW.to_owned())),
        Method::Other(_) => Some(Refusal::with(501, HeaderName::Allow, ALLOW.to_owned())),
    }
}
