//! Paints the form of a test call.

use eframe::egui::{Align, Layout, RichText, TextEdit, Ui};

use super::{state::Act, ui::TestCallView};

use crate::{
    console::{
        action::Action,
        remembered::Preset,
        state::{Sound, State},
        theme::{self, Space, Tokens},
        widgets::{FieldLook, Look, action_button, caption, heading, icon_button, labelled_field, menu, menu_item, segmented},
    },
    model::{OnReturn, TransportName},
};

pub(super) fn form_ui(ui: &mut Ui, state: &mut State, view: &TestCallView<'_>, actions: &mut Vec<Action>) {
    let (form, facts) = (&mut state.form, view.facts);
    let width = ui.available_width();
    let half = (width - Space::M) / 2.0;
    let mut call = String::new();
    std::mem::swap(&mut call, &mut form.to);
    ui.horizontal(|ui| {
        heading(ui, "Call");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| presets_ui(ui, view.presets, actions));
    });
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        let look = FieldLook { hint: &facts.bridge_uri, ..FieldLook::default() };
        labelled_field(ui, "To", look, &mut call, width - 134.0 - Space::M);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = Space::XS;
            caption(ui, "Transport");
            let transports = [(TransportName::Udp, "UDP"), (TransportName::Tcp, "TCP")];
            form.transport = segmented(ui, "Transport", form.transport, &transports).unwrap_or(form.transport);
        });
    });
    form.to = call;
    labelled_field(ui, "From", FieldLook::default(), &mut form.from, width);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        labelled_field(ui, "Username", FieldLook { hint: "only if it is asked for", ..FieldLook::default() }, &mut form.username, half);
        labelled_field(ui, "Password", FieldLook { password: true, ..FieldLook::default() }, &mut form.password, half);
    });
    let digits = || FieldLook { hint: "none", ..FieldLook::default() };
    let mut presses = form.sound != Sound::Microphone;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = Space::XS;
            caption(ui, "Sound to send");
            let sounds =
                [(Sound::Microphone, "Microphone"), (Sound::Recording, "Recording"), (Sound::Tone, "Tone"), (Sound::Silence, "Silence")];
            form.sound = segmented(ui, "Sound to send", form.sound, &sounds).unwrap_or(form.sound);
        });
        if presses && ui.available_width() >= LEAST_DIGITS {
            labelled_field(ui, "Digits after 2 s", digits(), &mut form.dtmf, DIGITS.min(ui.available_width()));
            presses = false;
        }
    });
    if presses {
        // Beside the sound there is no room for it.
        labelled_field(ui, "Digits after 2 s", digits(), &mut form.dtmf, half);
    }
    if form.sound == Sound::Microphone {
        for (text, tone) in &view.person.devices {
            ui.label(RichText::new(text).size(12.0).color(Tokens::of(ui).tone(*tone)));
        }
        if view.person.silent.is_some() {
            action_button(ui, Action::TestCall(Act::UseTone), Look::Plain, None, actions);
        }
    }
    if form.sound == Sound::Recording {
        labelled_field(ui, "WAV file", FieldLook { hint: "/path/to/file.wav", ..FieldLook::default() }, &mut form.recording, width);
    }
    ui.add_space(Space::XS);
    heading(ui, "Context");
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        labelled_field(ui, "Task", FieldLook { header: "X-GA-taskName", ..FieldLook::default() }, &mut form.task, half);
        labelled_field(ui, "Customer", FieldLook { header: "X-GA-customerId", ..FieldLook::default() }, &mut form.customer, half);
    });
    let header = FieldLook { header: "X-GA-extConversationId", ..FieldLook::default() };
    labelled_field(ui, "Conversation", header, &mut form.conversation, width);
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = 14.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            caption(ui, "Input variables");
            let soft = Tokens::of(ui).text_soft;
            ui.label(RichText::new("X-GA-iv-*").font(theme::mono(11.5)).color(soft));
        });
    });
    ui.add_space(-Space::XS);
    variables_ui(ui, "input variable", &mut form.variables);
    ui.add_space(Space::XS);
    heading(ui, "When the call comes back");
    let choices = [
        (OnReturn::Accept, "Accept"),
        (OnReturn::Refuse, "Refuse 603"),
        (OnReturn::Ignore, "Ignore"),
        (OnReturn::AcceptThenFail, "Accept, then fail"),
    ];
    form.on_return = segmented(ui, "When the call comes back", form.on_return, &choices).unwrap_or(form.on_return);
    ui.add_space(Space::XS);
    heading(ui, "Besides");
    labelled_field(
        ui,
        "Call transfer",
        FieldLook { header: "X-ASAPP-CallTransferId", hint: "only for a call announced through the API", ..FieldLook::default() },
        &mut form.call_transfer,
        width,
    );
    caption(ui, "Further headers");
    ui.add_space(-Space::XS);
    variables_ui(ui, "header", &mut form.headers);
}

/// What one does with the form: below it, and never scrolled away.
pub(super) fn buttons_ui(ui: &mut Ui, state: &State, view: &TestCallView<'_>, actions: &mut Vec<Action>) {
    let silent = view.person.silent.clone().filter(|_| state.form.sound == Sound::Microphone);
    let (placing, fault) = (state.placing, state.form.fault().or(silent));
    ui.horizontal(|ui| {
        let why = if placing { Some("A test call is being placed") } else { fault.as_deref() };
        action_button(ui, Action::PlaceTestCall, Look::Primary, why, actions);
        let call_fault = state.form.call_fault();
        let why = if placing { Some("A test call is being placed") } else { call_fault.as_deref() };
        action_button(ui, Action::TestCall(Act::CheckSound), Look::Plain, why, actions);
        menu(ui, "Copy", |ui| {
            for act in [Act::CopyCommand, Act::CopySipp] {
                menu_item(ui, Action::TestCall(act), None, actions);
            }
        });
    });
    if let Some(fault) = fault {
        let wrong = Tokens::of(ui).wrong;
        ui.label(RichText::new(fault).size(12.0).color(wrong));
    }
}

fn presets_ui(ui: &mut Ui, presets: &[Preset], actions: &mut Vec<Action>) {
    menu(ui, "Presets", |ui| {
        menu_item(ui, Action::TestCall(Act::NamePreset), None, actions);
        if !presets.is_empty() {
            ui.separator();
        }
        for (index, preset) in presets.iter().enumerate() {
            ui.horizontal(|ui| {
                menu_item(ui, Action::TestCall(Act::UsePreset(index)), Some(&preset.name), actions);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    icon_button(ui, Action::TestCall(Act::ForgetPreset(index)), &format!("Forget {}", preset.name), actions);
                });
            });
        }
    });
}

/// Rows of name and value; the last one, empty, is where the next is typed.
pub fn variables_ui(ui: &mut Ui, what: &str, rows: &mut Vec<(String, String)>) {
    let tokens = Tokens::of(ui);
    let width = ui.available_width();
    let name_width = (width * 0.4).floor();
    let mut remove = None;
    let mut draft = (String::new(), String::new());
    let add = format!("add a {}…", what.rsplit(' ').next().unwrap_or(what));
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = eframe::egui::Vec2::new(Space::XS, 2.0);
        let filled = rows.len();
        for (index, (name, value)) in rows.iter_mut().chain(std::iter::once(&mut draft)).enumerate() {
            ui.push_id((what, index), |ui| {
                ui.horizontal(|ui| {
                    let is_draft = index == filled;
                    let cell = |text, hint: &str, width: f32| {
                        TextEdit::singleline(text)
                            .font(theme::mono(12.0))
                            .hint_text(RichText::new(hint).font(theme::mono(12.0)).color(tokens.text_faint))
                            .margin(eframe::egui::Margin::symmetric(9, 6))
                            .desired_width(width)
                    };
                    let number = index + 1;
                    ui.add(cell(name, if is_draft { &add } else { "name" }, name_width))
                        .accessible_name(format!("Name of {what} {number}"));
                    ui.add(cell(value, if is_draft { "" } else { "value" }, width - name_width - 34.0))
                        .accessible_name(format!("Value of {what} {number}"));
                    if !is_draft {
                        let mut pressed = Vec::new();
                        crate::console::widgets::icon_button(
                            ui,
                            Action::RemoveVariable(index),
                            &format!("Remove {what} {number}"),
                            &mut pressed,
                        );
                        remove = remove.or((!pressed.is_empty()).then_some(index));
                    }
                });
            });
        }
    });
    if !draft.0.is_empty() || !draft.1.is_empty() {
        rows.push(draft);
    }
    if let Some(index) = remove {
        rows.remove(index);
    }
}

/// The field of the digits, and what its name takes.
const DIGITS: f32 = 120.0;
const LEAST_DIGITS: f32 = 86.0;
