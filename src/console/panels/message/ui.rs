//! Paints the chosen message: its head, three tabs.

use eframe::egui::{
    Align, FontId, Label, Layout, RichText, ScrollArea, Sense, Ui,
    text::{LayoutJob, TextFormat},
};

use super::data::MessageData;
use crate::console::{
    action::Action,
    panels::{findings::cards_ui, padded, payload::payload_body_ui},
    state::MessageTab,
    theme::{self, Space, Tokens},
    widgets::{KeyValue, Look, Tab, action_button, caption, empty_state, icon_button, key_values, tabs},
};

/// `jump`: a way to where this message belongs.
pub fn message_ui(ui: &mut Ui, data: Option<&MessageData>, tab: MessageTab, jump: Option<Action>, actions: &mut Vec<Action>) {
    let Some(data) = data else {
        let sentence = "Click an arrow of the ladder, or press Enter and move with the arrow keys";
        empty_state(ui, "No message chosen", sentence, None, actions);
        return;
    };
    ui.spacing_mut().item_spacing.y = 0.0;
    head(ui, data, jump, actions);
    let choices = MessageTab::ALL.map(|t| Tab { action: Action::ShowMessageTab(t), chosen: t == tab, count: None });
    tabs(ui, choices, actions);
    ui.push_id(tab, |ui| {
        ScrollArea::vertical().id_salt("message").auto_shrink([false, false]).show(ui, |ui| {
            padded(ui, |ui| match tab {
                MessageTab::Decoded => decoded(ui, data, actions),
                MessageTab::Headers => key_values(ui, &data.headers, 190.0, actions),
                MessageTab::Raw => raw(ui, data, actions),
            });
        });
    });
}

fn head(ui: &mut Ui, data: &MessageData, jump: Option<Action>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let size = eframe::egui::Vec2::new(ui.available_width(), 38.0);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.add_space(14.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(10.0);
            let text: String = data.raw.iter().map(|(text, _)| text.as_str()).collect();
            icon_button(ui, Action::Copy(text), "Copy message", actions);
            if let Some(jump) = jump {
                action_button(ui, jump, Look::Plain, None, actions);
            }
            ui.label(RichText::new(&data.wire).font(theme::mono(12.0)).color(tokens.text_faint));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let mut job = LayoutJob::default();
                let title = FontId::new(13.0, theme::family(theme::SEMIBOLD));
                job.append(&data.title, 0.0, TextFormat::simple(title, tokens.tone(data.tone)));
                job.append(&data.route, 10.0, TextFormat::simple(theme::mono(12.0), tokens.text_soft));
                ui.add(Label::new(job).truncate());
            });
        });
    });
}

fn decoded(ui: &mut Ui, data: &MessageData, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.y = 6.0;
    if let Some(payload) = &data.payload {
        payload_body_ui(ui, payload, actions);
        ui.add_space(Space::S);
    }
    if !data.findings.is_empty() {
        caption(ui, "Findings");
        cards_ui(ui, &data.findings);
        ui.add_space(Space::S);
    }
    section(ui, "Context", &data.context, actions);
    section(ui, "Message", &data.facts, actions);
    section(ui, "Sound", &data.sound, actions);
}

fn section(ui: &mut Ui, title: &str, rows: &[KeyValue], actions: &mut Vec<Action>) {
    if rows.is_empty() {
        return;
    }
    ui.push_id(title, |ui| {
        caption(ui, title);
        ui.scope(|ui| key_values(ui, rows, 170.0, actions));
        ui.add_space(Space::M);
    });
}

fn raw(ui: &mut Ui, data: &MessageData, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let mut job = LayoutJob::default();
    job.wrap.break_anywhere = true;
    for (text, tone) in &data.raw {
        let format = TextFormat { line_height: Some(18.0), ..TextFormat::simple(theme::mono(12.0), tokens.tone(*tone)) };
        job.append(text, 0.0, format);
    }
    let response = ui.add(Label::new(job).wrap().selectable(true).sense(Sense::CLICK));
    let text = || data.raw.iter().map(|(text, _)| text.as_str()).collect::<String>();
    response.context_menu(|ui| {
        if ui.button("Copy message").clicked() {
            actions.push(Action::Copy(text()));
            ui.close();
        }
    });
}
