//! The page of microphones and speakers: which there are, which are used, what follows the system's default.

use super::{
    act::{Act, Kind},
    form::{Card, DeviceRow, Form, Row},
    state::State,
};
use crate::{
    console::theme::{Leg, Tone},
    engine::sound_desk::{Device, End, Level, Line, SoundSnapshot},
};

pub fn cards(form: &Form<'_>, state: &State) -> (Vec<Card>, Vec<Card>) {
    let none = SoundSnapshot::default();
    let sound = state.sound.as_deref().unwrap_or(&none);
    let levels = &state.levels;
    let microphone = device(form, "sound.microphone", "Microphone", &sound.microphones, &sound.microphone);
    let microphone = DeviceRow { meter: Some(meter("Microphone", levels.microphone, Leg::Customer)), ..microphone };
    let speaker = device(form, "sound.speaker", "Speaker", &sound.speakers, &sound.speaker);
    let speaker = DeviceRow { meter: Some(meter("Speaker", levels.heard(Line::Phone), Leg::Agent)), ..speaker };
    let mut own = Vec::new();
    if sound.system.is_none() {
        let text = "No sound system answers: neither PulseAudio (or PipeWire) nor an ALSA sound card is there. Everything else works";
        own.push(Row::Note(Tone::Warn, text.to_owned()));
    }
    own.extend([Row::Device(Box::new(microphone)), Row::Device(Box::new(speaker))]);
    own.push(Row::Fields(vec![form.number("sound.volume", "Volume", 80, "%")]));
    own.push(Row::Buttons(vec![Act::TryMicrophone(!state.tries_microphone), Act::TestTone]));
    let agent = vec![
        agent_device(form, "sound.agent_microphone", "Microphone", &sound.microphones, sound.agent_microphone.as_ref()),
        agent_device(form, "sound.agent_speaker", "Speaker", &sound.speakers, sound.agent_speaker.as_ref()),
        Row::Note(Tone::Faint, "For being the customer and the agent at once, each with a headset of its own".to_owned()),
        Row::Flag(form.flag("sound.ring", "Ring", "When a call waits for the operator", true)),
    ];
    (vec![Card::new("Microphone and speaker", own)], vec![Card::new("The operator's own", agent)])
}

fn device(form: &Form<'_>, key: &str, label: &str, among: &[Device], end: &End) -> DeviceRow {
    let wanted = form.value(key);
    let named = among.iter().find(|device| device.id == wanted || device.name == wanted);
    let by_system = wanted.is_empty() || wanted == "default";
    let chosen = match named {
        Some(device) => device.name.clone(),
        None if by_system => SYSTEM.to_owned(),
        None => format!("{wanted} (not plugged in)"),
    };
    let mut choices = vec![(set(key, "default"), SYSTEM.to_owned())];
    choices.extend(among.iter().map(|device| (set(key, &device.id), device.name.clone())));
    let kind = label.to_lowercase();
    let note = match (end.trouble(&kind), &end.device) {
        (Some(trouble), _) => (trouble, Tone::Warn),
        (None, Some(device)) if by_system => (format!("{} now; it changes when the system's choice does", device.name), Tone::Faint),
        (None, Some(_)) => (format!("Where it is pulled out, the system's default {kind} is used until it is back"), Tone::Faint),
        (None, None) => (String::new(), Tone::Faint),
    };
    DeviceRow { key: key.to_owned(), label: label.to_owned(), chosen, choices, note, told: form.told(key), meter: None }
}

/// One of the operator's own, which may be none.
fn agent_device(form: &Form<'_>, key: &str, label: &str, among: &[Device], end: Option<&End>) -> Row {
    let mut row = device(form, key, label, among, end.unwrap_or(&End::default()));
    if form.value(key).is_empty() {
        row.chosen = SAME.to_owned();
        row.note = (String::new(), Tone::Faint);
    }
    row.choices.insert(0, (set(key, ""), SAME.to_owned()));
    Row::Device(Box::new(row))
}

fn meter(name: &str, level: Level, leg: Leg) -> (String, f32, f32, Leg) {
    (name.to_owned(), level.meter(), ((level.peak_dbfs() + 60.0) / 60.0).clamp(0.0, 1.0), leg)
}

fn set(key: &str, text: &str) -> Act {
    Act::Set { key: key.to_owned(), kind: Kind::Text, text: text.to_owned() }
}

const SYSTEM: &str = "The system's default";
const SAME: &str = "The same as the customer's";
