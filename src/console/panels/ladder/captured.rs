//! The columns of a call out of a capture, which shows also legs that the bridge has no part in.

use super::data::{Column, Parties};
use crate::{
    console::{theme::Leg, wire_text::MessageView},
    export::picture::speakers,
    model::{CallRecord, Party},
};

/// Whoever speaks, in the order of the call's way.
pub(super) fn parties(call: &CallRecord, messages: &[MessageView]) -> Parties {
    let first = speakers(call, messages.iter().map(|message| (message.leg, message.local, message.remote)));
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

#[cfg(test)]
mod tests {
    use crate::{
        console::{panels::ladder::data::ladder, wire_text::Views},
        model::{CallEvent, CallId, CallRecord, CapturedMessage, Direction, LegId, LegOpened, LegRole, Party, Timestamp, TransportName},
    };

    #[test]
    fn a_leg_that_the_bridge_has_no_part_in_stands_between_its_own_columns() {
        let address = |host: u8| std::net::SocketAddr::from(([192, 0, 2, host], 5060));
        let mut record = CallRecord::new(CallId(1), Timestamp(0));
        let mut messages = Vec::new();
        let legs = [(LegRole::Customer, 1, 9, None), (LegRole::Return, 9, 7, Some((Party::Customer, Party::ReturnEndpoint)))];
        for (n, (role, local, remote, ends)) in (0_u16..).zip(legs) {
            let opened = LegOpened {
                leg: LegId(n),
                role,
                sip_call_id: n.to_string(),
                remote: address(remote),
                uri: String::new(),
                incoming: ends.is_none(),
            };
            record.apply(Timestamp(0), &CallEvent::LegOpened(opened));
            record.legs.iter_mut().for_each(|leg| leg.ends = leg.ends.or(ends.filter(|_| leg.opened.leg == LegId(n))));
            messages.push(CapturedMessage {
                number: u64::from(n),
                at: Timestamp(u64::from(n) * 1_000),
                direction: if ends.is_none() { Direction::In } else { Direction::Out },
                leg: Some(LegId(n)),
                transport: TransportName::Udp,
                local: address(local),
                remote: address(remote),
                retransmission: false,
                bytes: bytes::Bytes::from_static(b"INVITE sip:x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n"),
            });
        }
        let mut views = Views::default();
        views.refresh(&messages);
        let text = ladder(&record, views.all(), Timestamp(0)).to_text();
        assert_eq!(text, "      0 ms  Customer → Bridge: INVITE  40 B\n   +1.0 ms  Customer → Return URI: INVITE  40 B\n");
    }
}
