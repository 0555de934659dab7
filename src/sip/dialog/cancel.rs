//! CANCEL, both ways, and its races (RFC 3261 §9).

use std::time::Instant;

use super::{
    IncomingRequest, SessionEnd, SessionId, UaEvent, UserAgent, VerbError,
    session::{Cancel, Exchange, NextBye, SessionTimer, State},
    user_agent::User,
};
use crate::sip::message::{HeaderName, Method, RequestBuilder};

impl UserAgent {
    /// Takes our INVITE back: now, or as soon as a provisional response allows it (§9.1).
    pub(super) fn cancel(
        &mut self,
        now: Instant,
        id: SessionId,
        headers: &[(String, String)],
        reason: Option<&str>,
    ) -> Result<(), VerbError> {
        let session = self.sessions.get_mut(id).ok_or(VerbError::NoSession)?;
        let State::Calling(calling) = &mut session.state else { return Ok(()) };
        if calling.cancel != Cancel::No {
            return Ok(());
        }
        calling.cancel = Cancel::Wanted;
        session.next_bye = Some(Box::new(NextBye { headers: headers.to_vec(), reason: reason.map(str::to_owned) }));
        let invite = calling.invite;
        if self.layer.is_cancellable(invite) {
            self.send_cancel(now, id);
        }
        Ok(())
    }

    pub(super) fn send_cancel(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let State::Calling(calling) = &mut session.state else { return };
        calling.cancel = Cancel::Sent;
        let invite = calling.invite;
        let Some(request) = self.layer.request(invite) else { return };
        // §9.1: the INVITE's Request-URI, Via, From, To, Call-ID, CSeq number and Route.
        let mut builder = RequestBuilder::new(&Method::CANCEL, request.uri_text());
        for name in [HeaderName::Via, HeaderName::MaxForwards, HeaderName::Route, HeaderName::From, HeaderName::To, HeaderName::CallId] {
            builder = builder.copy(request, name);
        }
        builder = builder.cseq(request.cseq().map(|cseq| cseq.0).unwrap_or_default());
        if let Some(wanted) = &session.next_bye {
            if let Some(reason) = &wanted.reason {
                builder = builder.header(HeaderName::Reason, reason);
            }
            builder = builder.others(wanted.headers.iter().map(|(name, value)| (name, value)));
        }
        match builder.build() {
            Ok(cancel) => {
                self.layer.start_cancel(now, invite, cancel, User::Nobody);
            }
            Err(error) => self.note(Some(id), "cancel-not-written", error.to_string()),
        }
        self.arm(now, id, SessionTimer::Cancelled, self.config.timers.patience());
    }

    /// §9.1: no final response 64·T1 after the CANCEL. The INVITE is given up.
    pub(super) fn cancel_unanswered(&mut self, now: Instant, id: SessionId) {
        if let Some(State::Calling(calling)) = self.sessions.get(id).map(|session| &session.state) {
            self.layer.destroy(calling.invite);
            self.finish(now, id, SessionEnd::Cancelled);
        }
    }

    /// §9.2: answered in any case; it changes something only where the INVITE has no final response yet.
    pub(super) fn receive_cancel(&mut self, now: Instant, incoming: &IncomingRequest) {
        let Some((User::Incoming(id), open)) = self.layer.cancelled(&incoming.key) else {
            return self.answer_now(now, incoming, 481, |builder| builder);
        };
        let Some(session) = self.sessions.get_mut(id) else {
            return self.answer_now(now, incoming, 200, |builder| builder);
        };
        // A CANCEL travels the INVITE's path; one from elsewhere is a stranger's guess.
        if !session.known.contains(&incoming.flow.remote.ip()) {
            self.note(Some(id), "stranger-in-dialog", format!("CANCEL from {}, which the dialog does not know", incoming.flow.remote));
            return self.answer_now(now, incoming, 481, |builder| builder);
        }
        // §9.2: the To tag of the 200 should be the INVITE's, and the stateless one does no harm; the Call-ID tells them together.
        self.answer_now(now, incoming, 200, |builder| builder);
        if !open {
            return;
        }
        let Some(session) = self.sessions.get(id) else { return };
        if let State::Ringing(ringing) = &session.state {
            let response = self.begin_response(&ringing.request, 487, "", Some(&session.dialog.local_tag)).build();
            let invite = ringing.invite;
            if let Ok(response) = response {
                self.layer.respond(now, invite, &response);
            }
            self.events.push_back(UaEvent::Cancelled { id, request: Box::new(incoming.request.clone()) });
            return self.finish(now, id, SessionEnd::Cancelled);
        }
        if matches!(session.exchange, Exchange::Theirs { .. }) {
            self.drop_their_offer(now, id, 487);
            self.exchange_over(now, id);
        }
    }
}
