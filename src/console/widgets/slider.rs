//! A value between nothing and all, drawn along a line.

use eframe::egui::{CornerRadius, Key, Pos2, Rect, Sense, Stroke, Ui, Vec2, WidgetInfo};

use crate::console::theme::Tokens;

/// The new value (0 to 1) where somebody moves it, by the pointer or by the arrow keys.
pub fn slider(ui: &mut Ui, name: &str, value: f32, width: f32) -> Option<f32> {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, HEIGHT), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::slider(true, f64::from(value) * 100.0, name));
    let line = Rect::from_center_size(rect.center(), Vec2::new(rect.width() - 2.0 * KNOB, 4.0));
    let x = line.left() + line.width() * value.clamp(0.0, 1.0);
    let round = CornerRadius::same(2);
    ui.painter().rect_filled(line, round, tokens.control);
    ui.painter().rect_filled(Rect::from_min_max(line.min, Pos2::new(x, line.bottom())), round, tokens.text_faint);
    let lit = response.hovered() || response.dragged() || response.has_focus();
    ui.painter().circle(
        Pos2::new(x, line.center().y),
        KNOB,
        if lit { tokens.text } else { tokens.text_soft },
        Stroke::new(1.0, tokens.panel),
    );
    if response.clicked() || response.dragged() {
        response.request_focus();
    }
    let keyed = response.has_focus().then(|| {
        ui.input(|input| {
            let pressed = |key| input.num_presses(key) as f32;
            pressed(Key::ArrowRight) + pressed(Key::ArrowUp) - pressed(Key::ArrowLeft) - pressed(Key::ArrowDown)
        })
    });
    let dragged = (response.dragged() || response.clicked()).then(|| response.interact_pointer_pos()).flatten();
    let wanted = match (dragged, keyed) {
        (Some(at), _) => (at.x - line.left()) / line.width().max(1.0),
        (None, Some(steps)) if steps != 0.0 => value + steps * STEP,
        _ => value,
    };
    let wanted = wanted.clamp(0.0, 1.0);
    response.on_hover_text(format!("{name} {:.0} %", wanted * 100.0));
    (wanted != value).then_some(wanted)
}

const HEIGHT: f32 = 18.0;
const KNOB: f32 = 5.5;
const STEP: f32 = 0.05;
