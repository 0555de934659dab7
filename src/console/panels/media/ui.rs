//! Paints the figures, how the ratings came about, and the sound over its time.

use eframe::egui::{Align, Layout, RichText, ScrollArea, Ui};

use super::{
    data::{COLUMNS, MediaData, Rating},
    sound::SoundView,
};
use crate::console::{
    action::Action,
    theme::{self, Space, Tokens},
    widgets::{caption, empty_state, heading, plot, small_table, waveform},
};

pub fn media_ui(ui: &mut Ui, data: &MediaData, actions: &mut Vec<Action>) {
    if data.rows.is_empty() {
        empty_state(ui, "No sound yet", "Figures appear with the first packets after the answer", None, actions);
        return;
    }
    ScrollArea::vertical().id_salt("media").auto_shrink([false, false]).show(ui, |ui| {
        super::super::padded(ui, |ui| {
            small_table(ui, "media rows", &COLUMNS, &data.rows);
            for sound in &data.sounds {
                ui.add_space(Space::S);
                sound_ui(ui, sound);
            }
            if !data.ratings.is_empty() {
                ui.add_space(Space::S);
                heading(ui, "How the MOS was computed");
                caption(ui, "E-model, ITU-T G.107: R = Ro − Is − Id − Ie,eff + A, narrow-band scale up to 4.41; Ie and Bpl of G.113")
                    .on_hover_text("G.722 and Opus have no value on this scale and count like G.711; they sound better than it can say");
                data.ratings.iter().for_each(|rating| rating_ui(ui, rating));
            }
            ui.add_space(Space::S);
            let soft = Tokens::of(ui).text_soft;
            for remark in &data.remarks {
                ui.label(RichText::new(remark).size(12.5).color(soft));
            }
        });
    });
}

fn sound_ui(ui: &mut Ui, sound: &SoundView) {
    heading(ui, &sound.title);
    if sound.wave.tracks.is_empty() {
        caption(ui, "No outline: the sound was silent, or passed through in a codec that is not decoded here");
    } else {
        waveform(ui, &format!("{}: waveform", sound.title), &sound.wave, None);
    }
    let columns = if ui.available_width() > 900.0 { 4 } else { 2 };
    let width = (ui.available_width() - Space::S * (columns - 1) as f32) / columns as f32;
    for plots in sound.plots.chunks(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = Space::S;
            plots.iter().for_each(|figure| plot(ui, figure, width));
        });
    }
}

fn rating_ui(ui: &mut Ui, rating: &Rating) {
    let tokens = Tokens::of(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = Space::S;
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(RichText::new(&rating.name).size(12.5).color(tokens.leg(rating.leg)));
        });
        ui.label(RichText::new(&rating.mos).font(theme::mono(12.5)).color(tokens.tone(rating.tone)));
        ui.label(RichText::new(rating.opinion).size(12.5).color(tokens.text_soft));
        ui.label(RichText::new(&rating.terms).font(theme::mono(11.5)).color(tokens.text_faint));
    });
}
