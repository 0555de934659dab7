//! What listens, how much goes on, what is kept.

use std::net::SocketAddr;

use crate::{
    console::{
        backend::Facts,
        panels::test_call::person,
        text::{count, grouped},
        theme::{Leg, Tone},
    },
    engine::sound_desk::SoundSnapshot,
    model::{Snapshot, Timestamp},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    pub dot: Option<Tone>,
    pub text: String,
    pub hover: String,
}

/// What matters most comes first: what has no room is folded. `live`: calls that are not over.
pub fn chips(snapshot: &Snapshot, facts: &Facts, live: usize, now: Timestamp) -> Vec<Chip> {
    let mut places: Vec<(SocketAddr, bool, String)> = Vec::new();
    for listener in snapshot.listeners.iter() {
        let transport = listener.transport.via();
        match places.iter_mut().find(|(address, side, _)| *address == listener.address && *side == listener.customer_side) {
            Some((_, _, text)) => {
                text.push('·');
                text.push_str(transport);
            }
            None => places.push((listener.address, listener.customer_side, transport.to_owned())),
        }
    }
    let chip = |dot, text, hover| Chip { dot, text, hover };
    let (customers, own): (Vec<_>, Vec<_>) = places.into_iter().partition(|(_, customer_side, _)| *customer_side);
    let mut chips: Vec<Chip> = Vec::new();
    for (address, _, transports) in own {
        chips.push(chip(Some(Tone::Good), format!("{transports} {address}"), "The bridge listens here".to_owned()));
    }
    let hover =
        format!("{} since the start, {} refused", count_calls(snapshot.counters.calls_total), grouped(snapshot.counters.calls_refused));
    chips.push(chip(None, activity(snapshot, live, now), hover));
    if !facts.agent.is_empty() {
        let hover = "Who talks when a call was admitted".to_owned();
        chips.push(chip(Some(Tone::Of(Leg::Agent)), format!("Agent: {}", facts.agent), hover));
    }
    chips.extend(facts.api.as_ref().map(|address| {
        let hover = format!("The call transfers API at {address}: customers announce calls here");
        chip(Some(Tone::Good), format!("API {}", port(address)), hover)
    }));
    chips.extend(facts.control.as_ref().map(|address| {
        let hover = format!("The control API at {address}: what this window can do, scripts can do");
        chip(Some(Tone::Good), format!("Control {}", port(address)), hover)
    }));
    for (address, _, transports) in customers {
        // The customer's side listens twice: as the caller's SBC, and where calls are handed back to.
        let (leg, name, hover) = if facts.return_uri.contains(&address.to_string()) {
            (Leg::Return, "Return point", "Where this program takes test calls back")
        } else {
            (Leg::Customer, "Test caller", "The customer's side that this program plays: it places test calls")
        };
        chips.push(chip(Some(Tone::Of(leg)), format!("{name} {}", address.port()), format!("{hover} ({transports} {address})")));
    }
    chips
}

/// The port of `127.0.0.1:8081`: the address is in the hover.
fn port(address: &str) -> &str {
    address.rsplit(':').next().unwrap_or(address)
}

/// `3 active · 0.4 calls/s`
fn activity(snapshot: &Snapshot, live: usize, now: Timestamp) -> String {
    let recent = snapshot.calls.iter().rev().filter(|c| !c.test_call).take_while(|c| now.micros_since(c.started_at) < WINDOW_US).count();
    format!("{} active · {:.1} calls/s", grouped(live as u64), recent as f64 / (WINDOW_US as f64 / 1_000_000.0))
}

/// What stands at the left of the status line.
pub fn status(snapshot: &Snapshot, sound: Option<&SoundSnapshot>) -> Vec<String> {
    let c = &snapshot.counters;
    let mut parts = vec![
        format!("{} kept", count(usize::try_from(c.messages_kept).unwrap_or(usize::MAX), "message", "messages")),
        format!("{} in · {} out", grouped(c.messages_in), grouped(c.messages_out)),
    ];
    parts.extend(sound.map(|sound| match sound.system {
        Some(_) => person::summary(sound),
        None => "No sound devices".to_owned(),
    }));
    if c.rtp_packets_in + c.rtp_packets_out > 0 {
        parts.push(format!("RTP {} in · {} out", grouped(c.rtp_packets_in), grouped(c.rtp_packets_out)));
    }
    if c.messages_malformed > 0 {
        parts.push(format!("{} malformed", grouped(c.messages_malformed)));
    }
    if c.messages_dropped > 0 {
        parts.push(format!("{} dropped unread", grouped(c.messages_dropped)));
    }
    parts
}

fn count_calls(calls: u64) -> String {
    count(usize::try_from(calls).unwrap_or(usize::MAX), "call", "calls")
}

/// The rate is that of the last 10 seconds.
const WINDOW_US: u64 = 10_000_000;
