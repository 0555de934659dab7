//! Paints *Would this caller pass?*: its form, and what the door says.

use eframe::egui::{FontId, RichText, Ui, Vec2};

use super::{paint::sentence_ui, state::CallerForm};
use crate::{
    config::desk::Trial,
    console::{
        theme::{self, Icon, Space, Tokens, Tone},
        widgets::{FieldLook, caption, labelled_field, segmented},
    },
};

pub fn caller_ui(ui: &mut Ui, form: &mut CallerForm, fault: &str) {
    let width = ui.available_width();
    labelled_field(ui, "Address", FieldLook { hint: "10.4.2.11", ..FieldLook::default() }, &mut form.source, width);
    if !fault.is_empty() {
        sentence_ui(ui, Tone::Wrong, fault);
    }
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = Space::XS + 1.0;
        caption(ui, "When it is asked for a password");
        let choices = [(false, "It does not answer"), (true, "It answers")];
        form.has_credentials =
            segmented(ui, "When it is asked for a password", form.has_credentials, &choices).unwrap_or(form.has_credentials);
    });
    if form.has_credentials {
        let half = (width - Space::M) / 2.0;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = Space::M;
            labelled_field(ui, "Its username", FieldLook::default(), &mut form.username, half);
            labelled_field(ui, "Its password", FieldLook { password: true, ..FieldLook::default() }, &mut form.password, half);
        });
    }
    if form.source.is_empty() {
        sentence_ui(ui, Tone::Faint, "Type an address: it is judged by what is on screen, saved or not, as a call from there would be");
    }
}

pub fn trial_ui(ui: &mut Ui, trial: &Trial) {
    let tokens = Tokens::of(ui);
    let Some(passes) = trial.passes else { return sentence_ui(ui, Tone::Faint, &trial.verdict) };
    let tone = if passes { Tone::Good } else { Tone::Wrong };
    let colour = tokens.tone(tone);
    let frame = eframe::egui::Frame::new()
        .fill(tokens.wash(colour, 0.1))
        .stroke(eframe::egui::Stroke::new(1.0, tokens.wash(colour, 0.45)))
        .corner_radius(theme::Radius::CONTROL)
        .inner_margin(eframe::egui::Margin::symmetric(12, 10));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = Vec2::new(Space::S, 5.0);
        line(ui, passes, &trial.verdict, FontId::new(13.0, theme::family(theme::SEMIBOLD)), colour);
        for (good, step) in &trial.steps {
            line(ui, *good, step, theme::text(12.0), tokens.text_soft);
        }
    });
}

fn line(ui: &mut Ui, good: bool, text: &str, font: FontId, colour: eframe::egui::Color32) {
    let tokens = Tokens::of(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().interact_size.y = 16.0;
        let icon = if good { Icon::Done } else { Icon::Close };
        let tint = if good { tokens.good } else { tokens.wrong };
        ui.label(RichText::new(icon.glyph()).font(theme::icon(13.0)).color(tint));
        ui.add(eframe::egui::Label::new(RichText::new(text).font(font).color(colour)).wrap());
    });
}
