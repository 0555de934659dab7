//! `[sound]`: the microphones and speakers of the person at this machine.

use super::{fault::Faults, table::Section};
use crate::model::settings::Sound;

pub fn read(mut section: Section<'_>, faults: &mut Faults<'_>) -> Sound {
    let default = Sound::default();
    let mut device = |key, faults: &mut Faults<'_>| {
        let (entry, name) = section.text(key, faults)?;
        if name.chars().any(char::is_control) {
            entry.fault("holds a control character, which no device's name does", faults);
        }
        Some(name.trim().to_owned()).filter(|name| !name.is_empty() && name != "default")
    };
    let microphone = device("microphone", faults);
    let speaker = device("speaker", faults);
    let agent_microphone = device("agent_microphone", faults);
    let agent_speaker = device("agent_speaker", faults);
    let volume_percent = section.number("volume", 0..=100, default.volume_percent.into(), faults) as u32;
    let ring = section.flag("ring", default.ring, faults);
    section.finish(faults);
    Sound { microphone, speaker, agent_microphone, agent_speaker, volume_percent, ring }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::check;

    const REST: &str = "[agent]\nkind = \"script\"\nscript = \"demo\"\n";

    #[test]
    fn devices_volume_and_ring_are_read_and_the_default_needs_no_name() {
        let text = format!(
            "{REST}[sound]\nmicrophone = \"default\"\nspeaker = \"USB headset\"\nagent_speaker = \"hdmi\"\nvolume = 55\nring = false\n"
        );
        let (settings, _) = check(Path::new("h.toml"), &text).expect("reads");
        let sound = settings.sound;
        assert_eq!((sound.microphone, sound.speaker.as_deref()), (None, Some("USB headset")));
        assert_eq!((sound.agent_speaker.as_deref(), sound.volume_percent, sound.ring), (Some("hdmi"), 55, false));
        let (settings, _) = check(Path::new("h.toml"), REST).expect("reads");
        assert_eq!(settings.sound, crate::model::settings::Sound::default());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key() {
        let text = format!("{REST}[sound]\nvolume = 101\nring = \"loud\"\nmicrofone = \"x\"\n");
        let faults = check(Path::new("h.toml"), &text).expect_err("is refused");
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        for key in ["sound.volume", "sound.ring", "sound.microfone"] {
            assert!(told.iter().any(|fault| fault.contains(key)), "{key} in {told:?}");
        }
    }
}
