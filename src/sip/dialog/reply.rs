//! Answering requests (RFC 3261 §8.2.6): through a transaction, or without keeping anything (§8.2.7).

use std::{hash::Hasher as _, time::Instant};

use super::{IncomingRequest, SessionId, UserAgent, VerbError, request::ALLOW, request::SUPPORTED, user_agent::User};
use crate::sip::{
    message::{HeaderName, Method, Request, Response, ResponseBuilder},
    small_text::SmallText,
    transaction::TransactionId,
    transport::Transmit,
};

impl UserAgent {
    /// Answers a request outside of any dialog, through a server transaction.
    pub fn respond(
        &mut self,
        now: Instant,
        incoming: IncomingRequest,
        code: u16,
        reason: &str,
        headers: &[(String, String)],
    ) -> Result<(), VerbError> {
        let tag = self.stateless_tag(&incoming);
        let builder = self.begin_response(&incoming.request, code, reason, Some(&tag));
        let builder = describe(builder, &incoming.request, code);
        let response = builder.others(headers.iter().map(|(name, value)| (name, value))).build()?;
        let transaction = self.open(now, &incoming, User::Answered);
        self.layer.respond(now, transaction, &response);
        Ok(())
    }

    /// Answers without keeping anything: challenges, and refusals of strangers.
    pub fn respond_stateless(
        &mut self,
        _now: Instant,
        incoming: IncomingRequest,
        code: u16,
        reason: &str,
        headers: &[(String, String)],
    ) -> Result<(), VerbError> {
        self.refuse_stateless(&incoming, code, reason, |builder| builder.others(headers.iter().map(|(name, value)| (name, value))))
    }

    pub(super) fn refuse_stateless(
        &mut self,
        incoming: &IncomingRequest,
        code: u16,
        reason: &str,
        add: impl FnOnce(ResponseBuilder) -> ResponseBuilder,
    ) -> Result<(), VerbError> {
        let tag = self.stateless_tag(incoming);
        let response = add(self.begin_response(&incoming.request, code, reason, Some(&tag))).build()?;
        self.layer.send(Transmit { flow: incoming.reply(), bytes: response.raw().clone(), retransmission: false });
        Ok(())
    }

    /// Opens a transaction and answers at once.
    pub(super) fn answer_now(
        &mut self,
        now: Instant,
        incoming: &IncomingRequest,
        code: u16,
        add: impl FnOnce(ResponseBuilder) -> ResponseBuilder,
    ) {
        let tag = if incoming.request.to_tag().is_none() { Some(self.stateless_tag(incoming)) } else { None };
        let response = add(self.begin_response(&incoming.request, code, "", tag.as_deref())).build();
        let transaction = self.open(now, incoming, User::Answered);
        self.respond_built(now, transaction, response);
    }

    /// Answers a request whose transaction is open.
    pub(super) fn answer_open(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        request: &Request,
        code: u16,
        add: impl FnOnce(ResponseBuilder) -> ResponseBuilder,
    ) {
        let response = add(self.begin_response(request, code, "", None)).build();
        self.respond_built(now, transaction, response);
    }

    /// 100 for an INVITE that its user takes time for; also for a re-INVITE.
    pub(super) fn send_trying(&mut self, now: Instant, id: SessionId, transaction: TransactionId) {
        use super::session::{Exchange, State};
        let Some(session) = self.sessions.get(id) else { return };
        let request = match (&session.state, &session.exchange) {
            (State::Ringing(ringing), _) if ringing.invite == transaction => &ringing.request,
            (_, Exchange::Theirs { transaction: theirs, request, .. }) if *theirs == transaction => request,
            _ => return,
        };
        let response = ResponseBuilder::to(request, 100, "", None).build();
        self.respond_built(now, transaction, response);
    }

    pub(super) fn open(&mut self, now: Instant, incoming: &IncomingRequest, user: User) -> TransactionId {
        self.layer.open_server(now, &incoming.request, incoming.key, incoming.reply(), incoming.elsewhere, user)
    }

    pub(super) fn begin_response(&self, request: &Request, code: u16, reason: &str, to_tag: Option<&str>) -> ResponseBuilder {
        ResponseBuilder::to(request, code, reason, to_tag).header(HeaderName::Server, &self.config.product)
    }

    fn respond_built(&mut self, now: Instant, transaction: TransactionId, response: Result<Response, crate::sip::message::BuildError>) {
        match response {
            Ok(response) => self.layer.respond(now, transaction, &response),
            Err(error) => self.note(None, "response-not-written", format!("a response could not be written: {error}")),
        }
    }

    /// §8.2.7: a tag that is the same each time the same request comes.
    fn stateless_tag(&self, incoming: &IncomingRequest) -> SmallText<16> {
        let mut hasher = self.ids.hasher();
        hasher.write_u64(incoming.key.merge.unwrap_or(incoming.key.own));
        SmallText::default().hex(hasher.finish(), 16)
    }
}

/// What we can do, where the answer is the place to say it (§11.2, §8.2.1, §20.5).
fn describe(builder: ResponseBuilder, request: &Request, code: u16) -> ResponseBuilder {
    match (request.method(), code) {
        (&Method::OPTIONS, 200) => capabilities(builder),
        (_, 405) => builder.header(HeaderName::Allow, ALLOW),
        (_, 503) => builder.header(HeaderName::RetryAfter, RETRY_AFTER_SECS),
        _ => builder,
    }
}

/// The answer to OPTIONS (§11.2).
pub(super) fn capabilities(builder: ResponseBuilder) -> ResponseBuilder {
    builder
        .header(HeaderName::Allow, ALLOW)
        .header(HeaderName::Accept, "application/sdp, message/sipfrag")
        .header(HeaderName::AcceptEncoding, "identity")
        .header(HeaderName::AcceptLanguage, "en")
        .header(HeaderName::Supported, SUPPORTED)
}

/// How long a caller that we have no room for should wait.
pub(super) const RETRY_AFTER_SECS: &str = "5";
