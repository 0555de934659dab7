//! Paints a card's rows, whatever page they are of.

use eframe::egui::{Align, Align2, Layout, Pos2, Rect, RichText, Sense, Ui, Vec2};

use super::{
    act::{Act, Kind},
    flow::flow_ui,
    form::{Card, Choice, Field, List, Record, RecordCell, Records, Row},
    paint::{BUTTON, CELL, CellEdit, field_ui, header_ui, label_ui, line_under, sentence_ui, set, switch_ui, told_ui},
    peer_rows::peers_ui,
    returns_ui::{methods_ui, payload_ui, sample_ui},
    secret::{secret_cell_ui, secret_editor_ui, secret_row_ui},
    sound_ui::device_ui,
    state::State,
    who_ui::{caller_ui, trial_ui},
};
use crate::console::{
    action::Action,
    theme::{self, Space, Tokens, Tone},
    widgets::{Look, action_button, card, elided, heading, icon_button, key_values, segmented},
};

pub fn card_ui(ui: &mut Ui, data: &Card, state: &mut State, actions: &mut Vec<Action>) {
    // The ways back are cards themselves.
    if let [Row::Methods { .. }, ..] = data.rows[..] {
        data.rows.iter().for_each(|row| row_ui(ui, row, state, actions));
        return;
    }
    card(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = Space::M;
        if !data.title.is_empty() {
            ui.horizontal(|ui| {
                ui.spacing_mut().interact_size.y = 18.0;
                heading(ui, &data.title);
                if let Some((aside, tone)) = &data.aside {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        ui.label(RichText::new(aside).font(theme::mono(12.5)).color(Tokens::of(ui).tone(*tone)));
                    });
                }
            });
        }
        data.rows.iter().for_each(|row| row_ui(ui, row, state, actions));
    });
}

fn row_ui(ui: &mut Ui, row: &Row, state: &mut State, actions: &mut Vec<Action>) {
    match row {
        Row::Fields(fields) => fields_ui(ui, fields, actions),
        Row::Choice(choice) => {
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = Space::XS + 1.0;
                if !choice.label.is_empty() {
                    label_ui(ui, &choice.label, &choice.told);
                }
                choice_ui(ui, choice, &choice.label, actions);
                told_ui(ui, &choice.told);
            });
        }
        Row::Flag(flag) => {
            ui.vertical(|ui| {
                if switch_ui(ui, flag.on, &flag.label, &flag.note, &flag.told) {
                    actions.push(Action::Settings(flag.switch.clone()));
                }
                told_ui(ui, &flag.told);
            });
        }
        Row::List(list) => list_ui(ui, list, actions),
        Row::Records(records) => records_ui(ui, records, state, actions),
        Row::Secret(secret) => secret_row_ui(ui, secret, &mut state.secret, actions),
        Row::Peers { peers, can_be_edited } => peers_ui(ui, peers, *can_be_edited, actions),
        Row::Methods { key, chosen } => methods_ui(ui, key, *chosen, actions),
        Row::Flow(method) => flow_ui(ui, *method),
        Row::Sample => sample_ui(ui, &mut state.sample),
        Row::Payload(payload) => {
            ui.scope(|ui| {
                ui.spacing_mut().item_spacing.y = Space::S;
                payload_ui(ui, payload, actions);
            });
        }
        Row::Caller { fault } => caller_ui(ui, &mut state.caller, fault),
        Row::Trial(trial) => trial_ui(ui, trial),
        Row::Facts(facts) => {
            // Cards may say the same of several things.
            let first = facts.first().map(|fact| (fact.key.clone(), fact.value.clone()));
            ui.push_id(first, |ui| key_values(ui, facts, 150.0, actions));
        }
        Row::Note(tone, text) => sentence_ui(ui, *tone, text),
        Row::Device(device) => device_ui(ui, device, actions),
        Row::Buttons(acts) => {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = Space::S;
                for act in acts {
                    action_button(ui, Action::Settings(act.clone()), Look::Plain, None, actions);
                }
            });
        }
        Row::Add(act) => {
            action_button(ui, Action::Settings(act.clone()), Look::Plain, None, actions);
        }
    }
}

fn fields_ui(ui: &mut Ui, fields: &[Field], actions: &mut Vec<Action>) {
    let shares: f32 = fields.iter().map(|field| field.share).sum();
    let room = ui.available_width() - Space::M * (fields.len().saturating_sub(1)) as f32;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        for field in fields {
            field_ui(ui, field, (room * field.share / shares.max(0.1)).floor(), actions);
        }
    });
}

fn choice_ui(ui: &mut Ui, choice: &Choice, name: &str, actions: &mut Vec<Action>) {
    let words: Vec<(usize, &str)> = choice.choices.iter().enumerate().map(|(index, (_, word))| (index, word.as_str())).collect();
    let pressed = segmented(ui, name, choice.chosen.unwrap_or(usize::MAX), &words);
    let pressed = pressed.filter(|index| choice.chosen != Some(*index));
    if let Some((act, _)) = pressed.and_then(|index| choice.choices.get(index)) {
        actions.push(Action::Settings(act.clone()));
    }
}

fn list_ui(ui: &mut Ui, list: &List, actions: &mut Vec<Action>) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        let width = ui.available_width();
        let aside = if list.aside.is_empty() { 0.0 } else { 110.0 };
        let text_width = width - aside - BUTTON;
        if list.aside.is_empty() {
            label_ui(ui, &list.label, &list.told);
            ui.add_space(Space::XS);
        } else {
            header_ui(ui, &[(&list.label, text_width), (&list.aside, aside)]);
        }
        for (index, item) in list.items.iter().enumerate() {
            let name = format!("{} {}", list.one, index + 1);
            let row = ui.horizontal(|ui| {
                let mut text = item.value.clone();
                let cell =
                    CellEdit { id: &item.key, name: &name, hint: "", is_faulty: item.told.fault.is_some(), is_changed: item.told.changed };
                if cell.show(ui, &mut text, text_width).changed() {
                    actions.push(set(&item.key, Kind::Text, text));
                }
                if aside > 0.0 {
                    cell_text(ui, &item.aside, aside);
                }
                icon_button(ui, Action::Settings(Act::Remove(item.key.clone())), &format!("Remove {name}"), actions);
            });
            if item.told.fault.is_some() || item.told.warning.is_some() {
                ui.horizontal(|ui| {
                    ui.add_space(8.0);
                    told_ui(ui, &item.told);
                });
                ui.add_space(5.0);
            }
            let bottom = ui.min_rect().bottom();
            line_under(ui, Rect::from_min_max(row.response.rect.min, Pos2::new(row.response.rect.left() + width, bottom)));
        }
        // The next one is typed into the empty row.
        let mut text = String::new();
        let name = format!("New {}", list.one);
        let article = if list.one.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        let hint = format!("add {article} {}, such as {}", list.one, list.hint);
        let id = format!("{}[{}]", list.key, list.items.len());
        if (CellEdit { id: &id, name: &name, hint: &hint, is_faulty: false, is_changed: false })
            .show(ui, &mut text, width - BUTTON)
            .changed()
        {
            actions.push(Action::Settings(Act::Push { key: list.key.clone(), text }));
        }
        if !list.aside.is_empty() || list.told.fault.is_some() {
            told_ui(ui, &list.told);
        }
    });
}

fn records_ui(ui: &mut Ui, records: &Records, state: &mut State, actions: &mut Vec<Action>) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        let room = ui.available_width() - BUTTON;
        if records.rows.is_empty() {
            sentence_ui(ui, Tone::Faint, &records.empty);
        } else {
            let columns: Vec<(&str, f32)> = records.columns.iter().map(|(title, share)| (*title, share * room)).collect();
            header_ui(ui, &columns);
        }
        for (index, record) in records.rows.iter().enumerate() {
            record_ui(ui, records, index, record, room, state, actions);
        }
        told_ui(ui, &records.told);
        ui.add_space(Space::S);
        let add = Act::Add { key: records.key.clone(), what: records.what };
        action_button(ui, Action::Settings(add), Look::Plain, None, actions);
    });
}

fn record_ui(ui: &mut Ui, records: &Records, index: usize, record: &Record, room: f32, state: &mut State, actions: &mut Vec<Action>) {
    let top = ui.cursor().min;
    ui.horizontal(|ui| {
        ui.set_min_height(CELL);
        for (cell, (title, share)) in record.cells.iter().zip(&records.columns) {
            let (width, name) = (share * room, format!("{title} {}", index + 1));
            match cell {
                RecordCell::Field(field) => {
                    let mut text = field.value.clone();
                    let cell = CellEdit {
                        id: &field.key,
                        name: &name,
                        hint: &field.hint,
                        is_faulty: field.told.fault.is_some(),
                        is_changed: field.told.changed,
                    };
                    if cell.show(ui, &mut text, width).changed() {
                        actions.push(set(&field.key, Kind::Text, text));
                    }
                }
                RecordCell::Secret(secret) => secret_cell_ui(ui, secret, index, width, actions),
                RecordCell::Choice(choice) => {
                    ui.allocate_ui_with_layout(Vec2::new(width, CELL), Layout::left_to_right(Align::Center), |ui| {
                        ui.set_width(width);
                        ui.push_id(&record.key, |ui| choice_ui(ui, choice, &name, actions));
                    });
                }
                RecordCell::Text(text) => cell_text(ui, text, width),
            }
        }
        icon_button(ui, Action::Settings(Act::Remove(record.key.clone())), &format!("Remove {}", index + 1), actions);
    });
    for fault in &record.faults {
        ui.horizontal(|ui| {
            ui.add_space(8.0);
            sentence_ui(ui, Tone::Wrong, fault);
        });
    }
    if !record.faults.is_empty() {
        ui.add_space(5.0);
    }
    if state.secret.as_ref().is_some_and(|edit| edit.table == record.key) {
        secret_editor_ui(ui, &mut state.secret, actions);
    }
    let right = top.x + room + BUTTON;
    line_under(ui, Rect::from_min_max(top, Pos2::new(right, ui.min_rect().bottom())));
}

fn cell_text(ui: &mut Ui, text: &str, width: f32) {
    let tokens = Tokens::of(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(width, CELL), Sense::hover());
    let inner = rect.shrink2(Vec2::new(8.0, 0.0));
    let font = if text.starts_with(|c: char| c.is_ascii_digit()) { theme::mono(12.0) } else { theme::text(12.0) };
    elided(ui.painter(), inner, Align2::LEFT_CENTER, text, font, tokens.text_soft);
}
