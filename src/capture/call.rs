//! One call of a capture: its record, its messages, its sound and its findings, as a live call has them.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;

use super::{
    joining::Joined,
    legs::Legs,
    media::{Flow, Media},
    packets::Wired,
    parties::{self, Part},
    story::{Said, Story},
};
use crate::{
    findings,
    model::{CallEvent, CallId, CallRecord, CapturedMessage, Direction, LegId, MediaFigures, TimedNote, Timestamp, WholeCall},
    sip::message::Message,
};

/// Puts a call together. `over_at`: when the capture ends.
pub(super) fn captured(legs: &Legs, joined: &Joined, all: &[Wired], media: &Media, over_at: Timestamp) -> WholeCall {
    let parts = parties::parts(&legs.legs, joined);
    let order = in_order(legs, &parts);
    let messages = messages(legs, &parts, &order, all);
    let started_at = messages.first().map(|message| message.at).unwrap_or_default();
    let call_ids: Vec<String> =
        parts.iter().map(|part| legs.legs.get(part.leg).map(|leg| leg.call_id.clone()).unwrap_or_default()).collect();
    let id = id(call_ids.first().map_or("", String::as_str), started_at);
    let mut story = Story::new(CallRecord::new(id, started_at), parts.iter().copied().zip(call_ids.iter().cloned()));
    for message in &messages {
        let Ok(parsed) = Message::parse(message.bytes.clone()) else { continue };
        if message.retransmission {
            continue;
        }
        story.tell(&Said {
            at: message.at,
            leg: message.leg.map_or(0, |leg| usize::from(leg.0)),
            by_near: message.direction == Direction::Out,
            local: message.local,
            remote: message.remote,
            message: &parsed,
        });
    }
    let is_over = story.is_over();
    let mut record = story.finish();
    remarks(&mut record, &parts, joined, legs, is_over.then_some(()).map_or(Some(over_at), |()| None));
    sound(&mut record, &parts, legs, media);
    let cut: HashSet<u64> =
        messages.iter().filter(|message| all.get(message.number as usize).is_some_and(|wired| wired.cut)).map(|m| m.number).collect();
    record.findings = findings::of_capture(&record, &messages, |message| cut.contains(&message.number));
    WholeCall::new(Arc::new(record), messages)
}

/// Indices of all messages of the parts, with the part of each.
fn in_order(legs: &Legs, parts: &[Part]) -> Vec<(usize, usize)> {
    let of_part = |(place, part): (usize, &Part)| {
        let messages = legs.legs.get(part.leg).map(|leg| leg.messages.as_slice()).unwrap_or_default();
        messages.iter().map(move |index| (*index, place)).collect::<Vec<_>>()
    };
    let mut order: Vec<(usize, usize)> = parts.iter().enumerate().flat_map(of_part).collect();
    order.sort_unstable();
    order
}

fn messages(legs: &Legs, parts: &[Part], order: &[(usize, usize)], all: &[Wired]) -> Vec<CapturedMessage> {
    let mut known: HashSet<(usize, bool, Bytes)> = HashSet::new();
    let captured = |(index, place): &(usize, usize)| {
        let (wired, part) = (all.get(*index)?, parts.get(*place)?);
        let (_, from_caller) = legs.places.get(*index).copied().flatten()?;
        let out = from_caller == part.outgoing;
        let (local, remote) = if out { (wired.source, wired.destination) } else { (wired.destination, wired.source) };
        Some(CapturedMessage {
            number: *index as u64,
            at: wired.at,
            direction: if out { Direction::Out } else { Direction::In },
            leg: Some(LegId(*place as u16)),
            transport: wired.transport,
            local,
            remote,
            retransmission: !known.insert((*place, out, wired.bytes.clone())),
            bytes: wired.bytes.clone(),
        })
    };
    order.iter().filter_map(captured).collect()
}

/// How legs were joined, and what the capture did not see; each where it belongs in time.
fn remarks(record: &mut CallRecord, parts: &[Part], joined: &Joined, legs: &Legs, ends_before: Option<Timestamp>) {
    for (place, part) in parts.iter().enumerate() {
        let Some(leg) = legs.legs.get(part.leg) else { continue };
        if leg.invite.is_none() {
            note(record, leg.first_at, format!("The capture begins within leg {place}: its INVITE was not seen"));
        }
        // The customer's leg may have been joined to one that came before it.
        let why = joined.legs.iter().find(|(index, _)| *index == part.leg).and_then(|(_, why)| why.as_ref());
        if let Some(why) = why {
            note(record, leg.first_at, format!("Leg {place} belongs to this call: {why}"));
        }
    }
    if let Some(at) = ends_before {
        note(record, at, "The capture ends before this call does".to_owned());
    }
    record.timeline.sort_by_key(|note| note.at);
}

fn note(record: &mut CallRecord, at: Timestamp, text: String) {
    record.timeline.push(TimedNote { at, text });
}

/// Each leg's figures, measured where the capture was made.
fn sound(record: &mut CallRecord, parts: &[Part], legs: &Legs, media: &Media) {
    let mut digits = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let leg = LegId(place as u16);
        let mut figures = MediaFigures::default();
        let mut heard = false;
        for (flow, to_near) in flows_of(legs, part, media) {
            heard = true;
            add(&mut figures, flow, media.captured_twice, to_near, record.answered_at);
            if to_near {
                figures.dtmf_received.extend(flow.digits.iter().map(|(_, digit)| *digit));
                digits.extend(flow.digits.iter().map(|(at, digit)| (*at, CallEvent::DtmfReceived { leg, digit: *digit })));
            }
        }
        if heard {
            record.apply(record.started_at, &CallEvent::MediaMeasured { leg, figures: figures.into() });
        }
    }
    for (at, digit) in digits {
        record.apply(at, &digit);
    }
    record.timeline.sort_by_key(|note| note.at);
    record.marks.sort_by_key(|mark| mark.at);
}

fn flows_of<'a>(legs: &'a Legs, part: &'a Part, media: &'a Media) -> impl Iterator<Item = (&'a Flow, bool)> {
    media.of_leg(part.leg).iter().filter_map(|index| media.flows().get(*index)).filter_map(|flow| {
        let (_, by_caller) = legs.places.get(flow.message).copied().flatten()?;
        let by_near = by_caller == part.outgoing;
        Some((flow, by_near == flow.to_sender))
    })
}

fn add(figures: &mut MediaFigures, flow: &Flow, captured_twice: bool, to_near: bool, answered_at: Option<Timestamp>) {
    if figures.codec.is_empty() || to_near && !flow.codec.is_empty() {
        figures.codec.clone_from(&flow.codec);
    }
    let reception = &flow.reception;
    // Where the capture holds packets twice, doubles are its own and not the network's.
    let (packets, doubles) = match captured_twice {
        true => (reception.packets - reception.duplicated, 0),
        false => (reception.packets + flow.doubles, reception.duplicated + flow.doubles),
    };
    if to_near {
        figures.packets_received += packets;
        figures.bytes_received += reception.bytes;
        figures.packets_lost += reception.lost();
        figures.packets_reordered += reception.reordered;
        figures.packets_duplicated += doubles;
        figures.jitter_ms = figures.jitter_ms.max(flow.jitter_ms());
        let after = answered_at.map(|at| flow.first_at.micros_since(at));
        figures.first_packet_us = [figures.first_packet_us, after].into_iter().flatten().min();
    } else {
        figures.packets_sent += packets;
        figures.bytes_sent += reception.bytes;
        figures.remote_lost = flow.remote_lost.or(figures.remote_lost);
        figures.remote_jitter_ms = flow.remote_jitter_ms.or(figures.remote_jitter_ms);
    }
}

/// The same for the same call in the same capture, so that it is found again (FNV-1a).
fn id(call_id: &str, at: Timestamp) -> CallId {
    let bytes = call_id.bytes().chain(at.0.to_be_bytes());
    CallId(bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
}
