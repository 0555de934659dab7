//! A leg's sound over its time: both voices as bars, and loss, jitter, delay and MOS as lines.

use crate::{
    console::{
        theme::Leg,
        widgets::{Line, Plot, Track, Waveform},
    },
    model::{CallRecord, LegRecord, LegRole, LegSound, SoundHeard, SoundLevel, SoundPoint, Timestamp},
};

#[derive(Debug, Clone, PartialEq)]
pub struct SoundView {
    /// When the outline begins.
    pub began: Timestamp,
    /// It is the customer's leg, which is the one that is recorded.
    pub recorded: bool,
    pub title: String,
    pub wave: Waveform,
    /// Why there is no outline, or only a part of one.
    pub note: Option<String>,
    pub plots: Vec<Plot>,
}

/// Whose voice goes which way on a leg: name and colour of what is received and of what is sent.
pub fn voices(call: &CallRecord, leg: &LegRecord) -> [(String, Leg); 2] {
    let far = match leg.opened.role {
        LegRole::Customer if call.test_call => "bridge",
        LegRole::Customer => "customer",
        LegRole::Agent => "agent",
        LegRole::Return => "return",
    };
    let [received, sent] = call.voices_of(leg).map(|role| match role {
        LegRole::Customer => Leg::Customer,
        LegRole::Agent => Leg::Agent,
        LegRole::Return => Leg::Return,
    });
    [(format!("From the {far}"), received), (format!("To the {far}"), sent)]
}

pub fn view(call: &CallRecord, leg: &LegRecord, sound: &LegSound) -> SoundView {
    let [received, sent] = voices(call, leg);
    let secs = sound.received.len().max(sound.sent.len()) as f32 * sound.bar_ms as f32 / 1_000.0;
    let title = match leg.opened.role {
        LegRole::Customer => "Customer leg",
        LegRole::Agent => "Agent leg",
        LegRole::Return => "Return leg",
    };
    let track = |(name, leg): &(String, Leg), peaks: &Vec<u8>| Track { name: name.clone(), leg: *leg, peaks: peaks.clone() };
    let heard_any = sound.received.iter().chain(&sound.sent).any(|peak| *peak > 0);
    let tracks = if heard_any { vec![track(&received, &sound.received), track(&sent, &sound.sent)] } else { Vec::new() };
    let note = note(leg, heard_any);
    let lines = |read: fn(&SoundHeard) -> f32| {
        let line = |(name, leg): &(String, Leg), of: fn(&SoundPoint) -> Option<SoundHeard>| {
            let at = |point: &SoundPoint| point.at.micros_since(sound.began) as f32 / 1e6;
            let points = sound.points.iter().map(|point| (at(point), of(point).as_ref().map(read))).collect();
            Line { name: name.clone(), leg: *leg, points }
        };
        vec![line(&received, |point| point.received), line(&sent, |point| point.sent)]
    };
    let last = sound.points.last().map_or(0.0, |point| point.at.micros_since(sound.began) as f32 / 1e6);
    let secs = secs.max(last);
    let plot = |title, unit, decimals, lines| Plot { title, unit, decimals, scale: (0.0, 1.0), lines, secs };
    let plots = vec![
        plot("Lost", "%", 1, lines(|heard| heard.loss_percent)).fit(5.0),
        plot("Jitter", "ms", 1, lines(|heard| heard.jitter_ms)).fit(10.0),
        plot("Delay", "ms", 0, lines(|heard| heard.delay_ms)).fit(50.0),
        Plot { scale: (1.0, 4.5), ..plot("MOS", "", 2, lines(|heard| heard.mos)) },
    ];
    let recorded = leg.opened.role == LegRole::Customer;
    SoundView { began: sound.began, recorded, title: title.to_owned(), wave: Waveform { tracks, secs }, note, plots }
}

/// G.711 is outlined as it passes. What goes through in another codec is decoded for that only while few calls run, since it costs as
/// much again as relaying it; what is recorded or listened to is decoded anyway.
fn note(leg: &LegRecord, drawn: bool) -> Option<String> {
    let figures = leg.media.as_ref()?;
    let codec = &figures.codec;
    let unread = |packets: u64, level: Option<SoundLevel>| level.map_or(0, |level| level.measured_ms) < packets * LEAST_MEASURED_MS;
    let passed = !codec.starts_with("PCM")
        && (unread(figures.packets_received, figures.received_level) || unread(figures.packets_sent, figures.sent_level));
    match (drawn, passed) {
        (false, true) => Some(format!(
            "No outline: {codec} only passed through beside many calls, undecoded. Calls that are recorded or listened to have one"
        )),
        (true, true) => Some(format!("Not in the outline: {codec} that only passed through beside many calls, undecoded")),
        (false, false) => Some("No outline: nothing was said".to_owned()),
        (true, false) => None,
    }
}

/// A quarter of a usual packet's time.
const LEAST_MEASURED_MS: u64 = 5;
