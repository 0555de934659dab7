//! What a user agent tells its application, and what the application hands it.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;

use crate::sip::{
    message::{BuildError, Fault, Method, Request, Response},
    transaction::ServerKey,
    transport::{Flow, Transmit, Transport},
};

/// One INVITE session of one user agent. Dead after its [`UaEvent::Ended`]; never used again for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(super) u64);

/// One REFER inside a session, and the subscription that it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReferId {
    /// The CSeq of the REFER, which is also the `id` of its subscription (RFC 3515 §2.4.6).
    pub(super) cseq: u32,
    pub(super) sent_by_us: bool,
}

/// One OPTIONS request sent outside of any dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PingId(pub(super) u64);

/// What comes out of a user agent.
#[derive(Debug)]
pub enum UaOutput {
    Transmit(Transmit),
    Event(UaEvent),
}

/// A request outside of any dialog, seen for the first time. No transaction exists yet.
#[derive(Debug, Clone)]
pub struct IncomingRequest {
    pub request: Request,
    pub flow: Flow,
    pub(super) key: ServerKey,
    /// Where responses go, and to which port if that connection is gone (§18.2.2).
    pub(super) reply_to: SocketAddr,
    pub(super) elsewhere: u16,
}

/// Where an INVITE goes and what it carries.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// The Request-URI; headers after `?` are no part of it (§19.1.5).
    pub target: String,
    /// Where to send it, best first: tried in order on 503, silence or a broken transport (RFC 3263 §4.3).
    pub next_hops: Vec<(Transport, SocketAddr)>,
    /// The From address as a name-addr, without a tag.
    pub from: String,
    /// The To address as a name-addr; None: the target.
    pub to: Option<String>,
    /// The user part of our Contact; may be empty.
    pub contact_user: String,
    /// Further headers, in this order.
    pub headers: Vec<(String, String)>,
    /// The SDP offer; None asks the peer for one (§13.2.1).
    pub offer: Option<Bytes>,
    pub credentials: Option<ClientCredentials>,
    pub max_forwards: u8,
    pub call_id: Option<String>,
    /// Ask for a session timer of so many seconds (RFC 4028).
    pub session_expires: Option<u32>,
}

impl Default for NewInvite {
    fn default() -> Self {
        Self {
            target: String::new(),
            next_hops: Vec::new(),
            from: String::new(),
            to: None,
            contact_user: String::new(),
            headers: Vec::new(),
            offer: None,
            credentials: None,
            // §8.1.1.6
            max_forwards: 70,
            call_id: None,
            session_expires: None,
        }
    }
}

/// Answers digest challenges. `Debug` never shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    pub username: Arc<str>,
    pub password: Arc<str>,
    /// Answer challenges to requests inside the dialog, too. ACK and CANCEL are never challenged (§22.1).
    pub in_dialog: bool,
}

impl std::fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCredentials").field("username", &self.username).field("in_dialog", &self.in_dialog).finish_non_exhaustive()
    }
}

/// By which request an offer came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfferBy {
    Reinvite,
    Update,
    /// In the PRACK of a reliable provisional response (RFC 3262 §5).
    Prack,
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    RemoteBye,
    LocalBye,
    /// The caller took the call back before it was answered: they or we.
    Cancelled,
    /// A final response other than 2xx, theirs or ours.
    Rejected {
        code: u16,
        reason: String,
    },
    /// Our 2xx was never acknowledged (§13.3.1.4); we have sent BYE.
    NoAck,
    /// The session timer ran out (RFC 4028 §10); we have sent BYE.
    SessionExpired,
    TransportFailed,
    /// The peer never answered.
    Timeout,
}

/// What happened. Events of a session come in their order, and [`UaEvent::Ended`] is the last.
#[derive(Debug)]
pub enum UaEvent {
    /// A new request outside of a dialog. Judge who sent it; then [`UserAgent::screen`](super::UserAgent::screen) it (unless the user
    /// agent screens by itself), and accept or answer.
    Request(Box<IncomingRequest>),

    /// The dialog's next hop is this name: have it looked up, and hand in what is found by
    /// [`UserAgent::aim_at`](super::UserAgent::aim_at). Until then requests go to where the peer's come from.
    NextHop { id: SessionId, uri: String },

    /// A provisional response (101–199) to our INVITE.
    Progress { id: SessionId, code: u16, reason: String, sdp: Option<Bytes> },
    /// A 2xx to our INVITE; acknowledged already, unless it offers because we did not: then call `answer_offer`.
    Answered { id: SessionId, response: Box<Response>, sdp: Option<Bytes> },
    /// A final response other than 2xx to our INVITE; 408 and no response where nobody answered, 503 where the transport failed.
    /// Followed by `Ended`.
    Rejected { id: SessionId, code: u16, reason: String, response: Option<Box<Response>> },
    /// The ACK to our 2xx; with the answer, where our 2xx made the offer.
    Established { id: SessionId, answer_sdp: Option<Bytes> },

    /// The peer changes the session: answer by `answer_offer` or `refuse_offer`.
    Offer { id: SessionId, sdp: Bytes, by: OfferBy },
    /// A re-INVITE without SDP: hand our offer to `answer_offer`. The answer comes as `OfferAnswered`.
    OfferWanted { id: SessionId },
    /// The peer's answer to an offer of ours within the session.
    OfferAnswered { id: SessionId, sdp: Bytes },
    /// Our re-INVITE was refused; the session goes on as it was (§14.1).
    OfferRefused { id: SessionId, code: u16 },

    /// The peer asks us to refer: `accept_refer` or `refuse_refer`.
    Refer { id: SessionId, refer: ReferId, request: Box<Request> },
    /// The final response to our REFER.
    ReferResponse { id: SessionId, refer: ReferId, code: u16, reason: String },
    /// How our REFER goes on; answered with 200 already. No sipfrag: the body was missing or unreadable.
    Notify { id: SessionId, refer: ReferId, sipfrag: Option<(u16, String)>, terminated: bool },
    /// The subscription of the peer's REFER is gone: refused, or never answered.
    SubscriptionEnded { id: SessionId, refer: ReferId },

    /// An INFO; answered with 200 already.
    Info { id: SessionId, request: Box<Request> },
    /// The peer hung up; answered with 200 already. `Ended` follows, at once or when a REFER's last NOTIFY is through.
    Bye { id: SessionId, request: Box<Request> },
    /// The peer took its INVITE back; answered already. `Ended` follows.
    Cancelled { id: SessionId, request: Box<Request> },
    /// The last event of a session.
    Ended { id: SessionId, why: SessionEnd },

    /// The final response to an OPTIONS of ours; None: no answer.
    Pong { ping: PingId, code: Option<u16> },

    /// Something came that can't be read or used. `answered`: with which code.
    Malformed { flow: Flow, fault: Fault, answered: Option<u16>, bytes: Bytes },
    /// A request for a dialog that does not exist, answered with 481 (an ACK is dropped).
    DialogUnknown { flow: Flow, method: Method, call_id: String },
    /// Something worth telling that changed nothing: a rule's name and a sentence.
    Note { id: Option<SessionId>, rule: &'static str, text: String },
}

/// Why a verb did nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerbError {
    /// It ended, perhaps in the same moment: its `Ended` tells why.
    #[error("the session is over")]
    NoSession,
    #[error("{0}")]
    State(&'static str),
    #[error("cannot be written as SIP: {0}")]
    Build(#[from] BuildError),
    #[error("no listener can send to any of the targets")]
    NoRoute,
    #[error("too many transactions or sessions")]
    Overload,
}

/// How a session stands, for screens and tests.
#[derive(Debug, Clone)]
pub struct SessionInfo<'a> {
    pub call_id: &'a str,
    /// The From or To value that is ours, with its tag.
    pub local: &'a str,
    /// The peer's, with its tag once we know it.
    pub remote: &'a str,
    pub local_tag: &'a str,
    pub remote_tag: Option<&'a str>,
    pub remote_target: &'a str,
    pub flow: Flow,
    pub state: &'static str,
}

/// How much is alive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub transactions: usize,
    pub sessions: usize,
    pub timers: usize,
}
