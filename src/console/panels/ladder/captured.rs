//! The columns of a call out of a capture, which shows also legs that the bridge has no part in.

use super::data::{Column, Parties};
use crate::{
    console::{theme::Leg, wire_text::MessageView},
    model::{CallRecord, Party},
};

/// Whoever speaks, in the order of the call's way.
pub(super) fn parties(call: &CallRecord, messages: &[MessageView]) -> Parties {
    let mut first: Vec<(Party, String)> = Vec::new();
    for message in messages {
        let (near, far) = call.ends_of(message.leg);
        for (party, address) in [(near, message.local), (far, message.remote)] {
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
    let place = |wanted| first.iter().position(|(party, _)| *party == wanted);
    let (local, customer) = (place(Party::Bridge).unwrap_or(0), place(Party::Customer).unwrap_or(0));
    let (agent, returned) = (place(Party::Agent), place(Party::ReturnEndpoint));
    let column = |(party, address): &(Party, String)| {
        let (name, leg) = match party {
            Party::Customer => ("Customer", Leg::Customer),
            Party::Agent => ("Agent", Leg::Agent),
            Party::ReturnEndpoint => ("Return URI", Leg::Return),
            Party::Bridge | Party::Operator => ("Bridge", Leg::Bridge),
            Party::Network => ("Network", Leg::Bridge),
        };
        Column { name, address: address.clone(), leg }
    };
    let columns = first.iter().map(column).collect();
    let captured = first.iter().map(|(party, _)| *party).collect();
    Parties { columns, local, customer, far: customer, agent, returned, captured }
}
