//! Who is who in a call, as well as its legs tell: customer, bridge, agent, return endpoint.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use super::{joining::Joined, legs::Leg};
use crate::model::{LegRole, Party};

/// One leg's place in its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub leg: usize,
    pub role: LegRole,
    /// Which end the ladder takes for the near one: the bridge, else who is nearer to it.
    pub near: Party,
    pub far: Party,
    /// The near end called.
    pub outgoing: bool,
}

/// The parts of a call's legs: the customer's leg first, then in order of time.
pub fn parts(legs: &[Leg], joined: &Joined) -> Vec<Part> {
    let members: Vec<(usize, &Leg)> = joined.legs.iter().filter_map(|(index, _)| Some((*index, legs.get(*index)?))).collect();
    let customers_leg = customers_leg(&members);
    let Some((bridge, customer)) = ends(&members, customers_leg) else { return Vec::new() };
    let mut named = Named::default();
    named.name(bridge, Party::Bridge);
    named.name(customer, Party::Customer);
    for (index, leg) in &members {
        let is_return = leg.invite.as_ref().is_some_and(|invite| invite.returns) || asked_for(&members, leg);
        if *index == customers_leg {
        } else if is_return {
            named.name(leg.callee, Party::ReturnEndpoint);
        } else if named.of(leg.caller) == Party::Bridge || stated(leg).any(|address| address == bridge) {
            named.name(leg.callee, Party::Agent);
        }
    }
    let part = |(index, leg): &(usize, &Leg)| {
        let is_return = leg.invite.as_ref().is_some_and(|invite| invite.returns) || asked_for(&members, leg);
        let known = |address| named.of(address);
        let (caller, callee) = match () {
            () if *index == customers_leg => {
                if customer == leg.caller {
                    (Party::Customer, Party::Bridge)
                } else {
                    (Party::Bridge, Party::Customer)
                }
            }
            () if is_return && named.of(leg.caller) == Party::ReturnEndpoint => (Party::Customer, Party::ReturnEndpoint),
            () if is_return => {
                (if stated(leg).any(|address| address == bridge) { Party::Bridge } else { known(leg.caller) }, Party::ReturnEndpoint)
            }
            () if stated(leg).any(|address| address == bridge) => (Party::Bridge, Party::Agent),
            () => (known(leg.caller), known(leg.callee)),
        };
        let outgoing = is_near(caller, callee);
        let (near, far) = if outgoing { (caller, callee) } else { (callee, caller) };
        let role = match (near, far) {
            (_, Party::ReturnEndpoint) => LegRole::Return,
            (_, Party::Agent) | (Party::Agent, _) => LegRole::Agent,
            _ => LegRole::Customer,
        };
        Part { leg: *index, role, near, far, outgoing }
    };
    let first = members.iter().filter(|(index, _)| *index == customers_leg);
    first.chain(members.iter().filter(|(index, _)| *index != customers_leg)).map(part).collect()
}

/// The leg between customer and bridge: the one with a REFER that carries a payload, else the last hop of the first
/// INVITE with context, else the first leg.
fn customers_leg(members: &[(usize, &Leg)]) -> usize {
    let referred = members.iter().find(|(_, leg)| leg.refers.iter().any(|refer| refer.has_payload));
    let of_context = || {
        let context = |leg: &Leg| leg.invite.as_ref().is_some_and(|invite| invite.has_context && !invite.returns);
        let first = members.iter().find(|(_, leg)| context(leg))?;
        members.iter().rfind(|(_, leg)| leg.call_id == first.1.call_id)
    };
    let of_refer = || members.iter().find(|(_, leg)| !leg.refers.is_empty());
    referred.or_else(of_context).or_else(of_refer).or(members.first()).map_or(0, |(index, _)| *index)
}

/// The bridge's and the customer's address. Whoever sends the REFER hands the call back.
fn ends(members: &[(usize, &Leg)], customers_leg: usize) -> Option<(SocketAddr, SocketAddr)> {
    let (_, leg) = members.iter().find(|(index, _)| *index == customers_leg)?;
    let from_caller = leg.refers.first().is_some_and(|refer| refer.from_caller);
    Some(if from_caller { (leg.caller, leg.callee) } else { (leg.callee, leg.caller) })
}

/// A REFER of the call asked for this leg.
fn asked_for(members: &[(usize, &Leg)], leg: &Leg) -> bool {
    let Some(target) = leg.invite.as_ref().and_then(|invite| invite.target.as_ref()) else { return false };
    members.iter().flat_map(|(_, leg)| &leg.refers).any(|refer| refer.target.as_ref() == Some(target) && refer.at <= leg.first_at)
}

fn stated(leg: &Leg) -> impl Iterator<Item = SocketAddr> {
    leg.invite.iter().flat_map(|invite| invite.stated.iter().copied())
}

/// Whether `one` stands nearer to the bridge than `other`.
fn is_near(one: Party, other: Party) -> bool {
    let rank = |party| match party {
        Party::Bridge => 0,
        Party::Customer => 1,
        Party::Agent => 2,
        Party::ReturnEndpoint => 4,
        Party::Network | Party::Operator => 3,
    };
    rank(one) <= rank(other)
}

/// Parties by address; a host has the part of its first address, unless it plays several.
#[derive(Default)]
struct Named {
    by_address: HashMap<SocketAddr, Party>,
    by_host: HashMap<IpAddr, Party>,
}

impl Named {
    fn name(&mut self, address: SocketAddr, party: Party) {
        self.by_address.entry(address).or_insert(party);
        self.by_host.entry(address.ip()).or_insert(party);
    }

    fn of(&self, address: SocketAddr) -> Party {
        self.by_address.get(&address).or_else(|| self.by_host.get(&address.ip())).copied().unwrap_or(Party::Network)
    }
}
