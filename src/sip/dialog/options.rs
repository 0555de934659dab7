//! OPTIONS (RFC 3261 §11): asking whether somebody is there, and saying what we can do.

use std::{net::SocketAddr, time::Instant};

use super::{IncomingRequest, PingId, UserAgent, VerbError, reply::capabilities, user_agent::User};
use crate::sip::{
    message::{HeaderName, Method, RequestBuilder},
    transport::Transport,
};

impl UserAgent {
    /// Sends an OPTIONS outside of any dialog; its answer comes as `Pong`.
    pub fn ping(&mut self, now: Instant, target: &str, next_hop: (Transport, SocketAddr)) -> Result<PingId, VerbError> {
        let flow = self.local.flow_to(next_hop.0, next_hop.1).ok_or(VerbError::NoRoute)?;
        let (tag, call_id) = (self.ids.tag(0), self.ids.call_id());
        let contact = self.local.contact(&flow, "");
        let branch = self.layer.next_branch(&mut self.ids);
        let request = RequestBuilder::new(&Method::OPTIONS, target)
            .header(HeaderName::Via, &*self.local.via(&flow, &branch))
            .number(HeaderName::MaxForwards, 70)
            .header(HeaderName::From, format!("{contact};tag={tag}"))
            .header(HeaderName::To, format!("<{target}>"))
            .header(HeaderName::CallId, &*call_id)
            .cseq(1)
            .header(HeaderName::Contact, &contact)
            .header(HeaderName::Accept, "application/sdp")
            .header(HeaderName::UserAgent, &self.config.product)
            .build()?;
        self.last_ping += 1;
        let ping = PingId(self.last_ping);
        self.layer.start_client(now, request, branch, flow, User::Ping(ping));
        Ok(ping)
    }

    pub(super) fn receive_options(&mut self, now: Instant, incoming: &IncomingRequest) {
        self.answer_now(now, incoming, 200, capabilities);
    }
}
