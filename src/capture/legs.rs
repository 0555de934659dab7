//! Messages sorted into legs: one Call-ID between two hosts, told by its tags who called whom (RFC 3261 §12).

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
};

use super::{look, packets::Wired};
use crate::{
    contract::payload,
    model::Timestamp,
    sip::message::{HeaderName, Message, Method, Request, Uri},
};

/// One leg of a call, as it was seen.
#[derive(Debug)]
pub struct Leg {
    pub call_id: String,
    /// Places of its messages, in order.
    pub messages: Vec<usize>,
    pub first_at: Timestamp,
    /// Who sent the request that the leg began with, and to where.
    pub caller: SocketAddr,
    pub callee: SocketAddr,
    caller_tag: String,
    /// What its first INVITE said; `None` where the capture began later.
    pub invite: Option<Invite>,
    pub refers: Vec<Refer>,
    pub ended_at: Option<Timestamp>,
    answered: bool,
}

/// What tells which other legs this one belongs to.
#[derive(Debug, Default)]
pub struct Invite {
    /// The `X-GA-*` headers, names in lower case.
    pub contract: BTreeMap<String, String>,
    /// It hands a call back (`X-GA-transfer`).
    pub returns: bool,
    pub conversation: Option<String>,
    pub replaces: Option<String>,
    pub target: Option<String>,
    pub from_user: Option<String>,
    pub to_user: Option<String>,
    /// Where it says that it comes from: Via and Contact.
    pub stated: Vec<SocketAddr>,
    pub has_context: bool,
}

#[derive(Debug)]
pub struct Refer {
    pub at: Timestamp,
    pub from_caller: bool,
    pub target: Option<String>,
    pub conversation: Option<String>,
    pub has_payload: bool,
}

/// Legs, and the messages that belong to none.
pub struct Legs {
    pub legs: Vec<Leg>,
    pub others: Vec<usize>,
    /// Of each message: its leg, and whether the leg's caller sent it.
    pub places: Vec<Option<(usize, bool)>>,
}

impl Legs {
    pub fn sort(messages: &[Wired]) -> Self {
        let mut sorted = Self { legs: Vec::new(), others: Vec::new(), places: Vec::with_capacity(messages.len()) };
        let mut known: HashMap<(String, (IpAddr, IpAddr)), Option<usize>> = HashMap::new();
        for (index, wired) in messages.iter().enumerate() {
            let place = sorted.place(index, wired, &mut known);
            if place.is_none() {
                sorted.others.push(index);
            }
            sorted.places.push(place);
        }
        sorted
    }

    fn place(
        &mut self,
        index: usize,
        wired: &Wired,
        known: &mut HashMap<(String, (IpAddr, IpAddr)), Option<usize>>,
    ) -> Option<(usize, bool)> {
        let message = Message::parse(wired.bytes.clone()).ok();
        let Some(message) = message else {
            // No message, but perhaps it was meant to be one of a leg that is known.
            let key = (look::call_id(&wired.bytes)?.to_owned(), hosts(wired));
            let leg = known.get(&key).copied().flatten()?;
            let from_caller = self.legs.get(leg)?.caller == wired.source;
            self.legs.get_mut(leg)?.messages.push(index);
            return Some((leg, from_caller));
        };
        let key = (message.fields().call_id()?.to_owned(), hosts(wired));
        let leg = match known.get(&key) {
            Some(Some(leg)) => *leg,
            _ => {
                let leg = Leg::open(wired, &message).map(|leg| {
                    self.legs.push(leg);
                    self.legs.len() - 1
                });
                known.insert(key, leg);
                leg?
            }
        };
        let from_caller = self.legs.get_mut(leg)?.take(index, wired, &message);
        Some((leg, from_caller))
    }
}

impl Leg {
    /// A leg that begins with this message; `None` for what opens no call, such as OPTIONS and REGISTER.
    fn open(wired: &Wired, message: &Message) -> Option<Self> {
        let fields = message.fields();
        let (from, to) = (fields.from_tag().unwrap_or_default(), fields.to_tag());
        let (caller, callee, caller_tag) = match message {
            Message::Request(request) if *request.method() == Method::INVITE && to.is_none() => (wired.source, wired.destination, from),
            // The capture began within the call: whoever speaks first stands for the caller.
            Message::Request(request) if in_calls(request.method()) && to.is_some() => (wired.source, wired.destination, from),
            Message::Response(_) if fields.cseq().is_ok_and(|(_, method)| in_calls(&method)) => (wired.destination, wired.source, from),
            _ => return None,
        };
        Some(Self {
            call_id: fields.call_id()?.to_owned(),
            messages: Vec::new(),
            first_at: wired.at,
            caller,
            callee,
            caller_tag: caller_tag.into_owned(),
            invite: None,
            refers: Vec::new(),
            ended_at: None,
            answered: false,
        })
    }

    /// Whether its caller sent the message.
    fn take(&mut self, index: usize, wired: &Wired, message: &Message) -> bool {
        self.messages.push(index);
        let fields = message.fields();
        let asked_by_caller = fields.from_tag().unwrap_or_default() == self.caller_tag.as_str();
        let Message::Request(request) = message else {
            if fields.cseq().is_ok_and(|(_, method)| method == Method::INVITE) {
                match message_code(message) {
                    200..300 => self.answered = true,
                    300.. if !self.answered => self.ended_at = Some(wired.at),
                    _ => {}
                }
            }
            return !asked_by_caller;
        };
        match *request.method() {
            Method::INVITE if self.invite.is_none() && request.to_tag().is_none() => self.invite = Some(Invite::read(request)),
            Method::INVITE if request.to_tag().is_none() => self.ended_at = None,
            Method::REFER if self.refers.len() < MOST_REFERS => self.refers.push(Refer::read(wired.at, asked_by_caller, request)),
            Method::BYE => self.ended_at = Some(wired.at),
            _ => {}
        }
        asked_by_caller
    }
}

impl Invite {
    fn read(request: &Request) -> Self {
        let contract: BTreeMap<String, String> = request
            .iter()
            .filter(|(name, _, _)| starts_with(name, "X-GA-") || starts_with(name, "X-ASAPP-"))
            .map(|(name, _, value)| (name.to_ascii_lowercase(), value.into_owned()))
            .collect();
        let conversation = ["x-ga-extconid", "x-ga-extconversationid"].iter().find_map(|name| contract.get(*name).cloned());
        let via = request.top_via().ok();
        let via = via.and_then(|via| via.sent_by().parse().ok());
        let contact = request.contact().and_then(Result::ok).and_then(|contact| {
            let uri = contact.uri;
            Some(SocketAddr::new(uri.host()?.ip()?, uri.port().unwrap_or(5060)))
        });
        Self {
            returns: contract.contains_key(&payload::OUTCOME.to_ascii_lowercase()),
            conversation,
            replaces: request.text(HeaderName::Replaces).map(|value| before_params(&value)),
            target: request.uri().ok().map(|uri| target(&uri)),
            from_user: request.from().ok().and_then(|from| user(&from.uri)),
            to_user: request.to().ok().and_then(|to| user(&to.uri)).or_else(|| user(&request.uri().ok()?)),
            stated: via.into_iter().chain(contact).collect(),
            has_context: contract.keys().any(|name| name.starts_with("x-ga-iv-") || CONTEXT.contains(&name.as_str())),
            contract,
        }
    }
}

impl Refer {
    fn read(at: Timestamp, from_caller: bool, request: &Request) -> Self {
        let decoded = payload::decode(&request.text(HeaderName::ReferTo).unwrap_or_default());
        Self {
            at,
            from_caller,
            target: Uri::parse(&decoded.target).ok().map(|uri| target(&uri)),
            has_payload: !decoded.payload.items.is_empty(),
            conversation: decoded.conversation,
        }
    }
}

/// User, host and port: what two URIs for one place have in common, whatever else they carry.
fn target(uri: &Uri) -> String {
    let host = uri.as_str().split(['?', ';']).next().unwrap_or_default();
    let host = host.split_once(':').map_or(host, |(_, rest)| rest);
    host.trim_end_matches(":5060").to_ascii_lowercase()
}

/// A number without what only makes it readable, or a name as it is.
fn user(uri: &Uri) -> Option<String> {
    let user = uri.user_unescaped()?;
    let user = user.split(';').next().unwrap_or_default();
    let digits: String = user.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 3 && user.chars().all(|c| c.is_ascii_digit() || "+-.() ".contains(c));
    Some(if is_number { digits } else { user.to_owned() }).filter(|user| !user.is_empty())
}

fn before_params(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_owned()
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

fn message_code(message: &Message) -> u16 {
    if let Message::Response(response) = message { response.code() } else { 0 }
}

fn in_calls(method: &Method) -> bool {
    matches!(
        *method,
        Method::INVITE | Method::ACK | Method::BYE | Method::CANCEL | Method::PRACK | Method::UPDATE | Method::INFO | Method::REFER
    )
}

/// The two hosts, whichever spoke.
fn hosts(wired: &Wired) -> (IpAddr, IpAddr) {
    let (a, b) = (wired.source.ip(), wired.destination.ip());
    (a.min(b), a.max(b))
}

const CONTEXT: [&str; 4] = ["x-ga-taskname", "x-ga-extconversationid", "x-ga-customerid", "x-asapp-calltransferid"];
const MOST_REFERS: usize = 64;
