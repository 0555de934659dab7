//! What is played of a call, on its ladder's time axis: a line at the moment that is heard; a press on the axis goes there.

use eframe::egui::{Align2, CornerRadius, CursorIcon, Pos2, Rect, Role, Sense, Stroke, Ui, WidgetInfo};

use super::geometry::AXIS;
use crate::console::{
    action::Action,
    panels::{
        ladder::{cursor, data::Ladder},
        media::playback::{Act, Player},
    },
    text,
    theme::{self, Tokens},
    widgets::elided,
};

/// `whole`: where all rows stand.
pub fn player_ui(ui: &Ui, ladder: &Ladder, player: &Player, whole: Rect, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let y_of = |at| whole.top() + cursor::y_of(ladder, at);
    let (from, until) = (y_of(player.from), y_of(player.until));
    // What was recorded stands along the axis.
    let strip = Rect::from_min_max(Pos2::new(whole.left() + 4.0, from), Pos2::new(whole.left() + 7.0, until.max(from + 2.0)));
    ui.painter().rect_filled(strip, CornerRadius::same(1), tokens.wash(tokens.accent, 0.45));
    let axis = Rect::from_min_max(Pos2::new(whole.left(), from), Pos2::new(whole.left() + AXIS, until.max(from + 2.0)));
    let response = ui.interact(axis, ui.scope_id().with("recorded time"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, "Place in the recording, along the ladder"));
    let response = response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text("Go to this moment in the recording");
    let y = y_of(player.at);
    ui.painter().hline(whole.x_range(), y, Stroke::new(1.5, tokens.accent));
    let words = Rect::from_min_max(Pos2::new(whole.left() + 10.0, y - 16.0), Pos2::new(whole.left() + AXIS, y - 1.0));
    let heard = text::length(player.at.micros_since(player.from));
    elided(ui.painter(), words, Align2::LEFT_CENTER, &heard, theme::mono_medium(11.0), tokens.accent);
    let pressed = response.clicked() || response.dragged();
    if let Some(at) = response.interact_pointer_pos().filter(|_| pressed)
        && let Some(at) = cursor::at_of(ladder, at.y - whole.top())
    {
        let at = at.max(player.from).min(player.until);
        actions.push(Action::Playback(Act::Seek(player.call, at)));
    }
}
