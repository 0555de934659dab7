//! One INVITE session (RFC 3261 §13–§15): its states, and the slab that holds all sessions.
//!
//! ```text
//!   we call                                    the peer calls
//!      | INVITE                                   | INVITE
//!      V                                          V
//!   CALLING -- 300-699, silence --+            RINGING -- CANCEL, our 300-699, no PRACK --+
//!      |    \                     |               |                                       |
//!      |     \ 2xx with an offer  |               | our 2xx                               |
//!  2xx:|      V                   |               V                                       |
//!   ACK|    ACKING                |            ANSWERED (2xx repeated) -- no ACK --+      |
//!      V      | answer in ACK     |               | ACK                            |      |
//!   CONFIRMED <                   |               V                                | BYE  |
//!      |                          |            CONFIRMED                           |      |
//!      | our BYE: LEAVING --------+               | BYE: 200                       V      |
//!      | BYE: 200                 |               V                             LEAVING   |
//!      V                          V            (a REFER under way: LINGERING)      |      |
//!   ended                       ended             ended <--------------------------+------+
//! ```

use std::{collections::VecDeque, net::IpAddr, time::Duration};

use bytes::Bytes;
use slab::Slab;
use smallvec::SmallVec;

use super::{ClientCredentials, OfferBy, ReferId, SessionEnd, SessionId, SessionInfo, session_timer::Interval, state::Dialog};
use crate::sip::{
    message::{Request, Response},
    transaction::TransactionId,
    transport::{ConnectionId, Flow, Transmit, Transport},
};

pub(super) struct Session {
    generation: u32,
    pub state: State,
    pub dialog: Dialog,
    /// Where our requests inside the dialog go.
    pub flow: Flow,
    /// The next hop where it is a name, and where that led.
    pub named: Option<Box<NamedHop>>,
    /// Addresses that the dialog knows: requests inside it may come from them.
    pub known: SmallVec<[IpAddr; 4]>,
    /// Our Contact value.
    pub contact: Box<str>,
    pub exchange: Exchange,
    /// An offer of ours that waits until the present exchange is over.
    pub next_offer: Option<Bytes>,
    /// The session description that we sent last: what a refresh by re-INVITE repeats.
    pub local_sdp: Option<Bytes>,
    pub referrals: Vec<Referral>,
    pub interval: Option<Interval>,
    /// Whether the dialog began with an INVITE of ours: the owner of the Call-ID waits longer after 491 (§14.1).
    pub is_caller: bool,
    pub peer_allows_update: bool,
    pub credentials: Option<ClientCredentials>,
    /// Challenges answered since the last success.
    pub challenges: u8,
    /// The nonce answered last, and how often.
    pub nonce: Option<(Box<str>, u32)>,
    /// A reliable response that our 2xx overtook, by RSeq and CSeq: its PRACK may still come (RFC 3262 §3).
    pub overtaken: Option<(u32, u32)>,
    /// A BYE that waits for the ACK of our 2xx (§15).
    pub next_bye: Option<Box<NextBye>>,
    pub timers: [u64; SessionTimer::COUNT],
}

/// A next hop that had to be looked up (RFC 3263).
pub(super) struct NamedHop {
    pub uri: Box<str>,
    pub flow: Option<Flow>,
}

/// What the application wants in its BYE.
pub(super) struct NextBye {
    pub headers: Vec<(String, String)>,
    pub reason: Option<String>,
}

pub(super) enum State {
    Calling(Box<Calling>),
    /// The 2xx made an offer; the application's answer goes into the ACK.
    Acking {
        invite: TransactionId,
        cseq: u32,
    },
    Ringing(Box<Ringing>),
    /// Our 2xx is out. `offered`: it made the offer.
    Answered {
        transmit: Transmit,
        interval: Duration,
        cseq: u32,
        offered: bool,
    },
    Confirmed,
    /// Our BYE is out.
    Leaving {
        why: SessionEnd,
    },
    /// The BYE is through, and a REFER's NOTIFYs are not. `silent`: the application has been told the end already.
    Lingering {
        why: SessionEnd,
        silent: bool,
    },
}

/// Our INVITE is out.
pub(super) struct Calling {
    pub invite: TransactionId,
    pub cseq: u32,
    pub cancel: Cancel,
    pub next_hops: Vec<(Transport, std::net::SocketAddr)>,
    /// The one that we are at.
    pub hop: usize,
    /// The peer makes the offer.
    pub late_offer: bool,
    /// Early dialogs: the peer's tag, and the last reliable response seen in it (RFC 3262 §4).
    pub early: Vec<(Box<str>, u32)>,
    /// A reliable response made the offer: the PRACK waits for our answer.
    pub prack_wanted: Option<u32>,
    /// 422 makes us ask again, once.
    pub asked_again: bool,
}

/// §9.1: no CANCEL before a provisional response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancel {
    No,
    Wanted,
    Sent,
}

/// The peer's INVITE has no final response yet.
pub(super) struct Ringing {
    pub invite: TransactionId,
    pub request: Request,
    /// Whether the peer requires reliable provisional responses.
    pub requires_reliable: bool,
    pub last_rseq: u32,
    /// The reliable response that waits for its PRACK.
    pub unacknowledged: Option<Reliable>,
    /// What waits behind it.
    pub waiting: VecDeque<Waiting>,
    /// The provisional response that went out last, if it was not reliable.
    pub last: Option<Response>,
    /// A reliable response has made our offer, so the 2xx need not.
    pub offered: bool,
}

pub(super) struct Reliable {
    pub rseq: u32,
    pub transmit: Transmit,
    pub interval: Duration,
    pub has_sdp: bool,
    /// What it said is an offer of ours, answered in the PRACK.
    pub offers: bool,
}

/// A response that the application wants sent after the one under way.
pub(super) struct Waiting {
    pub code: u16,
    pub sdp: Option<Bytes>,
    pub headers: Vec<(String, String)>,
}

/// An offer and its answer within the session, by re-INVITE or UPDATE (§14, RFC 3311).
///
/// ```text
///           our re-INVITE --> OURS ---- 2xx: ACK, refusal ----------+
///          /                   | 491: wait, then again              |
///   IDLE ---- our UPDATE --> REFRESHING ---- final response --------+--> IDLE
///          \                                                        |
///           their offer --> THEIRS -- we answer --> UNACKNOWLEDGED -+
///                              \                    (re-INVITE: until ACK)
///                               +-- we refuse, they cancel ---------+
/// ```
pub(super) enum Exchange {
    Idle,
    /// `refresh`: it only keeps the session alive, and the application never hears of it.
    Ours {
        reinvite: TransactionId,
        cseq: u32,
        sdp: Bytes,
        refresh: bool,
    },
    Refreshing {
        update: TransactionId,
    },
    Theirs {
        transaction: TransactionId,
        request: Box<Request>,
        by: OfferBy,
    },
    /// Our 2xx to their re-INVITE. `offered`: it made the offer.
    Unacknowledged {
        transmit: Transmit,
        interval: Duration,
        cseq: u32,
        offered: bool,
    },
}

/// A REFER and its subscription.
pub(super) struct Referral {
    pub id: ReferId,
    pub state: ReferralState,
}

pub(super) enum ReferralState {
    /// Ours. `event`: the CSeq of the REFER as sent last, the id of its NOTIFYs.
    Sent { event: u32, answered: bool },
    /// Theirs, and the application has not said yet.
    Asked { transaction: TransactionId, request: Box<Request> },
    /// Theirs, accepted: NOTIFYs go one after the other, so that none overtakes another.
    Notifying { busy: bool, waiting: VecDeque<(String, bool)>, silent: bool },
}

/// The timers of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionTimer {
    /// Repeat our 2xx (§13.3.1.4).
    Repeat2xx,
    NoAck,
    /// Say once more that the call rings (§13.3.1.1).
    StillRinging,
    /// Repeat our reliable provisional response (RFC 3262 §3).
    RepeatReliable,
    NoPrack,
    /// Send a re-INVITE again after 491 (§14.1).
    Glare,
    /// Refresh the session, or end it (RFC 4028 §10).
    Refresh,
    Expire,
    /// A cancelled INVITE that gets no final response (§9.1).
    Cancelled,
    Linger,
}

impl SessionTimer {
    pub const COUNT: usize = Self::Linger as usize + 1;
}

impl Session {
    pub fn new(dialog: Dialog, flow: Flow, contact: String, state: State) -> Self {
        Self {
            generation: 0,
            is_caller: matches!(state, State::Calling(_)),
            state,
            dialog,
            flow,
            named: None,
            known: SmallVec::from_slice(&[flow.remote.ip()]),
            contact: contact.into(),
            exchange: Exchange::Idle,
            next_offer: None,
            local_sdp: None,
            referrals: Vec::new(),
            interval: None,
            peer_allows_update: false,
            credentials: None,
            challenges: 0,
            nonce: None,
            overtaken: None,
            next_bye: None,
            timers: [0; SessionTimer::COUNT],
        }
    }

    /// Lets requests inside the dialog come from this address, too.
    pub fn know(&mut self, ip: IpAddr) {
        if !self.known.contains(&ip) && self.known.len() < MOST_KNOWN {
            self.known.push(ip);
        }
    }

    /// Whether the tag is that of the peer, or of one of the phones that our INVITE forked to.
    pub fn is_peer(&self, tag: Option<&str>) -> bool {
        self.dialog.remote_tag.as_deref() == tag
            || matches!(&self.state, State::Calling(calling) if calling.early.iter().any(|(known, _)| Some(&**known) == tag))
    }

    /// How it stands, in the words of the figure.
    pub fn info(&self) -> SessionInfo<'_> {
        SessionInfo {
            call_id: &self.dialog.call_id,
            local: &self.dialog.local,
            remote: &self.dialog.remote,
            local_tag: &self.dialog.local_tag,
            remote_tag: self.dialog.remote_tag.as_deref(),
            remote_target: &self.dialog.target,
            flow: self.flow,
            state: self.state_name(),
        }
    }

    fn state_name(&self) -> &'static str {
        match (&self.state, &self.exchange) {
            (State::Calling(calling), _) if calling.cancel != Cancel::No => "Cancelling",
            (State::Calling(calling), _) if !calling.early.is_empty() => "Early",
            (State::Calling(_), _) => "Calling",
            (State::Acking { .. }, _) => "Acking",
            (State::Ringing(_), _) => "Ringing",
            (State::Answered { .. }, _) => "Answered",
            (State::Confirmed, Exchange::Idle) => "Confirmed",
            (State::Confirmed, Exchange::Ours { .. }) => "Confirmed, our re-INVITE",
            (State::Confirmed, Exchange::Refreshing { .. }) => "Confirmed, our UPDATE",
            (State::Confirmed, Exchange::Theirs { .. }) => "Confirmed, their offer",
            (State::Confirmed, Exchange::Unacknowledged { .. }) => "Confirmed, awaiting ACK",
            (State::Leaving { .. }, _) => "Leaving",
            (State::Lingering { .. }, _) => "Lingering",
        }
    }

    /// Whether the peer may still be asked things.
    pub fn is_confirmed(&self) -> bool {
        matches!(self.state, State::Confirmed | State::Answered { .. })
    }
}

const MOST_KNOWN: usize = 16;

/// All sessions of a user agent.
#[derive(Default)]
pub(super) struct Sessions {
    slab: Slab<Session>,
    last_generation: u32,
}

impl Sessions {
    /// The slot of the session that is inserted next, for its tag.
    pub fn next_slot(&self) -> u32 {
        self.slab.vacant_key() as u32
    }

    /// The id of the session that is inserted next.
    pub fn next_id(&self) -> SessionId {
        SessionId(u64::from(self.last_generation.wrapping_add(1)) << 32 | self.slab.vacant_key() as u64)
    }

    pub fn insert(&mut self, mut session: Session) -> SessionId {
        let id = self.next_id();
        self.last_generation = id.generation();
        session.generation = self.last_generation;
        self.slab.insert(session);
        id
    }

    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.slab.get(id.slot()).filter(|session| session.generation == id.generation())
    }

    pub fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.slab.get_mut(id.slot()).filter(|session| session.generation == id.generation())
    }

    /// A connection is gone: what went over it opens another one.
    pub fn forget_connection(&mut self, connection: ConnectionId) {
        for (_, session) in &mut self.slab {
            if session.flow.connection == Some(connection) {
                session.flow.connection = None;
            }
        }
    }

    pub fn remove(&mut self, id: SessionId) -> Option<Session> {
        self.get(id)?;
        self.slab.try_remove(id.slot())
    }

    /// The session in a slot that a tag names.
    pub fn in_slot(&self, slot: u32) -> Option<(SessionId, &Session)> {
        let session = self.slab.get(slot as usize)?;
        Some((SessionId(u64::from(session.generation) << 32 | u64::from(slot)), session))
    }

    pub fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.slab.iter().map(|(slot, session)| (SessionId(u64::from(session.generation) << 32 | slot as u64), session))
    }

    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether this arming of a timer still counts.
    pub fn waits_for(&self, (slot, timer): (u32, SessionTimer), serial: u64) -> bool {
        self.slab.get(slot as usize).is_some_and(|session| session.timers[timer as usize] == serial)
    }
}

impl SessionId {
    pub(super) fn slot(self) -> usize {
        (self.0 & u64::from(u32::MAX)) as usize
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}
