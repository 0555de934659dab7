//! Paints the chosen message: its head, three tabs.

use eframe::egui::{
    Align, FontId, Frame, Label, Layout, Panel, RichText, ScrollArea, Ui,
    text::{LayoutJob, TextFormat},
};

use super::{
    data::MessageData,
    wire::{raw_ui, wire_ui},
};
use crate::console::{
    action::Action,
    panels::{
        compare::{CompareView, compare_ui},
        findings::cards_ui,
        padded,
        payload::payload_body_ui,
    },
    state::MessageTab,
    theme::{self, Space, Tokens},
    widgets::{KeyValue, Look, Marks, Tab, action_button, caption, empty_state, icon_button, key_values_marked, tabs},
};

/// `jump`: a way to where this message belongs.
pub fn message_ui(
    ui: &mut Ui,
    data: Option<&MessageData>,
    tab: MessageTab,
    compare: &CompareView<'_>,
    jump: Option<Action>,
    actions: &mut Vec<Action>,
) {
    let Some(data) = data else {
        let sentence = "Click an arrow of the ladder, or press Enter and move with the arrow keys";
        empty_state(ui, "No message chosen", sentence, None, actions);
        return;
    };
    ui.spacing_mut().item_spacing.y = 0.0;
    head(ui, data, jump, actions);
    let choices = MessageTab::ALL.map(|t| Tab { action: Action::ShowMessageTab(t), chosen: t == tab, count: None });
    tabs(ui, choices, actions);
    if tab == MessageTab::Compare {
        return compare_ui(ui, compare, actions);
    }
    ui.push_id(tab, |ui| {
        let mut marks = Marks::begin(ui, "message");
        let frame = Frame::new().fill(Tokens::of(ui).background);
        let (width, height) = (ui.available_width(), ui.available_height());
        let has_rows = matches!(tab, MessageTab::Decoded | MessageTab::Headers);
        // Where there is room the text stands beside its rows; else below the headers.
        if has_rows && width > WIDE {
            let side = Panel::right("wire beside").resizable(true).default_size(width * 0.45).size_range(300.0..=width * 0.7);
            side.frame(frame).show(ui, |ui| wire_ui(ui, data, &mut marks));
        } else if tab == MessageTab::Headers && height > TALL {
            let below = Panel::bottom("wire below").resizable(true).default_size(height * 0.45).size_range(80.0..=height * 0.75);
            below.frame(frame).show(ui, |ui| wire_ui(ui, data, &mut marks));
        }
        ScrollArea::vertical().id_salt("message").auto_shrink([false, false]).show(ui, |ui| {
            padded(ui, |ui| match tab {
                MessageTab::Decoded => decoded(ui, data, &mut marks, actions),
                MessageTab::Headers => key_values_marked(ui, &data.headers, 190.0, &mut marks, actions),
                MessageTab::Raw | MessageTab::Compare => raw_ui(ui, data, actions),
            });
        });
        marks.end(ui, "message");
    });
}

/// From this width on the text has room beside the rows.
const WIDE: f32 = 860.0;
/// From this height on it has room below them.
const TALL: f32 = 260.0;

fn head(ui: &mut Ui, data: &MessageData, jump: Option<Action>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let size = eframe::egui::Vec2::new(ui.available_width(), 38.0);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.add_space(14.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(10.0);
            icon_button(ui, Action::Copy(data.text.to_string()), "Copy message", actions);
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

fn decoded(ui: &mut Ui, data: &MessageData, marks: &mut Marks, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.y = 6.0;
    if let Some(payload) = &data.payload {
        payload_body_ui(ui, payload, (&mut *marks, data.payload_at), actions);
        ui.add_space(Space::S);
    }
    if !data.findings.is_empty() {
        caption(ui, "Findings");
        cards_ui(ui, &data.findings);
        ui.add_space(Space::S);
    }
    section(ui, "Context", &data.context, marks, actions);
    section(ui, "Message", &data.facts, marks, actions);
    section(ui, "Sound", &data.sound, marks, actions);
}

fn section(ui: &mut Ui, title: &str, rows: &[KeyValue], marks: &mut Marks, actions: &mut Vec<Action>) {
    if rows.is_empty() {
        return;
    }
    ui.push_id(title, |ui| {
        caption(ui, title);
        ui.scope(|ui| key_values_marked(ui, rows, 170.0, marks, actions));
        ui.add_space(Space::M);
    });
}
