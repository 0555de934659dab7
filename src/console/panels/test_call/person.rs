//! The person at the phone: with which devices, how loud, muted or not, as plain data.

use crate::{
    console::theme::Tone,
    engine::sound_desk::{Levels, Line, SoundSnapshot},
};

/// What the phone shows of its person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Person {
    /// `Mic: Built-in · Speaker: Built-in`, or what is missing.
    pub devices: Vec<(String, Tone)>,
    /// Why nobody can speak here; `None`: there is a microphone.
    pub silent: Option<String>,
    /// From 0 to 1: the person's own level and peak, and the far side's.
    pub own: (f32, f32),
    pub far: (f32, f32),
    pub muted: bool,
    pub volume: f32,
}

/// `sound`: `None` where this program looks after no devices.
pub fn person(sound: Option<&SoundSnapshot>, levels: &Levels) -> Person {
    let Some(sound) = sound else {
        let silent = "This program has no sound devices".to_owned();
        return Person { devices: vec![(silent.clone(), Tone::Warn)], silent: Some(silent), ..Person::default() };
    };
    let meter = |level: crate::engine::sound_desk::Level| (level.meter(), ((level.peak_dbfs() + 60.0) / 60.0).clamp(0.0, 1.0));
    let muted = sound.is_muted(Line::Phone);
    let silent = match (sound.system, &sound.microphone.device) {
        (None, _) => Some("No sound system answers on this machine, so there is no microphone".to_owned()),
        (Some(_), None) => sound.microphone.trouble("microphone"),
        (Some(_), Some(_)) => None,
    };
    let mut devices = match &silent {
        Some(silent) => vec![(silent.clone(), Tone::Warn)],
        None => sound.microphone.trouble("microphone").map(|trouble| (trouble, Tone::Warn)).into_iter().collect(),
    };
    if sound.system.is_some() {
        devices.extend(sound.speaker.trouble("speaker").map(|trouble| (trouble, Tone::Warn)));
    }
    if devices.is_empty() {
        devices.push((summary(sound), Tone::Faint));
    }
    Person {
        devices,
        silent,
        own: if muted { (0.0, 0.0) } else { meter(levels.microphone) },
        far: meter(levels.heard(Line::Phone)),
        muted,
        volume: sound.volume(Line::Phone),
    }
}

/// The devices in one line.
pub fn summary(sound: &SoundSnapshot) -> String {
    let name = |end: &crate::engine::sound_desk::End| end.device.as_ref().map_or("none", |device| device.name.as_str()).to_owned();
    format!("Mic: {} · Speaker: {}", name(&sound.microphone), name(&sound.speaker))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sound_desk::{Device, End};

    fn end(name: &str) -> End {
        End { device: Some(Device { id: name.to_owned(), name: name.to_owned() }), follows_default: true, ..End::default() }
    }

    #[test]
    fn devices_are_named_and_what_is_missing_is_said() {
        let mut sound =
            SoundSnapshot { system: Some("PulseAudio"), microphone: end("Built-in"), speaker: end("HDMI"), ..SoundSnapshot::default() };
        let told = person(Some(&sound), &Levels::default());
        assert_eq!(told.devices, [("Mic: Built-in · Speaker: HDMI".to_owned(), Tone::Faint)]);
        assert_eq!(told.silent, None);
        sound.microphone.missing = Some("USB headset".to_owned());
        let told = person(Some(&sound), &Levels::default());
        assert_eq!(told.devices, [("USB headset is not plugged in; Built-in is used instead".to_owned(), Tone::Warn)]);
        sound.microphone = End::default();
        let told = person(Some(&sound), &Levels::default());
        assert_eq!((told.silent.as_deref(), told.devices.len()), (Some("No microphone is plugged in"), 1));
        sound.system = None;
        assert!(person(Some(&sound), &Levels::default()).silent.is_some_and(|why| why.contains("No sound system")));
        assert!(person(None, &Levels::default()).silent.is_some());
    }
}
