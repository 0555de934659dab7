//! The operator's ear and mouth: what is missing of them, how loud it is, and what the desk is to be told when calls come and go.

use crate::engine::sound_desk::{Level, Levels, Line, SoundCommand, SoundSnapshot, Tone};

/// What the talk's card shows of its sound.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Voice {
    /// Level and peak, from 0 to 1.
    pub own: (f32, f32),
    pub customer: (f32, f32),
    pub muted: bool,
    /// What keeps one from hearing or being heard; calls are taken all the same.
    pub troubles: Vec<String>,
}

/// `sound`: `None` where this program looks after no devices.
pub fn voice(sound: Option<&SoundSnapshot>, levels: &Levels) -> Voice {
    let Some(sound) = sound.filter(|sound| sound.system.is_some()) else {
        return Voice { troubles: vec![NO_SOUND.to_owned()], ..Voice::default() };
    };
    let meter = |level: Level| (level.meter(), ((level.peak_dbfs() + 60.0) / 60.0).clamp(0.0, 1.0));
    let own = if sound.agent_microphone.is_some() { levels.agent_microphone } else { levels.microphone };
    let muted = sound.is_muted(Line::Operator);
    let without = |trouble: Option<String>, gone: bool, what: &str| trouble.map(|why| if gone { format!("{why}: {what}") } else { why });
    let (ear, mouth) = (sound.operator_speaker(), sound.operator_microphone());
    let troubles = [
        without(ear.trouble("speaker"), ear.device.is_none(), "you hear nothing"),
        without(mouth.trouble("microphone"), mouth.device.is_none(), "nobody hears you"),
    ];
    Voice {
        own: if muted { (0.0, 0.0) } else { meter(own) },
        customer: meter(levels.heard(Line::Operator)),
        muted,
        troubles: troubles.into_iter().flatten().collect(),
    }
}

/// What the desk was told last of the operator's calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    pub rings: bool,
    /// Its devices are open: a call waits or is talked in.
    pub keeps: bool,
}

/// What the desk is to be told now.
pub fn commands(before: Told, now: Told) -> Vec<SoundCommand> {
    let mut commands = Vec::new();
    if before.keeps != now.keeps {
        commands.push(SoundCommand::Keep { line: Line::Operator, open: now.keeps });
        // Who was muted in the last talk is heard in the next one.
        commands.push(SoundCommand::Mute { line: Line::Operator, on: false });
    }
    if before.rings != now.rings {
        commands.push(if now.rings { SoundCommand::Play(Tone::Ring) } else { SoundCommand::Stop(Tone::Ring) });
    }
    commands
}

const NO_SOUND: &str = "No sound system answers on this machine: you hear nothing, and nobody hears you";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sound_desk::{Device, End};

    fn end(name: &str) -> End {
        End { device: Some(Device { id: name.to_owned(), name: name.to_owned() }), follows_default: true, ..End::default() }
    }

    #[test]
    fn what_is_missing_is_said_and_what_is_there_is_not() {
        let mut sound =
            SoundSnapshot { system: Some("PulseAudio"), microphone: end("Built-in"), speaker: end("HDMI"), ..SoundSnapshot::default() };
        assert_eq!(voice(Some(&sound), &Levels::default()).troubles, Vec::<String>::new());
        sound.microphone = End::default();
        assert_eq!(voice(Some(&sound), &Levels::default()).troubles, ["No microphone is plugged in: nobody hears you"]);
        sound.agent_microphone = Some(end("Headset"));
        assert_eq!(voice(Some(&sound), &Levels::default()).troubles, Vec::<String>::new(), "the operator has its own");
        assert_eq!(voice(None, &Levels::default()).troubles, [NO_SOUND]);
        sound.system = None;
        assert_eq!(voice(Some(&sound), &Levels::default()).troubles, [NO_SOUND]);
    }

    #[test]
    fn devices_open_with_the_first_call_and_it_rings_while_one_waits() {
        let (none, waits, talks) = (Told::default(), Told { rings: true, keeps: true }, Told { rings: false, keeps: true });
        let keep = |open| SoundCommand::Keep { line: Line::Operator, open };
        let heard = SoundCommand::Mute { line: Line::Operator, on: false };
        assert_eq!(commands(none, waits), [keep(true), heard.clone(), SoundCommand::Play(Tone::Ring)]);
        assert_eq!(commands(waits, talks), [SoundCommand::Stop(Tone::Ring)]);
        assert_eq!(commands(talks, none), [keep(false), heard]);
        assert_eq!(commands(talks, talks), []);
    }
}
