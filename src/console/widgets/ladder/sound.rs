//! The sound in a ladder: a band between two lifelines over its time, its holds, and digits on it.

use eframe::egui::{Align2, CornerRadius, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use super::{READABLE, geometry::Geometry};
use crate::console::{
    panels::ladder::data::{Band, Ladder, Mark, Row},
    text,
    theme::{self, Radius, Tokens},
    widgets::{bars_ui, elided, fit},
};

/// The bands behind the rows.
pub fn bands_ui(ui: &Ui, ladder: &Ladder, geometry: &Geometry, top: f32) {
    let tokens = Tokens::of(ui);
    let area = |band: &Band, from: f32, until: f32| {
        let x = |column: usize| geometry.x(column);
        Rect::from_min_max(Pos2::new(x(band.left) + 1.0, top + from + 4.0), Pos2::new(x(band.right) - 1.0, top + until.max(from + 8.0)))
    };
    for (band, (from, until)) in ladder.bands.iter().zip(&ladder.layout.bands) {
        let rect = area(band, *from, *until);
        ui.painter().rect_filled(rect, CornerRadius::ZERO, tokens.wash(tokens.leg(band.leg), 0.09));
    }
    for (index, from, until) in &ladder.layout.holds {
        let Some(band) = ladder.bands.get(*index) else { continue };
        let rect = area(band, *from, *until);
        ui.painter().rect_filled(rect, CornerRadius::ZERO, tokens.panel);
        let stroke = Stroke::new(1.0, tokens.wash(tokens.leg(band.leg), 0.35));
        let mut y = rect.top() + 3.0;
        // Lines across: nobody hears anything.
        while y < rect.bottom() && rect.height() < 4_000.0 {
            ui.painter().hline(rect.x_range().shrink(3.0), y, stroke);
            y += 6.0;
        }
    }
}

/// Codec, length, loss and jitter, each in its band.
pub fn words_ui(ui: &Ui, ladder: &Ladder, geometry: &Geometry, rect: Rect) {
    if rect.height() < READABLE {
        return;
    }
    let tokens = Tokens::of(ui);
    for (index, band) in ladder.bands.iter().enumerate() {
        let (left, right) = (geometry.x(band.left) + 9.0, geometry.x(band.right) - 9.0);
        let voices = (rect.height() - WORDS) / 2.0;
        let drawn = !band.voices.is_empty() && voices >= 12.0;
        let room =
            Rect::from_min_max(Pos2::new(left, rect.top() + 4.0), Pos2::new(right, if drawn { rect.top() + WORDS } else { rect.bottom() }));
        for (n, track) in band.voices.iter().enumerate().filter(|_| drawn) {
            let top = rect.top() + WORDS + n as f32 * voices;
            let row = Rect::from_min_max(Pos2::new(left, top), Pos2::new(right, top + voices - 4.0));
            bars_ui(ui.painter(), row, &track.peaks, tokens.leg(track.leg));
        }
        let cut = elided(ui.painter(), room, Align2::CENTER_CENTER, &band.text, theme::text(11.5), tokens.text_soft);
        let response = ui.interact(room, ui.scope_id().with(("band", index)), Sense::HOVER);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &band.text));
        let _ = if cut { response.on_hover_text(&band.text) } else { response };
    }
}

/// A digit as a key, a hold in words.
pub fn mark_ui(ui: &Ui, row: &Row, mark: &Mark, geometry: &Geometry, rect: Rect) {
    let tokens = Tokens::of(ui);
    let colour = tokens.leg(mark.leg);
    let response = ui.interact(rect, ui.scope_id().with(("mark", row.at.0, &mark.text)), Sense::HOVER);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{}, {}", mark.text, row.time)));
    if rect.height() >= READABLE {
        let time =
            Rect::from_min_max(Pos2::new(rect.left() + 12.0, rect.top()), Pos2::new(rect.left() + super::geometry::AXIS, rect.bottom()));
        elided(ui.painter(), time, Align2::LEFT_CENTER, &row.time, theme::mono(11.0), tokens.text_faint);
        let galley = fit(ui.painter(), &mark.text, theme::text(11.0), colour, geometry.x(mark.right) - geometry.x(mark.left) - 20.0);
        let centre = Pos2::new((geometry.x(mark.left) + geometry.x(mark.right)) / 2.0, rect.center().y);
        let place = Rect::from_center_size(centre, galley.size() + Vec2::new(14.0, 3.0));
        let radius = if mark.digit { Radius::CONTROL } else { Radius::PILL };
        ui.painter().rect(place, radius, tokens.panel, Stroke::new(1.0, tokens.wash(colour, 0.6)), StrokeKind::Inside);
        ui.painter().galley(place.center() - galley.size() / 2.0, galley, colour);
    }
    response.on_hover_text_at_pointer(format!("{} · {}", mark.text, text::exact_utc(row.at)));
}

/// The height of the words over both voices.
const WORDS: f32 = 30.0;
