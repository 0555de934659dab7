//! The place *Test call*: what its actions do, and its INVITE made anew when the form changes.

use eframe::egui::{CentralPanel, Context, Event, Frame, Ui};

use super::{
    action::Action,
    app::{App, Asked},
    panels::test_call::{self, Act, KEYS, Middle, preview},
    remembered::Preset,
    state::Notice,
    theme::Tokens,
};
use crate::{
    export,
    model::{Command, ReturnMethod, TransportName},
};

impl App {
    pub(super) fn test_call(&mut self, ctx: &Context, act: Act) {
        match act {
            Act::CheckSound => self.place_test_call(true),
            Act::Press(key) => {
                if let Some(call) = self.state.test_call {
                    self.sound_key(key);
                    self.ask(Command::SendDigits { call, digits: key.to_string() }, Asked::Other);
                }
            }
            Act::Mute(_) | Act::Hold(_) | Act::Volume(_) | Act::UseTone => self.phone_act(&act),
            Act::NamePreset => self.state.test.naming = Some(String::new()),
            Act::SavePreset => {
                if let Some(name) = self.state.test.naming.take() {
                    let preset = Preset { name: name.trim().to_owned(), form: self.state.form.clone() };
                    self.remembered.presets.retain(|known| known.name != preset.name);
                    self.remembered.presets.truncate(MOST_PRESETS - 1);
                    self.remembered.presets.push(preset);
                }
            }
            Act::UsePreset(index) => {
                if let Some(preset) = self.remembered.presets.get(index) {
                    self.state.form = preset.form.clone();
                }
            }
            Act::ForgetPreset(index) => {
                if index < self.remembered.presets.len() {
                    self.remembered.presets.remove(index);
                }
            }
            Act::CopyCommand => self.copied(
                ctx,
                export::test_call::command_line(&self.state.form.test_call(), &self.facts.bridge_uri),
                "The line for a shell",
            ),
            Act::CopySipp => self.copy_sipp(ctx),
        }
    }

    fn copy_sipp(&mut self, ctx: &Context) {
        let Some((form, invite)) = &self.state.test.preview else { return };
        if let Some(fault) = &invite.fault {
            self.state.notice = Some(Notice { text: fault.clone(), wrong: true });
            return;
        }
        let method = match self.facts.return_method.as_str() {
            "INVITE" => ReturnMethod::Invite,
            "BYE" => ReturnMethod::Bye,
            _ => ReturnMethod::Refer,
        };
        let scenario = export::test_call::sipp_scenario(&invite.text, &form.test_call(), method);
        self.copied(ctx, scenario, "The scenario");
    }

    /// The keyboard's digits are the phone's, while a call is up.
    pub(super) fn phone_keys(&self, ctx: &Context, actions: &mut Vec<Action>) {
        let placed = self.state.test_call.and_then(|id| self.snapshot.calls.iter().find(|call| call.id == id));
        if placed.is_none_or(|call| call.state.is_final() || call.answered_at.is_none()) {
            return;
        }
        let typed: String = ctx.input(|input| {
            let texts = input.events.iter().filter_map(|event| if let Event::Text(text) = event { Some(text.as_str()) } else { None });
            texts.collect()
        });
        actions.extend(typed.chars().filter(|key| KEYS.contains(key)).map(|key| Action::TestCall(Act::Press(key))));
    }

    fn copied(&mut self, ctx: &Context, text: String, what: &str) {
        ctx.copy_text(text);
        self.state.notice = Some(Notice { text: format!("{what} is in the clipboard"), wrong: false });
    }

    pub(super) fn test_call_place_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let background = Tokens::of(ui).background;
        self.refresh_preview();
        let placed = self.state.test_call.and_then(|id| self.book.find(id));
        let bridge = placed.and_then(|p| self.book.find(self.bridge_side(p.id)?));
        let views = self.placed.views.all();
        let view = test_call::TestCallView {
            facts: &self.facts,
            running: placed.map(|p| (p.id, test_call::data::running(p, bridge, self.now))),
            ladder: placed.map(|_| &self.placed.ladder),
            journey: &test_call::data::journey(placed, bridge, views, &self.facts, self.state.test.checks_sound),
            presets: &self.remembered.presets,
            person: test_call::person::person(self.backend.devices().as_deref(), &self.backend.levels()),
            in_person: self.phone_moves(),
            on_hold: placed.is_some_and(|placed| placed.legs.iter().any(|leg| leg.on_hold)),
            checked: self.state.test.checks_sound.then(|| test_call::sound_check::checked(placed, self.now)),
        };
        let panel = CentralPanel::no_frame().frame(Frame::new().fill(background));
        panel.show(ui, |ui| test_call::test_call_ui(ui, &mut self.state, &view, actions));
    }

    /// Some microseconds of work, and only where the form is another one.
    pub(super) fn refresh_preview(&mut self) {
        if self.state.test.preview.as_ref().is_some_and(|(of, _)| *of == self.state.form) {
            return;
        }
        let form = self.state.form.clone();
        let made = self.backend.preview(&form.test_call());
        let is_first = self.state.test.preview.is_none();
        self.state.test.preview = Some((form, preview::preview(made, self.state.form.transport == TransportName::Tcp)));
        if !is_first {
            self.state.test.middle = Middle::Invite;
        }
    }
}

/// The oldest goes.
const MOST_PRESETS: usize = 100;
