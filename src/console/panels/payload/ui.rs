//! Paints the payload: bar, legend, rows, advice, the value as sent.

use eframe::egui::{Frame, Label, Margin, ScrollArea, Sense, Stroke, Ui, text::LayoutJob, text::TextFormat};

use super::data::{COLUMNS, PayloadData};
use crate::console::{
    action::Action,
    theme::{self, Radius, Space, Tokens, Tone},
    widgets::{budget_bar, caption, empty_state, note, small_table},
};

pub fn payload_ui(ui: &mut Ui, data: Option<&PayloadData>, actions: &mut Vec<Action>) {
    let Some(data) = data else {
        let sentence = "It is shown here when the agent ends its part and the call goes back by REFER or INVITE";
        empty_state(ui, "No payload yet", sentence, None, actions);
        return;
    };
    ScrollArea::vertical().id_salt("payload").auto_shrink([false, false]).show(ui, |ui| {
        super::super::padded(ui, |ui| payload_body_ui(ui, data, actions));
    });
}

/// The same within another panel.
pub fn payload_body_ui(ui: &mut Ui, data: &PayloadData, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    caption(ui, &data.title);
    budget_bar(ui, "Budget", &data.segments, data.limit);
    ui.scope(|ui| legend(ui, data));
    ui.add_space(Space::XS);
    small_table(ui, "payload rows", &COLUMNS, &data.rows);
    if let Some(advice) = &data.advice {
        ui.add_space(Space::S);
        note(ui, Tone::Warn, &advice.title, &[&advice.cure]);
    }
    ui.add_space(Space::S);
    caption(ui, "As sent; click to copy");
    let mut job = LayoutJob::default();
    job.wrap.break_anywhere = true;
    for (text, tone) in &data.raw {
        job.append(text, 0.0, TextFormat::simple(theme::mono(12.0), tokens.tone(*tone)));
    }
    let frame = Frame::new().fill(tokens.background).stroke(Stroke::new(1.0, tokens.line)).corner_radius(Radius::CONTROL);
    frame.inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let whole: String = data.raw.iter().map(|(text, _)| text.as_str()).collect();
        if ui.add(Label::new(job).wrap().selectable(false).sense(Sense::CLICK)).clicked() {
            actions.push(Action::Copy(whole));
        }
    });
}

fn legend(ui: &mut Ui, data: &PayloadData) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().interact_size.y = 14.0;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        for (text, tone) in &data.legend {
            let colour = tokens.tone(*tone);
            let mut job = LayoutJob::default();
            job.append("■ ", 0.0, TextFormat::simple(theme::text(11.0), colour));
            let soft = if *tone == Tone::Wrong { colour } else { tokens.text_soft };
            job.append(text, 0.0, TextFormat::simple(theme::text(11.5), soft));
            ui.label(job);
        }
    });
}
