//! Paints what a sound check found.

use eframe::egui::{Align, Align2, FontId, Layout, Rect, RichText, ScrollArea, Sense, Ui, Vec2};

use super::sound_check::{Checked, Way};
use crate::console::{
    theme::{self, Space, Tokens},
    widgets::{elided, heading, level_meter, pill},
};

pub(super) fn sound_check_ui(ui: &mut Ui, checked: &Checked) {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        heading(ui, "Sound check");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| pill(ui, &checked.verdict, checked.tone));
    });
    ui.add_space(Space::XS);
    ScrollArea::vertical().id_salt("sound check").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = Space::XS;
        for way in &checked.ways {
            way_ui(ui, way);
            ui.add_space(Space::XS);
        }
        ui.horizontal(|ui| {
            ui.label(RichText::new("Delay").size(12.0).color(tokens.text_faint));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(&checked.delay).size(12.0).color(tokens.text_soft));
            });
        });
        for fault in &checked.faults {
            ui.label(RichText::new(fault).size(12.0).color(tokens.wrong));
        }
    });
}

/// Whose voice, whether it was heard, how loudly.
fn way_ui(ui: &mut Ui, way: &Way) {
    let tokens = Tokens::of(ui);
    let width = ui.available_width();
    let (row, _) = ui.allocate_exact_size(Vec2::new(width, LINE), Sense::hover());
    let medium = FontId::new(12.5, theme::family(theme::MEDIUM));
    let half = |right: bool| {
        let middle = row.left() + (width * 0.58).round();
        if right { Rect::from_min_max(eframe::egui::pos2(middle, row.top()), row.max) } else { row.with_max_x(middle - Space::S) }
    };
    elided(ui.painter(), half(false), Align2::LEFT_CENTER, way.name, medium.clone(), tokens.leg(way.leg));
    elided(ui.painter(), half(true), Align2::RIGHT_CENTER, way.heard, medium, tokens.tone(way.tone));
    level_meter(ui, &format!("{}, {}", way.name, way.heard), way.level, way.level, width, tokens.leg(way.leg));
    let (row, response) = ui.allocate_exact_size(Vec2::new(width, LINE - 2.0), Sense::hover());
    let font = if way.level > 0.0 { theme::mono(11.5) } else { theme::text(12.0) };
    if elided(ui.painter(), row, Align2::LEFT_CENTER, &way.detail, font, tokens.text_faint) {
        response.on_hover_text(&way.detail);
    }
}

const LINE: f32 = 18.0;
