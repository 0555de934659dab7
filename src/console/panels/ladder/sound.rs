//! The sound between two parties of a ladder: from when to when, how it went, and when it was on hold.

use super::data::{Band, Ladder, Parties};
use crate::{
    console::{panels::media::voices, theme::Leg, widgets::Track},
    export::words,
    model::{CallRecord, CallSound, LegRecord, LegRole, SoundMarkKind, Timestamp},
};

/// The customer's sound, and the agent's beside it. Nothing before the answer.
pub(super) fn bands(call: &CallRecord, parties: &Parties, now: Timestamp) -> Vec<Band> {
    let Some(answered) = call.answered_at else { return Vec::new() };
    // Behind what was noted in the same moment: the answer itself.
    let from = Timestamp(answered.0 + 1);
    let until = call.ended_at.unwrap_or(now);
    let handed_back = call.returns.first().map_or(until, |r| r.started_at);
    let mut bands: Vec<Band> = Vec::new();
    for leg in &call.legs {
        let Some((left, right, colour)) = parties.between(call, leg.opened.leg) else { continue };
        let Some(figures) = leg.media.as_ref().filter(|_| leg.opened.role != LegRole::Return) else { continue };
        let text = words::sound(Some(figures), from, handed_back);
        bands.push(Band {
            left,
            right,
            leg: colour,
            from,
            until: handed_back,
            text,
            holds: holds(call, leg, handed_back),
            of: Some(leg.opened.leg),
            voices: Vec::new(),
        });
    }
    // Of a call out of a capture nobody knows of sound that is not in it.
    if bands.is_empty() && (call.admission.is_some() || call.test_call) {
        let (left, right) = (parties.local.min(parties.far), parties.local.max(parties.far));
        let text = words::sound(None, from, handed_back);
        bands.push(Band {
            left,
            right,
            leg: Leg::Customer,
            from,
            until: handed_back,
            text,
            holds: Vec::new(),
            of: None,
            voices: Vec::new(),
        });
    }
    bands.extend(within(call, parties, from, handed_back));
    bands
}

/// An agent within this program speaks without a leg of its own: there is nothing to measure between it and the bridge.
fn within(call: &CallRecord, parties: &Parties, from: Timestamp, handed_back: Timestamp) -> Option<Band> {
    let agent = parties.agent.filter(|_| call.legs.iter().all(|l| l.opened.role != LegRole::Agent))?;
    let began = call.agent_answered_at?.max(from);
    let until = call.agent_ended_at.unwrap_or(handed_back).max(began);
    let text = format!("in this program · {}", words::secs(began, until));
    Some(Band {
        left: parties.local.min(agent),
        right: parties.local.max(agent),
        leg: Leg::Agent,
        from,
        until,
        text,
        holds: Vec::new(),
        of: None,
        voices: Vec::new(),
    })
}

impl Ladder {
    /// Lays both voices of each leg into its band.
    pub fn draw_sound(&mut self, call: &CallRecord, sound: Option<&CallSound>) {
        for band in &mut self.bands {
            let leg = call.legs.iter().find(|leg| Some(leg.opened.leg) == band.of);
            let Some((leg, sound)) = leg.zip(band.of.and_then(|of| sound?.of(of))) else { continue };
            if sound.received.iter().chain(&sound.sent).any(|peak| *peak > 0) {
                let track = |((name, leg), peaks)| Track { name, leg, peaks };
                band.voices = voices(call, leg).into_iter().zip(sound.outline(band.from, band.until)).map(track).collect();
            }
        }
    }
}

/// From each hold to its end, or to the end of the sound.
fn holds(call: &CallRecord, leg: &LegRecord, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let mut holds: Vec<(Timestamp, Timestamp)> = Vec::new();
    let mut held = None;
    for mark in call.marks.iter().filter(|m| m.leg == leg.opened.leg) {
        match mark.kind {
            SoundMarkKind::Held => held = held.or(Some(mark.at)),
            SoundMarkKind::Resumed => holds.extend(held.take().map(|from| (from, mark.at))),
            SoundMarkKind::Digit { .. } => {}
        }
    }
    holds.extend(held.map(|from| (from, until)));
    holds
}
