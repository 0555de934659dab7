//! Paints the figures, how the ratings came about, and the sound over its time.

use eframe::egui::{Align, Layout, Pos2, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui, Vec2, WidgetInfo};

use super::{
    data::{COLUMNS, MediaData, Rating},
    playback::{Act, Player},
    sound::SoundView,
};
use crate::{
    console::{
        action::Action,
        theme::{self, Radius, Space, Tokens},
        widgets::{Look, action_button, caption, empty_state, heading, plot, small_table, waveform},
    },
    model::Timestamp,
};

pub fn media_ui(ui: &mut Ui, data: &MediaData, player: Option<&Player>, actions: &mut Vec<Action>) {
    if data.rows.is_empty() {
        empty_state(ui, "No sound yet", "Figures appear with the first packets after the answer", None, actions);
        return;
    }
    ScrollArea::vertical().id_salt("media").auto_shrink([false, false]).show(ui, |ui| {
        super::super::padded(ui, |ui| {
            if let Some(player) = player {
                player_ui(ui, player, actions);
                ui.add_space(Space::S);
            }
            small_table(ui, "media rows", &COLUMNS, &data.rows);
            for sound in &data.sounds {
                ui.add_space(Space::S);
                sound_ui(ui, sound, player, actions);
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

/// The recording: playing, pausing, and how far it is; a press on the bar goes there.
fn player_ui(ui: &mut Ui, player: &Player, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        let act = if player.runs { Act::Pause(player.call) } else { Act::Play(player.call) };
        action_button(ui, Action::Playback(act), if player.runs { Look::Plain } else { Look::Primary }, None, actions);
        ui.label(RichText::new(&player.words).font(theme::mono(12.0)).color(tokens.text_soft));
        let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 28.0), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, "Place in the recording"));
        let bar = Rect::from_center_size(rect.center(), Vec2::new(rect.width(), 6.0));
        ui.painter().rect_filled(bar, Radius::CONTROL, tokens.control);
        let x = bar.left() + bar.width() * player.share();
        ui.painter().rect_filled(Rect::from_min_max(bar.min, Pos2::new(x, bar.bottom())), Radius::CONTROL, tokens.accent);
        ui.painter().circle_filled(Pos2::new(x, bar.center().y), if response.hovered() { 7.0 } else { 5.0 }, tokens.accent);
        if response.has_focus() {
            ui.painter().circle_stroke(Pos2::new(x, bar.center().y), 9.0, Stroke::new(1.0, tokens.text));
        }
        let pressed = response.clicked() || response.dragged();
        if let Some(at) = response.interact_pointer_pos().filter(|_| pressed) {
            let share = (at.x - bar.left()) / bar.width().max(1.0);
            actions.push(Action::Playback(Act::Seek(player.call, player.moment(share))));
        }
    });
    if let Some(why) = &player.silent {
        caption(ui, why);
    }
}

fn sound_ui(ui: &mut Ui, sound: &SoundView, player: Option<&Player>, actions: &mut Vec<Action>) {
    heading(ui, &sound.title);
    if !sound.wave.tracks.is_empty() {
        let player = player.filter(|_| sound.recorded);
        let cursor = player.map(|player| player.at.micros_since(sound.began) as f32 / 1e6);
        let pressed = waveform(ui, &format!("{}: waveform", sound.title), &sound.wave, cursor);
        if let (Some(player), Some(secs)) = (player, pressed) {
            let at = Timestamp(sound.began.0 + (f64::from(secs) * 1e6) as u64);
            actions.push(Action::Playback(Act::Seek(player.call, at)));
        }
    }
    if let Some(note) = &sound.note {
        caption(ui, note);
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
