//! The columns of a ladder, and between which of them a message goes.

use std::net::SocketAddr;

use super::{Column, Side, words::Words};
use crate::{
    export::words::short_uri,
    model::{CallRecord, CapturedMessage, Direction, LegId, LegRole, Party, ReturnMethod},
};

/// Who stands where.
pub struct Parties {
    pub columns: Vec<Column>,
    who: Vec<Party>,
    pub test_call: bool,
}

impl Parties {
    pub fn of(record: &CallRecord, messages: &[CapturedMessage], words: &[Words]) -> Self {
        let mut parties = Self { columns: Vec::new(), who: Vec::new(), test_call: record.test_call };
        if record.legs.iter().any(|leg| leg.ends.is_some()) {
            parties.captured(record, messages);
        } else if record.test_call {
            parties.placed(record, messages);
        } else {
            parties.taken(record, messages, words);
        }
        parties
    }

    /// The two columns of a message, from whom first, and the colour of its leg.
    pub fn of_message(&self, record: &CallRecord, message: &CapturedMessage) -> (usize, usize, Side) {
        let (near, far, side) = self.ends(record, message.leg);
        if message.direction == Direction::Out { (near, far, side) } else { (far, near, side) }
    }

    /// A leg's near and far column, and its colour.
    pub fn ends(&self, record: &CallRecord, leg: Option<LegId>) -> (usize, usize, Side) {
        let role = leg.and_then(|id| record.legs.iter().find(|l| l.opened.leg == id)).map_or(LegRole::Customer, |l| l.opened.role);
        let (near, far) = match record.ends_of(leg) {
            // A return leg that came in to a test call is the bridge calling our own return point.
            (Party::ReturnEndpoint, Party::Bridge) if self.test_call => (Party::Customer, Party::ReturnEndpoint),
            (near, Party::Network) if leg.is_none() => (near, Party::Customer),
            ends => ends,
        };
        let near = self.place(near).unwrap_or(0);
        (near, self.place(far).unwrap_or(near), Side::Of(role))
    }

    pub fn place(&self, party: Party) -> Option<usize> {
        self.who.iter().position(|who| *who == party)
    }

    fn push(&mut self, who: Party, name: &'static str, address: String, side: Side) {
        self.who.push(who);
        self.columns.push(Column { name, address, side });
    }

    /// A call of this bridge.
    fn taken(&mut self, record: &CallRecord, messages: &[CapturedMessage], words: &[Words]) {
        let leg = |role| record.legs.iter().find(|leg| leg.opened.role == role);
        let remote = |role| leg(role).map(|leg| leg.opened.remote.to_string());
        let local = messages.first().map(|message| message.local.to_string()).unwrap_or_default();
        let source = remote(LegRole::Customer).unwrap_or_else(|| record.source.clone());
        self.push(Party::Customer, "Customer", source, Side::Of(LegRole::Customer));
        self.push(Party::Bridge, "Bridge", local, Side::Bridge);
        if record.agent_kind.is_some() || leg(LegRole::Agent).is_some() {
            let address = remote(LegRole::Agent).or_else(|| record.agent_target.clone()).unwrap_or_default();
            self.push(Party::Agent, "Agent", address, Side::Of(LegRole::Agent));
        }
        if leg(LegRole::Return).is_some() || words.iter().any(|words| words.sipfrag.is_some()) {
            self.push(Party::ReturnEndpoint, "Return URI", return_address(record), Side::Of(LegRole::Return));
        }
    }

    /// A call that this console placed, seen from the caller.
    fn placed(&mut self, record: &CallRecord, messages: &[CapturedMessage]) {
        let leg = |role| record.legs.iter().find(|leg| leg.opened.role == role);
        let local = messages.first().map(|message| message.local.to_string()).unwrap_or_default();
        let bridge = leg(LegRole::Customer).map_or_else(|| record.source.clone(), |leg| leg.opened.remote.to_string());
        self.push(Party::Customer, "Test caller", local, Side::Of(LegRole::Customer));
        self.push(Party::Bridge, "Bridge", bridge, Side::Bridge);
        if leg(LegRole::Return).is_some() {
            self.push(Party::ReturnEndpoint, "Return URI", return_address(record), Side::Of(LegRole::Return));
        }
    }

    /// A call out of a capture: each message tells where its two ends are.
    fn captured(&mut self, record: &CallRecord, messages: &[CapturedMessage]) {
        let ends = messages.iter().map(|message| (message.leg, message.local, message.remote));
        let first = speakers(record, ends);
        for (party, address) in first {
            let (name, side) = match party {
                Party::Customer => ("Customer", Side::Of(LegRole::Customer)),
                Party::Agent => ("Agent", Side::Of(LegRole::Agent)),
                Party::ReturnEndpoint => ("Return URI", Side::Of(LegRole::Return)),
                Party::Bridge | Party::Operator => ("Bridge", Side::Bridge),
                Party::Network => ("Network", Side::Elsewhere),
            };
            self.push(party, name, address, side);
        }
    }
}

/// Whoever speaks in a capture, in the order of the call's way, each with the address that was seen first. `ends`: each
/// message's leg, and its near and far address.
pub fn speakers(record: &CallRecord, ends: impl Iterator<Item = (Option<LegId>, SocketAddr, SocketAddr)>) -> Vec<(Party, String)> {
    let mut first: Vec<(Party, String)> = Vec::new();
    for (leg, local, remote) in ends {
        let (near, far) = record.ends_of(leg);
        for (party, address) in [(near, local), (far, remote)] {
            if !first.iter().any(|(known, _)| *known == party) {
                first.push((party, address.to_string()));
            }
        }
    }
    // Whoever is elsewhere stands where the call comes from, or goes to.
    let comes_from_elsewhere = first.iter().take(2).any(|(party, _)| *party == Party::Network);
    first.sort_by_key(|(party, _)| match party {
        Party::Network if comes_from_elsewhere => 0,
        Party::Customer => 1,
        Party::Bridge | Party::Operator => 2,
        Party::Agent => 3,
        Party::ReturnEndpoint => 4,
        Party::Network => 5,
    });
    first
}

fn return_address(record: &CallRecord) -> String {
    let leg = record.legs.iter().find(|leg| leg.opened.role == LegRole::Return).map(|leg| leg.opened.remote.to_string());
    let attempt = record.returns.last().filter(|attempt| attempt.method != ReturnMethod::Bye);
    leg.or_else(|| attempt.map(|attempt| host(&attempt.uri).to_owned())).unwrap_or_default()
}

/// The host of a URI: all that a column's head has room for.
fn host(uri: &str) -> &str {
    let uri = short_uri(uri);
    uri.rsplit_once('@').map_or(uri, |(_, host)| host)
}
