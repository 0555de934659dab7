//! Which device it is: the one that was chosen, else the system's default, else none; and what to say of it.

use crate::wire::audio_device::{AudioDevice, AudioDevices};

/// What is used for a microphone or a speaker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    pub device: Option<AudioDevice>,
    /// Nobody named one, or the one that was named is not there: it changes when the system's default does.
    pub follows_default: bool,
    /// What was named and is not there.
    pub missing: Option<String>,
}

/// `wanted`: an id or a name; empty or `default` is the system's.
pub fn choose(wanted: Option<&str>, among: &[AudioDevice], default: Option<&str>) -> Chosen {
    let wanted = wanted.map(str::trim).filter(|name| !name.is_empty() && *name != DEFAULT);
    let named = wanted.and_then(|wanted| among.iter().find(|device| device.id == wanted || device.name == wanted));
    if let Some(device) = named {
        return Chosen { device: Some(device.clone()), follows_default: false, missing: None };
    }
    let by_system = default.and_then(|id| among.iter().find(|device| device.id == id)).or(among.first());
    Chosen { device: by_system.cloned(), follows_default: true, missing: wanted.map(str::to_owned) }
}

/// As [`choose`], of the microphones.
pub fn microphone(wanted: Option<&str>, devices: &AudioDevices) -> Chosen {
    choose(wanted, &devices.microphones, devices.default_microphone.as_deref())
}

/// As [`choose`], of the speakers.
pub fn speaker(wanted: Option<&str>, devices: &AudioDevices) -> Chosen {
    choose(wanted, &devices.speakers, devices.default_speaker.as_deref())
}

/// The settings' word for the system's choice.
pub const DEFAULT: &str = "default";

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Vec<AudioDevice> {
        ["built-in", "usb"].map(|id| AudioDevice { id: id.to_owned(), name: format!("{id} sound") }).to_vec()
    }

    fn id(chosen: &Chosen) -> Option<&str> {
        chosen.device.as_ref().map(|device| device.id.as_str())
    }

    #[test]
    fn the_default_is_followed_unless_another_is_named() {
        let among = devices();
        let default = choose(None, &among, Some("usb"));
        assert_eq!((id(&default), default.follows_default), (Some("usb"), true));
        assert_eq!(id(&choose(Some("default"), &among, Some("built-in"))), Some("built-in"));
        for named in ["usb", "usb sound"] {
            let chosen = choose(Some(named), &among, Some("built-in"));
            assert_eq!((id(&chosen), chosen.follows_default, &chosen.missing), (Some("usb"), false, &None));
        }
    }

    #[test]
    fn what_was_pulled_out_gives_way_to_the_default_and_is_named() {
        let chosen = choose(Some("headset"), &devices(), Some("built-in"));
        assert_eq!((id(&chosen), chosen.missing.as_deref()), (Some("built-in"), Some("headset")));
        let none = choose(Some("headset"), &[], None);
        assert_eq!((id(&none), none.missing.as_deref()), (None, Some("headset")));
        assert_eq!(id(&choose(None, &devices(), None)), Some("built-in"), "a system that names none has a first one");
    }
}
