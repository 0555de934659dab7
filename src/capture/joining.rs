//! Legs joined into calls, with the reason for each: the contract's headers first, numbers and times last.

use std::{collections::HashMap, net::SocketAddr};

use super::legs::{Invite, Leg};
use crate::model::Timestamp;

/// The legs of one call, in order of time; each but the first with the reason why it belongs to it.
#[derive(Debug)]
pub struct Joined {
    pub legs: Vec<(usize, Option<String>)>,
}

/// Joins all legs, which are in order of time.
pub fn join(legs: &[Leg]) -> Vec<Joined> {
    let mut joining = Joining::default();
    for (index, leg) in legs.iter().enumerate() {
        let found = joining.find(legs, leg);
        let call = match found {
            Some((call, why)) => {
                joining.push(call, index, Some(why));
                call
            }
            None => {
                joining.calls.push(Joined { legs: Vec::new() });
                let call = joining.calls.len() - 1;
                joining.push(call, index, None);
                call
            }
        };
        joining.remember(call, leg);
    }
    joining.calls
}

#[derive(Default)]
struct Joining {
    calls: Vec<Joined>,
    by_call_id: HashMap<String, usize>,
    by_conversation: HashMap<String, usize>,
    by_users: HashMap<(String, String), usize>,
    /// Whom a REFER asked to be called: the calls in which one did, the latest last.
    by_target: HashMap<String, Vec<usize>>,
}

impl Joining {
    fn find(&self, legs: &[Leg], leg: &Leg) -> Option<(usize, String)> {
        if let Some(call) = self.by_call_id.get(&leg.call_id) {
            return Some((*call, "it has the same Call-ID: a proxy stands between".to_owned()));
        }
        let invite = leg.invite.as_ref()?;
        self.by_replaces(invite)
            .or_else(|| self.by_refer(legs, leg, invite))
            .or_else(|| self.by_headers(legs, leg, invite))
            .or_else(|| self.by_numbers(legs, leg, invite))
    }

    fn by_replaces(&self, invite: &Invite) -> Option<(usize, String)> {
        let replaces = invite.replaces.as_ref()?;
        Some((*self.by_call_id.get(replaces)?, format!("its Replaces names Call-ID {replaces}")))
    }

    /// The INVITE that a REFER asked for (RFC 3515).
    fn by_refer(&self, legs: &[Leg], leg: &Leg, invite: &Invite) -> Option<(usize, String)> {
        let target = invite.target.as_ref()?;
        self.by_target.get(target)?.iter().rev().take(MOST_ASKED).find_map(|&call| {
            let refers = self.calls.get(call)?.legs.iter().filter_map(|(index, _)| legs.get(*index)).flat_map(|leg| &leg.refers);
            let asked = refers.filter(|refer| refer.target.as_ref() == Some(target) && refer.at <= leg.first_at);
            let mut asked = asked.filter(|refer| leg.first_at.micros_since(refer.at) < REFER_US);
            // Where both name a conversation it is the same one.
            let refer = asked.find(|refer| match (&refer.conversation, &invite.conversation) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            })?;
            let conversation = refer.conversation.as_ref().filter(|_| invite.conversation.is_some());
            Some((
                call,
                match conversation {
                    Some(id) => format!("the REFER's Refer-To asks for it, and X-GA-extConId is {id} in both"),
                    None => format!("the REFER's Refer-To asks for it ({target})"),
                },
            ))
        })
    }

    fn by_headers(&self, legs: &[Leg], leg: &Leg, invite: &Invite) -> Option<(usize, String)> {
        let id = invite.conversation.as_ref()?;
        let call = *self.by_conversation.get(id)?;
        let joined = self.calls.get(call)?;
        if !self.goes_on(legs, joined, leg.first_at, AFTER_END_US) {
            return None;
        }
        if invite.returns {
            return Some((call, format!("it hands back conversation {id} (X-GA-extConId)")));
        }
        let first = joined.legs.iter().filter_map(|(index, _)| legs.get(*index)?.invite.as_ref()).find(|known| known.has_context);
        let same = first.is_some_and(|known| known.contract == invite.contract);
        if !invite.has_context || !passes_on(legs, joined, leg) {
            return None;
        }
        Some((call, if same { "it carries the same X-GA-* headers".to_owned() } else { format!("it carries the same conversation, {id}") }))
    }

    /// The other leg of a B2BUA that changes everything but who calls whom.
    fn by_numbers(&self, legs: &[Leg], leg: &Leg, invite: &Invite) -> Option<(usize, String)> {
        let key = (invite.from_user.clone()?, invite.to_user.clone()?);
        let call = *self.by_users.get(&key)?;
        let joined = self.calls.get(call)?;
        let begun = joined.legs.first().and_then(|(index, _)| legs.get(*index))?.first_at;
        let after = leg.first_at.micros_since(begun);
        if after > NUMBERS_US || !self.goes_on(legs, joined, leg.first_at, 0) || !passes_on(legs, joined, leg) {
            return None;
        }
        Some((
            call,
            format!(
                "the same numbers ({} to {}) were called {:.1} s later from the host that was called",
                key.0,
                key.1,
                after as f64 / 1e6
            ),
        ))
    }

    /// Some leg of the call is not over, or not for long.
    fn goes_on(&self, legs: &[Leg], joined: &Joined, at: Timestamp, patience_us: u64) -> bool {
        let ends = joined.legs.iter().filter_map(|(index, _)| legs.get(*index)).map(|leg| leg.ended_at);
        ends.into_iter().any(|end| end.is_none_or(|end| at.0 <= end.0.saturating_add(patience_us)))
    }

    fn push(&mut self, call: usize, leg: usize, why: Option<String>) {
        if let Some(joined) = self.calls.get_mut(call) {
            joined.legs.push((leg, why));
        }
    }

    fn remember(&mut self, call: usize, leg: &Leg) {
        self.by_call_id.insert(leg.call_id.clone(), call);
        for target in leg.refers.iter().filter_map(|refer| refer.target.clone()) {
            self.by_target.entry(target).or_default().push(call);
        }
        let Some(invite) = &leg.invite else { return };
        if let Some(id) = &invite.conversation {
            self.by_conversation.insert(id.clone(), call);
        }
        if let (Some(from), Some(to)) = (&invite.from_user, &invite.to_user) {
            self.by_users.insert((from.clone(), to.clone()), call);
        }
    }
}

/// Whether the leg comes from where one of the call's legs went to.
fn passes_on(legs: &[Leg], joined: &Joined, leg: &Leg) -> bool {
    let stated = leg.invite.iter().flat_map(|invite| invite.stated.iter().copied());
    let from: Vec<SocketAddr> = std::iter::once(leg.caller).chain(stated).collect();
    joined.legs.iter().filter_map(|(index, _)| legs.get(*index)).any(|known| {
        // One host may play several parts; then the port tells.
        let one_host = known.caller.ip() == known.callee.ip();
        from.iter().any(|address| if one_host { *address == known.callee } else { address.ip() == known.callee.ip() })
    })
}

/// Calls with a REFER to one target that are looked through.
const MOST_ASKED: usize = 4_096;
/// A transferee calls within that time (RFC 3261 §17.1.1.2: its own INVITE times out after 32 s).
const REFER_US: u64 = 60_000_000;
/// The other leg of a B2BUA follows at once, or after a look-up.
const NUMBERS_US: u64 = 5_000_000;
/// A return may be placed just after the leg was hung up.
const AFTER_END_US: u64 = 5_000_000;
