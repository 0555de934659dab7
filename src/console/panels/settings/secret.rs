//! A secret is set, replaced or forgotten, and never shown: only where it is kept.

use eframe::egui::{Align, Frame, Layout, Margin, RichText, Stroke, TextEdit, Ui, Vec2};

use super::{
    act::Act,
    form::SecretRow,
    paint::{CELL, id_of, sentence_ui},
    state::{Kept, SecretEdit},
};
use crate::console::{
    action::Action,
    theme::{self, Radius, Space, Tokens, Tone},
    widgets::{Look, action_button, caption, icon_button, segmented},
};

/// In a table: where it is, and the way to its editor.
pub fn secret_cell_ui(ui: &mut Ui, secret: &SecretRow, index: usize, width: f32, actions: &mut Vec<Action>) {
    ui.allocate_ui_with_layout(Vec2::new(width, CELL), Layout::left_to_right(Align::Center), |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.x = Space::XS;
        ui.add_space(8.0);
        let name = format!("{} of {}", secret.label, index + 1);
        words_ui(ui, secret, &name, width - 34.0, actions);
    });
}

/// With its name above it.
pub fn secret_row_ui(ui: &mut Ui, secret: &SecretRow, edit: &mut Option<SecretEdit>, actions: &mut Vec<Action>) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = Space::XS;
        caption(ui, &secret.label);
        ui.horizontal(|ui| words_ui(ui, secret, &secret.label, ui.available_width() - 40.0, actions));
        if let Some(fault) = &secret.fault {
            sentence_ui(ui, Tone::Wrong, fault);
        }
        if edit.as_ref().is_some_and(|edit| edit.table == secret.table) {
            secret_editor_ui(ui, edit, actions);
        }
    });
}

fn words_ui(ui: &mut Ui, secret: &SecretRow, name: &str, width: f32, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let (text, colour) = match (secret.kept.as_str(), &secret.fault) {
        ("", _) => ("none: set one…".to_owned(), tokens.accent),
        (kept, Some(_)) => (kept.to_owned(), tokens.wrong),
        (kept, None) => (format!("•••• {kept}"), tokens.text_soft),
    };
    let label = eframe::egui::Label::new(RichText::new(text).size(12.0).color(colour)).truncate().sense(eframe::egui::Sense::CLICK);
    let room = Vec2::new(width.min(ui.available_width() - BUTTON_ROOM), 18.0);
    let response = ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| ui.add(label)).inner;
    let action = Action::Settings(Act::AskSecret(secret.table.clone()));
    let response = response.on_hover_text(action.face().tooltip).on_hover_cursor(eframe::egui::CursorIcon::PointingHand);
    response.widget_info(|| eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Button, true, format!("Replace {name}")));
    if response.clicked() {
        actions.push(action);
    }
    if !secret.kept.is_empty() {
        icon_button(ui, Action::Settings(Act::ForgetSecret(secret.table.clone())), &format!("Forget {name}"), actions);
    }
}

/// Where it shall be kept, and what it is.
pub fn secret_editor_ui(ui: &mut Ui, edit: &mut Option<SecretEdit>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let Some(edit) = edit else { return };
    let frame = Frame::new()
        .fill(tokens.raised)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(Radius::CONTROL)
        .inner_margin(Margin::same(12))
        .outer_margin(Margin { left: 0, right: 0, top: 4, bottom: 8 });
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = Vec2::new(Space::S, Space::S);
        let is_key = edit.table.starts_with("api.keys");
        let all = [
            (Kept::Hash, "Hash"),
            (Kept::Here, "This file"),
            (Kept::Environment, "Environment"),
            (Kept::File, "Another file"),
            (Kept::Keyring, "Keyring"),
        ];
        let choices: Vec<(Kept, &str)> = all.into_iter().filter(|(kept, _)| is_key || *kept != Kept::Hash).collect();
        caption(ui, "Keep it in");
        if let Some(kept) = segmented(ui, "Keep it in", edit.kept, &choices) {
            edit.kept = kept;
            edit.text.clear();
            edit.put.clear();
        }
        let (label, hint, hidden) = match edit.kept {
            Kept::Here => ("Secret", "", true),
            Kept::Hash => ("Secret", "", true),
            Kept::Environment => ("Name of the variable", "SBC_EAST", false),
            Kept::File => ("Path of the file", "its first line is the secret", false),
            Kept::Keyring => ("Name of the entry", "sbc-east", false),
        };
        let label = caption(ui, label);
        let field = TextEdit::singleline(&mut edit.text)
            .id(id_of(SECRET_FIELD))
            .password(hidden)
            .font(theme::mono(12.0))
            .hint_text(RichText::new(hint).font(theme::mono(12.0)).color(tokens.text_faint))
            .margin(Margin::symmetric(9, 7))
            .desired_width(ui.available_width());
        let mut entered = ui.add(field).labelled_by(label.id).lost_focus() && ui.input(|i| i.key_pressed(eframe::egui::Key::Enter));
        let note = match edit.kept {
            Kept::Here => "The file is then for its owner alone (mode 0600)",
            Kept::Hash => "Only its SHA-256 is written: enough to know it again",
            Kept::Environment => "It is read when the program starts, and when settings are saved",
            Kept::File => "Meant from the settings' folder. A secret that is typed here is written into it, for its owner alone",
            Kept::Keyring => "An entry of the service “handback”. A secret that is typed here is put into it",
        };
        if matches!(edit.kept, Kept::File | Kept::Keyring) {
            let label = caption(ui, "Secret, unless it is there already");
            let field = TextEdit::singleline(&mut edit.put)
                .password(true)
                .font(theme::mono(12.0))
                .margin(Margin::symmetric(9, 7))
                .desired_width(ui.available_width());
            let response = ui.add(field).labelled_by(label.id);
            entered |= response.lost_focus() && ui.input(|i| i.key_pressed(eframe::egui::Key::Enter));
        }
        sentence_ui(ui, Tone::Faint, note);
        let empty = edit.text.is_empty().then_some("Type it first");
        ui.horizontal(|ui| {
            action_button(ui, Action::Settings(Act::SetSecret), Look::Primary, empty, actions);
            action_button(ui, Action::Settings(Act::KeepSecret), Look::Plain, None, actions);
        });
        if entered && empty.is_none() {
            actions.push(Action::Settings(Act::SetSecret));
        }
    });
}

const BUTTON_ROOM: f32 = 26.0;
/// The editor's field, which has the keyboard when it opens.
pub const SECRET_FIELD: &str = "secret editor";
