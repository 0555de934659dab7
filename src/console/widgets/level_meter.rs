//! How loud somebody is, as a bar that moves.

use eframe::egui::{Color32, CornerRadius, Rect, Role, Sense, Ui, Vec2, WidgetInfo};

use crate::console::theme::Tokens;

/// A bar of `width`: `level` from 0 (−60 dBFS) to 1 (full scale), and where the peak stands. Near full scale it turns to the colour of warning.
pub fn level_meter(ui: &mut Ui, name: &str, level: f32, peak: f32, width: f32, colour: Color32) {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, HEIGHT), Sense::hover());
    let decibels = peak.clamp(0.0, 1.0).mul_add(60.0, -60.0);
    let told = if peak > 0.0 { format!("{name} {decibels:.0} dB") } else { format!("{name} silent") };
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, &told));
    let round = CornerRadius::same(2);
    ui.painter().rect_filled(rect, round, tokens.control);
    let part = |share: f32| Rect::from_min_size(rect.min, Vec2::new(rect.width() * share.clamp(0.0, 1.0), rect.height()));
    ui.painter().rect_filled(part(level), round, if peak > CLIPS { tokens.warn } else { colour });
    if peak > 0.02 {
        let x = part(peak).right().max(rect.left() + 1.0);
        ui.painter().vline(x - 1.0, rect.y_range(), eframe::egui::Stroke::new(1.5, tokens.wash(colour, 0.85)));
    }
    response.on_hover_text(told);
}

const HEIGHT: f32 = 8.0;
/// −1 dBFS.
const CLIPS: f32 = 0.983;
