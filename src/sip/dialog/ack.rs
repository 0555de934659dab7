//! ACK: the one that ends the repetition of our 2xx, and ours to 2xx that nobody wants any more (RFC 3261 §13.2.2.4, §13.3.1.4).

use std::time::Instant;

use super::{
    SessionEnd, SessionId, UaEvent, UserAgent,
    body::sdp_of,
    request::{NO_SLOT, ack_of_2xx},
    route_set::flow_within,
    session::{Exchange, SessionTimer, State},
    state::Dialog,
    user_agent::User,
};
use crate::sip::{
    ids::IdText,
    message::{HeaderName, Method, Request, Response},
    transaction::TransactionId,
    transport::{Flow, Transmit},
};

impl UserAgent {
    pub(super) fn receive_ack(&mut self, now: Instant, id: SessionId, ack: &Request) {
        let Ok((number, _)) = ack.cseq() else { return };
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let State::Answered { cseq, offered, .. } = session.state
            && cseq == number
        {
            let answer_sdp = if offered { sdp_of(ack) } else { None };
            return self.established(now, id, answer_sdp);
        }
        if let Exchange::Unacknowledged { cseq, offered, .. } = session.exchange
            && cseq == number
        {
            session.exchange = Exchange::Idle;
            self.disarm(id, SessionTimer::Repeat2xx);
            self.disarm(id, SessionTimer::NoAck);
            if offered && let Some(sdp) = sdp_of(ack) {
                self.events.push_back(UaEvent::OfferAnswered { id, sdp });
            }
            self.exchange_over(now, id);
        }
        // Else a repetition.
    }

    /// Our 2xx is acknowledged, by its ACK or by what only a confirmed peer would send.
    pub(super) fn established(&mut self, now: Instant, id: SessionId, answer_sdp: Option<bytes::Bytes>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.state = State::Confirmed;
        let next_bye = session.next_bye.take();
        self.disarm(id, SessionTimer::Repeat2xx);
        self.disarm(id, SessionTimer::NoAck);
        self.events.push_back(UaEvent::Established { id, answer_sdp });
        match next_bye {
            Some(bye) => self.leave_with(now, id, &bye.headers, bye.reason.as_deref()),
            None => self.exchange_over(now, id),
        }
    }

    pub(super) fn repeat_2xx(&mut self, now: Instant, id: SessionId) {
        let timers = self.config.timers;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (transmit, interval) = match (&mut session.state, &mut session.exchange) {
            (State::Answered { transmit, interval, .. }, _) | (_, Exchange::Unacknowledged { transmit, interval, .. }) => {
                (transmit, interval)
            }
            _ => return,
        };
        *interval = timers.backed_off(*interval);
        let (transmit, interval) = (transmit.clone(), *interval);
        self.layer.send(transmit);
        self.arm(now, id, SessionTimer::Repeat2xx, interval);
    }

    /// §13.3.1.4: after 64·T1 the session is hung up, also when it was a re-INVITE's 2xx.
    pub(super) fn ack_missing(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.exchange = Exchange::Idle;
            session.state = State::Confirmed;
        }
        self.leave(now, id, SessionEnd::NoAck);
    }

    /// A 2xx to an INVITE whose session is another's, or gone: acknowledged, and hung up (§13.2.2.4).
    pub(super) fn refuse_late_2xx(&mut self, now: Instant, transaction: TransactionId, response: &Response, flow: Flow) {
        let Some((dialog, established)) = self.dialog_of_2xx(transaction, response, flow) else { return };
        self.acknowledge_late(transaction, &dialog, established);
        let branch = self.layer.next_branch(&mut self.ids);
        let via = self.local.via(&established, &branch);
        let bye = dialog.begin(&Method::BYE, dialog.local_cseq + 1, &via);
        if let Ok(bye) = bye.header(HeaderName::Reason, "SIP;cause=487;text=\"Answered elsewhere or cancelled\"").build() {
            self.layer.start_client(now, bye, branch, established, User::Nobody);
        }
    }

    /// A 2xx to a re-INVITE of a session that is gone: acknowledged, so that it is not repeated.
    pub(super) fn acknowledge_gone(&mut self, transaction: TransactionId, response: &Response, flow: Flow) {
        if let Some((dialog, established)) = self.dialog_of_2xx(transaction, response, flow) {
            self.acknowledge_late(transaction, &dialog, established);
        }
    }

    fn acknowledge_late(&mut self, transaction: TransactionId, dialog: &Dialog, flow: Flow) {
        let branch = self.ids.branch(NO_SLOT);
        if let Ok(ack) = ack_of_2xx(dialog, dialog.local_cseq, &self.local.via(&flow, &branch), None) {
            let transmit = Transmit { flow, bytes: ack.raw().clone(), retransmission: false };
            self.layer.acknowledge(transaction, dialog.remote_tag.as_deref().unwrap_or_default(), transmit);
        }
    }

    /// The dialog of a 2xx, made of the INVITE and the response alone.
    fn dialog_of_2xx(&self, transaction: TransactionId, response: &Response, flow: Flow) -> Option<(Dialog, Flow)> {
        let request = self.layer.request(transaction)?;
        let mut dialog = Dialog {
            call_id: request.call_id()?.into(),
            local_tag: IdText::default(),
            remote_tag: None,
            local: request.text(HeaderName::From)?.into(),
            remote: request.text(HeaderName::To)?.into(),
            target: request.uri_text().into(),
            routes: Default::default(),
            local_cseq: request.cseq().ok()?.0,
            remote_cseq: None,
        };
        dialog.learn(response);
        let next_hop = dialog.routes.next_hop(&dialog.target);
        let established = flow_within(&self.local, flow, next_hop.as_ref());
        Some((dialog, established))
    }
}
