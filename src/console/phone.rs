//! The phone of the place *Test call*: devices open as long as it is in a call, and what its caller hears while it is in none.

use super::{
    app::{App, Asked},
    panels::test_call::{Act, person::person},
    state::Sound,
};
use crate::{
    engine::sound_desk::{Line, SoundCommand, Tone, rings_silently, sounds_busy},
    model::{CallId, Command},
};

/// What the phone was told last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phone {
    /// The call in which somebody speaks in person.
    call: Option<CallId>,
    keeps: bool,
    rings: bool,
    /// The call's end was heard.
    ended: bool,
}

impl App {
    /// A call is placed. `in_person`: to speak in it, so the devices open before it rings.
    pub(super) fn pick_up_phone(&mut self, in_person: bool) {
        self.phone = Phone { keeps: in_person, ..Phone::default() };
        if in_person {
            self.backend.tell_sound(SoundCommand::Mute { line: Line::Phone, on: false });
        }
        self.backend.tell_sound(SoundCommand::Keep { line: Line::Phone, open: in_person });
    }

    /// The call could not be placed.
    pub(super) fn put_down_phone(&mut self) {
        self.phone.keeps = false;
        self.backend.tell_sound(SoundCommand::Keep { line: Line::Phone, open: false });
    }

    /// The microphone is open for as long as its level is looked at, and for a call in any case.
    pub(super) fn try_microphone(&mut self, on: bool) {
        self.state.settings.tries_microphone = on;
        self.backend.tell_sound(SoundCommand::Keep { line: Line::Phone, open: on || self.phone.keeps });
    }

    /// The tones and the devices follow the call.
    pub(super) fn tend_phone(&mut self) {
        if !self.phone.keeps || self.state.placing {
            return;
        }
        let Some(record) = self.state.test_call.and_then(|id| self.snapshot.calls.iter().find(|call| call.id == id)) else { return };
        let mut now = Phone { call: Some(record.id), ..self.phone };
        now.rings = rings_silently(record);
        now.ended = record.state.is_final();
        now.keeps = !now.ended;
        let before = std::mem::replace(&mut self.phone, now);
        for command in commands(before, now, sounds_busy(record)) {
            self.backend.tell_sound(command);
        }
    }

    /// A key is heard by whoever presses it.
    pub(super) fn sound_key(&self, key: char) {
        if self.phone.keeps {
            self.backend.tell_sound(SoundCommand::Play(Tone::Key(key)));
        }
    }

    /// A person is in the call, so levels move.
    pub(super) fn phone_moves(&self) -> bool {
        self.phone.keeps
    }

    /// Why nobody would hear who speaks here: told before a call is placed.
    pub(super) fn phone_fault(&self) -> Option<String> {
        let silent = person(self.backend.devices().as_deref(), &self.backend.levels()).silent;
        silent.map(|why| format!("{why}: choose the tone instead"))
    }

    pub(super) fn phone_act(&mut self, act: &Act) {
        match act {
            Act::Mute(on) => self.backend.tell_sound(SoundCommand::Mute { line: Line::Phone, on: *on }),
            Act::Volume(volume) => self.backend.tell_sound(SoundCommand::Volume { line: Line::Phone, volume: *volume }),
            Act::Hold(on) => {
                if let Some(call) = self.state.test_call {
                    self.ask(Command::Hold { call, on: *on }, Asked::Other);
                }
            }
            Act::UseTone => self.state.form.sound = Sound::Tone,
            _ => {}
        }
    }
}

fn commands(before: Phone, now: Phone, is_busy: bool) -> Vec<SoundCommand> {
    let mut commands = Vec::new();
    if before.rings != now.rings {
        commands.push(if now.rings { SoundCommand::Play(Tone::Ringback) } else { SoundCommand::Stop(Tone::Ringback) });
    }
    if now.ended && !before.ended {
        // Refused, or never got through: that sounds busy. A call that was talked in just ends.
        if is_busy {
            commands.push(SoundCommand::Play(Tone::Busy));
        }
        commands.push(SoundCommand::Keep { line: Line::Phone, open: false });
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn ringing_and_refusal_are_heard_and_the_devices_are_let_go() {
        let rings = Phone { keeps: true, rings: true, ..Phone::default() };
        let begun = Phone { keeps: true, ..Phone::default() };
        assert_eq!(commands(begun, rings, false), [SoundCommand::Play(Tone::Ringback)]);
        let over = Phone { ended: true, ..Phone::default() };
        let end = SoundCommand::Keep { line: Line::Phone, open: false };
        assert_eq!(commands(rings, over, true), [SoundCommand::Stop(Tone::Ringback), SoundCommand::Play(Tone::Busy), end.clone()]);
        assert_eq!(commands(begun, over, false), [end]);
    }
}
